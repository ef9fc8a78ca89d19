// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include "operators/as_of_model.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/loop.hpp>
#include <ndkeep/operators.hpp>

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace as_of_join_tests {

namespace nk = ndkeep;
using as_of_model::left_row;
using as_of_model::random_rows;
using as_of_model::random_rule;
using as_of_model::right_row;
using as_of_model::rows;
using as_of_model::rule;
using join = nk::as_of_join<left_row, right_row>;
using joined = nk::as_of_joined<left_row, right_row>;
using values = std::vector<double>;

[[nodiscard]] rows<left_row> lefts(const std::vector<std::int64_t>& times, std::int32_t group = 0) {
    auto all = rows<left_row>::from_shape({times.size()});
    for (std::size_t i = 0; i < times.size(); ++i)
        all(i) = {times[i], group, 0};
    return all;
}

/// Rows of a time and a value.
[[nodiscard]] rows<right_row> rights(const std::vector<std::pair<std::int64_t, double>>& times,
                                     std::int32_t group = 0) {
    auto all = rows<right_row>::from_shape({times.size()});
    for (std::size_t i = 0; i < times.size(); ++i)
        all(i) = {group, times[i].first, times[i].second};
    return all;
}

[[nodiscard]] values ids(const joined& of) {
    values all;
    for (const right_row& each : of.right())
        all.push_back(each.id);
    return all;
}

/// Everything that a join emitted.
struct output {
    std::vector<std::int32_t> left;
    values right;
    std::vector<bool> found;

    void add(const joined& more) {
        for (const left_row& each : more.left())
            left.push_back(each.id);
        for (const right_row& each : more.right())
            right.push_back(each.id);
        found.insert(found.end(), more.found().begin(), more.found().end());
    }
    friend bool operator==(const output&, const output&) = default;
};

[[nodiscard]] nk::as_of_join_options options_of(const rule& asked, std::size_t window) {
    const auto all = asked.options();
    return {.on = all.on, .by = all.by, .window = window, .match = {all.direction, all.tolerance, all.exact}};
}

template <class Row>
[[nodiscard]] auto part(const rows<Row>& all, std::size_t from, std::size_t to) {
    return rows<Row>(xt::view(all, xt::range(from, to)));
}

TEST_CASE("as_of_join has windows over chunks, and complete chunks are joined at once", "[operators][as_of_join]") {
    join of({.window = 3});

    CHECK(ids(of.push_in_step(lefts({1, 4}), rights({{2, 20}, {3, 30}, {4, 40}}))) == values{0, 0, 0, 20, 30, 40});
    CHECK(ids(of.push_in_step(lefts({5, 6, 9}), rights({{6, 60}, {8, 80}}))) ==
          values{20, 30, 40, 30, 40, 60, 40, 60, 80});

    join filled({.window = 2}, {0, 0, -1});
    const auto first = filled.push_in_step(lefts({0, 1}), rights({{1, 10}}));
    CHECK(ids(first) == values{-1, -1, -1, 10});
    CHECK((first.found() == xt::xarray<bool>{{false, false}, {false, true}}));
    CHECK(first.left().size() == 2);
}

TEST_CASE("as_of_join does not look ahead", "[operators][as_of_join]") {
    join of;

    CHECK(ids(of.push(lefts({10}), rights({{5, 50}, {20, 200}}))) == values{50});
    CHECK(ids(of.push(lefts({15}), rights({{30, 300}}))) == values{50});
}

TEST_CASE("as_of_join waits for right rows that can still match", "[operators][as_of_join]") {
    join of({.on = "time"});

    CHECK(of.push(lefts({10, 20}), rights({})).left().size() == 0);
    CHECK(ids(of.push(lefts({}), rights({{5, 50}, {10, 100}}))).empty());
    CHECK(ids(of.push(lefts({}), rights({{10, 101}, {11, 110}}))) == values{101});
    CHECK(ids(of.finish()) == values{110});
    CHECK(of.finish().left().size() == 0);
}

TEST_CASE("as_of_join keeps rows of groups that a chunk does not use", "[operators][as_of_join]") {
    join of({.by = {"group"}});

    (void)of.push_in_step(lefts({2}, 1), rights({{1, 10}}, 7));
    (void)of.push_in_step(lefts({4}, 1), rights({{3, 30}}, 7));

    CHECK(ids(of.push_in_step(lefts({6}, 7), rights({}))) == values{30});
}

TEST_CASE("as_of_join emits forward and nearest rows when they are decided", "[operators][as_of_join]") {
    join ahead({.match = {.direction = nk::forward}});
    CHECK(ids(ahead.push(lefts({1, 5}), rights({{1, 10}, {4, 40}}))) == values{10});
    CHECK(ids(ahead.push(lefts({}), rights({{6, 60}}))) == values{60});

    join near({.match = {.direction = nk::nearest}});
    // 5 is as near as any row from 5 on can be.
    CHECK(ids(near.push(lefts({4}), rights({{3, 30}, {4, 40}}))).empty());
    CHECK(ids(near.push(lefts({6}), rights({{5, 50}}))) == values{40});
    CHECK(ids(near.push(lefts({}), rights({{7, 70}}))) == values{50});

    join limited({.by = {"group"}, .match = {.direction = nk::forward, .tolerance = 3}});
    CHECK(limited.push(lefts({1}, 2), rights({{4, 40}})).left().size() == 0);
    const auto none = limited.push(lefts({}), rights({{5, 50}}));
    CHECK(none.left().size() == 1);
    CHECK_FALSE(none.found()(0));
}

TEST_CASE("as_of_join gives the rows of as_of for every split into chunks", "[operators][as_of_join]") {
    std::mt19937 random(20261130);
    for (int round = 0; round < 400; ++round) {
        const auto left = random_rows<left_row>(random, random() % 30, true);
        const auto right = random_rows<right_row>(random, random() % 30, true);
        const rule asked = random_rule(random, round % 2 == 0);
        const std::size_t window = random() % 4;
        CAPTURE(round, asked.by, asked.exact, asked.tolerance, static_cast<int>(asked.direction), window);

        join of(options_of(asked, window), {0, 0, -7});
        output all;
        for (std::size_t i = 0, j = 0; i < left.size() || j < right.size();) {
            const std::size_t to = std::min(left.size(), i + random() % 6),
                              up = std::min(right.size(), j + random() % 6);
            all.add(of.push(part(left, i, to), part(right, j, up)));
            i = to;
            j = up;
        }
        all.add(of.finish());

        output expected;
        const auto found = as_of_model::searched(left, right, asked, std::max<std::size_t>(window, 1));
        for (std::size_t i = 0; i < left.size(); ++i) {
            expected.left.push_back(left(i).id);
            for (const std::int64_t row : found[i]) {
                expected.right.push_back(row < 0 ? -7 : right(static_cast<std::size_t>(row)).id);
                expected.found.push_back(row >= 0);
            }
        }
        CHECK((all == expected));
    }
}

TEST_CASE("as_of_join refuses rows that are not in order, and stays as it was", "[operators][as_of_join][error]") {
    const auto refused = [](join& of, const rows<left_row>& left, const rows<right_row>& right) {
        return thrown<nk::mismatch_error>([&] { (void)of.push(left, right); });
    };
    join of;
    (void)of.push(lefts({1, 5}), rights({{2, 20}, {4, 40}}));

    CHECK(refused(of, lefts({6, 4}), rights({})).field() == "left row 3");
    CHECK(refused(of, lefts({4}), rights({{9, 1}})).field() == "left row 2");
    const auto error = refused(of, lefts({6}), rights({{7, 70}, {3, 30}}));
    CHECK(error.field() == "right row 3");
    CHECK(error.found() == "key 3");
    CHECK(ids(of.push(lefts({6}), rights({{7, 70}}))) == values{40, 40});

    (void)of.finish();
    (void)of.push_in_step(lefts({9}), rights({}));
    CHECK(refused(of, lefts({}), rights({{9, 90}})).expected() == "above 9, the last left key that was joined");
    CHECK(thrown<nk::mismatch_error>([&] { (void)of.push(rights({}), lefts({})); }).field() == "left dtype");
    CHECK(thrown<nk::mismatch_error>([] { join({.on = "id"}); }).field() == "keys");
    CHECK(thrown<nk::mismatch_error>([] { join({.match = {.tolerance = -1}}); }).field() == "tolerance");
}

TEST_CASE("as_of_join joins items of in_step at once", "[operators][as_of_join]") {
    temp_dir dir;
    std::mt19937 random(5);
    const auto left = random_rows<left_row>(random, 100, true);
    const auto right = random_rows<right_row>(random, 100, true);
    nk::save_chunked(dir / "left", left, {.rows_per_chunk = 17, .order_by = "time"});
    nk::save_chunked(dir / "right", right, {.rows_per_chunk = 13, .order_by = "time"});
    const nk::chunk_reader<left_row, 1> lefts_read(dir / "left");
    const nk::chunk_reader<right_row, 1> rights_read(dir / "right");

    join of({.by = {"group"}});
    output all;
    for (auto [l, r] : nk::in_step(lefts_read, rights_read)) {
        const auto more = of.push(l, r);
        CHECK(more.left().size() == l.size());
        all.add(more);
    }

    const auto at = nk::as_of(left, right, {.by = {"group"}});
    const xt::xtensor<double, 1> expected = at.take(nk::field(right, &right_row::id), 0.0);
    CHECK((all.right == values(expected.begin(), expected.end())));

    nk::stateful_loop loop(dir / "loop");
    auto& bound = loop.bind("quotes", join({.by = {"group"}}));
    output looped;
    for (auto [l, r] : loop.over(nk::in_step(lefts_read, rights_read)))
        looped.add(bound.push(l, r));
    CHECK((looped == all));
}

TEST_CASE("as_of_join resumes in a loop where it was", "[operators][as_of_join][loop]") {
    temp_dir dir;
    std::mt19937 random(6);
    const auto left = random_rows<left_row>(random, 60, true);
    const auto right = random_rows<right_row>(random, 60, true);
    for (const auto direction : {nk::backward, nk::nearest}) {
        const nk::as_of_join_options options{.by = {"group"}, .window = 2, .match = {.direction = direction}};
        const std::string state = direction == nk::backward ? "backward" : "nearest";
        join whole(options);
        output expected, all;
        expected.add(whole.push(left, right));
        expected.add(whole.finish());

        const std::vector<rows<left_row>> chunks = {part(left, 0, 20), part(left, 20, 40), part(left, 40, 60)};
        // Each pass takes one chunk, in an object of its own.
        for (std::size_t pass = 0; pass < chunks.size(); ++pass) {
            nk::stateful_loop loop(dir / state);
            auto& of = loop.bind("quotes", join(options));
            const std::vector<rows<left_row>> source{chunks[pass]};
            for (const auto& chunk : loop.over(source))
                all.add(of.push(chunk, part(right, pass * 20, pass * 20 + 20)));
            if (pass + 1 == chunks.size())
                all.add(of.finish());
        }
        CHECK((all == expected));

        nk::stateful_loop loop(dir / state);
        const auto error =
            thrown<nk::mismatch_error>([&] { (void)loop.bind("quotes", join({.by = {"group"}, .window = 3})); });
        CHECK(error.field().find("options of the join") != std::string::npos);
    }
}

}  // namespace as_of_join_tests
