// SPDX-License-Identifier: BSD-3-Clause
// Ordered arrays read in step: where items are cut, their warm-up, and what cannot be read in step.
#include "chunks/in_step.hpp"

#include <chrono>
#include <limits>
#include <span>

namespace chunks_in_step_tests {

namespace nk = ndkeep;
using namespace in_step_rows;

namespace {

struct quote {
    std::int64_t t;
    float bid;
};
NDKEEP_FIELDS(quote, t, bid);

struct timed {
    std::int64_t time;
};
NDKEEP_FIELDS(timed, time);

/// A dataset `name` in chunks, opened.
[[nodiscard]] reader opened(const temp_dir& dir, const std::string& name, const std::vector<keys>& chunks) {
    append_chunks(dir / name, chunks);
    return reader(dir / name);
}

const std::vector<keys> one_to_six = {{1, 2}, {3, 4}, {5, 6}};

}  // namespace

TEST_CASE("items in step end where a chunk of any array begins", "[chunks]") {
    const temp_dir dir;
    const auto a = opened(dir, "a", {{1, 2}, {5, 6}, {9, 10}}), b = opened(dir, "b", {{3, 4}, {7, 8}});

    CHECK(items_of(nk::in_step(a, b)) == listing{{{1, 2}, {3, 4}}, {{5, 6}, {}}, {{}, {7, 8}}, {{9, 10}, {}}});
    CHECK(items_of(nk::in_step(a, b, {.from = 4})) == listing{{{5, 6}, {4}}, {{}, {7, 8}}, {{9, 10}, {}}});
    CHECK(items_of(nk::in_step(a, b, {.from = 5, .to = 9})) == listing{{{5, 6}, {7, 8}}});
}

TEST_CASE("warm-up rows are those before the range, in the first item", "[chunks]") {
    const temp_dir dir;
    const auto a = opened(dir, "a", one_to_six), b = opened(dir, "b", {{1, 4}, {8}});
    const auto from = [&](int key, std::uint64_t warm_up) {
        return items_of(nk::in_step(a, {.from = key, .warm_up = {warm_up}}));
    };

    CHECK(from(5, 3) == listing{{{2, 3, 4, 5, 6}}});
    CHECK(from(5, 10) == listing{{{1, 2, 3, 4, 5, 6}}});
    CHECK(from(6, 1) == listing{{{5, 6}}});
    CHECK(from(5, 0) == listing{{{5, 6}}});
    CHECK(from(3, 1) == listing{{{2, 3, 4}}, {{5, 6}}});
    CHECK(items_of(nk::in_step(a, {.warm_up = {2}})) == items_of(nk::in_step(a)));
    CHECK(items_of(nk::in_step(a, b, {.from = 5, .warm_up = {3, 1}})) == listing{{{2, 3, 4, 5, 6}, {4, 8}}});
    for (auto [t, q] : nk::in_step(a, b, {.from = 5, .warm_up = {3, 1}})) {
        CHECK(t.warm_up() == 3);
        CHECK(q.warm_up() == 1);
    }
}

TEST_CASE("an array without rows in the range still has its warm-up", "[chunks]") {
    const temp_dir dir;
    const auto a = opened(dir, "a", one_to_six), b = opened(dir, "b", {{4, 5}}), c = opened(dir, "c", {{0, 2}});

    CHECK(items_of(nk::in_step(a, c, {.from = 5, .warm_up = {1, 1}})) == listing{{{4, 5, 6}, {2}}});
    // The counts stay with their arrays.
    CHECK(items_of(nk::in_step(a, c, b, {.from = 5, .warm_up = {1, 9, 2}})) == listing{{{4, 5, 6}, {0, 2}, {4, 5}}});
    for (auto [t, q] : nk::in_step(a, c, {.from = 5, .warm_up = {1, 1}}))
        CHECK(q.warm_up() == q.size());
}

TEST_CASE("equal keys are never in two items", "[chunks]") {
    const temp_dir dir;
    const auto e = opened(dir, "e", {{1, 2}, {2, 2}, {3, 4}}), f = opened(dir, "f", {{1, 2}, {3, 4}});
    const auto g = opened(dir, "g", {{1}, {2, 3}});

    CHECK(items_of(nk::in_step(e)) == listing{{{1, 2, 2, 2}}, {{3, 4}}});
    CHECK(items_of(nk::in_step(e, f)) == listing{{{1, 2, 2, 2}, {1, 2}}, {{3, 4}, {3, 4}}});
    CHECK(items_of(nk::in_step(e, {.from = 2})) == listing{{{2, 2, 2}}, {{3, 4}}});
    CHECK(items_of(nk::in_step(e, g)) == listing{{{1}, {1}}, {{2, 2, 2}, {2}}, {{3, 4}, {3}}});
}

TEST_CASE("of two fields that order the rows, the first one is the key", "[chunks]") {
    const temp_dir dir;
    nk::save_chunked(dir / "a", rows_with({1, 2, 2, 2, 3}),
                     {.rows_per_chunk = 2, .order_by = {"t", "value"}, .commit = dataset::unsynced});
    const reader a(dir / "a"), b = opened(dir, "b", {{2}, {3}});

    CHECK(items_of(nk::in_step(a, b)) == listing{{{1, 2, 2, 2}, {2}}, {{3}, {3}}});
    CHECK((a.find_between(2, 3) == nk::row_range{1, 4}));
}

TEST_CASE("keys that repeat at every begin of a chunk do not make one item of all chunks", "[chunks]") {
    const temp_dir dir;
    const auto a = opened(dir, "a", {{1, 2}, {2, 3}, {3, 4}, {4, 5}, {5, 6}});
    const auto equal = opened(dir, "equal", {{1, 2}, {2, 2}, {2, 2}, {2, 3}, {3}});

    CHECK(items_of(nk::in_step(a)) == listing{{{1, 2, 2}}, {{3, 3}}, {{4, 4}}, {{5, 5, 6}}});
    CHECK(items_of(nk::in_step(equal)) == listing{{{1}}, {{2, 2, 2, 2, 2, 2}}, {{3, 3}}});
}

TEST_CASE("zero is a bound like any other", "[chunks]") {
    const temp_dir dir;
    const auto d = opened(dir, "d", {{-4, -3}, {-2, -1, 0, 1}, {2, 3}});

    CHECK(items_of(nk::in_step(d, {.from = 0})) == listing{{{0, 1}}, {{2, 3}}});
    CHECK(items_of(nk::in_step(d, {.to = 0})) == listing{{{-4, -3}}, {{-2, -1}}});
}

TEST_CASE("a range without rows of any array has no item", "[chunks]") {
    const temp_dir dir;
    const auto a = opened(dir, "a", one_to_six), late = opened(dir, "late", {{20, 21}});
    append_chunks(dir / "empty", {{}});
    const reader empty(dir / "empty");

    CHECK(items_of(nk::in_step(a, late, {.from = 22, .warm_up = {1, 1}})).empty());
    CHECK(items_of(nk::in_step(a, {.from = 1e300})).empty());
    CHECK(items_of(nk::in_step(a, late, {.from = 7, .to = 20})).empty());
    CHECK(items_of(nk::in_step(a, {.from = 4, .to = 2})).empty());
    CHECK(items_of(nk::in_step(empty, empty)).empty());
    // Before the first key of one array: it is empty in each item.
    CHECK(items_of(nk::in_step(a, late, {.to = 4})) == listing{{{1, 2}, {}}, {{3}, {}}});
    CHECK(items_of(nk::in_step(a, empty, {.from = 5})) == listing{{{5, 6}, {}}});
}

TEST_CASE("many arrays are read in step as a tuple or as a list", "[chunks]") {
    const temp_dir dir;
    xt::xtensor<quote, 1> quotes = {{2, 0.5F}, {6, 1.5F}};
    nk::save_chunked(dir / "quotes", quotes, {.order_by = "t", .commit = dataset::unsynced});
    const nk::chunk_reader<quote, 1> q(dir / "quotes");
    std::vector<reader> readers;
    for (int i = 0; i < 5; ++i)
        readers.push_back(opened(dir, std::to_string(i), {{i, i + 1}, {i + 5}}));

    std::vector<double> sums;
    for (auto [a, b, c, d, bids] : nk::in_step(std::tie(readers[0], readers[1], readers[2], readers[3], q), {.to = 5}))
        sums.push_back(xt::sum(nk::field(bids, &quote::bid))() + static_cast<double>(a.size() + d.size()));
    CHECK(sums == std::vector<double>{4.5});
    const auto all = items_of(nk::in_step(readers, {.from = 1, .to = 7}));
    CHECK(all == listing{{{1}, {1, 2}, {2, 3}, {3, 4}, {4}}, {{5}, {}, {}, {}, {5}}, {{}, {6}, {}, {}, {}}});
    CHECK(items_of(nk::in_step(std::span(readers).first(1), {.to = 1})) == listing{{{0}}});
    CHECK(items_of(nk::in_step(readers[0], readers[1], readers[2], readers[3], {.to = 1})) ==
          listing{{{0}, {}, {}, {}}});
}

TEST_CASE("an item knows its keys and its place", "[chunks]") {
    const temp_dir dir;
    const auto a = opened(dir, "a", one_to_six);
    keys begins, ends;
    std::vector<bool> firsts, lasts;

    for (const auto& item : nk::in_step(a, {.from = 2, .warm_up = {1}})) {
        CHECK(item.index() == begins.size());
        begins.push_back(std::get<std::int64_t>(item.from()));
        ends.push_back(std::get<std::int64_t>(item.to().value()));
        firsts.push_back(item.is_first());
        lasts.push_back(item.is_last());
    }

    CHECK(begins == keys{2, 3, 5});
    CHECK(ends == keys{3, 5, 7});
    CHECK(firsts == std::vector<bool>{true, false, false});
    CHECK(lasts == std::vector<bool>{false, false, true});
}

TEST_CASE("rows in step are expressions, and arguments of writers", "[chunks]") {
    const temp_dir dir;
    const auto a = opened(dir, "a", one_to_six);

    for (auto [t] : nk::in_step(a, {.from = 5, .warm_up = {1}})) {
        const xt::xtensor<row, 1> copy = t;
        CHECK(copy(0).t == 4);
        CHECK(xt::view(t, xt::range(t.warm_up(), xt::placeholders::_))(0).t == 5);
        CHECK(xt::sum(nk::field(t, &row::t))() == 15);
        nk::save_chunked(dir / "b", t, {.commit = dataset::unsynced});
        nk::save(dir / "t.npy", t);
    }

    CHECK(keys_of(nk::load_chunked<row, 1>(dir / "b")) == keys{4, 5, 6});
    CHECK(keys_of(nk::load<row, 1>(dir / "t.npy")) == keys{4, 5, 6});
}

TEST_CASE("numbers that are no structs are their own keys", "[chunks]") {
    const temp_dir dir;
    const xt::xtensor<double, 1> some = {-1.5, 0, 0.5, 2.25};
    nk::save_chunked(dir / "a", some, {.rows_per_chunk = 2, .order_by = "", .commit = dataset::unsynced});
    nk::save_chunked(dir / "zeros", xt::xtensor<float, 1>(xt::zeros<float>({1})),
                     {.order_by = "", .commit = dataset::unsynced});
    const nk::chunk_reader<double, 1> a(dir / "a");
    const nk::chunk_reader<float, 1> zeros(dir / "zeros");
    std::vector<std::vector<double>> items;

    for (auto [x, y] : nk::in_step(a, zeros, {.from = -1, .to = 2.25}))
        items.emplace_back(x.begin(), x.end()).push_back(static_cast<double>(y.size()));

    CHECK(items == std::vector<std::vector<double>>{{0, 1}, {0.5, 0}});
}

TEST_CASE("dates bound a range in their own unit", "[chunks]") {
    using namespace std::chrono_literals;
    const temp_dir dir;
    using time = std::chrono::sys_time<std::chrono::milliseconds>;
    const xt::xtensor<time, 1> times = {time(1000ms), time(1999ms), time(2000ms), time(3001ms)};
    nk::save_chunked(dir / "a", times, {.rows_per_chunk = 2, .order_by = "", .commit = dataset::unsynced});
    const nk::chunk_reader<time, 1> a(dir / "a");
    std::size_t rows = 0;

    for (auto [t] : nk::in_step(a, {.from = std::chrono::sys_seconds(2s), .to = std::chrono::sys_seconds(3s)}))
        rows += t.size();

    CHECK(rows == 1);
}

TEST_CASE("arrays whose keys do not compare are not read in step", "[chunks][error]") {
    using namespace std::chrono_literals;
    const temp_dir dir;
    const auto a = opened(dir, "a", one_to_six);
    const xt::xtensor<timed, 1> others = {{1}, {2}};
    nk::save_chunked(dir / "time", others, {.order_by = "time", .commit = dataset::unsynced});
    nk::save_chunked(dir / "none", others, {.commit = dataset::unsynced});
    const xt::xtensor<std::chrono::sys_seconds, 1> seconds = {std::chrono::sys_seconds(1s)};
    const xt::xtensor<std::chrono::sys_days, 1> days = {std::chrono::sys_days(std::chrono::days(1))};
    nk::save_chunked(dir / "seconds", seconds, {.order_by = "", .commit = dataset::unsynced});
    nk::save_chunked(dir / "days", days, {.order_by = "", .commit = dataset::unsynced});
    const nk::chunk_reader<timed, 1> time(dir / "time"), none(dir / "none");
    const nk::chunk_reader<std::chrono::sys_seconds, 1> by_second(dir / "seconds");
    const nk::chunk_reader<std::chrono::sys_days, 1> by_day(dir / "days");

    const auto name = thrown<nk::mismatch_error>([&] { (void)nk::in_step(a, time); });
    CHECK(name.file() == dir / "time");
    CHECK(name.field() == "order_by");
    CHECK(name.expected() == "'t'");
    CHECK(name.found() == "'time'");
    const auto order = thrown<nk::mismatch_error>([&] { (void)nk::in_step(none, none); });
    CHECK(order.field() == "order_by");
    CHECK(order.found() == "none");
    const auto unit = thrown<nk::mismatch_error>([&] { (void)nk::in_step(by_second, by_day); });
    CHECK(unit.file() == dir / "days");
    CHECK(unit.field() == "dtype of the key");
    CHECK(unit.expected() == "'<M8[s]'");
    CHECK(unit.found() == "'<M8[D]'");
    const auto warm_up = thrown<nk::mismatch_error>([&] { (void)nk::in_step(a, a, {.warm_up = {1}}).begin(); });
    CHECK(warm_up.field() == "warm_up");
    CHECK(warm_up.expected() == "one count for each of 2 arrays");
    CHECK(warm_up.found() == "1 count");
    CHECK_THROWS_AS((void)nk::in_step(std::span<const reader>()), nk::mismatch_error);
    CHECK_THROWS_AS((void)nk::in_step(a, {.from = std::numeric_limits<double>::quiet_NaN()}).begin(),
                    nk::mismatch_error);
}

}  // namespace chunks_in_step_tests
