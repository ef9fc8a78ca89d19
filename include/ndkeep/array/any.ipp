// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/array/any.hpp>.
#pragma once

#include <ndkeep/array/any.hpp>

#include <ndkeep/element/dispatch.hpp>
#include <ndkeep/os/mapping.hpp>

#include <algorithm>
#include <memory>
#include <type_traits>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE any_array::any_array(const array_view& array) : any_array(array.type(), array.shape()) {
    prefer_huge_pages(bytes_.bytes());
    array.in_order(order::row_major).fill(0, array.size(), bytes_.data());
}

NDKEEP_INLINE any_array::any_array(const any_array& other) : any_array(other.type_, other.shape_) {
    prefer_huge_pages(bytes_.bytes());
    std::copy_n(other.bytes_.data(), bytes_.size(), bytes_.data());
}

NDKEEP_INLINE std::vector<std::ptrdiff_t> any_array::strides() const {
    return detail::strides_of(shape_, static_cast<std::size_t>(type_.size()), order::row_major);
}

NDKEEP_INLINE any_array any_array::field(std::string_view name) const {
    const auto* const wanted = type_.find(name);
    if (wanted == nullptr)
        throw mismatch_error(
            {.field = "field " + ndkeep::quoted(name), .expected = "one of " + type_.descr(), .found = "missing"});
    auto shape = shape_;
    for (const std::size_t extent : wanted->shape)
        shape.push_back(extent);
    any_array column(wanted->type, shape);
    if (column.bytes_.size() != 0)
        detail::copy_run(column.bytes_.data(), static_cast<std::ptrdiff_t>(wanted->nbytes()),
                         bytes_.data() + wanted->offset, static_cast<std::ptrdiff_t>(type_.size()), size(),
                         static_cast<std::size_t>(wanted->nbytes()));
    return column;
}

NDKEEP_INLINE any_array::operator array_view() && {  // NOLINT: implicit
    const auto kept = std::make_shared<const any_array>(std::move(*this));
    return array_view(*kept).kept_by(kept);
}

NDKEEP_INLINE std::string any_array::hint() const {
    const auto name = type_.cpp_name();
    return name.empty() ? "" : "as<" + name + '>';
}

namespace detail {

NDKEEP_INLINE void refuse_shape(const std::vector<std::size_t>& shape, const std::filesystem::path& file,
                                std::string_view verb, std::string expected) {
    throw mismatch_error({.file = file,
                          .field = "shape",
                          .expected = std::move(expected),
                          .found = shape_text(shape),
                          .hint = std::string(verb) + "<T, " + std::to_string(shape.size()) + '>'});
}

NDKEEP_INLINE void convert_elements(const any_array& from, const conversion& convert, order wanted, std::byte* out) {
    const auto& shape = from.shape();
    const std::size_t item = convert.to_size();
    const auto rows = strides_of(shape, item, order::row_major);
    if (is_contiguous(shape, rows, item, wanted)) {
        convert.run(out, from.bytes().data(), from.size());
        return;
    }
    const auto places = strides_of(shape, item, wanted);
    if (convert.is_identity()) {
        copy_strided(out, places, from.bytes().data(), rows, shape, item);
        return;
    }
    const buffer converted(from.size() * item);
    convert.run(converted.data(), from.bytes().data(), from.size());
    copy_strided(out, places, converted.data(), rows, shape, item);
}

NDKEEP_INLINE any_array widened(const any_array& narrow) {
    any_array wide(dtype_of<float>(), narrow.shape());
    (void)with_element_type(narrow.type(), [&]<class Narrow>(std::type_identity<Narrow>) {
        if constexpr (std::is_convertible_v<Narrow, float> && sizeof(Narrow) < sizeof(float)) {
            // Two steps: a number reads its bits in native byte order only.
            const conversion convert(narrow.type(), narrow.type().native());
            const buffer numbers(narrow.bytes().size());
            convert.run(numbers.data(), narrow.bytes().data(), narrow.size());
            const auto* const values = reinterpret_cast<const Narrow*>(numbers.data());
            std::copy(values, values + narrow.size(), reinterpret_cast<float*>(wide.bytes().data()));
        }
    });
    return wide;
}

}  // namespace detail

}  // namespace ndkeep
