// SPDX-License-Identifier: BSD-3-Clause
// meta: reads and changes the metadata of a file by JSON pointers.
#include "array_file.hpp"
#include "commands.hpp"
#include "output.hpp"
#include "sidecars.hpp"

#include <ndkeep/chunks/save.hpp>
#include <ndkeep/npz/writer.hpp>

namespace tool {

namespace {

namespace fs = std::filesystem;
namespace nk = ndkeep;

[[nodiscard]] nk::json read_metadata(const context& with, const subject& what) {
    const auto words = array_file(what.path, with.run).words();
    if (!words.problem.empty())
        throw nk::mismatch_error({.file = what.path,
                                  .field = "sidecar",
                                  .expected = "a description of this file",
                                  .found = "stale",
                                  .hint = "`ndkeep verify --write` renews it"});
    return words.metadata;
}

/// Writes the metadata completely or not at all: as a sidecar, an archive or a commit.
void write_metadata(const context& with, const subject& what, const nk::json& metadata) {
    switch (what.kind) {
    case subject_kind::npz: {
        nk::npz_writer archive(what.path, {.append = true, .run = with.run});
        archive.set_metadata(metadata);
        return archive.commit();
    }
    case subject_kind::chunked:
        return nk::describe_chunked(what.location(), {.meta = metadata, .run = with.run});
    case subject_kind::pickle:
        throw nk::mismatch_error({.file = what.path,
                                  .field = "format",
                                  .expected = "npy, npz, raw or a chunked array",
                                  .found = "pickle",
                                  .hint = "a pickle has no metadata"});
    default:
        describe_single(what, {.meta = metadata, .run = with.run});
    }
}

[[nodiscard]] nk::json::json_pointer parse_pointer(const std::string& text) {
    try {
        return nk::json::json_pointer(text);
    } catch (const nk::json::exception&) {
        throw usage_error("POINTER is " + nk::quoted(text) +
                          ", expected a JSON pointer, as in /site/name or /levels/0");
    }
}

[[nodiscard]] nk::mismatch_error no_such_value(const fs::path& path, const std::string& pointer) {
    return nk::mismatch_error(
        {.file = path, .field = "metadata " + nk::quoted(pointer), .expected = "a value", .found = "absent"});
}

/// The value that the pointer refers to; nullptr if absent.
[[nodiscard]] const nk::json* pointed_to(const nk::json& whole, const nk::json::json_pointer& pointer) {
    try {
        return whole.contains(pointer) ? &whole.at(pointer) : nullptr;
    } catch (const nk::json::exception&) {
        return nullptr;
    }
}

/// Parses JSON; text that is not valid JSON becomes a string.
[[nodiscard]] nk::json value_of_word(const std::string& text) {
    if (!nk::core::is_utf8(text))
        throw usage_error("VALUE is " + nk::quoted(text) + ", expected UTF-8 text");
    try {
        return nk::core::parsed_json(text, "value");
    } catch (const nk::error&) {
        return nk::json(text);
    }
}

[[nodiscard]] std::string indented(const nk::json& value, std::size_t depth) {
    const std::string blanks(2 * depth, ' ');
    const auto lines = [&](char open, char close, const std::string& inner) {
        return inner.empty() ? std::string{open, close} : open + inner + '\n' + blanks + close;
    };
    std::string inner;
    const auto begin = [&] { inner += (inner.empty() ? "\n" : ",\n") + blanks + "  "; };
    if (const auto* const members = value.get_ptr<const nk::json::object_t*>()) {
        for (const auto& [key, each] : *members) {
            begin();
            inner += shown(nk::core::json_text(std::string_view(key))) + ": " + indented(each, depth + 1);
        }
        return lines('{', '}', inner);
    }
    if (const auto* const items = value.get_ptr<const nk::json::array_t*>()) {
        for (const auto& each : *items) {
            begin();
            inner += indented(each, depth + 1);
        }
        return lines('[', ']', inner);
    }
    return shown(nk::core::json_text(value));
}

void print_value(const context& with, const nk::json& value) {
    const auto* const text = value.get_ptr<const nk::json::string_t*>();
    if (with.given.has("--json"))
        with.out << nk::core::json_text(value) << '\n';
    else if (text != nullptr)
        with.out << shown(*text) << '\n';
    else
        with.out << indented(value, 0) << '\n';
}

/// A list is never padded with nulls to reach an index.
void refuse_gap(const nk::json& whole, const fs::path& path, const nk::json::json_pointer& to) {
    for (auto at = to; !at.empty(); at.pop_back()) {
        const auto token = at.back();
        if (token.empty() || token.find_first_not_of("0123456789") != std::string::npos)
            continue;
        const auto* const parent = pointed_to(whole, at.parent_pointer());
        const bool is_list = parent == nullptr || parent->is_null() || parent->is_array();
        if (is_list && pointed_to(whole, at) == nullptr)
            throw nk::mismatch_error({.file = path,
                                      .field = "metadata " + nk::quoted(at.to_string()),
                                      .expected = "an existing index",
                                      .found = "beyond the end of the list",
                                      .hint = at.parent_pointer().to_string() + "/- appends"});
    }
}

void set(nk::json& whole, const fs::path& path, const std::string& pointer, nk::json value) {
    const auto to = parse_pointer(pointer);
    refuse_gap(whole, path, to);
    try {
        whole[to] = std::move(value);
    } catch (const nk::json::exception&) {
        throw nk::mismatch_error({.file = path,
                                  .field = "metadata " + nk::quoted(pointer),
                                  .expected = "a key of an object or an index of a list",
                                  .found = "not a valid position"});
    }
}

void remove(nk::json& whole, const fs::path& path, const std::string& pointer) {
    const auto at = parse_pointer(pointer);
    if (pointed_to(whole, at) == nullptr)
        throw no_such_value(path, pointer);
    if (at.empty()) {
        whole = nk::json(nk::json::value_t::object);
        return;
    }
    auto& parent = whole.at(at.parent_pointer());
    if (auto* const items = parent.get_ptr<nk::json::array_t*>())
        items->erase(items->begin() + std::stol(at.back()));
    else
        parent.erase(at.back());
}

[[nodiscard]] outcome meta(const context& with) {
    const auto& words = with.given.words();
    const std::string verb = words.size() > 1 ? words[1] : "get";
    const auto takes = [&](std::size_t least, std::size_t most, std::string_view expected) {
        if (words.size() < least || words.size() > most)
            throw usage_error("meta: found " + nk::counted(words.size() - 2, "argument") + " after " + verb +
                              ", expected " + std::string(expected));
    };
    const auto what = described_subject_of(words[0]);
    auto metadata = read_metadata(with, what);
    if (verb == "get") {
        takes(1, 3, "at most 1: POINTER");
        const std::string pointer = words.size() > 2 ? words[2] : "";
        const auto* const value = pointed_to(metadata, parse_pointer(pointer));
        if (value == nullptr)
            throw no_such_value(what.path, pointer);
        print_value(with, *value);
        return outcome::fine;
    }
    if (verb == "set") {
        takes(4, 4, "2: POINTER VALUE");
        set(metadata, what.path, words[2], value_of_word(words[3]));
    } else if (verb == "delete") {
        takes(3, 3, "1: POINTER");
        remove(metadata, what.path, words[2]);
    } else {
        constexpr std::array<std::string_view, 3> verbs = {"get", "set", "delete"};
        throw usage_error("meta: the action is " + nk::quoted(verb) + ", expected get, set or delete" +
                          suggestion(verb, verbs));
    }
    if (!metadata.is_object())
        throw nk::mismatch_error({.file = what.path,
                                  .field = "metadata",
                                  .expected = "an object",
                                  .found = "of type " + std::string(metadata.type_name())});
    write_metadata(with, what, metadata);
    if (with.given.has("--json"))
        with.out << nk::core::json_text(metadata) << '\n';
    return outcome::fine;
}

}  // namespace

command meta_command() {
    return {
        .name = "meta",
        .summary = "Print, set or delete metadata",
        .usage = "[OPTION]... FILE [get [POINTER] | set POINTER VALUE | delete POINTER]",
        .details =
            "POINTER is a JSON pointer: /site/name, /levels/0, or /levels/- to append to a list. VALUE is JSON; other\n"
            "text is stored as a string. npy and raw files keep their metadata in the sidecar, which is created if\n"
            "absent; archives keep it in a member, chunked arrays in a new commit. A change is written completely or\n"
            "not at all. Of two changes made at the same time, one may be lost. With --json, a change prints the new\n"
            "metadata.",
        .options = {replace_read_only_option, json_option},
        .example = "ndkeep meta f.npy\n"
                   "ndkeep meta f.npy set /site '{\"name\": \"A7\", \"height\": 2.5}'\n"
                   "ndkeep meta f.npy get /site/name",
        .least_words = 1,
        .most_words = 4,
        .run = meta};
}

}  // namespace tool
