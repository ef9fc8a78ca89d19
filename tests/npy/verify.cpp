// SPDX-License-Identifier: BSD-3-Clause
// verify and findings: problems of a file and of its description.
#include "npy/sidecar.hpp"

#include "support/rounding.hpp"

#include <cmath>
#include <random>
#include <sstream>

namespace sidecars::verify_tests {

TEST_CASE("verify finds one flipped bit of the data by any sum", "[npy][sidecar][verify]") {
    for (const auto kind : checksum_kinds)
        for (const std::size_t at : {128U, 175U, 223U}) {
            CAPTURE(checksum_name(kind), at);
            const temp_dir dir;
            const auto file = dir / "t.npy";
            save(file, twelve(), {.sum = kind});

            flip(file, at);

            const auto e = thrown<checksum_error>([&] { verify(file); });
            CHECK(e.file() == file);
            CHECK(e.field() == checksum_name(kind));
            CHECK(fields_of(findings(file)) == std::vector<std::string>{std::string(checksum_name(kind))});
        }
}

TEST_CASE("verify finds a flipped bit even where size and time are as they were", "[npy][sidecar][verify]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta});
    const auto time = fs::last_write_time(file);

    flip(file, 150);
    fs::last_write_time(file, time);

    CHECK_THROWS_AS(verify(file), checksum_error);
}

TEST_CASE("verify finds wrong statistics, each by its name", "[npy][sidecar][verify]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    for (const auto& [key, wrong] : std::vector<std::pair<std::string, json>>{
             {"count", 13}, {"nan", 1}, {"min", -1.0}, {"max", 11.5}, {"mean", 5.500001}, {"std", "NaN"}}) {
        CAPTURE(key);
        save(file, twelve(), {.statistics = true});
        auto said = said_in(file);
        said["statistics"][key] = wrong;
        write_sidecar_text(file, text_of(said));

        CHECK(fields_of(findings(file)) == std::vector<std::string>{"statistics." + key});
        CHECK(thrown<checksum_error>([&] { verify(file); }).file() == file);
    }
}

TEST_CASE("a finding is printed as its sentence", "[npy][verify]") {
    const temp_dir dir;
    save(dir / "t.npy", twelve(), {.sum = checksum::crc32});
    flip(dir / "t.npy", 150);

    const auto all = findings(dir / "t.npy");
    REQUIRE(all.size() == 1);
    std::ostringstream printed;
    printed << all[0];
    CHECK(printed.str() == all[0].message);
}

TEST_CASE("verify finds wrong statistics of a field", "[npy][sidecar][verify]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, std::vector<pair_of>{{1, 0.5}, {-7, 2.5}}, {.statistics = true});
    auto said = said_in(file);
    said["statistics"]["fields"]["count"]["max"] = 2;
    write_sidecar_text(file, text_of(said));

    CHECK(fields_of(findings(file)) == std::vector<std::string>{"statistics.count.max"});
}

TEST_CASE("verify finds a file that is cut short, and one that is not there", "[npy][sidecar][verify]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta});
    fs::resize_file(file, 200);

    CHECK(fields_of(findings(file)) == std::vector<std::string>{"data"});
    CHECK_THROWS_AS(verify(file), format_error);
    CHECK_THROWS_AS(verify(dir / "none.npy"), io_error);
    CHECK(findings(dir / "none.npy").size() == 1);
}

TEST_CASE("findings name every sum that is wrong", "[npy][sidecar][verify]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.sum = checksum::crc32 | checksum::crc32c | checksum::md5, .statistics = true});

    flip(file, 128 + 8 * 11 + 7, 0x40);  // the exponent of the last number

    CHECK(fields_of(findings(file)) ==
          std::vector<std::string>{"crc32", "crc32c", "md5", "statistics.max", "statistics.mean", "statistics.std"});
}

TEST_CASE("verify accepts a sound file under every rounding mode of writer and reader", "[npy][sidecar][verify]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    std::mt19937_64 random(7);
    xt::xtensor<double, 1> tiny = xt::xtensor<double, 1>::from_shape({1000});
    for (auto& each : tiny)
        each = std::ldexp(static_cast<double>(random()), -1000);
    for (const int writing : rounding_modes) {
        {
            const rounding_mode set(writing);
            save(file, tiny, {.meta = {{"fill", 1.7976931348623157e308}}, .statistics = true});
        }
        for (const int reading : rounding_modes) {
            CAPTURE(writing, reading);
            const rounding_mode set(reading);
            CHECK(findings(file).empty());
            CHECK(metadata(file)["fill"].get<double>() == 1.7976931348623157e308);
        }
    }
}

// Damaged arrays ------------------------------------------------------------------------------------------------------

TEST_CASE("an array cut at any byte is an error for all who need the data", "[npy][error]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta});
    const auto whole = read_text(file);
    REQUIRE(whole.size() == 224);
    for (std::size_t length = whole.size(); length-- > 0;) {
        CAPTURE(length);
        fs::resize_file(file, length);

        CHECK_THROWS_AS((void)load<double>(file), format_error);
        CHECK_THROWS_AS((void)load_any(file), format_error);
        CHECK_THROWS_AS((void)map<double>(file), format_error);
        CHECK_THROWS_AS((void)map<double>(file, read_write), format_error);
        CHECK_THROWS_AS(verify(file), format_error);
        CHECK_THROWS_AS(describe(file), format_error);
        CHECK_THROWS_AS((void)recover(file), format_error);
        CHECK((read_text(file) == whole.substr(0, length)));
        if (length < 128)
            CHECK_THROWS_AS((void)inspect(file), format_error);
        else
            CHECK(inspect(file).shape == std::vector<std::size_t>{3, 4});
        if (length != 0)
            CHECK_THROWS_AS(append(file, twelve()), format_error);
    }
    CHECK(dir.files() == 2);
}

TEST_CASE("an array with a flipped byte never passes for another", "[npy][verify]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta});
    const auto whole = read_text(file);
    const auto former = load_any(file);
    std::mt19937 random(2);
    std::size_t passed = 0;
    for (std::size_t round = 0; round < 4000; ++round) {
        const bool one_bit = round < 8 * whole.size();
        const std::size_t at = one_bit ? round / 8 : random() % whole.size();
        const int byte = one_bit ? whole[at] ^ 1 << (round % 8) : static_cast<int>(random());
        put_byte(file, at, static_cast<char>(byte));
        CAPTURE(at, byte);
        REQUIRE(reads_cleanly(file));
        const bool is_right = findings(file).empty();
        const auto now = is_right ? load_any(file) : former;
        put_byte(file, at, whole[at]);

        // A change that passes must leave the array unchanged, for example in a blank of the header.
        REQUIRE(now.type() == former.type());
        REQUIRE(now.shape() == former.shape());
        REQUIRE(std::equal(now.bytes().begin(), now.bytes().end(), former.bytes().begin(), former.bytes().end()));
        passed += is_right;
    }
    CHECK(passed < 400);
}

}  // namespace sidecars::verify_tests
