// SPDX-License-Identifier: BSD-3-Clause
// NumPy's basic indexing as text: "[0, 100:110, ::2]".
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tool {

/// What is taken of one axis: every `step`-th index from `first` on.
struct axis_slice {
    std::uint64_t first = 0;
    std::int64_t step = 1;
    std::uint64_t count = 0;
    bool is_index = false;  ///< one integer: the axis is not there any more

    /// Unsigned arithmetic wraps, so that negative steps are right too.
    [[nodiscard]] std::uint64_t at(std::uint64_t i) const noexcept {
        return first + i * static_cast<std::uint64_t>(step);
    }
};

/// Whether a word of the command line is meant so: it begins with a bracket.
[[nodiscard]] inline bool is_slices(std::string_view word) { return word.starts_with('['); }

/// Integers, `start:stop:step` and one `...`, negative numbers as in Python; axes that are not named are taken whole.
/// @param file  named in errors
/// @throws usage_error             the text is no such thing
/// @throws ndkeep::mismatch_error  more axes than there are, or an integer beyond one
[[nodiscard]] std::vector<axis_slice> slices_of(std::string_view text, const std::vector<std::size_t>& shape,
                                                const std::filesystem::path& file);

/// All of an array.
[[nodiscard]] std::vector<axis_slice> whole(const std::vector<std::size_t>& shape);

/// The shape of what is taken.
[[nodiscard]] std::vector<std::size_t> shape_of(const std::vector<axis_slice>& slices);

}  // namespace tool
