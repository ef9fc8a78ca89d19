// SPDX-License-Identifier: BSD-3-Clause
// Parses NumPy's basic indexing: "[0, 100:110, ::2]".
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tool {

/// The selection along one axis: every `step`-th index, starting at `first`.
struct axis_slice {
    std::uint64_t first = 0;
    std::int64_t step = 1;
    std::uint64_t count = 0;
    bool is_index = false;  ///< a single integer: the axis is removed from the result

    /// The index of the selected item. Unsigned arithmetic wraps, so negative steps are correct too.
    [[nodiscard]] std::uint64_t at(std::uint64_t i) const noexcept {
        return first + i * static_cast<std::uint64_t>(step);
    }
};

/// Whether a word of the command line holds slices: it begins with a bracket.
[[nodiscard]] inline bool is_slices(std::string_view word) { return word.starts_with('['); }

/// Parses integers, `start:stop:step` and at most one `...`; negative numbers count from the end, as in Python. Axes
/// without an item are selected completely.
/// @param file  display path for errors
/// @throws usage_error             the text is not valid indexing
/// @throws ndkeep::mismatch_error  more items than axes, or an index out of range
[[nodiscard]] std::vector<axis_slice> slices_of(std::string_view text, const std::vector<std::size_t>& shape,
                                                const std::filesystem::path& file);

/// Slices that select the complete array.
[[nodiscard]] std::vector<axis_slice> whole(const std::vector<std::size_t>& shape);

/// The shape of the selection.
[[nodiscard]] std::vector<std::size_t> shape_of(const std::vector<axis_slice>& slices);

}  // namespace tool
