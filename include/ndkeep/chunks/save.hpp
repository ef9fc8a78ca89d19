// SPDX-License-Identifier: BSD-3-Clause
// Whole chunked arrays: written in one commit, compacted, pruned, recovered.
#pragma once

#include <ndkeep/chunks/detail/session.hpp>

namespace ndkeep {

struct save_chunked_options {
    chunk_size rows_per_chunk = {};  ///< a count, or chunk_bytes(…); otherwise as many as 16 MiB hold
    checksum sum = checksum::crc32c;
    json meta = nullptr;                                 ///< an object; null keeps what is there
    std::optional<std::string> order_by = std::nullopt;  ///< a field, or "" for the 1-d array itself
    bool replace_type = false;                           ///< a dataset that is there may get another dtype or row shape
    commit_rules commit = {};
    run_options run = {};
};

struct compact_options {
    chunk_size rows_per_chunk = {};
    commit_rules commit = {};
    run_options run = {};
};

struct prune_options {
    std::uint64_t keep = 1;  ///< newest commits that stay
};

/// Writes an array as a chunked one, in one commit: chunks of rows along its first axis. Over a dataset that is there
/// it replaces all rows; readers have the old ones or the new ones.
/// @throws mismatch_error  the dataset has another dtype or row shape, and `.replace_type` is not set; keys out of
/// order
/// @throws io_error        disk full, no permission: what was there is there still
inline void save_chunked(const std::filesystem::path& path, const array_view& array,
                         const save_chunked_options& options = {});

/// Puts small chunks together, in one commit that changes no row. Chunks of zeros stay without files.
inline void compact_chunked(const std::filesystem::path& path, const compact_options& options = {});

/// Removes old commits and the files that only they use. What somebody reads stays, and so do all newer ones.
/// @returns commits removed
inline std::size_t prune_chunked(const std::filesystem::path& path, const prune_options& options = {});

/// Steps over damaged records at the end of the log, by a new commit of the newest state that can be read. Whatever the
/// damaged commits had added is given up; their files are swept later.
/// @returns the numbers of the commits that are passed over from now on; none where nothing is damaged
inline std::vector<std::uint64_t> recover_chunked(const std::filesystem::path& path);

// Definitions ------------------------------------------------------------------------------------------------------

inline void save_chunked(const std::filesystem::path& path, const array_view& array,
                         const save_chunked_options& options) {
    const auto refuse = [&](const char* field, std::string expected, std::string found, std::string hint = {}) {
        throw mismatch_error({.file = path,
                              .field = field,
                              .expected = std::move(expected),
                              .found = std::move(found),
                              .hint = std::move(hint)});
    };
    if (array.shape().empty())
        refuse("shape", "at least 1 dimension", shape_text(array.shape()));
    detail::chunk_session session(std::make_unique<local_place>(path, local_place::access::write),
                                  {.rows_per_chunk = options.rows_per_chunk,
                                   .sum = options.sum,
                                   .order_by = std::nullopt,
                                   .commit = options.commit,
                                   .run = options.run});
    const std::vector<std::size_t> row_shape(array.shape().begin() + 1, array.shape().end());
    auto order_by = options.order_by;
    if (!session.is_new()) {
        const auto& there = session.state();
        const char* const hint = ".replace_type = true replaces it";
        if (there.type != array.type() && !options.replace_type)
            refuse("dtype", there.type.descr(), array.type().descr(), hint);
        if (there.row_shape != row_shape && !options.replace_type)
            refuse("shape of a row", shape_text(there.row_shape), shape_text(row_shape), hint);
        if (!order_by && !options.replace_type)
            order_by = there.order_by;
    }
    session.start_anew(array.type(), row_shape, order_by);
    progress_meter meter(
        options.run, {.phase = "save", .items_total = array.shape()[0], .bytes_total = array.nbytes(), .file = path});
    session.append(array, meter);
    if (!options.meta.is_null())
        session.set_metadata(options.meta);
    (void)session.commit();
}

namespace detail {

/// Before anything is made in a directory that is no dataset.
inline void check_committed(const std::filesystem::path& path) {
    local_place there(path, local_place::access::read);
    if (commit_log(there).numbers().empty())
        throw io_error(path, "nothing is committed", std::make_error_code(std::errc::no_such_file_or_directory));
}

}  // namespace detail

inline void compact_chunked(const std::filesystem::path& path, const compact_options& options) {
    detail::check_committed(path);
    detail::chunk_session session(
        std::make_unique<local_place>(path, local_place::access::write),
        {.rows_per_chunk = options.rows_per_chunk, .commit = options.commit, .run = options.run});
    progress_meter meter(options.run, {.phase = "compact", .items_total = session.rows(), .file = path});
    session.compact(meter);
    meter.finish();
    (void)session.commit();
}

inline std::size_t prune_chunked(const std::filesystem::path& path, const prune_options& options) {
    if (options.keep == 0)
        throw mismatch_error({.file = path, .field = "keep", .expected = "at least 1", .found = "0"});
    detail::check_committed(path);
    local_place where(path, local_place::access::write);
    detail::commit_log log(where);
    return detail::prune(log, options.keep);
}

inline std::vector<std::uint64_t> recover_chunked(const std::filesystem::path& path) {
    detail::check_committed(path);
    local_place where(path, local_place::access::write);
    detail::commit_log log(where);
    return detail::recover(log);
}

}  // namespace ndkeep
