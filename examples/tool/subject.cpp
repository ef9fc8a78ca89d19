// SPDX-License-Identifier: BSD-3-Clause
#include "subject.hpp"

#include "array_word.hpp"
#include "bucket.hpp"
#include "pickle_values.hpp"

#include <ndkeep/error.hpp>
#include <ndkeep/format/foreign.hpp>
#include <ndkeep/os/names.hpp>

#include <algorithm>
#include <array>

namespace tool {

namespace {

namespace fs = std::filesystem;
namespace nk = ndkeep;

[[nodiscard]] bool has_commits(const fs::path& folder) {
    std::error_code ignored;
    return fs::is_directory(folder / "commits", ignored) && fs::is_directory(folder / "chunks", ignored);
}

[[nodiscard]] subject subject_in_bucket(const fs::path& path) {
    const auto folders = folders_in_bucket(path);
    if (folders.empty() && !is_whole_bucket(path))
        throw nk::io_error(path, "cannot open", std::make_error_code(std::errc::no_such_file_or_directory),
                           "the bucket has no chunked array of this name, and none below it");
    if (std::find(folders.begin(), folders.end(), "commits") == folders.end())
        return {subject_kind::folder, path};
    return {subject_kind::chunked, path, false, location_of(path)};
}

}  // namespace

std::string_view kind_name(subject_kind kind) {
    switch (kind) {
    case subject_kind::npy:
        return "npy";
    case subject_kind::npz:
        return "npz";
    case subject_kind::chunked:
        return "chunked array";
    case subject_kind::database:
        return "database";
    case subject_kind::raw:
        return "raw";
    case subject_kind::pickle:
        return "pickle";
    case subject_kind::sidecar:
        return "sidecar";
    case subject_kind::folder:
        return "folder";
    }
    return "";
}

std::string_view format_name(subject_kind kind) { return kind == subject_kind::chunked ? "chunked" : kind_name(kind); }

bool is_there(const fs::path& path) {
    std::error_code ignored;
    return fs::exists(fs::symlink_status(path, ignored));
}

bool is_folder(const fs::path& path) {
    std::error_code ignored;
    return is_in_bucket(path) || fs::is_directory(path, ignored);
}

std::vector<std::string> names_in_folder(const fs::path& path) {
    auto names = is_in_bucket(path) ? folders_in_bucket(path) : nk::names_in(path);
    std::sort(names.begin(), names.end());
    return names;
}

bool is_database(const fs::path& path) {
    std::error_code ignored;
    return fs::is_regular_file(path / ".ndkeep" / "control", ignored);
}

bool begins_as_archive(std::string_view begin) {
    constexpr std::string_view member = "PK\x03\x04", empty = "PK\x05\x06";  // APPNOTE 4.3.7, 4.3.16
    return begin.starts_with(member) || begin.starts_with(empty);
}

subject subject_of(const fs::path& path) {
    if (is_in_bucket(path))
        return subject_in_bucket(path);
    std::error_code ignored;
    if (fs::is_directory(path, ignored))
        return {is_database(path)   ? subject_kind::database
                : has_commits(path) ? subject_kind::chunked
                                    : subject_kind::folder,
                path};
    if (!is_there(path))
        reject_member(path.string());
    const nk::file source = nk::file::open(path);
    std::array<std::byte, 128> bytes = {};
    const auto begin = nk::core::as_text({bytes.data(), source.read_some(0, bytes)});
    if (begin.starts_with(nk::core::magic))
        return {begins_as_pickle(begin) ? subject_kind::pickle : subject_kind::npy, path};
    if (begins_as_archive(begin))
        return {subject_kind::npz, path};
    if (path.extension() == ".json" && nk::core::is_sidecar(path))
        return {subject_kind::sidecar, path};
    // A file with this name is opened as npy or npz, because the reader gives the most precise error.
    if (path.extension() == ".npy")
        return {subject_kind::npy, path, true};
    if (path.extension() == ".npz")
        return {subject_kind::npz, path, true};
    if (nk::core::is_sidecar(nk::sidecar_path(nk::core::resolved(path))))
        return {subject_kind::raw, path};
    if (begins_as_pickle(begin) || is_named_as_pickle(path))
        return {subject_kind::pickle, path, !begins_as_pickle(begin)};
    const auto is = nk::core::foreign_format_of(begin);
    throw nk::format_error({.file = path,
                            .field = "format",
                            .expected = "npy, npz, a pickle, a chunked array, or a raw file with a sidecar",
                            .found = begin.empty() ? "unknown: the file is empty"
                                     : is.name.empty()
                                         ? "unknown: the file begins with " + nk::quoted(begin.substr(0, 16))
                                         : "that of " + std::string(is.name),
                            .hint = std::string(is.hint)});
}

subject array_subject_of(const fs::path& path) {
    auto what = subject_of(path);
    if (what.kind == subject_kind::folder || what.kind == subject_kind::database)
        throw nk::format_error({.file = path,
                                .field = "format",
                                .expected = "an array",
                                .found = "a " + std::string(kind_name(what.kind)),
                                .hint = "`ndkeep ls` lists its contents"});
    return what;
}

subject described_subject_of(const fs::path& path) {
    auto what = array_subject_of(path);
    return what.kind == subject_kind::sidecar ? array_subject_of(fs::path(path).replace_extension()) : what;
}

nk::format_error no_sidecar(const fs::path& path) {
    return nk::format_error(
        {.file = path, .field = "sidecar", .expected = "a description of the array", .found = "missing"});
}

const nk::description& said_of(const nk::sidecar& both, const nk::file_stamp& stamp) {
    const bool is_former = both.previous && both.previous->stamp == stamp && both.current.stamp != stamp;
    return is_former ? *both.previous : both.current;
}

nk::core::opened_array open_single(const subject& what) {
    if (what.kind != subject_kind::raw)
        return nk::core::open_header(what.path, any_header);
    const auto target = nk::core::resolved(what.path);
    nk::core::opened_array array{nk::file::open(what.path), {}, {}};
    const auto both = nk::core::read_sidecar(target);
    if (!both)
        throw no_sidecar(what.path);
    const auto path = nk::sidecar_path(target);
    const auto& said = said_of(*both, array.source.stamp());
    array.info.type = nk::dtype::parse(said.type, path);
    array.info.shape = said.shape;
    array.info.column_major = said.column_major;
    if (const auto nbytes = nk::checked_nbytes(array.info.type, said.shape, path); nbytes != said.nbytes)
        throw nk::format_error({.file = path,
                                .field = "nbytes",
                                .expected = std::to_string(nbytes),
                                .found = std::to_string(said.nbytes),
                                .hint = "computed from dtype and shape"});
    return array;
}

std::string_view state_name(sidecar_state state) {
    switch (state) {
    case sidecar_state::none:
        return "none";
    case sidecar_state::current:
        return "current";
    case sidecar_state::unconfirmed:
        return "unconfirmed";
    case sidecar_state::stale:
        return "stale";
    case sidecar_state::damaged:
        return "damaged";
    }
    return "";
}

sidecar_look look_at_sidecar(const nk::core::opened_array& array) {
    const auto target = nk::core::resolved(array.source.path());
    sidecar_look look{.path = nk::sidecar_path(target)};
    try {
        look.said = nk::core::description_of(array);
        if (look.said)
            look.state = look.said->state == nk::sidecar_state::current       ? sidecar_state::current
                         : look.said->state == nk::sidecar_state::unconfirmed ? sidecar_state::unconfirmed
                                                                              : sidecar_state::stale;
    } catch (const nk::error& problem) {
        look.state = sidecar_state::damaged;
        look.problem = problem.what();
    }
    return look;
}

}  // namespace tool
