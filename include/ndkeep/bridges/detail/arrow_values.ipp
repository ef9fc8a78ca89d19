// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/bridges/detail/arrow_values.hpp>, except for the import.
#pragma once

#include <ndkeep/bridges/detail/arrow_values.hpp>

#include <ndkeep/element/strided.hpp>
#include <ndkeep/error.hpp>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Throws if values that must not be read are null.
inline void check_nulls(const arrow_values& values) {
    // Every null of a struct is one of its children.
    if (values.null_count != 0 && !values.usable && values.children.empty())
        throw mismatch_error({.field = values.path.empty() ? "array" : "column " + quoted(values.path),
                              .expected = "no nulls",
                              .found = "an array with " + counted(values.null_count, "null"),
                              .hint = values.type.is_inexact() || values.type.is_time()
                                          ? "from_arrow with .nulls = arrow_nulls::missing"
                                          : "from_arrow with .nulls = arrow_nulls::ignored, and validity()"});
    for (const auto& child : values.children)
        check_nulls(child);
}

/// Elements of `values` for each element of `outer`.
[[nodiscard]] inline std::size_t count_in(const arrow_values& values, std::size_t rank_of_outer) {
    std::size_t count = 1;
    for (std::size_t axis = rank_of_outer; axis < values.shape.size(); ++axis)
        count *= values.shape[axis];
    return count;
}

/// Writes elements into structs.
/// @param rank   axes of the array around it, of which `count` elements are written: `first`, `first` + `every`, …
/// @param step   bytes from one struct to the next
inline void write_fields(const arrow_values& values, std::size_t rank, std::size_t first, std::size_t every,
                         std::size_t count, std::byte* out, std::size_t step) {
    const std::size_t inner = count_in(values, rank);
    const auto item = static_cast<std::size_t>(values.type.size());
    if (!values.type.is_struct()) {
        if (inner * item != 0 && count != 0)
            copy_run(out, static_cast<std::ptrdiff_t>(step), values.data + first * inner * item,
                     static_cast<std::ptrdiff_t>(every * inner * item), count, inner * item);
        return;
    }
    for (std::size_t i = 0; i < inner; ++i)
        for (std::size_t child = 0; child < values.children.size(); ++child)
            write_fields(values.children[child], values.shape.size(), first * inner + i, every * inner, count,
                         out + i * item + values.type.fields()[child].offset, step);
}

NDKEEP_INLINE any_foreign_array elements_of(const std::shared_ptr<const arrow_values>& values) {
    if (values->type.is_struct())
        throw mismatch_error({.field = "dtype",
                              .expected = "an array in place",
                              .found = "a struct array, whose fields are apart",
                              .hint = "child, or any_array(array).as"});
    check_nulls(*values);
    auto strides = strides_of(values->shape, static_cast<std::size_t>(values->type.size()), order::row_major);
    return {values->type, values->shape, std::move(strides), const_cast<std::byte*>(values->data), true, values->owner};
}

NDKEEP_INLINE array_view view_of(const std::shared_ptr<const arrow_values>& values) {
    if (!values->type.is_struct())
        return elements_of(values);
    check_nulls(*values);
    return {values->type, values->shape, [values](std::size_t first, std::size_t count, std::byte* out) {
                const auto step = static_cast<std::size_t>(values->type.size());
                for (std::size_t child = 0; child < values->children.size(); ++child)
                    write_fields(values->children[child], values->shape.size(), first, 1, count,
                                 out + values->type.fields()[child].offset, step);
            }};
}

}  // namespace ndkeep::inline NDKEEP_ABI::detail
