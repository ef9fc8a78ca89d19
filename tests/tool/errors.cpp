// SPDX-License-Identifier: BSD-3-Clause
// Every error and note that the tool words itself. tests/data/tool_errors.txt lists the commands and what they print.
#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "tool/run_tool.hpp"
#include "tool/transcript.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>
#include <ndkeep/pickle.hpp>

#include <chrono>
#include <fstream>

namespace tool_errors_tests {

using namespace ndkeep;

namespace {

namespace fs = std::filesystem;

/// The files that the commands name.
void make_files(const temp_dir& dir) {
    const xt::xtensor<double, 2, xt::layout_type::column_major> columns = twelve();
    save(dir / "a.npy", twelve());
    save(dir / "fortran.npy", columns);
    save(dir / "large_number.npy", xt::xtensor<double, 1>{1, 1e300});
    save(dir / "integers.npy", xt::xtensor<std::int64_t, 1>{1, 300});
    save(dir / "cube.npy", xt::xtensor<int, 3>(xt::zeros<int>({2, 2, 2})));
    save(dir / "scalar.npy", xt::xarray<double>(1.5));
    save(dir / "empty.npy", xt::xtensor<double, 2>(xt::zeros<double>({0, 3})));
    write_npy<char32_t>(dir / "text.npy", "<U2", {1}, {U'h', U'i'});
    write_npy<std::int32_t>(dir / "struct.npy", "[('id', '<i4'), ('pair', '<i4', (2,))]", {1, 1}, {1, 2, 3});
    write_npy<char>(dir / "wide.npy", "[('a', '|u1', (70000,))]", {0}, {});
    (void)create<std::uint8_t>(dir / "long.npy", {20'000'000});
    (void)create<std::uint8_t>(dir / "plane.npy", {5000, 5000});
    save_npz(dir / "runs.npz", {{"x", twelve()}, {"y", twelve()}});
    npz_writer(dir / "none.npz").commit();
    write_text(dir / "class.pkl", "\x80\x02" + std::string("cposix\nsystem\n(X\x04\0\0\0truetR.", 27));
    save_pickle(dir / "values.pkl", {{"name", "first"}, {"x", twelve()}, {"y", twelve()}});
    save_chunked(dir / "chunked", twelve(), {.rows_per_chunk = 2});
    save_chunked(dir / "ordered", xt::xtensor<std::int64_t, 1>{1, 2}, {.order_by = ""});
    save_chunked(dir / "days", xt::xtensor<std::chrono::sys_days, 1>{std::chrono::sys_days()}, {.order_by = ""});
    save_chunked(dir / "nanoseconds", xt::xtensor<std::chrono::sys_time<std::chrono::nanoseconds>, 1>{{}},
                 {.order_by = ""});
    save_chunked(dir / "damaged", twelve(), {.rows_per_chunk = 2});
    write_text(dir / "damaged/commits/00000000000000000002.json", "not a record");

    save(dir / "meta.npy", twelve(), {.meta = {{"units", "kelvin"}, {"levels", {1, 2}}}});
    save(dir / "stale.npy", twelve(), {.meta = {{"units", "kelvin"}}});
    const auto sidecar = read_text(dir / "stale.npy.json");
    save(dir / "stale.npy", xt::xtensor<double, 1>{1, 2});
    write_text(dir / "stale.npy.json", sidecar);

    REQUIRE(run_tool({"convert", "-q", (dir / "a.npy").string(), (dir / "sized.raw").string()}).status == 0);
    auto sized = read_text(dir / "sized.raw.json");
    sized.replace(sized.find("96", sized.find("\"nbytes\"")), 2, "95");
    write_text(dir / "sized.raw.json", sized);

    write_text(dir / "word.csv", "1,2\n3,abc\n");
    write_text(dir / "gap.csv", "1,2\n3,\n");
    write_text(dir / "row.csv", "1,2\n3\n");
    write_text(dir / "open.csv", "1,\"2\n");
    write_text(dir / "quoted.csv", "\"1\"x\n");
    write_text(dir / "names.csv", "name\nabc\n");
    write_text(dir / "repeated.csv", "id,id\n1,2\n");
    write_text(dir / "nameless.csv", "id,\n1,2\n");
    write_text(dir / "nothing.csv", "");
    write_text(dir / "semicolons.csv", "1,5;2\n");
    write_text(dir / "noise", "plain text");
    write_text(dir / "nothing", "");
    fs::create_directory(dir / "folder");
    write_text(dir / "folder/notes.txt", "plain text");
}

}  // namespace

TEST_CASE("every error of the tool is the recorded sentence", "[tool][error]") {
    const temp_dir dir;
    make_files(dir);
    std::ifstream session(fs::path(NDKEEP_TEST_DATA) / "tool_errors.txt");
    const in_directory here(dir.path());

    const auto commands = replayed(session);

    CHECK(commands.size() > 100);
    for (const auto& each : commands) {
        INFO(each.line);
        CHECK(each.printed + "exit status " + std::to_string(each.status) + '\n' == each.expected);
    }
}

#if !defined(NDKEEP_TOOL_HAS_S3)
TEST_CASE("names in buckets need libcurl", "[tool][error]") {
    for (const char* const command : {"info", "ls", "show", "verify"})
        CHECK(run_tool({command, "s3://bucket/a"}).err == "ndkeep: s3://bucket/a: location is in a bucket, expected a "
                                                          "file (this ndkeep was built without libcurl)\n");
}
#endif

TEST_CASE("every command is in the record of errors", "[tool][error]") {
    const auto record = read_text(fs::path(NDKEEP_TEST_DATA) / "tool_errors.txt");

    for (const auto& command : tool::commands()) {
        INFO(command.name);
        CHECK(record.find("\n$ ndkeep " + std::string(command.name) + ' ') != std::string::npos);
    }
}

}  // namespace tool_errors_tests
