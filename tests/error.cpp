// SPDX-License-Identifier: BSD-3-Clause
#include <ndkeep/error.hpp>

#include "support/catch.hpp"

#include <string>

namespace error_tests {

using namespace ndkeep;
using namespace std::string_view_literals;

TEST_CASE("no part of an error's sentence reaches a terminal as a command", "[error]") {
    const std::string name = "red\x1b[31m\n\x7f\xc2\x9b.npy";
    const format_error e({.file = name, .field = "a\rb", .expected = "c\x07", .found = "\xc2\x80", .hint = "d\te"});

    CHECK(std::string(e.what()) == R"(red\x1b[31m\x0a\x7f\xc2\x9b.npy: a\x0db is \xc2\x80, expected c\x07 (d\x09e))");
    CHECK(e.file() == name);
    CHECK(e.field() == "a\rb");
    CHECK(e.expected() == "c\x07");
    CHECK(e.found() == "\xc2\x80");
    CHECK(e.hint() == "d\te");
}

TEST_CASE("an io_error escapes the name of its file too", "[error]") {
    const io_error e("a\x1b]0;b\x07", "cannot open", std::make_error_code(std::errc::permission_denied));

    CHECK(std::string(e.what()).find(R"(a\x1b]0;b\x07: cannot open: )") == 0);
    CHECK(e.file() == "a\x1b]0;b\x07");
}

TEST_CASE("quoted text keeps what can be seen and escapes all else", "[error]") {
    CHECK(quoted("größe ☃ 😀 a\\b"sv) == "'größe ☃ 😀 a\\b'");
    CHECK(quoted("\xc2\xa0\xf4\x8f\xbf\xbf"sv) == "'\xc2\xa0\xf4\x8f\xbf\xbf'");
    CHECK(quoted("a\x1b\x7f\n"sv) == R"('a\x1b\x7f\x0a')");
    CHECK(quoted("\xc2\x80 \xc2\x9f"sv) == R"('\xc2\x80 \xc2\x9f')");
    CHECK(quoted("\xe2\x80\xae \xe2\x81\xa6"sv) == R"('\xe2\x80\xae \xe2\x81\xa6')");
    CHECK(quoted("\xd8\x9c \xe2\x80\x8e \xe2\x80\x8f"sv) == R"('\xd8\x9c \xe2\x80\x8e \xe2\x80\x8f')");
    // Invalid UTF-8: lone bytes, truncated sequences, overlong forms, surrogates, values above the last character.
    CHECK(quoted("\x93NUMPY \x9b"sv) == R"('\x93NUMPY \x9b')");
    CHECK(quoted("a\xe2\x98"sv) == R"('a\xe2\x98')");
    CHECK(quoted("\xc0\x9b \xe0\x82\x9b \xf0\x80\x82\x9b"sv) == R"('\xc0\x9b \xe0\x82\x9b \xf0\x80\x82\x9b')");
    CHECK(quoted("\xed\xa0\x80 \xf4\x90\x80\x80"sv) == R"('\xed\xa0\x80 \xf4\x90\x80\x80')");
    CHECK(quoted(std::string(201, 'x')) == "'" + std::string(200, 'x') + "…'");
}

}  // namespace error_tests
