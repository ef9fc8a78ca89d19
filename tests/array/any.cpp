// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/array/any.hpp>
#include <ndkeep/element/fields.hpp>

#include <array>
#include <cstring>
#include <string>
#include <vector>

namespace array_any_tests {

namespace nk = ndkeep;
using nk::any_array;
using nk::types;
using shape = std::vector<std::size_t>;

namespace {

struct reading {
    std::int16_t id;
    std::array<float, 2> at;
};
NDKEEP_FIELDS(reading, id, at);

any_array filled(std::string_view type, const shape& extents, const std::string& bytes) {
    any_array out(nk::dtype::parse(type), extents);
    REQUIRE(out.bytes().size() == bytes.size());
    std::memcpy(out.bytes().data(), bytes.data(), bytes.size());
    return out;
}

template <class T>
any_array of(const std::vector<T>& elements) {
    return any_array(nk::array_view(elements));
}

/// The sum of the numbers, whatever their type.
const auto total = [](const auto& array) {
    double sum = 0;
    for (const auto& value : array) {
        if constexpr (requires { value.real(); })
            sum += static_cast<double>(value.real());
        else
            sum += static_cast<double>(value);
    }
    return sum;
};

std::string content(const any_array& array) {
    return {reinterpret_cast<const char*>(array.bytes().data()), array.bytes().size()};
}

}  // namespace

TEST_CASE("an array of any dtype made by default has no elements", "[array][any]") {
    const any_array none;

    CHECK(none.shape() == shape{0});
    CHECK(none.size() == 0);
    CHECK(none.bytes().empty());
    CHECK(none.type() == nk::dtype());
}

TEST_CASE("an array of any dtype holds rows in order, whatever it was made of", "[array][any]") {
    const xt::xtensor<std::int16_t, 2, xt::layout_type::column_major> columns = {{1, 2, 3}, {4, 5, 6}};

    const any_array array{nk::array_view(columns)};

    CHECK(array.shape() == shape{2, 3});
    CHECK(array.dimension() == 2);
    CHECK(array.size() == 6);
    CHECK(array.strides() == std::vector<std::ptrdiff_t>{6, 2});
    CHECK(content(array) == std::string("\1\0\2\0\3\0\4\0\5\0\6\0", 12));
    CHECK((array.as<std::int16_t, 2>() == columns));
}

TEST_CASE("copies have memory of their own", "[array][any]") {
    auto array = of<std::int32_t>({1, 2, 3});
    const any_array copy = array;
    any_array assigned;
    assigned = array;
    array.bytes()[0] = std::byte{9};
    const any_array moved = std::move(array);

    CHECK(copy.as<std::int32_t>()(0) == 1);
    CHECK(assigned.as<std::int32_t>()(0) == 1);
    CHECK(moved.as<std::int32_t>()(0) == 9);
    assigned = *&assigned;
    CHECK(assigned.as<std::int32_t>()(2) == 3);
}

TEST_CASE("as gives the container of its template arguments, in native byte order", "[array][any]") {
    const auto big = filled(">i4", {2}, std::string("\0\0\1\0\xff\xff\xff\xfe", 8));

    STATIC_REQUIRE(std::is_same_v<decltype(big.as<std::int32_t>()), xt::xarray<std::int32_t>>);
    STATIC_REQUIRE(std::is_same_v<decltype(big.as<std::int32_t, 1>()), xt::xtensor<std::int32_t, 1>>);
    CHECK((big.as<std::int32_t, 1>() == xt::xtensor<std::int32_t, 1>{256, -2}));
    CHECK(content(big).substr(0, 4) == std::string("\0\0\1\0", 4));
}

TEST_CASE("as refuses another dtype or rank and says what is there", "[array][any]") {
    const auto array = of<float>({1, 2});

    const auto type = thrown<nk::mismatch_error>([&] { (void)array.as<double>(); });
    const auto rank = thrown<nk::mismatch_error>([&] { (void)array.as<float, 2>(); });

    CHECK(std::string(type.what()) == "dtype is '<f4', expected '<f8' (as<float>)");
    CHECK(rank.found() == "(2,)");
    CHECK(rank.expected() == "2 dimensions");
    CHECK(rank.hint() == "as<T, 1> or as<T>");
}

TEST_CASE("as makes bools of any bytes", "[array][any]") {
    const auto flags = filled("?", {4}, std::string("\0\1\2\xff", 4)).as<bool, 1>();

    std::array<unsigned char, 4> bytes = {};
    std::memcpy(bytes.data(), flags.data(), 4);
    CHECK(bytes == std::array<unsigned char, 4>{0, 1, 1, 1});
}

TEST_CASE("visit sees bools where bytes are neither 0 nor 1", "[array][any]") {
    const auto array = filled("?", {4}, std::string("\0\1\2\xff", 4));

    CHECK(nk::visit<bool>(total, array) == 3);
    CHECK(nk::visit<nk::numeric>(total, array) == 3);
    CHECK(content(array) == std::string("\0\1\2\xff", 4));
}

TEST_CASE("field copies one field, with the axes of a sub-array behind", "[array][any]") {
    const auto array = of<reading>({{1, {1.5F, 2.5F}}, {2, {3.5F, 4.5F}}, {3, {5.5F, 6.5F}}});

    const auto ids = array.field("id");
    const auto places = array.field("at");

    CHECK((ids.as<std::int16_t, 1>() == xt::xtensor<std::int16_t, 1>{1, 2, 3}));
    CHECK(places.shape() == shape{3, 2});
    CHECK(places.as<float, 2>()(2, 1) == 6.5F);
    const auto e = thrown<nk::mismatch_error>([&] { (void)array.field("size"); });
    CHECK(e.field() == "field 'size'");
    CHECK(e.found() == "missing");
    CHECK(e.expected() == "one of " + array.type().descr());
    CHECK_THROWS_AS(ids.field("id"), nk::mismatch_error);
    CHECK(any_array(nk::dtype_of<reading>(), {0, 2}).field("at").shape() == shape{0, 2, 2});
}

TEST_CASE("visit calls with the container of the array's own element type", "[array][any]") {
    const auto array = of<std::uint8_t>({250, 5});
    std::size_t size = 0;

    const double sum = nk::visit<nk::real>(total, array);
    nk::visit<nk::integral>([&](const auto& a) { size = sizeof(*a.data()); }, array);

    CHECK(sum == 255);
    CHECK(size == 1);
    CHECK(nk::visit<nk::numeric>(total, of<double>({0.5, 1})) == 1.5);
    CHECK(nk::visit<float, double>([](const auto& a) { return a.size(); }, of<float>({1, 2, 3})) == 3);
}

TEST_CASE("visit's container refers to the array's memory", "[array][any]") {
    const auto array = of<float>({1, 2});
    const void* where = nullptr;

    nk::visit<float>([&](const auto& a) { where = a.data(); }, array);

    CHECK(where == array.bytes().data());
}

TEST_CASE("visit gives foreign bytes in native order", "[array][any]") {
    CHECK(nk::visit<nk::integral>(total, filled(">u2", {3}, std::string("\0\1\1\0\0\2", 6))) == 259);
    CHECK(nk::visit<nk::real>(total, filled(">f2", {2}, std::string("\x3c\0\x40\0", 4))) == 3);
}

TEST_CASE("visit shows float16 as float, or as itself where it is listed", "[array][any]") {
    const auto array = of<nk::float16>({1.5, -2, 65504});
    const auto name = [](const auto& a) {
        return std::is_same_v<std::decay_t<decltype(a(0))>, float> ? "float" : "float16";
    };

    CHECK(nk::visit<nk::real>(total, array) == 65503.5);
    CHECK(std::string(nk::visit<float, double>(name, array)) == "float");
    CHECK(std::string(nk::visit<float, nk::float16>(name, array)) == "float16");
    CHECK_THROWS_AS(nk::visit<double>(name, array), nk::mismatch_error);
}

TEST_CASE("visit shows bfloat16 as float, and as bytes what has no name for it", "[array][any]") {
    const auto array = of<nk::bfloat16>({1.5, -2, 384});
    const auto name = [](const auto& a) {
        return std::is_same_v<std::decay_t<decltype(a(0))>, float> ? "float" : "bfloat16";
    };

    CHECK(nk::visit<nk::real>(total, array) == 383.5);
    CHECK(std::string(nk::visit<float, nk::bfloat16>(name, array)) == "bfloat16");
    CHECK_THROWS_AS(nk::visit<nk::real>(total, filled("<V2", {1}, std::string("\0\1", 2))), nk::mismatch_error);
    CHECK_THROWS_AS(array.as<float>(), nk::mismatch_error);
    CHECK_THROWS_AS(array.as<nk::float16>(), nk::mismatch_error);
}

TEST_CASE("visit returns any result by value, also none", "[array][any]") {
    const auto array = of<double>({3, 1, 2});
    int calls = 0;

    nk::visit<double>([&](const auto&) { ++calls; }, array);
    const auto text = nk::visit<double>([](const auto& a) { return std::to_string(a.size()); }, array);
    const auto pointer = nk::visit<double>([](const auto& a) { return std::make_unique<double>(a(0)); }, array);

    CHECK(calls == 1);
    CHECK(text == "3");
    CHECK(*pointer == 3);
}

TEST_CASE("visit refuses what is not listed and prints the list", "[array][any]") {
    const auto nothing = [](const auto&) {};

    const auto e = thrown<nk::mismatch_error>([&] { nk::visit<float, double>(nothing, of<int>({1})); });
    CHECK(e.field() == "dtype");
    CHECK(e.found() == "'<i4'");
    CHECK(e.expected() == "one of <f4, <f8");
    CHECK_THROWS_AS((nk::visit<std::int64_t>(nothing, any_array(nk::dtype::parse("M8[s]"), {1}))), nk::mismatch_error);
    CHECK_THROWS_AS((nk::visit<nk::fixed_bytes<12>>(nothing, of<reading>({{}}))), nk::mismatch_error);
}

TEST_CASE("visit sees every kind of shape", "[array][any]") {
    CHECK(nk::visit<float>(total, any_array(nk::dtype_of<float>(), {0, 3})) == 0);
    CHECK(nk::visit<float>([](const auto& a) { return a.dimension(); }, any_array(nk::array_view(2.0F))) == 0);
    CHECK(nk::visit<nk::fixed_string<2>>([](const auto& a) { return a(1).str(); },
                                         filled("S2", {2}, std::string("abc\0", 4))) == "c");
}

TEST_CASE("writers read an array of any dtype as it is", "[array][any]") {
    const auto array = filled(">i2", {2}, "abcd");

    const nk::array_view view = array;

    CHECK(view.type() == array.type());
    CHECK(view.shape() == array.shape());
    CHECK(view.contiguous() == array.bytes().data());
    CHECK(content(any_array(view)) == "abcd");
}

}  // namespace array_any_tests
