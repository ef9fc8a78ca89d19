// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/verify.hpp>.
#pragma once

#include <ndkeep/chunks/verify.hpp>

#include <ndkeep/chunks/core/version.hpp>
#include <ndkeep/chunks/detail/file.hpp>
#include <ndkeep/chunks/detail/keys.hpp>
#include <ndkeep/chunks/detail/ordered/codes.hpp>
#include <ndkeep/element/strided.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/store/layout.hpp>
#include <ndkeep/store/log.hpp>
#include <ndkeep/work/parallel.hpp>

#include <algorithm>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Looks for a row of a chunk whose key is less than that of the row before, if the rows are ordered.
struct order_check {
    order_check(const core::chunk_version& from, std::size_t chunk) : state(from.state()), row(from.first_row(chunk)) {
        // Of the chunk before, the greatest key is known. If a second field orders the rows, it is not.
        const auto& max = chunk > 0 ? from.entries()[chunk - 1].max : std::nullopt;
        if (state.order_by && max)
            before = {code_of(*max, number_form(key_type(state))), 0};
    }
    void add(std::span<const std::byte> bytes, std::size_t rows) {
        if (state.order_by)
            codes_of(state, bytes, rows, codes);
        for (std::size_t i = 0; i < codes.size() && !wrong_row; ++i) {
            const std::pair<key_code, key_code> key(codes.first[i], codes.second.empty() ? 0 : codes.second[i]);
            if (before && key < *before)
                wrong_row = row + i;
            before = key;
        }
        row += rows;
    }

    const chunk_state& state;
    std::uint64_t row;
    std::optional<std::pair<key_code, key_code>> before = std::nullopt;
    std::optional<std::uint64_t> wrong_row = std::nullopt;
    row_codes codes = {};
};

/// Reads a chunk file completely, and compares header, length, checksum, minimum and maximum with its entry.
/// @throws format_error    the file is missing, or its header or length is wrong
/// @throws checksum_error  the rows do not have the checksum, minimum or maximum of the entry
NDKEEP_INLINE void check_chunk(const chunk_version& from, std::size_t i) {
    const auto& entry = from.entries()[i];
    if (entry.file.empty())
        return;
    const auto& state = from.state();
    const auto called = from.where().called(chunk_path(entry.file));
    const auto source = from.open(entry);
    std::vector<std::byte> header(static_cast<std::size_t>(entry.offset));
    source.read(0, header);
    const auto info = parse_header({header.data(), header.size()}, called);
    const auto refuse = [&](const char* field, std::string expected, std::string found) {
        throw malformed(called, field, std::move(expected), std::move(found),
                        "the file is not the one that was written");
    };
    if (info.type.stored() != state.type.stored())
        refuse("dtype", state.type.descr(), info.type.descr());
    const auto shape = shape_of_rows(entry.rows, state.row_shape);
    if (info.shape != shape)
        refuse("shape", shape_text(shape), shape_text(info.shape));
    if (info.data_offset != entry.offset)
        refuse("data offset", std::to_string(entry.offset), std::to_string(info.data_offset));
    // For some shapes both orders are the same, and the header may name either.
    if (info.column_major && written_column_major(info))
        refuse("order", "row-major", "column-major");

    // Blocks bound the memory of each thread, however large the chunks are. Over a network, each is a round trip.
    const std::uint64_t block_bytes = std::uint64_t{1} << (from.where().is_distant() ? 24 : 20);
    running_checksums sums(state.sum);
    const std::uint64_t row_bytes = state.row_bytes();
    const std::uint64_t most = std::max<std::uint64_t>(1, block_bytes / row_bytes);
    std::optional<statistics::number> min, max;
    std::vector<std::byte> block;
    order_check order(from, i);
    for (std::uint64_t row = 0; row < entry.rows; row += most) {
        const std::uint64_t some = std::min(most, entry.rows - row);
        block.resize(static_cast<std::size_t>(some * row_bytes));
        source.read(entry.offset + row * row_bytes, block);
        sums.update({block.data(), block.size()});
        order.add(block, static_cast<std::size_t>(some));
        extend_range(keys_of(state, block.data(), static_cast<std::size_t>(some)), min, max);
    }
    if (state.sum != checksum::none)
        from.check_sum(entry, from.first_row(i), sums.values().begin()->second);
    // After the checksum, because damaged rows are out of order too.
    if (order.wrong_row)
        refuse("order of the rows", "ascending keys",
               "row " + std::to_string(*order.wrong_row) + " with a lesser key than the row before");
    const auto text = [](const std::optional<statistics::number>& number) {
        return number ? number_text(*number) : std::string("none");
    };
    // Other writers may leave both out: then they are unknown.
    const auto differ = [](const auto& found, const auto& stored) {
        return stored && (!found || less(*found, *stored) || less(*stored, *found));
    };
    if (differ(min, entry.min) || differ(max, entry.max))
        throw checksum_error({.file = called,
                              .field = "range of the keys",
                              .expected = text(entry.min) + " to " + text(entry.max),
                              .found = text(min) + " to " + text(max),
                              .hint = "the data is not what was described"});
}

}  // namespace detail

NDKEEP_INLINE chunked_info inspect_chunked(const dataset_location& where, const chunk_reader_options& options) {
    const core::chunk_version from(where, options);
    const auto& state = from.state();
    return {.type = state.type,
            .shape = from.shape(),
            .commit = state.number,
            .commits = detail::commit_log(from.where()).numbers().size(),
            .order_by = state.order_by,
            .then_by = state.then_by,
            .sum = state.sum,
            .chunks = from.entries(),
            .metadata = state.metadata};
}

NDKEEP_INLINE std::vector<finding> findings_chunked(const dataset_location& where,
                                                    const verify_chunked_options& options) {
    std::vector<finding> all;
    std::optional<core::chunk_version> from;
    if (!detail::passes(all, [&] { from.emplace(where, chunk_reader_options{.at_commit = options.at_commit}); }))
        return all;
    const auto& entries = from->entries();
    // One list per chunk: threads share none, and the findings are in the order of the chunks.
    std::vector<std::vector<finding>> found(entries.size());
    progress totals{.phase = "verify", .items_total = entries.size(), .file = where.path()};
    for (const auto& entry : entries)
        totals.bytes_total += entry.nbytes;
    progress_meter meter(options.run, totals);
    parallel_for(entries.size(), meter, [&](std::size_t i) {
        (void)detail::passes(found[i], [&] { detail::check_chunk(*from, i); });
        meter.add(0, entries[i].nbytes);
    });
    meter.finish();
    for (const auto& some : found)
        all.insert(all.end(), some.begin(), some.end());
    return all;
}

NDKEEP_INLINE void verify_chunked(const dataset_location& where, const verify_chunked_options& options) {
    detail::throw_first(findings_chunked(where, options));
}

}  // namespace ndkeep
