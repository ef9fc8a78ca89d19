// SPDX-License-Identifier: BSD-3-Clause
// Rows read in slices, found by key, and kept in order.
#include "chunks/dataset.hpp"

#include <ndkeep/element/float16.hpp>

#include <chrono>
#include <limits>

namespace chunks_order_tests {

namespace nk = ndkeep;
using namespace dataset;

namespace chunk_order {

struct event {
    double price;
    std::int64_t time;
};
NDKEEP_FIELDS(event, price, time);
inline bool operator==(const event& a, const event& b) { return a.price == b.price && a.time == b.time; }

}  // namespace chunk_order

namespace {

using chunk_order::event;
using whole_numbers = xt::xtensor<std::int64_t, 1>;
constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

xt::xtensor<event, 1> events(std::initializer_list<std::int64_t> times) {
    xt::xtensor<event, 1> rows(std::array<std::size_t, 1>{times.size()});
    std::size_t i = 0;
    for (const auto time : times)
        rows(i++) = {1.5, time};
    return rows;
}

}  // namespace

TEST_CASE("a slice opens only the chunks that it needs", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    const xt::xtensor<double, 1> all = xt::arange<double>(40);
    nk::save_chunked(path, all, {.rows_per_chunk = 10, .commit = unsynced});
    const nk::chunk_reader<double, 1> reader(path);
    const auto missing = path / "chunks" / nk::inspect_chunked(path).chunks[2].file;

    std::filesystem::remove(missing);

    CHECK(same(reader.rows(3, 20), xt::xtensor<double, 1>(xt::view(all, xt::range(3, 20)))));
    CHECK(same(reader.rows({30, 40}), xt::xtensor<double, 1>(xt::view(all, xt::range(30, 40)))));
    CHECK(reader.rows(25, 25).size() == 0);
    CHECK(reader.rows(40, 40).size() == 0);
    CHECK(reader[1](0) == 10);
    const auto e = thrown<nk::format_error>([&] { (void)reader.rows(19, 21); });
    CHECK(e.file() == missing);
    CHECK(e.found() == "missing");
    CHECK_THROWS_AS(reader[2], nk::format_error);
    CHECK_THROWS_AS(reader.map(), nk::format_error);
    CHECK_THROWS_AS((nk::load_chunked<double>(path)), nk::format_error);
}

TEST_CASE("find gives the chunks that may hold numbers, in sorted and unsorted data", "[chunks]") {
    const temp_dir dir;
    nk::save_chunked(dir / "sorted", xt::arange<double>(100), {.rows_per_chunk = 10, .commit = unsynced});
    const nk::chunk_reader<double, 1> sorted(dir / "sorted");
    CHECK((sorted.find(25.0, 44.0) == nk::row_range{20, 50}));
    CHECK((sorted.find(25, 25) == nk::row_range{20, 30}));
    CHECK((sorted.find(9.5, 9.7).first == sorted.find(9.5, 9.7).last));
    CHECK((sorted.find(-5, 0) == nk::row_range{0, 10}));
    CHECK((sorted.find(99, 1000) == nk::row_range{90, 100}));
    CHECK(sorted.find(100, 1000).first == sorted.find(100, 1000).last);
    CHECK((sorted.find(-1e300, 1e300) == nk::row_range{0, 100}));
    CHECK(sorted.rows(sorted.find(25, 44)).size() == 30);

    const xt::xtensor<int, 2> some = {{5, 1}, {2, 9}, {40, 41}, {42, 43}, {7, 3}, {8, 4}, {50, 51}, {52, 53}};
    nk::save_chunked(dir / "unsorted", some, {.rows_per_chunk = 2, .commit = unsynced});
    const nk::chunk_reader<int, 2> unsorted(dir / "unsorted");
    CHECK((unsorted.find(6, 8) == nk::row_range{0, 6}));
    CHECK((unsorted.find(1, 2) == nk::row_range{0, 2}));
    CHECK((unsorted.find(44, 60) == nk::row_range{6, 8}));
    CHECK(unsorted.find(44, 49).first == unsorted.find(44, 49).last);
}

TEST_CASE("find is exact for integers that no double holds", "[chunks]") {
    const temp_dir dir;
    constexpr std::int64_t big = (std::int64_t{1} << 53);
    const whole_numbers keys = {big - 1, big, big + 1, big + 2, big + 3};
    nk::save_chunked(dir / "i", keys, {.rows_per_chunk = 1, .order_by = "", .commit = unsynced});
    const xt::xtensor<std::uint64_t, 1> counts = {0, ~std::uint64_t{0} - 2, ~std::uint64_t{0} - 1, ~std::uint64_t{0}};
    nk::save_chunked(dir / "u", counts, {.rows_per_chunk = 1, .order_by = "", .commit = unsynced});
    const nk::chunk_reader<std::int64_t, 1> whole(dir / "i");
    const nk::chunk_reader<std::uint64_t, 1> count(dir / "u");

    CHECK((whole.find(big + 1, big + 1) == nk::row_range{2, 3}));
    CHECK((whole.find(big, big) == nk::row_range{1, 2}));
    CHECK((count.find(~std::uint64_t{0} - 1, ~std::uint64_t{0}) == nk::row_range{2, 4}));
    CHECK((count.find(-1, 0) == nk::row_range{0, 1}));
    CHECK((whole.find(std::uint64_t{1} << 63, ~std::uint64_t{0}) == nk::row_range{0, 0}));
    // The same with a table of chunks.
    nk::chunk_writer<std::int64_t, 1> writer(dir / "i", {.rows_per_chunk = 1, .commit = unsynced});
    for (std::int64_t i = 0; i < 300; ++i)
        writer.append(whole_numbers{big + 4 + i});
    writer.commit();
    CHECK((nk::chunk_reader<std::int64_t, 1>(dir / "i").find(big + 101, big + 102) == nk::row_range{102, 104}));
}

TEST_CASE("find takes dates, and zeros are the number 0", "[chunks]") {
    const temp_dir dir;
    using seconds = std::chrono::sys_seconds;
    const seconds begin{std::chrono::seconds(1'700'000'000)};
    xt::xtensor<seconds, 1> times(std::array<std::size_t, 1>{20});
    for (std::size_t i = 0; i < 20; ++i)
        times(i) = begin + std::chrono::seconds(i);
    nk::save_chunked(dir / "a", times, {.rows_per_chunk = 5, .commit = unsynced});
    const nk::chunk_reader<seconds, 1> reader(dir / "a");
    CHECK((reader.find(begin + std::chrono::seconds(7), begin + std::chrono::seconds(11)) == nk::row_range{5, 15}));

    nk::save_chunked(dir / "b", xt::xtensor<double, 1>{5, 6}, {.commit = unsynced});
    nk::chunk_writer<double, 1> writer(dir / "b", {.commit = unsynced});
    writer.resize(10);
    writer.commit();
    const nk::chunk_reader<double, 1> zeros(dir / "b");
    CHECK((zeros.find(-1, 1) == nk::row_range{2, 10}));
    CHECK((zeros.find(0, 5) == nk::row_range{0, 10}));
}

TEST_CASE("find takes a date of another unit than the rows have", "[chunks]") {
    const temp_dir dir;
    using milliseconds = std::chrono::sys_time<std::chrono::milliseconds>;
    xt::xtensor<milliseconds, 1> times(std::array<std::size_t, 1>{20});
    for (std::size_t i = 0; i < 20; ++i)
        times(i) = milliseconds(std::chrono::seconds(1'700'000'000 + i));
    nk::save_chunked(dir / "a", times, {.rows_per_chunk = 5, .commit = unsynced});
    const nk::chunk_reader<milliseconds, 1> reader(dir / "a");

    const auto found = reader.find(std::chrono::sys_seconds(std::chrono::seconds(1'700'000'007)),
                                   std::chrono::sys_seconds(std::chrono::seconds(1'700'000'008)));

    CHECK((found.first <= 7 && found.last > 8));
}

TEST_CASE("NaN is in no range, and hides no number", "[chunks]") {
    const temp_dir dir;
    const xt::xtensor<double, 1> some = {no_number, 1,         2, no_number, no_number, no_number,
                                         5,         no_number, 6, no_number, 7,         8};
    nk::save_chunked(dir / "a", some, {.rows_per_chunk = 3, .commit = unsynced});
    const nk::chunk_reader<double, 1> reader(dir / "a");

    CHECK((reader.find(1, 2) == nk::row_range{0, 3}));
    CHECK((reader.find(1, 5) == nk::row_range{0, 9}));
    CHECK((reader.find(6, 7) == nk::row_range{6, 12}));
    check_rows(dir / "a", some);
    const auto chunks = nk::inspect_chunked(dir / "a").chunks;
    CHECK(!chunks[1].min);
    // The ends of the range, and infinities.
    constexpr double inf = std::numeric_limits<double>::infinity();
    nk::save_chunked(dir / "b", xt::xtensor<double, 1>{inf, inf, -inf, -inf, -0.0, 0.0},
                     {.rows_per_chunk = 2, .commit = unsynced});
    const nk::chunk_reader<double, 1> ends(dir / "b");
    CHECK((ends.find(1.0, inf) == nk::row_range{0, 2}));
    CHECK((ends.find(-inf, -1.0) == nk::row_range{2, 4}));
    CHECK((ends.find(0.0, 0.0) == nk::row_range{4, 6}));
    nk::verify_chunked(dir / "b");
}

TEST_CASE("find leaves out no row where no smallest and largest number is kept", "[chunks]") {
    const temp_dir dir;
    const xt::xtensor<nk::float16, 1> halves = {nk::float16(1.0F), nk::float16(2.0F), nk::float16(3.0F)};
    nk::save_chunked(dir / "halves", halves, {.commit = unsynced});
    nk::save_chunked(dir / "structs", events({1, 2, 3}), {.commit = unsynced});
    const std::array<unsigned char, 4> big = {0, 1, 0, 2};
    nk::save_chunked(dir / "big",
                     nk::array_view(nk::dtype::parse(">i2"), {2}, reinterpret_cast<const std::byte*>(big.data())),
                     {.commit = unsynced});

    // Finds all rows or throws, but must not return an empty range.
    CHECK((nk::chunk_reader<nk::float16, 1>(dir / "halves").find(2, 2) == nk::row_range{0, 3}));
    CHECK((nk::chunk_reader<event, 1>(dir / "structs").find(2, 2) == nk::row_range{0, 3}));
    CHECK((nk::chunk_reader<std::int16_t, 1>(dir / "big").find(2, 2) == nk::row_range{0, 2}));
}

TEST_CASE("the smallest number may be 0 and -0, and verify does not mind which", "[chunks]") {
    const temp_dir dir;
    xt::xtensor<double, 1> some = xt::ones<double>({400'000});
    some(1) = 0.0;
    some(300'000) = -0.0;
    nk::save_chunked(dir / "a", some, {.rows_per_chunk = 400'000, .commit = unsynced});

    for (const auto& wrong : nk::findings_chunked(dir / "a"))
        FAIL_CHECK(wrong.message);
}

TEST_CASE("rows are found by the field that orders them", "[chunks]") {
    const temp_dir dir;
    nk::save_chunked(dir / "a", events({1, 3, 3, 9, 12, 20}),
                     {.rows_per_chunk = 2, .order_by = "time", .commit = unsynced});
    const nk::chunk_reader<event, 1> reader(dir / "a");

    CHECK((reader.find(4, 10) == nk::row_range{2, 4}));
    CHECK((reader.find(3, 3) == nk::row_range{0, 4}));
    CHECK((nk::inspect_chunked(dir / "a").order_by == "time"));
    check_rows(dir / "a", events({1, 3, 3, 9, 12, 20}));
}

TEST_CASE("rows out of order are refused with both keys", "[chunks][error]") {
    const temp_dir dir;
    nk::chunk_writer<event, 1> writer(dir / "a", {.rows_per_chunk = 4, .order_by = "time", .commit = unsynced});
    const auto refused = [&](const auto& rows, const char* expected, const char* found) {
        INFO(found << " after " << expected);
        const auto before = writer.rows();
        const auto e = thrown<nk::mismatch_error>([&] { writer.append(rows); });
        CHECK(e.expected() == expected);
        CHECK(e.found() == found);
        CHECK(e.hint() == "the rows are ordered by 'time'");
        CHECK(writer.rows() == before);
    };

    refused(events({5, 4}), "at least 5", "4");
    writer.append(events({5, 6}));
    refused(events({4}), "at least 6", "4");  // compared with rows in memory
    refused(events({7, 8, 9, 3}), "at least 9", "3");
    writer.append(events({7, 9}));
    refused(events({8}), "at least 9", "8");  // compared with the previous chunk
    writer.append(events({9}));
    writer.commit();
    refused(events({8}), "at least 9", "8");  // compared with the previous commit
    writer.append(events({9, 30}));
    writer.discard();
    writer.append(events({10}));  // the discarded 30 does not count
    writer.commit();
    nk::chunk_writer<event, 1> other(dir / "a", {.commit = unsynced});
    CHECK(thrown<nk::mismatch_error>([&] { other.append(events({9})); }).expected() == "at least 10");
    other.append(events({10, 11}));
    other.commit();
    check_rows(dir / "a", events({5, 6, 7, 9, 9, 10, 10, 11}));
    CHECK_THROWS_AS(nk::save_chunked(dir / "a", events({2, 1}), {.commit = unsynced}), nk::mismatch_error);
    check_rows(dir / "a", events({5, 6, 7, 9, 9, 10, 10, 11}));
}

TEST_CASE("an expression that is out of order leaves nothing of itself behind", "[chunks][error]") {
    const temp_dir dir;
    nk::chunk_writer<std::int64_t, 1> writer(dir / "a", {.rows_per_chunk = 3, .order_by = "", .commit = unsynced});
    const whole_numbers rows = {1, 2, 3, 4, 5, 6, 7, 0};

    CHECK_THROWS_AS(writer.append(rows + 0), nk::mismatch_error);

    CHECK(writer.rows() == 0);
    writer.append(whole_numbers{0, 1});
    writer.commit();
    check_rows(dir / "a", whole_numbers{0, 1});
}

TEST_CASE("rows that leave a period and come back are refused, and leave nothing of themselves behind",
          "[chunks][error]") {
    using numbers = xt::xtensor<std::int64_t, 1>;
    const nk::dataset_location place = std::make_shared<nk::memory_place>();
    nk::chunk_writer<std::int64_t, 1> writer(place, {.rows_per_chunk = nk::chunk_period(10), .order_by = ""});
    writer.append(numbers{1, 2, 3});
    // More than the writer checks at once, which are 16 MiB.
    constexpr std::size_t many = (std::size_t{2} << 20) + 2;
    numbers rows = xt::zeros<std::int64_t>({many}) + 15;
    rows(many - 1) = 5;

    const auto e = thrown<nk::mismatch_error>([&] { writer.append(rows); });

    CHECK(e.field() == "key of the given row " + std::to_string(many - 1));
    CHECK(writer.rows() == 3);
    writer.append(numbers{4});
    writer.commit();
    nk::verify_chunked(place);
    CHECK(same(nk::load_chunked<std::int64_t, 1>(place), numbers{1, 2, 3, 4}));
}

TEST_CASE("NaN and NaT are no keys", "[chunks][error]") {
    const temp_dir dir;
    nk::chunk_writer<double, 1> writer(dir / "a", {.order_by = "", .commit = unsynced});
    CHECK(thrown<nk::mismatch_error>([&] { writer.append(xt::xtensor<double, 1>{no_number}); }).found() == "NaN");
    CHECK(thrown<nk::mismatch_error>([&] { writer.append(xt::xtensor<double, 1>{1, no_number, 2}); }).found() == "NaN");
    writer.append(xt::xtensor<double, 1>{-std::numeric_limits<double>::infinity(), 1, 2});
    CHECK(thrown<nk::mismatch_error>([&] { writer.write(1, xt::xtensor<double, 1>{no_number}); }).found() == "NaN");
    writer.commit();

    using time = std::chrono::sys_seconds;
    nk::chunk_writer<time, 1> dates(dir / "b", {.order_by = "", .commit = unsynced});
    const xt::xtensor<time, 1> nat = {time(std::chrono::seconds(std::numeric_limits<std::int64_t>::min()))};
    CHECK(thrown<nk::mismatch_error>([&] { dates.append(nat); }).found() == "NaT");
    dates.append(xt::xtensor<time, 1>{time(std::chrono::seconds(-5)), time(std::chrono::seconds(7))});
    dates.commit();
    nk::verify_chunked(dir / "b");
}

TEST_CASE("write keeps the order too", "[chunks][error]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, whole_numbers{0, 10, 20, 30, 40, 50},
                     {.rows_per_chunk = 2, .order_by = "", .commit = unsynced});
    nk::chunk_writer<std::int64_t, 1> writer(path, {.rows_per_chunk = 2, .commit = unsynced});

    CHECK(thrown<nk::mismatch_error>([&] { writer.write(2, whole_numbers{9}); }).expected() == "at least 10");
    CHECK(thrown<nk::mismatch_error>([&] { writer.write(2, whole_numbers{31}); }).expected() == "at least 31");
    CHECK_THROWS_AS(writer.write(1, whole_numbers{12, 11}), nk::mismatch_error);
    CHECK_THROWS_AS(writer.resize(7), nk::mismatch_error);
    writer.write(1, whole_numbers{0, 30});
    writer.write(4, whole_numbers{30, 31});
    CHECK_THROWS_AS(writer.append(whole_numbers{30}), nk::mismatch_error);
    writer.append(whole_numbers{31});
    writer.resize(5);
    writer.append(whole_numbers{30});
    writer.commit();

    check_rows(path, whole_numbers{0, 0, 30, 30, 30, 30});
}

TEST_CASE("two writers that append rows of an order: the second is in order, or a conflict", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    for (const bool fits : {true, false}) {
        std::filesystem::remove_all(path);
        nk::save_chunked(path, whole_numbers{0, 10, 20, 30}, {.rows_per_chunk = 2, .order_by = "", .commit = unsynced});
        nk::chunk_writer<std::int64_t, 1> one(path, {.rows_per_chunk = 2, .commit = unsynced});
        nk::chunk_writer<std::int64_t, 1> two(path, {.rows_per_chunk = 2, .commit = unsynced});
        one.append(whole_numbers{40});
        two.append(fits ? whole_numbers{40, 50} : whole_numbers{35});
        one.commit();
        if (fits)
            CHECK(two.commit() == 3);
        else
            CHECK_THROWS_AS(two.commit(), nk::conflict_error);
        check_rows(path, fits ? whole_numbers{0, 10, 20, 30, 40, 40, 50} : whole_numbers{0, 10, 20, 30, 40});
    }
}

TEST_CASE("two writers never get rows out of order together", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    using change = std::function<void(nk::chunk_writer<std::int64_t, 1>&)>;
    const change raise_1 = [](auto& w) { w.write(1, whole_numbers{19}); };
    const change lower_2 = [](auto& w) { w.write(2, whole_numbers{11}); };
    const change raise_3 = [](auto& w) { w.write(3, whole_numbers{99}); };
    const change append = [](auto& w) { w.append(whole_numbers{35}); };
    const change cut = [](auto& w) { w.resize(2); };
    for (const auto& [first, second] :
         {std::pair(raise_1, lower_2), std::pair(lower_2, raise_1), std::pair(raise_3, append),
          std::pair(append, raise_3), std::pair(cut, append), std::pair(append, cut), std::pair(cut, raise_1)}) {
        std::filesystem::remove_all(path);
        nk::save_chunked(path, whole_numbers{0, 10, 20, 30}, {.rows_per_chunk = 2, .order_by = "", .commit = unsynced});
        nk::chunk_writer<std::int64_t, 1> one(path, {.rows_per_chunk = 2, .commit = unsynced});
        nk::chunk_writer<std::int64_t, 1> two(path, {.rows_per_chunk = 2, .commit = unsynced});
        first(one);
        second(two);
        one.commit();
        try {
            two.commit();
        } catch (const nk::conflict_error&) {
            // A conflict is a correct result too.
        }
        const auto rows = nk::load_chunked<std::int64_t, 1>(path);
        const std::vector<std::int64_t> keys(rows.begin(), rows.end());
        INFO(Catch::Detail::stringify(keys));
        CHECK(std::is_sorted(keys.begin(), keys.end()));
    }
}

TEST_CASE("order_by must be one number a row, and is the dataset's own", "[chunks][error]") {
    const temp_dir dir;
    const auto save = [&](const auto& array, const char* order_by) {
        nk::save_chunked(dir / "a", array, {.order_by = order_by, .commit = unsynced});
    };
    CHECK_THROWS_AS(save(events({1}), ""), nk::mismatch_error);
    CHECK_THROWS_AS(save(events({1}), "none"), nk::mismatch_error);
    CHECK_THROWS_AS(save(xt::xtensor<double, 2>{{1, 2}}, ""), nk::mismatch_error);
    CHECK_THROWS_AS(save(xt::xtensor<double, 1>{1, 2}, "time"), nk::mismatch_error);
    CHECK_THROWS_AS(save(xt::xtensor<nk::float16, 1>{nk::float16(1.0F)}, ""), nk::mismatch_error);
    CHECK_THROWS_AS((nk::chunk_reader<double>(dir / "a")), nk::io_error);
    save(events({1, 2}), "time");
    CHECK_THROWS_AS((nk::chunk_writer<event, 1>(dir / "a", {.order_by = "price"})), nk::mismatch_error);
    nk::chunk_writer<event, 1> writer(dir / "a", {.commit = unsynced});  // takes order_by from the dataset
    CHECK_THROWS_AS(writer.append(events({1})), nk::mismatch_error);
    nk::save_chunked(dir / "a", events({3, 4}), {.commit = unsynced});
    CHECK((nk::inspect_chunked(dir / "a").order_by == "time"));
}

}  // namespace chunks_order_tests
