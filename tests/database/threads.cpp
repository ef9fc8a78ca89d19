// SPDX-License-Identifier: BSD-3-Clause
// Threads that read a database while another one writes it.
#include "support/threads.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/database.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>

using namespace ndkeep;

namespace database_threads_tests {

TEST_CASE("snapshots in threads see one commit at a time", "[database][threads]") {
    temp_dir dir;
    database lab(dir / "lab");
    auto a = lab.create<std::int64_t>("a", {2000}), b = lab.create<std::int64_t>("b", {700});
    lab.commit();
    constexpr int readers = 3, rounds = 30;
    std::atomic<int> at_work = readers;
    std::atomic<bool> mixed = false;

    in_threads(readers + 1, [&](int thread) {
        if (thread == readers) {
            for (std::int64_t x = 1; at_work != 0; ++x) {
                a.fill(x);
                b.fill(x);
                lab.commit();
            }
            return;
        }
        database_snapshot now(dir / "lab");
        for (int round = 0; round < rounds; ++round) {
            const auto seen_a = now.map<std::int64_t, 1>("a"), seen_b = now.map<std::int64_t, 1>("b");
            const auto is_same = [x = seen_a(0)](std::int64_t each) { return each == x; };
            if (!std::all_of(seen_a.begin(), seen_a.end(), is_same) ||
                !std::all_of(seen_b.begin(), seen_b.end(), is_same))
                mixed = true;
            now.refresh();
        }
        --at_work;
    });

    CHECK_FALSE(mixed);
}

TEST_CASE("threads store into different parts of an array between two commits", "[database][threads]") {
    temp_dir dir;
    database lab(dir / "lab");
    auto a = lab.create<std::int64_t>("a", {4 * 5000});

    for (std::int64_t commit = 1; commit <= 3; ++commit) {
        in_threads(4, [&](int thread) { std::fill_n(a.data() + thread * 5000, 5000, 10 * commit + thread); });
        lab.commit();
    }

    const database_snapshot now(dir / "lab");
    const auto seen = now.map<std::int64_t, 1>("a");
    for (std::size_t i = 0; i < seen.size(); ++i)
        REQUIRE(seen(i) == 30 + static_cast<std::int64_t>(i / 5000));
}

}  // namespace database_threads_tests
