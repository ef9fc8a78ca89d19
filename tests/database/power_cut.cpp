// SPDX-License-Identifier: BSD-3-Clause
// The power is cut after any call of the writers of a database, and any part of what was not synced is lost.
#include "database/scene.hpp"
#include "support/disk.hpp"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace database_scene::power_cut_tests {

using problems = std::set<std::string>;
using disks::disk;
using disks::event;

/// A directory in which processes work one after the other, and the record of what they do.
class recording {
  public:
    recording() { fs::create_directory(root()); }

    [[nodiscard]] fs::path lab() const { return dir_ / "root/lab"; }
    [[nodiscard]] std::vector<event> events() const { return disks::events_of(trace()); }

    /// A process that opens the database, makes the commits after `from` up to `to`, and then `ends`.
    template <class End>
    void process(std::uint64_t from, std::uint64_t to, End&& ends, const faults::plan& plan = {}) {
        (void)faults::killed(plan, [&] {
            disks::recorder record(trace(), root());
            database opened(lab());
            for (std::uint64_t number = from + 1; number <= to; ++number) {
                record.note("attempted", number);
                commit(opened, number);
                record.note("acknowledged", number);
            }
            ends(opened);
        });
    }

    static void close(database& opened) { opened.close(); }
    static void die(database&) { faults::session::die(); }

  private:
    [[nodiscard]] fs::path root() const { return dir_ / "root"; }
    [[nodiscard]] fs::path trace() const { return dir_ / "trace"; }

    // Its files exist as long as their copies are tested, so that no copy gets an inode of theirs.
    temp_dir dir_ = temp_dir::in_memory();
};

/// Four processes, two of which are killed: all kinds of changes, recovery, and two times the removal of the log.
const recording& four_processes() {
    static const auto made = [] {
        auto record = std::make_unique<recording>();
        record->process(0, 3, recording::die);
        record->process(3, 5, recording::close);
        record->process(5, 6, recording::die);
        record->process(6, 6, recording::close);
        return record;
    }();
    return *made;
}

/// The events, without some that the disk must not hear of.
using filter = std::function<bool(const event&, bool is_in_commit)>;

struct cuts {
    int each = 1;          // states at each event
    int nested_every = 0;  // cuts the power of the recovery as well, in each so many states; 0: never
    unsigned seed = 1;
    bool stop_at_first = false;
    std::size_t first_event = 0;  // no states before
};

struct searched {
    problems found;
    std::size_t states = 0;
};

/// Opens a state in which the power was cut, and cuts it again after each call of that.
void cut_again(const disk& left, std::mt19937& random, std::uint64_t least, std::uint64_t most, searched& all) {
    const auto dir = temp_dir::in_memory();
    fs::create_directory(dir / "root");
    left.leave_in(dir / "root", random);
    disk second(dir / "root");
    {
        disks::recorder record(dir / "trace", dir / "root");
        const database opened(dir / "root/lab");
    }
    for (const auto& each : disks::events_of(dir / "trace")) {
        second.apply(each);
        const auto copy = temp_dir::in_memory();
        second.leave_in(copy.path(), random);
        ++all.states;
        if (auto wrong = wrong_after_opening(copy / "lab", least, most); !wrong.empty())
            all.found.insert("again after " + each.name + ' ' + each.path + ": " + wrong);
    }
}

searched cut_at_each(const std::vector<event>& events, const cuts& wanted, const filter& is_left_out = {},
                     std::uint64_t committed = 0) {
    std::mt19937 random(wanted.seed);
    searched all;
    disk under;
    std::uint64_t attempted = committed, acknowledged = committed;
    for (std::size_t number = 0; number < events.size(); ++number) {
        const auto& each = events[number];
        if (each.name == "attempted")
            attempted = each.offset;
        else if (each.name == "acknowledged")
            acknowledged = each.offset;
        else if (!is_left_out || !is_left_out(each, attempted != acknowledged))
            under.apply(each);
        if (number < wanted.first_event)
            continue;
        for (int i = 0; i < wanted.each && (all.found.empty() || !wanted.stop_at_first); ++i) {
            const auto copy = temp_dir::in_memory();
            under.leave_in(copy.path(), random);
            ++all.states;
            if (auto wrong = wrong_after_opening(copy / "lab", acknowledged, attempted); !wrong.empty())
                all.found.insert("after " + each.name + ' ' + each.path + " in commit " + std::to_string(attempted) +
                                 ": " + wrong);
            if (wanted.nested_every != 0 && all.states % static_cast<std::size_t>(wanted.nested_every) == 0)
                cut_again(under, random, acknowledged, attempted, all);
        }
    }
    return all;
}

TEST_CASE("commits survive a power cut at any call", "[database][fault]") {
    const auto all = cut_at_each(four_processes().events(), {.each = 5});

    CHECK(all.found == problems{});
    CHECK(all.states > 1000);
}

TEST_CASE("commits survive a second power cut while the first is recovered", "[database][fault][slow]") {
    const auto all = cut_at_each(four_processes().events(), {.each = 1, .nested_every = 17, .seed = 2});

    CHECK(all.found == problems{});
}

TEST_CASE("commits survive very many power cuts", "[database][fault][long]") {
    // With NDKEEP_TEST_POWER_CUTS=40, these are more than 10,000 states, and take two minutes.
    const char* const given = std::getenv("NDKEEP_TEST_POWER_CUTS");
    const int each = given == nullptr ? 4 : std::atoi(given);
    const auto all = cut_at_each(four_processes().events(), {.each = each, .nested_every = 20, .seed = 3});

    CHECK(all.found == problems{});
    CHECK(all.states > 250 * static_cast<std::size_t>(each));
}

bool is_sync(const event& each) { return each.name.starts_with("sync"); }
bool is_of(const event& each, std::string_view what) { return each.path.find(what) != std::string::npos; }

TEST_CASE("each sync of a commit is there for a reason", "[database][fault][slow]") {
    const std::map<std::string, filter> left_out = {
        {"the log", [](const event& each, bool) { return is_sync(each) && is_of(each, "/log-"); }},
        {"appended rows",
         [](const event& each, bool is_in_commit) { return is_in_commit && is_sync(each) && is_of(each, ".npy"); }},
        {"new files",
         [](const event& each, bool is_in_commit) { return is_in_commit && is_sync(each) && is_of(each, "/new-"); }},
        {"names of new files",
         [](const event& each, bool) { return is_sync(each) && each.path.ends_with("/.ndkeep"); }},
        {"files whose log is removed",
         [](const event& each, bool is_in_commit) { return !is_in_commit && is_sync(each) && is_of(each, ".npy"); }},
        {"names of files whose log is removed",
         [](const event& each, bool) { return is_sync(each) && each.path == "lab"; }},
        {"the directory", [](const event& each, bool) { return is_sync(each) && each.path.empty(); }},
        {"records",
         [](const event& each, bool) { return each.name == "pwrite" && each.offset != 0 && is_of(each, "/log-"); }}};
    for (const auto& [what, is_left_out] : left_out) {
        CAPTURE(what);
        CHECK_FALSE(
            cut_at_each(four_processes().events(), {.each = 4, .stop_at_first = true}, is_left_out).found.empty());
    }
}

TEST_CASE("commits survive a power cut in a database whose creator was killed", "[database][fault]") {
    for (std::size_t at = 1; at < 12; ++at) {
        CAPTURE(at);
        recording record;
        record.process(0, 0, recording::close, {.what = faults::effect::kill, .at = at});
        record.process(0, 1, recording::die);

        CHECK(cut_at_each(record.events(), {}).found == problems{});
    }
}

TEST_CASE("what a failed sync has lost is written again before it counts", "[database][fault]") {
    const prepared before(4);
    const auto calls = faults::calls_of([&] {
        database opened(before.lab());
        commit(opened, 5);
        opened.close();
    });
    for (std::size_t at = 0; at < calls.size(); ++at) {
        if (!calls[at].name.ends_with("sync"))
            continue;
        CAPTURE(at, calls[at].path);
        recording record;
        record.process(0, 4, recording::close);
        record.process(4, 5, recording::close, {.what = faults::effect::fail, .at = at, .code = EIO});
        record.process(5, 5, recording::close);
        const auto events = record.events();
        const auto failed = std::find_if(events.begin(), events.end(),
                                         [](const event& each) { return each.name.starts_with("failed sync"); });
        REQUIRE(failed != events.end());

        CHECK(
            cut_at_each(events, {.each = 2, .first_event = static_cast<std::size_t>(failed - events.begin())}).found ==
            problems{});
    }
}

}  // namespace database_scene::power_cut_tests
