// SPDX-License-Identifier: BSD-3-Clause
// Loop buffers: rows that are collected until a limit is reached.
#include "loop/loop.hpp"

#include <map>

namespace loop_buffer_tests {

namespace nk = ndkeep;
using namespace looptest;

TEST_CASE("buffers give back what they hold once there is enough of it, and on the last chunk", "[loop]") {
    const temp_dir dir;
    auto source = chunks_of({2, 2, 2, 2});
    const auto flushes = [&](std::uint64_t limit) {
        std::filesystem::remove(dir / "a.state");
        nk::stateful_loop loop(dir / "a.state", quick());
        auto& buffer = loop.buffer<std::int64_t, 1>("rows", {.limit_bytes = limit});
        std::vector<std::size_t> sizes;
        for (const auto& chunk : loop.over(source)) {
            const auto all = buffer.push(chunk);
            sizes.push_back(all ? all->size() : 0);
        }
        return sizes;
    };

    CHECK(flushes(32) == std::vector<std::size_t>{0, 4, 0, 4});
    CHECK(flushes(1) == std::vector<std::size_t>{2, 2, 2, 2});
    // Rows that would exceed the limit are kept for the next batch; the last chunk returns all rows.
    CHECK(flushes(40) == std::vector<std::size_t>{0, 0, 4, 4});
    CHECK(flushes(1'000'000'000) == std::vector<std::size_t>{0, 0, 0, 8});
}

TEST_CASE("a keyed buffer counts all keys together", "[loop]") {
    const temp_dir dir;
    auto source = chunks_of({1, 1, 1});
    nk::stateful_loop loop(dir / "a.state", quick());
    auto& buffer = loop.keyed_buffer<std::int64_t, 1>("by site", {.limit_bytes = 40});
    std::vector<std::map<std::string, std::vector<std::int64_t>>> got;
    for ([[maybe_unused]] const auto& chunk : loop.over(source)) {
        auto all = loop.index() == 0   ? buffer.push({{"x", counting(1, 2)}, {"y/..", counting(10, 1)}})
                   : loop.index() == 1 ? buffer.push({{"x", counting(3, 2)}})
                                       : buffer.push(std::vector<nk::keyed_rows>());
        got.emplace_back();
        if (all)
            for (const auto& [key, rows] : *all)
                got.back()[key] = listed(rows);
    }
    CHECK(got[0].empty());
    CHECK(got[1] == std::map<std::string, std::vector<std::int64_t>>{{"x", {1, 2, 3, 4}}, {"y/..", {10}}});
    CHECK(got[2].empty());
}

TEST_CASE("a new key that is given twice at once has rows of one shape", "[loop][error]") {
    const temp_dir dir;
    auto source = chunks_of({1});
    nk::stateful_loop loop(dir / "a.state", quick());
    auto& buffer = loop.keyed_buffer<std::int64_t>("by site");
    const xt::xtensor<std::int64_t, 2> narrow = xt::ones<std::int64_t>({2, 1}), wide = xt::ones<std::int64_t>({2, 3});
    for ([[maybe_unused]] const auto& chunk : loop.over(source)) {
        const auto e = thrown<nk::mismatch_error>([&] { (void)buffer.push({{"x", narrow}, {"x", wide}}); });
        CHECK(e.field().ends_with("shape of a row"));
        CHECK(e.found() == "(3,)");
        CHECK(buffer.nbytes() == 0);

        const auto all = buffer.push({{"x", wide}, {"x", wide}});
        REQUIRE(all);
        CHECK(all->at("x").shape(0) == 4);
    }
}

TEST_CASE("buffers cascade, hold copies, and survive an interruption", "[loop]") {
    const temp_dir dir;
    save_chunks(dir / "rows", chunks_of({1, 1, 1, 1}));
    std::vector<std::uint64_t> reached;
    std::vector<std::vector<std::int64_t>> got;
    const auto run = [&](std::uint64_t broken_off) {
        const nk::chunk_reader<std::int64_t, 1> reader(dir / "rows");
        nk::stateful_loop loop(dir / "a.state", quick());
        auto& first = loop.buffer<std::int64_t, 1>("first", {.limit_bytes = 16});
        auto& second = loop.buffer<std::int64_t, 1>("second", {.limit_bytes = 32});
        for (const auto& chunk : loop.over(reader)) {
            ints copy = chunk;
            const auto two = first.push(copy);
            copy.fill(-1);
            if (loop.index() == broken_off)
                break;
            if (!two)
                continue;
            reached.push_back(loop.index());
            if (const auto four = second.push(*two))
                got.push_back(listed(*four));
        }
    };
    run(2);
    run(9);

    CHECK(reached == std::vector<std::uint64_t>{1, 3});
    CHECK(got == std::vector<std::vector<std::int64_t>>{{1, 2, 3, 4}});
}

TEST_CASE("buffers refuse rows of another kind", "[loop][error]") {
    const temp_dir dir;
    nk::stateful_loop loop(dir / "a.state", quick());
    auto& buffer = loop.buffer<std::int64_t>("rows");
    (void)buffer.push(xt::xtensor<std::int64_t, 2>(xt::ones<std::int64_t>({2, 3})));
    const auto shape = thrown<nk::mismatch_error>([&] {
        (void)buffer.push(xt::xtensor<std::int64_t, 2>(xt::ones<std::int64_t>({2, 4})));
    });
    CHECK(shape.field() == "buffer 'rows': shape of a row");
    CHECK(shape.expected() == "(3,)");
    CHECK(shape.found() == "(4,)");
    CHECK_THROWS_AS(buffer.push(xt::xtensor<double, 2>({{1.0, 2.0, 3.0}})), nk::mismatch_error);
    CHECK(buffer.rows() == 2);
    CHECK(buffer.flush()->size() == 6);
    CHECK_FALSE(buffer.flush().has_value());
}

}  // namespace loop_buffer_tests
