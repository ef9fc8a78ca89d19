// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/operators/detail/as_of/keys.hpp>.
#pragma once

#include <ndkeep/operators/detail/as_of/keys.hpp>

#include <ndkeep/element/convert.hpp>
#include <ndkeep/element/dispatch.hpp>
#include <ndkeep/element/time_cast.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/text/json/print.hpp>

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE field_memory field_of(const row_memory& rows, const std::string& name) {
    const auto* const field = rows.type.find(name);
    if (field == nullptr)
        throw mismatch_error({.field = rows.side + " field " + ndkeep::quoted(name),
                              .expected = rows.type.is_struct() ? "one of " + rows.type.descr() : "structs",
                              .found = rows.type.is_struct() ? "missing" : ndkeep::quoted(rows.type.str())});
    field_memory part{.rows = rows, .field = *field};
    part.rows.type = field->type;
    if (part.rows.data != nullptr)
        part.rows.data += field->offset;
    return part;
}

NDKEEP_INLINE row_memory key_rows(const row_memory& rows, const std::string& on) {
    if (!rows.type.is_struct()) {
        if (!on.empty())
            (void)field_of(rows, on);  // the error that there are no fields
        return rows;
    }
    auto keys = field_of(rows, on.empty() ? "time" : on);
    if (!keys.field.shape.empty())
        throw mismatch_error({.field = rows.side + " field " + ndkeep::quoted(keys.field.name),
                              .expected = "one key",
                              .found = "a sub-array of shape " + shape_text(keys.field.shape)});
    return std::move(keys.rows);
}

/// The finer of two time units, if the other one is a multiple of it.
[[nodiscard]] inline std::optional<dtype> common_unit(const dtype& left, const dtype& right) {
    if (left.unit() == right.unit() && left.multiple() == right.multiple())
        return left;
    if (left.unit().empty() || right.unit().empty())
        return std::nullopt;
    const auto is_calendar = [](const dtype& type) { return type.unit() == "Y" || type.unit() == "M"; };
    const auto divides = [&](const dtype& coarse, const dtype& fine) {
        if (is_calendar(coarse) == is_calendar(fine))
            return ratio_of_units(coarse, fine).by == 1;
        // The first day of a month is a whole number of units that divide a day. Durations of months have none.
        return is_calendar(coarse) && coarse.kind() == 'M' && ratio_of_units(dtype::parse("<M8[D]"), fine).by == 1;
    };
    if (divides(left, right))
        return right;
    return divides(right, left) ? std::optional(left) : std::nullopt;
}

NDKEEP_INLINE common_form common_form::of(const dtype& left, const dtype& right) {
    const auto refuse = [&](std::string hint) {
        return mismatch_error({.field = "keys",
                               .expected = left.is_struct() ? left.descr() : ndkeep::quoted(left.str()),
                               .found = right.is_struct() ? right.descr() : ndkeep::quoted(right.str()),
                               .hint = std::move(hint)});
    };
    for (const auto* const keys : {&left, &right})
        if (keys->is_struct() || !(keys->is_time() || (keys->is_number() && !keys->is_complex())))
            throw mismatch_error({.field = keys == &left ? "left keys" : "right keys",
                                  .expected = "integers, floating-point numbers or times",
                                  .found = keys->is_struct() ? keys->descr() : ndkeep::quoted(keys->str())});
    if (left.is_time() || right.is_time()) {
        const auto unit = left.kind() == right.kind() ? common_unit(left, right) : std::nullopt;
        if (!unit)
            throw refuse("times need units of which one is a multiple of the other");
        return {'i', unit->native(), true};
    }
    if (left.is_floating_point() != right.is_floating_point())
        throw refuse("integers and floating-point numbers have no common type");
    if (left.is_floating_point()) {
        constexpr std::uint64_t wide = sizeof(double);
        const bool is_wide = left.size() > wide || right.size() > wide;
        return {is_wide ? 'g' : 'f', is_wide ? dtype_of<long double>() : dtype_of<double>()};
    }
    const auto is_long = [](const dtype& keys) { return keys.kind() == 'u' && keys.size() == sizeof(std::uint64_t); };
    if (!is_long(left) && !is_long(right))
        return {'i', dtype_of<std::int64_t>()};
    if (left.kind() == 'i' || right.kind() == 'i')
        throw refuse("signed and unsigned integers of 64 bits have no common type");
    return {'u', dtype_of<std::uint64_t>()};
}

NDKEEP_INLINE std::string common_form::text(std::int64_t key) const {
    if (is_missing(key))
        return "NaT";
    const std::string digits =
        number == 'u' ? std::to_string(static_cast<std::uint64_t>(key) ^ sign_bit) : std::to_string(key);
    if (!type.is_time() || type.unit().empty())
        return digits;
    return digits + " [" + (type.multiple() == 1 ? "" : std::to_string(type.multiple())) + type.unit() + ']';
}

NDKEEP_INLINE std::string common_form::text(double key) const {
    std::string digits;
    append_json_number(digits, key);
    return digits;
}

/// Copies keys of any type as numbers of the form.
template <class Stored, class Number>
void copy_keys(const row_memory& rows, const common_form& form, Number* out) {
    const bool swapped = !rows.type.is_native();
    const auto cast = form.type.is_time() ? core::time_cast::between(rows.type, form.type) : std::nullopt;
    for (std::size_t i = 0; i < rows.count; ++i) {
        if constexpr (std::is_same_v<Stored, bool>) {
            out[i] = static_cast<Number>(*rows.at(i) != std::byte{0});
        } else {
            std::byte bytes[sizeof(Stored)];
            if (swapped)
                core::swap_bytes(bytes, rows.at(i), 1, sizeof(Stored));
            else
                std::memcpy(bytes, rows.at(i), sizeof(Stored));
            Stored key;
            std::memcpy(&key, bytes, sizeof key);
            if constexpr (std::is_integral_v<Stored> && std::is_integral_v<Number>) {
                out[i] = static_cast<Number>(key);
                if (form.number == 'u')
                    out[i] = static_cast<Number>(static_cast<std::uint64_t>(key) ^ sign_bit);
                if (cast) {
                    const auto count = (*cast)(static_cast<std::int64_t>(key));
                    if (!count)
                        throw mismatch_error({.field = rows.side + " row " + std::to_string(rows.first + i),
                                              .expected = "a time of 64 bits in " + ndkeep::quoted(form.type.str()),
                                              .found = std::to_string(key) + " of " + ndkeep::quoted(rows.type.str())});
                    out[i] = static_cast<Number>(*count);
                }
            } else {
                out[i] = static_cast<Number>(key);
            }
        }
    }
}

NDKEEP_INLINE side_keys keys_in(const row_memory& rows, const common_form& form) {
    side_keys keys{rows.data, rows.step, rows.count, rows.side, rows.first, rows.kept};
    const bool in_place =
        rows.type.is_native() && rows.type.size() == form.type.size() && form.number != 'u' &&
        (rows.type.is_time() ? !core::time_cast::between(rows.type, form.type) : rows.type.kind() == form.type.kind());
    if (in_place || rows.count == 0)
        return keys;
    with_key(form, [&]<class Number>(Number) {
        const auto kept = std::make_shared<buffer>(rows.count * sizeof(Number));
        auto* const out = reinterpret_cast<Number*>(kept->data());
        (void)with_element_type(rows.type, [&]<class Stored>(std::type_identity<Stored>) {
            if constexpr (std::is_integral_v<Stored> == std::is_integral_v<Number> &&
                          std::is_convertible_v<Stored, Number>)
                copy_keys<Stored>(rows, form, out);
        });
        keys.data = kept->data();
        keys.step = sizeof(Number);
        keys.kept = kept;
    });
    return keys;
}

}  // namespace ndkeep::detail
