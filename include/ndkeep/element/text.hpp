// SPDX-License-Identifier: BSD-3-Clause
// Elements of fixed length: fixed_string (NumPy's S), fixed_u32string (U) and fixed_bytes (V).
#pragma once

#include <ndkeep/text/unicode.hpp>
#include <ndkeep/version.hpp>

#include <algorithm>
#include <array>
#include <compare>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

inline constexpr char32_t replacement_character = 0xfffd;

template <class Character, std::size_t N>
[[nodiscard]] constexpr std::size_t length_without_padding(const std::array<Character, N>& characters) noexcept {
    std::size_t length = N;
    while (length > 0 && characters[length - 1] == Character{})
        --length;
    return length;
}

/// Throws the mismatch_error of a text that is too long.
[[noreturn]] void refuse_text(std::size_t room, std::size_t length);

}  // namespace detail

/// NumPy's `S<N>`: text of up to N bytes, padded with NULs at the end. NULs inside belong to the text, NULs at the end
/// do not.
template <std::size_t N>
    requires(N > 0)
class fixed_string {
  public:
    constexpr fixed_string() = default;
    /// Text of at most N bytes.
    /// @throws mismatch_error  `text` has more than N bytes
    constexpr fixed_string(std::string_view text) {  // NOLINT: implicit, as std::string
        if (text.size() > N)
            detail::refuse_text(N, text.size());
        std::copy(text.begin(), text.end(), characters_.begin());
    }
    constexpr fixed_string(const char* text) : fixed_string(std::string_view(text)) {}  // NOLINT: implicit
    fixed_string(const std::string& text) : fixed_string(std::string_view(text)) {}     // NOLINT: implicit

    /// The text without the padding; it refers to this object.
    [[nodiscard]] constexpr std::string_view view() const noexcept { return {characters_.data(), size()}; }
    constexpr operator std::string_view() const noexcept { return view(); }  // NOLINT: implicit
    /// A copy of the text without the padding.
    [[nodiscard]] std::string str() const { return std::string(view()); }
    /// Bytes without the padding.
    [[nodiscard]] constexpr std::size_t size() const noexcept { return detail::length_without_padding(characters_); }
    /// Whether the text is empty.
    [[nodiscard]] constexpr bool empty() const noexcept { return size() == 0; }
    /// N, the longest text.
    [[nodiscard]] static constexpr std::size_t capacity() noexcept { return N; }

    friend constexpr bool operator==(const fixed_string& a, const fixed_string& b) noexcept {
        return a.view() == b.view();
    }
    friend constexpr auto operator<=>(const fixed_string& a, const fixed_string& b) noexcept {
        return a.view() <=> b.view();
    }
    template <class Text>
        requires std::convertible_to<const Text&, std::string_view>
    friend constexpr bool operator==(const fixed_string& a, const Text& b) noexcept {
        return a.view() == std::string_view(b);
    }

  private:
    std::array<char, N> characters_ = {};
};

/// NumPy's `U<N>`: text of up to N characters of four bytes, padded with NULs at the end.
template <std::size_t N>
    requires(N > 0)
class fixed_u32string {
  public:
    constexpr fixed_u32string() = default;
    /// Text of at most N characters.
    /// @throws mismatch_error  `text` has more than N characters
    constexpr fixed_u32string(std::u32string_view text) {  // NOLINT: implicit, as std::u32string
        if (text.size() > N)
            detail::refuse_text(N, text.size());
        std::copy(text.begin(), text.end(), characters_.begin());
    }
    constexpr fixed_u32string(const char32_t* text) : fixed_u32string(std::u32string_view(text)) {}  // NOLINT: implicit
    fixed_u32string(const std::u32string& text) : fixed_u32string(std::u32string_view(text)) {}      // NOLINT: implicit
    /// Converts from UTF-8. Invalid bytes and surrogates become U+FFFD.
    /// @throws mismatch_error  more than N characters
    [[nodiscard]] static fixed_u32string from_utf8(std::string_view text);

    /// The text without the padding; it refers to this object.
    [[nodiscard]] constexpr std::u32string_view view() const noexcept { return {characters_.data(), size()}; }
    constexpr operator std::u32string_view() const noexcept { return view(); }  // NOLINT: implicit
    /// A copy of the text without the padding.
    [[nodiscard]] std::u32string str() const { return std::u32string(view()); }
    /// Converts to UTF-8. Surrogates and values above U+10FFFF, which NumPy can store, become U+FFFD.
    [[nodiscard]] std::string utf8() const;
    /// Characters without the padding.
    [[nodiscard]] constexpr std::size_t size() const noexcept { return detail::length_without_padding(characters_); }
    /// Whether the text is empty.
    [[nodiscard]] constexpr bool empty() const noexcept { return size() == 0; }
    /// N, the longest text.
    [[nodiscard]] static constexpr std::size_t capacity() noexcept { return N; }

    friend constexpr bool operator==(const fixed_u32string& a, const fixed_u32string& b) noexcept {
        return a.view() == b.view();
    }
    friend constexpr auto operator<=>(const fixed_u32string& a, const fixed_u32string& b) noexcept {
        return a.view() <=> b.view();
    }
    template <class Text>
        requires std::convertible_to<const Text&, std::u32string_view>
    friend constexpr bool operator==(const fixed_u32string& a, const Text& b) noexcept {
        return a.view() == std::u32string_view(b);
    }

  private:
    std::array<char32_t, N> characters_ = {};
};

/// NumPy's `V<N>`: N bytes that NumPy does not interpret.
template <std::size_t N>
    requires(N > 0)
struct fixed_bytes {
    std::array<std::byte, N> bytes = {};  ///< all N, padding included
    friend constexpr bool operator==(const fixed_bytes&, const fixed_bytes&) = default;
};

template <std::size_t N>
    requires(N > 0)
fixed_u32string<N> fixed_u32string<N>::from_utf8(std::string_view text) {
    std::u32string characters;
    for (std::size_t at = 0; at < text.size();) {
        const auto [character, length] = detail::decode_utf8(text, at);
        const bool valid = length != 0 && !detail::is_surrogate(character);
        characters += valid ? character : detail::replacement_character;
        at += length != 0 ? length : 1;  // 0: not UTF-8, try again at the next byte
    }
    return characters;
}

template <std::size_t N>
    requires(N > 0)
std::string fixed_u32string<N>::utf8()
const {
    std::string out;
    for (const char32_t c : view())
        detail::append_utf8(out, c > 0x10ffff || detail::is_surrogate(c) ? detail::replacement_character : c);
    return out;
}

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/element/text.ipp>
#endif
