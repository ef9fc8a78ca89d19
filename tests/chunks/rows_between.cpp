// SPDX-License-Identifier: BSD-3-Clause
// Rows found by their keys: exactly, and by reading only a few keys.
#include "chunks/keyed_rows.hpp"
#include "store/record.hpp"
#include "support/forwarding_place.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <regex>
#include <set>

namespace chunks_rows_between_tests {

namespace nk = ndkeep;
using namespace keyed_rows;

namespace {

constexpr auto least = std::numeric_limits<std::int64_t>::min(), greatest = std::numeric_limits<std::int64_t>::max();

struct dated {
    std::chrono::sys_time<std::chrono::milliseconds> t;
    std::int8_t value;
};
NDKEEP_FIELDS(dated, t, value);

/// A place without files that remembers which chunks were read, and how many bytes.
struct counting_place final : forwarding_place {
    using forwarding_place::forwarding_place;
    std::optional<nk::file> open(const std::string&) override { return std::nullopt; }
    bool get_range(const std::string& name, std::uint64_t offset, std::span<std::byte> out) override {
        names.insert(name);
        bytes += out.size();
        return forwarding_place::get_range(name, offset, out);
    }

    std::set<std::string> names;
    std::uint64_t bytes = 0;
};

/// A dataset of numbers that are their own keys.
template <class T>
[[nodiscard]] nk::chunk_reader<T, 1> numbers(const temp_dir& dir, const xt::xtensor<T, 1>& keys) {
    const auto path = dir / nk::dtype_of<T>().descr();
    nk::save_chunked(path, keys, {.rows_per_chunk = 2, .order_by = "", .commit = dataset::unsynced});
    return nk::chunk_reader<T, 1>(path);
}

}  // namespace

TEST_CASE("rows between two keys are those from the first on, and below the second", "[chunks]") {
    const temp_dir dir;
    append_chunks(dir / "a", {{1, 2}, {2, 2}, {5}, {7, 9}});
    const reader a(dir / "a");

    CHECK(keys_of(a.rows_between(2, 7)) == keys{2, 2, 2, 5});
    CHECK((a.find_between(2, 3) == nk::row_range{1, 4}));
    CHECK((a.find_between(3, 5).first == a.find_between(3, 5).last));
    CHECK((a.find_between(least, greatest) == nk::row_range{0, 7}));
    CHECK((a.find_between(9, 5).first == a.find_between(9, 5).last));
    CHECK(a.rows_between(10, 20).size() == 0);
    CHECK((a.version().rows_between(std::int64_t{5}, 7.5) == std::pair<std::uint64_t, std::uint64_t>{4, 6}));
}

TEST_CASE("rows between random keys are those that a search of all rows finds", "[chunks]") {
    std::mt19937 random(11);
    for (int round = 0; round < 20; ++round) {
        const temp_dir dir;
        keys all(random() % 40);
        for (auto& key : all)
            key = static_cast<std::int64_t>(random() % 20) - 10;
        std::sort(all.begin(), all.end());
        nk::save_chunked(dir / "a", rows_with(all),
                         {.rows_per_chunk = 1 + random() % 9, .order_by = "t", .commit = dataset::unsynced});
        const reader a(dir / "a");
        for (std::int64_t low = -12; low < 12; ++low)
            for (std::int64_t high = low; high < 12; high += 3) {
                const auto first = std::lower_bound(all.begin(), all.end(), low);
                const auto last = std::lower_bound(all.begin(), all.end(), high);
                CHECK(keys_of(a.rows_between(low, high)) == keys(first, last));
            }
    }
}

TEST_CASE("a search by keys reads a few keys of the chunks in which the range ends", "[chunks]") {
    const temp_dir dir;
    constexpr std::size_t rows = 100'000;
    xt::xtensor<double, 1> all = xt::arange<double>(rows);
    nk::save_chunked(dir / "a", all, {.rows_per_chunk = rows / 4, .order_by = "", .commit = dataset::unsynced});
    const auto where = std::make_shared<counting_place>(dir / "a");
    const nk::chunk_reader<double, 1> a(where);
    const auto chunks = nk::inspect_chunked(dir / "a").chunks;
    where->names.clear();
    where->bytes = 0;

    CHECK((a.find_between(30'000.5, 80'000) == nk::row_range{30'001, 80'000}));
    CHECK(where->names == std::set<std::string>{"chunks/" + chunks[1].file, "chunks/" + chunks[3].file});
    CHECK(where->bytes < 10'000);
    where->names.clear();
    // Between two chunks, and in none.
    CHECK((a.find_between(25'000, 74'999.5) == nk::row_range{25'000, 75'000}));
    CHECK((a.find_between(-5, 100'000) == nk::row_range{0, 100'000}));
    CHECK(where->names.empty());
}

TEST_CASE("keys are read where another writer has left out the minimum and maximum", "[chunks]") {
    const temp_dir dir;
    append_chunks(dir / "a", {{1, 2}, {2, 2, 3}, {5}, {7, 9}});
    for (const auto& name : dataset::records(dir / "a")) {
        const auto record = dir / "a/commits" / name;
        const auto text = std::regex_replace(read_text(record), std::regex(R"(, "min": -?\d+, "max": -?\d+)"), "");
        REQUIRE(text.find("min") == std::string::npos);
        write_text(record, store_rows::sealed(text));
    }
    const reader a(dir / "a");

    CHECK((a.find_between(2, 7) == nk::row_range{1, 6}));
    CHECK((a.find_between(3, 5) == nk::row_range{4, 5}));
    CHECK((a.find_between(-5, 1) == nk::row_range{0, 0}));
    CHECK((a.find_between(9, 10) == nk::row_range{7, 8}));
}

TEST_CASE("bounds are rounded to the numbers that keys can be", "[chunks]") {
    const temp_dir dir;
    const auto whole = numbers<std::int64_t>(dir, {least, -1, 0, greatest - 1, greatest});

    CHECK((whole.find_between(-0.5, 0.5) == nk::row_range{2, 3}));
    CHECK((whole.find_between(-1e300, 1e300) == nk::row_range{0, 5}));
    CHECK((whole.find_between(greatest, ~std::uint64_t{0}) == nk::row_range{4, 5}));
    CHECK((whole.find_between(0x1p63, 1e300) == nk::row_range{5, 5}));
    CHECK((whole.find_between(-0x1p63, greatest) == nk::row_range{0, 4}));

    const auto count = numbers<std::uint64_t>(dir, {0, 1, ~std::uint64_t{0} - 1, ~std::uint64_t{0}});
    CHECK((count.find_between(-5, 0.5) == nk::row_range{0, 1}));
    CHECK((count.find_between(~std::uint64_t{0}, 0x1p64) == nk::row_range{3, 4}));

    constexpr auto inf = std::numeric_limits<double>::infinity();
    const auto real = numbers<double>(dir, {-inf, 0x1p53, 0x1p53 + 2, inf});
    CHECK((real.find_between((std::int64_t{1} << 53) + 1, inf) == nk::row_range{2, 3}));
    CHECK((real.find_between(-inf, std::uint64_t{1} << 53) == nk::row_range{0, 1}));
}

TEST_CASE("rows between dates are found in the unit of the field", "[chunks]") {
    using namespace std::chrono_literals;
    const temp_dir dir;
    using time = std::chrono::sys_time<std::chrono::milliseconds>;
    const xt::xtensor<dated, 1> rows = {{time(999ms), 1}, {time(1000ms), 2}, {time(1999ms), 3}, {time(2000ms), 4}};
    nk::save_chunked(dir / "a", rows, {.rows_per_chunk = 1, .order_by = "t", .commit = dataset::unsynced});
    const nk::chunk_reader<dated, 1> a(dir / "a");

    CHECK((a.find_between(std::chrono::sys_seconds(1s), std::chrono::sys_seconds(2s)) == nk::row_range{1, 3}));
    CHECK((a.find_between(1000, 2000) == nk::row_range{1, 3}));
    CHECK((a.find(std::chrono::sys_seconds(1s), std::chrono::sys_seconds(2s)) == nk::row_range{1, 4}));
    const auto e = thrown<nk::mismatch_error>([&] { (void)a.find_between(1s, 2s); });
    CHECK(e.field() == "bound of the keys");
}

TEST_CASE("rows without an order are not searched by keys", "[chunks][error]") {
    const temp_dir dir;
    nk::save_chunked(dir / "a", rows_with({1, 2}), {.commit = dataset::unsynced});
    append_chunks(dir / "b", {{1, 2}});

    const auto order = thrown<nk::mismatch_error>([&] { (void)reader(dir / "a").rows_between(1, 2); });
    CHECK(order.file() == dir / "a");
    CHECK(order.field() == "order_by");
    const auto nan = thrown<nk::mismatch_error>([&] { (void)reader(dir / "b").rows_between(std::nan(""), 2); });
    CHECK(nan.found() == "NaN");
}

}  // namespace chunks_rows_between_tests
