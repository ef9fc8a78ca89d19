// SPDX-License-Identifier: BSD-3-Clause
#include "targets.hpp"

#include "bucket.hpp"
#include "csv.hpp"
#include "output.hpp"

#include <ndkeep/array/blocks.hpp>
#include <ndkeep/chunks/save.hpp>
#include <ndkeep/npy/save.hpp>
#include <ndkeep/npz/writer.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/text/hex.hpp>

#include <ostream>

namespace tool {

namespace {

namespace fs = std::filesystem;
namespace nk = ndkeep;

[[nodiscard]] nk::json metadata_or_null(const kept_words& words) {
    return words.metadata.empty() ? nk::json(nullptr) : words.metadata;
}

void write_npy(const target& to, const content& what) {
    nk::save(to.path, what.array(what.names.front()),
             {.meta = metadata_or_null(what.words),
              .sum = what.words.sums,
              .statistics = what.words.has_statistics,
              .run = to.run});
}

void write_npz(const target& to, const content& what) {
    nk::npz_writer archive(to.path, {.run = to.run});
    const auto options = [&](const std::string& name) {
        return nk::npz_member_options{.compress = what.is_compressed && what.is_compressed(name)};
    };
    archive.set_metadata(metadata_or_null(what.words));
    for (const auto& name : what.names)
        archive.add(name, what.array(name), options(name));
    for (const auto& name : what.documents)
        archive.add_bytes(name, what.document(name), options(name));
    check_interrupted(to.path);
    archive.commit();
}

/// Removes the sidecar after an error, and ignores a failure to do so: the first error is the one to report.
void remove_if_possible(const fs::path& file) {
    try {
        nk::core::remove_sidecar(file);
    } catch (const nk::error&) {
    }
}

/// Writes the data without a header, and the sidecar that describes it, in the same order as `save`.
void write_raw(const target& to, const content& what) {
    const auto array = what.array(what.names.front());
    const auto info = nk::core::info_of(array);
    const auto read_only = nk::read_only_files_of(to.run.replace_read_only);
    nk::replacement next(to.path, read_only);
    const auto path = next.target();
    const auto sums = what.words.sums == nk::checksum::none ? nk::checksum::crc32c : what.words.sums;
    nk::core::digest seen(info.type, sums, what.words.has_statistics);
    nk::core::write_elements(next.content(), 0, array.in_order(nk::order_of(info)), seen, to.run);
    nk::sidecar both{nk::described(info), {}};
    both.current.sums = seen.sums();
    both.current.statistics = seen.values();
    both.current.metadata = what.words.metadata;
    both.current.stamp = next.seal(nk::durability::when_convenient);
    try {
        // Until the data file is renamed, readers still need the description of the former data, so both are stored.
        if (const auto former = nk::core::read_sidecar(path))
            both.previous = nk::is_file(path) ? said_of(*former, nk::file::open(path).stamp()) : former->current;
    } catch (const nk::error&) {
        both.previous.reset();  // a damaged sidecar has no description to keep
    }
    check_interrupted(to.path);
    nk::core::write_sidecar(path, both, nk::durability::when_convenient, read_only);
    try {
        next.commit(nk::durability::when_convenient);
    } catch (const nk::error&) {
        if (!both.previous)
            remove_if_possible(path);
        throw;
    }
}

void write_csv_file(const target& to, const content& what) {
    const auto read_only = nk::read_only_files_of(to.run.replace_read_only);
    nk::replacement next(to.path, read_only);
    nk::core::former_sidecar former(next.target(), read_only);
    const auto array = what.array(what.names.front());
    nk::progress_meter meter(to.run, {.phase = "save", .bytes_total = array.nbytes(), .file = to.path});
    std::uint64_t at = 0;
    write_csv(
        array, to.path,
        [&](std::string_view lines) {
            next.content().write(at, nk::core::bytes_of(lines));
            at += lines.size();
            meter.add(0, lines.size());
            meter.report();
        },
        to.csv);
    meter.finish();
    former.hold();
    next.commit(nk::durability::when_convenient);
    former.remove();
}

/// Removes an unfinished folder.
class unfinished_folder {
  public:
    explicit unfinished_folder(fs::path path) : path_(std::move(path)) {}
    unfinished_folder(const unfinished_folder&) = delete;
    unfinished_folder& operator=(const unfinished_folder&) = delete;
    ~unfinished_folder() {
        std::error_code ignored;
        if (!path_.empty())
            fs::remove_all(path_, ignored);
    }
    [[nodiscard]] const fs::path& path() const noexcept { return path_; }
    void rename(const fs::path& name) {
        std::error_code failed;
        fs::rename(path_, name, failed);
        if (failed)
            throw nk::io_error(name, "cannot create", failed);
        path_.clear();
        nk::sync_directory(name.parent_path());
    }

  private:
    fs::path path_;
};

void write_chunked(const target& to, const content& what) {
    const auto path = to.path.has_filename() ? to.path : to.path.parent_path();
    nk::save_chunked_options options{.meta = metadata_or_null(what.words), .replace_type = true, .run = to.run};
    if (to.rows_per_chunk != 0)
        options.rows_per_chunk = to.rows_per_chunk;
    const auto array = what.array(what.names.front());
    std::error_code ignored;
    // Adds a commit to an existing chunked array. In a bucket, nothing is there before the first commit.
    if (is_in_bucket(path) || fs::exists(fs::symlink_status(path, ignored)))
        return nk::save_chunked(location_of(path), array, options);
    if (array.shape().empty())
        throw nk::mismatch_error({.file = path, .field = "shape", .expected = "at least 1 dimension", .found = "()"});
    unfinished_folder begun(nk::core::beside(path, '.' + nk::core::hexadecimal(nk::core::random_bits()) + ".ndk"));
    nk::save_chunked(begun.path(), array, options);
    check_interrupted(path);
    begun.rename(path);
}

/// Escapes control characters for a terminal, but keeps newlines.
[[nodiscard]] std::string shown_lines(std::string_view lines) {
    std::string out;
    while (!lines.empty()) {
        const std::size_t end = std::min(lines.find('\n'), lines.size());
        out += shown(lines.substr(0, end));
        if (end == lines.size())
            break;
        out += '\n';
        lines.remove_prefix(end + 1);
    }
    return out;
}

}  // namespace

std::string_view target_name(target_kind kind) {
    switch (kind) {
    case target_kind::npy:
        return "npy";
    case target_kind::npz:
        return "npz";
    case target_kind::chunked:
        return "chunked";
    case target_kind::raw:
        return "raw";
    case target_kind::csv:
        return "csv";
    }
    return "";
}

std::optional<target_kind> kind_by_name(const fs::path& path) {
    std::error_code ignored;
    if (is_in_bucket(path) || !path.has_filename() || fs::is_directory(path, ignored))
        return target_kind::chunked;
    const auto ending = path.extension();
    if (ending == ".npy")
        return target_kind::npy;
    if (ending == ".npz")
        return target_kind::npz;
    if (ending == ".csv")
        return target_kind::csv;
    if (ending == ".raw" || ending == ".bin" || ending == ".dat")
        return target_kind::raw;
    return std::nullopt;
}

void write_target(const target& to, const content& what) {
    switch (to.kind) {
    case target_kind::npy:
        return write_npy(to, what);
    case target_kind::npz:
        return write_npz(to, what);
    case target_kind::chunked:
        return write_chunked(to, what);
    case target_kind::raw:
        return write_raw(to, what);
    case target_kind::csv:
        return write_csv_file(to, what);
    }
}

std::uint64_t write_stream(std::ostream& out, const terminal& screen, target_kind kind, const content& what,
                           const csv_options& options) {
    std::uint64_t written = 0;
    const auto put = [&](std::string_view bytes) {
        check_interrupted("-");
        if (!out.write(bytes.data(), static_cast<std::streamsize>(bytes.size())))
            throw nk::io_error("-", "cannot write", std::make_error_code(std::errc::io_error));
        written += bytes.size();
    };
    const auto array = what.array(what.names.front());
    if (kind == target_kind::csv) {
        write_csv(
            array, "-", [&](std::string_view lines) { put(screen.is_terminal ? shown_lines(lines) : lines); }, options);
        return written;
    }
    const auto info = nk::core::info_of(array);
    if (kind == target_kind::npy)
        put(nk::header_bytes(info));
    nk::core::for_each_block(array.in_order(nk::order_of(info)), std::size_t{1} << 20,
                             [&](std::span<const std::byte> bytes, std::size_t) { put(nk::core::as_text(bytes)); });
    return written;
}

}  // namespace tool
