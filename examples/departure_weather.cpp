// SPDX-License-Identifier: BSD-3-Clause
// A year of flights: the weather of the hour at each departure, and the mean delay of the hour before it. The same body
// runs over arrays in memory, in a batch that is killed, and behind a live feed. All three write the same bytes.
#include "departures.hpp"
#include "three_runs.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/loop.hpp>
#include <ndkeep/npy.hpp>
#include <ndkeep/operators.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <vector>

namespace fs = std::filesystem;
namespace nk = ndkeep;
using namespace std::chrono_literals;
using year_2010::departure, year_2010::minute, year_2010::new_year;

struct weather {
    minute time;
    float celsius, hectopascal, wind;
};
NDKEEP_FIELDS(weather, time, celsius, hectopascal, wind);

// A departure with the weather of its hour; NaN if it is not known.
struct observation {
    minute time;
    std::int32_t id;
    std::int16_t delay, distance;
    float celsius, wind;
    double recent_delay;  // mean of the departures of the last hour; NaN if they are less than ten
};
NDKEEP_FIELDS(observation, time, id, delay, distance, celsius, wind, recent_delay);

struct month {
    minute time;  // its begin
    std::int64_t departures;
    float coldest, warmest;
    double delay, worst_hour;
};
NDKEEP_FIELDS(month, time, departures, coldest, warmest, delay, worst_hour);

namespace {

constexpr minute end_of_year = std::chrono::sys_days(2011y / 1 / 1);

struct year {
    std::vector<departure> departures;
    std::vector<weather> hours;
};

year load_year(const fs::path& data) {
    year all{.departures = year_2010::load_departures(data), .hours = {}};
    const auto times = nk::load<std::chrono::sys_time<std::chrono::hours>, 1>(data / "seattle_hourly_time.npy");
    const auto values = nk::load<float, 2>(data / "seattle_hourly.npy");
    for (std::size_t i = 0; i < times.size(); ++i)
        all.hours.push_back({times(i), values(i, 0), values(i, 1), values(i, 2)});
    return all;
}

// The body, and the operators that it needs.

/// An hour of weather holds for the departures of its 60 minutes: at most 59 minutes after its begin.
nk::as_of_join<departure, weather> weather_of_the_hour() {
    constexpr float none = std::numeric_limits<float>::quiet_NaN();
    return nk::as_of_join<departure, weather>({.match = {.tolerance = 59min}}, {{}, none, none, none});
}

/// For each departure the mean delay of those of the last hour, itself included.
nk::rolling<std::int16_t> mean_of_an_hour() { return nk::rolling<std::int16_t>({.span = 1h, .min_rows = 10}); }

/// Its rows may be all rows, an item of a batch, or what a feed has brought: only `is_end` says more.
void observe(const auto& departures, const auto& hours, bool is_end, nk::as_of_join<departure, weather>& join,
             nk::rolling<std::int16_t>& recent, nk::chunk_writer<observation, 1>& sink) {
    const auto write = [&](const nk::as_of_joined<departure, weather>& found) {
        const auto& left = found.left();
        const auto recent_delay = recent.push(nk::field(left, &departure::delay), nk::field(left, &departure::time));
        sink.append(nk::side_by_side({{"", left},
                                      {"celsius", nk::field(found.right(), &weather::celsius)},
                                      {"wind", nk::field(found.right(), &weather::wind)},
                                      {"recent_delay", recent_delay}}));
    };
    write(join.push(departures, hours));
    if (is_end)
        write(join.finish());
}

// What runs it: one call, or a loop.

void run_at_once(const year& all, const fs::path& to) {
    nk::chunk_writer<observation, 1> sink(to / "observations", {.order_by = "time"});
    auto join = weather_of_the_hour();
    auto recent = mean_of_an_hour();
    observe(all.departures, all.hours, true, join, recent, sink);
    sink.commit();
}

/// Resumes where the last pass ended. Every four items, rows, position and both states are committed together.
void run_loop(const pass& now) {
    const nk::chunk_reader<departure, 1> departures(now.from / "departures");
    const nk::chunk_reader<weather, 1> hours(now.from / "hours");
    nk::chunk_writer<observation, 1> sink(now.to / "observations", {.order_by = "time"});

    nk::stateful_loop loop(now.to / "state", {.every = 4});
    auto& join = loop.bind("weather", weather_of_the_hour());
    auto& recent = loop.bind("recent delays", mean_of_an_hour());
    // While more rows may come, a pass ends before the last time that both arrays have reached.
    for (auto [d, h] : loop.over(nk::in_step(departures, hours, {.live = !now.is_closed})).into(sink)) {
        observe(d, h, now.is_closed && loop.is_last(), join, recent, sink);
        kill_in(now.killed_in, loop.index());
    }
}

}  // namespace

int main(int argc, char** argv) {
    const fs::path data = argc > 1 ? argv[1] : "examples/data";
    for (const char* folder : {"at_once", "killed", "live", "batch", "feed"}) {
        fs::remove_all(folder);
        fs::create_directory(folder);
    }
    const year all = load_year(data);
    std::printf("%zu departures, %zu hours of weather\n", all.departures.size(), all.hours.size());

    run_at_once(all, "at_once");

    deliver(all.departures, end_of_year, "batch/departures");
    deliver(all.hours, end_of_year, "batch/hours");
    // The commits are after the items 3, 7, 11 and so on.
    for (const unsigned item : {5U, 7U, 40U}) {
        const bool is_dead = is_killed(run_loop, {"batch", "killed", true, item});
        std::printf("%s in item %u, %llu observations committed\n", is_dead ? "killed" : "not killed", item,
                    committed("killed/observations"));
    }
    run_loop({"batch", "killed"});

    // The weather arrives six days after the departures. After each delivery the pass ends, and resumes with the next.
    for (minute now = new_year + 73 * 24h; now <= end_of_year; now += 73 * 24h) {
        deliver(all.departures, now, "feed/departures");
        deliver(all.hours, now < end_of_year ? now - 6 * 24h : now, "feed/hours");
        run_loop({"feed", "live", now == end_of_year});
        std::printf("feed: %llu of %llu departures observed\n", committed("live/observations"),
                    committed("feed/departures"));
    }
    std::printf("the same bytes in all three: %s\n",
                is_same_in({"at_once", "killed", "live"}, "observations") ? "yes" : "no");

    const auto observations = nk::load_chunked<observation, 1>("live/observations");
    for (const float from : {0.0F, 5.0F, 10.0F, 15.0F, 20.0F}) {
        long count = 0, minutes = 0;
        for (const observation& one : observations)
            if (from <= one.celsius && one.celsius < from + 5) {
                ++count;
                minutes += one.delay;
            }
        std::printf("%2.0f to %2.0f degrees: %6ld departures, %5.2f minutes late\n", double(from), double(from) + 5,
                    count, double(minutes) / double(count));
    }

    // All rows at once, in segments of the calendar.
    nk::segments<observation> months({.on = &observation::time, .every = std::chrono::months(1)},
                                     {nk::count("departures"), nk::min(&observation::celsius, "coldest"),
                                      nk::max(&observation::celsius, "warmest"), nk::mean(&observation::delay, "delay"),
                                      nk::max(&observation::recent_delay, "worst_hour")});
    for (const nk::any_array& complete : {months.push(observations), months.finish()})
        for (const month& one : complete.as<month, 1>()) {
            const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(one.time));
            std::printf("%02u: %5d departures at %3.1f to %4.1f degrees, %4.2f minutes late; %3.0f in the worst hour\n",
                        unsigned(date.month()), int(one.departures), double(one.coldest), double(one.warmest),
                        one.delay, one.worst_hour);
        }
}
