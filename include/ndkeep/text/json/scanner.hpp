// SPDX-License-Identifier: BSD-3-Clause
// The words of JSON text: punctuation, strings and numbers, bounded in depth and in the number of values.
#pragma once

#include <ndkeep/limits.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI::core {

/// How many values a document may hold.
struct json_bound {
    std::size_t values = limits{}.json_values;
    std::string_view hint = {};  ///< how the caller raises it; empty if nothing does
};

}  // namespace ndkeep::core

namespace ndkeep::inline NDKEEP_ABI::detail {

inline constexpr std::size_t deepest_json = 128;

[[nodiscard]] json_bound bound_of(const limits& limit);

/// Reads the words of JSON text one by one, whatever they are put together to.
class json_scanner {
  public:
    /// @param file  named in errors
    json_scanner(std::string_view text, const std::filesystem::path& file, const json_bound& bound = {})
        : text_(text), file_(file), bound_(bound) {}

  protected:
    void begin();
    void end() const;

    [[noreturn]] void refuse(std::string expected, std::string found, std::string_view hint = {}) const;
    [[noreturn]] void broken() const { refuse("valid JSON", "broken at byte " + std::to_string(at_ + 1)); }

    /// NUL at the end, which no grammar takes, as it takes none in the text.
    [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    void skip_blanks();
    [[nodiscard]] bool take(char sign);
    void need(char sign);
    void need_word(std::string_view word);

    /// Called before a value is built: a value takes many times as much memory as its text.
    void count_value();

    void open(char bracket);
    void close(char bracket);

    [[nodiscard]] std::string string();

    void escape(std::string& out);

    /// The u and four digits of \uXXXX.
    [[nodiscard]] char32_t code_unit();

    [[nodiscard]] bool is_digit() const { return peek() >= '0' && peek() <= '9'; }
    void need_digits();

    /// Integers are exact as far as 64 bits hold them.
    struct scanned_number {
        enum { count, negative, real } is = real;
        std::uint64_t magnitude = 0;  // of a count or a negative integer
        double value = 0;             // of a real number
    };

    [[nodiscard]] scanned_number number();

  private:
    /// False where 64 bits are too few.
    [[nodiscard]] static bool integer(scanned_number& out, std::string_view digits, bool negative);

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
