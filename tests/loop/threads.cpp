// SPDX-License-Identifier: BSD-3-Clause
// Chunks that a thread reads ahead while the body processes the previous one.
#include "loop/loop.hpp"

#include <thread>

namespace loop_threads_tests {

namespace nk = ndkeep;
using namespace looptest;

TEST_CASE("compressed members are expanded ahead by a thread", "[loop][threads]") {
    const temp_dir dir;
    const auto chunks = chunks_of({5000, 1, 20'000, 3000});
    nk::save_npz(dir / "a.npz", {{"w", chunks[0]}, {"x", chunks[1]}, {"y", chunks[2]}, {"z", chunks[3]}},
                 {.compress = true});
    const nk::npz_reader archive(dir / "a.npz");
    for (int turn = 0; turn < 20; ++turn) {
        nk::stateful_loop loop(dir / ("a" + std::to_string(turn)), quick());
        auto& sum = loop.bind<std::int64_t>("sum");
        for (const auto& chunk : loop.over<std::int64_t, 1>(archive)) {
            sum += sum_of(chunk);
            if (turn % 4 == 3 && loop.index() == static_cast<std::uint64_t>(turn / 4))
                break;  // while the next chunk is being read
        }
        if (turn % 4 != 3)
            CHECK(sum == std::int64_t{28001} * 28002 / 2);
    }
}

TEST_CASE("checksums are looked at ahead by a thread", "[loop][threads]") {
    const temp_dir dir;
    const ints all = counting(1, 30'000);
    nk::save_chunked(dir / "rows", all, {.rows_per_chunk = 1000, .commit = unsynced});
    const nk::chunk_reader<std::int64_t, 1> reader(dir / "rows");
    nk::stateful_loop loop(dir / "a.state", quick());
    auto& sum = loop.bind<std::int64_t>("sum");
    for (const auto& chunk : loop.over(reader, {.verify = true}))
        sum += sum_of(chunk);
    CHECK(sum == std::int64_t{30'000} * 30'001 / 2);
}

TEST_CASE("another thread may stop a pass", "[loop][threads]") {
    const temp_dir dir;
    nk::stateful_loop loop(dir / "a.state", quick(nk::at_end));
    std::atomic<bool> stop = false;
    std::thread other;
    std::uint64_t bodies = 0;
    for ([[maybe_unused]] const auto& chunk :
         loop.over([]() -> std::optional<ints> { return counting(1, 1); }, {.run = {.stop = &stop}})) {
        if (bodies++ == 10)
            other = std::thread([&] { stop = true; });
    }
    other.join();
    CHECK(loop.rows_done() == bodies);
}

}  // namespace loop_threads_tests
