// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/array/view.hpp>.
#pragma once

#include <ndkeep/array/view.hpp>

#include <algorithm>
#include <cstring>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {}

NDKEEP_INLINE array_view::array_view(dtype type, std::vector<std::size_t> shape, const std::byte* data,
                                     std::vector<std::ptrdiff_t> strides)
    : type_(std::move(type)), shape_(std::move(shape)) {
    look_at_bytes(data, std::move(strides));
    set_order(preferred_);
}

NDKEEP_INLINE array_view array_view::in_order(order wanted) const {
    array_view other = *this;
    other.set_order(wanted);
    return other;
}

NDKEEP_INLINE array_view array_view::kept_by(std::shared_ptr<const void> owner) const {
    array_view other = *this;
    other.owner_ = std::move(owner);
    return other;
}

NDKEEP_INLINE void array_view::fill(std::size_t first, std::size_t count, std::byte* out) const {
    // Without bytes, the pointers may be null, which memcpy does not allow.
    if (count == 0 || item() == 0)
        return;
    if (contiguous_ != nullptr)
        std::memcpy(out, contiguous_ + first * item(), count * item());
    else if (blocks_)
        blocks_(first, count, out, order_);
    else if (order_ == order::row_major)
        detail::gather(out, first, count, data_, strides_, shape_, item());
    else
        fill_column_major(first, count, out);
    padding_.clear(out, count);
}

NDKEEP_INLINE void array_view::fill_column_major(std::size_t first, std::size_t count, std::byte* out) const {
    // Column-major order is the row-major order of the reversed axes.
    auto shape = shape_;
    auto strides = strides_;
    std::reverse(shape.begin(), shape.end());
    std::reverse(strides.begin(), strides.end());
    detail::gather(out, first, count, data_, strides, shape, item());
}

NDKEEP_INLINE void array_view::look_at_bytes(const std::byte* data, detail::strides_type strides) {
    data_ = data;
    strides_ = std::move(strides);
    // np.save writes an array that is contiguous in both orders, such as a vector, row-major.
    if (!detail::is_contiguous(shape_, strides_, item(), order::row_major) &&
        detail::is_contiguous(shape_, strides_, item(), order::column_major))
        preferred_ = order::column_major;
}

NDKEEP_INLINE void array_view::set_order(order wanted) {
    order_ = wanted;
    // A struct with padding is never written straight from its memory, because its padding must become zeros.
    const bool lies_so = !blocks_ && padding_.empty() && detail::is_contiguous(shape_, strides_, item(), wanted);
    contiguous_ = lies_so ? data_ : nullptr;
}

namespace detail {

NDKEEP_INLINE void store_adapted(const array_view& from, const dtype& wanted, order stored,
                                 const std::filesystem::path& file, std::byte* out) {
    if (from.type() != wanted)
        throw mismatched(file, "dtype of the assigned array", ndkeep::quoted(wanted.str()),
                         ndkeep::quoted(from.type().str()));
    from.in_order(stored).fill(0, from.size(), out);
}

}  // namespace detail

}  // namespace ndkeep
