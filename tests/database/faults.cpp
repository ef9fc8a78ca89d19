// SPDX-License-Identifier: BSD-3-Clause
// A database with a failing, interrupted or short file call at each of its calls.
#include "database/scene.hpp"
#include "support/faulty_calls.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <vector>

namespace database_scene::faults_tests {

using problems = std::set<std::string>;

struct fault {
    std::string name;
    faults::plan plan;
};

/// The faults of one call, which must be number `at`.
std::vector<fault> all_faults(std::size_t at) {
    using faults::effect;
    return {{"EIO", {.what = effect::fail, .at = at, .code = EIO}},
            {"full disk", {.what = effect::fail, .at = at, .code = ENOSPC, .disk_full = true}},
            {"half, then EIO", {.what = effect::halve_then_fail, .at = at, .code = EIO}},
            {"half", {.what = effect::halve, .at = at}},
            {"EINTR", {.what = effect::fail, .at = at, .code = EINTR}}};
}

/// Whether a call can be interrupted by a signal, and must then be repeated.
bool is_interruptible(const faults::call& call) {
    static const std::set<std::string> names = {"create", "open", "pread", "pwrite", "ftruncate", "fallocate"};
    return names.contains(call.name);
}

/// Whether a fault makes a difference to a call.
bool concerns(const faults::plan& plan, const faults::call& call) {
    const bool moves_bytes = call.name == "pwrite" || call.name == "pread";
    return plan.code == EINTR ? is_interruptible(call) : plan.what == faults::effect::fail || moves_bytes;
}

/// What `act` throws under a fault, and the calls that it made.
struct outcome {
    std::optional<std::string> thrown;
    std::vector<faults::call> calls;

    [[nodiscard]] bool was_reached(const faults::plan& plan) const { return plan.at < calls.size(); }
};

template <class Act>
outcome under(const faults::plan& plan, Act&& act) {
    outcome made;
    const faults::session armed(plan);
    try {
        act();
    } catch (const error& problem) {
        made.thrown = problem.what();
    }
    made.calls = armed.calls();
    return made;
}

/// Runs `check(fault, add)` for every fault at every call, until a check returns no call because there are no more. Of
/// very many calls, as those that search a log for records, only some are tried.
template <class Check>
problems at_every_call(Check&& check) {
    problems found;
    std::optional<faults::call> reached = faults::call();
    for (std::size_t at = 0; reached; at += at < 40 ? 1 : 60)
        for (const auto& [name, plan] : all_faults(at)) {
            // The first fault concerns every call, and shows which one it is.
            if (plan.code != EIO || plan.what != faults::effect::fail)
                if (!reached || !concerns(plan, *reached))
                    continue;
            const auto add = [&, &name = name](const outcome& what, const std::string& problem) {
                if (!problem.empty())
                    found.insert(name + " at " + std::to_string(at) + ", " + what.calls[at].name + " of " +
                                 fs::path(what.calls[at].path).filename().string() + ": " + problem + " (" +
                                 what.thrown.value_or("nothing thrown") + ")");
            };
            try {
                const outcome made = check(plan, add);
                reached = made.was_reached(plan) ? std::optional(made.calls[at]) : std::nullopt;
            } catch (const error& problem) {
                found.insert(name + " at " + std::to_string(at) + ": " + problem.what());
            }
        }
    return found;
}

/// Whether the database can still be used.
bool is_open(database& lab) {
    try {
        (void)lab.names();
        return true;
    } catch (const conflict_error&) {
        return false;
    }
}

TEST_CASE("a commit whose file call fails is made by the next commit, or closes the database", "[database][fault]") {
    std::size_t failed = 0, closed = 0, calls = 0;
    const auto found = at_every_call([&](const faults::plan& plan, const auto& add) {
        const prepared before(4);
        database lab(before.lab());
        change(lab, 5);
        const auto a = lab.open<std::int64_t, 1>("A");

        const auto made = under(plan, [&] { (void)lab.commit(); });

        if (!made.was_reached(plan))
            return made;
        ++calls;
        const auto failing = plan.at + (plan.what == faults::effect::halve_then_fail ? 1 : 0);
        const bool is_lost_sync = failing < made.calls.size() && made.calls[failing].name.ends_with("sync");
        if (plan.code == EINTR && is_interruptible(made.calls[plan.at]) && made.thrown)
            add(made, "an interruption is an error");
        if (made.thrown && !is_open(lab)) {
            ++closed;
            if (!is_lost_sync && made.thrown->find("commit 5") == std::string::npos && lab.last_commit() == 4)
                add(made, "closed without need");
            add(made, wrong_after_opening(before.lab(), 4, 5));
            return made;
        }
        if (made.thrown) {
            ++failed;
            if (lab.last_commit() != 4 || a(0) != 5 || a.size() != 2500)
                add(made, "the changes are not in memory");
            if (found_in(before.lab()) != states()[4])
                add(made, "the files have changed");
            (void)lab.commit();
        }
        if (lab.last_commit() != 5 || a(0) != 5)
            add(made, "commit 5 is not made");
        commit(lab, 6);
        lab.close();
        add(made, wrong_after_opening(before.lab(), 6, 6));
        return made;
    });

    CHECK(found == problems{});
    CHECK(calls > 100);
    CHECK(failed > 20);
    CHECK(closed > 5);
}

problems aborts_after_failures(faults::kind counted) {
    return at_every_call([&](faults::plan plan, const auto& add) {
        plan.counted = counted;
        const prepared before(4);
        auto lab = std::make_unique<database>(before.lab());
        change(*lab, 5);
        const auto made = under(plan, [&] { (void)lab->commit(); });
        if (!made.was_reached(plan))
            return made;
        if (!made.thrown || !is_open(*lab))
            return made;

        lab->abort();

        if (found_in(before.lab()) != states()[4])
            add(made, "the files have changed");
        // As if it were killed now: nothing of the aborted commit may come back.
        const auto copy = temp_dir::in_memory();
        fs::copy(before.lab(), copy / "lab", fs::copy_options::recursive);
        add(made, wrong_after_opening(copy / "lab", 4, 4));
        lab->close();
        add(made, wrong_after_opening(before.lab(), 4, 4));
        return made;
    });
}

TEST_CASE("after a failed commit, an abort goes back to the commit before", "[database][fault]") {
    CHECK(aborts_after_failures(faults::kind::changes) == problems{});
}

TEST_CASE("after a commit whose reads failed, an abort goes back to the commit before", "[database][fault]") {
    CHECK(aborts_after_failures(faults::kind::reads) == problems{});
}

TEST_CASE("a file call that fails before the commit is undone by an abort", "[database][fault]") {
    std::size_t failed = 0;
    const auto found = at_every_call([&](const faults::plan& plan, const auto& add) {
        const prepared before(4);
        database lab(before.lab());

        const auto made = under(plan, [&] { change(lab, 5); });

        if (!made.was_reached(plan))
            return made;
        if (plan.code == EINTR && is_interruptible(made.calls[plan.at]) && made.thrown)
            add(made, "an interruption is an error");
        if (made.thrown) {
            ++failed;
            lab.abort();
            if (found_in(before.lab()) != states()[4])
                add(made, "the files have changed");
            change(lab, 5);
        }
        (void)lab.commit();
        lab.close();
        add(made, wrong_after_opening(before.lab(), 5, 5));
        return made;
    });

    CHECK(found == problems{});
    CHECK(failed > 10);
}

/// A directory whose writer was killed after the sync of the log in commit 5.
class killed_after_sync {
  public:
    killed_after_sync() : before_(4) {
        static const std::size_t last = last_sync();
        REQUIRE(faults::killed({.what = faults::effect::kill, .at = last + 1}, [&] { act(lab()); }));
    }
    [[nodiscard]] fs::path lab() const { return before_.lab(); }

  private:
    static void act(const fs::path& lab) {
        database opened(lab);
        commit(opened, 5);
    }

    static std::size_t last_sync() {
        const prepared other(4);
        const auto calls = faults::calls_of([&] { act(other.lab()); });
        std::size_t last = 0;
        for (std::size_t i = 0; i < calls.size(); ++i)
            if (calls[i].name == "fdatasync")
                last = i;
        return last;
    }

    prepared before_;
};

problems faults_while_opening(faults::kind counted) {
    return at_every_call([&](faults::plan plan, const auto& add) {
        const killed_after_sync before;
        plan.counted = counted;

        const auto made = under(plan, [&] { const database lab(before.lab()); });

        if (!made.was_reached(plan))
            return made;
        if (plan.code == EINTR && is_interruptible(made.calls[plan.at]) && made.thrown)
            add(made, "an interruption is an error");
        add(made, wrong_after_opening(before.lab(), 5, 5));
        return made;
    });
}

TEST_CASE("a file call that fails while a database is opened loses no commit", "[database][fault]") {
    CHECK(faults_while_opening(faults::kind::changes) == problems{});
}

TEST_CASE("a failing read while a database is opened loses no commit", "[database][fault]") {
    CHECK(faults_while_opening(faults::kind::reads) == problems{});
}

TEST_CASE("a file call that fails while a database is created leaves a directory for the next one",
          "[database][fault]") {
    const auto found = at_every_call([&](const faults::plan& plan, const auto& add) {
        const auto dir = temp_dir::in_memory();

        const auto made = under(plan, [&] { const database lab(dir / "lab"); });

        if (!made.was_reached(plan))
            return made;
        add(made, wrong_after_opening(dir / "lab", 0, 0));
        return made;
    });

    CHECK(found == problems{});
}

TEST_CASE("a file call that fails while a database is closed loses no commit", "[database][fault]") {
    const auto found = at_every_call([&](const faults::plan& plan, const auto& add) {
        const prepared before(4);
        database lab(before.lab());
        commit(lab, 5);
        change(lab, 6);

        const auto made = under(plan, [&] { lab.close(); });

        if (!made.was_reached(plan))
            return made;
        // The object still exists, but must not hold the lease.
        add(made, wrong_after_opening(before.lab(), 5, 5));
        return made;
    });

    CHECK(found == problems{});
}

TEST_CASE("a commit on a full disk succeeds when there is room again", "[database][fault]") {
    const prepared before(4);
    database lab(before.lab());
    change(lab, 5);
    const faults::plan full = {.what = faults::effect::fail, .code = ENOSPC, .disk_full = true};
    for (int times = 0; times < 3; ++times) {
        auto e = thrown<io_error>([&] {
            const faults::session armed(full);
            (void)lab.commit();
        });
        CHECK(e.code().value() == ENOSPC);
        CHECK(lab.last_commit() == 4);
    }

    CHECK(lab.commit() == 5);
    CHECK(found_in(before.lab()) == states()[5]);
}

TEST_CASE("a failed sync of the log closes the database and says so", "[database][fault]") {
    const prepared before(4);
    database lab(before.lab());
    change(lab, 5);
    const prepared other(4);
    database same(other.lab());
    change(same, 5);
    const auto calls = faults::calls_of([&] { (void)same.commit(); });
    std::size_t sync = 0;
    while (calls.at(sync).name != "fdatasync")
        ++sync;

    auto e = thrown<io_error>([&] {
        const faults::session armed({.what = faults::effect::fail, .at = sync, .code = EIO});
        (void)lab.commit();
    });

    CHECK(e.code().value() == EIO);
    auto next = thrown<conflict_error>([&] { (void)lab.commit(); });
    CHECK(next.found() == "closed, because a sync failed; the last commit may be there or not");
    CHECK(wrong_after_opening(before.lab(), 4, 5) == "");
}

TEST_CASE("an abort to a savepoint after a failed commit shows the rows of then", "[database][fault]") {
    const temp_dir dir = temp_dir::in_memory();
    for (std::size_t at = 0;; ++at) {
        database lab(dir / ("lab" + std::to_string(at)));
        auto a = lab.create<std::int64_t>("a", {10});
        lab.commit();
        a.append(xt::xtensor<std::int64_t, 1>(xt::ones<std::int64_t>({5000})));
        const auto mark = lab.savepoint();
        xt::view(a, xt::range(10, 5010)) = 2;

        const auto made =
            under({.what = faults::effect::fail, .at = at, .code = ENOSPC, .disk_full = true}, [&] { lab.commit(); });

        if (!made.thrown)
            break;
        try {
            lab.abort(mark);
        } catch (const conflict_error&) {
            continue;  // a failed sync has closed the database
        }
        INFO("call " << at << ": " << *made.thrown);
        const auto is_as_then = [&] {
            return a.size() == 5010 &&
                   std::all_of(a.begin() + 10, a.end(), [](std::int64_t each) { return each == 1; });
        };
        REQUIRE(is_as_then());
        lab.commit();
        REQUIRE(is_as_then());
    }
}

}  // namespace database_scene::faults_tests
