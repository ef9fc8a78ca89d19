// SPDX-License-Identifier: BSD-3-Clause
#include "slices.hpp"

#include "arguments.hpp"

#include <ndkeep/error.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace tool {

namespace {

namespace nk = ndkeep;

/// One item between commas, as written.
struct slice_text {
    bool is_ellipsis = false;
    bool is_index = false;
    std::optional<std::int64_t> start = {}, stop = {}, step = {};
};

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
    throw usage_error("SLICES is " + nk::quoted(text) + ", expected the form '[0, 100:110, ::2]' (" + why + ')');
}

[[nodiscard]] std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
        text.remove_suffix(1);
    return text;
}

[[nodiscard]] std::optional<std::int64_t> read_number(std::string_view text, std::string_view whole_text) {
    text = trimmed(text);
    if (text.empty())
        return std::nullopt;
    std::string_view digits = text;
    if (digits.front() == '+')
        digits.remove_prefix(1);
    std::int64_t number = 0;
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (problem == std::errc::invalid_argument || end != digits.data() + digits.size() ||
        (digits.size() != text.size() && digits.starts_with("-")))
        refuse(whole_text, nk::quoted(text) + " is not an integer");
    if (problem == std::errc::result_out_of_range)
        // Python integers have no limit. As bounds of a slice, all values beyond 64 bits act like the extreme ones.
        return text.front() == '-' ? std::numeric_limits<std::int64_t>::min()
                                   : std::numeric_limits<std::int64_t>::max();
    return number;
}

[[nodiscard]] slice_text read_item(std::string_view item, std::string_view whole_text) {
    item = trimmed(item);
    if (item.empty())
        refuse(whole_text, "an item is empty");
    if (item == "...")
        return {.is_ellipsis = true};
    slice_text out;
    const std::size_t colon = item.find(':');
    if (colon == std::string_view::npos) {
        out.is_index = true;
        out.start = read_number(item, whole_text);
        return out;
    }
    const std::size_t second = std::min(item.find(':', colon + 1), item.size());
    out.start = read_number(item.substr(0, colon), whole_text);
    out.stop = read_number(item.substr(colon + 1, second - colon - 1), whole_text);
    if (second < item.size())
        out.step = read_number(item.substr(second + 1), whole_text);
    if (out.step == 0)
        refuse(whole_text, "a step is 0");
    return out;
}

[[nodiscard]] std::vector<slice_text> read_items(std::string_view text) {
    std::string_view inner = trimmed(text);
    if (inner.size() < 2 || inner.front() != '[' || inner.back() != ']')
        refuse(text, "a bracket is missing at the beginning or end");
    inner = trimmed(inner.substr(1, inner.size() - 2));
    if (inner.ends_with(','))  // a trailing comma, as in a Python tuple with one item
        inner.remove_suffix(1);
    std::vector<slice_text> items;
    for (std::size_t begin = 0; begin <= inner.size();) {
        const std::size_t comma = std::min(inner.find(',', begin), inner.size());
        items.push_back(read_item(inner.substr(begin, comma - begin), text));
        begin = comma + 1;
    }
    return items;
}

/// Resolves a slice as Python's slice.indices() does.
[[nodiscard]] axis_slice resolved(const slice_text& said, std::size_t extent) {
    const auto length = static_cast<std::int64_t>(extent);  // fits: headers and slices are limited to 63 bits
    axis_slice out;
    out.step = std::max(said.step.value_or(1), -std::numeric_limits<std::int64_t>::max());
    const bool backwards = out.step < 0;
    const std::int64_t lower = backwards ? -1 : 0, upper = backwards ? length - 1 : length;
    const auto bound = [&](const std::optional<std::int64_t>& given, std::int64_t otherwise) {
        if (!given)
            return otherwise;
        return *given < 0 ? (*given < -length ? lower : std::max(*given + length, lower)) : std::min(*given, upper);
    };
    const std::int64_t start = bound(said.start, backwards ? upper : lower);
    const std::int64_t stop = bound(said.stop, backwards ? lower : upper);
    const std::int64_t span = backwards ? start - stop : stop - start;
    const std::int64_t stride = backwards ? -out.step : out.step;
    if (span > 0) {
        out.first = static_cast<std::uint64_t>(start);
        out.count = static_cast<std::uint64_t>((span - 1) / stride + 1);
    }
    return out;
}

}  // namespace

std::vector<axis_slice> slices_of(std::string_view text, const std::vector<std::size_t>& shape,
                                  const std::filesystem::path& file) {
    auto items = read_items(text);
    const auto is_dots = [](const slice_text& item) { return item.is_ellipsis; };
    if (std::count_if(items.begin(), items.end(), is_dots) > 1)
        refuse(text, "'...' occurs more than once");
    auto dots = std::find_if(items.begin(), items.end(), is_dots);
    const std::size_t named = items.size() - (dots == items.end() ? 0 : 1);
    if (named > shape.size())
        throw nk::mismatch_error({.file = file,
                                  .field = "number of axes",
                                  .expected = "at least " + std::to_string(named),
                                  .found = std::to_string(shape.size()),
                                  .hint = "the shape is " + nk::shape_text(shape)});
    if (dots == items.end())
        dots = items.insert(items.end(), slice_text{});
    const auto at = dots - items.begin();
    items.erase(dots);
    items.insert(items.begin() + at, shape.size() - named, slice_text{});

    std::vector<axis_slice> out;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        const auto& item = items[axis];
        if (!item.is_index) {
            out.push_back(resolved(item, shape[axis]));
            continue;
        }
        const auto extent = static_cast<std::int64_t>(shape[axis]);
        const std::int64_t index = item.start.value_or(0);
        if (index >= extent || index < -extent)
            throw nk::mismatch_error({.file = file,
                                      .field = "index of axis " + std::to_string(axis),
                                      .expected = extent == 0
                                                      ? "a slice, because the axis has no elements"
                                                      : std::to_string(-extent) + " to " + std::to_string(extent - 1),
                                      .found = std::to_string(index),
                                      .hint = "the shape is " + nk::shape_text(shape)});
        out.push_back({static_cast<std::uint64_t>(index < 0 ? index + extent : index), 1, 1, true});
    }
    return out;
}

std::vector<axis_slice> whole(const std::vector<std::size_t>& shape) {
    std::vector<axis_slice> out;
    for (const std::size_t extent : shape)
        out.push_back({0, 1, extent, false});
    return out;
}

std::vector<std::size_t> shape_of(const std::vector<axis_slice>& slices) {
    std::vector<std::size_t> shape;
    for (const auto& axis : slices)
        if (!axis.is_index)
            shape.push_back(static_cast<std::size_t>(axis.count));
    return shape;
}

}  // namespace tool
