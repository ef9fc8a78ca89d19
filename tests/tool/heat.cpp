// SPDX-License-Identifier: BSD-3-Clause
// heat: maps and plots as text and as image files.
#include "tool/picture.hpp"
#include "tool/run_tool.hpp"

#include <array>
#include <chrono>
#include <limits>

#include <zlib.h>

namespace tool_heat_tests {

using namespace ndkeep;

namespace {

namespace fs = std::filesystem;

constexpr double gap = std::numeric_limits<double>::quiet_NaN();

[[nodiscard]] std::string drawn(const std::vector<std::string>& args) {
    const auto out = output_of("heat", args);
    return out.substr(out.find('\n') + 1);  // without the title line
}

/// The content of a PNG file with 8 bits and four channels: width, height, and the bytes of its lines.
struct decoded_png {
    std::uint32_t width = 0, height = 0;
    std::string lines;
};
[[nodiscard]] decoded_png decode_png(const std::string& file) {
    const auto number = [&](std::size_t at) {
        std::uint32_t out = 0;
        for (std::size_t i = 0; i < 4; ++i)
            out = out << 8 | static_cast<unsigned char>(file[at + i]);
        return out;
    };
    decoded_png out;
    std::string data;
    REQUIRE(file.substr(0, 8) == "\x89PNG\r\n\x1a\n");
    for (std::size_t at = 8; at < file.size();) {
        const std::size_t length = number(at);
        const auto name = file.substr(at + 4, 4);
        const auto* const begin = reinterpret_cast<const Bytef*>(file.data() + at + 4);
        CHECK(number(at + 8 + length) == ::crc32(0, begin, static_cast<uInt>(length + 4)));
        if (name == "IHDR") {
            out.width = number(at + 8);
            out.height = number(at + 12);
        } else if (name == "IDAT") {
            data += file.substr(at + 8, length);
        }
        at += length + 12;
    }
    uLongf size = static_cast<uLongf>(out.height) * (4 * out.width + 1);
    out.lines.resize(size);
    REQUIRE(::uncompress(reinterpret_cast<Bytef*>(out.lines.data()), &size, reinterpret_cast<const Bytef*>(data.data()),
                         static_cast<uLong>(data.size())) == Z_OK);
    CHECK(size == out.lines.size());
    return out;
}

}  // namespace

TEST_CASE("heat draws a plane in characters, NaN as a gap", "[tool][heat]") {
    const temp_dir dir;
    const auto file = write_npy<double>(dir / "t.npy", "<f8", {2, 3}, {0, 4, 8, gap, 6, 2});

    const auto map = drawn({file, "--width", "6", "--height", "2"});

    CHECK(map == "..++@@\n  ##--\n0 .:-=+*#%@ 8  2 rows down, 3 columns across, 1 NaN\n");
    CHECK(drawn({file, "[::-1]", "--width", "3", "--height", "2"}).starts_with(" #-\n.+@\n"));
    CHECK(drawn({file, "--width=3", "--height=2", "--style=blocks"}).starts_with("░▓█\n █▒\n"));
}

TEST_CASE("heat draws in colours where it is asked to", "[tool][heat]") {
    const temp_dir dir;
    const auto file = write_npy<double>(dir / "t.npy", "<f8", {2, 2}, {0, 1, 1, gap});
    ::unsetenv("COLORTERM");

    const auto blocks = drawn({file, "--width=2", "--height=1", "--style=blocks", "--color=always"});
    const auto ascii = drawn({file, "--width=2", "--height=2", "--color=always"});
    ::setenv("COLORTERM", "truecolor", 1);
    const auto full = drawn({file, "--width=2", "--height=1", "--style=blocks", "--color=always"});
    ::unsetenv("COLORTERM");

    CHECK(blocks.starts_with("\x1b[38;5;53m\x1b[48;5;220m▀\x1b[0m\x1b[38;5;220m▀\x1b[0m\n"));
    CHECK(full.starts_with("\x1b[38;2;68;1;84m\x1b[48;2;253;231;37m▀\x1b[0m\x1b[38;2;253;231;37m▀\x1b[0m\n"));
    CHECK(ascii.find("\x1b[48;5;53m ") == 0);
}

TEST_CASE("heat plots a line, NaN as a gap", "[tool][heat]") {
    const temp_dir dir;
    const auto file = write_npy<double>(dir / "t.npy", "<f8", {5}, {0, 1, gap, 1, 2});

    CHECK(drawn({file, "--width", "17", "--height", "3"}) == "         2 |    *\n"
                                                             "           | * *\n"
                                                             "         0 |*\n"
                                                             "           +-----\n"
                                                             "            5 elements, 1 NaN\n");
    CHECK(drawn({file, "--width=17", "--height=1", "--style=blocks"}).find("⣀") != std::string::npos);
}

TEST_CASE("heat draws the last two axes, and says which indexes of the others", "[tool][heat]") {
    const temp_dir dir;
    const auto file = write_npy<std::int32_t>(dir / "t.npy", "<i4", {2, 1, 2}, {1, 2, 3, 4});

    const auto said = run_tool({"heat", file, "--width", "2", "--height", "1"});

    CHECK(said.out == file + " [0, :, :]\n.@\n1 .:-=+*#%@ 2  1 row down, 2 columns across\n");
    CHECK(run_tool({"heat", file, "[1]", "--width=2"}).has(file + " [1]\n"));
    CHECK(run_tool({"heat", file, "[0, 0, 0]"}).warns("expected at least 1 dimension"));
    CHECK(run_tool({"heat", file, "[5]"}).warns("index of axis 0 is 5"));
    CHECK(run_tool({"heat", file, "--width", "0"}).status == 2);
}

TEST_CASE("heat draws pictures in true colours", "[tool][heat]") {
    const temp_dir dir;
    const auto file = write_npy<std::uint8_t>(dir / "t.npy", "|u1", {2, 1, 3}, {255, 0, 0, 0, 255, 255});
    const auto picture = (dir / "t.png").string();
    ::setenv("COLORTERM", "truecolor", 1);
    const auto coloured = drawn({file, "--width=1", "--height=1", "--style=blocks", "--color=always"});
    ::unsetenv("COLORTERM");

    CHECK(coloured == "\x1b[38;2;255;0;0m\x1b[48;2;0;255;255m▀\x1b[0m\n2 rows down, 1 column across, RGB\n");
    // Without colours, characters show the brightness.
    CHECK(drawn({file, "--width=1", "--height=2"}).starts_with("-\n#\n"));
    CHECK(run_tool({"heat", file, "[..., ::-1]", "--json"}).object()["colors"] ==
          json::array({json::array({"#0000ff"}), json::array({"#ffff00"})}));
    CHECK(drawn({file, "[..., 0]", "--width=1", "--height=2"}).find("RGB") == std::string::npos);
    REQUIRE(run_tool({"heat", file, "--png", picture, "--width=1", "--height=2"}).status == 0);
    CHECK(decode_png(read_text(picture)).lines == std::string("\0\xff\0\0\xff\0\0\xff\xff\xff", 10));
    REQUIRE(run_tool({"heat", file, "--svg", (dir / "t.svg").string()}).status == 0);
    CHECK(read_text(dir / "t.svg").find("<image") == read_text(dir / "t.svg").rfind("<image"));
}

TEST_CASE("heat draws pictures of other numbers, with alpha and gaps", "[tool][heat]") {
    const temp_dir dir;
    const auto colours_of = [&](const std::string& file) {
        const auto object = run_tool({"heat", "--json", file}).object();
        return object.contains("colors") ? object["colors"] : json();
    };
    const auto row = [](const auto&... colours) { return json::array({json::array({colours...})}); };

    CHECK(colours_of(write_npy<std::uint16_t>(dir / "a.npy", "<u2", {1, 1, 3}, {65535, 0, 257})) == row("#ff0001"));
    CHECK(colours_of(write_npy<float>(dir / "b.npy", "<f4", {1, 1, 4}, {1, 0.5F, 0, 0.25F})) == row("#ff800040"));
    CHECK(colours_of(write_npy<double>(dir / "c.npy", "<f8", {1, 2, 3}, {1, 1, 1, 0, gap, 0})) ==
          row("#ffffff", nullptr));
    CHECK(colours_of(write_npy<std::uint8_t>(dir / "d.npy", "|u1", {1, 1, 1, 3}, {1, 2, 3})) == row("#010203"));
}

TEST_CASE("heat draws the last two axes of what is no picture", "[tool][heat]") {
    const temp_dir dir;
    const auto is_map = [&](const std::string& file) {
        return drawn({file, "--width=9"}).find("1 row down, 3 columns across") != std::string::npos;
    };

    CHECK(is_map(write_npy<double>(dir / "a.npy", "<f8", {2, 1, 3}, {0, 0, 1, 0, 0, 2})));
    CHECK(is_map(write_npy<std::int8_t>(dir / "b.npy", "|i1", {2, 1, 3}, {0, 0, 1, 0, 0, 1})));
    CHECK(is_map(write_npy<std::uint8_t>(dir / "c.npy", "|u1", {1, 3}, {0, 0, 1})));
}

TEST_CASE("heat is the same at every time of one width", "[tool][heat]") {
    const auto file = example_data("seattle_hourly.npy");
    const auto first = run_tool({"heat", file, "[:, 0]", "--width", "72"});

    CHECK(first.status == 0);
    CHECK(first.out == run_tool({"heat", file, "[:, 0]", "--width", "72"}).out);
    CHECK(first.has("8759 elements, means and ranges"));
    CHECK(first.out.find('\x1b') == std::string::npos);
    for (std::size_t at = 0, end = 0; at < first.out.size(); at = end + 1) {
        end = first.out.find('\n', at);
        CHECK((end - at <= 72 || at == 0));  // the title is a path, which may be longer
    }
}

TEST_CASE("heat draws infinities, empty planes and one number throughout", "[tool][heat]") {
    const temp_dir dir;
    constexpr double inf = std::numeric_limits<double>::infinity();
    constexpr double most = std::numeric_limits<double>::max();
    const auto draw = [&](std::vector<std::size_t> shape, const std::vector<double>& values) {
        return drawn({write_npy(dir / "t.npy", "<f8", std::move(shape), values), "--width=12", "--height=2"});
    };
    CHECK(draw({1, 4}, {-inf, 0, 1, inf}).starts_with("....@@@@\n"));
    CHECK(draw({1, 2}, {-most, most}).starts_with("....@@@@\n....@@@@\n"));
    CHECK(draw({1, 2}, {3, 3}).starts_with("++++++++\n"));
    CHECK(draw({0, 3}, {}).starts_with("0 "));
    CHECK(!draw({0}, {}).empty());
    CHECK(!draw({3}, {gap, gap, gap}).empty());
}

TEST_CASE("heat needs a number in each element", "[tool][heat]") {
    const temp_dir dir;
    const auto text = write_npy<char>(dir / "t.npy", "|S1", {2}, {'a', 'b'});
    const auto flights = example_data("flights.npz");

    CHECK(run_tool({"heat", text}).warns("dtype is '|S1', expected one number or time per element"));
    CHECK(run_tool({"heat", flights})
              .warns("dtype is a struct of 3 fields, expected one number or time per element (choose a field, as in "
                     "--field time)"));
    CHECK(run_tool({"heat", flights, "--field", "delay", "--width=60"}).has("flights delay"));
}

TEST_CASE("heat of a file of terabytes looks at some of it", "[tool][heat]") {
    const temp_dir dir;
    constexpr std::size_t rows = std::size_t{1} << 30;
    const auto file = write_npy<double>(dir / "t.npy", "<f8", {rows, 100}, {});
    std::error_code refused;
    fs::resize_file(file, 128 + rows * 800, refused);
    if (refused) {
        WARN("no file of that size here: " << refused.message());
        return;
    }
    const auto begin = std::chrono::steady_clock::now();

    CHECK(drawn({file, "--width=80"}).find("means of samples") != std::string::npos);
    CHECK(drawn({file, "[:, 3]", "--width=80"}).find("means and ranges of samples") != std::string::npos);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
}

TEST_CASE("heat writes PNG pictures with gaps that are transparent", "[tool][heat]") {
    const temp_dir dir;
    const auto file = write_npy<double>(dir / "t.npy", "<f8", {1, 2}, {7, gap});
    const auto picture = (dir / "t.png").string();

    const auto said = run_tool({"heat", file, "--png", picture, "--width", "4", "--height", "2"});

    CHECK(said.status == 0);
    CHECK(said.out.empty());
    const auto png = decode_png(read_text(picture));
    CHECK(png.width == 4);
    CHECK(png.height == 2);
    const auto middle = tool::colour_of(0.5);
    CHECK(static_cast<unsigned char>(png.lines[1]) == middle.red);
    CHECK(static_cast<unsigned char>(png.lines[4]) == 255);
    CHECK(png.lines[1 + 2 * 4 + 3] == '\0');
    CHECK(decode_png(read_text([&] {
              CHECK(run_tool({"heat", file, "[0]", "--png", picture, "--width=5", "--height=6"}).status == 0);
              return fs::path(picture);
          }()))
              .height == 6);
}

TEST_CASE("heat writes SVG pictures whose text is text only", "[tool][heat]") {
    const temp_dir dir;
    const auto file = write_npy<double>(dir / "a<b&.npy", "<f8", {2, 2}, {0, 1, 2, 3});
    const auto picture = dir / "t.svg";

    CHECK(run_tool({"heat", file, "--svg", picture.string()}).status == 0);
    const auto map = read_text(picture);
    CHECK(map.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    CHECK(map.find("a&lt;b&amp;.npy") != std::string::npos);
    CHECK(map.find("data:image/png;base64,iVBORw0KGgo") != std::string::npos);

    CHECK(run_tool({"heat", file, "[0]", "--svg", picture.string()}).status == 0);
    CHECK(read_text(picture).find("<polyline") != std::string::npos);
}

TEST_CASE("heat never writes over the file that it draws", "[tool][heat]") {
    const temp_dir dir;
    const auto file = write_npy<double>(dir / "t.npy", "<f8", {2}, {0, 1});
    const auto before = read_text(file);

    CHECK(run_tool({"heat", file, "--png", file}).status == 2);
    CHECK(read_text(file) == before);
    CHECK(run_tool({"heat", file, "--png", (dir / "missing/t.png").string()}).status == 2);
}

TEST_CASE("heat --json gives the grid", "[tool][heat]") {
    const temp_dir dir;
    const auto file = write_npy<double>(dir / "t.npy", "<f8", {4}, {1, 3, 5, gap});

    const auto object = run_tool({"heat", "--json", file, "--width", "2"}).object();

    CHECK(object["sampled"] == false);
    CHECK(object["missing"] == 1);
    CHECK(object["mean"] == json::array({2.0, 5.0}));
    CHECK(object["low"] == json::array({1.0, 5.0}));
    CHECK(object["high"] == json::array({3.0, 5.0}));
}

TEST_CASE("base64 is that of RFC 4648", "[tool][heat]") {
    CHECK(tool::base64("").empty());
    CHECK(tool::base64("f") == "Zg==");
    CHECK(tool::base64("fo") == "Zm8=");
    CHECK(tool::base64("foo") == "Zm9v");
    CHECK(tool::base64("foobar") == "Zm9vYmFy");
}

}  // namespace tool_heat_tests
