// SPDX-License-Identifier: BSD-3-Clause
// The words of Python source that literals are made of: blanks, names, numbers and strings.
#pragma once

#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI::detail {

[[nodiscard]] constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
[[nodiscard]] constexpr bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
[[nodiscard]] constexpr bool is_newline(char c) { return c == '\n' || c == '\r'; }

/// An integer, or a floating number as it was written.
struct scanned_number {
    bool floating = false;
    bool too_large = false;  // for 64 bits
    std::uint64_t magnitude = 0;
    std::string text = {};
};

/// A string with its escapes resolved.
struct scanned_string {
    bool bytes = false;
    std::string text = {};
};

class literal_scanner {
  public:
    /// @param field, file  named in errors
    literal_scanner(std::string_view text, std::string_view field, const std::filesystem::path& file, bool long_suffix);

    [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
    [[nodiscard]] char peek(std::size_t ahead = 0) const;

    [[noreturn]] void fail(std::string found, std::string expected) const;

    /// What stands here, for an error.
    [[nodiscard]] std::string here() const;

    /// Skips one character, and the blanks behind it.
    void step();

    /// Skips blanks, comments and joined lines; newlines only inside brackets.
    void skip_blanks();

    /// Skips what may stand before the value: Python minds indentation, except on the first line.
    void skip_indentation();

    void open_bracket(std::size_t deepest);

    void close_bracket(char bracket);

    /// From here to the end, only blanks and comments.
    void finish();

    /// Skips a name if it stands here, as a whole word.
    [[nodiscard]] bool take_name(std::string_view name);

    [[nodiscard]] bool at_number() const { return is_digit(peek()) || (peek() == '.' && is_digit(peek(1))); }

    [[nodiscard]] scanned_number number();

    [[nodiscard]] bool at_string() const { return prefix_length() != no_string; }

    /// One string, or several side by side.
    [[nodiscard]] scanned_string strings();

  private:
    static constexpr std::size_t no_string = std::numeric_limits<std::size_t>::max();

    void skip_newline() { at_ += peek() == '\r' && peek(1) == '\n' ? 2 : 1; }

    // Each underscore stands between two digits.
    void digits(unsigned base);

    void fraction_and_exponent();

    static void add_digit(scanned_number& out, unsigned base, unsigned digit);

    // NumPy drops the token L behind a number, however often it comes.
    void skip_suffix();

    void skip_joined();

    [[nodiscard]] std::size_t prefix_length() const;

    void string_body(scanned_string& out, bool raw);

    [[nodiscard]] static bool is_plain(char c);

    // One character as it stands; Python reads every newline as "\n".
    void plain(scanned_string& out);

    void escape(scanned_string& out);

    void coded(scanned_string& out, unsigned base, std::size_t least, std::size_t most);

    std::string_view text_;
    std::string_view field_;
    const std::filesystem::path& file_;
    bool long_suffix_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/text/python/scanner.ipp>
#endif
