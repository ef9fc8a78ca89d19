// SPDX-License-Identifier: BSD-3-Clause
// JSON pointers of numbers that are not finite, and documents that list them.
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/text/json/nonfinite.hpp>
#include <ndkeep/text/json/print.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace nonfinite_tests {

namespace nk = ndkeep;
namespace detail = ndkeep::detail;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
using steps = std::vector<std::string>;

TEST_CASE("pointers are parted and put together as RFC 6901 says", "[json]") {
    CHECK(detail::steps_of("") == steps{});
    CHECK(detail::steps_of("/") == steps{""});
    CHECK(detail::steps_of("/foo/0") == steps{"foo", "0"});
    CHECK(detail::steps_of("/a~1b/m~0n/ /k\"l") == steps{"a/b", "m~n", " ", "k\"l"});
    CHECK(detail::steps_of("/~01") == steps{"~1"});
    for (const auto* const wrong : {"a", "a/b", "/~", "/~2", "/a~"})
        CHECK_FALSE(detail::steps_of(wrong));

    std::string pointer;
    for (const auto* const step : {"a/b", "m~n", "", "~1"})
        detail::append_step(pointer, step);
    CHECK(pointer == "/a~1b/m~0n//~01");
    CHECK(detail::steps_of(pointer) == steps{"a/b", "m~n", "", "~1"});
}

TEST_CASE("a step into a list is an index below its size", "[json]") {
    CHECK(detail::index_of("0", 1) == 0);
    CHECK(detail::index_of("12", 13) == 12);
    for (const auto* const wrong : {"", "-1", "1", "0x", " 0", "18446744073709551616"})
        CHECK_FALSE(detail::index_of(wrong, 1));
}

TEST_CASE("a document lists its numbers that are not finite, however deep, and only these", "[json]") {
    nk::core::object_text inner, item, whole;
    inner.add_number("low", -infinity);
    inner.add_number("high", 1);
    item.add_object("in/ner", inner);
    whole.add("text", nk::core::json_text("NaN"));
    whole.add_list("items", {item, item});
    whole.add_value("value", nk::json{{"x", {1, nan}}, {"y", "Infinity"}});
    whole.add_nonfinite();

    CHECK(whole.str() == R"({"text": "NaN", "items": [{"in/ner": {"low": "-Infinity", "high": 1.0}}, )"
                         R"({"in/ner": {"low": "-Infinity", "high": 1.0}}], )"
                         R"("value": {"x": [1, "NaN"], "y": "Infinity"}, )"
                         R"("nonfinite": ["/items/0/in~1ner/low", "/items/1/in~1ner/low", "/value/x/1"]})");
}

TEST_CASE("a document of finite numbers lists none", "[json]") {
    nk::core::object_text whole;
    whole.add_number("x", 1.5);
    whole.add_nonfinite();

    CHECK(whole.str() == R"({"x": 1.5})");
}

TEST_CASE("listed texts become numbers, and others stay", "[json]") {
    nk::json document = {{"a", {"NaN", "NaN", "-Infinity"}}, {"b", "Infinity"}, {"nonfinite", {"/a/1", "/a/2"}}};

    detail::restore_nonfinite(document, "f.json");

    CHECK(document["a"][0] == "NaN");
    CHECK(std::isnan(document["a"][1].get<double>()));
    CHECK(document["a"][2] == -infinity);
    CHECK(document["b"] == "Infinity");
    CHECK_FALSE(document.contains("nonfinite"));
}

TEST_CASE("a pointer to anything else is refused, with its text", "[json][error]") {
    for (const auto* const pointer :
         {"", "/", "a", "/a", "/a/2", "/a/-1", "/a/b", "/b", "/c", "/c/d", "/nonfinite/0"}) {
        CAPTURE(pointer);
        nk::json document = {{"a", {"x", 1}}, {"b", 1.5}, {"c", {{"d", "nan"}}}, {"nonfinite", {pointer}}};
        const auto e = thrown<nk::format_error>([&] { detail::restore_nonfinite(document, "f.json"); });
        CHECK(e.file() == "f.json");
        CHECK(e.field() == "nonfinite");
        CHECK(e.found() == '"' + std::string(pointer) + '"');
    }
}

}  // namespace nonfinite_tests
