// SPDX-License-Identifier: BSD-3-Clause
// A year of flights arrives month by month, out of order and with repetitions; it is merged, and read in step with the
// weather. The process is killed midway, and the result is still the same.
#include "departures.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/loop.hpp>
#include <ndkeep/npy.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace fs = std::filesystem;
namespace nk = ndkeep;
using namespace std::chrono_literals;
using year_2010::departure, year_2010::minute;

struct weather {
    minute time;
    float celsius;
};
NDKEEP_FIELDS(weather, time, celsius);

struct observation {
    minute time;
    std::int32_t id;
    std::int16_t delay;
    float celsius;  // in the hour of the flight
};
NDKEEP_FIELDS(observation, time, id, delay, celsius);

// One chunked array for each kind and year: the folders year/flights/2010 and year/weather/2010.
struct series {
    std::string kind = {};
    int year = 0;
};
NDKEEP_KEY(series, kind, year);

namespace {

int month_of(const departure& one) {
    const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(one.time));
    return static_cast<int>(unsigned(date.month()));
}

void save_weather(const nk::collection<series>& year, const fs::path& data) {
    const auto times = nk::load<std::chrono::sys_time<std::chrono::hours>, 1>(data / "seattle_hourly_time.npy");
    const auto values = nk::load<float, 2>(data / "seattle_hourly.npy");
    xt::xtensor<weather, 1> rows(std::array{times.size()});
    for (std::size_t i = 0; i < rows.size(); ++i)
        rows(i) = {times(i), values(i, 0)};
    auto sink =
        year.writer<weather, 1>({"weather", 2010}, {.rows_per_chunk = nk::chunk_period(24h * 28), .order_by = "time"});
    sink.append(rows);
    sink.commit();
}

/// Merges one delivery: a month, and once more the last thousand flights of the month before.
void deliver(nk::chunk_writer<departure, 1>& sink, const std::vector<departure>& all, int month) {
    const auto begin =
        std::find_if(all.begin(), all.end(), [&](const departure& one) { return month_of(one) == month; });
    const auto end = std::find_if(begin, all.end(), [&](const departure& one) { return month_of(one) != month; });
    const auto from = month == 1 ? begin : begin - 1000;
    sink.merge(std::vector<departure>(from, end), {.unique_by = {"id"}});
    sink.commit();
}

/// The flights of an item with the temperature of their hour, which may stand in an earlier item.
std::vector<observation> observed(const auto& flights, const auto& hours, weather& now) {
    std::vector<observation> out;
    auto next = hours.begin();
    for (const departure& one : flights) {
        for (; next != hours.end() && (*next).time <= one.time; ++next)
            now = *next;
        if (now.time + 1h > one.time)  // the normals begin at one o'clock of the first day
            out.push_back({one.time, one.id, one.delay, now.celsius});
    }
    for (; next != hours.end(); ++next)
        now = *next;
    return out;
}

/// Resumes where the previous pass ended, even if that pass was killed. Returns the number of items.
std::uint64_t study(const nk::collection<series>& year, std::optional<std::uint64_t> killed_in = {}) {
    const auto flights = year.reader<departure, 1>({"flights", 2010});
    const auto hours = year.reader<weather, 1>({"weather", 2010});
    auto sink = year.writer<observation, 1>({"observations", 2010}, {.order_by = "time"});

    nk::stateful_loop loop("ordered.state");
    auto& now = loop.bind<weather>("last hour");
    std::uint64_t items = 0;
    // Every item has the flights and the hours of the same range of time. The observations, the position and the last
    // hour are committed together.
    for (auto [f, h] : loop.over(nk::in_step(flights, hours)).into(sink)) {
        sink.append(observed(f, h, now));
        if (loop.index() == killed_in)
            std::raise(SIGKILL);  // the work of this body is lost; the next pass repeats it
        ++items;
    }
    return items;
}

/// Runs the study in a child process, because SIGKILL ends the process that receives it.
bool is_killed_in(const nk::collection<series>& year, std::uint64_t item) {
    const pid_t child = fork();
    if (child == 0) {
        (void)study(year, item);
        _exit(0);
    }
    int status = 0;
    return waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

}  // namespace

int main(int argc, char** argv) {
    const fs::path data = argc > 1 ? argv[1] : "examples/data";
    fs::remove_all("year");
    const nk::collection<series> year("year");

    const auto all = year_2010::load_departures(data);
    {
        auto sink = year.writer<departure, 1>({"flights", 2010}, {.rows_per_chunk = 20'000, .order_by = "time"});
        for (const int month : {3, 1, 2, 7, 12, 5, 4, 6, 11, 8, 10, 9})
            deliver(sink, all, month);
        const auto first = sink.rows();
        deliver(sink, all, 5);  // once more, to no effect
        std::printf("%llu flights after 12 deliveries, %llu after a repeated one\n",
                    static_cast<unsigned long long>(first), static_cast<unsigned long long>(sink.rows()));
    }
    save_weather(year, data);
    const auto merged = nk::load_chunked<departure, 1>(year.path({"flights", 2010}));
    const bool is_same =
        std::equal(merged.begin(), merged.end(), all.begin(), all.end(),
                   [](const departure& a, const departure& b) { return a.time == b.time && a.id == b.id; });
    std::printf("in the order of their time: %s\n", is_same ? "yes" : "no");
    year.verify();

    const auto flights = year.reader<departure, 1>({"flights", 2010});
    const auto july = flights.rows_between(std::chrono::sys_days(2010y / 7 / 4), std::chrono::sys_days(2010y / 7 / 5));
    std::printf("4 July: %zu flights\n", july.size());

    const bool is_killed = is_killed_in(year, 7);
    const auto items = study(year);
    std::printf("%s in item 7; resumed: %llu more items; a second pass: %llu\n", is_killed ? "killed" : "not killed",
                static_cast<unsigned long long>(items), static_cast<unsigned long long>(study(year)));

    const auto observations = nk::load_chunked<observation, 1>(year.path({"observations", 2010}));
    std::printf("%zu observations\n", observations.size());
    for (const float from : {-5.0F, 0.0F, 5.0F, 10.0F, 15.0F, 20.0F}) {
        long count = 0, late = 0;
        for (const observation& one : observations)
            if (from <= one.celsius && one.celsius < from + 5) {
                ++count;
                late += one.delay;
            }
        if (count > 0)
            std::printf("%3.0f to %2.0f degrees: %6ld flights, %5.2f minutes late\n", double(from), double(from) + 5,
                        count, double(late) / double(count));
    }
    for (const series& key : year.keys())
        std::printf("year/%s/%d\n", key.kind.c_str(), key.year);
}
