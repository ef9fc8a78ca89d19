// SPDX-License-Identifier: BSD-3-Clause
// The sentences of errors about archives and trees.
#include "errors/sentences.hpp"

#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>
#include <ndkeep/tree.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace sentences_tests::npz {

namespace {

const xt::xtensor<double, 1> three = {1, 2, 3};

[[nodiscard]] std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

[[nodiscard]] std::string replaced_last(std::string text, std::string_view from, std::string_view to) {
    const auto at = text.rfind(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

[[nodiscard]] std::string bytes(std::initializer_list<int> values) {
    std::string out;
    for (const int value : values)
        out += static_cast<char>(value);
    return out;
}

const std::string end_signature = "PK\x05\x06";
const std::string entry_signature = "PK\x01\x02";

}  // namespace

TEST_CASE("errors of archives are sentences", "[errors]") {
    sentences says("npz");
    const auto a = says / "a.npz";
    nk::save_npz(a, {{"x", three}, {"y", xt::xtensor<std::int32_t, 2>{{1, 2}}}}, {.meta = {{"run", 7}}});
    nk::save_npz(says / "small.npz", {{"x", xt::xtensor<double, 1>(xt::zeros<double>({1000}))}}, {.compress = true});
    const auto whole = read_text(a);
    const auto open = [&](const std::string& text, const nk::limits& limit = {}) {
        return [&says, text, limit] {
            write_text(says / "t.npz", text);
            const nk::npz_reader in(says / "t.npz", {.limit = limit});
            (void)in.load_any("x");
            (void)in.metadata();
            nk::verify_npz(says / "t.npz", {.limit = limit});
        };
    };
    /// The archive with other bytes at an offset of its end record, or of its first entry.
    const auto end_with = [&](std::size_t offset, const std::string& other) {
        return open(std::string(whole).replace(whole.rfind(end_signature) + offset, other.size(), other));
    };
    const auto entry_with = [&](std::size_t offset, const std::string& other) {
        return open(std::string(whole).replace(whole.find(entry_signature) + offset, other.size(), other));
    };

    says("load an absent member", [&] { (void)nk::npz_reader(a).load<double>("z"); });
    says("load<float> of a float64 member", [&] { (void)nk::npz_reader(a).load<float>("x"); });
    says("load<double, 2> of a vector", [&] { (void)nk::npz_reader(a).load<double, 2>("x"); });
    says("map<double> of an int32 member", [&] { (void)nk::npz_reader(a).map<double>("y"); });
    says("map a compressed member", [&] { (void)nk::npz_reader(says / "small.npz").map<double>("x"); });
    says("an empty file", open(""));
    says("not an archive", open("what else"));
    says("one part of several", end_with(4, bytes({1, 0})));
    says("a wrong number of entries", end_with(10, bytes({9, 0})));
    says("a directory that is too large", end_with(12, bytes({0xff, 0xff, 0xff, 0x7f})));
    says("a directory beyond the file", end_with(16, bytes({0xff, 0xff, 0xff, 0x7f})));
    says("an entry without its signature", entry_with(0, "XX"));
    says("an encrypted member", entry_with(8, bytes({1, 0})));
    says("a patch", entry_with(8, bytes({0x20, 0})));
    says("another compression", entry_with(10, bytes({14, 0})));
    says("two sizes of a stored member", entry_with(20, bytes({1, 0, 0, 0})));
    says("an impossible size of a compressed member", [&] {
        auto text = read_text(says / "small.npz");
        text.replace(text.find(entry_signature) + 24, 4, bytes({0xff, 0xff, 0xff, 0x7f}));
        open(text)();
    });
    says("another name in the local header", open(replaced(whole, "x.npy", "z.npy")));
    says("no local header", open(replaced(whole, "PK\x03\x04", "PK\x03\x05")));
    says("a name that is not UTF-8", [&] {
        auto text = replaced_last(whole, "x.npy", "\xff.npy");
        const auto flags = text.find(entry_signature) + 8;
        open(text.replace(flags, 2, bytes({0, 8})))();
    });
    says("changed bytes", open(replaced(whole, std::string(6, '\0') + "\xf0\x3f", std::string(6, '\0') + "\xf0\x3e")));
    says("changed compressed bytes", [&] {
        auto text = read_text(says / "small.npz");
        const auto at = text.find("x.npy") + 60;
        text[at] = static_cast<char>(~text[at]);
        open(text)();
    });
    says("a member that is no array", [&] {
        nk::npz_writer out(says / "text.npz");
        out.add_text("x", "text");
        out.commit();
        (void)nk::npz_reader(says / "text.npz").load_any("x");
    });
    says("an array that is cut off", [&] {
        nk::save(says / "x.npy", three);
        auto text = read_text(says / "x.npy");
        text.pop_back();
        nk::npz_writer out(says / "text.npz");
        out.add_text("x.npy", text);
        out.commit();
        (void)nk::npz_reader(says / "text.npz").load_any("x");
    });
    says("more members than allowed", open(whole, {.members = 1}));
    says("metadata that is too long", open(whole, {.json_bytes = 4}));
    says("metadata with too many values", [&] {
        nk::save_npz(says / "many.npz", {{"x", three}}, {.meta = {{"a", std::vector<int>(100)}}});
        (void)nk::npz_reader(says / "many.npz", {.limit = {.json_values = 4}}).metadata();
    });
    says("metadata that is not JSON", [&] {
        nk::npz_writer out(says / "meta.npz");
        out.add("x", three);
        out.add_text("metadata.json", "{\"a\": ");
        out.commit();
        (void)nk::npz_reader(says / "meta.npz").metadata();
    });
    says("a list as metadata", [&] { nk::save_npz(a, {{"x", three}}, {.meta = {1, 2}}); });
    says("metadata with the reserved key", [&] { nk::save_npz(a, {{"x", three}}, {.meta = {{"ndkeep", 1}}}); });
    says("a name twice", [&] { nk::save_npz(a, {{"x", three}, {"x", three}}); });
    says("a name that is too long", [&] { nk::save_npz(a, {{std::string(70'000, 'x'), three}}); });
    says("a name that is not UTF-8", [&] { nk::save_npz(a, {{"\xff", three}}); });
    says("a name with a zero byte", [&] { nk::save_npz(a, {{std::string("a\0b", 3), three}}); });
    says("a compression level of 12", [&] { nk::save_npz(a, {{"x", three}}, {.compress = nk::deflate_level(12)}); });
    says("add after commit", [&] {
        nk::npz_writer out(says / "b.npz");
        out.add("x", three);
        out.commit();
        out.add("y", three);
    });
    says("append to an archive with an encrypted member", [&] {
        auto text = whole;
        write_text(says / "t.npz", text.replace(text.find(entry_signature) + 8, 2, bytes({1, 0})));
        const nk::npz_writer out(says / "t.npz", {.append = true});
    });
    says.check();
}

TEST_CASE("errors of trees are sentences", "[errors]") {
    sentences says("tree");
    const auto t = says / "t.npz";
    const nk::tree run = {{"name", "first"}, {"count", 300}, {"values", three}, {"list", nk::tree::list({1, 2})}};
    nk::save_tree(t, run);

    says("an absent key", [&] { (void)run.at("nmae"); });
    says("a key of an empty dictionary", [&] { (void)nk::tree::dictionary().at("a"); });
    says("a key of text", [&] { (void)run.at("name").at("a"); });
    says("an index beyond the list", [&] { (void)run.at("list").at(5); });
    says("an index of a dictionary", [&] { (void)run.at(0); });
    says("get<int> of text", [&] { (void)run.at("name").get<int>(); });
    says("get<std::string> of a number", [&] { (void)run.at("count").get<std::string>(); });
    says("get<double> of an array", [&] { (void)run.at("values").get<double>(); });
    says("get<std::int8_t> of 300", [&] { (void)run.at("count").get<std::int8_t>(); });
    says("get<float> of 1e300", [&] { (void)nk::tree(1e300).get<float>(); });
    says("as<float> of float64", [&] { (void)run.at("values").as<float>(); });
    says("as<double, 2> of a vector", [&] { (void)run.at("values").as<double, 2>(); });
    says("as of a number", [&] { (void)run.at("count").as<double>(); });
    says("as of a list", [&] { (void)run.at("list").as<double>(); });
    says("map an array in memory", [&] { (void)run.at("values").map<double, 1>(); });
    says("items of a number", [&] { (void)run.at("count").items(); });
    says("size of a number", [&] { (void)run.at("count").size(); });
    says("push_back to a dictionary", [&] {
        auto copy = run;
        copy.push_back(1);
    });
    says("a new key of a list", [&] {
        auto copy = run;
        copy["list"]["a"] = 1;
    });
    says("a dictionary of items that are not pairs", [&] { (void)nk::tree::dictionary({{"a", 1}, 5}); });
    says("save text that is not UTF-8", [&] { nk::save_tree(t, {{"a", {{"b", "\xff"}}}}); });
    says("save a key that is not UTF-8", [&] { nk::save_tree(t, {{"\xff", 1}}); });
    says("save a tree that is too deep", [&] {
        nk::tree deep = 1;
        for (int i = 0; i < 300; ++i)
            deep = nk::tree::list({deep});
        nk::save_tree(t, deep);
    });
    const auto document = [&](const std::string& text) {
        return [&says, text] {
            nk::npz_writer out(says / "u.npz");
            out.add("x", three);
            out.add_text("tree.json", text);
            out.commit();
            (void)nk::load_tree(says / "u.npz");
        };
    };
    says("a document that is a list", document("[]"));
    says("a document of another version", document(R"({"ndkeep": "tree/9", "tree": 1})"));
    says("a document without a version", document(R"({"tree": 1})"));
    says("a document without a tree", document(R"({"ndkeep": "tree/1", "arrays": []})"));
    says("a document with another key", document(R"({"ndkeep": "tree/1", "tree": 1, "arrays": [], "x": 1})"));
    says("a document without arrays", document(R"({"ndkeep": "tree/1", "tree": 1})"));
    says("an array that is absent", document(R"({"ndkeep": "tree/1", "tree": null, "arrays": [[[], "z.npy"]]})"));
    says("an array without a name", document(R"({"ndkeep": "tree/1", "tree": null, "arrays": [[[]]]})"));
    says("an array where a number is", document(R"({"ndkeep": "tree/1", "tree": 1, "arrays": [[[], "x.npy"]]})"));
    says("an array beyond the tree", document(R"({"ndkeep": "tree/1", "tree": [], "arrays": [[[4], "x.npy"]]})"));
    says("a member for two arrays",
         document(R"({"ndkeep": "tree/1", "tree": [null, null], "arrays": [[[0], "x.npy"], [[1], "x.npy"]]})"));
    says("a pointer to text", document(R"({"ndkeep": "tree/1", "tree": "a", "arrays": [], "nonfinite": [""]})"));
    says("a pointer beyond the tree",
         document(R"({"ndkeep": "tree/1", "tree": ["NaN"], "arrays": [], "nonfinite": ["/tree/7"]})"));
    says.check();
}

}  // namespace sentences_tests::npz
