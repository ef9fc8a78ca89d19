// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/element/convert.hpp>
#include <ndkeep/format/dtype.hpp>

#include <string>
#include <vector>

namespace array_convert_tests {

namespace nk = ndkeep;
using namespace std::string_literals;

namespace {

nk::dtype type(std::string_view text) { return nk::dtype::parse(text); }

/// Converts elements to another dtype. The former bytes of the target must not matter.
std::string converted(std::string_view from, std::string_view to, const std::string& elements) {
    const nk::conversion convert(type(from), type(to));
    REQUIRE(elements.size() % convert.from_size() == 0);
    const std::size_t count = elements.size() / convert.from_size();
    std::string out(count * convert.to_size() + 1, '#');
    convert.run(reinterpret_cast<std::byte*>(out.data()), reinterpret_cast<const std::byte*>(elements.data()), count);
    CHECK(out.back() == '#');
    out.pop_back();
    if (convert.keeps_places()) {
        std::string in_place = elements;
        convert.run(reinterpret_cast<std::byte*>(in_place.data()), reinterpret_cast<const std::byte*>(in_place.data()),
                    count);
        CHECK((in_place == out || type(to).is_struct()));
    }
    return out;
}

nk::mismatch_error refused(std::string_view from, std::string_view to) {
    return thrown<nk::mismatch_error>([&] { (void)nk::conversion(type(from), type(to), "t.npy", "a hint"); });
}

bool same(std::string_view from, std::string_view to) {
    try {
        return nk::conversion(type(from), type(to)).is_identity();
    } catch (const nk::mismatch_error&) {
        return false;
    }
}

}  // namespace

TEST_CASE("equal dtypes are copied as they are", "[array][convert]") {
    for (const auto* const text : {"?", "<i4", ">i4", "<f2", "<c16", "S5", "<U3", ">U3", "V7", "<M8[D]", "i4,f8"}) {
        CAPTURE(text);
        const nk::conversion convert(type(text), type(text));
        CHECK(convert.is_identity());
        CHECK(convert.keeps_places());
    }
    CHECK(converted("S3", "S3", "abcdef") == "abcdef");
}

TEST_CASE("numbers of every width are reversed", "[array][convert]") {
    CHECK(converted(">i2", "<i2", "abcd") == "badc");
    CHECK(converted("<u4", ">u4", "abcdefgh") == "dcbahgfe");
    CHECK(converted(">f8", "<f8", "abcdefgh") == "hgfedcba");
    CHECK(converted(">f16", "<f16", "abcdefghijklmnop") == "ponmlkjihgfedcba");
    CHECK(converted(">f2", "<f2", "ab") == "ba");
    CHECK(converted(">M8[s]", "<M8[s]", "abcdefgh") == "hgfedcba");
}

TEST_CASE("complex numbers are reversed by halves, text by characters", "[array][convert]") {
    CHECK(converted(">c8", "<c8", "abcdefgh") == "dcbahgfe");
    CHECK(converted(">c16", "<c16", "abcdefghijklmnop") == "hgfedcbaponmlkji");
    CHECK(converted(">c32", "<c32", "abcdefghijklmnopABCDEFGHIJKLMNOP") == "ponmlkjihgfedcbaPONMLKJIHGFEDCBA");
    CHECK(converted("<U2", ">U2", "abcdefgh") == "dcbahgfe");
    CHECK(converted("|u1", "|u1", "abc") == "abc");
}

TEST_CASE("bytes are reversed where they lie", "[array][convert]") {
    std::string text = "abcdefgh";
    const nk::conversion swap(type(">i4"), type("<i4"));

    swap.run(reinterpret_cast<std::byte*>(text.data()), reinterpret_cast<const std::byte*>(text.data()), 2);

    CHECK(text == "dcbahgfe");
    CHECK(swap.keeps_places());
    CHECK(!swap.is_identity());
}

TEST_CASE("packed structs are padded with zeros, padded ones are packed", "[array][convert]") {
    const auto* const packed = "[('a', '|i1'), ('b', '<i4')]";
    const auto* const padded = "[('a', '|i1'), ('', '|V3'), ('b', '<i4'), ('', '|V2')]";

    CHECK(converted(packed, padded, "abcdeABCDE") == "a\0\0\0bcde\0\0A\0\0\0BCDE\0\0"s);
    CHECK(converted(padded, packed, "a???bcde??A???BCDE??") == "abcdeABCDE");
    CHECK(!nk::conversion(type(packed), type(padded)).keeps_places());
}

TEST_CASE("fields are found by name, in any order and byte order", "[array][convert]") {
    CHECK(converted("[('b', '>i2'), ('a', '|S3')]", "[('a', '|S3'), ('b', '<i2')]", "xyabcXYABC") == "abcyxABCYX");
    CHECK(converted("[('a', '>i2'), ('b', '>i2'), ('c', '<i2')]", "[('a', '<i2'), ('b', '<i2'), ('c', '<i2')]",
                    "abcdef") == "badcef");
}

TEST_CASE("titles do not matter", "[array][convert]") {
    CHECK(converted("[(('a title', 'a'), '<i2')]", "[('a', '<i2')]", "ab") == "ab");
}

TEST_CASE("structs in structs and arrays of them are converted", "[array][convert]") {
    const auto* const from = "[('p', [('y', '>i2'), ('x', '|i1')], (2,)), ('q', '|i1')]";
    const auto* const to = "[('q', '|i1'), ('', '|V1'), ('p', [('x', '|i1'), ('', '|V1'), ('y', '<i2')], (2,))]";

    CHECK(converted(from, to, "abcdefg") == "g\0c\0baf\0ed"s);
    CHECK(converted(to, from, "g?c?baf?ed") == "abcdefg");
}

TEST_CASE("sub-arrays are converted value by value", "[array][convert]") {
    CHECK(converted("[('m', '>i2', (2, 2))]", "[('m', '<i2', (2, 2))]", "abcdefgh") == "badcfehg");
    CHECK(converted("[('m', '<i2', (0,)), ('a', '|S1')]", "[('a', '|S1'), ('m', '<i2', (0,))]", "xy") == "xy");
}

TEST_CASE("another kind or size is refused with both dtypes", "[array][convert]") {
    const auto e = refused("<f4", "<f8");

    CHECK(std::string(e.what()) == "t.npy: dtype is '<f4', expected '<f8' (a hint)");
    CHECK(refused("<i4", "<u4").found() == "'<i4'");
    CHECK(refused(">i4", "<f4").found() == "'>i4'");
    CHECK(refused("S3", "S4").expected() == "'|S4'");
    CHECK(refused("S8", "V8").field() == "dtype");
    CHECK(refused("<M8[D]", "<m8[D]").found() == "'<M8[D]'");
    CHECK(refused("<i8", "<M8[D]").found() == "'<i8'");
}

TEST_CASE("a struct and a number are refused with the struct's own words", "[array][convert]") {
    CHECK(refused("[('a', '<i4')]", "<i4").found() == "[('a', '<i4')]");
    CHECK(refused("<i4", "[('a', '<i4')]").expected() == "[('a', '<i4')]");
    CHECK(refused("V4", "[('a', '<i4')]").field() == "dtype");
}

TEST_CASE("the first difference in a struct is named by its path", "[array][convert]") {
    const auto* const wanted = "[('id', '<i4'), ('pos', [('x', '<f8'), ('y', '<f8', (2,))])]";

    const auto type_differs = refused("[('id', '<i4'), ('pos', [('x', '<f4'), ('y', '<f8', (2,))])]", wanted);
    CHECK(type_differs.field() == "field 'pos.x'");
    CHECK(type_differs.found() == "'<f4'");
    CHECK(type_differs.expected() == "'<f8'");

    const auto missing = refused("[('id', '<i4'), ('pos', [('y', '<f8', (2,))])]", wanted);
    CHECK(missing.field() == "field 'pos.x'");
    CHECK(missing.found() == "missing");

    const auto unknown = refused("[('id', '<i4'), ('more', '<i4'), ('pos', '<i4')]", wanted);
    CHECK(unknown.field() == "field 'more'");
    CHECK(unknown.found() == "present");
    CHECK(unknown.expected() == "absent");

    const auto shape = refused("[('id', '<i4'), ('pos', [('x', '<f8'), ('y', '<f8', (3,))])]", wanted);
    CHECK(shape.field() == "field 'pos.y' shape");
    CHECK(shape.found() == "(3,)");
    CHECK(shape.expected() == "(2,)");

    const auto kind = refused("[('id', '<i4'), ('pos', '<i4')]", wanted);
    CHECK(kind.field() == "field 'pos'");
    CHECK(kind.found() == "'<i4'");
}

TEST_CASE("types of fields without bytes must agree all the same", "[array][convert]") {
    CHECK_THROWS_AS(nk::conversion(type("[('a', '<i4', (0,))]"), type("[('a', '<f4', (0,))]")), nk::mismatch_error);
}

TEST_CASE("units of time that mean the same are the same", "[array][convert]") {
    CHECK(same("<m8[7D]", "<m8[W]"));
    CHECK(same("<m8[W]", "<m8[7D]"));
    CHECK(same("<M8[14D]", "<M8[2W]"));
    CHECK(same("<M8[12M]", "<M8[Y]"));
    CHECK(same("<m8[24h]", "<m8[D]"));
    CHECK(same("<m8[60s]", "<m8[m]"));
    CHECK(same("<m8[1000000us]", "<m8[s]"));
    CHECK(same("<m8[168h]", "<m8[W]"));
    CHECK(same("<m8[1000as]", "<m8[fs]"));
}

TEST_CASE("units of time that mean something else are refused", "[array][convert]") {
    CHECK(!same("<m8[D]", "<m8[W]"));
    CHECK(!same("<m8[30D]", "<m8[M]"));
    CHECK(!same("<m8[365D]", "<m8[Y]"));
    CHECK(!same("<m8[ms]", "<m8[us]"));
    CHECK(!same("<m8", "<m8[s]"));
    CHECK(!same("<m8[100ms]", "<m8[s]"));
    CHECK(same("<m8", "<m8"));
    CHECK(refused("<M8[ms]", "<M8[us]").found() == "'<M8[ms]'");
}

TEST_CASE("many numbers are swapped as each alone is, in place too", "[array][convert]") {
    for (const std::size_t width : {std::size_t{2}, std::size_t{4}, std::size_t{8}})
        for (const std::size_t count : std::vector<std::size_t>{0, 1, 63, 64, 65, 127, 200, 1'001}) {
            CAPTURE(width, count);
            std::vector<std::byte> from(count * width);
            for (std::size_t i = 0; i < from.size(); ++i)
                from[i] = static_cast<std::byte>(i * 7 + i / 251);
            auto one_by_one = from, at_once = from;
            for (std::size_t i = 0; i < count; ++i)
                nk::detail::swap_bytes(one_by_one.data() + i * width, from.data() + i * width, 1, width);

            nk::detail::swap_bytes(at_once.data(), at_once.data(), count, width);

            CHECK(at_once == one_by_one);
        }
}

TEST_CASE("bytes without a meaning can be taken as unsigned integers of their size", "[element]") {
    CHECK(converted("|V1", "|u1", "a") == "a");
    CHECK(converted("|V2", "<u2", "abcd") == "abcd");
    CHECK(converted("|V4", "<u4", "abcd") == "abcd");
    CHECK(converted("|V8", "<u8", "abcdefgh") == "abcdefgh");
    CHECK_THROWS_AS(nk::conversion(type("|V2"), type("<u4")), nk::mismatch_error);
    CHECK_THROWS_AS(nk::conversion(type("|V2"), type("<i2")), nk::mismatch_error);
    CHECK_THROWS_AS(nk::conversion(type("<u2"), type("|V2")), nk::mismatch_error);
}

}  // namespace array_convert_tests
