// SPDX-License-Identifier: BSD-3-Clause
#include <ndkeep/format/header.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace format_header_tests {

using ndkeep::array_info;
using ndkeep::dtype;
using ndkeep::format_error;
using ndkeep::order;

namespace {

std::span<const std::byte> bytes_of(const std::string& file) { return std::as_bytes(std::span(file)); }

// A file start with any header text, without padding.
std::string file_with(std::string_view text, char version = 1) {
    std::string out = "\x93NUMPY";
    out += version;
    out += '\0';
    for (std::size_t i = 0; i < (version == 1 ? 2u : 4u); ++i)
        out += static_cast<char>(static_cast<unsigned char>(text.size() >> (8 * i)));
    return out += text;
}

std::string text_with(std::string_view descr, std::string_view order, std::string_view shape) {
    return "{'descr': " + std::string(descr) + ", 'fortran_order': " + std::string(order) +
           ", 'shape': " + std::string(shape) + ", }\n";
}

array_info read(std::string_view text, char version = 1, const ndkeep::limits& limit = {}) {
    return ndkeep::parse_header(bytes_of(file_with(text, version)), "t.npy", limit);
}

template <class Call>
format_error refusal(Call&& call) {
    try {
        (void)call();
    } catch (const format_error& e) {
        return e;
    }
    FAIL("accepted");
    std::abort();
}

format_error refusal_of(std::string_view text, char version = 1) {
    return refusal([&] { return read(text, version); });
}

array_info info_of(std::string_view type, std::vector<std::size_t> shape, order stored = order::row_major) {
    return {.type = dtype::parse(type), .shape = std::move(shape), .column_major = stored == order::column_major};
}

std::string blanks(std::size_t count) { return std::string(count, ' '); }

}  // namespace

TEST_CASE("a header is written as np.save writes it", "[format][header]") {
    using namespace std::string_literals;

    CHECK(header_bytes(info_of("<f8", {3, 4})) == "\x93NUMPY\x01\0v\0"s
                                                  "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }" +
                                                      blanks(58) + "\n");
    CHECK(header_bytes(info_of("<f8", {})) == "\x93NUMPY\x01\0v\0"s
                                              "{'descr': '<f8', 'fortran_order': False, 'shape': (), }" +
                                                  blanks(62) + "\n");
    CHECK(header_bytes(info_of(">i2", {7}, order::column_major)) ==
          "\x93NUMPY\x01\0v\0"s
          "{'descr': '>i2', 'fortran_order': True, 'shape': (7,), }" +
              blanks(61) + "\n");
    CHECK(header_bytes(info_of("[('été', '<i4')]", {2})) ==
          "\x93NUMPY\x01\0v\0"s
          "{'descr': [('\xe9t\xe9', '<i4')], 'fortran_order': False, 'shape': (2,), }" +
              blanks(49) + "\n");
    CHECK(header_bytes(info_of("[('整', '<i4')]", {2})) ==
          "\x93NUMPY\x03\0t\0\0\0"s
          "{'descr': [('整', '<i4')], 'fortran_order': False, 'shape': (2,), }" +
              blanks(47) + "\n");
}

TEST_CASE("growing the first axis never moves the data", "[format][header]") {
    for (const auto stored : {order::row_major, order::column_major}) {
        std::uint64_t rows = 1;
        for (int digits = 1; digits < 19; ++digits, rows *= 10) {
            const auto shape =
                stored == order::column_major ? std::vector<std::size_t>{1, rows} : std::vector<std::size_t>{rows, 1};
            CHECK(header_bytes(info_of("|u1", shape, stored)).size() == 128);
        }
    }
}

TEST_CASE("an aligned header gets 64 blanks more, as from NumPy", "[format][header]") {
    for (std::size_t length = 1; length < 130; ++length) {
        const auto info = info_of("[('" + std::string(length, 'n') + "', '<i4')]", {});
        const auto text = ndkeep::least_header_length(info);
        const auto size = header_bytes(info).size();

        CHECK(size % 64 == 0);
        CHECK(size > text);
        CHECK(size <= text + 64);
    }
}

TEST_CASE("a header is padded to the length it is told, if it fits", "[format][header]") {
    const auto info = info_of("<f8", {3, 4});
    const auto least = ndkeep::least_header_length(info);

    for (const std::uint64_t length :
         {least, least + 1, std::uint64_t{4096}, std::uint64_t{65545}, std::uint64_t{65546}}) {
        const auto header = header_bytes(info, {.length = length});
        CHECK(header.size() == length);
        CHECK(header[6] == (length <= 65545 ? 1 : 2));
        CHECK(ndkeep::parse_header(bytes_of(header), {}, {.header_characters = 100'000}).data_offset == length);
    }
    CHECK_THROWS_AS(header_bytes(info, {.length = least - 1}), format_error);
    CHECK_THROWS_AS(header_bytes(info, {.version = 1, .length = 65546}), format_error);
    CHECK_THROWS_AS(header_bytes(info, {.length = 5}), format_error);
}

TEST_CASE("the version is the first that can hold the header, or the one asked for", "[format][header]") {
    const auto version_of = [](const std::string& header) { return int{header[6]}; };
    const auto longer = info_of("[('" + std::string(66'000, 'n') + "', '<i4')]", {1});

    CHECK(version_of(header_bytes(info_of("<f8", {1}))) == 1);
    CHECK(version_of(header_bytes(longer)) == 2);
    CHECK(version_of(header_bytes(info_of("[('整', '<i4')]", {1}))) == 3);
    CHECK(version_of(header_bytes(info_of("<f8", {1}), {.version = 2})) == 2);
    CHECK(version_of(header_bytes(info_of("<f8", {1}), {.version = 3})) == 3);

    CHECK(refusal([&] { return header_bytes(longer, {.version = 1}); }).field() == "version");
    CHECK(refusal([&] { return header_bytes(info_of("[('整', '<i4')]", {1}), {.version = 2}); }).found() ==
          "a header beyond latin-1");
    CHECK(refusal([&] { return header_bytes(info_of("<f8", {1}), {.version = 4}); }).found() == "an unknown version");
}

TEST_CASE("what is written is read back", "[format][header]") {
    for (const char version : {'\1', '\2', '\3'})
        for (const auto* type :
             {"<f8", "[('x', '<i4'), ('', '|V4'), (('t', \"it's\"), '>M8[D]', (2,))]", "[('é', '|u1')]"}) {
            auto info = info_of(type, {3, 0, 5}, order::column_major);
            info.version = static_cast<std::uint8_t>(version);
            const auto header = header_bytes(info, {.version = info.version});
            info.data_offset = header.size();

            CHECK(ndkeep::parse_header(bytes_of(header), {}) == info);
        }
}

TEST_CASE("only an array that is not row-major as well is called column-major", "[format][header]") {
    const auto written = [](std::vector<std::size_t> shape) {
        return written_column_major(info_of("<f8", std::move(shape), order::column_major));
    };

    CHECK(written({2, 3}));
    CHECK(written({2, 1, 3}));
    CHECK_FALSE(written({}));
    CHECK_FALSE(written({5}));
    CHECK_FALSE(written({1, 9}));
    CHECK_FALSE(written({9, 1}));
    CHECK_FALSE(written({3, 0, 2}));
    CHECK_FALSE(written_column_major(info_of("<f8", {2, 3})));
}

TEST_CASE("the order of an array is what its header says, also if it has both orders", "[format][header]") {
    CHECK(order_of(info_of("<f8", {2, 3})) == order::row_major);
    CHECK(order_of(info_of("<f8", {2, 3}, order::column_major)) == order::column_major);
    CHECK(order_of(info_of("<f8", {9}, order::column_major)) == order::column_major);
}

TEST_CASE("headers of other writers are read", "[format][header]") {
    CHECK(read("{\"shape\": (2L, 3L), \"fortran_order\": True, \"descr\": \"<i4\"}").shape ==
          std::vector<std::size_t>{2, 3});
    CHECK(read("{'descr': '<b1', 'fortran_order': False, 'shape': (4, ), }  \n").type.descr() == "'|b1'");
    CHECK(read("\n({'descr':'<i4',\n'fortran_order':(True),'shape':(0x2,)})#").column_major);
    CHECK(read("{'descr': '<x', 'shape': (1,), 'fortran_order': False, 'descr': '<i4'}").type.str() == "<i4");
    CHECK(read(text_with("[(\"'shape': (9,)\", '<i4')]", "False", "(2,)")).shape == std::vector<std::size_t>{2});
    CHECK(read(text_with("[('\xe9', '<i4')]", "False", "()")).type.fields().front().name == "é");
    CHECK(read(text_with("[('é', '<i4')]", "False", "()"), 3).type.fields().front().name == "é");
}

TEST_CASE("a wrong value is refused in the order NumPy checks", "[format][header][error]") {
    const auto e = refusal_of(text_with("'x'", "0", "[2]"));

    CHECK(e.file() == "t.npy");
    CHECK(e.field() == "shape");
    CHECK(e.found() == "[2]");
    CHECK(refusal_of(text_with("'x'", "0", "(2,)")).field() == "fortran_order");
    CHECK(refusal_of(text_with("'x'", "True", "(2,)")).field() == "descr");
    CHECK(refusal_of("{'descr': 'x'}").field() == "key 'fortran_order'");
    CHECK(refusal_of("['x']").found() == "['x']");
}

TEST_CASE("a shape holds extents of 0 or more and nothing else", "[format][header][error]") {
    for (const auto* shape : {"6", "(6)", "[2, 3]", "'2'", "None", "(2.0, 3)", "('2',)", "(True, 3)", "(-1,)",
                              "(2, -3)", "(None,)", "((2,),)", "(9223372036854775808,)", "(18446744073709551618,)"})
        CHECK(refusal_of(text_with("'<f8'", "False", shape)).field() == "shape");

    CHECK(read(text_with("'<f8'", "False", "(-0, 2)")).shape == std::vector<std::size_t>{0, 2});
}

TEST_CASE("the order is a bool", "[format][header][error]") {
    for (const auto* order : {"0", "1", "None", "'False'", "(True,)", "()"})
        CHECK(refusal_of(text_with("'<f8'", order, "(2,)")).field() == "fortran_order");
}

TEST_CASE("the keys are the three of the format", "[format][header][error]") {
    CHECK(refusal_of("{}").field() == "key 'descr'");
    CHECK(refusal_of("{'descr': '<f8', 'shape': ()}").field() == "key 'fortran_order'");
    CHECK(refusal_of("{'descr': '<f8', 'fortran_order': False, 'shape': (), 'extra': 1}").found() == "'extra'");
    CHECK(refusal_of("{b'descr': '<f8', 'fortran_order': False, 'shape': ()}").field() == "key");
    CHECK(refusal_of("{'descr': '<f8', 'fortran_order': False, 'shape': (), None: 1}").found() == "None");
}

TEST_CASE("text that is not the version's is refused", "[format][header][error]") {
    CHECK(refusal_of(text_with("[('\xe9', '<i4')]", "False", "()"), 3).expected() == "UTF-8");
    CHECK(refusal_of(text_with("[('\xed\xa0\x80', '<i4')]", "False", "()"), 3).expected() == "UTF-8");
    CHECK(refusal_of(text_with("'<i4'", "False", "(2L,)"), 3).field() == "header");
    CHECK(refusal_of(text_with("'<i4'", "False", "(2,)") + '\0').field() == "header");
    CHECK(refusal_of(text_with("'<i4'", "False", "(2,)") + "x").field() == "header");
}

TEST_CASE("what does not begin as an npy file is refused", "[format][header][error]") {
    const auto start = [](const std::string& file) {
        return refusal([&] { return ndkeep::parse_preamble(bytes_of(file), "t.npy", file.size()); });
    };
    using namespace std::string_literals;

    CHECK(start("").hint() == "the file is empty: next_name reserved it, and nothing is saved yet");
    CHECK(start("\x93NUM").found() == R"('\x93NUM')");
    CHECK(start("\x93numpy\x01\0"s).field() == "magic");
    CHECK(start("\x93NUMPY").field() == "version");
    CHECK(start("\x93NUMPY\x01").field() == "version");
    CHECK(start("\x93NUMPY\x01\x01v\0"s).found() == "1.1");
    CHECK(start("\x93NUMPY\0\0v\0"s).found() == "0.0");
    CHECK(start("\x93NUMPY\x04\0v\0"s).found() == "4.0");
    CHECK(start("\x93NUMPY\x01\0v"s).found() == "1 byte");
    CHECK(start("\x93NUMPY\x02\0v\0\0"s).expected() == "4 bytes");
}

TEST_CASE("a header length beyond the file is refused before anything of that size is read",
          "[format][header][error]") {
    const std::string file("\x93NUMPY\x02\0\xf0\xff\xff\xff", 12);

    const auto e = refusal([&] { return ndkeep::parse_preamble(bytes_of(file), "t.npy", 140); });
    CHECK(e.field() == "header length");
    CHECK(e.found() == "4294967280 bytes");
    CHECK(e.expected() == "at most 128 bytes");

    constexpr auto huge = std::numeric_limits<std::uint64_t>::max();
    CHECK_THROWS_AS(ndkeep::parse_preamble(bytes_of(file), "t.npy", huge, {.header_characters = huge}), format_error);
}

TEST_CASE("one limit is raised to read a longer header", "[format][header][error]") {
    const auto text = text_with("'<f8'", "False", "(2,)");
    const auto header = [&](std::size_t characters, char version) {
        return file_with(text + blanks(characters - text.size()), version);
    };
    const auto size = [](const std::string& file, const ndkeep::limits& limit = {}) {
        return ndkeep::parse_header(bytes_of(file), "t.npy", limit).size();
    };

    for (const char version : {'\1', '\2', '\3'}) {
        CHECK(size(header(10'000, version)) == 2);
        CHECK(refusal([&] { return size(header(10'001, version)); }).field() == "header length");
    }
    CHECK(size(header(67'000, 2), {.header_characters = 1'000'000}) == 2);
    CHECK(size(file_with(text + "#" + std::string("整", 3) + blanks(9'990 - text.size()), 3)) == 2);
}

TEST_CASE("more data than an offset can name is refused, zeros or not", "[format][header][error]") {
    for (const auto* shape : {"(4294967296, 4294967296)", "(4611686018427387905,)", "(9223372036854775807, 0, 2)",
                              "(0, 1152921504606846976)", "(9223372036854775807,)"})
        CHECK(refusal_of(text_with("'<f8'", "False", shape)).field() == "shape");
    CHECK(refusal_of(text_with("'|u1'", "False", "(9223372036854775807,)")).expected() ==
          "data that ends before byte 2^63");
    CHECK(refusal_of(text_with("'|S0'", "False", "(9223372036854775807, 3)")).field() == "shape");

    CHECK(read(text_with("'<f8'", "False", "(0, 1152921504606846975)")).nbytes() == 0);
    CHECK(read(text_with("'|u1'", "False", "(9223372036854775000,)")).nbytes() == 9223372036854775000u);
}

TEST_CASE("an array has at most 64 dimensions unless it may have more", "[format][header][error]") {
    const auto ones = [](std::size_t count) {
        std::string shape = "(";
        for (std::size_t i = 0; i < count; ++i)
            shape += "1,";
        return text_with("'<f8'", "False", shape + ")");
    };

    CHECK(read(ones(64)).size() == 1);
    CHECK(refusal_of(ones(65)).expected() == "at most 64 dimensions");
    CHECK(read(ones(65), 1, {.dimensions = 65}).size() == 1);
}

TEST_CASE("a header that was written by repr under NumPy 2 is named as such", "[format][header][error]") {
    const auto problem = refusal_of(text_with("'<f8'", "False", "(np.int64(2), 3)"));

    CHECK(problem.hint() == "the header was written by repr under NumPy 2, as in np.int64(2)");
}

TEST_CASE("a header is not taken for one by repr because text in it contains np.", "[format][header][error]") {
    CHECK(refusal_of(text_with("[('np.x', '<f8')]", "False", "(2, what)")).hint().empty());
    CHECK(refusal_of(text_with("'<f8'", "False", "(2, jnp.int64(3))")).hint().empty());
}

TEST_CASE("the facts of a header are read also if its dtype is not supported", "[format][header]") {
    for (const auto* descr : {"'int4'", "'float8_e5m2'", "'<f1'", "'|O'", "[('x', '|O'), ('y', '<f8')]"}) {
        CAPTURE(descr);
        const std::string file = file_with(text_with(descr, "True", "(3, 4)"));
        const auto facts = ndkeep::core::parse_header_facts(bytes_of(file), "t.npy");

        CHECK(facts.descr == descr);
        CHECK(facts.shape == std::vector<std::size_t>{3, 4});
        CHECK(facts.column_major);
        CHECK(facts.data_offset == file.size());
        CHECK(facts.version == 1);
        CHECK(refusal_of(text_with(descr, "True", "(3, 4)")).field() == "descr");
    }
}

}  // namespace format_header_tests
