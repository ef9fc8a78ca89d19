// SPDX-License-Identifier: BSD-3-Clause
#include "value_text.hpp"

#include "output.hpp"

#include <ndkeep/format/unicode.hpp>

#include <algorithm>
#include <array>
#include <limits>

namespace tool {

namespace {

namespace nk = ndkeep;

constexpr std::int64_t not_a_time = std::numeric_limits<std::int64_t>::min();

[[nodiscard]] std::size_t width_of(const std::string& text) { return nk::detail::character_count(text); }

[[nodiscard]] std::string right(std::string text, std::size_t width) {
    const std::size_t has = width_of(text);
    return std::string(width > has ? width - has : 0, ' ') + text;
}

/// Python's repr of bytes.
[[nodiscard]] std::string bytes_repr(std::string_view bytes, bool all_as_numbers) {
    const bool has_single = bytes.find('\'') != std::string_view::npos;
    const char quote = has_single && bytes.find('"') == std::string_view::npos && !all_as_numbers ? '"' : '\'';
    std::string out = std::string("b") + quote;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (!all_as_numbers && (c == '\t' || c == '\n' || c == '\r' || c == '\\' || c == quote)) {
            out += '\\';
            out += c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c;
        } else if (!all_as_numbers && byte >= 0x20 && byte < 0x7f) {
            out += c;
        } else {
            out += "\\x";
            const std::string_view digits = all_as_numbers ? "0123456789ABCDEF" : "0123456789abcdef";
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
    }
    return out + quote;
}

/// A value whose text does not depend on its neighbours, as it stands in an array.
[[nodiscard]] std::string plain_text(const nk::dtype& type, const std::byte* value) {
    switch (type.kind()) {
    case 'b':
        return *value != std::byte{0} ? "True" : "False";
    case 'i':
        return std::to_string(integer_at(type, value));
    case 'u':
        return std::to_string(unsigned_at(type, value));
    case 'M':
    case 'm': {
        const auto count = integer_at(type, value);
        if (type.kind() == 'm' && count != not_a_time)
            return std::to_string(count);
        return '\'' + date_text(type, count) + '\'';
    }
    case 'S':
        return bytes_repr(text_at(type, value), false);
    case 'U':
        return nk::detail::python_repr(text_at(type, value));
    default:
        return bytes_repr({reinterpret_cast<const char*>(value), static_cast<std::size_t>(type.size())}, true);
    }
}

}  // namespace

column_texts::column_texts(const column& values, int precision) : values_(values) {
    const char kind = values.type.kind();
    const auto size = static_cast<std::size_t>(values.type.size());
    if (kind == 'f' || kind == 'c') {
        const std::size_t half = kind == 'c' ? size / 2 : size;
        std::vector<long double> numbers(values.count);
        for (std::size_t i = 0; i < values.count; ++i)
            numbers[i] = real_at(half, values.at(i));
        real_.emplace(numbers, half, precision);
        if (kind == 'c') {
            for (std::size_t i = 0; i < values.count; ++i)
                numbers[i] = real_at(half, values.at(i) + half);
            imaginary_.emplace(numbers, half, precision, true);
        }
        return;
    }
    if (kind == 'b')
        width_ = 4 + (values.count == 0 ? 0 : 1);
    if (kind != 'i' && kind != 'u' && kind != 'M' && kind != 'm')
        return;
    for (std::size_t i = 0; i < values.count; ++i)
        width_ = std::max(width_, width_of(plain_text(values.type, values.at(i))));
}

std::string column_texts::at(std::size_t i) const {
    const auto* const value = values_.at(i);
    if (imaginary_) {
        const auto half = static_cast<std::size_t>(values_.type.size()) / 2;
        auto imaginary = imaginary_->text(real_at(half, value + half));
        imaginary.insert(imaginary.find_last_not_of(' ') + 1, 1, 'j');
        return real_->text(real_at(half, value)) + imaginary;
    }
    if (real_)
        return real_->text(real_at(static_cast<std::size_t>(values_.type.size()), value));
    return tool::right(plain_text(values_.type, value), width_);
}

std::string lone_time(const nk::dtype& native, std::int64_t count) {
    if (native.kind() == 'M' || count == not_a_time)
        return date_text(native, count);
    constexpr std::array<std::array<std::string_view, 2>, 13> names = {{{"Y", "years"},
                                                                        {"M", "months"},
                                                                        {"W", "weeks"},
                                                                        {"D", "days"},
                                                                        {"h", "hours"},
                                                                        {"m", "minutes"},
                                                                        {"s", "seconds"},
                                                                        {"ms", "milliseconds"},
                                                                        {"us", "microseconds"},
                                                                        {"ns", "nanoseconds"},
                                                                        {"ps", "picoseconds"},
                                                                        {"fs", "femtoseconds"},
                                                                        {"as", "attoseconds"}}};
    std::int64_t units = 0;
    if (__builtin_mul_overflow(count, native.multiple(), &units))
        return std::to_string(count);
    for (const auto& [unit, name] : names)
        if (unit == native.unit())
            return std::to_string(units) + ' ' + std::string(name);
    return std::to_string(units) + " generic time units";
}

std::string lone_value(const nk::dtype& native, const std::byte* value) {
    const auto size = static_cast<std::size_t>(native.size());
    switch (native.kind()) {
    case 'f':
        return scalar_text(real_at(size, value), size);
    case 'c':
        return complex_text(real_at(size / 2, value), real_at(size / 2, value + size / 2), size / 2);
    case 'M':
    case 'm':
        return lone_time(native, integer_at(native, value));
    case 'U':
        return shown(text_at(native, value));
    default:
        return plain_text(native, value);
    }
}

}  // namespace tool
