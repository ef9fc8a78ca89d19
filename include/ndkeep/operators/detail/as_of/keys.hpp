// SPDX-License-Identifier: BSD-3-Clause
// The keys of both sides of an as-of, as numbers of one type, in place where they are in memory.
#pragma once

#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/operators/detail/row_memory.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// One field of the rows. A field that is a sub-array is one value of all its bytes.
/// @throws mismatch_error  not structs, or no such field
struct field_memory {
    row_memory rows;
    dtype::field field;
};
[[nodiscard]] field_memory field_of(const row_memory& rows, const std::string& name);

/// The rows that hold the keys: the rows themselves, or a field of structs.
/// @param on  empty: "time"
[[nodiscard]] row_memory key_rows(const row_memory& rows, const std::string& on);

/// The type that both sides are compared in.
struct common_form {
    char number = 'i';         // i: std::int64_t, u: the same with the sign bit inverted, f: double, g: long double
    dtype type = {};           // of the keys that are compared; of times, with the unit
    bool has_missing = false;  // whether the smallest count is NaT

    [[nodiscard]] static common_form of(const dtype& left, const dtype& right);
    /// A key for errors.
    [[nodiscard]] std::string text(std::int64_t key) const;
    [[nodiscard]] std::string text(double key) const;
    [[nodiscard]] std::string text(long double key) const { return text(static_cast<double>(key)); }
    /// Whether a key is NaN or NaT.
    template <class Number>
    [[nodiscard]] bool is_missing(Number key) const {
        if constexpr (std::numeric_limits<Number>::is_integer)
            return has_missing && key == std::numeric_limits<Number>::min();
        else
            return is_nan(key);
    }
};

/// Keys as numbers of the type of the form.
struct side_keys {
    const std::byte* data = nullptr;
    std::ptrdiff_t step = 0;
    std::size_t count = 0;
    std::string side = {};
    std::size_t first = 0;
    std::shared_ptr<const buffer> kept = {};

    template <class Number>
    [[nodiscard]] Number at(std::size_t row) const {
        Number key;
        std::memcpy(&key, data + static_cast<std::ptrdiff_t>(row) * step, sizeof key);
        return key;
    }
};
[[nodiscard]] side_keys keys_in(const row_memory& rows, const common_form& form);

/// Calls `function` with a zero of the type of the form.
template <class Function>
decltype(auto) with_key(const common_form& form, const Function& function) {
    if (form.number == 'g')
        return function(0.0L);
    if (form.number == 'f')
        return function(0.0);
    return function(std::int64_t{0});
}

/// @throws mismatch_error  always: row `row` is missing, or below the row before it, which is `before`
template <class Number>
[[noreturn]] void refuse_key(const side_keys& keys, const common_form& form, std::size_t row, std::size_t before,
                             std::string_view hint) {
    const auto key = keys.at<Number>(row);
    const std::string name = keys.side + " row " + std::to_string(keys.first + row);
    if (form.is_missing(key))
        throw mismatch_error({.field = name, .expected = "a key", .found = form.has_missing ? "NaT" : "NaN"});
    throw mismatch_error({.field = name,
                          .expected = "at least " + form.text(keys.at<Number>(before)) + ", the key of row " +
                                      std::to_string(keys.first + before),
                          .found = "key " + form.text(key),
                          .hint = std::string(hint)});
}

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/operators/detail/as_of/keys.ipp>
#endif
