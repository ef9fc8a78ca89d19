// SPDX-License-Identifier: BSD-3-Clause
#include <ndkeep/text/python/literal.hpp>
#include <ndkeep/text/unicode.hpp>

#include "support/catch.hpp"

#include <string>
#include <string_view>

namespace format_literal_tests {

using ndkeep::format_error;
using ndkeep::literal;
using ndkeep::parse_literal;

namespace {

std::string read(std::string_view text, const ndkeep::literal_options& options = {}) {
    return parse_literal(text, {}, options).str();
}

bool refuses(std::string_view text, const ndkeep::literal_options& options = {}) {
    try {
        (void)parse_literal(text, {}, options);
        return false;
    } catch (const format_error& e) {
        return e.field() == options.field && !e.found().empty() && !e.expected().empty();
    }
}

std::string found_in(std::string_view text) {
    try {
        (void)parse_literal(text);
        return "accepted";
    } catch (const format_error& e) {
        return e.found();
    }
}

}  // namespace

TEST_CASE("a literal gives the value Python gives", "[format][literal]") {
    CHECK(read("None") == "None");
    CHECK(read("[True, False]") == "[True, False]");
    CHECK(read("{'a': (1, 2), 'b': [], }") == "{'a': (1, 2), 'b': []}");
    CHECK(read("()") == "()");
    CHECK(read("(3,)") == "(3,)");
    CHECK(read("((3))") == "3");
    CHECK(read("1, 2") == "(1, 2)");
    CHECK(read("1,") == "(1,)");
    CHECK(read("b'a\\xff'") == "b'a\\xff'");
}

TEST_CASE("integers are written in every way Python has", "[format][literal]") {
    CHECK(read("[0x1F, 0o17, 0b101, 1_000, +2, -3, 00, 0_0, -0]") == "[31, 15, 5, 1000, 2, -3, 0, 0, 0]");
    CHECK(read("[+(2), -((3))]") == "[2, -3]");
    CHECK(read("18446744073709551615") == "18446744073709551615");

    for (const auto* text : {"02", "2_", "1__0", "0_2", "_2", "0x", "0b2", "0o8", "++2", "+(+2)", "-(2,)", "2l", "1 2"})
        CHECK(refuses(text));
}

TEST_CASE("an integer beyond 64 bits is marked, not wrapped", "[format][literal]") {
    CHECK(parse_literal("18446744073709551616").too_large);
    CHECK(parse_literal("0x1_0000_0000_0000_0000").too_large);
    CHECK(parse_literal("-" + std::string(5000, '9')).negative);
    CHECK_FALSE(parse_literal("18446744073709551615").too_large);
}

TEST_CASE("the L of Python 2 is read only where it is told", "[format][literal]") {
    CHECK(read("(2L, 3 L, 0x4L, 5\\\nL)", {.long_suffix = true}) == "(2, 3, 4, 5)");

    CHECK(refuses("(2L, 3)"));
    CHECK(refuses("(2LL,)", {.long_suffix = true}));
    CHECK(refuses("(2l,)", {.long_suffix = true}));
    CHECK(refuses("(2\nL,)", {.long_suffix = true}));
    CHECK(refuses("('a' L,)", {.long_suffix = true}));
}

TEST_CASE("floating numbers are kept as they were written", "[format][literal]") {
    CHECK(read("[1.5, .5, 2., -1e5, 1_0.0_1e+1_0, 01.5]") == "[1.5, .5, 2., -1e5, 1_0.0_1e+1_0, 01.5]");

    for (const auto* text : {"1e", "1.e+", "1_.5", "1._5", "2j", "1+2j", "."})
        CHECK(refuses(text));
}

TEST_CASE("strings have all of Python's quotes, prefixes and escapes", "[format][literal]") {
    CHECK(parse_literal(R"('it''s')").text == "its");
    CHECK(parse_literal(R"("it's")").text == "it's");
    CHECK(parse_literal("'''a\r\n'b\r'''").text == "a\n'b\n");
    CHECK(parse_literal(R"("""a"b""")").text == "a\"b");
    CHECK(parse_literal(R"(r'\n' R"\"" u'\x41' U'\101')").text == "\\n\\\"AA");
    CHECK(parse_literal(R"('\u00e9\U0001f600\t\'\\\q\0')").text == std::string("é😀\t'\\\\q\0", 12));
    CHECK(parse_literal("'a\\\nb'").text == "ab");
    CHECK(parse_literal("('a'\n # between\n 'b')").text == "ab");

    for (const auto* text : {"'a", "'a\nb'", "'''a''", R"('\x4')", R"('\u12')", R"('\U00110000')", "f'a'", "ur'a'",
                             "'a' b'b'", "b'é'", R"('\N{BULLET}')"})
        CHECK(refuses(text));
}

TEST_CASE("a lone surrogate is kept and printed as an escape", "[format][literal]") {
    const auto value = parse_literal(R"('\ud800')");

    CHECK(value.text == "\xed\xa0\x80");
    CHECK(value.str() == R"('\ud800')");
}

TEST_CASE("blanks, comments and joined lines may stand between words", "[format][literal]") {
    CHECK(read(" \t{'a' # key\n :\f(1,\r\n\n 2) } # end\n\n # more") == "{'a': (1, 2)}");
    CHECK(read("\n# first\n1\n") == "1");
    CHECK(read("\\\n1") == "1");

    CHECK(found_in("\n 1") == "an indented line at character 3");
    CHECK(found_in("1\n2") == "'2' at character 3");
    CHECK(refuses("1;"));
    CHECK(refuses("1 \\"));
    CHECK(refuses("1\n\\\n"));
    CHECK(refuses("\v1"));
    CHECK(refuses("#"));
}

TEST_CASE("what is no literal is refused where it stands", "[format][literal][error]") {
    CHECK(found_in("") == "cut off at character 1");
    CHECK(found_in("{'a': é}") == "'é' at character 7");
    CHECK(found_in("['é', false]") == "'false' at character 7");
    CHECK(found_in(std::string_view("'a\0'", 4)) == "a NUL byte at character 3");
    CHECK(found_in("'\xff'") == "not UTF-8 at character 1");

    for (const auto* text : {"(1", "[1)", "{'a'}", "{1, 2}", "{,}", "(,)", "[1,,]", "{[]: 1}", "{({},): 1}", "{**{}}",
                             "set()", "1 + 1", "not 1", "...", "lambda: 1", "[i for i in []]", "true", "a"})
        CHECK(refuses(text));
}

TEST_CASE("brackets nest no deeper than they may", "[format][literal][error]") {
    const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };

    CHECK(read(nested(3), {.nesting = 3}) == "[[[]]]");
    CHECK(refuses(nested(4), {.nesting = 3}));
    CHECK(refuses(nested(65)));
    CHECK(refuses(std::string(100'000, '('), {.nesting = 1'000'000}));
    CHECK(refuses("-" + std::string(100'000, '('), {.nesting = 1'000'000}));
}

TEST_CASE("a long value is cut in errors, never within a character", "[format][literal]") {
    std::string list = "[";
    for (int i = 0; i < 300; ++i)
        list += "'é',";
    const auto shown = parse_literal(list + "]").str();

    CHECK(shown.size() < 210);
    CHECK(ndkeep::detail::is_utf8(shown));
}

}  // namespace format_literal_tests
