// SPDX-License-Identifier: BSD-3-Clause
// Writers killed at any instant: acknowledged commits are present, others are present completely or not at all.
#include "chunks/dataset.hpp"
#include "support/faults.hpp"

#include <ndkeep/bytes/crc.hpp>

#include <chrono>
#include <iostream>
#include <optional>
#include <random>
#include <thread>

namespace chunks_kill_tests {

namespace nk = ndkeep;
using namespace dataset;

namespace {

using rows = xt::xtensor<std::int32_t, 2>;
constexpr std::size_t width = 5;

/// A message from the child before and after each commit.
struct notice {
    char what = ' ';  // 'r': ready; 'i': intends to commit; 'a': acknowledged; '!': error
    std::uint32_t sum = 0;
    std::uint64_t commit = 0;
};

std::uint32_t sum_of(const rows& all) {
    const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(all.data()),
                                           all.size() * sizeof(std::int32_t));
    return nk::crc32c(bytes) ^ static_cast<std::uint32_t>(all.shape()[0]);
}

rows noise(std::size_t count, std::minstd_rand& random) {
    rows block(std::array<std::size_t, 2>{count, width});
    for (auto& number : block)
        number = static_cast<std::int32_t>(random());
    return block;
}

/// Changes the dataset repeatedly until it is killed.
[[noreturn]] void write_for_ever(const std::filesystem::path& path, int pipe, unsigned seed) {
    std::minstd_rand random(seed);
    const auto below = [&](std::size_t end) { return end == 0 ? 0 : random() % end; };
    const auto tell = [&](const notice& said) { return ::write(pipe, &said, sizeof said) == sizeof said; };
    try {
        rows all = nk::load_chunked<std::int32_t, 2>(path);
        for (bool heard = tell({'r', 0, 0}); heard;) {
            nk::chunk_writer<std::int32_t, 2> writer(path, {.rows_per_chunk = 6, .commit = {.sync = false, .keep = 3}});
            for (std::size_t turns = 1 + below(12); turns-- > 0 && heard;) {
                for (std::size_t edits = 1 + below(3); edits-- > 0;) {
                    const std::size_t count = all.shape()[0], kind = below(10);
                    if (kind < 5 && count < 150) {
                        const auto block = noise(1 + below(8), random);
                        writer.append(block);
                        all = rows(xt::concatenate(xt::xtuple(all, block), 0));
                    } else if (kind < 8 && count > 0) {
                        const std::size_t first = below(count);
                        const auto block = noise(1 + below(std::min<std::size_t>(10, count - first)), random);
                        writer.write(first, block);
                        xt::view(all, xt::range(first, first + block.shape()[0])) = block;
                    } else {
                        const std::size_t wanted = below(120);
                        writer.resize(wanted);
                        rows next = xt::zeros<std::int32_t>({wanted, width});
                        std::copy_n(all.begin(), std::min(all.size(), next.size()), next.begin());
                        all = next;
                    }
                }
                heard = tell({'i', sum_of(all), 0});
                const auto commit = writer.commit();
                heard = heard && tell({'a', sum_of(all), commit});
            }
            if (below(3) == 0)
                (void)nk::prune_chunked(path, {.keep = 1 + below(3)});
        }
    } catch (const std::exception& error) {
        (void)tell({'!', 0, 0});
        std::fputs(error.what(), stderr);
    }
    ::_exit(1);
}

/// As above, with compact_chunked between the changes.
[[noreturn]] void compact_for_ever(const std::filesystem::path& path, int pipe, unsigned seed) {
    std::minstd_rand random(seed);
    const auto tell = [&](const notice& said) { return ::write(pipe, &said, sizeof said) == sizeof said; };
    try {
        rows all = nk::load_chunked<std::int32_t, 2>(path);
        for (bool heard = tell({'r', 0, 0}); heard;) {
            {
                nk::chunk_writer<std::int32_t, 2> writer(path, {.rows_per_chunk = 2, .commit = {.sync = false}});
                const auto block = noise(1 + random() % 9, random);
                writer.append(block);
                if (all.shape()[0] > 100)
                    writer.resize(10);
                all = all.shape()[0] > 100 ? rows(xt::view(all, xt::range(0, 10)))
                                           : rows(xt::concatenate(xt::xtuple(all, block), 0));
                heard = tell({'i', sum_of(all), 0});
                const auto commit = writer.commit();
                heard = heard && tell({'a', sum_of(all), commit});
            }
            nk::compact_chunked(path, {.rows_per_chunk = 20, .commit = unsynced});
            (void)nk::prune_chunked(path, {.keep = 1 + random() % 3});
        }
    } catch (const std::exception& error) {
        (void)tell({'!', 0, 0});
        std::fputs(error.what(), stderr);
    }
    ::_exit(1);
}

/// Kills a child some time after it is ready, or after its first acknowledged commit, and returns its messages.
template <class Act>
std::vector<notice> said_before_killed(std::optional<std::chrono::microseconds> after, Act&& act) {
    int ends[2] = {};
    if (::pipe(ends) != 0)
        throw std::runtime_error("no pipe");
    const pid_t child = ::fork();
    if (child < 0)
        throw std::runtime_error("no process");
    if (child == 0) {
        ::close(ends[0]);
        act(ends[1]);
    }
    ::close(ends[1]);
    std::vector<notice> all;
    const auto hear = [&] {
        notice said;
        const bool heard = ::read(ends[0], &said, sizeof said) == sizeof said;
        if (heard)
            all.push_back(said);
        return heard;
    };
    (void)hear();  // waits until it is ready, so that no child is killed before it has done anything
    if (after)
        std::this_thread::sleep_for(*after);
    while (!after && hear() && all.back().what != 'a') {
    }
    ::kill(child, SIGKILL);
    while (hear()) {
    }
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    return all;
}

template <class Act>
void kill_often(int times, Act&& act) {
    const temp_dir dir;
    const auto path = dir / "a";
    std::minstd_rand random(5);
    nk::save_chunked(path, noise(20, random), {.rows_per_chunk = 6, .commit = unsynced});
    std::uint32_t known = sum_of(nk::load_chunked<std::int32_t, 2>(path));
    std::size_t commits = 0, left = 0;
    std::chrono::microseconds longest(9000);

    for (int turn = 0; turn < times; ++turn) {
        INFO("kill " << turn);
        // The first turn measures how long a commit takes; the others are killed within a few times that duration.
        const auto after = std::chrono::microseconds(random() % static_cast<std::uint64_t>(longest.count()));
        const auto begin = std::chrono::steady_clock::now();
        const auto heard = said_before_killed(turn == 0 ? std::nullopt : std::optional(after),
                                              [&](int pipe) { act(path, pipe, static_cast<unsigned>(turn + 1)); });
        if (turn == 0)
            longest = std::max(longest, 2 * std::chrono::duration_cast<std::chrono::microseconds>(
                                                std::chrono::steady_clock::now() - begin));

        std::optional<std::uint32_t> intended;
        std::uint64_t acknowledged = 0;
        for (const auto& said : heard) {
            REQUIRE(said.what != '!');
            if (said.what == 'a') {
                known = said.sum;
                acknowledged = said.commit;
                intended.reset();
                ++commits;
            } else if (said.what == 'i') {
                intended = said.sum;
            }
        }
        const auto all = nk::load_chunked<std::int32_t, 2>(path);
        const auto now = sum_of(all);
        if (now != known && now != intended)
            FAIL("neither the old rows nor the new ones");
        known = now;
        CHECK(nk::inspect_chunked(path).commit >= acknowledged);
        for (const auto& wrong : nk::findings_chunked(path))
            FAIL_CHECK(wrong.message);
        CHECK(same(nk::map_chunked<std::int32_t, 2>(path), all));
        left += orphans(path).size();
        if (turn % 5 == 4) {
            // The next writer that finds itself alone sweeps the files of the killed ones.
            nk::chunk_writer<std::int32_t, 2> writer(path, {.rows_per_chunk = 6, .commit = {.sync = false, .keep = 3}});
            writer.append(noise(1, random));
            writer.commit();
            const auto still_left = orphans(path);
            CHECK(still_left.size() == 0);
            known = sum_of(nk::load_chunked<std::int32_t, 2>(path));
        }
    }

    // Otherwise the test would have tested nothing.
    CHECK(commits > 0);
    CHECK(left > 0);
    std::cout << times << " kills: " << commits << " commits, " << left << " files left by those killed\n";
}

}  // namespace

TEST_CASE("a writer killed at any instant leaves the old rows or the new ones", "[chunks][slow]") {
    kill_often(200,
               [](const std::filesystem::path& path, int pipe, unsigned seed) { write_for_ever(path, pipe, seed); });
}

TEST_CASE("a compaction or prune killed at any instant leaves all rows", "[chunks]") {
    kill_often(100,
               [](const std::filesystem::path& path, int pipe, unsigned seed) { compact_for_ever(path, pipe, seed); });
}

}  // namespace chunks_kill_tests
