// SPDX-License-Identifier: BSD-3-Clause
#include "array_word.hpp"

#include "bucket.hpp"
#include "output.hpp"
#include "pickle_values.hpp"
#include "slices.hpp"
#include "subject.hpp"

#include <ndkeep/format/zip/directory.hpp>
#include <ndkeep/npz/core/archive.hpp>
#include <ndkeep/pickle/load.hpp>

namespace tool {

array_word word_of(const std::string& text) {
    if (is_in_bucket(text) || is_there(text))
        return {text};
    for (std::size_t colon = text.find(':'); colon != std::string::npos; colon = text.find(':', colon + 1))
        if (colon != 0 && is_there(text.substr(0, colon)))
            return {text.substr(0, colon), text.substr(colon + 1)};
    return {text};
}

array_word word_of(const std::string& text, const arguments& given) {
    auto word = word_of(text);
    if (!word.member)
        word.member = given.value("--member");
    return word;
}

void reject_member(const std::string& text) {
    const auto word = word_of(text);
    if (!word.member)
        return;
    const auto kind = subject_of(word.file).kind;
    if (kind == subject_kind::npz)
        (void)ndkeep::core::archive(word.file, {}).at(*word.member);  // throws if the member is absent
    else if (kind == subject_kind::pickle)
        (void)value_at(ndkeep::load_pickle(word.file), word.file, *word.member);
    else
        throw no_archive(word.file, *word.member);
    throw ndkeep::mismatch_error({.file = word.file,
                                  .field = ndkeep::core::member_field(*word.member),
                                  .expected = "the complete file",
                                  .found = "given",
                                  .hint = "this command takes no members"});
}

std::string slices_behind(const arguments& given) {
    if (given.words().size() < 2)
        return "";
    const auto& slices = given.words()[1];
    if (!is_slices(slices))
        throw usage_error("SLICES is " + ndkeep::quoted(slices) + ", expected brackets, as in '[0, 100:110, ::2]'" +
                          (slices.empty() ? "" : " (a member of an archive is FILE:" + shown(slices) + ')'));
    return slices;
}

ndkeep::mismatch_error no_archive(const std::filesystem::path& file, const std::string& member) {
    return ndkeep::mismatch_error({.file = file,
                                   .field = ndkeep::core::member_field(member),
                                   .expected = "an npz archive or a pickle",
                                   .found = "missing",
                                   .hint = "other files have no members"});
}

ndkeep::mismatch_error no_only_array(const std::filesystem::path& file, const std::vector<std::string>& names) {
    return ndkeep::mismatch_error(
        {.file = file,
         .field = "number of arrays",
         .expected = "1",
         .found = std::to_string(names.size()),
         .hint = names.empty() ? "" : "choose one, as in " + file.string() + ':' + names.front()});
}

}  // namespace tool
