// SPDX-License-Identifier: BSD-3-Clause
// A loop over arrays in step, killed at any instant and restarted: the same output, whatever the chunks of the arrays.
#include "chunks/in_step.hpp"
#include "loop/loop.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <random>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace loop_in_step_kill_tests {

namespace nk = ndkeep;
using namespace in_step_rows;

namespace {

/// Merges the rows of both arrays by key into `merged`, with a state that depends on the order of all rows before.
void merge_rows(const std::filesystem::path& dir) {
    const reader a(dir / "a"), b(dir / "b");
    nk::chunk_writer<row, 1> merged(dir / "merged", {.rows_per_chunk = 64, .commit = {.sync = false, .keep = 3}});
    nk::stateful_loop loop(dir / "merged.state", looptest::quick());
    auto& level = loop.bind<double>("level");
    for (auto [t, q] : loop.over(nk::in_step(a, b)).into(merged)) {
        xt::xtensor<row, 1> rows(std::array<std::size_t, 1>{t.size() + q.size()});
        std::merge(t.begin(), t.end(), q.begin(), q.end(), rows.begin(),
                   [](const row& x, const row& y) { return x.t < y.t; });
        for (row& each : rows)
            each.value = level = 0.9 * level + 0.1 * each.value;
        merged.append(rows);
    }
}

void save_inputs(const std::filesystem::path& dir, std::size_t rows_per_chunk) {
    std::filesystem::create_directories(dir);
    std::mt19937 random(17);
    for (const char* const name : {"a", "b"}) {
        keys all(1500);
        for (auto& key : all)
            key = static_cast<std::int64_t>(random() % 900);
        std::sort(all.begin(), all.end());
        nk::save_chunked(dir / name, rows_with(all),
                         {.rows_per_chunk = rows_per_chunk, .order_by = "t", .commit = dataset::unsynced});
    }
}

/// Runs the merge, killed again and again, until it is done.
int merge_with_kills(const std::filesystem::path& dir, std::minstd_rand& random) {
    for (int kills = 0;; ++kills) {
        const pid_t child = ::fork();
        if (child == 0) {
            try {
                merge_rows(dir);
                ::_exit(0);
            } catch (const std::exception& problem) {
                std::fputs(problem.what(), stderr);
                ::_exit(1);
            }
        }
        // Longer with each kill, so that the merge ends on a slow machine too.
        std::this_thread::sleep_for(
            std::chrono::microseconds(2'000 + random() % (30'000 + 1'000 * static_cast<unsigned>(kills))));
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        if (WIFSIGNALED(status))
            continue;
        REQUIRE(WEXITSTATUS(status) == 0);
        return kills;
    }
}

void check_merged(int wanted_kills) {
    const temp_dir dir;
    save_inputs(dir / "once", 23);
    merge_rows(dir / "once");
    const auto expected = nk::load_chunked<row, 1>(dir / "once/merged");
    REQUIRE(expected.size() == 3000);

    std::minstd_rand random(5);
    int kills = 0;
    for (int round = 0; kills < wanted_kills; ++round) {
        const auto path = dir / std::to_string(round);
        save_inputs(path, 10 + random() % 50);
        kills += merge_with_kills(path, random);

        const auto merged = nk::load_chunked<row, 1>(path / "merged");
        CHECK(dataset::same(merged, expected));
        nk::verify_chunked(path / "merged");
    }
}

}  // namespace

TEST_CASE("a loop in step that is killed gives each row out exactly once", "[loop][slow]") { check_merged(10); }

TEST_CASE("a loop in step killed at 100 instants gives each row out exactly once", "[loop][long]") {
    check_merged(100);
}

}  // namespace loop_in_step_kill_tests
