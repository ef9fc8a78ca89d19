// SPDX-License-Identifier: BSD-3-Clause
// The tokens of Python literals: blanks, names, numbers and strings.
#pragma once

#include <ndkeep/text/ascii.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Whether a byte can be part of a Python name. All bytes beyond ASCII count: no literal has them outside of strings.
[[nodiscard]] constexpr bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
[[nodiscard]] constexpr bool is_newline(char c) { return c == '\n' || c == '\r'; }

/// An integer, or a floating number as it was written.
struct literal_number {
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

/// Reads the tokens of a Python literal one by one.
class literal_scanner {
  public:
    /// @param text, field, file  must outlive the scanner; the last two are named in errors
    /// @param long_suffix        accept `2L`, as Python 2 wrote it
    /// @throws format_error      not UTF-8, or a NUL byte
    literal_scanner(std::string_view text, std::string_view field, const std::filesystem::path& file, bool long_suffix);

    [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
    /// The byte `ahead` of the current position; NUL after the end.
    [[nodiscard]] char peek(std::size_t ahead = 0) const;

    /// @throws format_error  always; adds the position, counted in characters from 1
    [[noreturn]] void fail(std::string found, std::string expected) const;

    /// The token at the current position, for errors.
    [[nodiscard]] std::string here() const;

    /// Skips one character and the blanks after it.
    void step();

    /// Skips blanks, comments and joined lines. Newlines are blanks only inside brackets; elsewhere they end the
    /// value.
    void skip_blanks();

    /// Skips blanks, newlines and comments before the value. Rejects an indented line, as Python does, except if it is
    /// the first.
    void skip_indentation();

    /// Skips an opening bracket.
    /// @throws format_error  more than `deepest` brackets are open
    void open_bracket(std::size_t deepest);

    /// Skips a closing bracket.
    /// @throws format_error  another character
    void close_bracket(char bracket);

    /// Checks that only blanks, newlines and comments remain.
    void finish();

    /// Skips `name` if it is the current token, and returns whether it was.
    [[nodiscard]] bool take_name(std::string_view name);

    [[nodiscard]] bool at_number() const { return is_digit(peek()) || (peek() == '.' && is_digit(peek(1))); }

    /// Reads a number without a sign.
    [[nodiscard]] literal_number number();

    [[nodiscard]] bool at_string() const { return prefix_length() != no_string; }

    /// Reads one string, or several adjacent ones, which Python joins.
    [[nodiscard]] scanned_string strings();

  private:
    static constexpr std::size_t no_string = std::numeric_limits<std::size_t>::max();

    void skip_newline() { at_ += peek() == '\r' && peek(1) == '\n' ? 2 : 1; }

    // Skips digits. An underscore must be between two of them.
    void digits(unsigned base);

    void fraction_and_exponent();

    static void add_digit(literal_number& out, unsigned base, unsigned digit);

    // Skips the suffix L. NumPy removes each token L after a number, however many there are.
    void skip_suffix();

    // Skips blanks and joined lines, but no newlines.
    void skip_joined();

    // Letters before the quote of a string; `no_string` if there is no string.
    [[nodiscard]] std::size_t prefix_length() const;

    void string_body(scanned_string& out, bool raw);

    // Whether a byte of a string needs no special treatment, so that runs of them can be copied at once.
    [[nodiscard]] static bool is_plain(char c);

    // Reads one byte without an escape. Python reads every kind of newline as "\n".
    void plain(scanned_string& out);

    void escape(scanned_string& out);

    // Reads an escape by number, with `least` to `most` digits.
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
