// SPDX-License-Identifier: BSD-3-Clause
#include <ndkeep/tree/detail/document.hpp>

#include "support/temp_dir.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tree_document_tests {

namespace nk = ndkeep;
using nk::format_error;
using nk::mismatch_error;
using nk::tree;
using nk::tree_document;

namespace {

constexpr auto infinity = std::numeric_limits<double>::infinity();
constexpr auto not_a_number = std::numeric_limits<double>::quiet_NaN();

tree array(double value) { return xt::xarray<double>{value}; }

/// Finds arrays by the full names of members.
tree read(const tree_document& from) {
    return nk::tree_of(from.text, "t.npz", [&](const std::string& member) -> tree {
        for (const auto& [name, leaf] : from.arrays)
            if (name + ".npy" == member)
                return leaf;
        throw std::runtime_error("asked for " + member);
    });
}

tree there_and_back(const tree& value) { return read(nk::document_of(value)); }

tree read_text_of(std::string_view text) {
    return nk::tree_of(text, "t.npz", [](const std::string&) { return array(7); });
}

std::string document(std::string_view value, std::string_view arrays = "[]", std::string_view nonfinite = "[]") {
    return R"({"ndkeep": "tree/1", "tree": )" + std::string(value) + R"(, "arrays": )" + std::string(arrays) +
           R"(, "nonfinite": )" + std::string(nonfinite) + '}';
}

/// "field is found, expected expected", or "accepted".
std::string refusal(const std::string& text) {
    try {
        (void)read_text_of(text);
        return "accepted";
    } catch (const format_error& error) {
        CHECK(error.file() == "t.npz");
        return std::string(error.what()).substr(std::string("t.npz: ").size());
    }
}

std::vector<std::string> names_of(const tree& value) {
    std::vector<std::string> names;
    for (const auto& [name, leaf] : nk::document_of(value).arrays)
        names.push_back(name);
    return names;
}

tree nested(std::size_t levels) {
    tree out = array(1);
    for (std::size_t i = 0; i < levels; ++i)
        out = tree::list({std::move(out)});
    return out;
}

}  // namespace

TEST_CASE("the document of a tree is JSON with arrays and numbers that are not finite beside it", "[tree][document]") {
    const tree data = {{"region1", {{"values", array(1)}, {"created", "2023-01-20"}}}, {"pi", not_a_number}};

    const auto made = nk::document_of(data);

    CHECK(made.text == R"({ "ndkeep": "tree/1",
  "tree": {"region1": {"values": null, "created": "2023-01-20"}, "pi": "NaN"},
  "arrays": [[["region1", "values"], "region1/values.npy"]],
  "nonfinite": ["/tree/pi"] }
)");
    REQUIRE(made.arrays.size() == 1);
    CHECK(made.arrays[0].first == "region1/values");
    CHECK(made.arrays[0].second == array(1));
}

TEST_CASE("a document without numbers that are not finite does not list them", "[tree][document]") {
    CHECK(nk::document_of({{"pi", 3.1}}).text.find("nonfinite") == std::string::npos);
}

TEST_CASE("numbers that are not finite are listed as JSON pointers", "[tree][document]") {
    const tree data = {{"a/b", {1, not_a_number, {{"~", infinity}}}}, {"", -infinity}};

    const auto made = nk::document_of(data);

    CHECK(made.text.find(R"("nonfinite": ["/tree/a~1b/1", "/tree/a~1b/2/~0", "/tree/"])") != std::string::npos);
    CHECK(read(made) == data);
    CHECK(nk::document_of(not_a_number).text.find(R"("nonfinite": ["/tree"])") != std::string::npos);
}

TEST_CASE("documents of version 0.1, which list paths and texts of numbers, are read", "[tree][document]") {
    const tree back = read_text_of(document(R"({"a": [1, "NaN", "NaN"], "b": "-Infinity"})", "[]",
                                            R"([[["a", 1], "NaN"], [["b"], "-Infinity"]])"));

    CHECK(back == tree({{"a", {1, not_a_number, "NaN"}}, {"b", -infinity}}));
}

TEST_CASE("every kind of value comes back from its document", "[tree][document]") {
    for (const tree& value :
         {tree(), tree(true), tree(false), tree(0), tree(std::numeric_limits<std::int64_t>::min()),
          tree(std::numeric_limits<std::int64_t>::max()), tree(std::numeric_limits<std::uint64_t>::max()), tree(0.1),
          tree(not_a_number), tree(-infinity), tree(""), tree("NaN"), tree("a\"\\\n\x01é😀"),
          tree(std::string("a\0b", 3)), tree::list(), tree::dictionary(), array(3),
          tree({1, "a", nullptr, array(1), {array(2), {}}, infinity}),
          tree({{"", {{"", array(1)}}}, {"é\n", {array(2), "Infinity", infinity}}})}) {
        CAPTURE(value);
        const tree back = there_and_back(value);

        CHECK(back == value);
        CHECK(back.str() == value.str());  // kinds of numbers and order of keys are equal too
    }
}

TEST_CASE("real numbers come back to the last bit, and as real numbers", "[tree][document]") {
    std::mt19937_64 random(7);
    tree numbers = {3.0, -0.0, 1e300, 5e-324};
    for (int i = 0; i < 2000; ++i)
        numbers.push_back(std::bit_cast<double>(static_cast<std::uint64_t>(random())));

    const tree back = there_and_back(numbers);

    CHECK((back == numbers));
    CHECK(back[0].is_real());
    CHECK(std::signbit(back[1].get<double>()));
}

TEST_CASE("the order of keys stays, and of keys that come again the last value", "[tree][document]") {
    const tree back = read_text_of(document(R"({"z": 1, "a": 2, "m": 3, "z": 4})"));

    CHECK(back.str() == tree({{"z", 4}, {"a", 2}, {"m", 3}}).str());
}

TEST_CASE("arrays are named by their paths", "[tree][document]") {
    CHECK(names_of({{"a", {{"b", array(1)}}}, {"c", {1, array(2)}}}) == std::vector<std::string>{"a/b", "c/1"});
    CHECK(names_of(array(1)) == std::vector<std::string>{"arr_0"});
    CHECK(names_of({array(1), array(2)}) == std::vector<std::string>{"0", "1"});
}

TEST_CASE("arrays whose paths read the same have different names, and come back apart", "[tree][document]") {
    const tree data = {{"a/b", array(1)}, {"a", {{"b", array(2)}}}, {"a/b#2", array(3)}, {"", {{"a/b", array(4)}}}};

    CHECK(names_of(data) == std::vector<std::string>{"a/b", "a/b#2", "a/b#2#2", "/a/b"});
    CHECK(there_and_back(data) == data);
}

TEST_CASE("names that differ by .npy are not mixed up", "[tree][document]") {
    const tree data = {{"x", array(1)}, {"x.npy", array(2)}, {"x.npy.npy", array(3)}};

    CHECK(names_of(data) == std::vector<std::string>{"x", "x.npy", "x.npy.npy"});
    CHECK(there_and_back(data) == data);
}

TEST_CASE("a path that no zip can hold as a name is array", "[tree][document]") {
    const std::string longest(60'000, 'a');
    const tree data = {
        {longest, array(1)}, {longest + 'a', array(2)}, {std::string("a\0b", 3), array(3)}, {"array", array(4)}};

    CHECK(names_of(data) == std::vector<std::string>{longest, "array", "array#2", "array#3"});
    CHECK((there_and_back(data) == data));
}

TEST_CASE("text that is not UTF-8 is refused with its path", "[tree][document][error]") {
    const auto value = thrown<mismatch_error>([] { (void)nk::document_of({{"a", {1, "x\xff"}}}); });
    CHECK(value.field() == "tree['a'][1]");
    CHECK(value.expected() == "UTF-8");
    CHECK(value.found() == "'x\\xff'");

    const auto key = thrown<mismatch_error>([] { (void)nk::document_of({{"a", {{"\xff", array(1)}}}}); });
    CHECK(key.field() == "key of tree['a']['\\xff']");
    CHECK(key.found() == "'\\xff'");
}

TEST_CASE("a tree is written 120 levels deep, and not deeper", "[tree][document][error]") {
    const tree data = nested(120);
    CHECK((there_and_back(data) == data));

    const auto error = thrown<mismatch_error>([] { (void)nk::document_of(nested(121)); });
    CHECK(error.field() == "tree");
    CHECK(error.expected() == "at most 120 levels");
    CHECK(error.found() == "nested deeper");
    CHECK_THROWS_AS(nk::document_of(nested(200'000)), mismatch_error);
    CHECK_THROWS_AS(read_text_of(std::string(1'000'000, '[')), format_error);
}

TEST_CASE("arrays are asked for by the member names of the text, each once and in order", "[tree][document]") {
    std::vector<std::string> asked;

    const tree back = nk::tree_of(document("[null, {\"a\": null}]", R"([[[1, "a"], "x.npy"], [[0], "dir/y"]])"),
                                  "t.npz", [&](const std::string& member) {
                                      asked.push_back(member);
                                      return array(static_cast<double>(asked.size()));
                                  });

    CHECK(asked == std::vector<std::string>{"x.npy", "dir/y"});
    CHECK(back == tree({array(2), {{"a", array(1)}}}));
}

TEST_CASE("documents with other members, or of another version, are refused", "[tree][document][error]") {
    const std::string whole = document("1");
    const auto with = [&](const std::string& from, const std::string& to) {
        std::string text = whole;
        return text.replace(text.find(from), from.size(), to);
    };

    CHECK(refusal(whole) == "accepted");
    CHECK(refusal("[]") == "JSON text is a list, expected a dictionary");
    CHECK(refusal("{}") == "ndkeep is missing, expected a string");
    CHECK(refusal(with("tree/1", "tree/2")) == "ndkeep is 'tree/2', expected 'tree/1'");
    CHECK(refusal(with("\"tree/1\"", "1")) == "ndkeep is an integer, expected a string");
    CHECK(refusal(with("\"tree\"", "\"tee\"")) == "tree is missing, expected a value");
    CHECK(refusal(with("\"arrays\": []", "\"arrays\": {}")) == "arrays is a dictionary, expected a list");
    CHECK(refusal(with(", \"nonfinite\": []", "")) == "accepted");
    CHECK(refusal(with("\"nonfinite\": []", "\"nonfinite\": {}")) == "nonfinite is a dictionary, expected a list");
    CHECK(refusal(with("\"nonfinite\"", "\"more\": 1, \"nonfinite\"")) == "key 'more' is present, expected absent");
    CHECK(refusal(whole + "x").starts_with("JSON text is broken at byte "));
}

TEST_CASE("entries that are no path and string are refused", "[tree][document][error]") {
    for (const auto* const key : {"arrays", "nonfinite"}) {
        const auto refused = [&](const std::string& list) {
            return refusal(std::string_view(key) == "arrays" ? document("[null]", list) : document("[1]", "[]", list));
        };
        const std::string field = std::string(key) + "[0] is ";
        CHECK(refused("[1]") == field + "an integer, expected a path and a string");
        CHECK(refused("[[]]") == field + "a list of 0 values, expected a path and a string");
        CHECK(refused("[[[0]]]") == field + "a list of 1 value, expected a path and a string");
        CHECK(refused("[[[0], 1]]") == field + "a list of 2 values, expected a path and a string");
        CHECK(refused("[[0, \"NaN\"]]") == field + "a list of 2 values, expected a path and a string");
    }
}

TEST_CASE("a path that leads nowhere is refused", "[tree][document][error]") {
    const std::string value = R"({"a": [null, "NaN"], "b": null})";
    for (const auto* const path :
         {R"(["c"])", R"([0])", R"(["a", 2])", R"(["a", -1])", R"(["a", "0"])", R"(["a", 0.0])", R"(["a", null])",
          R"(["a", 0, 0])", R"(["a", 1, "b"])", R"(["b", "a"])", R"(["a", 18446744073709551615])", R"([["a"]])"}) {
        CAPTURE(path);
        const auto said = refusal(document(value, "[[" + std::string(path) + ", \"x.npy\"]]"));
        CHECK(said.starts_with("arrays[0] is a path without a value at step "));
        CHECK(said.ends_with(", expected the path of a value in the tree"));
    }
    CHECK(refusal(document(value, R"([[["b"], "x.npy"], [["b", 0], "y.npy"]])")) ==
          "arrays[1] is a path without a value at step 2, expected the path of a value in the tree");
}

TEST_CASE("an array is where null is, once", "[tree][document][error]") {
    CHECK(refusal(document("[null]", R"([[[0], "x.npy"]])")) == "accepted");
    CHECK(refusal(document("null", R"([[[], "x.npy"]])")) == "accepted");
    CHECK(refusal(document("[1]", R"([[[0], "x.npy"]])")) ==
          "arrays[0] is the path of an integer, expected the path of null");
    CHECK(refusal(document("{}", R"([[[], "x.npy"]])")) ==
          "arrays[0] is the path of a dictionary, expected the path of null");
    CHECK(refusal(document("[null]", R"([[[0], "x.npy"], [[0], "y.npy"]])")) ==
          "arrays[1] is the path of an array, expected the path of null");
    CHECK(refusal(document("[null, null]", R"([[[0], "x.npy"], [[1], "x.npy"]])")) ==
          "arrays[1] is 'x.npy' a second time, expected another member");
}

TEST_CASE("a number that is not finite is where its text is, once", "[tree][document][error]") {
    const auto refused = [](const std::string& value, const std::string& list) {
        return refusal(document(value, "[]", list));
    };
    const std::string wanted = ", expected the path of 'NaN', 'Infinity' or '-Infinity'";

    CHECK(refused(R"(["NaN"])", R"(["/tree/0"])") == "accepted");
    CHECK(refused(R"(["a"])", R"(["/tree/0"])") == "nonfinite[0] is the path of 'a'" + wanted);
    CHECK(refused("[1]", R"(["/tree/0"])") == "nonfinite[0] is the path of an integer" + wanted);
    CHECK(refused(R"(["nan"])", R"([[[0], "nan"]])") == "nonfinite[0] is the path of 'nan'" + wanted);
    CHECK(refused(R"(["NaN"])", R"(["/tree/0", "/tree/0"])") == "nonfinite[1] is the path of a real number" + wanted);
}

TEST_CASE("a pointer that leads nowhere is refused", "[tree][document][error]") {
    for (const auto* const pointer : {"", "/", "tree", "/arrays", "/tree/1", "/tree/-1", "/tree/00x", "/tree/0/0",
                                      "/tree/", "/tree/~", "/tree/18446744073709551616", "/nonfinite/0"}) {
        CAPTURE(pointer);
        CHECK(refusal(document(R"(["NaN"])", "[]", "[\"" + std::string(pointer) + "\"]")) ==
              "nonfinite[0] is '" + std::string(pointer) + "', expected a pointer into the tree");
    }
}

TEST_CASE("mutated documents are read or refused", "[tree][document][error]") {
    const std::string seed =
        nk::document_of(
            {{"a", {{"b", array(1)}, {"c", {1, not_a_number, "NaN", array(2)}}}}, {"d", infinity}, {"e", nullptr}})
            .text;
    const std::string signs = "{}[]:,\"\\0123-. abcdenulNaI\n\xff";
    std::mt19937 random(7);
    const auto below = [&random](std::size_t count) { return static_cast<std::size_t>(random()) % count; };
    std::size_t taken = 0, refused = 0;

    for (int round = 0; round < 20'000; ++round) {
        std::string text = seed;
        for (std::size_t edits = 1 + below(3); edits > 0; --edits) {
            const std::size_t at = below(text.size());
            switch (below(3)) {
            case 0:
                text[at] = signs[below(signs.size())];
                break;
            case 1:
                text.insert(at, text.substr(below(text.size()), below(12)));
                break;
            default:
                text.erase(at, 1 + below(3));
            }
        }
        try {
            const tree back = read_text_of(text);
            ++taken;
            if (!(there_and_back(back) == back)) {
                CAPTURE(text);
                FAIL_CHECK("comes back as another tree");
            }
        } catch (const format_error&) {
            ++refused;
        }
    }

    CHECK(taken > 100);
    CHECK(refused > 1000);
}

}  // namespace tree_document_tests
