// SPDX-License-Identifier: BSD-3-Clause
#include <ndkeep/tree/detail/access.hpp>
#include <ndkeep/tree/tree.hpp>

#include "support/temp_dir.hpp"
#include "tree/trees.hpp"

#include <ndkeep/npy/load.hpp>
#include <ndkeep/npy/save.hpp>

#include <array>
#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace trees::value_tests {

using nk::mismatch_error;
using nk::tree_kind;
using extents = std::vector<std::size_t>;

static_assert(std::is_nothrow_default_constructible_v<tree>);
static_assert(std::is_nothrow_move_constructible_v<tree> && std::is_nothrow_move_assignable_v<tree>);
static_assert(!std::is_constructible_v<tree, int*> && !std::is_constructible_v<tree, std::vector<int*>>);

namespace {

/// An array stored elsewhere that counts how often it is read.
class counting_leaf final : public nk::detail::tree_leaf {
  public:
    explicit counting_leaf(nk::any_array array) : array_(std::make_shared<const nk::any_array>(std::move(array))) {}

    [[nodiscard]] const nk::dtype& type() const override { return array_->type(); }
    [[nodiscard]] const extents& shape() const override { return array_->shape(); }
    [[nodiscard]] std::shared_ptr<const nk::any_array> array() const override {
        ++arrays;
        return std::make_shared<const nk::any_array>(*array_);
    }
    void read(const nk::dtype& wanted, nk::order wanted_order, std::byte* out) const override {
        ++reads;
        nk::detail::convert_elements(*array_, nk::conversion(type(), wanted, "far.npz"), wanted_order, out);
    }
    [[nodiscard]] nk::mapping map(const nk::dtype&, std::size_t) const override {
        throw mismatch_error({.file = "far.npz", .field = "member"});
    }

    mutable int arrays = 0, reads = 0;

  private:
    std::shared_ptr<const nk::any_array> array_;
};

std::vector<std::string> keys_of(const tree& of) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : of.items())
        keys.push_back(key);
    return keys;
}

const auto sum = [](const auto& array) { return static_cast<double>(xt::sum(array)()); };

}  // namespace

TEST_CASE("a tree is of the kind of what it was made of", "[tree][value]") {
    CHECK(tree().kind() == tree_kind::null);
    CHECK(tree(nullptr).is_null());
    CHECK(tree(true).is_boolean());
    CHECK(tree(7).is_integer());
    CHECK(tree('a').is_integer());
    CHECK(tree(std::uint64_t(7)).is_integer());
    CHECK(tree(1.5).is_real());
    CHECK(tree(1.5F).is_real());
    CHECK(tree("text").is_string());
    CHECK(tree(std::string("text")).is_string());
    CHECK(tree(std::string_view("text")).is_string());
    CHECK(tree({1, 2}).is_list());
    CHECK(tree(std::vector<tree>{1, "a"}).is_list());
    CHECK(tree(std::vector<std::string>{"a", "b"}) == tree({"a", "b"}));
    CHECK(tree({{"a", 1}}).is_dictionary());
    CHECK(tree(7).is_number());
    CHECK(tree(1.5).is_number());
    CHECK_FALSE(tree(true).is_number());
}

TEST_CASE("every array and every element JSON does not know is an array leaf", "[tree][value]") {
    const xt::xarray<double> a = {{1, 2}, {3, 4}};
    const xt::xtensor<float, 1, xt::layout_type::column_major> b = {1, 2, 3};
    const std::int32_t raw[2][3] = {};

    CHECK(tree(a).shape() == extents{2, 2});
    CHECK((tree(a * 2).as<double>() == a * 2));
    CHECK((tree(xt::transpose(a)).as<double, 2>() == xt::transpose(a)));
    CHECK(tree(b).type().str() == "<f4");
    CHECK(tree(std::vector<double>{1, 2}).shape() == extents{2});
    CHECK(tree(std::vector<bool>{true, false}).type().str() == "|b1");
    CHECK(tree(std::array<int, 3>{}).shape() == extents{3});
    CHECK(tree(raw).shape() == extents{2, 3});
    CHECK(tree(std::complex<double>(1, 2)).shape().empty());
    CHECK(tree(1.5L).type().str() == "<f16");
    CHECK(tree(nk::fixed_string<4>("ab")).type().str() == "|S4");
    CHECK(tree(std::chrono::seconds(3)).type().str() == "<m8[s]");
    CHECK(tree(reading{1, 2}).type().is_struct());
    CHECK(tree(nk::any_array(nk::array_view(a))).is_array());
    CHECK(tree(nk::array_view(a)).is_array());
    CHECK(tree(tree(a).array()) == tree(a));
}

TEST_CASE("braces of pairs of a string and a value are a dictionary", "[tree][value]") {
    const xt::xarray<double> a = {1, 2};
    const xt::xtensor<double, 2> b = {{3, 4}};

    const tree data = {{"region1", {{"values", a}, {"created", "2023-01-20"}}},
                       {"region2", {{"values", b * 2}, {"created", "2023-01-21"}}}};

    CHECK(keys_of(data) == std::vector<std::string>{"region1", "region2"});
    CHECK((data["region1"]["values"].as<double, 1>() == a));
    CHECK((data["region2"]["values"].as<double, 2>() == b * 2));
    CHECK(data["region2"]["created"].get<std::string>() == "2023-01-21");
}

TEST_CASE("other braces are a list", "[tree][value]") {
    const xt::xarray<double> a = {1, 2};

    const tree mixed = {1, "a", nullptr, a};
    CHECK(mixed.is_list());
    CHECK(mixed.size() == 4);
    CHECK(tree({"a", 1}).is_list());
    CHECK(tree({{"a", 1}, {"b", 2, 3}}).is_list());
    CHECK(tree({{"a", 1}, {2, "b"}}).is_list());

    const tree groups = {{{"grp1_arr1", a}}, {{"grp2_arr2", a}}};
    CHECK(groups.is_list());
    CHECK(groups[0].is_dictionary());
    CHECK(groups[1]["grp2_arr2"].is_array());
}

TEST_CASE("what braces could be taken for is said by name", "[tree][value]") {
    const tree pairs = tree::list({{"a", 1}, {"b", 2}});
    CHECK(pairs.is_list());
    CHECK(pairs[1] == tree({"b", 2}));
    CHECK(tree::list({pairs}).size() == 1);
    CHECK(tree::list().is_list());
    CHECK(tree::dictionary().is_dictionary());
    CHECK(tree::dictionary({{"a", 1}})["a"] == 1);
    CHECK(tree::dictionary({pairs[0], {"c", 3}}) == tree({{"a", 1}, {"c", 3}}));

    const auto error = thrown<mismatch_error>([] { (void)tree::dictionary({{"a", 1}, {"b", 2, 3}}); });
    CHECK(error.field() == "item 1");
    CHECK(error.expected() == "a pair of a string and a value");
    CHECK(error.found() == "a list of 3 values");
    CHECK(thrown<mismatch_error>([] { (void)tree::dictionary({5}); }).found() == "an integer");
}

TEST_CASE("braces around one tree are a copy of it", "[tree][value]") {
    const tree other = {1, 2};
    const tree copy = {other};
    const tree braced{other};
    const tree twice = {{other}};
    const tree inside = {{"a", {other}}};

    CHECK(copy == other);
    CHECK(braced == other);
    CHECK(twice == other);
    CHECK(inside["a"] == other);
    CHECK(tree({other, other}).size() == 2);
}

TEST_CASE("trees that happen to look like pairs make no dictionary", "[tree][value]") {
    const tree row = {"a", 1};

    CHECK(tree({row, row}).is_list());
    CHECK(tree({{row}, {row}}).is_list());
}

TEST_CASE("empty braces are null alone and an empty dictionary inside", "[tree][value]") {
    tree alone = {};
    CHECK(alone.is_null());
    alone = {};
    CHECK(alone.is_null());
    CHECK(tree({{"a", {}}})["a"] == tree::dictionary());
    CHECK(tree({1, {}})[1] == tree::dictionary());
}

TEST_CASE("a key that comes again replaces the value at its old place", "[tree][value]") {
    const tree data = {{"a", 1}, {"b", 2}, {"a", 3}};

    CHECK(keys_of(data) == std::vector<std::string>{"a", "b"});
    CHECK(data["a"] == 3);
}

TEST_CASE("arrays are moved into trees, and shared by their copies", "[tree][value]") {
    nk::any_array array(nk::array_view(std::vector<double>{1, 2, 3}));
    const auto* const elements = array.bytes().data();

    tree data = {{"outer", {{"values", std::move(array)}, {"n", 3}}}};
    const tree copy = data;
    data = {};

    const auto shared = copy["outer"]["values"].array();
    CHECK(shared->bytes().data() == elements);
}

TEST_CASE("arrays given by name are copied", "[tree][value]") {
    xt::xarray<double> a = {1, 2};
    const tree data = {{"a", a}};
    a(0) = 7;

    CHECK(data["a"].as<double>()(0) == 1);
}

TEST_CASE("integers are exact in all of 64 bits, signed and unsigned", "[tree][value]") {
    constexpr auto least = std::numeric_limits<std::int64_t>::min();
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();

    CHECK(tree(least).get<std::int64_t>() == least);
    CHECK(tree(most).get<std::uint64_t>() == most);
    CHECK(tree(std::uint64_t(5)).get<std::int8_t>() == 5);
    CHECK(tree(-1).get<int>() == -1);
    CHECK(tree(most).get<double>() == 18446744073709551616.0);
}

TEST_CASE("an integer is not given as a type that cannot hold it", "[tree][value][error]") {
    const auto error = thrown<mismatch_error>([] { (void)tree(300).get<std::int8_t>(); });
    CHECK(error.field() == "value");
    CHECK(error.expected() == "an integer from -128 to 127");
    CHECK(error.found() == "300");
    CHECK_THROWS_AS(tree(-129).get<std::int8_t>(), mismatch_error);
    CHECK_THROWS_AS(tree(-1).get<std::uint64_t>(), mismatch_error);
    CHECK_THROWS_AS(tree(std::uint64_t(1) << 63).get<std::int64_t>(), mismatch_error);
    CHECK(thrown<mismatch_error>([] { (void)tree(1e300).get<float>(); }).found() == "1e+300");
    CHECK(std::isinf(tree(std::numeric_limits<double>::infinity()).get<float>()));
}

TEST_CASE("integers are real numbers, and no other kind is another", "[tree][value][error]") {
    CHECK(tree(3).get<double>() == 3.0);
    CHECK(tree(true).get<bool>());
    CHECK(tree("a").get<std::string>() == "a");

    const auto error = thrown<mismatch_error>([] { (void)tree(3.0).get<int>(); });
    CHECK(error.expected() == "an integer from -2147483648 to 2147483647");
    CHECK(error.found() == "a real number");
    CHECK(thrown<mismatch_error>([] { (void)tree(true).get<int>(); }).found() == "a boolean");
    CHECK(thrown<mismatch_error>([] { (void)tree(1).get<bool>(); }).expected() == "a boolean");
    CHECK(thrown<mismatch_error>([] { (void)tree().get<std::string>(); }).found() == "null");
    CHECK(thrown<mismatch_error>([] { (void)tree("1").get<double>(); }).expected() == "a number");
    const auto array = thrown<mismatch_error>([] { (void)tree(std::vector<double>{1}).get<double>(); });
    CHECK(std::string(array.what()) == "value is an array, expected a number (as<T, N>() returns it)");
}

TEST_CASE("a missing key is named, with some that are there", "[tree][value][error]") {
    const tree some = {{"a", 1}, {"it's", 2}};
    const auto error = thrown<mismatch_error>([&] { (void)some["c"]; });
    CHECK(error.field() == "key 'c'");
    CHECK(error.expected() == "one of 'a', 'it's'");
    CHECK(error.found() == "missing");

    tree many;
    for (int i = 0; i < 100; ++i)
        many["k" + std::to_string(i)] = i;
    CHECK(thrown<mismatch_error>([&] { (void)many.at("c"); }).expected() ==
          "one of 'k0', 'k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7', …");
    CHECK(thrown<mismatch_error>([] { (void)tree::dictionary().at("c"); }).hint() == "the dictionary is empty");
    CHECK(std::string(thrown<mismatch_error>([] {
                          (void)tree({1, 2}).at("c");
                      }).what()) == "value is a list, expected a dictionary (key 'c')");
}

TEST_CASE("an index beyond the end is named, with the size", "[tree][value][error]") {
    tree list = {1, 2};
    CHECK(list[1] == 2);
    CHECK(list[std::uint8_t(0)] == 1);

    const auto error = thrown<mismatch_error>([&] { (void)list[2]; });
    CHECK(error.field() == "index");
    CHECK(error.expected() == "less than 2");
    CHECK(error.found() == "2");
    CHECK(thrown<mismatch_error>([&] { (void)list.at(-1); }).found() == "-1");
    CHECK_THROWS_AS(list[std::numeric_limits<std::size_t>::max()], mismatch_error);
    CHECK_THROWS_AS(tree({{"a", 1}})[0], mismatch_error);
    CHECK_THROWS_AS(tree()[0], mismatch_error);
}

TEST_CASE("null grows into a dictionary or a list", "[tree][value]") {
    tree data;
    data["a"]["b"] = 1;
    data["list"].push_back("x");
    data["list"].push_back({1, 2});
    (void)data["none"];

    CHECK(data == tree({{"a", {{"b", 1}}}, {"list", {"x", {1, 2}}}, {"none", nullptr}}));
    CHECK_THROWS_AS(data["a"].push_back(1), mismatch_error);
    CHECK_THROWS_AS(data["list"]["a"], mismatch_error);
    CHECK(data["list"].size() == 2);
}

TEST_CASE("children are looked at and changed in a loop", "[tree][value]") {
    tree data = {{"a", 1}, {"b", 2}};
    for (auto&& [key, value] : data.items())
        value = key + "!";
    for (auto& value : data)
        value = tree({value, 0});

    CHECK(data == tree({{"a", {"a!", 0}}, {"b", {"b!", 0}}}));
    int sum_of_list = 0;
    for (const auto& value : tree({1, 2, 3}))
        sum_of_list += value.get<int>();
    CHECK(sum_of_list == 6);
    CHECK(tree().begin() == tree().end());
    CHECK(keys_of(tree()).empty());
    CHECK_THROWS_AS(keys_of({1, 2}), mismatch_error);
    CHECK_THROWS_AS(tree(5).size(), mismatch_error);
}

TEST_CASE("what is looked for and not there is no error", "[tree][value]") {
    tree data = {{"a", 1}};

    *data.find("a") = 2;

    CHECK(data["a"] == 2);
    CHECK(data.contains("a"));
    CHECK_FALSE(data.contains("b"));
    CHECK(data.find("b") == nullptr);
    CHECK_FALSE(tree(5).contains("a"));
    CHECK(tree().empty());
    CHECK(data.size() == 1);
}

TEST_CASE("a key is erased, and the others keep their order", "[tree][value]") {
    for (const int count : {4, 100}) {
        CAPTURE(count);
        tree data;
        for (int i = 0; i < count; ++i)
            data[std::to_string(i)] = i;

        CHECK(data.erase("1"));
        CHECK_FALSE(data.erase("1"));
        data["1"] = "again";

        CHECK(data.size() == static_cast<std::size_t>(count));
        CHECK(keys_of(data)[1] == "2");
        CHECK(keys_of(data).back() == "1");
        for (int i = 2; i < count; ++i)
            CHECK(data[std::to_string(i)] == i);
    }
    CHECK_FALSE(tree().erase("a"));
    CHECK_THROWS_AS(tree({1, 2}).erase("a"), mismatch_error);
}

TEST_CASE("a dictionary of many keys finds each and keeps their order", "[tree][value]") {
    constexpr int count = 100'000;
    tree data;
    for (int i = 0; i < count; ++i)
        data["key" + std::to_string(i * 7919 % count)] = i;

    const tree copy = data;

    int wrong = 0, at = 0;
    for (const auto& [key, value] : copy.items())
        wrong += value != at++;
    for (int i = 0; i < count; ++i)
        wrong += copy["key" + std::to_string(i * 7919 % count)] != i;
    CHECK(at == count);
    CHECK(wrong == 0);
    CHECK_FALSE(copy.contains("key" + std::to_string(count)));
    CHECK(copy == data);
}

TEST_CASE("a tree may be put into itself", "[tree][value]") {
    tree data = {{"a", {{"b", 1}}}};
    data["self"] = data;
    CHECK(data == tree({{"a", {{"b", 1}}}, {"self", {{"a", {{"b", 1}}}}}}));

    data["copy"] = data["a"];
    CHECK(data["copy"] == data["a"]);
    data["moved"] = std::move(data["copy"]);
    CHECK(data["copy"].is_null());
    data = data["a"];
    CHECK(data == tree({{"b", 1}}));

    tree list = {1};
    list.push_back(list);
    list.push_back(list[0]);
    CHECK(list == tree({1, tree::list({1}), 1}));
    list = std::move(list[1]);
    CHECK(list == tree::list({1}));
    tree& same = list;
    list = same;
    CHECK(list == tree::list({1}));
}

TEST_CASE("assigning children to new keys copies them before there is room for the keys", "[tree][value]") {
    tree data = {{"0", "a text too long to be kept in place, for the sanitizers to see"}};
    for (int i = 0; i < 100; ++i)
        data[std::to_string(i + 1)] = data[std::to_string(i)];

    CHECK(data["100"] == data["0"]);
}

TEST_CASE("copies are apart, and a tree that was moved from is null", "[tree][value]") {
    tree data = {{"a", {1, 2}}};
    tree copy = data;
    copy["a"][0] = 7;
    CHECK(data["a"][0] == 1);

    const tree moved = std::move(data);
    CHECK(data.is_null());  // NOLINT: the state after a move is specified
    CHECK(moved["a"][0] == 1);
    data["new"] = 1;
    CHECK(data == tree({{"new", 1}}));
}

TEST_CASE("children of a temporary tree are moved out of it", "[tree][value]") {
    const auto load = [] { return tree({{"list", {1, 2, 3}}}); };

    int count = 0;
    for (const auto& value : load()["list"])
        count += value.is_integer();

    CHECK(count == 3);
    CHECK(load()["list"][2] == 3);
    CHECK(load().at("list").at(2) == 3);
    CHECK_THROWS_AS(load()["other"], mismatch_error);
}

TEST_CASE("trees of any depth are copied, compared and destroyed", "[tree][value]") {
    const tree data = deep(200'000);
    tree copy = data;

    CHECK((copy == data));
    copy = deep(200'001);
    CHECK_FALSE((copy == data));
    CHECK((deep(200'001)[0] == data));
}

TEST_CASE("numbers are equal by value, exactly", "[tree][value]") {
    constexpr auto nan = std::numeric_limits<double>::quiet_NaN();
    constexpr auto infinity = std::numeric_limits<double>::infinity();

    CHECK(tree(1) == 1.0);
    CHECK(tree(-0.0) == 0);
    CHECK(tree(std::int64_t(1) << 53) == 9007199254740992.0);
    CHECK(tree((std::int64_t(1) << 53) + 1) != 9007199254740992.0);
    CHECK(tree(std::numeric_limits<std::int64_t>::max()) != 9223372036854775808.0);
    CHECK(tree(std::numeric_limits<std::int64_t>::min()) == -9223372036854775808.0);
    CHECK(tree(std::uint64_t(1) << 63) == 9223372036854775808.0);
    CHECK(tree(std::numeric_limits<std::uint64_t>::max()) != 18446744073709551616.0);
    CHECK(tree(-1) != std::numeric_limits<std::uint64_t>::max());
    CHECK(tree(1) != 1.5);
    CHECK(tree(1) != infinity);
    CHECK(tree(1) != nan);
    CHECK(tree(nan) == nan);
    CHECK(tree(infinity) != -infinity);
    CHECK(tree(true) != 1);
    CHECK(tree("1") != 1);
    CHECK(tree() != 0);
}

TEST_CASE("dictionaries are equal in any order, lists in one", "[tree][value]") {
    CHECK(tree({{"a", 1}, {"b", {1, 2}}}) == tree({{"b", {1, 2}}, {"a", 1}}));
    CHECK(tree({{"a", 1}, {"b", 2}}) != tree({{"a", 1}, {"c", 2}}));
    CHECK(tree({{"a", 1}}) != tree({{"a", 1}, {"c", 2}}));
    CHECK(tree({1, 2}) != tree({2, 1}));
    CHECK(tree::list() != tree::dictionary());
    CHECK(tree::list() != tree());
}

TEST_CASE("arrays are equal when dtype, shape and bytes are", "[tree][value]") {
    const std::vector<double> a = {1, 2};

    CHECK(tree(a) == tree(a));
    CHECK(tree(a) != tree(std::vector<double>{1, 3}));
    CHECK(tree(a) != tree(std::vector<float>{1, 2}));
    CHECK(tree(a) != tree(xt::xarray<double>{{1, 2}}));
    CHECK(tree(a) != tree({1, 2}));
    CHECK(tree(std::vector<double>{std::nan("")}) == tree(std::vector<double>{std::nan("")}));
}

TEST_CASE("an array is given as xtensor has it, or as what it is not", "[tree][value][error]") {
    const tree data = xt::xtensor<double, 2>{{1, 2}, {3, 4}};

    CHECK(data.type().str() == "<f8");
    CHECK(data.as<double>()(1, 0) == 3);
    CHECK((std::is_same_v<decltype(data.as<double, 2>()), xt::xtensor<double, 2>>));
    const auto type = thrown<mismatch_error>([&] { (void)data.as<float>(); });
    CHECK(std::string(type.what()) == "dtype is '<f8', expected '<f4' (as<double>)");
    CHECK(thrown<mismatch_error>([&] { (void)data.as<double, 1>(); }).field() == "shape");
    CHECK(thrown<mismatch_error>([&] { (void)data.map<double, 1>(); }).field() == "shape");
    const auto place = thrown<mismatch_error>([&] { (void)data.map<double, 2>(); });
    CHECK(place.expected() == "in a file");
    CHECK(place.hint() == "as<T, N>() copies it; only trees of open_tree can be mapped");
    CHECK(std::string(thrown<mismatch_error>([] { (void)tree("a").as<double>(); }).what()) ==
          "value is a string, expected an array (get<T>() returns it)");
    CHECK_THROWS_AS(tree().type(), mismatch_error);
    CHECK_THROWS_AS(tree({1, 2}).shape(), mismatch_error);
    CHECK_THROWS_AS(tree(1).array(), mismatch_error);
}

TEST_CASE("an array of a tree is visited and saved", "[tree][value]") {
    temp_dir dir;
    const tree data = {{"a", xt::xarray<double>{{1, 2}, {3, 4}}}};

    nk::save(dir / "a.npy", data["a"].array());
    const auto held = data["a"].array();

    CHECK((nk::load<double, 2>(dir / "a.npy") == data["a"].as<double, 2>()));
    CHECK(nk::visit<nk::real>(sum, data["a"].array()) == 10);
    CHECK(nk::visit<double>(sum, held) == 10);
    CHECK(nk::visit<nk::real>(sum, *held) == 10);
    CHECK(held->size() == 4);
}

TEST_CASE("an array that is elsewhere is fetched when it is asked for", "[tree][value]") {
    const auto leaf = std::make_shared<const counting_leaf>(nk::any_array(nk::array_view(std::vector<double>{1, 2})));
    const tree data = {{"a", nk::detail::tree_access::of_leaf(leaf)}};
    const tree copy = data;

    CHECK(copy == data);
    CHECK(copy["a"].shape() == extents{2});
    CHECK(copy["a"].type().str() == "<f8");
    CHECK(leaf->arrays + leaf->reads == 0);

    CHECK(copy["a"].as<double>()(1) == 2);
    CHECK(leaf->reads == 1);
    CHECK(nk::visit<double>(sum, copy["a"].array()) == 3);
    const nk::array_view view = copy["a"].array();  // keeps the fetched array
    CHECK(xt::sum(nk::any_array(view).as<double>())() == 3);
    CHECK(leaf->arrays == 2);
    CHECK(thrown<mismatch_error>([&] { (void)copy["a"].map<double>(); }).file() == "far.npz");
    CHECK(copy["a"] == tree(std::vector<double>{1, 2}));
}

TEST_CASE("numbers that convert to trees are compared as numbers", "[tree]") {
    const nk::float16 half(0.5F);

    CHECK(bool(half == nk::float16(0.5F)));
    CHECK_FALSE(bool(half == nk::float16(0.25F)));
}

}  // namespace trees::value_tests
