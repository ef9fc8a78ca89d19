// SPDX-License-Identifier: BSD-3-Clause
// Rows merged to where their keys belong, and rows erased by key.
#include "chunks/marked_rows.hpp"

#include <array>
#include <chrono>
#include <complex>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

namespace chunks_merge_tests {

namespace nk = ndkeep;
using namespace dataset;
using namespace marked_rows;
using namespace std::chrono_literals;

namespace chunk_merge {

struct numbers {
    float key;
    double x;
    std::int16_t id;
};
NDKEEP_FIELDS(numbers, key, x, id);

struct wide {
    std::int64_t t;
    nk::float16 half;
    nk::bfloat16 brain;
    long double longest;
    std::complex<float> z;
    std::complex<double> w;
    std::int32_t id;
};
NDKEEP_FIELDS(wide, t, half, brain, longest, z, w, id);

struct dated {
    std::chrono::sys_time<std::chrono::seconds> t;
    std::int64_t v;
};
NDKEEP_FIELDS(dated, t, v);

}  // namespace chunk_merge

namespace {

using chunk_merge::dated;
using chunk_merge::numbers;
using chunk_merge::wide;

std::vector<std::size_t> sizes(const nk::dataset_location& where) {
    std::vector<std::size_t> out;
    for (const auto& chunk : nk::inspect_chunked(where).chunks)
        out.push_back(static_cast<std::size_t>(chunk.rows));
    return out;
}

/// Rows 1:0 to 6:0 in chunks of two, in the memory of this process.
std::shared_ptr<nk::memory_place> base() {
    auto place = std::make_shared<nk::memory_place>();
    nk::save_chunked(place, rows_of<mark>({{1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 0}, {6, 0}}),
                     {.rows_per_chunk = 2, .order_by = "t"});
    return place;
}

/// Merges rows in chunks of `target` rows and commits.
void merge(const nk::dataset_location& where, const std::vector<mark>& rows, const nk::merge_options& options = {},
           nk::chunk_size target = 2) {
    nk::chunk_writer<mark, 1> sink(where, {.rows_per_chunk = target});
    sink.merge(rows_of(rows), options);
    sink.commit();
    for (const auto& wrong : nk::findings_chunked(where))
        FAIL_CHECK(wrong.message);
}

/// The files of the chunks.
std::vector<std::string> files(const nk::dataset_location& where) {
    std::vector<std::string> out;
    for (const auto& chunk : nk::inspect_chunked(where).chunks)
        out.push_back(chunk.file);
    return out;
}

}  // namespace

TEST_CASE("rows after the last key are appended, and rows that are not in order are refused", "[chunks][merge]") {
    const auto place = base();
    merge(place, {{7, 0}, {8, 0}});
    CHECK(sizes(place) == std::vector<std::size_t>{2, 2, 2, 2});

    nk::chunk_writer<mark, 1> sink(place);
    const auto unsorted = thrown<nk::mismatch_error>([&] { sink.merge(rows_of<mark>({{2, 0}, {1, 0}})); });
    CHECK(unsorted.field() == "key of the given row 1");
    CHECK(unsorted.expected() == "at least 2");
    CHECK(unsorted.found() == "1");
    sink.commit();
    CHECK(all_rows(place).size() == 8);
}

TEST_CASE("a merge refuses keys that are no numbers, and rows of another form", "[chunks][merge][error]") {
    const nk::dataset_location place = std::make_shared<nk::memory_place>();
    nk::save_chunked(place, xt::xtensor<double, 1>{1, 2, 3}, {.order_by = ""});
    nk::chunk_writer<double, 1> sink(place);
    const auto none = thrown<nk::mismatch_error>([&] {
        sink.merge(xt::xtensor<double, 1>{1, std::numeric_limits<double>::quiet_NaN()});
    });
    CHECK(none.found() == "NaN");
    CHECK_THROWS_AS(sink.erase(std::numeric_limits<double>::quiet_NaN(), 2), nk::mismatch_error);
    CHECK_THROWS_AS(sink.merge(xt::xtensor<double, 1>{1}, {.unique_by = {"t"}}), nk::mismatch_error);
    CHECK_THROWS_AS(sink.erase(std::chrono::seconds(1), 2), nk::mismatch_error);

    const auto marks = base();
    nk::chunk_writer<mark, 1> writer(marks);
    CHECK_THROWS_AS(writer.merge(xt::xtensor<double, 1>{1}), nk::mismatch_error);
    CHECK_THROWS_AS(writer.merge(rows_of<mark>({{1, 1}}), {.unique_by = {"x"}}), nk::mismatch_error);

    const nk::dataset_location plain = std::make_shared<nk::memory_place>();
    nk::save_chunked(plain, xt::xtensor<double, 1>{1, 2, 3});
    nk::chunk_writer<double, 1> unordered(plain);
    CHECK(thrown<nk::mismatch_error>([&] { unordered.merge(xt::xtensor<double, 1>{1}); }).field() == "order_by");
    CHECK_THROWS_AS(unordered.erase(0, 1), nk::mismatch_error);
}

TEST_CASE("a key that equals the last one of a chunk goes behind it and leaves the chunk alone", "[chunks][merge]") {
    const auto place = base();
    const auto before = files(place);
    merge(place, {{6, 1}, {7, 1}});
    CHECK(all_rows(place) == std::vector<mark>{{1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 0}, {6, 0}, {6, 1}, {7, 1}});
    const auto after = files(place);
    CHECK(std::equal(before.begin(), before.end(), after.begin()));

    const auto unique = base();
    merge(unique, {{6, 1}, {7, 1}}, {.unique_by = {"t"}});
    CHECK(all_rows(unique) == std::vector<mark>{{1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 0}, {6, 1}, {7, 1}});
    CHECK(sizes(unique) == std::vector<std::size_t>{2, 2, 2, 1});
}

TEST_CASE("of rows with equal keys, present ones come first, and the last of equal ones stays", "[chunks][merge]") {
    const auto all = base();
    merge(all, {{3, 9}, {4, 9}});
    CHECK(all_rows(all) == std::vector<mark>{{1, 0}, {2, 0}, {3, 0}, {3, 9}, {4, 0}, {4, 9}, {5, 0}, {6, 0}});

    const auto unique = base();
    const auto before = files(unique);
    merge(unique, {{3, 9}, {4, 9}}, {.unique_by = {"t"}});
    CHECK(all_rows(unique) == std::vector<mark>{{1, 0}, {2, 0}, {3, 9}, {4, 9}, {5, 0}, {6, 0}});
    CHECK(sizes(unique) == std::vector<std::size_t>{2, 2, 2});
    const auto after = files(unique);
    CHECK(after[0] == before[0]);
    CHECK(after[1] != before[1]);
    CHECK(after[2] == before[2]);

    const auto both = base();
    merge(both, {{3, 9}, {3, 0}}, {.unique_by = {"v", "t"}});
    CHECK(all_rows(both) == std::vector<mark>{{1, 0}, {2, 0}, {3, 9}, {3, 0}, {4, 0}, {5, 0}, {6, 0}});
    CHECK(sizes(both) == std::vector<std::size_t>{2, 2, 1, 2});

    const auto every = base();
    merge(every, {{3, 9}, {3, 9}, {4, 0}}, {.unique_by = {}});
    CHECK(all_rows(every) == std::vector<mark>{{1, 0}, {2, 0}, {3, 0}, {3, 9}, {4, 0}, {5, 0}, {6, 0}});
}

TEST_CASE("rows before and between chunks become chunks of their own", "[chunks][merge]") {
    const auto front = base();
    const auto before = files(front);
    merge(front, {{-1, 0}, {0, 0}});
    CHECK(all_rows(front).front() == mark{-1, 0});
    CHECK(sizes(front) == std::vector<std::size_t>{2, 2, 2, 2});
    CHECK(files(front)[1] == before[0]);

    const auto place = std::make_shared<nk::memory_place>();
    nk::save_chunked(place, rows_of<mark>({{1, 0}, {2, 0}, {10, 0}, {11, 0}}), {.rows_per_chunk = 2, .order_by = "t"});
    merge(place, {{5, 0}, {6, 0}});
    CHECK(all_rows(place) == std::vector<mark>{{1, 0}, {2, 0}, {5, 0}, {6, 0}, {10, 0}, {11, 0}});
    CHECK(sizes(place) == std::vector<std::size_t>{2, 2, 2});
}

TEST_CASE("a merge drops repetitions among its own rows, and leaves old ones elsewhere", "[chunks][merge]") {
    const auto place = std::make_shared<nk::memory_place>();
    nk::save_chunked(place, rows_of<mark>({{1, 1}, {1, 2}}), {.rows_per_chunk = 2, .order_by = "t"});
    const auto given = rows_of<mark>({{8, 1}, {8, 2}, {9, 3}});
    const auto copy = given;
    nk::chunk_writer<mark, 1> sink(place, {.rows_per_chunk = 2});
    sink.merge(given, {.unique_by = {"t"}});
    sink.commit();
    CHECK(all_rows(place) == std::vector<mark>{{1, 1}, {1, 2}, {8, 2}, {9, 3}});
    CHECK(given == copy);
}

TEST_CASE("small chunks next to merged rows are joined when there are many of them", "[chunks][merge]") {
    const auto made = [](std::initializer_list<std::size_t> lengths) {
        auto place = std::make_shared<nk::memory_place>();
        std::int64_t t = 0;
        for (const auto length : lengths) {
            nk::chunk_writer<mark, 1> sink(place, {.rows_per_chunk = 4, .order_by = "t"});
            for (std::size_t i = 0; i < length; ++i)
                sink.append(rows_of<mark>({{t++, 0}}));
            sink.commit();
        }
        return place;
    };
    const auto place = made({4, 1, 4, 1});
    REQUIRE(sizes(place) == std::vector<std::size_t>{4, 1, 4, 1});
    merge(place, {{20, 0}}, {.coalesce_above = 2}, 4);
    CHECK(sizes(place) == std::vector<std::size_t>{4, 1, 4, 1, 1});
    merge(place, {{21, 0}}, {.coalesce_above = 2}, 4);
    CHECK(sizes(place) == std::vector<std::size_t>{4, 1, 4, 3});

    const auto full = made({4, 1, 4, 1, 1, 1});
    REQUIRE(sizes(full) == std::vector<std::size_t>{4, 1, 4, 1, 1, 1});
    merge(full, {{20, 0}}, {.coalesce_above = 5}, 4);
    CHECK(sizes(full) == std::vector<std::size_t>{4, 1, 4, 4});
}

TEST_CASE("chunks of a period end where the period ends", "[chunks][merge]") {
    const auto at = [](std::initializer_list<int> minutes) {
        std::vector<dated> rows;
        for (const int minute : minutes)
            rows.push_back({std::chrono::sys_time<std::chrono::seconds>(std::chrono::minutes(minute)), minute});
        return rows_of(rows);
    };
    const nk::dataset_location place = std::make_shared<nk::memory_place>();
    nk::save_chunked(place, at({600, 660, 720, 780}), {.rows_per_chunk = nk::chunk_period(2h), .order_by = "t"});
    CHECK(sizes(place) == std::vector<std::size_t>{2, 2});

    nk::chunk_writer<dated, 1> sink(place, {.rows_per_chunk = nk::chunk_period(2h)});
    sink.merge(at({480, 540, 570, 840, 900}));
    sink.commit();
    CHECK(sizes(place) == std::vector<std::size_t>{3, 2, 2, 2});
    sink.merge(at({870, 900}), {.unique_by = {"t"}});
    sink.commit();
    CHECK(sizes(place) == std::vector<std::size_t>{3, 2, 2, 3});
    // Appended in small commits, the rows of one period are joined, and never those of two.
    for (int minute = 960; minute < 960 + 40; ++minute) {
        sink.append(at({minute * 6 - 4800}));
        sink.commit();
    }
    for (const auto& wrong : nk::findings_chunked(place))
        FAIL_CHECK(wrong.message);
    for (const auto& chunk : nk::inspect_chunked(place).chunks)
        CHECK(std::get<std::int64_t>(*chunk.min) / 7200 == std::get<std::int64_t>(*chunk.max) / 7200);
    CHECK(nk::inspect_chunked(place).chunks.size() < 30);

    const nk::dataset_location counted = std::make_shared<nk::memory_place>();
    nk::save_chunked(counted, xt::xtensor<double, 1>{-1.5, -0.5, 0, 0.5, 9.5, 10, 25},
                     {.rows_per_chunk = nk::chunk_period(10), .order_by = ""});
    CHECK(sizes(counted) == std::vector<std::size_t>{2, 3, 1, 1});
    CHECK_THROWS_AS(
        nk::save_chunked(counted, xt::xtensor<double, 1>{1}, {.rows_per_chunk = nk::chunk_period(2h), .order_by = ""}),
        nk::mismatch_error);
    const nk::dataset_location fresh = std::make_shared<nk::memory_place>();
    CHECK_THROWS_AS(nk::save_chunked(fresh, xt::xtensor<double, 1>{1}, {.rows_per_chunk = nk::chunk_period(10)}),
                    nk::mismatch_error);
    CHECK_THROWS_AS(
        nk::save_chunked(fresh, at({1}),
                         {.rows_per_chunk = nk::chunk_period(std::chrono::milliseconds(1)), .order_by = "t"}),
        nk::mismatch_error);
}

TEST_CASE("rows are erased by key", "[chunks][merge]") {
    const auto place = base();
    nk::chunk_writer<mark, 1> sink(place, {.rows_per_chunk = 2});
    CHECK(sink.erase(2, 6) == 4);
    CHECK(sink.rows() == 2);
    sink.commit();
    CHECK(all_rows(place) == std::vector<mark>{{1, 0}, {6, 0}});

    const auto second = base();
    const auto before = files(second);
    nk::chunk_writer<mark, 1> other(second, {.rows_per_chunk = 2});
    CHECK(other.erase(3, 5) == 2);
    CHECK(other.erase(100, 200) == 0);
    CHECK(other.erase(5, 3) == 0);
    CHECK(other.erase(-5, 0.5) == 0);
    other.commit();
    CHECK(all_rows(second) == std::vector<mark>{{1, 0}, {2, 0}, {5, 0}, {6, 0}});
    CHECK(files(second) == std::vector<std::string>{before[0], before[2]});  // no chunk was written again
    CHECK(other.erase(-1e300, 1e300) == 4);
    other.commit();
    CHECK(all_rows(second).empty());
    merge(second, {{4, 4}});
    CHECK(all_rows(second) == std::vector<mark>{{4, 4}});
}

TEST_CASE("dates given in another unit bound the keys that are erased", "[chunks][merge]") {
    const nk::dataset_location place = std::make_shared<nk::memory_place>();
    std::vector<dated> rows;
    for (int second = 0; second < 10; ++second)
        rows.push_back({std::chrono::sys_time<std::chrono::seconds>(std::chrono::seconds(second)), second});
    nk::save_chunked(place, rows_of(rows), {.rows_per_chunk = 3, .order_by = "t"});
    nk::chunk_writer<dated, 1> sink(place);
    const auto at = [](int milliseconds) {
        return std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(milliseconds));
    };
    CHECK(sink.erase(at(1001), at(4001)) == 3);  // 2, 3 and 4
    CHECK(sink.erase(at(6000), at(7000)) == 1);
    sink.commit();
    std::vector<std::int64_t> left;
    for (const auto& row : all_rows<dated>(place))
        left.push_back(row.v);
    CHECK(left == std::vector<std::int64_t>{0, 1, 5, 7, 8, 9});
}

TEST_CASE("two fields order rows one after the other", "[chunks][merge]") {
    const nk::dataset_location place = std::make_shared<nk::memory_place>();
    nk::save_chunked(place, rows_of<mark>({{1, 1}, {1, 3}, {1, 5}, {2, 0}}),
                     {.rows_per_chunk = 2, .order_by = {"t", "v"}});
    CHECK(nk::inspect_chunked(place).then_by == "v");
    nk::chunk_writer<mark, 1> sink(place, {.rows_per_chunk = 2});
    sink.merge(rows_of<mark>({{1, 0}, {1, 3}, {1, 4}, {2, -1}}));
    sink.commit();
    CHECK(all_rows(place) == std::vector<mark>{{1, 0}, {1, 1}, {1, 3}, {1, 3}, {1, 4}, {1, 5}, {2, -1}, {2, 0}});
    sink.merge(rows_of<mark>({{1, 3}, {2, 0}}), {.unique_by = {}});
    sink.commit();
    CHECK(all_rows(place) == std::vector<mark>{{1, 0}, {1, 1}, {1, 3}, {1, 4}, {1, 5}, {2, -1}, {2, 0}});
    const auto wrong = thrown<nk::mismatch_error>([&] { sink.append(rows_of<mark>({{2, -1}})); });
    CHECK(wrong.expected() == "at least (2, 0)");
    CHECK(wrong.found() == "(2, -1)");
    sink.append(rows_of<mark>({{2, 0}, {2, 1}}));
    CHECK_THROWS_AS(sink.append(rows_of<mark>({{2, 0}})), nk::mismatch_error);
    CHECK_THROWS_AS(sink.merge(rows_of<mark>({{3, 1}, {3, 0}})), nk::mismatch_error);
    CHECK_THROWS_AS((nk::chunk_writer<mark, 1>(place, {.order_by = "t"})), nk::mismatch_error);
    sink.commit();
    CHECK(all_rows(place).size() == 9);
}

TEST_CASE("NaN equals NaN and 0.0 equals -0.0 where rows are compared", "[chunks][merge]") {
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    const nk::dataset_location place = std::make_shared<nk::memory_place>();
    nk::save_chunked(place, rows_of<numbers>({{-0.0F, none, 1}, {1, 0.0, 2}}), {.order_by = "key"});
    nk::chunk_writer<numbers, 1> sink(place);
    sink.merge(rows_of<numbers>({{0.0F, none, 7}, {1, -0.0, 8}, {1, 2.0, 9}}), {.unique_by = {"x"}});
    sink.commit();
    std::vector<int> ids;
    for (const auto& row : all_rows<numbers>(place))
        ids.push_back(row.id);
    CHECK(ids == std::vector<int>{7, 8, 9});
}

TEST_CASE("floating-point numbers of all widths are compared alike, and padding is not", "[chunks][merge]") {
    const auto rows_with = [](double value, int filling, int id) {
        xt::xtensor<wide, 1> rows(std::array<std::size_t, 1>{1});
        std::memset(static_cast<void*>(rows.data()), filling, sizeof(wide));
        rows(0).t = 1;
        rows(0).half = nk::float16(static_cast<float>(value));
        rows(0).brain = nk::bfloat16(static_cast<float>(value));
        rows(0).longest = value;
        rows(0).z = {1.0F, static_cast<float>(value)};
        rows(0).w = {value, 1.0};
        rows(0).id = id;
        return rows;
    };
    for (const double value : {0.0, 2.5, std::numeric_limits<double>::quiet_NaN()}) {
        CAPTURE(value);
        const nk::dataset_location place = std::make_shared<nk::memory_place>();
        nk::save_chunked(place, rows_with(value, 0x11, 1), {.order_by = "t"});
        nk::chunk_writer<wide, 1> sink(place);

        sink.merge(rows_with(value == 0 ? -value : value, 0x22, 2),
                   {.unique_by = {"half", "brain", "longest", "z", "w"}});
        CHECK(sink.rows() == 1);
        sink.merge(rows_with(3.5, 0x22, 3), {.unique_by = {"half", "brain", "longest", "z", "w"}});
        CHECK(sink.rows() == 2);
    }
}

TEST_CASE("a row goes behind all rows with its key, however many chunks they fill", "[chunks][merge]") {
    const std::vector<mark> same = {{1, 0}, {5, 1}, {5, 2}, {5, 3}, {5, 4}, {5, 5}, {5, 6}, {9, 0}};
    for (const bool unique : {false, true}) {
        const nk::dataset_location place = std::make_shared<nk::memory_place>();
        nk::save_chunked(place, rows_of(same), {.rows_per_chunk = 2, .order_by = "t"});
        if (unique)
            merge(place, {{5, 3}, {5, 7}}, {.unique_by = {"v"}});
        else
            merge(place, {{5, 7}});
        const std::vector<mark> with_7 = {{1, 0}, {5, 1}, {5, 2}, {5, 3}, {5, 4}, {5, 5}, {5, 6}, {5, 7}, {9, 0}};
        const std::vector<mark> last_3 = {{1, 0}, {5, 1}, {5, 2}, {5, 4}, {5, 5}, {5, 6}, {5, 3}, {5, 7}, {9, 0}};
        CHECK(all_rows(place) == (unique ? last_3 : with_7));
    }
}

TEST_CASE("the numbers of an array itself are merged", "[chunks][merge]") {
    const nk::dataset_location place = std::make_shared<nk::memory_place>();
    nk::save_chunked(place, xt::xtensor<std::uint64_t, 1>{2, 4, std::uint64_t(-1)},
                     {.rows_per_chunk = 2, .order_by = ""});
    nk::chunk_writer<std::uint64_t, 1> sink(place, {.rows_per_chunk = 2});
    sink.merge(xt::xtensor<std::uint64_t, 1>{1, 3, 4, 5});
    sink.merge(xt::xtensor<std::uint64_t, 1>{4}, {.unique_by = {}});
    CHECK(sink.erase(-3, 2.5) == 2);
    sink.commit();
    CHECK(all_rows<std::uint64_t>(place) == std::vector<std::uint64_t>{3, 4, 5, std::uint64_t(-1)});
}

}  // namespace chunks_merge_tests
