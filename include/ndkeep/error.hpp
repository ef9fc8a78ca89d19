// SPDX-License-Identifier: BSD-3-Clause
// The kinds of error, and the one sentence they print.
#pragma once

#include <ndkeep/version.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace ndkeep {

/// What an error is about. Every part may be empty except `field` or `found`.
///
/// The sentence is `file: field is found, expected expected (hint)`, with what is empty left out and what a terminal
/// would obey as \xNN. The parts themselves stay as they are.
struct error_parts {
    std::filesystem::path file = {};
    std::string field = {};     ///< what was looked at: "dtype", "shape", "data", "member 'x'", …
    std::string expected = {};  ///< quoted if it is text of the file
    std::string found = {};
    std::string hint = {};  ///< what the caller can do about it
};

namespace detail {

/// Bytes of the first character of `text`, if a terminal shows it. 0 if it would obey it: control characters (C0, DEL
/// and C1), and those that change the direction of writing, which make a name look like another. 0 if it is not UTF-8
/// too: other terminals obey such bytes.
/// @see Unicode 15, table 3-7
[[nodiscard]] constexpr std::size_t shown_length(std::string_view text) {
    const auto byte = [text](std::size_t i) -> unsigned {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
    };
    const unsigned first = byte(0), second = byte(1), third = byte(2);
    if (first < 0x80)
        return first >= 0x20 && first != 0x7f ? 1 : 0;
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0) != 0x80)
            return 0;
    const bool is_utf8 = first >= 0xc2 && first <= 0xf4 && (first != 0xe0 || second >= 0xa0) &&
                         (first != 0xed || second < 0xa0) && (first != 0xf0 || second >= 0x90) &&
                         (first != 0xf4 || second < 0x90);
    const bool is_c1 = first == 0xc2 && second < 0xa0;
    const bool turns = first == 0xe2 && ((second == 0x80 && third >= 0xaa && third <= 0xae) ||  // U+202A to U+202E
                                         (second == 0x81 && third >= 0xa6 && third <= 0xa9));   // U+2066 to U+2069
    return is_utf8 && !is_c1 && !turns ? length : 0;
}

/// `text` with what a terminal would obey as \xNN, so that a file cannot write to the reader's terminal. What is
/// escaped already stays as it is.
[[nodiscard]] inline std::string escaped(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = shown_length(text);
        if (length == 0) {
            const auto byte = static_cast<unsigned char>(text.front());
            out += "\\x";
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
        out += text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out;
}

[[nodiscard]] inline std::string sentence(const error_parts& parts) {
    std::string text = parts.file.string();
    const auto add = [&text](std::string_view glue, std::string_view words) {
        if (words.empty())
            return;
        if (!text.empty())
            text += glue;
        text += words;
    };
    add(": ", parts.field);
    add(parts.field.empty() ? ": " : " is ", parts.found);
    if (!parts.expected.empty())
        text += (parts.found.empty() ? " is not " : ", expected ") + parts.expected;
    if (!parts.hint.empty())
        text += " (" + parts.hint + ")";
    return escaped(text);
}

}  // namespace detail

/// Base of everything ndkeep throws on its own account.
class error : public std::runtime_error {
  public:
    explicit error(error_parts parts) : std::runtime_error(detail::sentence(parts)), parts_(std::move(parts)) {}

    [[nodiscard]] const std::filesystem::path& file() const noexcept { return parts_.file; }
    [[nodiscard]] const std::string& field() const noexcept { return parts_.field; }
    [[nodiscard]] const std::string& expected() const noexcept { return parts_.expected; }
    [[nodiscard]] const std::string& found() const noexcept { return parts_.found; }
    [[nodiscard]] const std::string& hint() const noexcept { return parts_.hint; }
    [[nodiscard]] const error_parts& parts() const noexcept { return parts_; }

  private:
    error_parts parts_;
};

/// The operating system refused: no such file, no permission, disk full. `code()` is its reason.
class io_error : public error {
  public:
    /// @param what  what was tried, as in "cannot open"
    io_error(std::filesystem::path file, std::string_view what, std::error_code code, std::string hint = {})
        : error({.file = std::move(file), .found = std::string(what) + ": " + code.message(), .hint = std::move(hint)}),
          code_(code) {}

    [[nodiscard]] const std::error_code& code() const noexcept { return code_; }

  private:
    std::error_code code_;
};

/// The bytes are not what their format demands: wrong magic, a header that lies, a file cut short.
class format_error : public error {
    using error::error;
};

namespace detail {

[[nodiscard]] inline format_error malformed(const std::filesystem::path& file, std::string field, std::string expected,
                                            std::string found, std::string hint = {}) {
    return format_error({.file = file,
                         .field = std::move(field),
                         .expected = std::move(expected),
                         .found = std::move(found),
                         .hint = std::move(hint)});
}

}  // namespace detail

/// The bytes are fine, and not what was asked for: another dtype, rank, shape, order.
class mismatch_error : public error {
    using error::error;
};

/// The bytes are not the ones that were written.
class checksum_error : public error {
    using error::error;
};

/// Somebody else was first: a concurrent writer, a file that is already there.
class conflict_error : public error {
    using error::error;
};

/// `text` in single quotes, as Python prints it when it holds no quote itself; what a terminal would obey as \xNN. Cut
/// after 200 bytes.
[[nodiscard]] inline std::string quoted(std::string_view text) {
    constexpr std::size_t longest = 200;
    const bool is_cut = text.size() > longest;
    std::string out = "'";
    out += detail::escaped(text.substr(0, longest));
    out += is_cut ? "…'" : "'";
    return out;
}

/// Preferred to std::quoted, which argument-dependent lookup finds too.
[[nodiscard]] inline std::string quoted(const std::string& text) { return quoted(std::string_view(text)); }

/// "1 byte", "80 bytes", "3 dimensions".
[[nodiscard]] inline std::string counted(std::unsigned_integral auto count, std::string_view noun) {
    return std::to_string(count) + ' ' + std::string(noun) + (count == 1 ? "" : "s");
}

/// A shape as NumPy writes it: "()", "(3,)", "(3, 4)".
template <class Range>
[[nodiscard]] std::string shape_text(const Range& shape) {
    std::string out = "(";
    std::size_t rank = 0;
    for (const auto& extent : shape) {
        if (rank++ != 0)
            out += ", ";
        out += std::to_string(extent);
    }
    return out + (rank == 1 ? ",)" : ")");
}

}  // namespace ndkeep
