// SPDX-License-Identifier: BSD-3-Clause
#include "support/temp_dir.hpp"

#include <ndkeep/npy/next_name.hpp>

#include <set>
#include <thread>

namespace npy_next_name_tests {

using namespace ndkeep;

namespace {

namespace fs = std::filesystem;

std::string number_of(const fs::path& path) {
    const auto stem = path.stem().string();
    return stem.substr(stem.rfind('_') + 1);
}

}  // namespace

TEST_CASE("next_name reserves an empty file with today's date and the number 001", "[npy][next_name]") {
    const temp_dir dir;

    const auto made = next_name(dir.path(), "measure", ".npy");

    const auto name = made.filename().string();
    CHECK(made.parent_path() == dir.path());
    CHECK(name.size() == std::string("measure_20261120_001.npy").size());
    CHECK(name.starts_with("measure_20"));
    CHECK(name.ends_with("_001.npy"));
    CHECK(fs::file_size(made) == 0);
}

TEST_CASE("next_name counts on from the highest number of any date", "[npy][next_name]") {
    const temp_dir dir;
    write_text(dir / "m_20200101_009.npy", "");
    write_text(dir / "m_20200102_0010.npy", "");
    write_text(dir / "m_20200103_002.npy", "");

    CHECK(number_of(next_name(dir.path(), "m", ".npy")) == "011");
    write_text(dir / "m_20200101_1000.npy", "");
    CHECK(number_of(next_name(dir.path(), "m", ".npy")) == "1001");
    write_text(dir / "m_20200101_999.npy", "");
    CHECK(number_of(next_name(dir.path(), "m", ".npy")) == "1002");
}

TEST_CASE("next_name passes over what is not of its series", "[npy][next_name]") {
    const temp_dir dir;
    for (const auto name : {"m_20200101_050.npz", "mm_20200101_050.npy", "m_2020010_050.npy", "m_20200101_05x.npy",
                            "m_20200101_.npy", "m_20200101_-50.npy", "m_20200101_+50.npy", ".m_20200101_050.npy",
                            "m_20200101_99999999999999999999.npy", "m_2020a101_050.npy", "m_20200101_0x50.npy"})
        write_text(dir / name, "");

    CHECK(number_of(next_name(dir.path(), "m", ".npy")) == "001");
}

TEST_CASE("next_name takes an empty prefix and an empty suffix", "[npy][next_name]") {
    const temp_dir dir;

    CHECK(next_name(dir.path(), "", "").filename().string().front() == '_');
    CHECK(next_name(dir.path(), "", "").filename().string().ends_with("_002"));
}

TEST_CASE("next_name never takes a file that is there", "[npy][next_name]") {
    const temp_dir dir;
    const auto first = next_name(dir.path(), "m", ".npy");
    write_text(first, "kept");
    // A name that exists but is not part of the series in the directory listing.
    auto second = first;
    second.replace_filename(first.filename().string().replace(first.filename().string().find("_001"), 4, "_002"));
    fs::create_symlink("nowhere", second);

    const auto third = next_name(dir.path(), "m", ".npy");

    CHECK(number_of(third) == "003");
    CHECK(read_text(first) == "kept");
}

TEST_CASE("next_name refuses separators and a directory that is not there", "[npy][next_name][error]") {
    const temp_dir dir;
    fs::create_directory(dir / "inner");

    CHECK_THROWS_AS((void)next_name(dir.path(), "inner/m", ".npy"), mismatch_error);
    CHECK_THROWS_AS((void)next_name(dir.path(), "../m", ".npy"), mismatch_error);
    CHECK_THROWS_AS((void)next_name(dir.path(), "m", "/x.npy"), mismatch_error);
    CHECK(thrown<io_error>([&] { (void)next_name(dir / "none", "m", ".npy"); }).file() == dir / "none");
    CHECK(dir.files() == 1);
}

TEST_CASE("threads that ask at once get names of their own", "[npy][next_name][threads]") {
    const temp_dir dir;
    std::vector<std::vector<fs::path>> got(8);
    std::vector<std::thread> askers;
    for (auto& mine : got)
        askers.emplace_back([&] {
            for (int i = 0; i < 25; ++i)
                mine.push_back(next_name(dir.path(), "m", ".npy"));
        });
    for (auto& asker : askers)
        asker.join();

    std::set<fs::path> all;
    for (const auto& mine : got)
        all.insert(mine.begin(), mine.end());
    CHECK(all.size() == 200);
    CHECK(dir.files() == 200);
    CHECK(fs::exists(*all.begin()));
}

}  // namespace npy_next_name_tests
