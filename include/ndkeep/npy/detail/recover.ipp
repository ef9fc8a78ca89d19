// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/npy/recover.hpp>.
#pragma once

#include <ndkeep/npy/recover.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/npy/core/sidecar_file.hpp>
#include <ndkeep/npy/detail/grow.hpp>
#include <ndkeep/npy/detail/inspect.hpp>
#include <ndkeep/os/durability.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/locks/lease.hpp>
#include <ndkeep/os/locks/writer_lock.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/os/replace.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Number of complete rows after the data, which the header does not count.
[[nodiscard]] NDKEEP_INLINE std::size_t rows_behind(const opened_array& array) {
    // Rows behind the data of a file of a database were removed, or never committed.
    if (array.info.shape.empty() || is_in_database(array.source.path()))
        return 0;
    check_no_second_array(array);
    const std::uint64_t row = row_bytes(array.info);
    return row == 0 ? 0 : static_cast<std::size_t>((array.source.size() - data_end(array.info)) / row);
}

/// Number of rows that the header counts and whose bytes are in the file.
[[nodiscard]] NDKEEP_INLINE std::size_t rows_there(const opened_array& array) {
    if (array.info.shape.empty())
        return 0;
    const std::size_t stated = array.info.shape[growing_axis(array.info)];
    const std::uint64_t row = row_bytes(array.info);
    if (row == 0)
        return stated;
    return static_cast<std::size_t>(std::min<std::uint64_t>(stated, array.data_in(array.source.size()) / row));
}

}  // namespace detail

NDKEEP_INLINE std::size_t recoverable_rows(const std::filesystem::path& file, const limits& limit) {
    return detail::rows_behind(core::open_array(file, limit));
}

NDKEEP_INLINE std::size_t recover(const std::filesystem::path& file, const limits& limit) {
    auto lock = detail::lock_to_grow(file);
    const auto target = lock ? lock->target() : detail::resolved(file);
    detail::opened_array array{ndkeep::file::open(target, ndkeep::file::access::read_write), {}};
    const detail::file_lock alone(array.source);
    detail::read_array(array, limit);
    array.source.call(file);
    const std::size_t gained = detail::rows_behind(array);
    if (gained == 0)
        return 0;
    const detail::grown_header grown(array, gained);
    const auto both = detail::read_sidecar(target);
    const auto former = both ? detail::believed(array, *both) : std::nullopt;
    std::optional<sidecar> next;
    if (former) {
        // No sum or statistic is stored, because nobody has vouched for these rows. The metadata is kept.
        next = sidecar{described(grown.info), former};
        next->current.metadata = former->metadata;
    }
    if (!grown.in_place) {
        array.info.shape = grown.info.shape;  // so that the rows are copied with the data
        detail::rewrite_grown(array, lock ? *std::move(lock) : writer_lock(file), grown.info, {}, std::move(next),
                              durability::on_disk);
        return gained;
    }
    // The order of an append, without step 6: the rows are in the file already. Always durable.
    if (next)
        detail::write_sidecar(target, *next, durability::on_disk);
    detail::grow_in_place(array, grown, {}, durability::on_disk);
    return gained;
}

NDKEEP_INLINE std::size_t complete_rows(const std::filesystem::path& file, const limits& limit) {
    return detail::rows_there(core::open_header(file, limit));
}

NDKEEP_INLINE std::size_t recover_rows(const std::filesystem::path& file, const std::filesystem::path& to,
                                       const recover_options& options) {
    const auto wanted = durability_of(options.sync);
    const auto if_read_only = read_only_files_of(options.run.replace_read_only);
    detail::check_other_file(file, to);
    auto array = core::open_header(file, options.limit);
    if (array.info.shape.empty())
        throw mismatch_error({.file = file, .field = "shape", .expected = "at least 1 dimension", .found = "()"});
    const std::size_t rows = detail::rows_there(array);
    array.info.shape[detail::growing_axis(array.info)] = rows;
    replacement next(to, if_read_only);
    detail::former_sidecar former(next.target(), if_read_only);
    progress_meter meter(options.run, {.phase = "recover", .bytes_total = array.info.nbytes(), .file = file});
    (void)detail::copy_array(array, array.info, next.content(), meter);
    meter.finish();
    former.disown(array.info, next.seal(wanted), wanted);
    next.commit(wanted);
    former.remove();
    return rows;
}

}  // namespace ndkeep
