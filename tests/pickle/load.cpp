// SPDX-License-Identifier: BSD-3-Clause
// What load_pickle makes of pickles that golden.cpp does not have: sharing, mapping, keys, opaque objects, and errors.
#include "pickle/program.hpp"
#include "support/temp_dir.hpp"

#include <cmath>
#include <cstring>
#include <limits>

namespace pickle_load_tests {

using namespace pickle_program;
using namespace std::string_literals;

namespace {

std::string error_of(const std::string& operations, const nk::pickle_options& options = {}) {
    const auto e = caught<nk::error>([&] { (void)value_of(operations, options); });
    return e ? e->what() : "no error";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// The bytes of `count` doubles that count.
std::string doubles(std::size_t count) {
    std::string out(8 * count, '\0');
    for (std::size_t i = 0; i < count; ++i) {
        const auto value = static_cast<double>(i);
        std::memcpy(out.data() + 8 * i, &value, 8);
    }
    return out;
}

/// A pickle of an array of 10,000 doubles whose elements begin at a multiple of 8 bytes, and `shift` more.
std::string large_array(std::size_t shift, bool is_column_major = false, const std::string& word = "<f8") {
    const auto data = doubles(10'000);
    const auto shape = tuple({integer(100), integer(100)});
    for (std::size_t pad = 0;; ++pad) {
        const auto whole =
            pickle(text(std::string(pad, ' ')) + '0' + array(dtype(word), shape, bytes(data), is_column_major));
        if (whole.find(data) % 8 == shift)
            return whole;
    }
}

std::uint64_t bits_of(double value) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, 8);
    return bits;
}

}  // namespace

TEST_CASE("a large array is mapped where it lies in the file", "[pickle]") {
    const temp_dir dir;
    write_text(dir / "t.pkl", large_array(0));

    const auto made = nk::load_pickle(dir / "t.pkl");
    const auto mapped = made.map<double, 2>();

    CHECK(mapped.shape()[0] == 100);
    CHECK(mapped(0, 0) == 0);
    CHECK(mapped(99, 99) == 9999);
    CHECK(made.as<double, 2>()(1, 2) == 102);
}

TEST_CASE("a large array that is not aligned is copied, and not mapped", "[pickle][error]") {
    const temp_dir dir;
    for (std::size_t shift = 1; shift < 8; ++shift) {
        write_text(dir / "t.pkl", large_array(shift));
        const auto made = nk::load_pickle(dir / "t.pkl");

        CHECK(made.as<double, 2>()(99, 99) == 9999);
        const auto e = thrown<nk::mismatch_error>([&] { (void)made.map<double, 2>(); });
        CHECK(contains(e.what(), (dir / "t.pkl").string()));
    }
}

TEST_CASE("a large array of another order is copied, and not mapped", "[pickle][error]") {
    const temp_dir dir;
    write_text(dir / "columns.pkl", large_array(0, true));
    write_text(dir / "big.pkl", large_array(0, false, ">f8"));

    const auto columns = nk::load_pickle(dir / "columns.pkl"), big = nk::load_pickle(dir / "big.pkl");

    CHECK(columns.as<double, 2>()(1, 0) == 1);
    CHECK(columns.as<double, 2>()(0, 1) == 100);
    CHECK_THROWS_AS((void)columns.map<double>(), nk::mismatch_error);
    CHECK_THROWS_AS((void)big.map<double>(), nk::mismatch_error);
    CHECK_THROWS_AS((void)columns.as<float>(), nk::mismatch_error);
    CHECK_THROWS_AS((void)(columns.as<double, 1>()), nk::mismatch_error);
}

TEST_CASE("a tree of a pickle keeps its file, also when its name is gone", "[pickle]") {
    const temp_dir dir;
    write_text(dir / "t.pkl", large_array(0));
    nk::tree copy;
    {
        const auto made = nk::load_pickle(dir / "t.pkl");
        copy = made;
    }
    std::filesystem::remove(dir / "t.pkl");

    CHECK(copy.as<double, 2>()(99, 99) == 9999);
    CHECK(copy.map<double, 2>()(99, 99) == 9999);
}

TEST_CASE("an array that is used twice is one array in memory", "[pickle]") {
    const auto one = array(dtype("<f8"), tuple({integer(2)}), bytes(doubles(2))) + put(0);

    const auto made = value_of(list({one, recall(0), dictionary({text("a"), recall(0)})}));

    const auto begin_of = [](const nk::tree& value) {
        const auto shared = value.array();
        return shared->bytes().data();
    };
    CHECK(begin_of(made[1]) == begin_of(made[0]));
    CHECK(begin_of(made[2]["a"]) == begin_of(made[0]));
    CHECK(made[0].as<double, 1>()(1) == 1);
}

TEST_CASE("a number keeps its bits", "[pickle]") {
    CHECK(std::signbit(value_of("G\x80" + std::string(7, '\0')).get<double>()));
    CHECK(bits_of(value_of("G\x7f\xf8\0\0\0\0\x12\x34"s).get<double>()) == 0x7ff8000000001234);
    CHECK(bits_of(value_of("G\xff\xf0\0\0\0\0\0\0"s).get<double>()) == 0xfff0000000000000);
    CHECK(std::isnan(value_of("Fnan\n").get<double>()));
    CHECK(value_of("F-inf\n").get<double>() == -std::numeric_limits<double>::infinity());
    CHECK(std::signbit(value_of("F-0.0\n").get<double>()));
    CHECK(value_of("\x8a\0"s).get<int>() == 0);
    CHECK(value_of("\x8a\x01\xff").get<int>() == -1);
    CHECK(value_of("\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\0"s).get<std::uint64_t>() ==
          std::numeric_limits<std::uint64_t>::max());
    CHECK(value_of("\x8b\x01\0\0\0\x80"s).get<int>() == -128);
    CHECK(value_of("I01\n").get<bool>());
    CHECK(value_of("I1\n").get<int>() == 1);
}

TEST_CASE("numbers that are none are errors", "[pickle][error]") {
    for (const auto& operations :
         {"F" + std::string(1000, '1') + "\n", "F[1]\n"s, "F\"1\"\n"s, "Iabc\n"s, "I\n"s, "L12x\n"s, "L\n"s, "L--1\n"s,
          "F1.5x\n"s, "F\n"s, "F0x10\n"s, "I1 2\n"s, "g\n"s, "Ngx\n"s, "Np-1\n"s, "\x8b\xff\xff\xff\xff"s})
        CHECK(contains(error_of(operations), " at byte "));
    CHECK(contains(error_of('L' + std::string(4301, '9') + "L\n"), "digits"));
    CHECK(value_of('L' + std::string(4300, '9') + "L\n").get<std::string>().size() == 4300);
}

TEST_CASE("strings in quotes have Python's escapes", "[pickle]") {
    CHECK(value_of("S'a\\n\\x41\\101\\'\\\\\\q'\n").get<std::string>() == "a\nAA'\\\\q");
    CHECK(value_of("S\"it's\"\n").get<std::string>() == "it's");
    CHECK(value_of("S''\n").get<std::string>().empty());
    CHECK(value_of("Va\\u20ac\\U0001f600\xe4\n").get<std::string>() == "a\u20ac\U0001f600ä");
    CHECK(value_of("V\\ud83d\\ude00\n").get<std::string>() == "\U0001f600");
    CHECK(value_of("V\\ud800\\ud83d\\ude00\\udc00a\n").get<std::string>() == "\xed\xa0\x80\U0001f600\xed\xb0\x80\x61");
    for (const auto& operations :
         {"S'a\n"s, "Sa'\n"s, "S\n"s, "S'\n"s, "S'\\x4'\n"s, "S'a\"\n"s, "V\\u12\n"s, "V\\U00110000\n"s})
        CHECK(contains(error_of(operations), " at byte "));
}

TEST_CASE("text that is not UTF-8 is an error, as in Python", "[pickle][error]") {
    for (const std::string bad : {"\xff", "a\xc3", "\xf8\x88\x80\x80\x80", "\xc0\x80"}) {
        CHECK(contains(error_of(text(bad)), "UTF-8"));
        CHECK(contains(error_of(dictionary({text(bad), "N"})), "UTF-8"));
    }
    CHECK(value_of(text("\xed\xa0\x80")).get<std::string>() == "\xed\xa0\x80");
}

TEST_CASE("keys that would have the same text are errors, in any order", "[pickle][error]") {
    const auto one = integer(1), one_text = text("1");

    CHECK(contains(error_of(dictionary({one, "N", one_text, "N"})), "key '1' is repeated"));
    CHECK(contains(error_of(dictionary({one_text, "N", one, "N"})), "key '1' is repeated"));
    CHECK(contains(error_of(dictionary({"N", "N", text("None"), "N"})), "key 'None' is repeated"));
    CHECK(contains(error_of(dictionary({tuple({one, one}), "N", text("(1, 1)"), "N"})), "key '(1, 1)' is repeated"));
}

TEST_CASE("a text that is a key twice has its last value, as in Python", "[pickle]") {
    const auto made = value_of(dictionary({text("a"), integer(1), text("b"), integer(2), text("a"), integer(3)}));

    CHECK(made == nk::tree({{"a", 3}, {"b", 2}}));
}

TEST_CASE("an array keeps its byte order", "[pickle]") {
    const auto made = value_of(array(dtype(">f8"), tuple({integer(1)}), bytes("\x3f\xf8\0\0\0\0\0\0"s)));

    CHECK(made.type() == nk::dtype::parse(">f8"));
    CHECK(made.as<double, 1>()(0) == 1.5);
}

TEST_CASE("an array with too few or too many bytes is an error", "[pickle][error]") {
    const auto shape = tuple({integer(2), integer(3)});

    CHECK(contains(error_of(array(dtype("<f8"), shape, bytes(doubles(5)))), "expected 48 bytes"));
    CHECK(contains(error_of(array(dtype("<f8"), shape, bytes(doubles(7)))), "expected 48 bytes"));
    CHECK(contains(error_of(array(dtype("<f8"), shape, "N")), "expected bytes"));
    CHECK(contains(error_of(array(dtype("O"), shape, list({"N"}))), "6 objects"));
    CHECK(contains(error_of(array(dtype("<f8"), tuple({integer(-1)}), bytes(""))), "extent"));
    CHECK(contains(error_of(array(dtype("<f8"), tuple({integer(std::int64_t{1} << 62), integer(4)}), bytes(""))),
                   "4 EiB"));
    CHECK(contains(error_of(call(global("numpy.core.multiarray", "_reconstruct"),
                                 {global("numpy", "ndarray"), tuple({integer(0)}), bytes("b")})),
                   "content"));
}

TEST_CASE("fields that overlap or have another order are errors", "[pickle][error]") {
    const auto with_offsets = [](std::int64_t first, std::int64_t second, std::int64_t size) {
        const auto field = [](std::int64_t offset) { return tuple({dtype("<f8"), integer(offset)}); };
        return dtype_with_state({integer(3), text("|"), "N", tuple({text("a"), text("b")}),
                                 dictionary({text("a"), field(first), text("b"), field(second)}), integer(size),
                                 integer(1), integer(0)});
    };
    const auto error = [&](std::int64_t first, std::int64_t second, std::int64_t size) {
        return error_of(array(with_offsets(first, second, size), tuple({integer(0)}), bytes("")));
    };

    CHECK(error(0, 8, 16) == "no error");
    CHECK(contains(error(0, 4, 16), "overlapping"));
    CHECK(contains(error(8, 0, 16), "overlapping"));
    CHECK(contains(error(-1, 8, 16), "overlapping"));
    CHECK(contains(error(0, 8, 15), "overlapping"));
    CHECK(contains(error(0, std::numeric_limits<std::int64_t>::max(), 16), "2 GiB"));
    CHECK(contains(error(0, 8, std::numeric_limits<std::int64_t>::max()), "2 GiB"));
}

TEST_CASE("objects of other classes are dictionaries, when asked", "[pickle]") {
    const auto object = global("shop.models", "Order") + tuple({integer(7), text("x")}) + '\x81' +
                        dictionary({text("total"), integer(3)}) + 'b';
    const auto operations = list({object, integer(1), global("shop.models", "ship")});

    const auto made = value_of(operations, {.opaque = true});

    CHECK(made[0] == nk::tree({{"python", "shop.models.Order"}, {"arguments", {7, "x"}}, {"state", {{"total", 3}}}}));
    CHECK(made[1] == nk::tree(1));
    CHECK(made[2] == nk::tree("shop.models.ship"));
    CHECK(contains(error_of(operations), "shop.models.Order"));
}

TEST_CASE("the content of a subclass of list or dict is shown, when asked", "[pickle]") {
    const auto queue = call(global("collections", "deque"), {")"}) + '(' + integer(1) + integer(2) + "eK\3" + 'a';
    const auto bunch = global("sklearn.utils", "Bunch") + ")\x81(" + text("a") + integer(1) + 'u' + text("b") + "Ns";

    CHECK(value_of(queue, {.opaque = true})["items"] == nk::tree({1, 2, 3}));
    CHECK(value_of(bunch, {.opaque = true}) == nk::tree({{"python", "sklearn.utils.Bunch"},
                                                         {"arguments", nk::tree::list()},
                                                         {"pairs", {{"a", 1}, {"b", nullptr}}}}));
    CHECK(contains(error_of(queue), "collections.deque"));
    CHECK(contains(error_of(bunch), "sklearn.utils.Bunch"));
}

TEST_CASE("a name that nothing uses does no harm", "[pickle]") {
    CHECK(value_of(global("os", "system") + '0' + integer(5)).get<int>() == 5);
}

TEST_CASE("values are taken off the stack and used twice", "[pickle]") {
    CHECK(value_of("K\1(K\2K\3"
                   "1")
              .get<int>() == 1);
    CHECK(value_of("](K\1"
                   "2e")
              .size() == 2);
    CHECK(value_of("K\1(0").get<int>() == 1);
    CHECK(value_of("K\5\x94K\6"
                   "0h\0"s)
              .get<int>() == 5);
}

TEST_CASE("what follows the pickle is not read", "[pickle]") {
    CHECK(loaded(pickle(integer(1)) + pickle(integer(2)) + "\xff").get<int>() == 1);
}

TEST_CASE("errors of files name the file", "[pickle][error]") {
    const temp_dir dir;
    write_text(dir / "cut.pkl", "\x80\x04X\xff\0\0\0abc"s);
    write_text(dir / "text.pkl", "hello\n");
    write_text(dir / "empty.pkl", "");

    CHECK_THROWS_AS(nk::load_pickle(dir / "none.pkl"), nk::io_error);
    CHECK_THROWS_AS(nk::load_pickle(dir.path()), nk::io_error);
    for (const auto* const name : {"cut.pkl", "text.pkl", "empty.pkl"}) {
        const auto e = thrown<nk::format_error>([&] { (void)nk::load_pickle(dir / name); });
        CHECK(std::string(e.what()).starts_with((dir / name).string()));
    }
}

TEST_CASE("values beyond the first block of the file are read", "[pickle]") {
    const temp_dir dir;
    const std::string line(70'000, 'x'), other(65'536, 'y');
    std::string operations = "(";
    for (int i = 0; i < 20; ++i)
        operations += 'S' + ("'" + line + "'\n") + text(other) + text(line) + bytes(line) + integer(i);
    write_text(dir / "t.pkl", pickle(operations + 'l'));

    const auto made = nk::load_pickle(dir / "t.pkl");

    REQUIRE(made.size() == 100);
    for (std::size_t i = 0; i < 20; ++i) {
        CHECK(made[5 * i].get<std::string>() == line);
        CHECK(made[5 * i + 1].get<std::string>() == other);
        CHECK(made[5 * i + 2].get<std::string>() == line);
        CHECK(made[5 * i + 3].as<std::uint8_t, 1>().size() == line.size());
        CHECK(made[5 * i + 4].get<std::size_t>() == i);
    }
}

}  // namespace pickle_load_tests
