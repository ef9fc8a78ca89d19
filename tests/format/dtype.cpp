// SPDX-License-Identifier: BSD-3-Clause
#include <ndkeep/format/dtype.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace format_dtype_tests {

using ndkeep::byte_order;
using ndkeep::dtype;
using ndkeep::format_error;
using ndkeep::native_order;

namespace {

std::string descr_of(std::string_view text) { return dtype::parse(text).descr(); }

format_error refusal(std::string_view text, const ndkeep::limits& limit = {}) {
    try {
        (void)dtype::parse(text, "a.npy", limit);
    } catch (const format_error& e) {
        return e;
    }
    FAIL("accepted " << text);
    std::abort();
}

// The native byte order of little-endian machines, on which the expected texts were printed.
constexpr bool is_little = native_order == byte_order::little;

}  // namespace

TEST_CASE("a dtype prints the text NumPy prints", "[format][dtype]") {
    using field = dtype::field;
    const auto point = dtype::structure(
        {field{.name = "x", .type = dtype::plain('f', 4, byte_order::little)},
         field{
             .name = "y", .title = "up", .type = dtype::plain('i', 2, byte_order::big), .offset = 8, .shape = {2, 3}}},
        24);

    CHECK(dtype().descr() == "'|V0'");
    CHECK(dtype::plain('b', 1).descr() == "'|b1'");
    CHECK(dtype::plain('U', 16, byte_order::big).descr() == "'>U4'");
    CHECK(dtype::plain('S', 5, byte_order::big).descr() == "'|S5'");
    CHECK(dtype::time('M', "s", 25, byte_order::little).descr() == "'<M8[25s]'");
    CHECK(dtype::time('m', "", 1, byte_order::big).descr() == "'>m8'");
    CHECK(point.descr() == "[('x', '<f4'), ('', '|V4'), (('up', 'y'), '>i2', (2, 3)), ('', '|V4')]");
    CHECK(point.str() == "|V24");
    CHECK(dtype::structure({}, 0).descr() == "[]");
    CHECK(dtype::structure({}, 8).descr() == "[('', '|V8')]");
}

TEST_CASE("a dtype has the name of the C++ type that reads it", "[format][dtype]") {
    CHECK(dtype::plain('b', 1).cpp_name() == "bool");
    CHECK(dtype::plain('u', 4, byte_order::big).cpp_name() == "std::uint32_t");
    CHECK(dtype::plain('f', 2).cpp_name() == "ndkeep::float16");
    CHECK(dtype::plain('E', 2).cpp_name() == "ndkeep::bfloat16");
    CHECK(dtype::plain('c', 16).cpp_name() == "std::complex<double>");
    CHECK(dtype::plain('U', 16).cpp_name() == "ndkeep::fixed_u32string<4>");
    CHECK(dtype::plain('V', 3).cpp_name() == "ndkeep::fixed_bytes<3>");
    CHECK(dtype::time('M', "s").cpp_name().empty());
    CHECK(dtype::structure({}, 8).cpp_name().empty());
}

TEST_CASE("a dtype says to which group of kinds it belongs", "[format][dtype]") {
    const auto groups = [](const dtype& type) {
        std::string out;
        out += type.is_number() ? "number " : "";
        out += type.is_integer() ? "integer " : "";
        out += type.is_inexact() ? "inexact " : "";
        out += type.is_floating_point() ? "floating-point " : "";
        out += type.is_complex() ? "complex " : "";
        out += type.is_time() ? "time " : "";
        out += type.is_text() ? "text " : "";
        return out;
    };

    CHECK(groups(dtype::plain('b', 1)) == "number ");
    CHECK(groups(dtype::plain('i', 2)) == "number integer ");
    CHECK(groups(dtype::plain('u', 8)) == "number integer ");
    CHECK(groups(dtype::plain('f', 2)) == "number inexact floating-point ");
    CHECK(groups(dtype::plain('E', 2)) == "number inexact floating-point ");
    CHECK(groups(dtype::plain('c', 16)) == "number inexact complex ");
    CHECK(groups(dtype::time('M', "s")) == "time ");
    CHECK(groups(dtype::time('m', "s")) == "time ");
    CHECK(groups(dtype::plain('S', 3)) == "text ");
    CHECK(groups(dtype::plain('U', 8)) == "text ");
    CHECK(groups(dtype::plain('V', 2)).empty());
    CHECK(groups(dtype::structure({{.name = "x", .type = dtype::plain('f', 8)}}, 8)).empty());
}

TEST_CASE("bfloat16 is read by its name and written as two bytes", "[format][dtype]") {
    // ml_dtypes: np.dtype('bfloat16').str is '<V2' on little-endian machines; .descr of a struct has it as well.
    const std::string bytes = ndkeep::native_order == byte_order::little ? "'<V2'" : "'>V2'";
    const auto plain = dtype::parse("'bfloat16'");
    const auto pair = dtype::parse("[('a', 'bfloat16'), ('b', '|u1')]");

    CHECK(plain == dtype::plain('E', 2));
    CHECK(plain.size() == 2);
    CHECK(plain.is_native());
    CHECK(plain.str() == "bfloat16");
    CHECK(plain.descr() == bytes);
    CHECK(plain.stored() == dtype::parse("<V2"));
    CHECK(pair.descr() == "[('a', " + bytes + "), ('b', '|u1')]");
    CHECK(pair.stored() == dtype::parse("[('a', '|V2'), ('b', '|u1')]"));
    CHECK(ndkeep::core::dtype_text(pair) == "[('a', 'bfloat16'), ('b', '|u1')]");
    CHECK(dtype::parse(ndkeep::core::dtype_text(plain)) == plain);
    CHECK(dtype::parse("<V2").kind() == 'V');
    for (const char* const text : {"E", "E2", "<E2", "<bfloat16", "bfloat", "bfloat16 "})
        CHECK_THROWS_AS(dtype::parse(text), ndkeep::format_error);
}

TEST_CASE("names are quoted and escaped as Python's repr does", "[format][dtype]") {
    const auto named = [](std::string name) {
        std::vector<dtype::field> fields{{.name = std::move(name), .type = dtype::plain('u', 1)}};
        const auto text = dtype::structure(std::move(fields), 1).descr();
        return text.substr(2, text.size() - 11);
    };

    CHECK(named("it's") == "\"it's\"");
    CHECK(named("q\"q") == "'q\"q'");
    CHECK(named("both'\"") == R"('both\'"')");
    CHECK(named("back\\slash") == R"('back\\slash')");
    CHECK(named(std::string("\t\n\r\0\x1b\x7f", 6)) == R"('\t\n\r\x00\x1b\x7f')");
    CHECK(named("été整形😀") == "'été整形😀'");
    CHECK(named("\u0085\u00a0\u00ad\u200b\u3000\ue000\U000e0001") == R"('\x85\xa0\xad\u200b\u3000\ue000\U000e0001')");
    CHECK(named("\xed\xa0\x80") == R"('\ud800')");
}

TEST_CASE("every text that a descr prints is read back as the same type", "[format][dtype]") {
    for (const auto* text : {
             "'|b1'",
             "'>c32'",
             "'<f16'",
             "'|S0'",
             "'<U0'",
             "'>M8[7D]'",
             "'<M8[0s]'",
             "[]",
             "[('', '|V8')]",
             "[('a', '|i1'), ('', '|V7'), ('b', '<f8'), ('c', '<u2'), ('', '|V6')]",
             "[('pos', [('x', '<f4'), ('', '|V4'), ('y', '>f4')], (2,)), ('k', '|u1')]",
             "[('c', ('<f8', (5,)), (2, 1))]",
             "[('c', (('|S2', (3,)), (5, 4)), (2,))]",
             "[('v', '<i2', (0,)), ('k', '|u1')]",
             "[(('a title', 'a'), '<i4'), ('', '<f4')]",
         })
        CHECK(descr_of(text) == text);
}

TEST_CASE("offsets count what comes before, padding included", "[format][dtype]") {
    const auto type = dtype::parse("[('', '|V2'), ('p', '<i4'), ('', '|V3', (2,)), ('q', '<f4', (3, 1))]");

    REQUIRE(type.fields().size() == 2);
    CHECK(type.find("p")->offset == 2);
    CHECK(type.find("q")->offset == 12);
    CHECK(type.find("q")->shape == std::vector<std::size_t>{3, 1});
    CHECK(type.find("q")->nbytes() == 12);
    CHECK(type.find("") == nullptr);
    CHECK(type.size() == 24);
}

TEST_CASE("a byte order that says nothing is dropped, and none means native", "[format][dtype]") {
    CHECK(descr_of("<b1") == "'|b1'");
    CHECK(descr_of(">u1") == "'|u1'");
    CHECK(descr_of(">S3") == "'|S3'");
    CHECK(dtype::parse("|i4").is_native());
    CHECK(dtype::parse("=f8") == dtype::plain('f', 8));
    CHECK(dtype::parse("i2").order() == native_order);
}

TEST_CASE("numpy.dtype's words are read as NumPy reads them", "[format][dtype]") {
    const std::pair<std::string_view, std::string_view> words[] = {
        {"?", "|b1"},
        {"bool", "|b1"},
        {"byte", "|i1"},
        {"B", "|u1"},
        {"c", "|S1"},
        {"a5", "|S5"},
        {"S", "|S0"},
        {"str", "<U0"},
        {"void", "|V0"},
        {"half", "<f2"},
        {"d", "<f8"},
        {"int", "<i8"},
        {"intc", "<i4"},
        {"uintp", "<u8"},
        {"longdouble", "<f16"},
        {"complex64", "<c8"},
        {"G", "<c32"},
        {"<i04", "<i4"},
        {"<i", "<i4"},
        {">H", ">u2"},
        {"f 4", "<f4"},
        {"S+5", "|S5"},
        {"datetime64", "<M8"},
        {"datetime64[us]", "<M8[us]"},
        {">timedelta64[2h]", ">m8[2h]"},
        {"M", "<M8"},
        {"M8[generic]", "<M8"},
        {"M8[\u03bcs]", "<M8[us]"},
        {"1i4", "<i4"},
        {"()i4", "<i4"},
        {"4S", "|S4"},
        {"i4, ", "<i4"},
    };
    if (is_little)
        for (const auto& [text, expected] : words)
            CHECK(dtype::parse(text).str() == expected);
}

TEST_CASE("a comma string is a struct of f0, f1, …", "[format][dtype]") {
    if (!is_little)
        return;
    CHECK(descr_of("i4,S2") == "[('f0', '<i4'), ('f1', '|S2')]");
    CHECK(descr_of("(2,)<i2,u1") == "[('f0', '<i2', (2,)), ('f1', '|u1')]");
    CHECK(descr_of("?,  ( 2 , 3 )>f8 , 2M8[ns]") == "[('f0', '|b1'), ('f1', '>f8', (2, 3)), ('f2', '<M8[ns]', (2,))]");
    CHECK(descr_of("(2)3f4,<float64") == "[('f0', ('<f4', (3,)), (2,)), ('f1', '<f8')]");
    CHECK(descr_of("3S,2U") == "[('f0', '|S3'), ('f1', '<U2')]");

    for (const auto* text :
         {"i2,,i4", ",i4", "3,4", "(-1,)i4,f4", "<(2,)>i4,i1", "i4;f8,i4", "((2,3)),i4", "(02,)i4,i1"})
        CHECK(refusal(text).field() == "descr");
}

TEST_CASE("a divided date is the multiple of a finer one that NumPy makes of it", "[format][dtype]") {
    const auto unit = [](std::string_view text) { return dtype::parse("<M8" + std::string(text)).str().substr(3); };

    CHECK(unit("[D/12]") == "[2h]");
    CHECK(unit("[Y/4]") == "[3M]");
    CHECK(unit("[Y/13]") == "[4W]");
    CHECK(unit("[2W/7]") == "[2D]");
    CHECK(unit("[us/2]") == "[500ns]");
    CHECK(unit("[fs/1000]") == "[as]");
    CHECK(unit("[ 2s/ +1]") == "[2s]");

    for (const auto* text :
         {"M8[W/11]", "M8[as/2]", "M8[s/7]", "M8[D/0]", "M8[D/-2]", "M8[generic/2]", "M8[D/12/2]", "M8[2147483647D/12]",
          "M8[2147483648s]", "M8[-1s]", "M8[B]", "M8[]", "M8[ns", "M8[ns]x", "M8[2 s]", "M4", "m4[s]"})
        CHECK(refusal(text).expected() == "a dtype");
}

TEST_CASE("a type NumPy does not have is refused", "[format][dtype][error]") {
    for (const auto* text :
         {"",   "<",    "<x4", "<i3", "i16",      "f1",      "f3", "f10",  "f12", "c4",  "u0",  "i0",  "b2",
          "?1", "<i4z", " i4", "i4 ", "<float64", "Float64", "d8", "<<i4", "!f4", "S-1", "U-1", "S1_0"})
        CHECK(refusal(text).field() == "descr");

    const auto e = refusal("<x4");
    CHECK(e.file() == "a.npy");
    CHECK(e.found() == "'<x4'");
    CHECK(e.expected() == "a dtype");
}

TEST_CASE("objects and variable-width strings are refused by name", "[format][dtype][error]") {
    for (const auto* text : {"O", "|O", "O8", "object"})
        CHECK(refusal(text).hint() == "object arrays are pickles: load_pickle reads them");
    CHECK(refusal("i4,O").expected() == "a type without objects");

    const auto in_struct = refusal("[('x', '<i4'), ('a', [('b', '|O')])]");
    CHECK(in_struct.found() == "'|O' in field 'a.b'");
    CHECK(in_struct.hint() == "structs with objects are not read");
    CHECK(refusal("T").found() == "'T'");
}

TEST_CASE("a size NumPy lets wrap is refused", "[format][dtype][error]") {
    for (const auto* text :
         {"<U1073741824", "<U536870912", "|S2147483648", "|V99999999999999999999", "|V18446744073709551617",
          "[('a', '|V2147483647'), ('b', '|u1')]", "[('a', '|V2147483647', (2,))]",
          "[('a', '|S1', (4294967296, 4294967296))]", "[('a', '|u1', (0, 9223372036854775807))]",
          "[('', '|V2147483647'), ('', '|V1')]", "[('a', '|u1', (18446744073709551616,))]", "2147483648i8,i4"})
        CHECK(refusal(text).field() == "descr");

    CHECK(dtype::parse("|S2147483647").size() == 2147483647);
}

TEST_CASE("a descr that is no list of fields is refused", "[format][dtype][error]") {
    for (const auto* text : {"['a']",
                             "[('a',)]",
                             "[('a', '<i4', (2,), 3)]",
                             "[(1, '<i4')]",
                             "[(b'a', '<i4')]",
                             "[('a', None)]",
                             "[('a', 4)]",
                             "[{'a': 1}]",
                             "[(('a',), '<i4')]",
                             "[(('t', 1), '<i4')]",
                             "[('a', '<i4', 'x')]",
                             "[('a', '<i4', 2.0)]",
                             "[('a', '<i4', True)]",
                             "[('a', '<i4', (True,))]",
                             "[('a', '<i4', -1)]",
                             "[('a', '<i4', (2, -1))]",
                             "[('a', '<i4', [])]",
                             "(('a', '<i4'), ('b', '<i4'))",
                             "('<i4',)",
                             "[('a', ('<f8', (0,)), (2,))]"})
        CHECK(refusal(text).field() == "descr");
}

TEST_CASE("a sub-array is a field or nothing", "[format][dtype][error]") {
    CHECK(descr_of("('<f8', ())") == "'<f8'");
    CHECK(descr_of("('<f8', 1)") == "'<f8'");
    CHECK(descr_of("[('a', '<f8', 1), ('b', '<f8', [2]), ('c', ('<f8', 3))]") ==
          "[('a', '<f8'), ('b', '<f8', (2,)), ('c', '<f8', (3,))]");
    CHECK(descr_of("('S', 4)") == "'|S4'");
    CHECK(descr_of("[('a', '<U0', 4)]") == "[('a', '<U4')]");

    for (const auto* text : {"('<f8', (3,))", "('<f8', (1,))", "2i4", "(2,)<f8,", "('<f8', 0)"})
        CHECK(refusal(text).hint() == "sub-arrays are read only as fields of structs");
}

TEST_CASE("two fields share neither name nor title", "[format][dtype][error]") {
    for (const auto* text :
         {"[('a', '<i4'), ('a', '<f8')]", "[('', '<i4'), ('', '<f8')]", "[(('t', 'a'), '<i4'), ('t', '<i4')]",
          "[(('t', 'a'), '<i4'), (('t', 'b'), '<i4')]", "[(('t', 't'), '<i4')]"})
        CHECK(refusal(text).expected() == "different names and titles");

    CHECK(descr_of("[((None, 'a'), '<i4')]") == "[('a', '<i4')]");
}

TEST_CASE("limits on fields, depth, dimensions and size hold", "[format][dtype][error]") {
    const auto nested = [](std::size_t depth) {
        std::string text = "'|u1'";
        for (std::size_t i = 0; i < depth; ++i)
            text = "[('a', " + text + ")]";
        return text;
    };

    CHECK(dtype::parse(nested(32)).size() == 1);
    CHECK(refusal(nested(33)).field() == "descr");
    CHECK(refusal(nested(3), {.nesting = 5}).field() == "descr");
    CHECK(refusal("u1,u1,u1", {.fields = 2}).expected() == "at most 2 fields");
    CHECK(refusal("[('a', '|u1'), ('b', '|u1')]", {.fields = 1}).expected() == "at most 1 field");
    CHECK(refusal("[('a', ('|u1', (1, 1)), (1, 1))]", {.dimensions = 3}).expected() == "at most 3 dimensions");
    CHECK(refusal("S9", {.item_size = 8}).expected() == "at most 8 bytes");
}

TEST_CASE("a struct is not made of fields that do not fit it", "[format][dtype][error]") {
    using field = dtype::field;
    const auto make = [](std::vector<field> fields, std::uint64_t size) {
        try {
            (void)dtype::structure(std::move(fields), size);
            return std::string("accepted");
        } catch (const format_error& e) {
            return e.found();
        }
    };
    const auto i4 = dtype::plain('i', 4);

    CHECK(make({{.name = "a", .type = i4}, {.name = "b", .type = i4, .offset = 4}}, 8) == "accepted");
    CHECK(make({{.name = "a", .type = i4}, {.name = "b", .type = i4, .offset = 2}}, 8) == "field 'b' at offset 2");
    CHECK(make({{.name = "a", .type = i4, .offset = 4}, {.name = "b", .type = i4}}, 8) == "field 'b' at offset 0");
    CHECK(make({{.name = "a", .type = i4, .offset = 5}}, 8) == "field 'a' at offset 5");
    CHECK(make({{.name = "a", .type = i4, .offset = ~std::uint64_t{0}}}, 8) ==
          "field 'a' at offset 18446744073709551615");
    CHECK(make({{.name = "a\xff", .type = i4}}, 8) == R"(field 'a\xff')");
    CHECK_THROWS_AS(dtype::plain('i', 3), format_error);
    CHECK_THROWS_AS(dtype::plain('U', 3), format_error);
    CHECK_THROWS_AS(dtype::plain('O', 8), format_error);
    CHECK_THROWS_AS(dtype::time('M', "B"), format_error);
    CHECK_THROWS_AS(dtype::time('M', "", 2), format_error);
}

TEST_CASE("the native type differs in byte order only, however deep", "[format][dtype]") {
    const auto type =
        dtype::parse("[('a', '>i2'), ('', '|V2'), ('b', [('c', '<f8'), ('d', '|S3')], (2,)), ('e', '>M8[s]')]");

    CHECK_FALSE(type.is_native());
    CHECK(type.native().is_native());
    CHECK(type.native().size() == type.size());
    CHECK(type.native().find("b")->offset == 4);
    CHECK_FALSE(type == type.native());
    CHECK(dtype::parse("|S3").is_native());
}

}  // namespace format_dtype_tests
