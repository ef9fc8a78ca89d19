// SPDX-License-Identifier: BSD-3-Clause
// The tokens of JSON text: punctuation, strings and numbers, with limits on depth and number of values.
#pragma once

#include <ndkeep/limits.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI::core {

/// The largest number of values in a document.
struct json_bound {
    std::size_t values = limits{}.json_values;
    std::string_view hint = {};  ///< tells in an error how to raise the limit; empty if it is fixed
};

}  // namespace ndkeep::core

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The largest number of nested brackets. Parsing and printing recurse, so this bounds the stack.
inline constexpr std::size_t deepest_json = 128;

/// The bound that a caller's limits set.
[[nodiscard]] json_bound bound_of(const limits& limit);

/// A parsed number. Integers are exact if 64 bits can hold them; other numbers are doubles.
struct number_token {
    enum { count, negative, real } is = real;
    std::uint64_t magnitude = 0;  // of a count or a negative integer
    double value = 0;             // of a real number
};

/// Reads the tokens of JSON text one by one. Its user combines them to values.
class json_scanner {
  public:
    /// @param text, file  must outlive the scanner; the file is named in errors
    json_scanner(std::string_view text, const std::filesystem::path& file, const json_bound& bound = {})
        : text_(text), file_(file), bound_(bound) {}

    /// Skips a byte order mark and blanks.
    void begin();
    /// Checks that nothing follows the value.
    void end() const;

    /// The current character; NUL at the end. JSON allows NUL nowhere, so the end needs no test of its own.
    [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    /// Skips `sign` and the blanks after it, if it is the current character.
    [[nodiscard]] bool take(char sign);
    void need(char sign);
    void need_word(std::string_view word);

    /// Counts a value before it is built, because a value takes many times as much memory as its text.
    void count_value();

    void open(char bracket);
    void close(char bracket);

    /// Reads a string and resolves its escapes.
    [[nodiscard]] std::string string();

    [[nodiscard]] number_token number();

  private:
    [[noreturn]] void refuse(std::string expected, std::string found, std::string_view hint = {}) const;
    [[noreturn]] void broken() const { refuse("valid JSON", "broken at byte " + std::to_string(at_ + 1)); }

    void skip_blanks();

    void escape(std::string& out);

    /// Reads the u and the four digits of \uXXXX.
    [[nodiscard]] char32_t code_unit();

    void need_digits();

    /// Parses an integer; returns false if 64 bits cannot hold it.
    [[nodiscard]] static bool integer(number_token& out, std::string_view digits, bool negative);

    /// Parses a double. The number at `start` is rejected if it is beyond the largest one.
    [[nodiscard]] double real(std::string text, std::size_t start);

    std::string_view text_;
    const std::filesystem::path& file_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
    json_bound bound_;
    std::size_t values_ = 0;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/text/json/scanner.ipp>
#endif
