// SPDX-License-Identifier: BSD-3-Clause
#include "values.hpp"

#include "time_text.hpp"

#include <ndkeep/text/unicode.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace tool {

namespace {

namespace nk = ndkeep;

template <class T>
[[nodiscard]] T value_at(const std::byte* from, bool swapped) {
    std::array<std::byte, sizeof(T)> raw;
    std::memcpy(raw.data(), from, sizeof(T));
    if (swapped)
        std::reverse(raw.begin(), raw.end());
    T value;
    std::memcpy(&value, raw.data(), sizeof(T));
    return value;
}

[[nodiscard]] bool is_swapped(const nk::dtype& type) {
    return type.order() != nk::byte_order::none && type.order() != nk::native_order;
}

[[nodiscard]] std::size_t part_size(const nk::dtype& type) {
    return static_cast<std::size_t>(type.size()) / number_parts(type);
}

}  // namespace

bool is_wide(const nk::dtype& type) {
    return type.is_integer() ? type.size() == 8 : type.is_number() && part_size(type) > 8;
}

std::int64_t integer_at(const nk::dtype& type, const std::byte* value) {
    std::int64_t out = 0;
    with_part_type(type, [&]<class T>(std::type_identity<T>) {
        if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>)
            out = static_cast<std::int64_t>(value_at<T>(value, is_swapped(type)));
    });
    return out;
}

std::uint64_t unsigned_at(const nk::dtype& type, const std::byte* value) {
    return static_cast<std::uint64_t>(integer_at(type, value));
}

long double real_at(const nk::dtype& type, const std::byte* value) {
    long double out = 0;
    with_part_type(type, [&]<class T>(std::type_identity<T>) {
        if constexpr (!std::is_integral_v<T>)
            out = static_cast<long double>(value_at<T>(value, is_swapped(type)));
    });
    return out;
}

long double imaginary_at(const nk::dtype& type, const std::byte* value) {
    return real_at(type, value + part_size(type));
}

double number_at(const nk::dtype& type, const std::byte* value) {
    double number = std::nan("");
    if (type.is_complex())
        return std::hypot(static_cast<double>(real_at(type, value)), static_cast<double>(imaginary_at(type, value)));
    if (type.is_number())
        read_numbers(type, value, 0, 1, &number);
    else if (type.is_time() && integer_at(type, value) != not_a_time)
        number = static_cast<double>(integer_at(type, value));
    return number;
}

std::string text_at(const nk::dtype& type, const std::byte* value) {
    const auto size = static_cast<std::size_t>(type.size());
    std::string out;
    if (type.kind() != 'U') {
        out.assign(reinterpret_cast<const char*>(value), size);
        out.resize(out.find_last_not_of('\0') + 1);
        return out;
    }
    const auto character_at = [&](std::size_t i) { return value_at<std::uint32_t>(value + 4 * i, is_swapped(type)); };
    std::size_t length = size / 4;
    while (length != 0 && character_at(length - 1) == 0)
        --length;
    for (std::size_t i = 0; i < length; ++i) {
        constexpr std::uint32_t last = 0x10ffff;
        const auto character = character_at(i);
        if (character <= last) {
            nk::core::append_utf8(out, character);
        } else {  // not a Unicode character: print its bits
            std::array<char, 16> bits = {};
            std::snprintf(bits.data(), bits.size(), "\\U%08x", static_cast<unsigned>(character));
            out += bits.data();
        }
    }
    return out;
}

template <class Real>
void read_numbers(const nk::dtype& type, const std::byte* from, std::size_t stride, std::size_t count, Real* out) {
    const bool swapped = is_swapped(type);
    const std::size_t parts = number_parts(type), size = part_size(type);
    with_part_type(type, [&]<class T>(std::type_identity<T>) {
        for (std::size_t i = 0; i < count; ++i, from += stride)
            for (std::size_t part = 0; part < parts; ++part) {
                // A file may store any byte as a bool.
                if constexpr (std::is_same_v<T, bool>)
                    *out++ = *from != std::byte{} ? Real{1} : Real{0};
                else
                    *out++ = static_cast<Real>(value_at<T>(from + part * size, swapped));
            }
    });
}

template void read_numbers(const nk::dtype&, const std::byte*, std::size_t, std::size_t, double*);
template void read_numbers(const nk::dtype&, const std::byte*, std::size_t, std::size_t, long double*);

}  // namespace tool
