// SPDX-License-Identifier: BSD-3-Clause
#include "support/python.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/element/fields.hpp>
#include <ndkeep/npz.hpp>
#include <ndkeep/tree.hpp>

#include <cmath>
#include <fstream>
#include <limits>

namespace tree_archive_tests {

namespace nk = ndkeep;

struct tree_record {
    double values[3];
    nk::fixed_u32string<10> meta;
};
NDKEEP_FIELDS(tree_record, values, meta);

namespace {

const xt::xtensor<double, 2> a = {{1, 2, 3}, {4, 5, 6}};
const xt::xtensor<float, 1> b = {0.5, 1.5};

nk::tree saved_and_loaded(const nk::tree& value, const nk::npz_options& options = {}) {
    const temp_dir dir;
    nk::save_tree(dir / "t.npz", value, options);
    nk::verify_npz(dir / "t.npz");
    CHECK(nk::open_tree(dir / "t.npz") == value);
    return nk::load_tree(dir / "t.npz");
}

}  // namespace

TEST_CASE("the structures of which people keep pickles come back as they were", "[tree]") {
    const nk::tree nested = {{"subdir1", {{"array1", a}, {"array2", b}}}, {"subdir2", {{"array3", a}}}};
    const nk::tree list = nk::tree::list({{{"grp1_arr1", a}}, {{"grp2_arr2", b}}});
    const nk::tree with_metadata = {{"array_name", "random_data"}, {"created_on", "2023-01-15"}, {"numerical_data", a}};
    const std::vector<tree_record> records(2, tree_record{{1, 2, 3}, U"mètre"});

    CHECK(saved_and_loaded(nested) == nested);
    CHECK(saved_and_loaded(nested, {.compress = true}) == nested);
    CHECK(saved_and_loaded(list) == list);
    CHECK(saved_and_loaded(list)[1]["grp2_arr2"].as<float, 1>()(1) == 1.5F);
    CHECK(saved_and_loaded(with_metadata) == with_metadata);
    CHECK(saved_and_loaded(nk::tree(records)) == nk::tree(records));
    CHECK(saved_and_loaded(nk::tree(records)).as<tree_record, 1>()(1).values[2] == 3);
}

TEST_CASE("a tree has no array of a number", "[tree][error]") {
    const temp_dir dir;
    nk::save_tree(dir / "t.npz", {{"a", a}});

    CHECK_THROWS_AS((void)nk::load_tree(dir / "t.npz", {.array = 1}), nk::mismatch_error);
    CHECK_THROWS_AS((void)nk::open_tree(dir / "t.npz", {.array = 1}), nk::mismatch_error);
}

TEST_CASE("keys of any kind come back", "[tree]") {
    nk::tree odd = {{"a/b", a}, {"a", {{"b", b}}}, {"", 1},      {".", a},
                    {"..", b},  {"größe ☃", a},    {"x.npy", a}, {"x", b}};
    odd["/"] = a;
    odd[std::string("\0", 1)] = b;
    odd[std::string(70'000, 'k')] = a;
    odd["metadata.json"] = a;
    odd["tree.json"] = b;
    odd["nested"][""] = nk::tree::list({a, nk::tree::list({b})});

    const auto back = saved_and_loaded(odd);

    CHECK(back == odd);
    std::vector<std::string> before, after;
    for (const auto& [key, value] : odd.items())
        before.push_back(key);
    for (const auto& [key, value] : back.items())
        after.push_back(key);
    CHECK(after == before);
}

TEST_CASE("numbers come back exactly", "[tree]") {
    const nk::tree numbers = {{"least", std::numeric_limits<std::int64_t>::min()},
                              {"most", std::numeric_limits<std::uint64_t>::max()},
                              {"odd", (std::int64_t{1} << 53) + 1},
                              {"third", 1.0 / 3},
                              {"tiny", std::numeric_limits<double>::denorm_min()},
                              {"two", 2.0},
                              {"nan", std::nan("")},
                              {"inf", nk::tree::list({std::numeric_limits<double>::infinity(),
                                                      -std::numeric_limits<double>::infinity(), "Infinity", "NaN"})},
                              {"yes", true},
                              {"nothing", nullptr}};

    const auto back = saved_and_loaded(numbers);

    CHECK(back == numbers);
    CHECK(back["two"].is_real());
    CHECK(back["most"].get<std::uint64_t>() == std::numeric_limits<std::uint64_t>::max());
    CHECK(std::isnan(back["nan"].get<double>()));
    CHECK(back["inf"][3].get<std::string>() == "NaN");
}

TEST_CASE("a tree may be a single leaf, or nothing", "[tree]") {
    CHECK(saved_and_loaded(a) == nk::tree(a));
    CHECK(saved_and_loaded({}).is_null());
    CHECK(saved_and_loaded("text") == nk::tree("text"));
    CHECK(saved_and_loaded(nk::tree::list({})) == nk::tree::list({}));
}

TEST_CASE("an opened tree maps its arrays where they lie, and loads those that are compressed", "[tree][map]") {
    const temp_dir dir;
    const nk::tree data = {{"a", a}, {"more", {{"b", b}}}};
    nk::save_tree(dir / "t.npz", data);
    nk::save_tree(dir / "c.npz", data, {.compress = true});

    nk::mapped<const double, 2> mapped;
    nk::tree more;
    {
        const auto opened = nk::open_tree(dir / "t.npz");
        mapped = opened["a"].map<double, 2>();
        more = opened["more"];
    }

    CHECK((mapped == a));
    CHECK(mapped.file() == dir / "t.npz");
    CHECK((more["b"].as<float, 1>() == b));
    CHECK(more["b"].shape() == std::vector<std::size_t>{2});
    CHECK_THROWS_AS((more["b"].as<double, 1>()), nk::mismatch_error);
    const auto compressed = nk::open_tree(dir / "c.npz");
    CHECK((compressed["a"].as<double, 2>() == a));
    CHECK_THROWS_AS((compressed["a"].map<double, 2>()), nk::mismatch_error);
    CHECK_THROWS_AS((nk::load_tree(dir / "t.npz")["a"].map<double, 2>()), nk::mismatch_error);
}

TEST_CASE("an opened tree can be saved over the file it lies in", "[tree]") {
    const temp_dir dir;
    nk::save_tree(dir / "t.npz", {{"a", a}, {"n", 1}});

    auto opened = nk::open_tree(dir / "t.npz");
    opened["n"] = 2;
    opened["b"] = b;
    nk::save_tree(dir / "t.npz", opened);

    CHECK(nk::load_tree(dir / "t.npz") == nk::tree{{"a", a}, {"n", 2}, {"b", b}});
}

TEST_CASE("an archive without a tree is a dictionary of its arrays", "[tree]") {
    const temp_dir dir;
    nk::save_npz(dir / "t.npz", {{"x", a}, {"group/y", b}}, {.meta = {{"run", 7}}});

    CHECK(nk::load_tree(dir / "t.npz") == nk::tree{{"x", a}, {"group/y", b}});
}

TEST_CASE("of an array and a member called just as its file, the tree of names has the one NumPy finds", "[tree]") {
    const temp_dir dir;
    nk::npz_writer out(dir / "t.npz");
    std::string other = nk::header_bytes({.type = nk::dtype_of<double>(), .shape = {1}}) + std::string(8, '\0');
    out.add_text("x", other);
    out.add("x", a);
    out.add_text("notes.txt", "no array");
    out.commit();

    const auto all = nk::load_tree(dir / "t.npz");

    CHECK(all.size() == 1);
    CHECK(all["x"].shape() == std::vector<std::size_t>{1});
    CHECK(nk::npz_reader(dir / "t.npz").load_any("x").shape() == all["x"].shape());
}

TEST_CASE("an array that is another one since the tree was opened is refused", "[tree][error]") {
    const temp_dir dir;
    nk::save_tree(dir / "t.npz", {{"x", std::vector<double>(10)}});
    const auto opened = nk::open_tree(dir / "t.npz");
    auto text = read_text(dir / "t.npz");
    const auto at = text.find("(10,)");
    REQUIRE(at != std::string::npos);
    text.replace(at, 5, "(9,) ");
    std::ofstream(dir / "t.npz", std::ios::binary | std::ios::in)
        .write(text.data(), static_cast<std::streamsize>(text.size()));

    const auto e = thrown<nk::format_error>([&] { (void)opened["x"].as<double, 1>(); });
    CHECK(e.hint() == "the archive has changed since it was opened");
}

TEST_CASE("a tree without arrays is read as far as the limit says", "[tree][error]") {
    const temp_dir dir;
    nk::save_tree(dir / "t.npz", {{"text", std::string(2000, 'x')}});

    CHECK_THROWS_AS(nk::load_tree(dir / "t.npz", {.limit = {.json_bytes = 2000}}), nk::format_error);
    CHECK_NOTHROW(nk::load_tree(dir / "t.npz", {.limit = {.json_bytes = 3000}}));
}

TEST_CASE("a tree of more values than the limit is refused before they are built", "[tree][error]") {
    const temp_dir dir;
    std::string text = R"({"ndkeep": "tree/1", "arrays": [], "nonfinite": [], "tree": [[])";
    for (int i = 0; i < 300'000; ++i)
        text += ", []";
    nk::npz_writer out(dir / "t.npz");
    out.add_text("tree.json", text + "]}", {.compress = true});
    out.commit();

    const auto e = thrown<nk::format_error>([&] { (void)nk::load_tree(dir / "t.npz"); });
    CHECK(e.file() == dir / "t.npz");
    CHECK(e.field() == "member 'tree.json': JSON text");
    CHECK(e.expected() == "at most 262144 values");
    CHECK(e.found() == "longer");
    CHECK(e.hint() == "limits{.json_values = …} reads more");
    CHECK_THROWS_AS(nk::open_tree(dir / "t.npz"), nk::format_error);
    CHECK(nk::load_tree(dir / "t.npz", {.limit = {.json_values = 400'000}}).size() == 300'001);
}

TEST_CASE("what is asked of a temporary tree is a value", "[tree]") {
    const temp_dir dir;
    nk::save_tree(dir / "t.npz", {{"x", a}});
    std::size_t product = 1;

    for (const std::size_t extent : nk::load_tree(dir / "t.npz")["x"].shape())
        product *= extent;
    const auto& type = nk::open_tree(dir / "t.npz")["x"].type();
    const nk::any_array& array = *nk::open_tree(dir / "t.npz")["x"].array();

    CHECK(product == 6);
    CHECK(type.str() == "<f8");
    CHECK(array.size() == 6);
}

TEST_CASE("metadata and sums of a tree are those of its archive", "[tree]") {
    const temp_dir dir;
    nk::save_tree(dir / "t.npz", {{"a", a}}, {.meta = {{"run", 7}}, .sum = nk::checksum::md5});

    const nk::npz_reader in(dir / "t.npz");
    CHECK(in.metadata() == nk::json{{"run", 7}});
    CHECK(in.text("metadata.json").find("md5") != std::string::npos);
    nk::verify_npz(dir / "t.npz");
}

TEST_CASE("a tree that lies about its arrays is refused", "[tree][error]") {
    const temp_dir dir;
    const auto with_text = [&](const std::string& text) {
        nk::npz_writer out(dir / "t.npz");
        out.add("a", a);
        out.add_text("tree.json", text);
        out.commit();
        return thrown<nk::format_error>([&] { (void)nk::load_tree(dir / "t.npz"); });
    };
    const std::string begin = R"({"ndkeep": "tree/1", "tree": {"a": null}, "nonfinite": [], "arrays": )";

    CHECK(with_text(begin + R"([[["a"], "b.npy"]]})").field() == "member 'tree.json': array 'b.npy'");
    CHECK(with_text(begin + R"([[["b"], "a.npy"]]})").file() == dir / "t.npz");
    CHECK(with_text("{}").file() == dir / "t.npz");
    CHECK(with_text("[").field().find("JSON") != std::string::npos);
}

TEST_CASE("Python finds the arrays by their paths, and ten lines rebuild the tree", "[tree][numpy]") {
    const temp_dir dir;
    nk::save_tree(dir / "t.npz", {{"region1", {{"values", a}, {"created", "2023-01-20"}, {"gap", std::nan("")}}},
                                  {"list", nk::tree::list({1, b, {{"deep", a}}})}});

    // The lines are those of examples/README.md.
    const auto readme = read_text(std::filesystem::path(NDKEEP_SOURCE_DIR) / "examples/README.md");
    const auto begin = readme.find("def load_tree(file):");
    REQUIRE(begin != std::string::npos);
    const auto lines = readme.substr(begin, readme.find("```", begin) - begin);
    CHECK(std::count(lines.begin(), lines.end(), '\n') <= 10);
    check_in_python(dir, lines + R"(
assert (np.load("t.npz")["region1/values"] == [[1, 2, 3], [4, 5, 6]]).all()
tree = load_tree("t.npz")
assert list(tree) == ["region1", "list"]
assert tree["region1"]["created"] == "2023-01-20"
assert (tree["region1"]["values"] == [[1, 2, 3], [4, 5, 6]]).all()
assert np.isnan(tree["region1"]["gap"])
assert tree["list"][0] == 1 and (tree["list"][1] == [0.5, 1.5]).all() and tree["list"][2]["deep"].shape == (2, 3)
)");
}

}  // namespace tree_archive_tests
