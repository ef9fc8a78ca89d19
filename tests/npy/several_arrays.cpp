// SPDX-License-Identifier: BSD-3-Clause
// Files that hold several arrays, and arrays in memory instead of files.
#include "npy/rows.hpp"

#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace added_rows::several_arrays_tests {

namespace {

const xt::xtensor<std::int16_t, 1> second = {7, 8, 9};

/// The file that three calls of np.save with one open file write.
std::string three_arrays() {
    const temp_dir dir;
    save(dir / "a.npy", counted_up(3, 4));
    save(dir / "b.npy", second);
    save(dir / "c.npy", column_matrix(counted_up(2, 3)));
    return read_text(dir / "a.npy") + read_text(dir / "b.npy") + read_text(dir / "c.npy");
}

std::span<const std::byte> memory(const std::string& bytes) { return std::as_bytes(std::span(bytes)); }

}  // namespace

TEST_CASE("every array of a file is loaded by its number", "[npy]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    write_text(file, three_arrays());

    CHECK((load<double, 2>(file) == counted_up(3, 4)));
    CHECK((load<double, 2>(file, {.array = 0}) == counted_up(3, 4)));
    CHECK((load<std::int16_t, 1>(file, {.array = 1}) == second));
    CHECK((load<double, 2>(file, {.array = 2}) == counted_up(2, 3)));
    CHECK((load<double, 2>(file, column_major, {.array = 2}) == counted_up(2, 3)));
    CHECK(load_any(file, {.array = 1}).type() == dtype::parse("<i2"));
}

TEST_CASE("every array of a file is mapped by its number", "[npy]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    write_text(file, three_arrays());
    describe(file, {.meta = {{"of", "the first array"}}});

    auto numbers = map<std::int16_t, 1>(file, read_write, {.array = 1});
    CHECK((numbers == second));
    numbers(1) = -8;
    numbers.flush();
    CHECK((load<std::int16_t, 1>(file, {.array = 1}) == xt::xtensor<std::int16_t, 1>{7, -8, 9}));
    CHECK((load<double, 2>(file) == counted_up(3, 4)));
    CHECK(metadata(file)["of"] == "the first array");
    // Its data is not aligned.
    CHECK((map<double, 2>(file, column_major, {.array = 2}) == counted_up(2, 3)));
    CHECK_THROWS_AS((map<double, 2>(file, read_write, column_major, {.array = 2})), mismatch_error);
    CHECK_THROWS_AS((map<double, 2>(file, {.array = 3})), mismatch_error);
}

TEST_CASE("every array of a large file is loaded by its number", "[npy]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, counted_up(1000, 4));
    add_bytes(file, three_arrays());

    CHECK(inspect_all(file).size() == 4);
    CHECK((load<std::int16_t, 1>(file, {.array = 2}) == second));
}

TEST_CASE("inspect_all lists the arrays of a file with their places", "[npy]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    const auto bytes = three_arrays();
    write_text(file, bytes);

    const auto all = inspect_all(file);

    REQUIRE(all.size() == 3);
    CHECK(all[0] == inspect(file));
    CHECK(all[1].type == dtype::parse("<i2"));
    CHECK(all[1].shape == std::vector<std::size_t>{3});
    CHECK(all[1].data_offset == 224 + 128);
    CHECK(all[2].column_major);
    CHECK(all == inspect_all(memory(bytes)));
}

TEST_CASE("bytes after the last array are no array", "[npy]") {
    const temp_dir dir;
    save(dir / "t.npy", counted_up(3, 4));
    add_bytes(dir / "t.npy", std::string(32, 'x'));

    CHECK(inspect_all(dir / "t.npy").size() == 1);
    CHECK_THROWS_AS((void)load_any(dir / "t.npy", {.array = 1}), mismatch_error);
}

TEST_CASE("errors in a later array of a file say its number", "[npy][error]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    const auto whole = three_arrays();
    auto damaged = whole;
    damaged.replace(damaged.find("'descr'", 224 + 134), 7, "'dwarf'");
    write_text(file, damaged);

    const auto field = [](auto&& call) { return thrown<format_error>(call).field(); };
    CHECK(field([&] { (void)load_any(file, {.array = 2}); }) == "array 2: key");
    CHECK(field([&] { (void)load_any(memory(damaged), {.array = 2}); }) == "array 2: key");
    CHECK(field([&] { (void)inspect_all(file); }) == "array 2: key");
    CHECK(field([&] { (void)load_any(memory(whole.substr(0, 224 + 130)), {.array = 1}); }) == "array 1: data");
    CHECK(field([&] { (void)load_any(memory(whole.substr(0, 200))); }) == "data");
}

TEST_CASE("a number beyond the last array is an error that says how many there are", "[npy][error]") {
    const temp_dir dir;
    write_text(dir / "t.npy", three_arrays());

    const auto e = thrown<mismatch_error>([&] { (void)load_any(dir / "t.npy", {.array = 3}); });

    CHECK(e.field() == "array");
    CHECK(e.found() == "3");
    CHECK(std::string(e.what()).find("holds 3 arrays") != std::string::npos);
}

TEST_CASE("arrays cut at any byte are errors for those who need them", "[npy][error]") {
    const auto bytes = three_arrays();
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        CAPTURE(length);
        const auto some = memory(bytes).first(length);
        const temp_dir dir;
        write_text(dir / "t.npy", bytes.substr(0, length));

        CHECK_THROWS_AS((void)load_any(some, {.array = 2}), error);
        CHECK_THROWS_AS((void)load_any(dir / "t.npy", {.array = 2}), error);
        if (length < 224)
            CHECK_THROWS_AS((void)load<double>(some), format_error);
        else
            CHECK((load<double, 2>(some) == counted_up(3, 4)));
    }
}

TEST_CASE("save_bytes gives the bytes that save writes, and load reads them", "[npy]") {
    const temp_dir dir;
    save(dir / "a.npy", counted_up(3, 4));
    save(dir / "b.npy", column_matrix(counted_up(300, 400)));
    save(dir / "c.npy", counted_up(3, 4) * 2);

    const auto a = save_bytes(counted_up(3, 4));
    const auto b = save_bytes(column_matrix(counted_up(300, 400)));
    const auto c = save_bytes(counted_up(3, 4) * 2);

    CHECK((std::string(core::as_text(a)) == read_text(dir / "a.npy")));
    CHECK((std::string(core::as_text(b)) == read_text(dir / "b.npy")));
    CHECK((std::string(core::as_text(c)) == read_text(dir / "c.npy")));
    CHECK((load<double, 2>(a) == counted_up(3, 4)));
    CHECK((load<double, 2>(b, column_major) == counted_up(300, 400)));
    CHECK(load_any(b).shape() == std::vector<std::size_t>{300, 400});
    CHECK(inspect(b) == inspect(dir / "b.npy"));
}

TEST_CASE("bytes in memory need not be aligned", "[npy]") {
    const auto bytes = "x" + three_arrays();

    CHECK((load<double, 2>(memory(bytes).subspan(1)) == counted_up(3, 4)));
    CHECK((load<std::int16_t, 1>(memory(bytes).subspan(1), {.array = 1}) == second));
}

TEST_CASE("errors of bytes in memory name no file", "[npy][error]") {
    const auto whole = save_bytes(counted_up(3, 4));

    const auto e = thrown<format_error>([&] { (void)load<double>(std::span(whole).first(200)); });

    CHECK(std::string(e.what()) == "data is 72 bytes, expected 96 bytes (the file is cut short)");
    CHECK_THROWS_AS((void)load<float>(whole), mismatch_error);
    CHECK_THROWS_AS((void)inspect(std::span<const std::byte>()), format_error);
}

}  // namespace added_rows::several_arrays_tests
