// SPDX-License-Identifier: BSD-3-Clause
#include "between.hpp"

#include "output.hpp"
#include "subject.hpp"
#include "time_text.hpp"
#include "values.hpp"

#include <ndkeep/chunks/core/version.hpp>
#include <ndkeep/element/time_cast.hpp>
#include <ndkeep/format/statistics.hpp>

#include <charconv>
#include <optional>
#include <string_view>

namespace tool {

namespace {

namespace nk = ndkeep;

using key_number = nk::statistics::number;

/// The dtype of the keys.
[[nodiscard]] nk::dtype key_type_of(const stored_array& array) {
    const auto& order_by = array.chunks->state().order_by;
    if (!order_by)
        throw nk::mismatch_error({.file = array.file,
                                  .field = "order of the rows",
                                  .expected = "a field whose values ascend",
                                  .found = "unknown",
                                  .hint = "--between searches ordered rows, see order_by of save_chunked"});
    const auto* const field = array.info.type.find(*order_by);
    return field == nullptr ? array.info.type : field->type;
}

template <class Number>
[[nodiscard]] std::optional<Number> parsed(std::string_view text) {
    Number number{};
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    return problem == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

/// A number, rounded to the precision of the keys: 0.7 is a key of float32 that prints as 0.7.
[[nodiscard]] std::optional<key_number> number_bound(const nk::dtype& keys, std::string_view text) {
    if (keys.kind() != 'f') {
        if (const auto whole = parsed<std::int64_t>(text))
            return *whole;
        if (const auto count = parsed<std::uint64_t>(text))
            return *count;
    }
    const auto real = parsed<double>(text);
    if (!real || !(*real == *real))  // NaN is between no numbers
        return std::nullopt;
    double rounded = *real;
    with_part_type(keys, [&]<class T>(std::type_identity<T>) {
        if constexpr (std::is_convertible_v<T, float> && !std::is_integral_v<T> && sizeof(T) < sizeof(double))
            rounded = static_cast<double>(static_cast<float>(static_cast<T>(static_cast<float>(*real))));
    });
    return rounded;
}

/// A date in the unit of the keys, rounded up: the keys from it on are those from the result on.
/// @return nullopt if the text is no date, or if the keys have no such dates
[[nodiscard]] std::optional<key_number> date_bound(const nk::dtype& keys, std::string_view text) {
    constexpr std::size_t digits_of_year = 4;
    const bool is_year = text.size() == digits_of_year && parsed<std::uint64_t>(text);
    if (!is_year)
        if (const auto count = parsed<std::int64_t>(text))
            return *count == not_a_time ? std::nullopt : std::optional<key_number>(*count);
    // A month, because a lone year has no unit of its own.
    const std::string date = std::string(text) + (is_year ? "-01" : "");
    const auto unit = unit_of_date(date);
    if (!unit)
        return std::nullopt;
    if (const auto exact = date_count(keys, date))
        return *exact;
    const auto own = nk::dtype::time('M', std::string(*unit));
    const auto count = date_count(own, date);
    const auto cast = nk::core::time_cast::between(own, keys), back = nk::core::time_cast::between(keys, own);
    const auto down = count && cast ? (*cast)(*count) : std::nullopt;
    if (!down || !back)
        return std::nullopt;
    return (*back)(*down) == count ? *down : *down + 1;
}

[[nodiscard]] key_number bound_of(const stored_array& array, const nk::dtype& keys, const std::string& text) {
    const auto bound = keys.kind() == 'M'   ? date_bound(keys, text)
                       : keys.kind() == 'm' ? (parsed<std::int64_t>(text) ? number_bound(keys, text) : std::nullopt)
                                            : number_bound(keys, text);
    if (bound)
        return *bound;
    std::string expected = keys.kind() == 'M'   ? "a date as in 2024-05-01T09:30"
                           : keys.kind() == 'm' ? "a count of the unit of the keys"
                                                : "a number";
    if (keys.kind() == 'M' && unit_of_date(text))
        expected = "a date within the range of the keys";
    throw nk::mismatch_error({.file = array.file,
                              .field = "bound of --between",
                              .expected = std::move(expected),
                              .found = nk::quoted(text),
                              .hint = "the keys are of dtype " + dtype_name(keys)});
}

}  // namespace

std::pair<std::uint64_t, std::uint64_t> rows_between(const stored_array& array, const std::string& from,
                                                     const std::string& to) {
    if (array.chunks == nullptr)
        throw nk::mismatch_error({.file = array.file,
                                  .field = "format",
                                  .expected = "a chunked array for --between",
                                  .found = std::string(format_name(array_subject_of(array.file).kind))});
    const auto keys = key_type_of(array);
    const auto low = bound_of(array, keys, from), high = bound_of(array, keys, to);
    return array.chunks->rows_between(low, high);
}

}  // namespace tool
