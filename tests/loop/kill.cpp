// SPDX-License-Identifier: BSD-3-Clause
// A process that is killed at any instant and restarted until it is done: each chunk takes effect exactly once.
#include "chunks/dataset.hpp"
#include "loop/loop.hpp"
#include "support/faults.hpp"

#include <chrono>
#include <iostream>
#include <random>
#include <thread>

namespace loop_kill_tests {

namespace nk = ndkeep;
using namespace looptest;

namespace {

using doubles = xt::xtensor<double, 1>;

/// A filter with state, a buffer, and an output whose length is independent of the input's. It sums floating-point
/// numbers, so a different order would change the result.
void smooth(const std::filesystem::path& dir, bool syncs) {
    const nk::chunk_reader<double, 1> reader(dir / "rows");
    nk::chunk_writer<double, 1> sink(dir / "smooth", {.rows_per_chunk = 50, .commit = {.sync = syncs, .keep = 3}});
    nk::stateful_loop loop(dir / "smooth.state", {.every = 1, .sync = syncs});
    auto& level = loop.bind<double>("level");
    auto& seen = loop.bind<std::vector<double>>("seen");
    auto& batches = loop.buffer<double, 1>("batches", {.limit_bytes = 200});
    for (const auto& chunk : loop.over(reader).into(sink)) {
        doubles out = chunk;
        for (double& value : out)
            value = level = 0.9 * level + 0.1 * value;
        seen.push_back(out(0));
        if (const auto batch = batches.push(out))
            sink.append(*batch);
    }
}

doubles noise(std::size_t count) {
    std::mt19937 random(7);
    std::normal_distribution<double> normal;
    doubles all(std::array<std::size_t, 1>{count});
    for (double& value : all)
        value = normal(random);
    return all;
}

}  // namespace

TEST_CASE("a loop killed at 100 instants puts each row out exactly once", "[loop][long]") {
    const temp_dir dir;
    constexpr std::size_t rows = 8'000;
    nk::save_chunked(dir / "rows", noise(rows), {.rows_per_chunk = 7, .commit = dataset::unsynced});
    std::filesystem::create_directory(dir / "once");
    std::filesystem::create_directory_symlink(dir / "rows", dir / "once/rows");
    smooth(dir / "once", false);
    const auto expected = nk::load_chunked<double, 1>(dir / "once/smooth");
    REQUIRE(expected.size() == rows);

    std::minstd_rand random(5);
    int kills = 0, rounds = 0;
    std::size_t commits = 0;
    while (kills < 100) {
        ++rounds;
        std::filesystem::remove_all(dir / "smooth");
        for (bool done = false; !done;) {
            const pid_t child = ::fork();
            if (child == 0) {
                try {
                    smooth(dir.path(), false);
                    ::_exit(0);
                } catch (const std::exception& problem) {
                    std::fputs(problem.what(), stderr);
                    ::_exit(1);
                }
            }
            if (kills < 100) {
                std::this_thread::sleep_for(std::chrono::microseconds(random() % 25'000));
                ::kill(child, SIGKILL);
            }
            int status = 0;
            ::waitpid(child, &status, 0);
            if (WIFSIGNALED(status)) {
                ++kills;
                continue;
            }
            REQUIRE(WEXITSTATUS(status) == 0);
            done = true;
        }
        const auto out = nk::load_chunked<double, 1>(dir / "smooth");
        CHECK(dataset::same(out, expected));
        commits += nk::inspect_chunked(dir / "smooth").commit;
        nk::verify_chunked(dir / "smooth");
    }

    // Each body has committed once; otherwise there would be more commits.
    CHECK(commits == static_cast<std::size_t>(rounds) * nk::inspect_chunked(dir / "once/smooth").commit);
    std::cout << kills << " kills in " << rounds << " passes of " << (rows + 6) / 7 << " chunks\n";
}

}  // namespace loop_kill_tests
