// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/array/reader.hpp>.
#pragma once

#include <ndkeep/array/reader.hpp>

#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/work/parallel.hpp>

#include <algorithm>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Bytes of one piece, which one thread reads at a time: 4 MiB.
inline constexpr std::size_t read_block = std::size_t{4} << 20;

NDKEEP_INLINE void element_reader::run(order wanted_order, const run_options& run, std::uint32_t* crc) {
    const auto count = static_cast<std::size_t>(info_.size());
    const std::size_t bytes = count * convert_.from_size();
    // An item of 0 bytes must not reach the divisions below.
    if (bytes == 0)
        return;
    const bool same_order = order_of(info_) == wanted_order || !has_order(info_);
    if (same_order)
        plan_flat(count);
    else
        plan_panels(wanted_order);
    sums_.assign(crc == nullptr ? 0 : pieces_.size(), 0);
    // A single piece that nobody watches needs neither a meter nor threads.
    if (pieces_.size() == 1 && !run.progress && run.stop == nullptr)
        read(0);
    else
        read_all(bytes, run);
    // Threads finish pieces in any order, but a CRC depends on it: the sums are combined in the order of the file.
    for (std::size_t i = 0; i < sums_.size(); ++i)
        *crc = crc32_combine(*crc, sums_[i], bytes_of(pieces_[i]));
}

NDKEEP_INLINE bool element_reader::has_order(const array_info& info) {
    return written_column_major({.type = info.type, .shape = info.shape, .column_major = true});
}

NDKEEP_INLINE void element_reader::read_all(std::size_t bytes, const run_options& run) {
    // Before the first store, as a page gets its size when it is first touched.
    prefer_huge_pages({out_, bytes / convert_.from_size() * convert_.to_size()});
    progress_meter meter(
        run, {.phase = "load", .items_total = pieces_.size(), .bytes_total = bytes, .file = source_.path()});
    parallel_for(pieces_.size(), meter, [&](std::size_t i) {
        read(i);
        meter.add(0, bytes_of(pieces_[i]));  // parallel_for counts the items
    });
    meter.finish();
}

NDKEEP_INLINE void element_reader::plan_flat(std::size_t count) {
    const std::size_t most = std::max<std::size_t>(1, read_block / convert_.from_size());
    for (std::size_t first = 0; first < count; first += most)
        pieces_.push_back({info_.data_offset + first * convert_.from_size(),
                           out_ + first * convert_.to_size(),
                           {std::min(most, count - first)},
                           {}});
}

NDKEEP_INLINE void element_reader::plan_panels(order wanted_order) {
    // The panels follow the file, which must be read in order. With its axes reversed, a column-major file is
    // row-major.
    auto strides = strides_of(info_.shape, convert_.to_size(), wanted_order);
    auto shape = info_.shape;
    if (info_.column_major) {
        std::reverse(shape.begin(), shape.end());
        std::reverse(strides.begin(), strides.end());
    }
    plan_axes(shape, strides, info_.data_offset, out_);
}

NDKEEP_INLINE void element_reader::plan_axes(const shape_type& shape, const strides_type& strides, std::uint64_t offset,
                                             std::byte* to) {
    const shape_type inner(shape.begin() + 1, shape.end());
    const std::size_t row = product(inner) * convert_.from_size();
    // A row that is longer than a block is cut along the next axis.
    if (row > read_block && shape.size() > 1) {
        const strides_type inner_strides(strides.begin() + 1, strides.end());
        for (std::size_t i = 0; i < shape[0]; ++i)
            plan_axes(inner, inner_strides, offset + i * row, to + static_cast<std::ptrdiff_t>(i) * strides[0]);
        return;
    }
    const std::size_t most = std::max<std::size_t>(1, read_block / row);
    for (std::size_t i = 0; i < shape[0]; i += most) {
        auto some = shape;
        some[0] = std::min(most, shape[0] - i);
        pieces_.push_back(
            {offset + i * row, to + static_cast<std::ptrdiff_t>(i) * strides[0], std::move(some), strides});
    }
}

NDKEEP_INLINE void element_reader::read_bytes(std::size_t number, std::size_t begin, std::span<std::byte> out) {
    source_.read(pieces_[number].offset + begin, out);
    if (!sums_.empty())
        sums_[number] = crc32(out, sums_[number]);
}

NDKEEP_INLINE void element_reader::read_in_place(std::size_t number, std::size_t count) {
    // 256 KiB at a time, so that the conversion finds the bytes in the cache.
    const std::size_t item = convert_.from_size();
    const std::size_t most = std::max<std::size_t>(1, (std::size_t{256} << 10) / item);
    for (std::size_t first = 0; first < count; first += most) {
        const std::size_t some = std::min(most, count - first);
        std::byte* const to = pieces_[number].to + first * item;
        read_bytes(number, first * item, {to, some * item});
        convert_.run(to, to, some);
    }
}

NDKEEP_INLINE void element_reader::read(std::size_t number) {
    const piece& part = pieces_[number];
    const std::size_t count = product(part.shape);
    const std::size_t from_bytes = count * convert_.from_size();
    // Neither order nor bytes change: straight to the destination, without a buffer.
    if (part.strides.empty() && convert_.is_identity())
        return read_bytes(number, 0, {part.to, from_bytes});
    if (part.strides.empty() && convert_.keeps_places())
        return read_in_place(number, count);
    const buffer raw(from_bytes);
    read_bytes(number, 0, raw.bytes());
    if (part.strides.empty()) {
        convert_.run(part.to, raw.data(), count);
        return;
    }
    // Converted before it is transposed: copy_strided moves elements, but does not change them.
    const std::byte* elements = raw.data();
    buffer converted;
    if (!convert_.is_identity()) {
        converted = buffer(count * convert_.to_size());
        convert_.run(converted.data(), raw.data(), count);
        elements = converted.data();
    }
    copy_strided(part.to, part.strides, elements, strides_of(part.shape, convert_.to_size(), order::row_major),
                 part.shape, convert_.to_size());
}

NDKEEP_INLINE std::string load_hint(std::string_view verb, const dtype& found) {
    const auto name = found.cpp_name();
    return (name.empty() ? "" : std::string(verb) + '<' + name + "> or ") + std::string(verb) + "_any";
}

NDKEEP_INLINE any_array read_any(const byte_source& source, const array_info& info, const run_options& run,
                                 std::uint32_t* crc) {
    auto array = allocated_for(source.path(), info.nbytes(), [&] { return any_array(info.type, info.shape); });
    const conversion convert(info.type);
    element_reader(source, info, convert, array.bytes().data()).run(order::row_major, run, crc);
    return array;
}

}  // namespace detail

}  // namespace ndkeep
