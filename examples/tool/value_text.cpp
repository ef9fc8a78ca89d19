// SPDX-License-Identifier: BSD-3-Clause
#include "value_text.hpp"

#include "output.hpp"
#include "time_text.hpp"
#include "values.hpp"

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/text/unicode.hpp>

#include <algorithm>
#include <string_view>

namespace tool {

namespace {

namespace nk = ndkeep;

[[nodiscard]] std::string right(std::string text, std::size_t width) {
    const std::size_t has = width_of(text);
    return std::string(width > has ? width - has : 0, ' ') + text;
}

/// Text as Python's repr of bytes.
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

/// The text of a value in a printed array, for dtypes whose text does not depend on the other values.
[[nodiscard]] std::string plain_text(const nk::dtype& type, const std::byte* value) {
    if (type.is_time()) {
        const bool is_count = type.kind() == 'm' && integer_at(type, value) != not_a_time;
        return is_count ? value_text(type, value) : '\'' + value_text(type, value) + '\'';
    }
    switch (type.kind()) {
    case 'S':
        return bytes_repr(text_at(type, value), false);
    case 'U':
        return nk::core::python_repr(text_at(type, value));
    case 'V':
        return bytes_repr({reinterpret_cast<const char*>(value), static_cast<std::size_t>(type.size())}, true);
    default:
        return value_text(type, value);
    }
}

/// The size that decides how many digits a number, or a part of it, is printed with. NumPy has digits for its own kind
/// f only: a bfloat16 has those of the float that holds it.
[[nodiscard]] std::size_t printed_size(const nk::dtype& type) {
    const auto size = static_cast<std::size_t>(type.size()) / number_parts(type);
    return type.kind() == 'f' ? size : std::max(size, sizeof(float));
}

}  // namespace

column_texts::column_texts(const column& values, int precision) : values_(values) {
    const auto& type = values.type;
    if (type.is_inexact()) {
        const std::size_t size = printed_size(type);
        std::vector<long double> numbers(values.count);
        for (std::size_t i = 0; i < values.count; ++i)
            numbers[i] = real_at(type, values.at(i));
        real_.emplace(numbers, size, precision);
        if (type.is_complex()) {
            for (std::size_t i = 0; i < values.count; ++i)
                numbers[i] = imaginary_at(type, values.at(i));
            imaginary_.emplace(numbers, size, precision, true);
        }
        return;
    }
    if (type.kind() == 'b')
        width_ = 4 + (values.count == 0 ? 0 : 1);
    if (!type.is_integer() && !type.is_time())
        return;
    for (std::size_t i = 0; i < values.count; ++i)
        width_ = std::max(width_, width_of(plain_text(type, values.at(i))));
}

std::string column_texts::at(std::size_t i) const {
    const auto* const value = values_.at(i);
    if (imaginary_) {
        auto imaginary = imaginary_->text(imaginary_at(values_.type, value));
        imaginary.insert(imaginary.find_last_not_of(' ') + 1, 1, 'j');
        return real_->text(real_at(values_.type, value)) + imaginary;
    }
    if (real_)
        return real_->text(real_at(values_.type, value));
    return tool::right(plain_text(values_.type, value), width_);
}

std::string value_text(const nk::dtype& type, const std::byte* value) {
    if (type.is_complex())
        return complex_text(real_at(type, value), imaginary_at(type, value), printed_size(type));
    if (type.is_floating_point())
        return scalar_text(real_at(type, value), printed_size(type));
    switch (type.kind()) {
    case 'b':
        return *value != std::byte{0} ? "True" : "False";
    case 'i':
        return std::to_string(integer_at(type, value));
    case 'u':
        return std::to_string(unsigned_at(type, value));
    case 'M':
        return date_text(type, integer_at(type, value));
    case 'm': {
        const auto count = integer_at(type, value);
        return count == not_a_time ? "NaT" : std::to_string(count);
    }
    case 'S':
    case 'U':
        return text_at(type, value);
    default:
        return nk::core::hex_text({value, static_cast<std::size_t>(type.size())});
    }
}

std::string lone_value(const nk::dtype& type, const std::byte* value) {
    if (type.is_time())
        return lone_time(type, integer_at(type, value));
    return type.kind() == 'U' ? shown(text_at(type, value)) : plain_text(type, value);
}

std::string extreme_text(const nk::dtype& type, const std::optional<nk::statistics::number>& of) {
    if (!of)
        return "-";
    const auto* const real = std::get_if<double>(&*of);
    if (real != nullptr)
        return scalar_text(*real, type.kind() == 'f' && type.size() <= 8 ? static_cast<std::size_t>(type.size()) : 8);
    if (type.is_time())
        return lone_time(type, *std::get_if<std::int64_t>(&*of));
    return nk::core::number_text(*of);
}

}  // namespace tool
