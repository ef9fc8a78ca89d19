// SPDX-License-Identifier: BSD-3-Clause
// The sentences of errors about npy files, headerless files and sidecars.
#include "errors/sentences.hpp"

#include <ndkeep/element/text.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/npy.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sentences_tests::npy {

struct point {
    double x, y;
};
NDKEEP_FIELDS(point, x, y);
struct padded_point {
    std::int32_t y;
    double x;
};
NDKEEP_FIELDS(padded_point, y, x);
struct third_point {
    double x, y, z;
};
NDKEEP_FIELDS(third_point, x, y, z);

namespace {

/// The bytes of an npy file of version 1.0 with this header.
[[nodiscard]] std::string file_with(std::string header, std::size_t data = 0) {
    header += '\n';
    return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size() & 255) +
           static_cast<char>(header.size() >> 8) + header + std::string(data, '\0');
}

[[nodiscard]] std::string header_with(const std::string& descr, const std::string& shape = "(2,)",
                                      const std::string& order = "False") {
    return "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + "}";
}

const xt::xtensor<double, 1> three = {1, 2, 3};
const xt::xtensor<double, 2> six = {{1, 2, 3}, {4, 5, 6}};

}  // namespace

TEST_CASE("errors of load, map and save are sentences", "[errors]") {
    sentences says("npy");
    const auto t = says / "t.npy";
    nk::save(t, six);
    nk::save(says / "points.npy", std::vector<point>{{1, 2}});
    nk::save(says / "columns.npy", xt::xtensor<double, 2, xt::layout_type::column_major>(six));
    write_text(says / "swapped.npy", file_with(header_with("'>f8'"), 16));
    write_text(says / "odd.npy", file_with(header_with("'<f8'"), 16));

    says("load an absent file", [&] { (void)nk::load<double>(says / "absent.npy"); });
    says("load a directory", [&] { (void)nk::load<double>(says.dir().path()); });
    says("load<float> of float64", [&] { (void)nk::load<float>(t); });
    says("load<double, 1> of a matrix", [&] { (void)nk::load<double, 1>(t); });
    says("load<double> of structs", [&] { (void)nk::load<double>(says / "points.npy"); });
    says("load<point> of float64", [&] { (void)nk::load<point>(t); });
    says("load a struct with a field too many", [&] { (void)nk::load<third_point>(says / "points.npy"); });
    says("load a struct with another field type", [&] { (void)nk::load<padded_point>(says / "points.npy"); });
    says("map<float> of float64", [&] { (void)nk::map<float>(t); });
    says("map<double, 1> of a matrix", [&] { (void)nk::map<double, 1>(t); });
    says("map a file of another byte order", [&] { (void)nk::map<double>(says / "swapped.npy"); });
    says("map column-major data without the tag", [&] { (void)nk::map<double>(says / "columns.npy"); });
    says("map row-major data with the tag", [&] { (void)nk::map<double>(t, nk::column_major); });
    says("map unaligned data read_write", [&] { (void)nk::map<double>(says / "odd.npy", nk::read_write); });
    says("map another struct layout", [&] {
        nk::save(says / "thirds.npy", std::vector<third_point>{{1, 2, 3}});
        (void)nk::map<point>(says / "thirds.npy");
    });
    says("assign another shape to a mapped array", [&] { nk::map<double, 2>(t, nk::read_write) = three; });
    says("flush a copy", [&] { nk::map<double, 2>(t, nk::copy_on_write).flush(); });
    says("create a file that exists", [&] { (void)nk::create<double>(t, {2}); });
    says("create with a negative extent", [&] { (void)nk::create<double>(says / "new.npy", {-1}); });
    says("create<double, 2> with one extent", [&] { (void)nk::create<double, 2>(says / "new.npy", std::vector{2}); });
    says("create an array beyond 2^63 bytes", [&] {
        (void)nk::create<double>(says / "new.npy", {std::uint64_t{1} << 62, 2});
    });
    says("save in an absent directory", [&] { nk::save(says / "absent/t.npy", three); });
    says("save under the name of a directory", [&] { nk::save(says / "", three); });
    says("save metadata that is an array", [&] { nk::save(t, three, {.meta = {1, 2}}); });
    says("save metadata that is not UTF-8", [&] { nk::save(t, three, {.meta = {{"x", "\xff"}}}); });
    says("save text that is too long for its type", [&] { (void)nk::fixed_string<3>("abcd"); });
    says("save over a sidecar of another program", [&] {
        write_text(says / "u.npy.json", "{}");
        nk::save(says / "u.npy", three, {.meta = {{"x", 1}}});
    });
    says("stop a save",
         [&] { nk::save(t, six, {.run = {.progress = [](const nk::progress&) { return nk::flow::stop; }}}); });
    says("next_name with a separator", [&] { (void)nk::next_name(says.dir().path(), "a/b", ".npy"); });
    says.check();
}

TEST_CASE("errors of append, describe and verify are sentences", "[errors]") {
    sentences says("sidecar");
    const auto t = says / "t.npy";
    nk::save(t, six, {.meta = {{"units", "K"}}, .sum = nk::checksum::crc32});

    says("append rows of another shape", [&] { nk::append(t, xt::xtensor<double, 2>{{1, 2}}); });
    says("append another dtype", [&] { nk::append(t, xt::xtensor<std::int64_t, 2>{{1, 2, 3}}); });
    says("append to a scalar", [&] {
        nk::save(says / "scalar.npy", 1.5);
        nk::append(says / "scalar.npy", 1.5);
    });
    says("append where a second array follows", [&] {
        write_text(says / "two.npy", read_text(t) + read_text(t));
        nk::append(says / "two.npy", six);
    });
    says("verify a file with two arrays", [&] { nk::verify(says / "two.npy"); });
    says("verify a file with rows that its header does not count", [&] {
        write_text(says / "rows.npy", read_text(t) + std::string(30, 'x'));
        nk::verify(says / "rows.npy");
    });
    says("verify a file with other bytes after the data", [&] {
        write_text(says / "other.npy", read_text(t) + "x");
        nk::verify(says / "other.npy");
    });
    says("load a copy made in text mode", [&] {
        auto text = read_text(t);
        write_text(says / "text.npy", text.insert(127, "\r"));
        (void)nk::load<double>(says / "text.npy");
    });
    says("verify changed data", [&] {
        auto text = read_text(t);
        text.back() = 1;
        write_text(t, text);
        nk::verify(t);
    });
    says("metadata of a stale sidecar", [&] {
        nk::save(says / "stale.npy", six, {.meta = {{"a", 1}}});
        auto other = read_text(says / "stale.npy");
        nk::save(says / "other.npy", three);
        std::filesystem::copy_file(says / "other.npy", says / "stale.npy",
                                   std::filesystem::copy_options::overwrite_existing);
        nk::verify(says / "stale.npy");
    });
    const auto sidecar = [&](const std::string& from, const std::string& to) {
        std::filesystem::remove(says / "s.npy.json");
        nk::save(says / "s.npy", six, {.meta = {{"a", 1}}, .sum = nk::checksum::crc32});
        auto text = read_text(says / "s.npy.json");
        const auto at = text.find(from);
        REQUIRE(at != std::string::npos);
        write_text(says / "s.npy.json", text.replace(at, from.size(), to));
        (void)nk::metadata(says / "s.npy");
        nk::verify(says / "s.npy");
    };
    says("a sidecar of another version", [&] { sidecar("sidecar/1", "sidecar/9"); });
    says("a sidecar whose shape is text", [&] { sidecar("\"shape\": [2, 3]", "\"shape\": \"2, 3\""); });
    says("a sidecar with a negative extent", [&] { sidecar("\"shape\": [2, 3]", "\"shape\": [2, -3]"); });
    says("a sidecar with an unknown order", [&] { sidecar("\"order\": \"C\"", "\"order\": \"A\""); });
    says("a sidecar with an unknown dtype", [&] { sidecar("<f8", "<f9"); });
    says("a sidecar whose metadata is a list", [&] { sidecar("\"metadata\": {", "\"metadata\": [], \"x\": {"); });
    says("a sidecar that is too deep", [&] {
        write_text(says / "s.npy.json",
                   "{\"ndkeep\": \"sidecar/1\", \"metadata\": " + std::string(200, '[') + std::string(200, ']') + "}");
        (void)nk::metadata(says / "s.npy");
    });
    says.check();
}

TEST_CASE("errors of headers are sentences", "[errors]") {
    sentences says("header");
    const auto read = [&](const std::string& bytes, const nk::limits& limit = {}) {
        return [&says, bytes, limit] {
            write_text(says / "t.npy", bytes);
            (void)nk::load_any(says / "t.npy", {.limit = limit});
        };
    };
    const auto dict = [&](const std::string& header) { return read(file_with(header, 16)); };
    const auto descr = [&](const std::string& text) { return read(file_with(header_with(text), 16)); };

    says("an empty file", read(""));
    says("another format", read("PK\x03\x04, an archive"));
    says("only the magic", read("\x93NUMPY"));
    says("version 4", read(std::string("\x93NUMPY\x04\x00\x00\x00\x00\x00", 12)));
    says("a header length that is cut off", read(std::string("\x93NUMPY\x01\x00v", 9)));
    says("a header beyond the file", read(std::string("\x93NUMPY\x01\x00\xff\x00{", 11)));
    says("a header that is too long", read(file_with(header_with("'<f8'") + std::string(20'000, ' '), 16)));
    says("data that is cut off", read(file_with(header_with("'<f8'"), 9)));
    says("a header that is not a dictionary", dict("[1, 2]"));
    says("an unknown key", dict("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), 'x': 1}"));
    says("a missing key", dict("{'descr': '<f8', 'fortran_order': False}"));
    says("a shape that is a list", dict(header_with("'<f8'", "[2]")));
    says("a negative extent", dict(header_with("'<f8'", "(-2,)")));
    says("an extent beyond 64 bits", dict(header_with("'<f8'", "(99999999999999999999,)")));
    says("more than 2^63 bytes", dict(header_with("'<f8'", "(9223372036854775807, 2)")));
    says("too many dimensions", dict(header_with(
                                    "'<f8'", "(" + [] {
                                        std::string ones;
                                        for (int i = 0; i < 70; ++i)
                                            ones += "1,";
                                        return ones;
                                    }() + ")")));
    says("an order that is a number", dict(header_with("'<f8'", "(2,)", "7")));
    says("objects", descr("'|O'"));
    says("variable-width strings", descr("'T'"));
    says("an unknown word", descr("'float99'"));
    says("a number as descr", descr("12"));
    says("an object in a field", descr("[('a', '<f8'), ('b', '|O')]"));
    says("a field twice", descr("[('a', '<f8'), ('a', '<f4')]"));
    says("a field without a type", descr("[('a',)]"));
    says("a field whose name is a number", descr("[(1, '<f8')]"));
    says("a title that is the name", descr("[(('a', 'a'), '<f8')]"));
    says("a sub-array that is not a field", descr("('<f8', (2,))"));
    says("structs in each other",
         [&] { dict(header_with(std::string(200, '[') + "('a', '<f8')" + std::string(200, ']')))(); });
    says("too many fields", [&] {
        std::string fields = "[";
        for (int i = 0; i < 20; ++i)
            fields += "('f" + std::to_string(i) + "', '<f8'),";
        read(file_with(header_with(fields + "]"), 160), {.fields = 10})();
    });
    says("a header that is cut off", dict("{'descr': '<f8'"));
    says("an expression", dict("{'descr': '<f8', 'fortran_order': not True, 'shape': (1 + 1,)}"));
    says("a sign without a number", dict(header_with("'<f8'", "(-x,)")));
    says("a string without an end", dict("{'descr: 1}"));
    says("text next to bytes", dict("{'descr' b'x': 1}"));
    says("an octal number", dict(header_with("'<f8'", "(017,)")));
    says("a letter after a number", dict(header_with("'<f8'", "(2x,)")));
    says("a key without a value", dict("{'descr'}"));
    says("a list as key", dict("{[1]: 2}"));
    says("a short escape", dict("{'\\x1': 2}"));
    says("a character by name", dict("{'\\N{DASH}': 2}"));
    says("an escape beyond Unicode", dict("{'\\U00110000': 2}"));
    says("something after the dictionary", dict(header_with("'<f8'") + " 5"));
    says("a NUL byte", dict(header_with("'<f8'") + std::string(1, '\0')));
    says("a control character", dict("{'\x1b[31m': 2}"));
    says("deep brackets", dict(std::string(300, '(')));
    says("an indented header of version 1.0", dict("\n {}"));
    says("a dtype that NumPy does not have", [&] { (void)nk::dtype::plain('f', 3); });
    says("a date with an unknown unit", [&] { (void)nk::dtype::time('M', "fortnight"); });
    says("a header that is too short for its dtype",
         [&] { (void)nk::header_bytes({.type = nk::dtype_of<double>(), .shape = {2}}, {.length = 12}); });
    says.check();
}

TEST_CASE("errors about headerless files are sentences", "[errors]") {
    sentences says("raw");
    const auto t = says / "t.raw";
    write_text(t, std::string(20, 'x'));

    says("load a size that is no multiple", [&] { (void)nk::load_raw<double>(t); });
    says("load a shape that is too large", [&] { (void)nk::load_raw<double, 1>(t, {.shape = {5}}); });
    says("load beyond the end", [&] { (void)nk::load_raw<double>(t, {.offset = 40}); });
    says("map an empty file", [&] {
        write_text(says / "empty.raw", "");
        (void)nk::map_raw<double>(says / "empty.raw");
    });
    says("create at an odd offset", [&] { (void)nk::create_raw<double>(says / "new.raw", {2}, {.offset = 3}); });
    says("create at an offset beyond 2^63",
         [&] { (void)nk::create_raw<double>(says / "new.raw", {2}, {.offset = ~std::uint64_t{0} - 7}); });
    says.check();
}

}  // namespace sentences_tests::npy
