// SPDX-License-Identifier: BSD-3-Clause
#include "values.hpp"

#include "time_text.hpp"

#include <ndkeep/element/bfloat16.hpp>
#include <ndkeep/element/float16.hpp>
#include <ndkeep/text/unicode.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace tool {

namespace {

namespace nk = ndkeep;

/// @param bytes  size of the value in the file, which may be smaller than a long double in memory
template <class T>
[[nodiscard]] T value_at(const std::byte* from, bool swapped, std::size_t bytes = sizeof(T)) {
    std::array<std::byte, sizeof(T)> raw = {};
    bytes = std::min(bytes, sizeof(T));
    std::memcpy(raw.data(), from, bytes);
    if (swapped)
        std::reverse(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(bytes));
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

/// Calls `use` with a value of the C++ integer type that the dtype has.
template <class Use>
auto with_integer_of(const nk::dtype& type, const Use& use) {
    const bool is_signed = type.kind() != 'u';
    switch (type.size()) {
    case 1:
        return is_signed ? use(std::int8_t{}) : use(std::uint8_t{});
    case 2:
        return is_signed ? use(std::int16_t{}) : use(std::uint16_t{});
    case 4:
        return is_signed ? use(std::int32_t{}) : use(std::uint32_t{});
    default:
        return is_signed ? use(std::int64_t{}) : use(std::uint64_t{});
    }
}

/// As above for floating-point dtypes and the parts of complex ones.
template <class Use>
auto with_real_of(const nk::dtype& type, const Use& use) {
    switch (part_size(type)) {
    case 2:
        return type.kind() == 'E' ? use(nk::bfloat16{}) : use(nk::float16{});
    case 4:
        return use(float{});
    case 8:
        return use(double{});
    default:
        return use(static_cast<long double>(0));
    }
}

}  // namespace

bool is_number(const nk::dtype& type) {
    return !type.is_struct() && std::string_view("biufEc").find(type.kind()) != std::string_view::npos;
}

bool is_time(const nk::dtype& type) { return type.kind() == 'M' || type.kind() == 'm'; }

bool is_text(const nk::dtype& type) { return type.kind() == 'S' || type.kind() == 'U'; }

bool is_wide(const nk::dtype& type) {
    const bool is_integer = type.kind() == 'i' || type.kind() == 'u';
    return is_integer ? type.size() == 8 : is_number(type) && part_size(type) > 8;
}

std::size_t number_parts(const nk::dtype& type) { return type.kind() == 'c' ? 2 : 1; }

std::int64_t integer_at(const nk::dtype& type, const std::byte* value) {
    return with_integer_of(type,
                           [&]<class T>(T) { return static_cast<std::int64_t>(value_at<T>(value, is_swapped(type))); });
}

std::uint64_t unsigned_at(const nk::dtype& type, const std::byte* value) {
    return static_cast<std::uint64_t>(integer_at(type, value));
}

long double real_at(const nk::dtype& type, const std::byte* value) {
    return with_real_of(type, [&]<class T>(T) {
        return static_cast<long double>(value_at<T>(value, is_swapped(type), part_size(type)));
    });
}

long double imaginary_at(const nk::dtype& type, const std::byte* value) {
    return real_at(type, value + part_size(type));
}

double number_at(const nk::dtype& type, const std::byte* value) {
    double number = std::nan("");
    if (type.kind() == 'c')
        return std::hypot(static_cast<double>(real_at(type, value)), static_cast<double>(imaginary_at(type, value)));
    if (is_number(type))
        read_numbers(type, value, 0, 1, &number);
    else if (is_time(type) && integer_at(type, value) != not_a_time)
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
    const auto read = [&]<class T>(T) {
        for (std::size_t i = 0; i < count; ++i, from += stride)
            for (std::size_t part = 0; part < parts; ++part)
                *out++ = static_cast<Real>(value_at<T>(from + part * size, swapped, size));
    };
    if (type.kind() == 'i' || type.kind() == 'u')
        return with_integer_of(type, read);
    if (type.kind() != 'b')
        return with_real_of(type, read);
    for (std::size_t i = 0; i < count; ++i)
        out[i] = from[i * stride] != std::byte{} ? Real{1} : Real{0};
}

template void read_numbers(const nk::dtype&, const std::byte*, std::size_t, std::size_t, double*);
template void read_numbers(const nk::dtype&, const std::byte*, std::size_t, std::size_t, long double*);

}  // namespace tool
