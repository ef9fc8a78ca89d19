// SPDX-License-Identifier: BSD-3-Clause
#include <ndkeep/text/json/print.hpp>

#include "support/rounding.hpp"
#include "support/temp_dir.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace format_json_tests {

using ndkeep::format_error;
using ndkeep::json;
using ndkeep::detail::json_text;

namespace {

json read(std::string_view text) { return ndkeep::detail::parsed_json(text, "t.npy.json"); }

/// The `found` part of the error, or "accepted".
std::string found_in(std::string_view text) {
    try {
        (void)read(text);
        return "accepted";
    } catch (const format_error& e) {
        return e.found();
    }
}

bool accepts(std::string_view text) { return found_in(text) == "accepted"; }

std::string nested(std::size_t levels, char open, char close) {
    return std::string(levels, open) + std::string(levels, close);
}

/// Equal in kind and in every bit: nlohmann considers 1, 1u and 1.0 equal, and also 0.0 and -0.0.
bool same(const json& a, const json& b) {
    if (a.type() != b.type() || a.size() != b.size())
        return false;
    if (a.is_number_float())
        return std::bit_cast<std::uint64_t>(a.get<double>()) == std::bit_cast<std::uint64_t>(b.get<double>());
    if (!a.is_structured())
        return a == b;
    for (auto x = a.begin(), y = b.begin(); x != a.end(); ++x, ++y)
        if ((a.is_object() && x.key() != y.key()) || !same(*x, *y))
            return false;
    return true;
}

}  // namespace

TEST_CASE("JSON of every kind is read as nlohmann reads it", "[format][json]") {
    for (const auto* const text : {"null",
                                   "true",
                                   "false",
                                   "0",
                                   "-0",
                                   "1",
                                   "-1",
                                   "1.0",
                                   "-0.0",
                                   "1e3",
                                   "1E+3",
                                   "1e-3",
                                   "0.5e1",
                                   "[]",
                                   "{}",
                                   "\"\"",
                                   "[1, [2, [3]], {}]",
                                   R"({"a": {"b": [null, true]}, "c": "d"})",
                                   " \t\r\n[ 1 , 2 ] \n",
                                   "\xef\xbb\xbf{}"}) {
        CAPTURE(text);
        CHECK(same(read(text), json::parse(text)));
    }
}

TEST_CASE("JSON strings have every escape", "[format][json]") {
    CHECK(read(R"("\"\\\/\b\f\n\r\t")") == "\"\\/\b\f\n\r\t");
    CHECK(read(R"("\u0041\u00e9\u20ac\u20AC")") == "Aé€€");
    CHECK(read(R"("\ud83d\ude00 \uD800\uDC00 \udbff\udfff")") == "😀 \U00010000 \U0010ffff");
    CHECK(read(R"("a\u0000b")") == std::string("a\0b", 3));
    CHECK(read("\"\x7f é€😀\"") == "\x7f é€😀");
}

TEST_CASE("JSON strings that are not text are refused", "[format][json]") {
    for (const std::string text : {R"("\ud83d")",
                                   R"("\ud83dx")",
                                   R"("\ud83d\n")",
                                   R"("\ud83d\u0041")",
                                   R"("\ud83d\ud83d")",
                                   R"("\ude00")",
                                   R"("\ude00\ud83d")",
                                   R"("\u12")",
                                   R"("\u12g4")",
                                   R"("\U0041")",
                                   R"("\x41")",
                                   R"("\a")",
                                   R"("\0")",
                                   R"("\'")",
                                   "\"\\",
                                   "\"\\u",
                                   "\"\\ud83d\\",
                                   "\"a",
                                   "\"",
                                   "'a'",
                                   "\"a\nb\"",
                                   "\"a\tb\"",
                                   "\"\x1f\"",
                                   "\"\x80\"",
                                   "\"\xc0\x80\"",
                                   "\"\xc3\"",
                                   "\"\xc3",
                                   "\"\xed\xa0\x80\"",
                                   "\"\xf4\x90\x80\x80\"",
                                   "\"\xff\""}) {
        CAPTURE(text);
        CHECK_FALSE(accepts(text));
    }
    CHECK_FALSE(accepts(std::string_view("\"a\0b\"", 5)));
}

TEST_CASE("JSON integers are exact as far as 64 bits hold them, and doubles beyond", "[format][json]") {
    CHECK(read("18446744073709551615").get_ptr<const json::number_unsigned_t*>() != nullptr);
    CHECK(read("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
    CHECK(read("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
    CHECK(read("9223372036854775808") == std::uint64_t{1} << 63);

    CHECK(same(read("18446744073709551616"), json(18446744073709551616.0)));
    CHECK(same(read("-9223372036854775809"), json(-9223372036854775809.0)));
}

TEST_CASE("JSON numbers smaller than any double are zero, larger ones are refused", "[format][json]") {
    CHECK(same(read("4.9406564584124654e-324"), json(std::numeric_limits<double>::denorm_min())));
    CHECK(same(read("1.7976931348623157e308"), json(std::numeric_limits<double>::max())));
    CHECK(same(read("1e-999"), json(0.0)));
    CHECK(same(read("-1.5e-999"), json(-0.0)));
    CHECK(same(read("0." + std::string(400, '0') + "1"), json(0.0)));
    CHECK(same(read("1" + std::string(400, '0') + "e-400"), json(1.0)));

    CHECK(found_in("[1, 1e999]") == "broken at byte 5");
    CHECK_FALSE(accepts("-1.8e308"));
    CHECK_FALSE(accepts("1" + std::string(400, '0')));
}

TEST_CASE("JSON numbers of another grammar are refused", "[format][json]") {
    for (const auto* const text :
         {"01",    "-",   "-a",  "+1",  ".5",       "1.",        "1.e3", "1e", "1e+", "1e+-2", "0x10",
          "1_000", "--1", "-01", "NaN", "Infinity", "-Infinity", "nan",  "1f", "1,2", "1 2"}) {
        CAPTURE(text);
        CHECK_FALSE(accepts(text));
    }
}

TEST_CASE("JSON that is not whole, or not alone, is refused", "[format][json]") {
    for (const auto* const text : {"",
                                   " ",
                                   "[",
                                   "]",
                                   "{",
                                   "}",
                                   "[1",
                                   "[1,",
                                   "[1,]",
                                   "[,1]",
                                   "[1 2]",
                                   "[1}",
                                   "{]",
                                   R"({"a"})",
                                   R"({"a":})",
                                   R"({"a" 1})",
                                   R"({"a":1,})",
                                   R"({,"a":1})",
                                   R"({a:1})",
                                   R"({1:1})",
                                   R"({"a":1)",
                                   R"({"a":1])",
                                   "{} {}",
                                   "[] x",
                                   "nul",
                                   "nulll",
                                   "True",
                                   "tru",
                                   "[true,flase]",
                                   "// a\n1",
                                   "/* a */ 1",
                                   "1 // a",
                                   "\xef\xbb\xbf",
                                   "\xef\xbb\xbf\xef\xbb\xbf"
                                   "1",
                                   "\xef\xbb"}) {
        CAPTURE(text);
        CHECK_FALSE(accepts(text));
    }
    CHECK_FALSE(accepts(std::string_view("1\0", 2)));
    CHECK_FALSE(accepts(std::string_view("\0", 1)));
}

TEST_CASE("of JSON members with the same name the last one stays", "[format][json]") {
    CHECK(read(R"({"a": 1, "b": 2, "a": [3]})") == json{{"a", {3}}, {"b", 2}});
}

TEST_CASE("errors of JSON name the file, and the byte where it broke, from 1 on", "[format][json][error]") {
    const auto error = thrown<format_error>([] { (void)read("{\"a\": tru}"); });

    CHECK(error.file() == "t.npy.json");
    CHECK(error.field() == "JSON text");
    CHECK(error.expected() == "valid JSON");
    CHECK(error.found() == "broken at byte 10");
    CHECK(found_in("") == "broken at byte 1");
    CHECK(found_in("[1,]") == "broken at byte 4");
    CHECK(found_in("[1") == "broken at byte 3");
    CHECK(found_in("{} 7") == "broken at byte 4");
}

TEST_CASE("JSON may be nested 128 levels deep, whatever the text holds", "[format][json]") {
    CHECK(accepts(nested(128, '[', ']')));
    CHECK(found_in(nested(128, '[', 'x')) == "broken at byte 129");

    const auto error = thrown<format_error>([] { (void)read(nested(129, '[', ']')); });
    CHECK(error.field() == "JSON text");
    CHECK(error.expected() == "at most 128 levels");
    CHECK(error.found() == "nested deeper");
    CHECK(found_in(std::string(1'000'000, '[')) == "nested deeper");

    std::string objects;
    for (int i = 0; i < 100'000; ++i)
        objects += "{\"a\":";
    CHECK(found_in(objects) == "nested deeper");

    std::string many = "[[]";
    for (int i = 0; i < 1000; ++i)
        many += ",[]";
    CHECK(accepts(many + ']'));  // lists next to each other are not nested
}

TEST_CASE("mutated JSON is taken and refused as nlohmann does", "[format][json]") {
    const std::vector<std::string> seeds = {
        R"({"ndkeep": "sidecar/1", "array": {"dtype": "<f8", "shape": [3, 4], "order": "C", "nbytes": 96}, "x": -1.5e-3})",
        R"([0, -0, 1.25, 1e10, -7, 18446744073709551615, 1E-2, true, false, null, [], {}, [[1], {"a": []}]])",
        R"({"text": "a\"b\\c\/d\b\f\n\r\t\u00e9\ud83d\ude00 é€😀", "": "", "a": "b", "a": {"a": null}})"};
    const std::string signs = "{}[]:,\"\\/ue+-.0159tfnalsr \t\n\x7f\xc3\xa9\xed\xa0\xf0\x9f\xff\x01";
    std::mt19937 random(7);
    const auto below = [&random](std::size_t count) { return static_cast<std::size_t>(random()) % count; };
    std::size_t taken = 0, refused = 0;

    for (int round = 0; round < 30'000; ++round) {
        std::string text = seeds[below(seeds.size())];
        for (std::size_t edits = 1 + below(3); edits > 0 && !text.empty(); --edits) {
            const std::size_t at = below(text.size());
            switch (below(5)) {
            case 0:
                text[at] = signs[below(signs.size())];
                break;
            case 1:
                text.insert(at, 1, signs[below(signs.size())]);
                break;
            case 2:
                text.erase(at, 1 + below(3));
                break;
            case 3:
                text.insert(at, text.substr(below(text.size()), below(12)));
                break;
            default:
                text[at] = static_cast<char>(1 + below(255));  // not NUL, where nlohmann stops reading
            }
        }
        const json expected = json::parse(text, nullptr, false);
        const std::string found = found_in(text);
        const bool agrees =
            expected.is_discarded() ? found != "accepted" : found == "accepted" && same(read(text), expected);
        ++(expected.is_discarded() ? refused : taken);
        if (!agrees) {
            CAPTURE(text, found);
            FAIL_CHECK("nlohmann disagrees");
        }
    }

    CHECK(taken > 1000);
    CHECK(refused > 1000);
}

TEST_CASE("every double comes back from JSON text as it was", "[format][json]") {
    std::mt19937_64 random(7);
    std::size_t wrong = 0;
    for (int i = 0; i < 20'000; ++i) {
        const auto number = std::bit_cast<double>(static_cast<std::uint64_t>(random()));
        if (std::isfinite(number))
            wrong += !same(read(json_text(number)), json(number));
    }
    CHECK(wrong == 0);
    CHECK(json_text(0.1) == "0.1");
    CHECK(same(read(json_text(3.0)), json(3.0)));
    CHECK(same(read(json_text(-0.0)), json(-0.0)));
}

TEST_CASE("a JSON value comes back from its text as it was", "[format][json]") {
    const json value = {
        {"list", {1, -2, 3.5, nullptr, true, "a\"\\\n\x01é😀"}}, {"empty", json::object()}, {"none", json::array()}};

    CHECK(same(read(json_text(value)), json::parse(json_text(value))));
    CHECK(read(json_text(value)) == value);
}

TEST_CASE("JSON text holds no control character, and comes back as it was", "[format][json]") {
    const json value = {{"a\x1b[31m\x7f", "\xc2\x80 \xc2\x9b \xc2\x9f \xc2\xa0\xc2"
                                          "\xbf"}};

    CHECK(json_text(value) == R"({"a\u001b[31m\u007f": "\u0080 \u009b \u009f )"
                              "\xc2\xa0\xc2\xbf\"}");
    CHECK(read(json_text(value)) == value);
}

TEST_CASE("JSON text holds no mark that changes the direction of what is printed", "[format][json]") {
    const json value = "\u061c\u200e\u200f\u202a\u202e\u2066\u2069 \u200d\u2030";

    CHECK(json_text(value) == R"("\u061c\u200e\u200f\u202a\u202e\u2066\u2069 )"
                              "\u200d\u2030\"");
    CHECK(read(json_text(value)) == value);
}

TEST_CASE("a JSON document holds at most as many values as it is bound to", "[format][json]") {
    const auto read_three = [](std::string_view text) {
        return ndkeep::detail::parsed_json(text, "t.npy.json", {.values = 3, .hint = "ask for more"});
    };

    for (const auto* const text : {"[1, -2]", R"({"a": null, "b": true})", R"([[], {}])", R"(["a", 0.5])"})
        CHECK_NOTHROW(read_three(text));
    for (const auto* const text : {"[1, 2, -3]", R"({"a": null, "b": true, "c": false})", R"([[], {}, []])",
                                   R"(["a", 0.5, ""])", R"({"a": 1, "a": 1, "a": 1})", "[[[[", "[1, 2, x"}) {
        const auto e = thrown<format_error>([&] { (void)read_three(text); });
        CHECK(e.file() == "t.npy.json");
        CHECK(e.field() == "JSON text");
        CHECK(e.expected() == "at most 3 values");
        CHECK(e.found() == "longer");
        CHECK(e.hint() == "ask for more");
    }
}

TEST_CASE("a JSON document holds at most 262144 values where nothing else is said", "[format][json]") {
    const auto list_of = [](std::size_t items) {
        std::string text = "[0";
        for (std::size_t i = 1; i < items; ++i)
            text += ",0";
        return text + ']';
    };

    CHECK(read(list_of(262'143)).size() == 262'143);
    CHECK(thrown<format_error>([&] { (void)read(list_of(262'144)); }).expected() == "at most 262144 values");
}

TEST_CASE("doubles are printed and read back alike under every rounding mode", "[format][json]") {
    std::mt19937_64 random(5);
    std::vector<double> numbers;
    std::vector<std::string> texts;
    while (numbers.size() < 20'000) {
        const auto number = std::bit_cast<double>(random());
        if (!std::isfinite(number))
            continue;
        numbers.push_back(number);
        texts.push_back(json_text(number));
    }
    for (const int mode : rounding_modes) {
        CAPTURE(mode);
        const rounding_mode set(mode);
        std::size_t differ = 0;
        for (std::size_t i = 0; i < numbers.size(); ++i)
            differ += json_text(numbers[i]) != texts[i] || !same(read(texts[i]), json(numbers[i]));
        CHECK(differ == 0);
    }
}

TEST_CASE("a number too small for a double is read as 0 under every rounding mode", "[format][json]") {
    for (const int mode : rounding_modes) {
        CAPTURE(mode);
        const rounding_mode set(mode);
        CHECK(read("1e-400").get<double>() == 0);
        CHECK_FALSE(accepts("1e400"));
    }
}

}  // namespace format_json_tests
