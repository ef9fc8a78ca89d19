// SPDX-License-Identifier: BSD-3-Clause
// The command-line tool: arrays whose dtype is not supported, such as pickled ones, and files that are no arrays.
#include "tool/run_tool.hpp"

#include <ndkeep/npz.hpp>

namespace tool_unsupported_tests {

using namespace ndkeep;

namespace {

/// An npy file with any descr.
[[nodiscard]] std::string file_of(const std::string& descr, const std::string& shape, const std::string& data) {
    std::string text = "{'descr': " + descr + ", 'fortran_order': False, 'shape': " + shape + ", }";
    text += std::string(117 - text.size(), ' ') + '\n';
    return std::string("\x93NUMPY\x01\0", 8) + static_cast<char>(text.size()) + '\0' + text + data;
}

/// An archive with a pickled member between others.
void save_with_pickle(const std::filesystem::path& file, double value, const std::string& pickled) {
    npz_writer out(file);
    out.add("first", value);
    out.add_text("odd.npy", file_of("'|O'", "(2,)", pickled));
    out.add("last", twelve());
    out.commit();
}

}  // namespace

TEST_CASE("info tells what the header of an unsupported dtype says, and how to get at the bytes", "[tool]") {
    temp_dir dir;
    const auto file = (dir / "t.npy").string();
    write_text(file, file_of("'int4'", "(2, 3)", "abcdef"));

    const auto said = run_tool({"info", file});
    CHECK(said.status == 1);
    CHECK(said.has("'int4', not supported"));
    CHECK(said.has("(2, 3)"));
    CHECK(said.has("data at byte 128"));
    CHECK(said.has("map_raw<std::uint8_t, 2>(file, {.shape = {2, 3}, .offset = 128}) has the bytes"));
    const auto object = run_tool({"info", "--json", file}).object();
    CHECK(object["shape"] == json::array({2, 3}));
    CHECK(object["data_offset"] == 128);
    CHECK(object["nbytes"] == 6);
    CHECK(object["descr"] == "'int4'");

    write_text(file, file_of("'float8_e5m2'", "(3,)", "abcdefg"));
    CHECK(run_tool({"info", file}).has("map_raw<std::uint8_t, 1>(file, {.shape = {7}, .offset = 128})"));
}

TEST_CASE("info names Python's pickles only where the elements have objects", "[tool]") {
    const temp_dir dir;
    const auto file = (dir / "t.npy").string();
    for (const auto* const descr : {"'|O8'", "'object'", "[('a', '<f8'), ('b', 'O')]"}) {
        CAPTURE(descr);
        write_text(file, file_of(descr, "(2,)", "pickle"));
        CHECK(run_tool({"info", file}).has("allow_pickle=True"));
    }
    write_text(file, file_of("[('FOO', 'int4')]", "(2,)", "abcdef"));
    CHECK_FALSE(run_tool({"info", file}).has("allow_pickle"));
    CHECK(run_tool({"info", file}).has("has the bytes"));
}

TEST_CASE("info and ls show dtype and shape of members that cannot be loaded", "[tool]") {
    temp_dir dir;
    const auto file = (dir / "t.npz").string();
    save_with_pickle(file, 1, "pickle");

    for (const std::string command : {"info", "ls"}) {
        CAPTURE(command);
        const auto said = run_tool({command, file});
        CHECK(said.status == 1);
        CHECK(said.has("'|O'"));
        CHECK(said.has("(2,)"));
    }
    const auto members = run_tool({"info", "--json", file}).object()["members"];
    CHECK(members[1]["descr"] == "'|O'");
    CHECK(members[1]["shape"] == json::array({2}));
    CHECK(run_tool({"ls", "--json", file}).object()["entries"][1]["shape"] == json::array({2}));
}

TEST_CASE("diff compares the other members of an archive with a pickled one", "[tool]") {
    temp_dir dir;
    const auto a = (dir / "a.npz").string(), b = (dir / "b.npz").string();
    save_with_pickle(a, 1, "pickle");
    save_with_pickle(b, 1, "pickle");

    const auto same = run_tool({"diff", a, b});
    CHECK(same.status == 0);
    CHECK(same.has("odd: not compared as an array; the bytes are equal"));

    save_with_pickle(b, 2, "pickle");
    CHECK(run_tool({"diff", a, b}).status == 1);

    save_with_pickle(b, 1, "another");
    const auto other = run_tool({"diff", a, b});
    CHECK(other.status == 1);
    CHECK(other.has("odd: not compared as an array; the bytes differ"));
    CHECK(run_tool({"diff", "--json", a, b}).object()["arrays"][1]["compared"] == false);
}

TEST_CASE("convert copies a pickled member unchanged and says so", "[tool]") {
    temp_dir dir;
    const auto from = (dir / "a.npz").string(), to = (dir / "b.npz").string();
    save_with_pickle(from, 1, "pickle");

    const auto said = run_tool({"convert", "--compress", "--dtype", "float32", from, to});

    CHECK(said.status == 0);
    CHECK(said.warns("the member is copied unchanged"));
    const npz_reader in(to);
    CHECK(in.bytes("odd.npy") == npz_reader(from).bytes("odd.npy"));
    CHECK(in.load<float>("first")() == 1);
    CHECK(in.load<float>("last").size() == 12);
}

TEST_CASE("bytes of a dtype without a name convert to unsigned integers", "[tool]") {
    temp_dir dir;
    const auto from = (dir / "a.npy").string(), to = (dir / "b.npy").string();
    write_text(from, file_of("'|V2'", "(3,)", std::string("\1\0\2\0\3\0", 6)));

    CHECK(run_tool({"convert", "--dtype", "<u2", from, to}).status == 0);

    CHECK((load<std::uint16_t, 1>(to) == xt::xtensor<std::uint16_t, 1>{1, 2, 3}));
    CHECK((load<std::uint16_t, 1>(from) == load<std::uint16_t, 1>(to)));
    CHECK((map<std::uint16_t, 1>(from) == load<std::uint16_t, 1>(to)));
}

TEST_CASE("the tool names a file that is something else", "[tool][error]") {
    temp_dir dir;
    write_text(dir / "t.bin", "version https://git-lfs.github.com/spec/v1\n");

    CHECK(run_tool({"info", (dir / "t.bin").string()}).warns("format is that of a Git LFS pointer"));
}

}  // namespace tool_unsupported_tests
