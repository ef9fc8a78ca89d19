// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/element/text.hpp>

#include <cstring>
#include <string>
#include <type_traits>

namespace array_text_tests {

using ndkeep::fixed_bytes;
using ndkeep::fixed_string;
using ndkeep::fixed_u32string;
using namespace std::string_literals;
using namespace std::string_view_literals;

TEST_CASE("strings of fixed length are as long as their text, without the padding", "[array][text]") {
    const fixed_string<5> none;
    const fixed_string<5> some = "abc";
    const fixed_string<5> full = "abcde"s;

    CHECK(none.empty());
    CHECK(none.size() == 0);
    CHECK(some.size() == 3);
    CHECK(some.view() == "abc");
    CHECK(some.str() == "abc"s);
    CHECK(full.view() == "abcde"sv);
    CHECK(fixed_string<5>::capacity() == 5);
    STATIC_REQUIRE(sizeof(fixed_string<5>) == 5);
    STATIC_REQUIRE(sizeof(fixed_u32string<5>) == 20);
    STATIC_REQUIRE(sizeof(fixed_bytes<5>) == 5);
    STATIC_REQUIRE(std::is_trivially_copyable_v<fixed_string<5>>);
    STATIC_REQUIRE(std::is_trivially_copyable_v<fixed_u32string<5>>);
}

TEST_CASE("NULs inside a text are part of it, those at its end are not, as in NumPy", "[array][text]") {
    CHECK(fixed_string<5>("a\0b"sv).view() == "a\0b"sv);
    CHECK(fixed_string<5>("ab\0\0"sv).view() == "ab"sv);
    CHECK(fixed_string<5>("\0\0"sv).empty());
    CHECK(fixed_u32string<3>(U"a\0b"sv).size() == 3);
    CHECK(fixed_u32string<3>(U"a\0"sv).size() == 1);
}

TEST_CASE("what is behind the text are NULs", "[array][text]") {
    std::string bytes(5, '?');
    const fixed_string<5> text = "ab";
    std::memcpy(bytes.data(), &text, 5);

    CHECK(bytes == "ab\0\0\0"s);
}

TEST_CASE("text that does not fit is refused, never cut", "[array][text]") {
    const auto e = thrown<ndkeep::mismatch_error>([] { (void)fixed_string<2>("abc"); });

    CHECK(e.field() == "text");
    CHECK(e.expected() == "at most 2 characters");
    CHECK(e.found() == "3 characters");
    CHECK_THROWS_AS(fixed_u32string<1>(U"ab"), ndkeep::mismatch_error);
    CHECK_THROWS_AS(fixed_u32string<2>::from_utf8("abc"), ndkeep::mismatch_error);
}

TEST_CASE("strings of fixed length compare with each other and with strings", "[array][text]") {
    const fixed_string<4> a = "a";
    const fixed_string<4> b = "b";

    CHECK(a == fixed_string<4>("a"));
    CHECK(a != b);
    CHECK(a < b);
    CHECK(fixed_string<4>("") < a);
    CHECK(a < fixed_string<4>("ab"));
    CHECK(a == "a");
    CHECK("a"sv == a);
    CHECK(a == "a"s);
    CHECK(a != "ab");
    CHECK(fixed_u32string<4>(U"ä") == U"ä");
    CHECK(fixed_u32string<4>(U"ä") == U"ä"s);
    CHECK(fixed_u32string<4>(U"a") < fixed_u32string<4>(U"ä"));
    const std::string_view view = a;
    CHECK(view == "a");
}

TEST_CASE("bytes above 127 order as bytes", "[array][text]") {
    CHECK(fixed_string<2>("\x7f") < fixed_string<2>("\x80"));
}

TEST_CASE("Unicode text converts from and to UTF-8", "[array][text]") {
    const std::string text = "aä€😀";
    const auto fixed = fixed_u32string<6>::from_utf8(text);

    CHECK(fixed.size() == 4);
    CHECK(fixed.view() == U"aä€😀"sv);
    CHECK(fixed.utf8() == text);
    CHECK(fixed.str() == U"aä€😀"s);
}

TEST_CASE("what is no UTF-8 becomes the replacement character", "[array][text]") {
    const auto converted = [](std::string_view text) { return fixed_u32string<8>::from_utf8(text).str(); };

    CHECK(converted("a\xff"
                    "b") == U"a\xfffd"
                            "b");
    CHECK(converted("\xc3") == U"\xfffd");
    CHECK(converted("\xc0\x80").find(U'\0') == std::u32string::npos);
    CHECK(converted("\xed\xa0\x80").find(0xd800) == std::u32string::npos);
    CHECK(converted("\xf4\x90\x80\x80").find(0x110000) == std::u32string::npos);
}

TEST_CASE("characters that are no Unicode are written as the replacement character", "[array][text]") {
    const fixed_u32string<3> odd(std::u32string{U'a', char32_t{0xd800}, char32_t{0x110000}});

    CHECK(odd.utf8() == "a\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_CASE("text of fixed length is usable at compile time", "[array][text]") {
    constexpr fixed_string<4> a = "ab";
    STATIC_REQUIRE(a.size() == 2);
    STATIC_REQUIRE(a == "ab");
    STATIC_REQUIRE(fixed_u32string<4>(U"ab").view() == U"ab"sv);
}

TEST_CASE("opaque bytes are equal byte by byte", "[array][text]") {
    const fixed_bytes<2> a = {{std::byte{1}, std::byte{0}}};
    const fixed_bytes<2> b = {{std::byte{1}}};

    CHECK(a == b);
    CHECK(!(a == fixed_bytes<2>{}));
}

}  // namespace array_text_tests
