// SPDX-License-Identifier: BSD-3-Clause
// describe: writes the description of an existing file.
#include "npy/sidecar.hpp"

#include <array>
#include <ctime>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>  // geteuid

namespace sidecars::describe_tests {

TEST_CASE("describe keeps what it is not given", "[npy][sidecar]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta, .sum = checksum::crc32 | checksum::md5});
    const auto sums = said_in(file)["checksums"];

    describe(file, {.statistics = true});
    CHECK(metadata(file) == old_meta);
    CHECK(said_in(file)["checksums"] == sums);
    const auto values = said_in(file)["statistics"];
    CHECK(values["count"] == 12);

    describe(file, {.meta = new_meta});
    CHECK(metadata(file) == new_meta);
    CHECK(said_in(file)["checksums"] == sums);
    CHECK(said_in(file)["statistics"] == values);

    describe(file, {.sum = checksum::crc32c});
    CHECK(metadata(file) == new_meta);
    CHECK(said_in(file)["checksums"].size() == 1);
    CHECK(said_in(file)["statistics"] == values);
    verify(file);
}

TEST_CASE("describe computes anew what was said of other data", "[npy][sidecar]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta, .sum = checksum::crc32, .statistics = true});
    flip(file, 130);
    make_older(file);
    REQUIRE_THROWS_AS(verify(file), checksum_error);

    describe(file);

    verify(file);
    CHECK(metadata(file) == old_meta);
    CHECK(said_in(file)["checksums"].contains("crc32"));
    CHECK(said_in(file).contains("statistics"));
}

TEST_CASE("description_of gives what is stored, and whether it is of this file", "[npy][sidecar]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve());
    CHECK_FALSE(description_of(file));

    describe(file, {.meta = old_meta, .sum = checksum::crc32, .statistics = true});
    const auto current = description_of(file);
    REQUIRE(current);
    CHECK(current->state == sidecar_state::current);
    CHECK(current->metadata == old_meta);
    CHECK(current->sums.size() == 1);
    CHECK(current->sums.at("crc32") == said_in(file)["checksums"]["crc32"]);
    REQUIRE(current->statistics);
    CHECK(current->statistics->mean == 5.5);
    CHECK(current->created == said_in(file)["created"]);

    make_older(file);
    CHECK(description_of(file)->state == sidecar_state::unconfirmed);

    const auto text = read_text(sidecar_path(file));
    save(file, matrix(xt::zeros<double>({5, 5})));
    write_sidecar_text(file, text);
    const auto stale = description_of(file);
    REQUIRE(stale);
    CHECK(stale->state == sidecar_state::stale);
    CHECK((stale->shape == std::vector<std::size_t>{3, 4}));

    write_sidecar_text(file, R"({"ndkeep": "sidecar/1", )");
    CHECK_THROWS_AS((void)description_of(file), format_error);
    CHECK_THROWS_AS((void)description_of(dir / "none.npy"), io_error);
}

TEST_CASE("describe of no file, or of one cut short, is an error and writes nothing", "[npy][sidecar][error]") {
    const temp_dir dir;
    CHECK_THROWS_AS(describe(dir / "none.npy"), io_error);
    save(dir / "t.npy", twelve());
    fs::resize_file(dir / "t.npy", 200);
    CHECK_THROWS_AS(describe(dir / "t.npy"), format_error);
    CHECK(dir.files() == 1);
}

TEST_CASE("a file changed after the year 2262 is described and recognised", "[npy][sidecar]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta});
    constexpr std::time_t year_2500 = 16'725'225'600;
    const std::array<timespec, 2> late = {timespec{year_2500, 1}, timespec{year_2500, 1}};
    REQUIRE(::utimensat(AT_FDCWD, file.c_str(), late.data(), 0) == 0);  // may be clamped to their latest time

    CHECK(metadata(file) == old_meta);
    verify(file);
    describe(file, {.sum = checksum::md5, .statistics = true});

    CHECK(metadata(file) == old_meta);
    CHECK(detail::read_sidecar(file)->current.stamp == ndkeep::file::open(file).stamp());
    flip(file, 128 + 8);
    REQUIRE(::utimensat(AT_FDCWD, file.c_str(), late.data(), 0) == 0);
    CHECK(metadata(file) == old_meta);  // the stamp matches the sidecar, and no data is read
    CHECK_THROWS_AS(verify(file), checksum_error);
}

TEST_CASE("metadata remembers that a touched file has its data", "[npy][sidecar]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta, .sum = checksum::crc32, .statistics = true});
    ::chmod(sidecar_path(file).c_str(), 0600);
    const auto before = said_in(file);
    make_older(file);
    REQUIRE(description_of(file)->state == sidecar_state::unconfirmed);

    CHECK(metadata(file) == old_meta);

    CHECK(description_of(file)->state == sidecar_state::current);
    CHECK(said_in(file)["checksums"] == before["checksums"]);
    CHECK(said_in(file)["statistics"] == before["statistics"]);
    struct stat status = {};
    REQUIRE(::stat(sidecar_path(file).c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    CHECK(dir.files() == 2);
    // No data is read any more: a changed byte under the same time is not seen.
    const auto time = fs::last_write_time(file);
    flip(file, 130);
    fs::last_write_time(file, time);
    CHECK(metadata(file) == old_meta);
}

TEST_CASE("metadata does not remember a file that changed a moment ago", "[npy][sidecar]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta});
    const auto before = read_text(sidecar_path(file));
    fs::last_write_time(file, fs::file_time_type::clock::now());

    CHECK(metadata(file) == old_meta);

    CHECK(read_text(sidecar_path(file)) == before);
}

TEST_CASE("metadata does not wait for a writer, and leaves the sidecar to it", "[npy][sidecar]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta});
    make_older(file);
    const auto before = read_text(sidecar_path(file));
    for (const auto& written : {file, sidecar_path(file)}) {
        CAPTURE(written);
        const writer_lock lock(written);

        CHECK(metadata(file) == old_meta);

        CHECK(read_text(sidecar_path(file)) == before);
    }
}

TEST_CASE("metadata of other data is an error and changes no sidecar", "[npy][sidecar]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta});
    flip(file, 130);
    make_older(file);
    const auto before = read_text(sidecar_path(file));

    CHECK_THROWS_AS((void)metadata(file), mismatch_error);

    CHECK(read_text(sidecar_path(file)) == before);
}

TEST_CASE("metadata changes no sidecar that is write-protected", "[npy][sidecar]") {
    if (::geteuid() == 0)
        return;  // the superuser may write everything
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta});
    make_older(file);
    const auto before = read_text(sidecar_path(file));
    ::chmod(sidecar_path(file).c_str(), 0400);

    CHECK(metadata(file) == old_meta);

    CHECK(read_text(sidecar_path(file)) == before);
    CHECK(dir.files() == 2);
}

}  // namespace sidecars::describe_tests
