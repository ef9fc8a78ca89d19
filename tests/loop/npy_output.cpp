// SPDX-License-Identifier: BSD-3-Clause
// Loops into one plain npy file: each row is there exactly once, after kills, breaks and full disks too.
#include "loop/loop.hpp"
#include "support/faults.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace loop_npy_output_tests {

namespace nk = ndkeep;
using namespace looptest;

namespace {

/// Appends the running sum of each row of the numbers from 1 to `rows`, in chunks of 3 rows.
void add_up(const temp_dir& dir, std::size_t rows, const nk::loop_options& options = quick()) {
    const auto source = counting(1, rows);
    nk::stateful_loop loop(dir / "sum.state", options);
    auto& sum = loop.bind<std::int64_t>("sum");
    for (const auto& chunk : loop.over(source, {.rows = 3}).into(dir / "out.npy")) {
        ints out = chunk;
        for (auto& value : out)
            value = sum += value;
        loop.append(out);
    }
}

std::vector<std::int64_t> sums_to(std::int64_t rows) {
    std::vector<std::int64_t> all;
    for (std::int64_t i = 1; i <= rows; ++i)
        all.push_back(i * (i + 1) / 2);
    return all;
}

std::vector<std::int64_t> output_in(const temp_dir& dir) { return listed(nk::load<std::int64_t, 1>(dir / "out.npy")); }

}  // namespace

TEST_CASE("a pass appends its rows to a plain npy file, and the next pass goes on", "[loop][sink]") {
    const temp_dir dir;
    add_up(dir, 10);
    CHECK(output_in(dir) == sums_to(10));
    nk::describe(dir / "out.npy", {.meta = {{"of", "sums"}}});
    add_up(dir, 10);
    CHECK(output_in(dir) == sums_to(10));
    add_up(dir, 17);
    CHECK(output_in(dir) == sums_to(17));
    CHECK(nk::metadata(dir / "out.npy")["of"] == "sums");
    nk::verify(dir / "out.npy");
}

TEST_CASE("rows of more dimensions must fit the first ones", "[loop][sink]") {
    const temp_dir dir;
    const auto source = counting(0, 6);
    nk::stateful_loop loop(dir / "a.state", quick(2));
    for (const auto& chunk : loop.over(source, {.rows = 2}).into(dir / "out.npy")) {
        if (loop.index() == 0)
            loop.append(xt::xtensor<double, 2>{{1.5, 2}, {3, 4}});
        else
            loop.append(xt::xtensor<double, 2>{{static_cast<double>(chunk(0)), 6}});
        CHECK_THROWS_AS(loop.append(xt::xtensor<float, 2>{{1, 2}}), nk::mismatch_error);
        CHECK_THROWS_AS(loop.append(xt::xtensor<double, 2>{{1, 2, 3}}), nk::mismatch_error);
        CHECK_THROWS_AS(loop.append(1.5), nk::mismatch_error);
    }
    CHECK((nk::load<double, 2>(dir / "out.npy") == xt::xtensor<double, 2>{{1.5, 2}, {3, 4}, {2, 6}, {4, 6}}));
}

TEST_CASE("a body that is left discards its rows", "[loop][sink]") {
    const temp_dir dir;
    const auto source = counting(1, 9);
    nk::stateful_loop loop(dir / "sum.state", quick(2));
    auto& sum = loop.bind<std::int64_t>("sum");
    const auto pass = [&](std::uint64_t broken_off) {
        for (const auto& chunk : loop.over(source, {.rows = 3}).into(dir / "out.npy")) {
            loop.append(ints{sum += sum_of(chunk)});
            if (loop.first_row() == broken_off)
                break;
        }
    };
    pass(3);
    CHECK_FALSE(std::filesystem::exists(dir / "out.npy"));
    pass(6);
    CHECK(output_in(dir) == std::vector<std::int64_t>{6, 21});
    pass(100);
    CHECK(output_in(dir) == std::vector<std::int64_t>{6, 21, 45});
}

TEST_CASE("a warm-up leaves no rows", "[loop][sink]") {
    const temp_dir dir;
    for (const std::size_t rows : {std::size_t{6}, std::size_t{9}}) {
        const auto source = counting(1, rows);
        nk::stateful_loop loop(dir / "a.state", quick());
        for (const auto& chunk : loop.over(source, {.rows = 3, .warm_up = 3}).into(dir / "out.npy"))
            loop.append(chunk);
    }
    CHECK(output_in(dir) == listed(counting(1, 9)));
}

TEST_CASE("a loop killed at any call has put each row out exactly once when it is done", "[loop][sink][fault]") {
    for (const bool syncs : {false, true}) {
        const temp_dir first;
        add_up(first, 6);
        const nk::loop_options options{.every = 1, .sync = syncs};
        const auto calls = faults::calls_of([&] { add_up(first, 12, options); });
        REQUIRE(calls.size() > 10);
        for (const auto effect : {faults::effect::kill, faults::effect::kill_halfway})
            for (std::size_t at = 0; at < calls.size(); ++at) {
                CAPTURE(syncs, at, calls[at].name, calls[at].path);
                // A change of the header is shorter than a page, which no kill tears.
                if (effect == faults::effect::kill_halfway && (calls[at].name != "pwrite" || calls[at].offset < 128))
                    continue;
                const temp_dir dir;
                add_up(dir, 6);

                REQUIRE(faults::killed({.what = effect, .at = at}, [&] { add_up(dir, 12, options); }));

                // What a colleague sees is always the sums of complete commits.
                const auto seen = output_in(dir);
                CHECK(seen.size() % 3 == 0);
                CHECK(seen == sums_to(static_cast<std::int64_t>(seen.size())));
                add_up(dir, 12);
                CHECK(output_in(dir) == sums_to(12));
                nk::verify(dir / "out.npy");
            }
    }
}

TEST_CASE("a loop that starts with a kill at any call has put each row out exactly once", "[loop][sink][fault]") {
    const temp_dir first;
    const auto calls = faults::calls_of([&] { add_up(first, 4); });
    for (std::size_t at = 0; at < calls.size(); ++at) {
        CAPTURE(at, calls[at].name, calls[at].path);
        const temp_dir dir;
        REQUIRE(faults::killed({.what = faults::effect::kill, .at = at}, [&] { add_up(dir, 4); }));
        add_up(dir, 4);
        CHECK(output_in(dir) == sums_to(4));
    }
}

TEST_CASE("a call that fails leaves a loop that can go on", "[loop][sink][fault][error]") {
    const temp_dir first;
    add_up(first, 6);
    const auto calls = faults::calls_of([&] { add_up(first, 12); });
    for (std::size_t at = 0; at < calls.size(); ++at) {
        CAPTURE(at, calls[at].name, calls[at].path);
        const temp_dir dir;
        add_up(dir, 6);
        {
            const faults::session armed({.what = faults::effect::fail, .at = at, .code = ENOSPC, .disk_full = true});
            try {
                add_up(dir, 12);
            } catch (const nk::io_error&) {
            }
        }
        add_up(dir, 12);
        CHECK(output_in(dir) == sums_to(12));
    }
}

TEST_CASE("a file with other rows than those of the loop is refused", "[loop][sink][error]") {
    const temp_dir dir;
    const auto out = dir / "out.npy";
    nk::save(out, counting(1, 2));
    const auto e = thrown<nk::mismatch_error>([&] { add_up(dir, 6); });
    CHECK(e.file() == out);
    CHECK(e.expected() == "0, as this loop has committed");
    CHECK(e.found() == "2");

    std::filesystem::remove(out);
    add_up(dir, 6);
    nk::append(out, counting(1, 1));
    CHECK(thrown<nk::mismatch_error>([&] { add_up(dir, 9); }).found() == "7");
    nk::save(out, counting(1, 4));
    CHECK(thrown<nk::mismatch_error>([&] { add_up(dir, 9); }).found() == "4");
    std::filesystem::remove(out);
    CHECK(thrown<nk::mismatch_error>([&] { add_up(dir, 9); }).found() == "no file");
}

TEST_CASE("rows that another program adds during a pass are an error", "[loop][sink][error]") {
    const temp_dir dir;
    const auto source = counting(1, 6);
    nk::stateful_loop loop(dir / "a.state", quick());
    const auto pass = [&] {
        for (const auto& chunk : loop.over(source, {.rows = 3}).into(dir / "out.npy")) {
            loop.append(chunk);
            if (loop.first_row() == 3)
                nk::append(dir / "out.npy", counting(1, 1));
        }
    };
    CHECK(thrown<nk::conflict_error>(pass).file() == dir / "out.npy");
}

TEST_CASE("a loop keeps its output", "[loop][sink][error]") {
    const temp_dir dir;
    add_up(dir, 6);
    const auto source = counting(1, 9);
    {
        nk::stateful_loop loop(dir / "sum.state", quick());
        (void)loop.bind<std::int64_t>("sum");
        CHECK_THROWS_AS(loop.over(source, {.rows = 3}).begin(), nk::mismatch_error);
        CHECK_THROWS_AS(loop.over(source, {.rows = 3}).into(dir / "other.npy").begin(), nk::mismatch_error);
        nk::chunk_writer<std::int64_t, 1> sink(dir / "chunks");
        CHECK_THROWS_AS(loop.over(source, {.rows = 3}).into(sink).begin(), nk::mismatch_error);
    }
    nk::stateful_loop plain(dir / "plain.state", quick());
    for (const auto& chunk : plain.over(source, {.rows = 3}))
        CHECK_THROWS_AS(plain.append(chunk), nk::mismatch_error);
    CHECK_THROWS_AS(plain.over(source, {.rows = 3}).into(dir / "plain.npy").begin(), nk::mismatch_error);
}

}  // namespace loop_npy_output_tests
