// SPDX-License-Identifier: BSD-3-Clause
// The writer of a database is killed at each of its file calls, during recovery, and at random moments.
#include "database/scene.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include <sys/mman.h>

namespace database_scene::kills_tests {

using problems = std::set<std::string>;

/// Numbers that a child tells its parent, whenever it is killed.
struct progress {
    std::uint64_t attempted = 0;
    std::uint64_t acknowledged = 0;
};

class shared_progress {
  public:
    shared_progress() {
        void* const shared =
            ::mmap(nullptr, sizeof(progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        REQUIRE(shared != MAP_FAILED);
        numbers_ = static_cast<progress*>(shared);
    }
    shared_progress(const shared_progress&) = delete;
    shared_progress& operator=(const shared_progress&) = delete;
    ~shared_progress() { ::munmap(numbers_, sizeof(progress)); }

    volatile progress* operator->() const { return numbers_; }

  private:
    progress* numbers_;
};

/// A writer that makes the commits after `from`, up to `to`.
struct writer {
    std::uint64_t from;
    std::uint64_t to;

    void operator()(const fs::path& lab, const shared_progress& told) const {
        told->attempted = from;
        told->acknowledged = from;
        database opened(lab);
        for (std::uint64_t number = from + 1; number <= to; ++number) {
            told->attempted = number;
            commit(opened, number);
            told->acknowledged = number;
        }
        opened.close();
    }

    /// A directory for it.
    [[nodiscard]] std::unique_ptr<prepared> before() const { return std::make_unique<prepared>(from); }

    [[nodiscard]] std::size_t calls() const {
        const auto where = before();
        const shared_progress told;
        return faults::calls_of([&] { (*this)(where->lab(), told); }).size();
    }
};

/// Kills the writer at its calls, and checks what the next one finds.
problems wrong_after_kills(const writer& writes) {
    const std::size_t calls = writes.calls();
    REQUIRE(calls > 40);
    const shared_progress told;
    problems found;
    for (const auto how : {faults::effect::kill, faults::effect::kill_halfway})
        for (std::size_t at = 0; at < calls; ++at) {
            const auto where = writes.before();
            if (!faults::killed({.what = how, .at = at}, [&] { writes(where->lab(), told); }))
                continue;  // a call that cannot be stopped halfway
            const auto wrong = wrong_after_opening(where->lab(), told->acknowledged, told->attempted);
            if (!wrong.empty())
                found.insert("killed at " + std::to_string(at) + ": " + wrong);
        }
    return found;
}

TEST_CASE("a kill at any call leaves all of a commit or nothing", "[database][fault][slow]") {
    CHECK(wrong_after_kills({3, 5}) == problems{});
}

TEST_CASE("a kill at any call of the first commits leaves all of a commit or nothing", "[database][fault]") {
    CHECK(wrong_after_kills({0, 2}) == problems{});
}

/// Kills the writer at every call that `step` reaches, then kills each recovery one call later than the one before,
/// until one ends.
problems wrong_after_killed_recoveries(const writer& writes, std::size_t step, std::size_t& kills) {
    const std::size_t calls = writes.calls();
    const shared_progress told;
    problems found;
    for (std::size_t at = 1; at < calls; at += step) {
        const auto where = writes.before();
        REQUIRE(faults::killed({.what = faults::effect::kill, .at = at}, [&] { writes(where->lab(), told); }));
        const std::uint64_t least = told->acknowledged, most = told->attempted;
        const auto recover = [&] { const database opened(where->lab()); };
        for (std::size_t next = 0; faults::killed({.what = faults::effect::kill, .at = next}, recover); ++next)
            ++kills;
        if (auto wrong = wrong_after_opening(where->lab(), least, most); !wrong.empty())
            found.insert("killed at " + std::to_string(at) + ": " + wrong);
    }
    return found;
}

TEST_CASE("kills at every call of a recovery lose no commit", "[database][fault]") {
    std::size_t kills = 0;

    CHECK(wrong_after_killed_recoveries({4, 5}, 2, kills) == problems{});
    CHECK(kills > 50);
}

TEST_CASE("kills at every call of every recovery lose no commit", "[database][fault][long][slow]") {
    std::size_t kills = 0;

    CHECK(wrong_after_killed_recoveries({2, 6}, 1, kills) == problems{});
    CHECK(kills > 1000);
}

TEST_CASE("kills at every call of the recovery of a copy lose no commit", "[database][fault]") {
    const prepared before(4);
    const temp_dir dir;
    {
        database lab(before.lab());
        commit(lab, 5);
        fs::copy(before.lab(), dir / "lab", fs::copy_options::recursive);
    }

    const auto recover = [&] { const database opened(dir / "lab"); };
    for (std::size_t next = 0; faults::killed({.what = faults::effect::kill, .at = next}, recover);)
        ++next;

    CHECK(wrong_after_opening(dir / "lab", 5, 5) == "");
}

/// Writes x to two arrays and their metadata in each commit, for ever.
[[noreturn]] void write_for_ever(const fs::path& path, std::int64_t x, const shared_progress& told) {
    database lab(path);
    auto a = lab.open<std::int64_t, 1>("A");
    auto b = lab.open<std::int64_t, 2>("B");
    for (;; ++x) {
        a.fill(x);
        b.fill(x);
        const xt::xtensor<std::int64_t, 2> row = xt::ones<std::int64_t>({1, 8}) * x;
        b.append(row);
        lab.metadata("A")["x"] = x;
        lab.metadata("B")["x"] = x;
        told->attempted = static_cast<std::uint64_t>(x);
        (void)lab.commit();
        told->acknowledged = static_cast<std::uint64_t>(x);
    }
}

/// The x of everything; -1 if they are not equal.
std::int64_t common_x(const fs::path& path) {
    { const database recovered(path); }
    std::set<std::int64_t> all = {metadata(path / "A.npy").value("x", -2), metadata(path / "B.npy").value("x", -3)};
    for (const auto& name : {"A.npy", "B.npy"}) {
        const auto values = load<std::int64_t>(path / name);
        all.insert(values.begin(), values.end());
    }
    return all.size() == 1 ? *all.begin() : -1;
}

void kill_at_random(int times, unsigned seed) {
    const temp_dir dir;
    const auto path = dir / "lab";
    {
        database lab(path);
        (void)lab.create<std::int64_t>("A", {2000});
        (void)lab.create<std::int64_t>("B", {3, 8});
        lab.metadata("A")["x"] = 0;
        lab.metadata("B")["x"] = 0;
        (void)lab.commit();
    }
    const shared_progress told;
    std::mt19937 random(seed);
    std::int64_t x = 0;
    std::uint64_t commits_seen = 0;
    for (int i = 0; i < times; ++i) {
        told->attempted = static_cast<std::uint64_t>(x);
        told->acknowledged = static_cast<std::uint64_t>(x);
        const pid_t child = ::fork();
        if (child == 0)
            write_for_ever(path, x + 1, told);
        // Every second child makes a commit first, however slow the machine is.
        const auto patience = std::chrono::steady_clock::now() + std::chrono::minutes(1);
        while (i % 2 == 1 && told->acknowledged <= static_cast<std::uint64_t>(x) &&
               std::chrono::steady_clock::now() < patience)
            std::this_thread::sleep_for(std::chrono::microseconds(50));
        std::this_thread::sleep_for(std::chrono::microseconds(std::uniform_int_distribution(0, 20000)(random)));
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        const std::uint64_t least = told->acknowledged, most = told->attempted;
        commits_seen += least - static_cast<std::uint64_t>(x);
        x = common_x(path);
        REQUIRE(x >= 0);
        REQUIRE(static_cast<std::uint64_t>(x) >= least);
        REQUIRE(static_cast<std::uint64_t>(x) <= most);
    }
    CHECK(commits_seen > static_cast<std::uint64_t>(times) / 4);
}

TEST_CASE("200 kills at random moments leave the same number everywhere", "[database][fault]") {
    kill_at_random(200, 1);
}

TEST_CASE("800 kills at random moments leave the same number everywhere", "[database][fault][long]") {
    kill_at_random(800, 2);
}

}  // namespace database_scene::kills_tests
