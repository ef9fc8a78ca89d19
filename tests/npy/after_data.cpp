// SPDX-License-Identifier: BSD-3-Clause
// Files that do not end with their data: what verify says of them, and what load refuses.
#include "npy/rows.hpp"

#include "support/catch.hpp"
#include "support/faults.hpp"

#include <algorithm>

namespace added_rows::after_data_tests {

namespace {

/// The only problem of a file.
finding only_finding(const fs::path& file) {
    const auto all = findings(file);
    REQUIRE(all.size() == 1);
    return all.front();
}

/// The bytes as a copy in text mode on Windows writes them.
std::string in_text_mode(const std::string& bytes) {
    std::string out;
    for (const char each : bytes) {
        if (each == '\n')
            out += '\r';
        out += each;
    }
    return out;
}

}  // namespace

TEST_CASE("verify finds complete rows that the header does not count", "[npy][verify]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, counted_up(3, 4), {.sum = checksum::crc32});
    add_bytes(file, std::string(2 * 32, 'x'));

    const auto e = thrown<format_error>([&] { verify(file); });

    CHECK(e.field() == "data");
    CHECK(e.found() == "followed by 2 complete rows");
    CHECK(std::string(e.what()).find("recover") != std::string::npos);
    CHECK(only_finding(file).message == e.what());
    CHECK(recover(file) == 2);
    verify(file);
}

TEST_CASE("verify counts the bytes of an incomplete row", "[npy][verify]") {
    const temp_dir dir;
    save(dir / "rows.npy", counted_up(3, 4));
    add_bytes(dir / "rows.npy", std::string(32 + 31, 'x'));
    save(dir / "part.npy", counted_up(3, 4));
    add_bytes(dir / "part.npy", std::string(31, 'x'));

    CHECK(only_finding(dir / "rows.npy").found == "followed by 1 complete row and 31 bytes");
    CHECK(only_finding(dir / "part.npy").found == "followed by 31 bytes");
}

TEST_CASE("verify counts columns of a column-major file", "[npy][verify]") {
    const temp_dir dir;
    save(dir / "t.npy", column_matrix(counted_up(3, 4)));
    add_bytes(dir / "t.npy", std::string(24, 'x'));

    CHECK(only_finding(dir / "t.npy").found == "followed by 1 complete row");
}

TEST_CASE("verify finds bytes after a scalar and after rows of no bytes", "[npy][verify]") {
    const temp_dir dir;
    save(dir / "scalar.npy", 1.5);
    save(dir / "empty.npy", matrix::from_shape({3, 0}));
    for (const auto* name : {"scalar.npy", "empty.npy"}) {
        CAPTURE(name);
        add_bytes(dir / name, "12345678");

        CHECK(only_finding(dir / name).found == "followed by 8 bytes");
    }
}

TEST_CASE("verify finds another array in the same file", "[npy][verify]") {
    const temp_dir dir;
    save(dir / "t.npy", counted_up(3, 4));
    add_bytes(dir / "t.npy", read_text(dir / "t.npy"));

    CHECK(only_finding(dir / "t.npy").found == "followed by another array");
    CHECK((load<double, 2>(dir / "t.npy") == counted_up(3, 4)));
}

TEST_CASE("a file copied in text mode is an error for all who need the data", "[npy][verify][error]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    for (const std::size_t length : {0U, 5U, 100U, 8000U}) {
        CAPTURE(length);
        const xt::xtensor<std::uint8_t, 1> some = xt::arange<std::size_t>(length) % 100;
        save(file, some);
        write_text(file, in_text_mode(read_text(file)));

        for (const auto& e :
             {thrown<format_error>([&] { (void)load<std::uint8_t>(file); }),
              thrown<format_error>([&] { (void)load_any(file); }),
              thrown<format_error>([&] { (void)map<std::uint8_t>(file); }),
              thrown<format_error>([&] { append(file, some); }), thrown<format_error>([&] { (void)recover(file); }),
              thrown<format_error>([&] { describe(file); }), thrown<format_error>([&] { verify(file); })}) {
            CHECK(e.field() == "data");
            CHECK(e.expected() == counted(length, "byte"));
            CHECK(std::string(e.what()).find("text mode") != std::string::npos);
        }
    }
}

TEST_CASE("verify takes an array that holds 0D 0A for sound", "[npy][verify]") {
    const temp_dir dir;
    save(dir / "t.npy", xt::xtensor<std::uint8_t, 1>{13, 10, 13, 10, 10});

    CHECK(findings(dir / "t.npy").empty());
}

TEST_CASE("verify waits for no append and reports none that is under way", "[npy][verify]") {
    const temp_dir dir;
    save(dir / "t.npy", counted_up(3, 4));
    add_bytes(dir / "t.npy", std::string(32, 'x'));
    const auto appender = file::open(dir / "t.npy");
    REQUIRE(appender.try_lock());  // as append does before it writes rows

    CHECK(findings(dir / "t.npy").empty());

    appender.unlock();
    CHECK(findings(dir / "t.npy").size() == 1);
}

TEST_CASE("several programs verify one file at the same time", "[npy][verify]") {
    const temp_dir dir;
    save(dir / "t.npy", counted_up(3, 4));
    add_bytes(dir / "t.npy", std::string(32, 'x'));
    const auto other = file::open(dir / "t.npy");
    REQUIRE(other.try_lock_shared());  // as verify does while it looks at the end

    CHECK(findings(dir / "t.npy").size() == 1);
}

TEST_CASE("rows that are added after verify has asked for the size are not reported", "[npy][verify]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, counted_up(3, 4));
    add_bytes(file, std::string(32, 'x'));
    const auto calls = faults::calls_of([&] { (void)findings(file); }, faults::kind::reads);
    const auto again = std::find_if(calls.begin(), calls.end(), [](const faults::call& each) {
        return each.name == "pread" && each.length == 128;  // the header, when the file is locked
    });
    if (calls.empty())
        return;  // this program was built without faulty_calls.hpp, so no call can be intercepted
    REQUIRE(again != calls.end());

    const faults::session armed({.what = faults::effect::meanwhile,
                                 .at = static_cast<std::size_t>(again - calls.begin()),
                                 .counted = faults::kind::reads,
                                 .meanwhile = [&] { add_bytes(file, std::string(32, 'x')); }});

    CHECK(only_finding(file).found == "followed by 1 complete row");
}

}  // namespace added_rows::after_data_tests
