// SPDX-License-Identifier: BSD-3-Clause
// Lists of files and archives as sources: a resumed pass recognises what was processed.
#include "loop/visits.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace loop_visits::list_tests {

namespace {

using paths = std::vector<std::filesystem::path>;

/// A pass over all files that are not processed. Returns the sum of all rows of all passes.
std::int64_t sum_of_pass(const std::filesystem::path& state, const paths& files, const nk::over_options& options = {}) {
    nk::stateful_loop loop(state, quick());
    auto& sum = loop.bind<std::int64_t>("sum");
    for (const auto& chunk : loop.over<std::int64_t, 1>(files, options))
        sum += sum_of(chunk);
    return sum;
}

/// The file that the error of a refused pass names.
std::filesystem::path refused_file(const std::filesystem::path& state, const paths& files,
                                   const nk::over_options& options = {}) {
    return thrown<nk::mismatch_error>([&] { (void)sum_of_pass(state, files, options); }).file();
}

/// Rewrites the rows of a file in place, and retains its time of modification if asked to.
void rewrite(const std::filesystem::path& file, std::size_t row, std::int64_t value, bool same_time) {
    const auto time = std::filesystem::last_write_time(file);
    auto rows = nk::map<std::int64_t, 1>(file, nk::read_write);
    rows(row) = value;
    rows.flush();
    std::filesystem::last_write_time(file, same_time ? time : time + std::chrono::seconds(1));
}

}  // namespace

TEST_CASE("a file of a list that was appended to goes on where it ended", "[loop]") {
    const temp_dir dir;
    nk::save(dir / "log.npy", counting(1, 2));
    nk::stateful_loop loop(dir / "a.state", quick());
    auto& sum = loop.bind<std::int64_t>("sum");
    const auto pass = [&] {
        for (const auto& chunk : loop.over<std::int64_t, 1>({dir / "log.npy"}))
            sum += sum_of(chunk);
        return sum;
    };

    CHECK(pass() == 3);
    nk::append(dir / "log.npy", counting(3, 2));
    CHECK(pass() == 10);
    CHECK(pass() == 10);
}

TEST_CASE("a list of files may be of strings", "[loop]") {
    const temp_dir dir;
    nk::save(dir / "a.npy", counting(1, 2));
    nk::save(dir / "b.npy", counting(3, 2));
    const std::vector<std::string> files{(dir / "a.npy").string(), (dir / "b.npy").string()};
    {
        nk::stateful_loop loop(dir / "a.state", quick());
        auto& sum = loop.bind<std::int64_t>("sum");
        for (const auto& chunk : loop.over<std::int64_t, 1>(files))
            sum += sum_of(chunk);
        CHECK(sum == 10);
    }
    CHECK(sum_of_pass(dir / "a.state", {dir / "a.npy", dir / "b.npy"}) == 10);
}

TEST_CASE("a list is compared as far as it was processed", "[loop][error]") {
    const temp_dir dir;
    std::vector<std::filesystem::path> files;
    for (const char* const name : {"a.npy", "b.npy", "c.npy", "d.npy"})
        nk::save(files.emplace_back(dir / name), counting(1, 2));
    const auto run = [&](const std::vector<std::filesystem::path>& list) {
        nk::stateful_loop loop(dir / "a.state", quick());
        std::int64_t sum = 0;
        add_until(loop, sum, loop.over<std::int64_t, 1>(list), 6);
        return loop.rows_done();
    };
    CHECK(run(files) == 6);
    const auto refused = [&](const std::vector<std::filesystem::path>& list) {
        return thrown<nk::mismatch_error>([&] { (void)run(list); }).field();
    };

    CHECK(refused({files[1], files[0], files[2], files[3]}) == "source of the loop: file");
    CHECK(refused({files[0], files[1], files[3], files[2]}) == "source of the loop: file");
    CHECK(refused({files[0], files[1]}) == "source of the loop: number of items");
    nk::save(files[1], counting(1, 3));
    CHECK(refused(files) == "source of the loop: file");
    nk::save(files[1], counting(1, 2));

    // Moved files are the same source, and files that were not reached yet may change.
    std::filesystem::create_directory(dir / "moved");
    for (auto& file : files) {
        std::filesystem::rename(file, dir / "moved" / file.filename());
        file = dir / "moved" / file.filename();
    }
    nk::save(files[3], counting(1, 9));
    CHECK(run(files) == 6);  // stopped at row 6
    nk::stateful_loop loop(dir / "a.state", quick());
    CHECK(visits(loop, loop.over<std::int64_t, 1>(files)) == lines{"3 6 9 last"});
}

TEST_CASE("a file that changes after it was read is known for what it was read as", "[loop][error]") {
    const temp_dir dir;
    std::vector<std::filesystem::path> files;
    for (int i = 0; i < 3; ++i)
        nk::save(files.emplace_back(dir / (std::to_string(i) + ".npy")), counting(1, 2));
    nk::stateful_loop loop(dir / "a.state", quick(2));
    for ([[maybe_unused]] const auto& chunk : loop.over<std::int64_t, 1>(files)) {
        if (loop.index() == 0)
            nk::save(files[0], counting(1, 3));
        else
            loop.stop();
    }
    CHECK_THROWS_AS((loop.over<std::int64_t, 1>(files).begin()), nk::mismatch_error);
}

TEST_CASE("files of equal name and size in another directory are not taken for processed ones", "[loop][error]") {
    const temp_dir dir;
    for (const int day : {1, 2, 3}) {
        std::filesystem::create_directory(dir / std::to_string(day));
        nk::save(dir / std::to_string(day) / "part.npy", counting(day * 10, 4));
    }
    const auto day = [&](int number) { return dir / std::to_string(number) / "part.npy"; };
    CHECK(sum_of_pass(dir / "a.state", {day(1), day(2)}) == 46 + 86);

    CHECK(refused_file(dir / "a.state", {day(2), day(1), day(3)}) == day(2));
    CHECK(refused_file(dir / "a.state", {day(1), day(3)}) == day(3));
    CHECK(refused_file(dir / "a.state", {day(1), day(3), day(2)}) == day(3));
    CHECK(sum_of_pass(dir / "a.state", {day(1), day(2), day(3)}) == 46 + 86 + 126);

    nk::chunk_writer<std::int64_t, 1> sink(dir / "all", {.commit = unsynced});
    const auto collect = [&](const paths& files) {
        nk::stateful_loop loop(dir / "b.state", quick());
        for (const auto& chunk : loop.over<std::int64_t, 1>(files).into(sink))
            sink.append(chunk);
    };
    collect({day(1)});
    CHECK_THROWS_AS(collect({day(2), day(3)}), nk::mismatch_error);
    collect({day(1), day(2)});
    CHECK(sum_of(nk::load_chunked<std::int64_t, 1>(dir / "all")) == 46 + 86);
}

TEST_CASE("a processed file that was rewritten at the same size is refused by name", "[loop][error]") {
    const std::size_t rows = GENERATE(std::size_t{1'000}, std::size_t{100'000});  // 8 kB; 800 kB, hashed in part
    const bool same_time = GENERATE(false, true);
    CAPTURE(rows, same_time);
    const temp_dir dir;
    const paths files = {dir / "a.npy", dir / "b.npy", dir / "c.npy"};
    for (const auto& file : files)
        nk::save(file, counting(0, rows));
    (void)sum_of_pass(dir / "a.state", {files[0], files[1]});

    SECTION("its first row") {
        rewrite(files[0], 0, -1, same_time);
        CHECK(refused_file(dir / "a.state", files) == files[0]);
    }
    SECTION("its last row") {
        rewrite(files[1], rows - 1, -1, same_time);
        CHECK(refused_file(dir / "a.state", files) == files[1]);
    }
    SECTION("a row between the parts that are hashed") {
        rewrite(files[0], rows / 4, -1, false);
        CHECK(refused_file(dir / "a.state", files) == files[0]);
    }
    SECTION("not at all, but it was copied") {
        rewrite(files[0], 0, 0, same_time);
        if (rows == 1'000 || same_time)
            (void)sum_of_pass(dir / "a.state", files);
        else
            CHECK(refused_file(dir / "a.state", files) == files[0]);
    }
}

TEST_CASE("a list whose processed files were deleted resumes when it is allowed", "[loop][error]") {
    const temp_dir dir;
    paths files;
    for (int i = 0; i < 5; ++i)
        nk::save(files.emplace_back(dir / (std::to_string(i) + ".npy")), counting(std::int64_t{1} << (4 * i), 1));
    const auto state = dir / "a.state";
    const nk::over_options allowed{.allow_deleted = true};
    CHECK(sum_of_pass(state, {files[0], files[1], files[2]}) == 0x111);
    std::filesystem::remove(files[0]);
    std::filesystem::remove(files[2]);

    CHECK(refused_file(state, files) == files[0]);
    CHECK_THROWS_AS(sum_of_pass(state, {files[1], files[3]}), nk::mismatch_error);

    SECTION("from the disk") { CHECK(sum_of_pass(state, files, allowed) == 0x11111); }
    SECTION("from the list too") {
        CHECK(sum_of_pass(state, {files[1], files[3]}, allowed) == 0x1111);
        CHECK(sum_of_pass(state, {files[4]}, allowed) == 0x11111);
        CHECK(sum_of_pass(state, {}, allowed) == 0x11111);
    }
    SECTION("a processed file that has changed is refused all the same") {
        nk::save(files[1], counting(5, 1));
        CHECK(refused_file(state, {files[1], files[3]}, allowed) == files[1]);
    }
    SECTION("a processed file after a new one is refused") {
        CHECK(refused_file(state, {files[3], files[1]}, allowed) == files[1]);
    }
    SECTION("processed files that were moved are recognised, and refused out of order") {
        std::filesystem::create_directory(dir / "moved");
        nk::save(files[0], counting(1, 1));
        nk::save(files[2], counting(0x100, 1));
        for (auto& file : files) {
            std::filesystem::rename(file, dir / "moved" / file.filename());
            file = dir / "moved" / file.filename();
        }
        CHECK(refused_file(state, {files[1], files[0], files[2], files[3]}, allowed) == files[0]);
        CHECK(sum_of_pass(state, {files[0], files[1], files[2], files[3]}, allowed) == 0x1111);
    }
    SECTION("a new file that is absent is an error") {
        CHECK_THROWS_AS(sum_of_pass(state, {files[1], files[2], dir / "absent.npy", files[3]}, allowed), nk::io_error);
    }
    SECTION("a warm-up cannot show what is deleted") {
        CHECK_THROWS_AS(sum_of_pass(state, {files[1], files[3]}, {.warm_up = 1, .allow_deleted = true}),
                        nk::mismatch_error);
    }
    SECTION("the last processed file may have grown") {
        nk::save(files[2], counting(0x100, 1));
        nk::append(files[2], counting(7, 1));
        CHECK(sum_of_pass(state, {files[2], files[3]}, allowed) == 0x1111 + 7);
    }
}

TEST_CASE("a processed file that is hashed in part is not new when it was copied", "[loop][error]") {
    const temp_dir dir;
    std::filesystem::create_directory(dir / "copy");
    nk::save(dir / "a.npy", counting(0, 100'000));
    (void)sum_of_pass(dir / "a.state", {dir / "a.npy"});
    std::filesystem::copy(dir / "a.npy", dir / "copy/a.npy");
    std::filesystem::last_write_time(dir / "copy/a.npy",
                                     std::filesystem::last_write_time(dir / "a.npy") + std::chrono::seconds(1));

    CHECK(refused_file(dir / "a.state", {dir / "copy/a.npy"}, {.allow_deleted = true}) == dir / "copy/a.npy");
}

TEST_CASE("records of a sink do not grow with the number of processed files", "[loop][sink]") {
    const temp_dir dir;
    paths files;
    for (int i = 0; i < 200; ++i)
        nk::save(files.emplace_back(dir / (std::to_string(i) + ".npy")), counting(i, 1));
    nk::chunk_writer<std::int64_t, 1> sink(dir / "all", {.commit = unsynced});
    const auto collect = [&](std::size_t count) {
        nk::stateful_loop loop(dir / "a.state", quick());
        auto& sum = loop.bind<std::int64_t>("sum");
        for (const auto& chunk :
             loop.over<std::int64_t, 1>(paths(files.begin(), files.begin() + static_cast<int>(count))).into(sink)) {
            sink.append(chunk);
            sum += sum_of(chunk);
        }
        return sum;
    };
    CHECK(collect(150) == 149 * 150 / 2);
    CHECK(collect(200) == 199 * 200 / 2);

    std::uintmax_t longest = 0;
    for (const auto& entry : std::filesystem::directory_iterator(dir / "all/commits"))
        longest = std::max(longest, entry.file_size());
    CHECK(longest < 200 * 48);  // bytes of the labels alone
    CHECK(nk::load_chunked<std::int64_t, 1>(dir / "all").size() == 200);
    nk::verify_chunked(dir / "all");
}

TEST_CASE("a member of an archive that has changed is named", "[loop][error]") {
    const temp_dir dir;
    const auto save = [&](std::int64_t second) {
        nk::save_npz(dir / "a.npz", {{"x", counting(1, 2)}, {"y", counting(second, 2)}, {"z", counting(5, 2)}});
    };
    const auto pass = [&](std::uint64_t rows) {
        const nk::npz_reader archive(dir / "a.npz");
        nk::stateful_loop loop(dir / "a.state", quick());
        std::int64_t sum = 0;
        add_until(loop, sum, loop.over<std::int64_t, 1>(archive), rows);
    };
    save(3);
    pass(5);
    save(4);
    CHECK(thrown<nk::mismatch_error>([&] { pass(5); }).field() == "source of the loop: member 'y'");
}

}  // namespace loop_visits::list_tests
