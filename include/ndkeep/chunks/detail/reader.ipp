// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/reader.hpp>.
#pragma once

#include <ndkeep/chunks/reader.hpp>

#include <algorithm>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

NDKEEP_INLINE std::string chunked_hint(std::string_view verb, const dtype& found) {
    const auto name = found.cpp_name();
    return (name.empty() ? "" : std::string(verb) + '<' + name + "> or ") + "load_chunked_any";
}

NDKEEP_INLINE row_range rows_between(const core::chunk_version& in, const key_bound& low, const key_bound& high) {
    const auto keys = key_type(in.state());
    const auto [first, last] = in.rows_between(low.in(keys, in.called()), high.in(keys, in.called()));
    return {first, last};
}

NDKEEP_INLINE std::pair<std::size_t, std::size_t> chunks_of_rank(const core::chunk_version& in, std::uint64_t rank,
                                                                 std::uint64_t size) {
    // More processes than this would overflow the product below.
    constexpr std::uint64_t most = std::uint64_t{1} << 32;
    if (size == 0 || size > most)
        throw mismatched(in.called(), "number of processes", "1 to " + std::to_string(most), std::to_string(size));
    if (rank >= size)
        throw mismatched(in.called(), "rank", "below " + std::to_string(size), std::to_string(rank));
    // A chunk belongs to the process whose share of the rows its middle row is in.
    const std::size_t chunks = in.entries().size();
    const auto first_of = [&](std::uint64_t of) {
        const std::uint64_t rows = in.state().rows;
        const std::uint64_t share = rows / size * of + rows % size * of / size;
        std::size_t chunk = 0;
        for (std::size_t end = chunks; chunk < end;) {
            const std::size_t middle = chunk + (end - chunk) / 2;
            if (in.first_row(middle) + in.entries()[middle].rows / 2 < share)
                chunk = middle + 1;
            else
                end = middle;
        }
        return chunk;
    };
    return {first_of(rank), rank + 1 == size ? chunks : first_of(rank + 1)};
}

NDKEEP_INLINE void read_all_rows(const core::chunk_version& in, const dtype& wanted, order wanted_order,
                                 std::byte* out) {
    const conversion convert(in.state().type, wanted, in.called());
    const std::size_t item = convert.to_size();
    const auto shape = in.shape();
    const auto places = strides_of(shape, item, wanted_order);
    if (is_contiguous(shape, places, item, order::row_major)) {
        in.read(0, in.state().rows, convert, out);
        return;
    }
    // Chunks have rows that are contiguous: those that are fetched together are read to one buffer, and transposed.
    for (std::size_t i = 0; i < in.entries().size();) {
        const std::size_t last = std::min(in.entries().size(), i + in.ahead(i));
        const std::uint64_t first_row = in.first_row(i);
        const std::uint64_t last_row = last == in.entries().size() ? in.state().rows : in.first_row(last);
        const auto part = shape_of_rows(last_row - first_row, in.state().row_shape);
        const buffer rows(product(part) * item);
        in.read(first_row, last_row, convert, rows.data());
        copy_strided(out + static_cast<std::ptrdiff_t>(first_row) * places[0], places, rows.data(),
                     strides_of(part, item, order::row_major), part, item);
        i = last;
    }
}

NDKEEP_INLINE std::optional<statistics::number> key_of_field(const core::chunk_version& in, const key_bound& time) {
    const bool is_by_field = in.state().order_by && !in.state().order_by->empty();
    if (const auto keys = key_type(in.state()); is_by_field && keys.is_time())
        return time.in(keys, in.called());
    return std::nullopt;
}

}  // namespace detail

NDKEEP_INLINE any_array load_chunked_any(const dataset_location& where, const chunk_reader_options& options) {
    const detail::chunk_version from(where, options);
    from.check_room(from.state().rows);
    auto all = core::allocated_for(from.called(), from.info().nbytes(),
                                   [&] { return any_array(from.state().type, from.shape()); });
    from.read(0, from.state().rows, conversion(from.state().type), all.bytes().data());
    return all;
}

}  // namespace ndkeep
