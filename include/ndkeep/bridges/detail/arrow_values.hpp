// SPDX-License-Identifier: BSD-3-Clause
// The values of an imported Arrow array: where they are, and which are null.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/bridges/detail/arrow_structs.hpp>
#include <ndkeep/bridges/foreign_array.hpp>
#include <ndkeep/format/dtype.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// What `from_arrow` makes of nulls.
enum class arrow_nulls {
    refused,  ///< an array with nulls has a validity, but no values: using them is an error
    missing,  ///< NaN and NaT, in a copy; other dtypes as with `refused`
    ignored   ///< the values that happen to be there; the caller reads the validity
};

namespace detail {

struct arrow_values {
    std::string name;
    std::string path = {};  // with the names of outer structs, for errors
    dtype type = {};
    std::vector<std::size_t> shape = {};
    const std::byte* data = nullptr;         // contiguous, in row-major order; nullptr for structs
    std::shared_ptr<const void> owner = {};  // keeps `data`
    std::vector<std::uint8_t> valid = {};    // 0 or 1 for each element; empty if none is null
    std::size_t null_count = 0;
    bool usable = true;                       // whether the values of nulls may be read
    std::vector<arrow_values> children = {};  // of structs, each with the shape of its fields behind `shape`
};

/// Checks and refers to an array.
/// @param owner  keeps the buffers
[[nodiscard]] arrow_values import_arrow(const ArrowSchema& schema, const ArrowArray& array, arrow_nulls nulls,
                                        const std::shared_ptr<const void>& owner);

/// The elements of an array of any type but struct.
[[nodiscard]] any_foreign_array elements_of(const std::shared_ptr<const arrow_values>& values);

/// A view of any array.
[[nodiscard]] array_view view_of(const std::shared_ptr<const arrow_values>& values);

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/bridges/detail/arrow_import.ipp>
#include <ndkeep/bridges/detail/arrow_values.ipp>
#endif
