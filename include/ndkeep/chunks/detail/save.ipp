// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/save.hpp>.
#pragma once

#include <ndkeep/chunks/save.hpp>

#include <ndkeep/chunks/detail/order.hpp>
#include <ndkeep/chunks/detail/row_form.hpp>
#include <ndkeep/chunks/detail/session.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/store/commit.hpp>
#include <ndkeep/store/log.hpp>
#include <ndkeep/store/place.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/store/upkeep.hpp>

#include <system_error>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Refuses an array that cannot become a dataset with these options, before a dataset is created for it.
/// @throws mismatch_error
NDKEEP_INLINE void check_savable(const array_view& array, const save_chunked_options& options,
                                 const std::filesystem::path& called) {
    if (array.shape().empty())
        throw mismatched(called, "shape", "at least 1 dimension", shape_text(array.shape()));
    if (options.commit.keep == 0)
        throw mismatched(called, "keep", "at least 1", "0");
    (void)kept_metadata(options.meta, called);
    const auto state =
        state_for_rows(array.type(), {array.shape().begin() + 1, array.shape().end()},
                       {.rows_per_chunk = options.order_by.first() ? options.rows_per_chunk : chunk_size(),
                        .sum = options.sum,
                        .order_by = options.order_by},
                       called);
    // Elements that are computed on demand are computed once only, and checked when they are written.
    if (state.order_by && array.contiguous() != nullptr)
        row_order(state, called).check_sorted({array.contiguous(), array.nbytes()}, array.shape()[0]);
}

}  // namespace detail

NDKEEP_INLINE void save_chunked(const dataset_location& where, const array_view& array,
                                const save_chunked_options& options) {
    const auto path = where.path();
    const auto refuse = [&](const char* field, std::string expected, std::string found, std::string hint = {}) {
        throw detail::mismatched(path, field, std::move(expected), std::move(found), std::move(hint));
    };
    detail::check_savable(array, options, path);
    const std::vector<std::size_t> row_shape(array.shape().begin() + 1, array.shape().end());
    // The session would compare `.order_by` with that of the existing dataset; start_anew sets it below.
    detail::chunk_session session(where, {.rows_per_chunk = options.rows_per_chunk,
                                          .sum = options.sum,
                                          .order_by = std::nullopt,
                                          .commit = options.commit,
                                          .run = options.run});
    auto order_by = options.order_by;
    if (!session.is_new()) {
        const auto& there = session.state();
        const char* const hint = ".replace_type = true replaces it";
        if (there.type != array.type() && !options.replace_type)
            refuse("dtype", there.type.descr(), array.type().descr(), hint);
        if (there.row_shape != row_shape && !options.replace_type)
            refuse("shape of a row", shape_text(there.row_shape), shape_text(row_shape), hint);
        if (!order_by.first() && there.order_by && !options.replace_type)
            order_by = order_fields(*there.order_by, there.then_by);
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

/// Rejects a place without commits, before anything is created in it.
/// @throws io_error  nothing is committed
NDKEEP_INLINE void check_committed(const dataset_location& where) {
    const auto there = where.open(local_place::access::read);
    if (commit_log(*there).numbers().empty())
        throw nothing_committed(there->path());
}
/// @throws io_error  the array was removed
NDKEEP_INLINE void check_present(const chunk_session& session, const dataset_location& where) {
    if (session.is_new())
        throw nothing_committed(where.path());
}

}  // namespace detail

NDKEEP_INLINE void describe_chunked(const dataset_location& where, const describe_chunked_options& options) {
    detail::check_committed(where);
    // With one row per chunk, every chunk is full: the commit merges nothing and writes only a record.
    detail::chunk_session session(where, {.rows_per_chunk = 1, .commit = options.commit, .run = options.run});
    detail::check_present(session, where);
    if (!options.meta.is_null())
        session.set_metadata(options.meta);
    (void)session.commit();
}

NDKEEP_INLINE void compact_chunked(const dataset_location& where, const compact_options& options) {
    detail::check_committed(where);
    detail::chunk_session session(
        where, {.rows_per_chunk = options.rows_per_chunk, .commit = options.commit, .run = options.run});
    detail::check_present(session, where);
    progress_meter meter(options.run, {.phase = "compact", .items_total = session.rows(), .file = where.path()});
    session.compact(meter);
    meter.finish();
    (void)session.commit();
}

NDKEEP_INLINE std::size_t prune_chunked(const dataset_location& where, const prune_options& options) {
    if (options.keep == 0)
        throw mismatch_error({.file = where.path(), .field = "keep", .expected = "at least 1", .found = "0"});
    detail::check_committed(where);
    const auto opened = where.open(local_place::access::write);
    detail::commit_log log(*opened);
    const auto removed = detail::prune(log, options.keep);
    detail::sweep_abandoned(*opened);
    return removed;
}

NDKEEP_INLINE std::vector<std::uint64_t> damaged_commits(const dataset_location& where) {
    const auto opened = where.open(local_place::access::read);
    detail::commit_log log(*opened);
    std::vector<std::uint64_t> damaged;
    for (std::uint64_t number = log.newest_number().value_or(0); number > 0; --number) {
        try {
            if (!log.read(number))
                break;  // pruned, and so are all older ones
            return damaged;
        } catch (const checksum_error&) {
            damaged.push_back(number);
        }
    }
    throw io_error(opened->path(), "no commit can be read", std::make_error_code(std::errc::no_such_file_or_directory));
}

NDKEEP_INLINE std::vector<std::uint64_t> recover_chunked(const dataset_location& where) {
    detail::check_committed(where);
    const auto opened = where.open(local_place::access::write);
    detail::commit_log log(*opened);
    return detail::recover(log);
}

}  // namespace ndkeep
