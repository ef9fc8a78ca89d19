// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/operators/detail/segments/reducer.hpp>.
#pragma once

#include <ndkeep/operators/detail/segments/reducer.hpp>

#include <ndkeep/element/dispatch.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/sidecar.hpp>

#include <array>
#include <complex>
#include <cstdint>
#include <limits>
#include <sstream>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE const char* word_of(reduction kind) {
    static constexpr std::array<const char*, 11> words = {"first", "last", "min",      "max",      "sum",   "rows",
                                                          "count", "mean", "variance", "quantile", "reduce"};
    return words[static_cast<std::size_t>(kind)];
}

NDKEEP_INLINE const std::string& field_name_at(const dtype& row, std::size_t offset) {
    for (const auto& field : row.fields())
        if (field.offset == offset && !field.type.is_struct())
            return field.name;
    throw mismatch_error({.field = "member at byte " + std::to_string(offset),
                          .expected = "a field of " + row.descr(),
                          .found = "none",
                          .hint = "list it in NDKEEP_FIELDS"});
}

NDKEEP_INLINE reducer reducer_of(reduction kind, const dtype& row, std::size_t offset, const dtype& type,
                                 std::string name, double parameter) {
    reducer made{.kind = kind,
                 .type = type,
                 .offset = offset,
                 .field = field_name_at(row, offset),
                 .output = std::move(name),
                 .parameter = parameter};
    const bool is_real = type.is_number() && !type.is_complex();
    const bool is_any =
        kind == reduction::first || kind == reduction::last || kind == reduction::count || kind == reduction::own;
    const bool is_ordered = kind == reduction::min || kind == reduction::max;
    if (!is_any && !is_real && !(is_ordered && type.is_time()))
        throw mismatch_error({.field = std::string(word_of(kind)) + " of " + ndkeep::quoted(made.field),
                              .expected = is_ordered ? "real numbers, dates or durations" : "real numbers",
                              .found = ndkeep::quoted(type.str())});
    if (kind == reduction::quantile && !(parameter >= 0 && parameter <= 1))
        throw mismatch_error({.field = "quantile of " + ndkeep::quoted(made.field),
                              .expected = "from 0 to 1",
                              .found = number_text(parameter)});
    if (made.output.empty()) {
        made.output = made.field + '_' + word_of(kind);
        if (kind == reduction::quantile) {
            std::ostringstream number;
            number.imbue(std::locale::classic());
            number << parameter;
            made.output += '_' + number.str();
        }
    }
    return made;
}

NDKEEP_INLINE dtype result_of(const reducer& of) {
    switch (of.kind) {
    case reduction::first:
    case reduction::last:
    case reduction::min:
    case reduction::max:
        return of.type;
    case reduction::sum:
        if (of.type.is_floating_point())
            return dtype_of<double>();
        return of.type.kind() == 'u' ? dtype_of<std::uint64_t>() : dtype_of<std::int64_t>();
    case reduction::rows:
    case reduction::count:
        return dtype_of<std::int64_t>();
    case reduction::own:
        return of.own->type;
    default:
        return dtype_of<double>();
    }
}

NDKEEP_INLINE std::vector<std::byte> null_of(const dtype& type) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(type.size()));
    const auto put = [&](const auto& value) { std::memcpy(bytes.data(), &value, sizeof value); };
    if (type.is_time())
        put(std::numeric_limits<std::int64_t>::min());
    else
        (void)core::with_element_type(type, [&]<class T>(std::type_identity<T>) {
            constexpr float missing = std::numeric_limits<float>::quiet_NaN();
            if constexpr (std::is_floating_point_v<T>)
                put(std::numeric_limits<T>::quiet_NaN());
            else if constexpr (!std::is_integral_v<T> && std::is_convertible_v<T, float>)
                put(T(missing));
            else if constexpr (!std::is_integral_v<T>)
                put(T(std::numeric_limits<typename T::value_type>::quiet_NaN(),
                      std::numeric_limits<typename T::value_type>::quiet_NaN()));
        });
    return bytes;
}

}  // namespace ndkeep::detail
