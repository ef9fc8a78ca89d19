// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: a line with a shape, then slices as on the command line of the tool. All selected indexes exist.
#include "tool/slices.hpp"
#include "fuzz/fuzz.hpp"
#include "tool/arguments.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <system_error>
#include <vector>

namespace {

using fuzz::demand;

/// Extents between spaces, as an npy header may have them: at most 63 bits together.
[[nodiscard]] std::vector<std::size_t> shape_in(std::string_view line) {
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    constexpr std::size_t most_axes = 64;
    std::vector<std::size_t> shape;
    std::uint64_t product = 1;
    while (!line.empty() && shape.size() < most_axes) {
        const auto word = line.substr(0, line.find(' '));
        line.remove_prefix(std::min(word.size() + 1, line.size()));
        std::uint64_t extent = 0;
        const auto problem = std::from_chars(word.data(), word.data() + word.size(), extent).ec;
        if (problem != std::errc() || (extent != 0 && product > most / extent))
            continue;
        product *= std::max<std::uint64_t>(extent, 1);
        shape.push_back(extent);
    }
    return shape;
}

void check(const std::vector<tool::axis_slice>& slices, const std::vector<std::size_t>& shape) {
    demand(slices.size() == shape.size());
    std::size_t kept = 0;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        const auto& slice = slices[axis];
        kept += slice.is_index ? 0 : 1;
        demand(slice.step != 0 && slice.count <= shape[axis] && (!slice.is_index || slice.count == 1));
        if (slice.count == 0)
            continue;
        const auto first = slice.at(0), last = slice.at(slice.count - 1);
        demand(first < shape[axis] && last < shape[axis]);
        demand(slice.count == 1 || (slice.step > 0 ? first < last : first > last));
    }
    demand(tool::shape_of(slices).size() == kept);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = fuzz::text_of(data, size);
    const auto end = std::min(input.find('\n'), input.size());
    const auto shape = shape_in(input.substr(0, end));
    try {
        check(tool::slices_of(input.substr(std::min(end + 1, input.size())), shape, "fuzz.npy"), shape);
    } catch (const ndkeep::error&) {
    } catch (const tool::usage_error&) {
    }
    return 0;
}
