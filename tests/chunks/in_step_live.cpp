// SPDX-License-Identifier: BSD-3-Clause
// Arrays in step that grow: the watermark, what is given later, and rows that come late.
#include "chunks/in_step.hpp"

#include <cmath>
#include <limits>

namespace chunks_in_step_live_tests {

namespace nk = ndkeep;
using namespace in_step_rows;

namespace {

constexpr auto greatest = std::numeric_limits<std::int64_t>::max();

[[nodiscard]] std::int64_t key_of_mark(const std::optional<nk::step_mark>& mark) {
    return std::get<std::int64_t>(mark.value().key.value());
}

}  // namespace

TEST_CASE("live arrays are given below the least of their last keys", "[chunks]") {
    const temp_dir dir;
    append_chunks(dir / "a", {{1, 2}, {5}});
    append_chunks(dir / "b", {{3, 4}});
    const reader a(dir / "a"), b(dir / "b");
    auto first = nk::in_step(a, b, {.live = true});

    CHECK(items_of(first) == listing{{{1, 2}, {3}}});
    CHECK(key_of_mark(first.watermark()) == 4);
    CHECK(first.watermark()->rows == std::vector<std::uint64_t>{2, 1});

    append_chunks(dir / "a", {{6}});
    append_chunks(dir / "b", {{4, 7}});
    const reader more_a(dir / "a"), more_b(dir / "b");
    auto second = nk::in_step(more_a, more_b, {.from = first.watermark(), .live = true});

    CHECK(items_of(second) == listing{{{}, {4, 4}}, {{5}, {}}});
    CHECK(key_of_mark(second.watermark()) == 6);
    // Nothing more: the mark stays.
    auto third = nk::in_step(more_a, more_b, {.from = second.watermark(), .live = true});
    CHECK(items_of(third).empty());
    CHECK(key_of_mark(third.watermark()) == 6);
    CHECK(third.watermark()->rows == std::vector<std::uint64_t>{3, 3});
}

TEST_CASE("a live array without rows holds back all rows", "[chunks]") {
    const temp_dir dir;
    append_chunks(dir / "a", {{1, 2}});
    append_chunks(dir / "b", {{}});
    const reader a(dir / "a"), b(dir / "b");
    auto steps = nk::in_step(a, b, {.live = true});

    CHECK(items_of(steps).empty());
    CHECK(!steps.watermark());
    auto bounded = nk::in_step(a, b, {.from = 2, .live = true});
    CHECK(items_of(bounded).empty());
    CHECK(key_of_mark(bounded.watermark()) == 2);
}

TEST_CASE("the watermark follows the items, and ends behind the last row or at the end of the range", "[chunks]") {
    const temp_dir dir;
    append_chunks(dir / "a", {{1, 2}, {3, 9}});
    const reader a(dir / "a");
    auto steps = nk::in_step(a);
    CHECK(!steps.watermark());
    std::vector<std::int64_t> marks;

    for (auto [t] : steps)
        marks.push_back(key_of_mark(steps.watermark()));

    CHECK(marks == keys{3, 10});
    auto bounded = nk::in_step(a, {.to = 5});
    (void)items_of(bounded);
    CHECK(key_of_mark(bounded.watermark()) == 5);
    auto wide = nk::in_step(a, {.to = 500});
    (void)items_of(wide);
    CHECK(key_of_mark(wide.watermark()) == 10);
}

TEST_CASE("reading from a watermark goes on where another pass was left", "[chunks]") {
    const temp_dir dir;
    append_chunks(dir / "a", {{1, 2}, {5, 6}, {9, 10}});
    append_chunks(dir / "b", {{3, 4}, {7, 8}});
    const reader a(dir / "a"), b(dir / "b");
    const auto whole = items_of(nk::in_step(a, b));
    for (std::size_t left = 1; left <= whole.size(); ++left) {
        auto steps = nk::in_step(a, b);
        auto at = steps.begin();
        for (std::size_t i = 1; i < left; ++i)
            ++at;

        const auto rest = items_of(nk::in_step(a, b, {.from = steps.watermark()}));

        CHECK(rest == listing(whole.begin() + static_cast<std::ptrdiff_t>(left), whole.end()));
    }
    // The warm-up is counted before the mark.
    auto steps = nk::in_step(a, b);
    (void)steps.begin();
    CHECK(items_of(nk::in_step(a, b, {.from = steps.watermark(), .warm_up = {1, 2}}))[0] ==
          std::vector<keys>{{2, 5, 6}, {3, 4}});
}

TEST_CASE("rows that come late, below the watermark, are an error", "[chunks][error]") {
    const temp_dir dir;
    append_chunks(dir / "a", {{1, 2}, {6}});
    const reader a(dir / "a");
    auto steps = nk::in_step(a);
    (void)items_of(steps);
    append_chunks(dir / "a", {{6, 7}});
    const reader later(dir / "a");

    const auto e = thrown<nk::mismatch_error>([&] { (void)nk::in_step(later, {.from = steps.watermark()}).begin(); });

    CHECK(e.file() == dir / "a");
    CHECK(e.field() == "rows below the watermark 7");
    CHECK(e.expected() == "3");
    CHECK(e.found() == "4");
    const auto arrays =
        thrown<nk::mismatch_error>([&] { (void)nk::in_step(later, later, {.from = steps.watermark()}).begin(); });
    CHECK(arrays.field() == "watermark");
    CHECK(arrays.expected() == "2 arrays");
}

TEST_CASE("the greatest of all numbers is a key too", "[chunks]") {
    const temp_dir dir;
    append_chunks(dir / "a", {{1, greatest}});
    const reader a(dir / "a");
    constexpr double inf = std::numeric_limits<double>::infinity();
    nk::save_chunked(dir / "b", xt::xtensor<double, 1>{0.5, inf}, {.order_by = "", .commit = dataset::unsynced});
    const nk::chunk_reader<double, 1> b(dir / "b");
    auto whole = nk::in_step(a);
    auto real = nk::in_step(b);

    CHECK(items_of(whole) == listing{{{1, greatest}}});
    CHECK(!whole.watermark()->key);
    CHECK(items_of(nk::in_step(a, {.from = whole.watermark()})).empty());
    for (auto [x] : real)
        CHECK(x.size() == 2);
    CHECK(!real.watermark()->key);
    for (auto [x] : nk::in_step(b, {.to = inf})) {
        CHECK(x.size() == 1);
        CHECK(x(0) == 0.5);
    }
}

}  // namespace chunks_in_step_live_tests
