// SPDX-License-Identifier: BSD-3-Clause
// element, the C++ types that an array can hold, and dtype_of, the NumPy dtype of each.
#pragma once

#include <ndkeep/element/bfloat16.hpp>
#include <ndkeep/element/float16.hpp>
#include <ndkeep/element/text.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/time_unit.hpp>
#include <ndkeep/version.hpp>

#include <array>
#include <chrono>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// The parameter of the function ndkeep_fields_of, which `NDKEEP_FIELDS` overloads for a struct.
template <class T>
struct fields_tag {};
// Unqualified lookup ends at this declaration, so that an overload is found through the namespace of its struct only.
void ndkeep_fields_of() = delete;

template <class T>
concept has_fields = requires {
    ndkeep_fields_of(fields_tag<T>{});
};

template <class T>
struct element_type;  // has `static dtype make()` if T is an element

template <class T>
concept has_dtype = requires {
    element_type<T>::make();
};

}  // namespace detail

/// A trivially copyable type with a NumPy dtype: bool, integers and enums (by their size), float16, bfloat16, float,
/// double, long double, std::complex of the last three, fixed_string, fixed_u32string, fixed_bytes, chrono durations
/// and time points with a signed 64-bit count, and structs declared with NDKEEP_FIELDS.
template <class T>
concept element = detail::has_dtype<std::remove_const_t<T>> && std::is_trivially_copyable_v<T>;

/// The dtype of `T`, in this machine's byte order.
template <element T>
[[nodiscard]] const dtype& dtype_of() {
    static const dtype type = detail::element_type<std::remove_const_t<T>>::make();
    return type;
}

/// NumPy's NaT (not a time) as a duration or time point: the smallest count.
template <element T>
    requires requires { typename T::period; }
inline constexpr T not_a_time{};
template <class Rep, class Period>
inline constexpr std::chrono::duration<Rep, Period> not_a_time<std::chrono::duration<Rep, Period>>{
    std::numeric_limits<Rep>::min()};
template <class Clock, class Duration>
inline constexpr std::chrono::time_point<Clock, Duration> not_a_time<std::chrono::time_point<Clock, Duration>>{
    not_a_time<Duration>};

/// Whether a duration or time point is NaT.
template <class T>
    requires requires { not_a_time<T>; }
[[nodiscard]] constexpr bool is_not_a_time(const T& value) noexcept { return value == not_a_time<T>; }

namespace detail {

template <class T>
    requires((std::is_integral_v<T> || std::is_enum_v<T>)&&sizeof(T) <= 8)
struct element_type<T> {
    [[nodiscard]] static dtype make() {
        if constexpr (std::is_same_v<T, bool>)
            return dtype::plain('b', sizeof(T));
        else if constexpr (std::is_enum_v<T>)
            return element_type<std::underlying_type_t<T>>::make();
        else
            return dtype::plain(std::is_signed_v<T> ? 'i' : 'u', sizeof(T));
    }
};

template <class T>
    requires(std::is_floating_point_v<T> || std::is_same_v<T, float16>)
struct element_type<T> {
    [[nodiscard]] static dtype make() { return dtype::plain('f', sizeof(T)); }
};

template <>
struct element_type<bfloat16> {
    [[nodiscard]] static dtype make() { return dtype::plain('E', sizeof(bfloat16)); }
};

template <class T>
    requires std::is_floating_point_v<T>
struct element_type<std::complex<T>> {
    [[nodiscard]] static dtype make() { return dtype::plain('c', sizeof(std::complex<T>)); }
};

template <std::size_t N>
struct element_type<fixed_string<N>> {
    [[nodiscard]] static dtype make() { return dtype::plain('S', N); }
};

template <std::size_t N>
struct element_type<fixed_u32string<N>> {
    [[nodiscard]] static dtype make() { return dtype::plain('U', 4 * N); }
};

template <std::size_t N>
struct element_type<fixed_bytes<N>> {
    [[nodiscard]] static dtype make() { return dtype::plain('V', N); }
};

struct counted_unit {
    std::string_view name;
    std::int64_t multiple = 0;  // 0: NumPy has no such unit
};

/// The coarsest NumPy unit of which `num / den` seconds is a multiple, and that multiple. Years and months have the
/// average lengths of chrono; their counts since 1970 are those of NumPy.
/// @param num, den  a reduced fraction, as std::ratio makes them
[[nodiscard]] constexpr counted_unit unit_of_seconds(std::intmax_t num, std::intmax_t den) {
    for (const time_unit& unit : time_units) {
        // As the fraction is reduced, a multiple of the unit has a `den` that divides the unit's. The check of `num`
        // keeps num * scale from overflowing.
        if (unit.per_second % den != 0)
            continue;
        const std::intmax_t scale = unit.per_second / den;
        if (num <= std::numeric_limits<std::int64_t>::max() / scale && num * scale % unit.seconds == 0)
            return {unit.name, num * scale / unit.seconds};
    }
    return {};
}

/// Whether NumPy has a unit for a duration. It counts the multiple of a unit (the 25 of M8[25s]) in 32 bits:
/// `most_units`.
template <class T>
inline constexpr bool is_time_count = false;
template <class Rep, class Period>
inline constexpr bool is_time_count<std::chrono::duration<Rep, Period>> =
    std::is_integral_v<Rep>&& std::is_signed_v<Rep> && sizeof(Rep) == 8 &&
    unit_of_seconds(Period::num, Period::den).multiple > 0 &&
    unit_of_seconds(Period::num, Period::den).multiple <= most_units;

template <class Duration>
[[nodiscard]] dtype time_type(char kind) {
    constexpr auto unit = unit_of_seconds(Duration::period::num, Duration::period::den);
    return dtype::time(kind, std::string(unit.name), unit.multiple);
}

template <class Rep, class Period>
    requires is_time_count<std::chrono::duration<Rep, Period>>
struct element_type<std::chrono::duration<Rep, Period>> {
    [[nodiscard]] static dtype make() { return time_type<std::chrono::duration<Rep, Period>>('m'); }
};

template <class Clock, class Duration>
    requires is_time_count<Duration>
struct element_type<std::chrono::time_point<Clock, Duration>> {
    [[nodiscard]] static dtype make() { return time_type<Duration>('M'); }
};

template <class T>
    requires has_fields<T>
struct element_type<T> {
    [[nodiscard]] static dtype make() { return ndkeep_fields_of(fields_tag<T>{}); }
};

/// The element type of a member, and its shape if the member is an array, which NumPy calls a sub-array.
template <class T>
struct member_layout {
    using element = T;
    static constexpr std::size_t rank = 0;
    static void add_shape(std::vector<std::size_t>&) {}
};
template <class T, std::size_t N>
struct member_layout<T[N]> {
    using element = typename member_layout<T>::element;
    static constexpr std::size_t rank = 1 + member_layout<T>::rank;
    static void add_shape(std::vector<std::size_t>& shape) {
        shape.push_back(N);
        member_layout<T>::add_shape(shape);
    }
};
template <class T, std::size_t N>
struct member_layout<std::array<T, N>> : member_layout<T[N]> {};

}  // namespace detail

}  // namespace ndkeep
