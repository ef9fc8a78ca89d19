// SPDX-License-Identifier: BSD-3-Clause
// show compared with the output of NumPy 1.24 for the same arrays.
#include "tool/run_tool.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>

#include <chrono>
#include <complex>
#include <limits>
#include <numeric>

namespace tool_show_tests {

using namespace ndkeep;

namespace {

namespace fs = std::filesystem;

const double not_a_number = std::numeric_limits<double>::quiet_NaN();
const double infinite = std::numeric_limits<double>::infinity();

[[nodiscard]] std::string shown_text(const std::vector<std::string>& args) { return output_of("show", args); }

template <class T>
[[nodiscard]] std::string shown_array(std::string_view descr, std::vector<std::size_t> shape,
                                      const std::vector<T>& values) {
    const temp_dir dir;
    return shown_text({write_npy(dir / "t.npy", descr, std::move(shape), values)});
}

[[nodiscard]] std::vector<std::int64_t> counting(std::size_t count) {
    std::vector<std::int64_t> all(count);
    std::iota(all.begin(), all.end(), 0);
    return all;
}

}  // namespace

TEST_CASE("show prints floating-point numbers as NumPy does", "[tool][show]") {
    CHECK(shown_array<double>("<f8", {3}, {1.5, not_a_number, -infinite}) == "[ 1.5  nan -inf]\n");
    CHECK(shown_array<double>("<f8", {4}, {0.1, 1.5, -2, 1000}) == "[ 1.0e-01  1.5e+00 -2.0e+00  1.0e+03]\n");
    CHECK(shown_array<double>("<f8", {3}, {1e-5, 1, 123456.789}) == "[1.00000000e-05 1.00000000e+00 1.23456789e+05]\n");
    CHECK(shown_array<float>("<f4", {2}, {0.1F, 3.4e38F}) == "[1.0e-01 3.4e+38]\n");
    CHECK(shown_array<float>("<f4", {3}, {6665408, 51186348, 50639832}) == "[ 6665408. 51186348. 50639832.]\n");
    CHECK(shown_array<float16>("<f2", {3}, {float16(65504), float16(0.1), float16(1)}) ==
          "[6.55e+04 1.00e-01 1.00e+00]\n");
    CHECK(shown_array<std::complex<double>>("<c16", {3}, {{1, 2}, {-0.5, -1e-3}, {not_a_number, infinite}}) ==
          "[ 1. +2.e+00j -0.5-1.e-03j  nan   +infj]\n");
}

TEST_CASE("show prints scalars as NumPy does", "[tool][show]") {
    CHECK(shown_array<double>("<f8", {}, {1e16}) == "1e+16\n");
    CHECK(shown_array<float>("<f4", {}, {0.1F}) == "0.1\n");
    CHECK(shown_array<float16>("<f2", {}, {float16(27872)}) == "27870.0\n");
    CHECK(shown_array<std::complex<double>>("<c16", {}, {{3, 0}}) == "(3+0j)\n");
    CHECK(shown_array<std::int64_t>("<m8[D]", {}, {5}) == "5 days\n");
    CHECK(shown_array<char>("|b1", {}, {1}) == "True\n");
}

TEST_CASE("show prints dates, texts, bytes and flags as NumPy does", "[tool][show]") {
    constexpr auto nat = std::numeric_limits<std::int64_t>::min();
    CHECK(shown_array<std::int64_t>("<m8[s]", {3}, {1, -5, nat}) == "[    1    -5 'NaT']\n");
    CHECK(shown_array<std::int64_t>("<M8[h]", {2}, {350645, nat}) == "['2010-01-01T05'           'NaT']\n");
    CHECK(shown_array<std::int64_t>("<M8[ms]", {1}, {-1}) == "['1969-12-31T23:59:59.999']\n");
    CHECK(shown_array<std::int64_t>("<M8[25s]", {1}, {2}) == "['1970-01-01T00:00:50']\n");
    CHECK(shown_array<char32_t>("<U4", {2}, {U'i', U't', U'\'', U's', U'a', U'"', U'\n', 0}) ==
          "[\"it's\" 'a\"\\n']\n");
    CHECK(shown_array<char>("|S4", {2}, {'i', 't', '\'', 's', 1, '\\', 0, 0}) == "[b\"it's\" b'\\x01\\\\']\n");
    CHECK(shown_array<std::uint8_t>("|V2", {2}, {1, 0xab, 0xcd, 0xef}) == "[b'\\x01\\xAB' b'\\xCD\\xEF']\n");
    CHECK(shown_array<char>("|b1", {1, 2}, {1, 0}) == "[[ True False]]\n");
}

TEST_CASE("show summarises, wraps and indents as NumPy does", "[tool][show]") {
    const temp_dir dir;
    const auto plane = write_npy(dir / "plane.npy", "<i8", {100, 30}, counting(3000));
    const auto wide = write_npy(dir / "wide.npy", "<i8", {30}, [] {
        auto all = counting(30);
        for (auto& each : all)
            each *= 1000;
        return all;
    }());
    const auto cube = write_npy(dir / "cube.npy", "<i8", {2, 3, 4}, counting(24));

    CHECK(shown_text({plane}) == "[[   0    1    2 ...   27   28   29]\n"
                                 " [  30   31   32 ...   57   58   59]\n"
                                 " [  60   61   62 ...   87   88   89]\n"
                                 " ...\n"
                                 " [2910 2911 2912 ... 2937 2938 2939]\n"
                                 " [2940 2941 2942 ... 2967 2968 2969]\n"
                                 " [2970 2971 2972 ... 2997 2998 2999]]\n");
    CHECK(shown_text({plane, "--edge", "1"}) == "[[   0 ...   29]\n ...\n [2970 ... 2999]]\n");
    CHECK(shown_text({wide}) == "[    0  1000  2000  3000  4000  5000  6000  7000  8000  9000 10000 11000\n"
                                " 12000 13000 14000 15000 16000 17000 18000 19000 20000 21000 22000 23000\n"
                                " 24000 25000 26000 27000 28000 29000]\n");
    CHECK(shown_text({cube}) == "[[[ 0  1  2  3]\n  [ 4  5  6  7]\n  [ 8  9 10 11]]\n\n"
                                " [[12 13 14 15]\n  [16 17 18 19]\n  [20 21 22 23]]]\n");
    CHECK(shown_text({plane, "--full"}).size() > 14'000);
    CHECK(shown_text({write_npy<double>(dir / "e.npy", "<f8", {0, 3}, {})}) == "[]\n");
    CHECK(shown_text({write_npy<double>(dir / "p.npy", "<f8", {2}, {0.125, 1}), "--precision", "2"}) ==
          "[0.12 1.  ]\n");
}

TEST_CASE("show takes NumPy's slices", "[tool][show]") {
    const temp_dir dir;
    const auto rows = write_npy(dir / "c.npy", "<i8", {4, 3}, counting(12));
    const auto columns = write_npy(dir / "f.npy", "<i8", {3, 4}, counting(12), ndkeep::order::column_major);

    CHECK(shown_text({rows, "[1]"}) == "[3 4 5]\n");
    CHECK(shown_text({rows, "[-1, -2]"}) == "10\n");
    CHECK(shown_text({rows, "[..., 0]"}) == "[0 3 6 9]\n");
    CHECK(shown_text({rows, "[::-2, 1:]"}) == "[[10 11]\n [ 4  5]]\n");
    CHECK(shown_text({rows, "[5:2:-1, :]"}) == "[[ 9 10 11]]\n");
    CHECK(shown_text({rows, "[2:2]"}) == "[]\n");
    CHECK(shown_text({rows, "[-99:99999999999999999999, ...]"}) == shown_text({rows}));
    CHECK(shown_text({columns, "[1]"}) == "[ 1  4  7 10]\n");
}

TEST_CASE("show refuses slices that are none, and names axis, index and extent", "[tool][show]") {
    const temp_dir dir;
    const auto file = write_npy(dir / "c.npy", "<i8", {4, 3}, counting(12));
    const auto beyond = run_tool({"show", file, "[0, 3]"});
    CHECK(beyond.status == 2);
    CHECK(beyond.warns("index of axis 1 is 3, expected -3 to 2 (the shape is (4, 3))"));
    CHECK(run_tool({"show", file, "[0, 0, 0]"}).warns("number of axes is 2, expected at least 3"));

    for (const char* const text : {"[", "[]", "[a]", "[1:2:0]", "[1:2:3:4]", "[..., ...]", "[,]", "[1,,2]", "[+-1]",
                                   "[:99999999999999999999;rm]", "[-99999999999999999999x:]",
                                   "[+-99999999999999999999]", "[::99999999999999999999 1]"}) {
        INFO(text);
        CHECK(run_tool({"show", file, text}).status == 2);
        CHECK(run_tool({"show", file, text}).warns("SLICES is"));
    }
    CHECK(run_tool({"show", file, "rows"}).warns("a member of an archive is FILE:rows"));
    CHECK(run_tool({"show", file, "--edge", "0"}).status == 2);
    CHECK(run_tool({"show", file, "--precision", "-1"}).status == 2);
}

TEST_CASE("show prints structs as a table, and one field as an array", "[tool][show]") {
    const auto flights = example_data("flights.npz") + ":flights";

    const auto rows = shown_text({flights, "[:2]"});
    const auto summary = shown_text({flights, "--edge", "1"});
    const auto object = run_tool({"show", "--json", flights, "[0]"}).object();

    CHECK(rows.find("time") < rows.find("delay"));
    CHECK(rows.find("distance") != std::string::npos);
    CHECK(std::count(rows.begin(), rows.end(), '\n') == 3);
    CHECK(std::count(summary.begin(), summary.end(), '\n') == 4);
    CHECK(summary.find("199999") != std::string::npos);
    CHECK(object["values"]["distance"].is_number());
    CHECK(shown_text({flights, "[:2]", "--field", "delay"}).starts_with("["));
    CHECK(run_tool({"show", flights, "--field", "x"}).warns("expected one of 'time', 'delay', 'distance'"));
}

TEST_CASE("show finds arrays in archives, chunks, raw files and beside sidecars", "[tool][show]") {
    const temp_dir dir;
    const xt::xtensor<double, 2> twelve = xt::reshape_view(xt::arange<double>(12), {4, 3});
    save_npz(dir / "a.npz", {{"x", twelve}, {"g/y", twelve, {.compress = true}}});
    save_chunked(dir / "readings", twelve, {.rows_per_chunk = 3});
    save(dir / "t.npy", twelve, {.sum = checksum::crc32});
    const auto archive = (dir / "a.npz").string();
    const std::string row = "[3. 4. 5.]\n";

    CHECK(shown_text({archive + ":x", "[1]"}) == row);
    CHECK(shown_text({archive + ":g/y", "[1]"}) == row);
    CHECK(shown_text({archive, "--member", "g/y", "[1]"}) == row);
    CHECK(shown_text({(dir / "readings").string(), "[1]"}) == row);
    CHECK(shown_text({(dir / "readings").string()}) == shown_text({(dir / "t.npy").string()}));
    CHECK(shown_text({(dir / "t.npy.json").string(), "[1]"}) == row);
    CHECK(shown_text({archive}).find("a.npz:g/y") != std::string::npos);
    CHECK(run_tool({"show", archive, "[1]"})
              .warns("number of arrays is 2, expected 1 (choose one, as in " + archive + ":x)"));
    CHECK(run_tool({"show", archive + ":z"}).warns("member 'z' is missing, expected one of 'x', 'g/y'"));
    CHECK(run_tool({"show", archive + ":z"}).status == 2);

    write_text(dir / "t.dat", read_text(dir / "t.npy").substr(128));
    fs::rename(dir / "t.npy.json", dir / "t.dat.json");
    CHECK(shown_text({(dir / "t.dat").string(), "[1]"}) == row);
}

TEST_CASE("show of a file of terabytes reads only what it shows", "[tool][show]") {
    const temp_dir dir;
    constexpr std::size_t rows = std::size_t{1} << 30;
    for (const auto file_order : {ndkeep::order::row_major, ndkeep::order::column_major}) {
        const auto file = write_npy<double>(dir / "t.npy", "<f8", {rows, 100}, {}, file_order);
        std::error_code refused;
        fs::resize_file(file, 128 + rows * 800, refused);
        if (refused) {
            WARN("no file of that size here: " << refused.message());
            return;
        }
        const auto begin = std::chrono::steady_clock::now();

        const auto text = shown_text({file});
        const auto part = shown_text({file, "[::10000000, 7]"});

        CHECK(text.starts_with("[[0. 0. 0. ... 0. 0. 0.]\n"));
        CHECK(part.starts_with("[0. 0."));
        CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
        CHECK(run_tool({"show", "--full", file}).warns("select fewer with SLICES"));
    }
}

TEST_CASE("show --json has stable keys and every value", "[tool][show]") {
    const temp_dir dir;
    const auto file = write_npy<double>(dir / "t.npy", "<f8", {2, 2}, {1, not_a_number, infinite, 0.5});

    const auto object = run_tool({"show", "--json", file, "[:, ::-1]"}).object();

    CHECK(object["file"] == file);
    CHECK(object["dtype"] == "<f8");
    CHECK(object["shape"] == json::array({2, 2}));
    CHECK(object["slice"] == "[:, ::-1]");
    CHECK(object["values"] == json::parse(R"([["NaN", 1.0], [0.5, "Infinity"]])"));
}

TEST_CASE("no text of a file reaches the terminal as a command", "[tool][show]") {
    const temp_dir dir;
    const std::u32string hostile = {0x1b, U'[', U'3', U'1', U'm', 0x202e, 0xd800, 0x7fffffff};
    const std::vector<char32_t> characters(hostile.begin(), hostile.end());
    for (const std::vector<std::size_t>& shape : {std::vector<std::size_t>{}, std::vector<std::size_t>{1}}) {
        const auto file = write_npy(dir / "t.npy", "<U8", shape, characters);
        CHECK(shown_text({file}).find('\x1b') == std::string::npos);
        CHECK(run_tool({"show", "--json", file}).status == 0);
    }
    const auto bytes = write_npy<char>(dir / "s.npy", "|S3", {1}, {0x1b, '[', static_cast<char>(0xff)});
    CHECK(shown_text({bytes}) == "[b'\\x1b[\\xff']\n");
    CHECK(run_tool({"show", "--json", bytes}).status == 0);
    const auto marks = write_npy<char32_t>(dir / "m.npy", "<U3", {1}, {0x202e, 0x9b, 0x7f});
    CHECK(run_tool({"show", "--json", marks}).has("[\"\\u202e\\u009b\\u007f\"]"));
}

}  // namespace tool_show_tests
