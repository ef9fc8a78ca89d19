// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/operators/detail/segments/bins.hpp>.
#pragma once

#include <ndkeep/operators/detail/segments/bins.hpp>

#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/element/dispatch.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/format/time_unit.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <utility>
#include <variant>

namespace ndkeep::inline NDKEEP_ABI::detail {

[[nodiscard]] inline std::int64_t code_of_double(double key) {
    return static_cast<std::int64_t>(ordered_bits(key) ^ sign_bit);
}

NDKEEP_INLINE key_codes::key_codes(const segment_key& field) : field_(field), label_(field.type) {
    const dtype& type = field.type;
    if (type.is_time()) {
        least_ = std::numeric_limits<std::int64_t>::min() + 1;  // below it is NaT
    } else if (type.is_floating_point() && type.size() <= sizeof(double)) {
        form_ = 'f';
        label_ = dtype_of<double>();
        greatest_ = code_of_double(std::numeric_limits<double>::infinity());
        least_ = code_of_double(-std::numeric_limits<double>::infinity());
    } else if (type.is_integer()) {
        const bool is_large = type.kind() == 'u' && type.size() == 8;
        form_ = is_large ? 'u' : 'i';
        label_ = is_large ? dtype_of<std::uint64_t>() : dtype_of<std::int64_t>();
    } else {
        throw mismatched({}, "dtype of the keys " + ndkeep::quoted(field.name),
                         "integers, floating-point numbers of at most 64 bits, dates or durations",
                         ndkeep::quoted(type.str()));
    }
}

/// The code of a stored key.
template <class T>
[[nodiscard]] inline std::int64_t code_at(const std::byte* at) {
    T key;
    std::memcpy(&key, at, sizeof key);
    if constexpr (std::is_same_v<T, std::uint64_t>)
        return static_cast<std::int64_t>(key ^ sign_bit);
    else if constexpr (std::is_integral_v<T>)
        return static_cast<std::int64_t>(key);
    else
        return code_of_double(static_cast<double>(key));
}

NDKEEP_INLINE bool key_codes::read(const std::byte* first_row, std::ptrdiff_t step, std::size_t count,
                                   std::int64_t before, std::int64_t* out) const {
    std::uint64_t disordered = 0;
    (void)core::with_element_type(field_.type, [&]<class T>(std::type_identity<T>) {
        if constexpr (std::is_integral_v<T> || std::is_convertible_v<T, double>) {
            const std::byte* at = first_row + field_.offset;
            for (std::size_t i = 0; i < count; ++i, at += step) {
                const std::int64_t code = code_at<T>(at);
                disordered |= code < before ? 1U : 0U;
                out[i] = before = code;
            }
        }
    });
    // Only the last ones can be above all legal codes, if they ascend.
    return disordered == 0 && (count == 0 || before <= greatest_);
}

NDKEEP_INLINE core::wide_count key_codes::whole_of(std::int64_t code) const noexcept {
    if (form_ == 'u')
        return core::wide_count{static_cast<std::uint64_t>(code) ^ sign_bit};
    return core::wide_count{code};
}

NDKEEP_INLINE double key_codes::real_of(std::int64_t code) const noexcept {
    return double_of_ordered_bits(static_cast<std::uint64_t>(code) ^ sign_bit);
}

NDKEEP_INLINE std::uint64_t key_codes::bits_of(std::int64_t code) const noexcept {
    if (form_ == 'f')
        return std::bit_cast<std::uint64_t>(real_of(code));
    return static_cast<std::uint64_t>(whole_of(code));
}

NDKEEP_INLINE std::string key_codes::text_of(std::int64_t code) const {
    if (form_ == 'f')
        return code < least_ || code > greatest_ ? "NaN" : number_text(real_of(code));
    if (field_.type.is_time() && code < least_)
        return "NaT";
    return form_ == 'u' ? number_text(static_cast<std::uint64_t>(whole_of(code))) : number_text(code);
}

NDKEEP_INLINE statistics::number key_codes::number_of(const key_bound& bound) const {
    return bound.in(field_.type, {});
}

NDKEEP_INLINE std::int64_t key_codes::code_of(core::wide_count whole) const noexcept {
    whole = std::clamp(whole, whole_of(least_), whole_of(greatest_));
    if (form_ == 'u')
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(whole) ^ sign_bit);
    return static_cast<std::int64_t>(whole);
}

NDKEEP_INLINE std::int64_t key_codes::code_of(double real) const noexcept { return code_of_double(real); }

/// A number as an integer, rounded up.
[[nodiscard]] NDKEEP_INLINE core::wide_count whole_number(const statistics::number& number) {
    if (const auto* const whole = std::get_if<std::int64_t>(&number))
        return *whole;
    if (const auto* const count = std::get_if<std::uint64_t>(&number))
        return *count;
    // Beyond 2^100 there is no key.
    return static_cast<core::wide_count>(std::clamp(std::ceil(std::get<double>(number)), -0x1p100, 0x1p100));
}

/// An integer that is exactly this number.
/// @param field  for errors
[[nodiscard]] NDKEEP_INLINE core::wide_count exact_whole(const statistics::number& number, const char* field) {
    const auto whole = whole_number(number);
    if (const auto* const real = std::get_if<double>(&number); real != nullptr && static_cast<double>(whole) != *real)
        throw mismatched({}, field, "an integer, as the keys are", number_text(number));
    return whole;
}

NDKEEP_INLINE std::int64_t key_codes::code_from(const key_bound& bound) const {
    const auto number = number_of(bound);
    return form_ == 'f' ? code_of(as_double(number)) : code_of(whole_number(number));
}

NDKEEP_INLINE bins::bins(const key_grid& grid, const key_codes& codes, bin_edge closed,
                         const std::optional<key_bound>& origin, const char* called)
    : kind_(grid.kind()), codes_(codes), closed_(closed) {
    if (kind_ == rule_kind::edges) {
        if (origin)
            throw mismatched({}, "origin", "none, because the edges are listed", "one");
        set_edges(grid);
        return;
    }
    if (kind_ == rule_kind::calendar) {
        set_calendar(grid, origin);
        return;
    }
    set_width(grid, called);
    if (origin && codes_.is_floating())
        real_origin_ = as_double(codes_.number_of(*origin));
    else if (origin)
        origin_ = exact_whole(codes_.number_of(*origin), "origin");
    if (!is_finite(real_origin_))
        throw mismatched({}, "origin", "a finite number", number_text(real_origin_));
}

NDKEEP_INLINE void bins::set_width(const key_grid& grid, const char* called) {
    const auto& [type, number] = std::pair(codes_.field().type, grid.width());
    const auto refuse = [called](std::string expected, std::string found) {
        return mismatched({}, called, std::move(expected), std::move(found));
    };
    if (grid.type().size() == 0) {
        if (codes_.is_floating()) {
            real_width_ = as_double(number);
            if (!is_finite(real_width_) || !(real_width_ > 0))
                throw refuse("a positive number", number_text(number));
            return;
        }
        if (const auto* const real = std::get_if<double>(&number); real != nullptr && !is_finite(*real))
            throw refuse("a positive number", number_text(number));
        width_ = exact_whole(number, called);
    } else {
        const auto* const unit = core::find_unit(type.unit());
        if (!type.is_time() || unit == nullptr)
            throw refuse("a number, because the keys are " + ndkeep::quoted(type.str()), "a duration");
        if (unit->name == "Y" || unit->name == "M")
            throw refuse("std::chrono::months or years, because the keys are " + ndkeep::quoted(type.str()),
                         "a duration of fixed length");
        const auto ratio = ratio_of_units(grid.type(), type);
        const auto count = std::get<std::int64_t>(number);
        core::wide_count product = 0;
        if (__builtin_mul_overflow(core::wide_count{count}, ratio.number, &product))
            throw refuse("within the range of " + ndkeep::quoted(type.str()),
                         number_text(number) + " of " + grid.type().str());
        if (product % ratio.by != 0)
            throw refuse("a multiple of the unit of the keys, " + ndkeep::quoted(type.str()),
                         number_text(number) + " of " + ndkeep::quoted(grid.type().str()));
        width_ = product / ratio.by;
    }
    if (width_ <= 0 || width_ > std::numeric_limits<std::int64_t>::max())
        throw refuse("positive, and of at most 63 bits", number_text(number));
}

NDKEEP_INLINE void bins::set_calendar(const key_grid& grid, const std::optional<key_bound>& origin) {
    const dtype& type = codes_.field().type;
    const auto* const unit = type.kind() == 'M' ? core::find_unit(type.unit()) : nullptr;
    if (unit == nullptr || type.multiple() != 1 || unit->name == "W")
        throw mismatched({}, "width of the bins",
                         "a number or a duration, because the keys are " + ndkeep::quoted(type.str()),
                         "months of the calendar");
    if (unit->name == "Y")
        months_ = 12;
    else if (unit->name != "M")
        per_day_ = core::wide_count{86'400} * unit->per_second / unit->seconds;
    const auto count = std::get<std::int64_t>(grid.width());
    width_ = core::wide_count{count} * (grid.type().unit() == "Y" ? 12 : 1);
    if (width_ <= 0 || width_ > 12'000'000)
        throw mismatched({}, "width of the bins", "from 1 month to 1,000,000 years", std::to_string(count));
    if (origin)
        origin_ = month_of(exact_whole(codes_.number_of(*origin), "origin"));
    if (width_ % months_ != 0)
        throw mismatched({}, "width of the bins", "complete years, as the keys are", std::to_string(count) + " months");
}

NDKEEP_INLINE void bins::set_edges(const key_grid& grid) {
    if (grid.edges().size() < 2)
        throw mismatched({}, "edges", "at least 2", std::to_string(grid.edges().size()));
    for (const key_bound& each : grid.edges()) {
        const auto number = codes_.number_of(each);
        const std::int64_t code =
            codes_.is_floating() ? codes_.code_of(as_double(number)) : codes_.code_of(exact_whole(number, "edges"));
        if (!edges_.empty() && code <= edges_.back())
            throw mismatched({}, "edge " + std::to_string(edges_.size()), "above " + codes_.text_of(edges_.back()),
                             codes_.text_of(code));
        edges_.push_back(code);
    }
}

NDKEEP_INLINE core::wide_count bins::month_of(core::wide_count key) const {
    return per_day_ == 0 ? key * months_ : core::month_of_day(core::rounded_down(key, per_day_));
}

NDKEEP_INLINE core::wide_count bins::first_of_month(core::wide_count month) const {
    return per_day_ == 0 ? core::rounded_down(month, months_) : core::days_before_month(month) * per_day_;
}

NDKEEP_INLINE std::optional<std::uint64_t> bins::label_of(core::wide_count edge) const {
    const bool is_unsigned = codes_.label().kind() == 'u';
    // The smallest number is NaT as a date.
    const auto low = is_unsigned ? core::wide_count{0}
                                 : core::wide_count{std::numeric_limits<std::int64_t>::min()} +
                                       (codes_.field().type.is_time() ? 1 : 0);
    const auto high = is_unsigned ? core::wide_count{std::numeric_limits<std::uint64_t>::max()}
                                  : core::wide_count{std::numeric_limits<std::int64_t>::max()};
    if (edge < low || edge > high)
        return std::nullopt;
    return static_cast<std::uint64_t>(edge);
}

NDKEEP_INLINE bin bins::of_whole(std::int64_t code) const {
    // A bin closed on the right has the keys that, less 1, are in the bin closed on the left.
    const auto key = codes_.whole_of(code) - (closed_ == bin_edge::right ? 1 : 0);
    core::wide_count left = 0, right = 0;
    if (kind_ == rule_kind::calendar) {
        const auto month = month_of(key);
        const auto begin = origin_ + core::rounded_down(month - origin_, width_) * width_;
        left = first_of_month(begin);
        right = first_of_month(begin + width_);
    } else {
        left = origin_ + core::rounded_down(key - origin_, width_) * width_;
        right = left + width_;
    }
    return {codes_.code_of(closed_ == bin_edge::right ? right : right - 1), label_of(left), label_of(right)};
}

NDKEEP_INLINE std::optional<bin> bins::of_real(double key) const {
    const bool is_right = closed_ == bin_edge::right;
    const double quotient = (key - real_origin_) / real_width_;
    double number = is_right ? std::ceil(quotient) - 1 : std::floor(quotient);
    // Above 2^53, neighbouring bins would have the same number.
    if (!is_finite(number) || !(std::abs(number) < 0x1p53))
        return std::nullopt;
    const auto edge = [this](double i) { return real_origin_ + i * real_width_; };
    const auto begins_after = [&](double i) { return is_right ? !(edge(i) < key) : !(edge(i) <= key); };
    // Rounding can move an edge across the key.
    while (begins_after(number))
        --number;
    while (!begins_after(number + 1))
        ++number;
    const double left = edge(number), right = edge(number + 1);
    if (!(left < right))
        return std::nullopt;
    // An edge of -0.0 is 0.0.
    const std::int64_t first = codes_.code_of(left), last = codes_.code_of(right);
    return bin{is_right ? last : last - 1, codes_.bits_of(first), codes_.bits_of(last)};
}

NDKEEP_INLINE std::optional<bin> bins::of_edges(std::int64_t code) const {
    const auto above = closed_ == bin_edge::left ? std::upper_bound(edges_.begin(), edges_.end(), code)
                                                 : std::lower_bound(edges_.begin(), edges_.end(), code);
    if (above == edges_.begin() || above == edges_.end())
        return std::nullopt;
    return bin{*above - (closed_ == bin_edge::left ? 1 : 0), codes_.bits_of(above[-1]), codes_.bits_of(*above)};
}

NDKEEP_INLINE std::optional<bin> bins::of(std::int64_t code) const {
    if (kind_ == rule_kind::edges)
        return of_edges(code);
    if (codes_.is_floating())
        return of_real(codes_.real_of(code));
    return of_whole(code);
}

NDKEEP_INLINE std::optional<bin> bins::after(const bin& before) const {
    return before.most >= codes_.greatest() ? std::nullopt : of(before.most + 1);
}

NDKEEP_INLINE void bins::begin_at_least() {
    if (kind_ == rule_kind::edges)
        edges_.insert(edges_.begin(), std::numeric_limits<std::int64_t>::min());
}

NDKEEP_INLINE std::string bins::text() const {
    const std::string side = closed_ == bin_edge::left ? ", closed left" : ", closed right";
    std::string all;
    switch (kind_) {
    case rule_kind::edges:
        for (const auto edge : edges_)
            all += ' ' + codes_.text_of(edge);
        return "edges" + all + side;
    case rule_kind::calendar:
        return "months " + std::to_string(static_cast<std::int64_t>(width_)) + " from " +
               std::to_string(static_cast<std::int64_t>(origin_)) + side;
    default:
        if (codes_.is_floating())
            return "width " + number_text(real_width_) + " from " + number_text(real_origin_) + side;
        return "width " + std::to_string(static_cast<std::int64_t>(width_)) + " from " +
               std::to_string(static_cast<std::int64_t>(origin_)) + side;
    }
}

}  // namespace ndkeep::detail
