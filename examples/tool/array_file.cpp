// SPDX-License-Identifier: BSD-3-Clause
#include "array_file.hpp"

#include "array_word.hpp"
#include "bucket.hpp"
#include "pickle_values.hpp"
#include "tool.hpp"

#include <ndkeep/array/any.hpp>
#include <ndkeep/chunks/core/gather.hpp>
#include <ndkeep/npz/reader.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/pickle/load.hpp>
#include <ndkeep/work/parallel.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <set>

namespace tool {

namespace fs = std::filesystem;
namespace nk = ndkeep;

struct array_file::parts {
    subject what = {};
    nk::run_options run = {};
    std::vector<std::string> names = {};
    std::vector<std::string> documents = {};
    std::set<std::string_view> known_names = {}, known_documents = {};  // the same names, for lookup
    std::optional<nk::npz_reader> archive = {};
    std::unique_ptr<nk::core::chunk_version> chunks = {};
    nk::tree values = {};
    std::map<std::string, const nk::tree*, std::less<>> pickled = {};  // arrays in `values` by their paths

    [[nodiscard]] const nk::tree& pickled_array(const std::string& name) const {
        if (const auto at = pickled.find(name); at != pickled.end())
            return *at->second;
        throw no_only_array(what.path, paths_of_arrays(value_at(values, what.path, name), name));
    }
};

namespace {

[[nodiscard]] opened_view mapped_view(const nk::array_info& info, nk::mapping&& bytes) {
    const auto kept = std::make_shared<const nk::mapping>(std::move(bytes));
    nk::array_view view(info.type, info.shape, kept->data(), nk::order_of(info));
    return {info, view.in_order(written_order(info)).kept_by(kept)};
}

/// A view of a stored member in place, after its CRC-32 has been checked.
[[nodiscard]] opened_view stored_view(const nk::npz_reader& archive, const nk::core::zip_entry& entry) {
    const auto& from = archive.archive();
    nk::core::member_bytes bytes(from, entry, 0);
    const auto source = bytes.source();
    const auto info = nk::core::read_member_header(source, bytes.size(), {}).info;
    constexpr std::uint64_t most = std::uint64_t{1} << 20;
    std::vector<std::byte> block;
    std::uint32_t crc = 0;
    for (std::uint64_t at = 0; at < bytes.size(); at += block.size()) {
        check_interrupted(from.path());
        block.resize(static_cast<std::size_t>(std::min(most, bytes.size() - at)));
        source.read(at, block);
        crc = nk::crc32({block.data(), block.size()}, crc);
    }
    bytes.finish(crc);
    return mapped_view(info, from.map(bytes.begin() + info.data_offset, info.nbytes(), nk::map_mode::read_only));
}

/// All rows, read into memory: chunks in a bucket have no files to map.
[[nodiscard]] opened_view loaded_view(const nk::core::chunk_version& from) {
    const auto info = from.info();
    from.check_room(from.state().rows);
    nk::any_array all =
        nk::core::allocated_for(from.called(), info.nbytes(), [&] { return nk::any_array(info.type, info.shape); });
    from.read(0, from.state().rows, nk::conversion(info.type), all.bytes().data());
    return {info, nk::array_view(std::move(all))};
}

void remove_arrays(nk::tree& value) {
    if (value.is_array())
        value = nullptr;
    else if (value.is_list() || value.is_dictionary())
        for (auto& inner : value)
            remove_arrays(inner);
}

[[nodiscard]] std::uint64_t stored_in_bucket(const nk::dataset_location& where) {
    const auto place = where.open(nk::local_place::access::read);
    std::vector<std::string> names;
    for (const std::string folder : {"commits/", "chunks/"})
        for (const auto& name : place->list(folder.substr(0, folder.size() - 1)))
            names.push_back(folder + name);
    std::atomic<std::uint64_t> total = 0;
    const nk::run_options run{.threads = threads_for(where.path(), 0)};
    nk::progress_meter meter(run, {.phase = "list", .items_total = names.size(), .file = where.path()});
    nk::parallel_for(names.size(), meter, [&](std::size_t i) { total += place->size(names[i]).value_or(0); });
    return total;
}

}  // namespace

array_file::array_file(const fs::path& path, const nk::run_options& run) : parts_(std::make_unique<parts>()) {
    parts_->what = described_subject_of(path);
    parts_->run = run;
    parts_->names = {""};
    switch (parts_->what.kind) {
    case subject_kind::npz:
        parts_->archive.emplace(path, nk::load_options{.run = run});
        parts_->names.clear();
        for (const auto& member : parts_->archive->members()) {
            if (member.shadowed || member.stored_name == nk::core::metadata_member)
                continue;
            // A member named like an array is listed as one, even if it cannot be read: the error is thrown when it is
            // opened.
            const bool is_array = member.array || member.stored_name.ends_with(nk::core::npy_suffix);
            (is_array ? parts_->names : parts_->documents).push_back(is_array ? member.name : member.stored_name);
        }
        break;
    case subject_kind::chunked:
        parts_->chunks = std::make_unique<nk::core::chunk_version>(
            parts_->what.location(), nk::chunk_reader_options{.verify = true, .run = run});
        break;
    case subject_kind::pickle:
        parts_->values = nk::load_pickle(path, {.run = run});
        parts_->names.clear();
        for_each_leaf(parts_->values, "", [&](const std::string& name, const nk::tree& array) {
            if (parts_->pickled.emplace(name, &array).second)
                parts_->names.push_back(name);
        });
        parts_->documents = {"values"};
        break;
    default:
        break;
    }
    parts_->known_names.insert(parts_->names.begin(), parts_->names.end());
    parts_->known_documents.insert(parts_->documents.begin(), parts_->documents.end());
}

array_file::~array_file() = default;

const subject& array_file::what() const noexcept { return parts_->what; }
const std::vector<std::string>& array_file::names() const noexcept { return parts_->names; }
const std::vector<std::string>& array_file::documents() const noexcept { return parts_->documents; }
const nk::tree& array_file::values() const noexcept { return parts_->values; }

std::vector<std::byte> array_file::document(const std::string& name) const {
    if (!is_pickle())
        return parts_->archive->bytes(name);
    if (const auto at = parts_->pickled.find(name); at != parts_->pickled.end()) {
        const auto array = at->second->array();
        return {array->bytes().begin(), array->bytes().end()};
    }
    auto others = parts_->values;
    remove_arrays(others);
    const auto text = others.str();
    const auto bytes = nk::core::bytes_of(text);
    return {bytes.begin(), bytes.end()};
}

std::string array_file::stored_name(const std::string& name) const { return parts_->archive->archive().at(name).name; }

std::string array_file::chosen(const std::optional<std::string>& member) const {
    if (member && !has_names())
        throw no_archive(what().path, *member);
    if (member) {
        (void)info(*member);  // throws if the member is absent
        return *member;
    }
    if (names().size() != 1)
        throw no_only_array(what().path, names());
    return names().front();
}

bool array_file::contains(const std::string& name) const { return parts_->known_names.contains(name); }

bool array_file::has_document(const std::string& name) const { return parts_->known_documents.contains(name); }

bool array_file::is_compressed(const std::string& name) const {
    return parts_->archive->archive().at(name).method != nk::core::zip_stored;
}

nk::array_info array_file::info(const std::string& name) const {
    switch (what().kind) {
    case subject_kind::npz:
        return parts_->archive->inspect(name);
    case subject_kind::chunked:
        return parts_->chunks->info();
    case subject_kind::pickle: {
        const auto& array = parts_->pickled_array(name);
        return {.type = array.type(), .shape = array.shape()};
    }
    default:
        return open_single(what()).info;
    }
}

opened_view array_file::open(const std::string& name) const {
    if (what().kind == subject_kind::chunked)
        return what().in_bucket ? loaded_view(*parts_->chunks)
                                : mapped_view(parts_->chunks->info(), nk::core::gather(*parts_->chunks));
    if (is_pickle())
        return {info(name), parts_->pickled_array(name).array()};
    if (!is_archive()) {
        const auto array = open_single(what());
        nk::core::check_data(array);
        const auto& info = array.info;
        return mapped_view(info,
                           nk::mapping::open(array.source, info.data_offset, info.nbytes(), nk::map_mode::read_only));
    }
    const auto info = parts_->archive->inspect(name);  // throws if the member is absent
    const auto* const entry = parts_->archive->archive().find(name);
    if (entry->method == nk::core::zip_stored)
        return nk::core::in_member(name, [&] { return stored_view(*parts_->archive, *entry); });
    nk::array_view view = parts_->archive->load_any(name);
    return {info, view.in_order(written_order(info))};
}

kept_words array_file::words() const {
    kept_words out;
    switch (what().kind) {
    case subject_kind::npz:
        out.metadata = parts_->archive->metadata();
        break;
    case subject_kind::chunked:
        out.metadata = parts_->chunks->state().metadata;
        out.sums = parts_->chunks->state().sum;
        break;
    case subject_kind::pickle:
        break;
    default: {
        const auto target = nk::core::resolved(what().path);
        const auto array = open_single(what());
        const auto both = nk::core::read_sidecar(target);
        if (!both)
            break;
        const auto said = nk::core::believed(array, *both, parts_->run);
        if (!said) {
            out.problem = nk::sidecar_path(target).string() +
                          ": the sidecar is stale: it describes another array, so its metadata is ignored";
            break;
        }
        out.metadata = said->metadata;
        out.sums = nk::kinds_of(said->sums);
        out.has_statistics = said->statistics.has_value();
    }
    }
    if (!out.metadata.is_object())
        out.metadata = nk::json(nk::json::value_t::object);
    return out;
}

std::uint64_t stored_bytes(const fs::path& path) {
    if (is_in_bucket(path))
        return stored_in_bucket(location_of(path));
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
        const auto size = fs::file_size(path, ignored);
        return ignored ? 0 : size;
    }
    std::uint64_t total = 0;
    for (fs::recursive_directory_iterator each(path, ignored), end; !ignored && each != end; each.increment(ignored)) {
        std::error_code other;
        if (const auto size = each->file_size(other); !other && each->is_regular_file(other))
            total += size;
    }
    return total;
}

}  // namespace tool
