// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/array/any.hpp>.
#pragma once

#include <ndkeep/array/any.hpp>

#include <algorithm>
#include <memory>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

NDKEEP_INLINE std::string cpp_name(const dtype& type) {
    const std::string bits = std::to_string(8 * type.size());
    switch (type.kind()) {
    case 'b':
        return "bool";
    case 'i':
        return "std::int" + bits + "_t";
    case 'u':
        return "std::uint" + bits + "_t";
    case 'f':
        return type.size() == 2   ? "ndkeep::float16"
               : type.size() == 4 ? "float"
               : type.size() == 8 ? "double"
                                  : "long double";
    case 'c':
        return type.size() == 8    ? "std::complex<float>"
               : type.size() == 16 ? "std::complex<double>"
                                   : "std::complex<long double>";
    case 'S':
        return "ndkeep::fixed_string<" + std::to_string(type.size()) + '>';
    case 'U':
        return "ndkeep::fixed_u32string<" + std::to_string(type.size() / 4) + '>';
    case 'V':
        return type.is_struct() ? "" : "ndkeep::fixed_bytes<" + std::to_string(type.size()) + '>';
    default:
        return "";
    }
}

}  // namespace detail

NDKEEP_INLINE any_array::any_array(const array_view& array) : any_array(array.type(), array.shape()) {
    array.in_order(false).fill(0, array.size(), bytes_.data());
}

NDKEEP_INLINE any_array::any_array(const any_array& other) : any_array(other.type_, other.shape_) {
    std::copy_n(other.bytes_.data(), bytes_.size(), bytes_.data());
}

NDKEEP_INLINE std::vector<std::ptrdiff_t> any_array::strides() const {
    return detail::strides_of(shape_, static_cast<std::size_t>(type_.size()), false);
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
    const auto name = detail::cpp_name(type_);
    return name.empty() ? "" : "as<" + name + '>';
}

namespace detail {

NDKEEP_INLINE any_array widened(const any_array& narrow) {
    any_array wide(dtype_of<float>(), narrow.shape());
    const conversion convert(narrow.type(), dtype_of<float16>());
    const buffer halves(narrow.bytes().size());
    convert.run(halves.data(), narrow.bytes().data(), narrow.size());
    const auto* const values = reinterpret_cast<const float16*>(halves.data());
    std::copy(values, values + narrow.size(), reinterpret_cast<float*>(wide.bytes().data()));
    return wide;
}

}  // namespace detail

}  // namespace ndkeep::inline NDKEEP_ABI
