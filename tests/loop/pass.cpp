// SPDX-License-Identifier: BSD-3-Clause
// A pass over a source: what bodies see, how a pass ends, and what is committed.
#include "loop/visits.hpp"

#include <atomic>
#include <chrono>
#include <thread>

namespace loop_visits::pass_tests {

TEST_CASE("bodies are told which chunk they have", "[loop]") {
    const temp_dir dir;
    auto source = chunks_of({1, 1, 1});

    nk::stateful_loop loop(dir / "a.state", quick());
    CHECK(visits(loop, loop.over(source)) == lines{"0 0 1", "1 1 1", "2 2 1 last"});
    CHECK(std::filesystem::exists(dir / "a.state"));
}

TEST_CASE("an empty source is not visited, and leaves no checkpoint", "[loop]") {
    const temp_dir dir;
    std::vector<ints> none;

    nk::stateful_loop loop(dir / "a.state", quick());
    CHECK(visits(loop, loop.over(none)).empty());
    CHECK(visits(loop, loop.over<std::int64_t, 1>(std::vector<std::filesystem::path>())).empty());
    CHECK_FALSE(std::filesystem::exists(dir / "a.state"));
}

TEST_CASE("what was committed wins over what is offered first", "[loop]") {
    const temp_dir dir;
    for (const std::int64_t offered : {0, 100}) {
        nk::stateful_loop loop(dir / "a.state", quick());
        auto& sum = loop.bind<std::int64_t>("sum", offered);
        std::vector<ints> source = {counting(offered == 0 ? 1 : 4, 1), counting(offered == 0 ? 2 : 5, 1)};
        for (const auto& chunk : loop.over(source))
            sum += sum_of(chunk);
        CHECK(sum == (offered == 0 ? 3 : 12));
    }
}

TEST_CASE("a body that throws, breaks or returns leaves the last commit", "[loop]") {
    const temp_dir dir;
    save_chunks(dir / "rows", chunks_of({1, 1, 1}));
    const nk::chunk_reader<std::int64_t, 1> reader(dir / "rows");
    const int how = GENERATE(0, 1, 2);
    const bool in_the_last = GENERATE(false, true);
    const std::uint64_t where = in_the_last ? 2 : 1;

    nk::stateful_loop loop(dir / "a.state", quick());
    auto& sum = loop.bind<std::int64_t>("sum");
    const auto body = [&] {
        for (const auto& chunk : loop.over(reader)) {
            sum += sum_of(chunk);
            if (loop.index() != where)
                continue;
            if (how == 0)
                throw std::runtime_error("enough");
            if (how == 1)
                break;
            return;
        }
    };
    try {
        body();
    } catch (const std::runtime_error&) {
        CHECK(how == 0);
    }
    CHECK(sum == (in_the_last ? 6 : 3));  // the change made by the body is kept in memory
    CHECK_FALSE(loop.is_complete());

    SECTION("for the next pass of the same loop") {
        for (const auto& chunk : loop.over(reader)) {
            if (loop.index() == where)
                CHECK(sum == (in_the_last ? 3 : 1));
            sum += sum_of(chunk);
        }
        CHECK(sum == 6);
        CHECK(loop.index() == 3);
    }
}

TEST_CASE("what bodies do counts at the cadence that was asked for", "[loop]") {
    const temp_dir dir;
    auto source = chunks_of({1, 1, 1, 1, 1});
    const auto rows_kept = [&](nk::cadence every, std::uint64_t broken_off) {
        std::filesystem::remove(dir / "a.state");
        {
            nk::stateful_loop loop(dir / "a.state", quick(every));
            std::int64_t sum = 0;
            add_until(loop, sum, loop.over(source), broken_off);
        }
        return nk::stateful_loop(dir / "a.state", quick()).rows_done();
    };

    CHECK(rows_kept(1, 3) == 3);
    CHECK(rows_kept(2, 3) == 2);
    CHECK(rows_kept(std::chrono::hours(1), 3) == 0);
    CHECK(rows_kept(std::chrono::seconds(0), 3) == 3);
    CHECK(rows_kept(nk::at_end, 3) == 0);
    CHECK(rows_kept(nk::at_end, 99) == 5);
    CHECK(rows_kept(2, 99) == 5);
    CHECK_THROWS_AS(nk::cadence(0), nk::mismatch_error);
    CHECK_THROWS_AS(nk::cadence(std::chrono::seconds(-1)), nk::mismatch_error);
}

TEST_CASE("stop ends a pass after the chunk at hand, with a commit", "[loop]") {
    const temp_dir dir;
    auto source = chunks_of({1, 1, 1});
    std::atomic<bool> interrupted = false;
    const int how = GENERATE(0, 1, 2);
    {
        nk::stateful_loop loop(dir / "a.state", quick(nk::at_end));
        auto& sum = loop.bind<std::int64_t>("sum");
        const auto told = [&](const nk::progress& now) {
            CHECK(now.phase == "loop");
            return how == 2 && now.items == 2 ? nk::flow::stop : nk::flow::go;
        };
        for (const auto& chunk : loop.over(source, {.run = {.progress = told, .stop = &interrupted}})) {
            sum += sum_of(chunk);
            if (how == 2)
                std::this_thread::sleep_for(nk::progress_meter::interval);  // otherwise the callback is not called
            if (loop.index() == 1 && how == 0)
                loop.stop();
            if (loop.index() == 1 && how == 1)
                interrupted = true;
        }
        CHECK(sum == 3);
        CHECK(loop.rows_done() == 2);
        CHECK_FALSE(loop.is_complete());
    }
    nk::stateful_loop loop(dir / "a.state", quick());
    CHECK(loop.bind<std::int64_t>("sum") == 3);
    CHECK(loop.rows_done() == 2);
}

TEST_CASE("a pass that is stopped before it begins shows nothing, and is no error", "[loop]") {
    const temp_dir dir;
    auto source = chunks_of({1});
    const std::atomic<bool> stop = true;
    nk::stateful_loop loop(dir / "a.state", quick());
    CHECK(visits(loop, loop.over(source, {.run = {.stop = &stop}})).empty());
    const auto refuse = [](const nk::progress&) { return nk::flow::stop; };
    CHECK(visits(loop, loop.over(source, {.run = {.progress = refuse}})).empty());
    CHECK_FALSE(loop.is_complete());
    CHECK(visits(loop, loop.over(source)) == lines{"0 0 1 last"});
}

TEST_CASE("rows before the first are shown again for windows to fill, and count for nothing", "[loop]") {
    const temp_dir dir;
    save_chunks(dir / "rows", chunks_of({2, 2, 2}));
    const nk::chunk_reader<std::int64_t, 1> reader(dir / "rows");
    {
        nk::stateful_loop loop(dir / "a.state", quick());
        auto& sum = loop.bind<std::int64_t>("sum");
        add_until(loop, sum, loop.over(reader), 4);
    }
    nk::stateful_loop loop(dir / "a.state", quick());
    auto& sum = loop.bind<std::int64_t>("sum");
    auto& rows = loop.buffer<std::int64_t, 1>("rows");
    std::vector<std::int64_t> window;
    lines seen;
    for (const auto& chunk : loop.over(reader, {.warm_up = 3})) {
        seen.push_back(std::to_string(loop.first_row()) + (loop.is_warm_up() ? " warm-up" : ""));
        window.insert(window.end(), chunk.begin(), chunk.end());
        sum += sum_of(chunk);  // also for chunks that the warm-up shows again
        if (const auto all = rows.push(chunk))
            CHECK(listed(*all) == std::vector<std::int64_t>{5, 6});
    }

    CHECK(seen == lines{"1 warm-up", "2 warm-up", "4"});
    CHECK(window == std::vector<std::int64_t>{2, 3, 4, 5, 6});
    CHECK(sum == 21);
}

TEST_CASE("what is asked for while rows are shown again counts for nothing", "[loop]") {
    const temp_dir dir;
    // Days of two chunks; the second chunk is marked as the last.
    std::uint64_t days = 1;
    const auto day = [&](nk::stateful_loop& loop) {
        return [&](std::uint64_t row) -> std::optional<ints> {
            if (row >= days * 4)
                return std::nullopt;
            if (row % 4 >= 2)
                loop.finish();
            return counting(static_cast<std::int64_t>(row) + 1, 2);
        };
    };
    nk::stateful_loop loop(dir / "a.state", quick());
    CHECK(visits(loop, loop.over(day(loop))) == lines{"0 0 2", "1 2 2 last"});
    days = 2;
    CHECK(visits(loop, loop.over(day(loop), {.warm_up = 2})) == lines{"2 2 2 warm-up", "2 4 2", "3 6 2 last"});

    auto& sum = loop.bind<std::int64_t>("sum");
    days = 3;
    std::atomic<bool> interrupted = false;
    const bool from_outside = GENERATE(false, true);
    for (const auto& chunk : loop.over(day(loop), {.warm_up = 2, .run = {.stop = &interrupted}})) {
        sum += sum_of(chunk);
        interrupted = from_outside;
        if (loop.is_warm_up())
            loop.stop();
    }
    CHECK(sum == (from_outside ? 0 : 9 + 10 + 11 + 12));
    CHECK(loop.rows_done() == (from_outside ? 8 : 12));
    CHECK(loop.is_complete() == !from_outside);
}

TEST_CASE("a pass begins at the first row that is asked for, as far as nothing was committed", "[loop]") {
    const temp_dir dir;
    const auto chunks = chunks_of({2, 2, 2});
    save_chunks(dir / "rows", chunks);
    const nk::chunk_reader<std::int64_t, 1> reader(dir / "rows");
    nk::stateful_loop loop(dir / "a.state", quick());

    CHECK(visits(loop, loop.over(reader, {.warm_up = 2, .first_row = 3})) ==
          lines{"0 1 1 warm-up", "0 2 1 warm-up", "0 3 1", "1 4 2 last"});
    CHECK(visits(loop, loop.over(reader, {.first_row = 0})).empty());

    nk::stateful_loop other(dir / "b.state", quick());
    CHECK(visits(other, other.over(reader, {.first_row = 6})).empty());
    CHECK_THROWS_AS(other.over(reader, {.first_row = 7}).begin(), nk::mismatch_error);
    const ints all = counting(1, 6);
    CHECK(visits(other, other.over(all, {.rows = 2, .warm_up = 9, .first_row = 1})) ==
          lines{"0 0 1 warm-up", "0 1 2", "1 3 2", "2 5 1 last"});
    auto range = chunks;
    CHECK_THROWS_AS(loop.over(range, {.warm_up = 1}), nk::mismatch_error);
    CHECK_THROWS_AS(loop.over(range, {.first_row = 1}), nk::mismatch_error);
    CHECK_THROWS_AS(loop.over(range, {.verify = true}), nk::mismatch_error);
}

TEST_CASE("one loop at a time has a file, and one pass at a time a loop", "[loop][error]") {
    const temp_dir dir;
    auto source = chunks_of({1, 1});
    nk::stateful_loop loop(dir / "a.state", quick());
    const auto taken = thrown<nk::conflict_error>([&] { nk::stateful_loop(dir / "a.state"); });
    CHECK(taken.file() == dir / "a.state");
    CHECK(taken.found() == "already open");
    for ([[maybe_unused]] const auto& chunk : loop.over(source))
        CHECK_THROWS_AS(loop.over(source).begin(), nk::conflict_error);
    CHECK(loop.rows_done() == 2);
    CHECK_THROWS_AS(nk::stateful_loop(dir / "nowhere/a.state"), nk::io_error);
}

TEST_CASE("progress counts the rows that are left", "[loop]") {
    const temp_dir dir;
    save_chunks(dir / "rows", chunks_of({2, 2, 2}));
    const nk::chunk_reader<std::int64_t, 1> reader(dir / "rows");
    nk::stateful_loop loop(dir / "a.state", quick());
    std::int64_t sum = 0;
    add_until(loop, sum, loop.over(reader), 2);

    std::vector<std::pair<std::uint64_t, std::uint64_t>> told;
    const auto listen = [&](const nk::progress& now) {
        told.emplace_back(now.items, now.items_total);
        return nk::flow::go;
    };
    for ([[maybe_unused]] const auto& chunk : loop.over(reader, {.run = {.progress = listen}})) {
    }
    CHECK(told.front() == std::pair<std::uint64_t, std::uint64_t>(0, 4));
    CHECK(told.back() == std::pair<std::uint64_t, std::uint64_t>(4, 4));
}

TEST_CASE("a range that a pass was left of is gone on with, another one and the next are taken whole", "[loop]") {
    const temp_dir dir;
    nk::stateful_loop loop(dir / "a.state", quick());
    auto& sum = loop.bind<std::int64_t>("sum");
    auto source = chunks_of({1, 1, 1});
    add_until(loop, sum, loop.over(source), 1);
    CHECK(sum == 3);
    CHECK(visits(loop, loop.over(source)) == lines{"1 1 1", "2 2 1 last"});
    CHECK(sum == 1);
    CHECK(visits(loop, loop.over(source)) == lines{"3 3 1", "4 4 1", "5 5 1 last"});
    // A new batch at the same address is a new source, even if the pass over the former batch did not finish.
    add_until(loop, sum, loop.over(source), 7);
    CHECK(loop.rows_done() == 7);
    source = {counting(100, 1), counting(101, 1)};
    CHECK(visits(loop, loop.over(source)) == lines{"7 7 1", "8 8 1 last"});
    std::vector<ints> empty;
    auto pass = loop.over(empty);
    for (int turn = 0; turn < 2; ++turn)
        for ([[maybe_unused]] const auto& chunk : pass)
            FAIL("there is none");
}

TEST_CASE("what a pass went through before it was left by its source's error is not gone through again", "[loop]") {
    const temp_dir dir;
    nk::stateful_loop loop(dir / "a.state", quick());
    int given = 0;
    auto pass = loop.over([&]() -> std::optional<ints> {
        if (++given == 2)
            throw std::runtime_error("cut off");
        return counting(1, 1);
    });
    auto it = pass.begin();
    CHECK_THROWS_AS(++it, std::runtime_error);
    CHECK((it == pass.end()));
    CHECK(loop.rows_done() == 1);
    CHECK(visits(loop, loop.over([&]() -> std::optional<ints> {
              return ++given > 3 ? std::nullopt : std::optional(counting(1, 1));
          })) == lines{"1 1 1"});
}

TEST_CASE("a source that ends before the pass begins is refused, and what was shown of it counts for nothing",
          "[loop][error]") {
    const temp_dir dir;
    nk::stateful_loop loop(dir / "a.state", quick());
    auto& sum = loop.bind<std::int64_t>("sum");
    std::uint64_t rows = 4;
    const auto source = [&](std::uint64_t row) {
        return row < rows ? std::optional(counting(static_cast<std::int64_t>(row) + 1, 1)) : std::nullopt;
    };
    const auto pass = [&] {
        for (const auto& chunk : loop.over(source, {.warm_up = 3}))
            sum += sum_of(chunk);
    };
    pass();
    rows = 2;
    CHECK(thrown<nk::mismatch_error>(pass).field() == "source of the loop: warm-up before row 4");
    auto refused = loop.over(source, {.warm_up = 3});
    CHECK_THROWS_AS(++refused.begin(), nk::mismatch_error);
    rows = 5;
    pass();
    CHECK(sum == 15);
}

TEST_CASE("chunks without rows are shown once each, wherever a pass goes on", "[loop]") {
    const temp_dir dir;
    std::vector<std::filesystem::path> files;
    for (const std::size_t rows : {0U, 2U, 0U, 2U, 0U})
        nk::save(files.emplace_back(dir / (std::to_string(files.size()) + ".npy")), counting(1, rows));
    for (std::size_t stop = 1; stop <= files.size(); ++stop) {
        nk::stateful_loop loop(dir / ("a" + std::to_string(stop)), quick());
        std::size_t bodies = 0;
        for ([[maybe_unused]] const auto& chunk : loop.over<std::int64_t, 1>(files))
            if (++bodies == stop)
                loop.stop();
        for ([[maybe_unused]] const auto& chunk : loop.over<std::int64_t, 1>(files, {.warm_up = 3}))
            bodies += !loop.is_warm_up();
        CHECK(bodies == files.size());
    }
}

}  // namespace loop_visits::pass_tests
