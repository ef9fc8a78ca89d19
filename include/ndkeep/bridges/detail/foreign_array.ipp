// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/bridges/foreign_array.hpp>.
#pragma once

#include <ndkeep/bridges/foreign_array.hpp>

#include <cstdint>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE void any_foreign_array::check(const dtype& wanted, std::size_t alignment, bool stores,
                                            std::string_view verb) const {
    const auto name = type_.cpp_name();
    const conversion to_elements(type_, wanted, {}, name.empty() ? "" : std::string(verb) + '<' + name + '>');
    if (!to_elements.is_identity())
        throw mismatch_error({.field = "dtype",
                              .expected = wanted.is_struct() ? wanted.descr() : quoted(wanted.str()),
                              .found = type_.is_struct() ? type_.descr() : quoted(type_.str()),
                              .hint = "any_array(array).as converts a copy"});
    if (stores && read_only_)
        throw mismatch_error({.field = "array",
                              .expected = "writable",
                              .found = "read-only",
                              .hint = std::string(verb) + " without read_write"});
    if (size() == 0)
        return;
    const auto item = static_cast<std::ptrdiff_t>(type_.size());
    bool aligned = reinterpret_cast<std::uintptr_t>(data_) % alignment == 0;
    for (std::size_t axis = 0; axis < shape_.size(); ++axis)
        aligned = aligned && (shape_[axis] == 1 || strides_[axis] % item == 0);
    if (!aligned)
        throw mismatch_error({.field = "memory",
                              .expected = "aligned to " + counted(alignment, "byte"),
                              .found = "not aligned",
                              .hint = "any_array(array).as copies"});
}

}  // namespace ndkeep
