// SPDX-License-Identifier: BSD-3-Clause
// Merges in which one system call fails or the process dies, and processes that merge at once and are killed.
#include "chunks/marked_rows.hpp"
#include "support/faults.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace chunks_merge_faults_tests {

namespace nk = ndkeep;
using namespace dataset;
using namespace marked_rows;

namespace {

/// Rows, what is done to them, and what they are afterwards.
struct scene {
    marks before, given, after;
};

std::vector<scene> scenes() {
    const auto with = [](std::initializer_list<std::int64_t> keys) {
        marks out;
        for (const auto key : keys)
            out.push_back({key, 0});
        return out;
    };
    return {
        {with({1, 2, 3, 4, 5, 6}), {{3, 9}, {4, 9}}, {{1, 0}, {2, 0}, {3, 0}, {3, 9}, {4, 0}, {4, 9}, {5, 0}, {6, 0}}},
        {with({0, 10, 20, 30, 40, 50, 60, 70}), with({21, 22, 23}), with({0, 10, 20, 21, 22, 23, 30, 40, 50, 60, 70})}};
}

void merge(const std::filesystem::path& path, const scene& of) {
    nk::chunk_writer<mark, 1> sink(path, {.rows_per_chunk = 2, .commit = {.keep = 1}});
    sink.merge(rows_of(of.given));
    sink.commit();
}

void check_old_or_new(const std::filesystem::path& path, const scene& of, bool is_new_for_certain) {
    const auto rows = all_rows(path);
    CHECK((rows == of.after || (!is_new_for_certain && rows == of.before)));
    for (const auto& wrong : nk::findings_chunked(path))
        FAIL_CHECK(wrong.message);
    // A writer that comes later is not hindered, and sweeps what is left.
    nk::chunk_writer<mark, 1> sink(path, {.rows_per_chunk = 2, .commit = {.sync = false, .keep = 1}});
    sink.append(rows_of({{100, 0}}));
    sink.commit();
    CHECK(orphans(path).empty());
}

}  // namespace

TEST_CASE("a merge leaves the old rows or the new ones, whichever call fails", "[chunks][merge][fault]") {
    for (const auto& of : scenes())
        for (const auto kind : {faults::kind::changes, faults::kind::reads})
            for (const int code : {EIO, ENOSPC}) {
                std::size_t calls = 1, at = 0;
                for (; at < calls; ++at) {
                    CAPTURE(of.before.size(), static_cast<unsigned>(kind), code, at);
                    const temp_dir dir;
                    const auto path = dir / "a";
                    nk::save_chunked(path, rows_of(of.before),
                                     {.rows_per_chunk = 2, .order_by = "t", .commit = unsynced});
                    bool acknowledged = false;
                    {
                        const faults::session armed(
                            {.what = faults::effect::fail, .at = at, .code = code, .counted = kind});
                        try {
                            merge(path, of);
                            acknowledged = true;
                        } catch (const nk::error&) {
                            acknowledged = false;
                        }
                        // A merge that fails makes fewer calls, so each run corrects the number.
                        calls = std::max(calls, 1 + armed.calls().size());
                    }
                    check_old_or_new(path, of, acknowledged);
                }
                CHECK(at > 5);
            }
}

TEST_CASE("a merge leaves the old rows or the new ones, wherever the process dies", "[chunks][merge][kill]") {
    for (const auto& of : scenes()) {
        bool has_ended = false;
        std::size_t at = 0;
        for (; !has_ended; ++at) {
            CAPTURE(of.before.size(), at);
            REQUIRE(at < 200);
            const temp_dir dir;
            const auto path = dir / "a";
            nk::save_chunked(path, rows_of(of.before), {.rows_per_chunk = 2, .order_by = "t", .commit = unsynced});
            const pid_t child = ::fork();
            if (child == 0) {
                const faults::session armed({.what = faults::effect::kill, .at = at});
                try {
                    merge(path, of);
                } catch (const std::exception&) {
                    ::_exit(1);
                }
                ::_exit(0);
            }
            int status = 0;
            ::waitpid(child, &status, 0);
            has_ended = WIFEXITED(status);
            if (has_ended)
                CHECK(WEXITSTATUS(status) == 0);
            check_old_or_new(path, of, has_ended);
        }
        CHECK(at > 8);
    }
}

namespace {

/// What a child tells of a merge: that it begins, or that it is committed.
struct notice {
    char what = ' ';
    std::int64_t value = 0, first = 0, last = 0;  // keys of the rows that carry the value
};

/// Merges rows until it is killed. Even turns use keys of its own, odd turns keys that all share.
[[noreturn]] void merge_for_ever(const std::filesystem::path& path, int pipe, std::int64_t who, unsigned seed) {
    std::minstd_rand random(seed);
    try {
        for (std::int64_t turn = 0;; ++turn) {
            const std::int64_t low = turn % 2 == 0 ? who * 1000 : 5000;
            const std::int64_t first = low + static_cast<std::int64_t>(random() % 60), last = first + 3;
            const std::int64_t value = who * 1'000'000'000 + static_cast<std::int64_t>(seed) * 10'000 + turn;
            marks rows;
            for (auto key = first; key <= last; ++key)
                rows.push_back({key, value});
            for (;;)
                try {
                    nk::chunk_writer<mark, 1> sink(path, {.rows_per_chunk = 16, .commit = {.sync = false, .keep = 3}});
                    sink.merge(rows_of(rows));
                    notice made{'i', value, first, last};
                    if (::write(pipe, &made, sizeof made) != sizeof made)
                        ::_exit(2);
                    sink.commit();
                    made.what = 'a';
                    if (::write(pipe, &made, sizeof made) != sizeof made)
                        ::_exit(2);
                    break;
                } catch (const nk::conflict_error&) {
                    // Another process was faster with these keys.
                    const notice refused{'c', value, first, last};
                    if (::write(pipe, &refused, sizeof refused) != sizeof refused)
                        ::_exit(2);
                }
        }
    } catch (const std::exception& problem) {
        std::fputs(problem.what(), stderr);
        const notice wrong{'!', 0, 0, 0};
        (void)!::write(pipe, &wrong, sizeof wrong);
    }
    ::_exit(1);
}

}  // namespace

TEST_CASE("four processes that merge at once and are killed lose no row", "[chunks][merge][kill]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, rows_of({{0, -1}, {9999, -1}}), {.rows_per_chunk = 16, .order_by = "t", .commit = unsynced});
    std::map<std::int64_t, notice> committed, intended;
    std::size_t refused = 0, acknowledged = 0;
    constexpr int rounds = 12;
    for (int round = 0; round < rounds; ++round) {
        int ends[2] = {};
        REQUIRE(::pipe(ends) == 0);
        std::vector<pid_t> children;
        for (std::int64_t who = 1; who <= 4; ++who) {
            const pid_t child = ::fork();
            REQUIRE(child >= 0);
            if (child == 0) {
                ::close(ends[0]);
                merge_for_ever(path, ends[1], who, static_cast<unsigned>(round) * 4 + static_cast<unsigned>(who));
            }
            children.push_back(child);
        }
        ::close(ends[1]);
        std::minstd_rand random(static_cast<unsigned>(round) + 1);
        std::this_thread::sleep_for(std::chrono::milliseconds(40 + random() % 60));
        for (const auto child : children) {
            ::kill(child, SIGKILL);
            std::this_thread::sleep_for(std::chrono::milliseconds(random() % 5));
        }
        for (notice heard; ::read(ends[0], &heard, sizeof heard) == sizeof heard;) {
            REQUIRE(heard.what != '!');
            if (heard.what == 'i') {
                intended[heard.value] = heard;
            } else if (heard.what == 'c') {
                ++refused;
                intended.erase(heard.value);
            } else {
                ++acknowledged;
                committed[heard.value] = heard;
                intended.erase(heard.value);
            }
        }
        ::close(ends[0]);
        for (const auto child : children)
            ::waitpid(child, nullptr, 0);

        const auto rows = all_rows(path);
        CHECK(std::is_sorted(rows.begin(), rows.end(), [](const mark& a, const mark& b) { return a.t < b.t; }));
        std::map<std::int64_t, std::vector<std::int64_t>> found;
        for (const auto& row : rows)
            if (row.v != -1)
                found[row.v].push_back(row.t);
        const auto keys = [](const notice& of) {
            std::vector<std::int64_t> out;
            for (auto key = of.first; key <= of.last; ++key)
                out.push_back(key);
            return out;
        };
        for (const auto& [value, of] : committed)
            CHECK(found[value] == keys(of));
        for (const auto& [value, where] : found) {
            if (committed.count(value) != 0)
                continue;
            // Killed between its commit and the message about it.
            REQUIRE(intended.count(value) != 0);
            CHECK(where == keys(intended[value]));
            committed[value] = intended[value];
        }
        intended.clear();
        for (const auto& wrong : nk::findings_chunked(path))
            FAIL_CHECK(wrong.message);
    }
    INFO("conflicts: " << refused);
    CHECK(acknowledged > 20);
}

}  // namespace chunks_merge_faults_tests
