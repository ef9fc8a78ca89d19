// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/loop/loop_buffer.hpp>.
#pragma once

#include <ndkeep/loop/loop_buffer.hpp>

#include <ndkeep/element/convert.hpp>
#include <ndkeep/element/strided.hpp>
#include <ndkeep/format/header.hpp>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

NDKEEP_INLINE std::vector<std::size_t> row_store::shape() const { return shape_of_rows(rows_, row_shape_); }

[[nodiscard]] NDKEEP_INLINE std::vector<std::size_t> row_shape_of(const array_view& rows) {
    return {rows.shape().begin() + 1, rows.shape().end()};
}

NDKEEP_INLINE void check_row_shape(const std::vector<std::size_t>& expected, const std::vector<std::size_t>& found) {
    if (found != expected)
        throw mismatch_error({.field = "shape of a row", .expected = shape_text(expected), .found = shape_text(found)});
}

NDKEEP_INLINE void row_store::check_alike(const array_view& first, const array_view& rows) {
    check_row_shape(row_shape_of(first), row_shape_of(rows));
}

NDKEEP_INLINE void row_store::check(const array_view& rows) const {
    if (rows.shape().empty())
        throw mismatch_error({.field = "shape", .expected = "at least 1 dimension", .found = "()"});
    if (!is_new_)
        check_row_shape(row_shape_, row_shape_of(rows));
    const conversion fits(rows.type(), type_);
}

NDKEEP_INLINE void row_store::add(const array_view& rows) {
    if (is_new_) {
        row_shape_ = row_shape_of(rows);
        row_bytes_ = product(row_shape_) * type_.size();
        is_new_ = false;
    }
    const conversion convert(rows.type(), type_);
    const array_view ordered = rows.in_order(order::row_major);
    const std::size_t row_elements = product(row_shape_);
    const auto item = static_cast<std::size_t>(type_.size());
    for (std::size_t done = 0; done < rows.shape()[0] && row_bytes_ != 0;) {
        block& into = room_for(rows.shape()[0] - done);
        const std::size_t some =
            std::min(rows.shape()[0] - done, (into.bytes.size() - into.used) / static_cast<std::size_t>(row_bytes_));
        std::byte* const out = into.bytes.data() + into.used;
        // Straight into the block if nothing has to be converted.
        if (convert.is_identity()) {
            ordered.fill(done * row_elements, some * row_elements, out);
        } else {
            const buffer raw(some * row_elements * static_cast<std::size_t>(rows.type().size()));
            ordered.fill(done * row_elements, some * row_elements, raw.data());
            convert.run(out, raw.data(), some * row_elements);
        }
        into.used += some * row_elements * item;
        done += some;
        rows_ += some;
    }
    // Rows of 0 bytes need no block, but they count.
    if (row_bytes_ == 0)
        rows_ += rows.shape()[0];
}

NDKEEP_INLINE void row_store::take(std::byte* out) {
    while (!blocks_.empty()) {
        out = std::copy_n(blocks_.front().bytes.data(), blocks_.front().used, out);
        blocks_.pop_front();
    }
    rows_ = 0;
}

NDKEEP_INLINE std::vector<std::span<const std::byte>> row_store::pieces() const {
    std::vector<std::span<const std::byte>> all;
    for (const block& each : blocks_)
        all.push_back(each.bytes.bytes().first(each.used));
    return all;
}

NDKEEP_INLINE void row_store::save(state_writer& out, const std::string& name) const {
    if (!is_new_)
        out.set_rows(name, {.type = type_, .shape = shape()}, pieces());
}

NDKEEP_INLINE void row_store::load(const state_reader& in, const std::string& name) {
    *this = row_store(type_);
    if (!in.contains(name))
        return;
    // Checked like rows of a caller: the program may have another T now, or the file may be damaged.
    const any_array kept = in.get_any(name);
    check(kept);
    add(kept);
}

NDKEEP_INLINE row_store::block& row_store::room_for(std::size_t rows) {
    constexpr std::size_t least = std::size_t{64} << 10;
    const auto row = static_cast<std::size_t>(row_bytes_);
    if (blocks_.empty() || blocks_.back().bytes.size() - blocks_.back().used < row)
        blocks_.push_back({buffer(std::max(rows * row, least / row * row)), 0});
    return blocks_.back();
}

}  // namespace detail

}  // namespace ndkeep
