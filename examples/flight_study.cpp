// SPDX-License-Identifier: BSD-3-Clause
// Flights in time order, processed chunk by chunk: the process is killed midway, and the result is still the same.
#include "flights.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/loop.hpp>
#include <ndkeep/npz.hpp>

#include <csignal>
#include <cstdio>
#include <optional>
#include <sys/wait.h>
#include <unistd.h>

namespace fs = std::filesystem;
namespace nk = ndkeep;

namespace {

struct findings {
    band_table bands;
    histogram delays;
    int chunks = 0;  // processed by this pass
};

/// Resumes where the previous pass ended, even if that pass was killed.
findings study(std::optional<std::uint64_t> killed_in = {}) {
    const nk::chunk_reader<flight, 1> flights("flights");
    nk::chunk_writer<tally, 1> hours("hours", {.order_by = "from"});

    nk::stateful_loop loop("study.state");
    auto& bands = loop.bind("bands", empty_bands());
    auto& delays = loop.bind("delays", empty_histogram());
    auto& open = loop.bind<tally>("open hour");
    int chunks = 0;

    // Rows, position and states are committed together to `hours`: no row is duplicated and none is missing.
    for (auto chunk : loop.over(flights).into(hours)) {
        count_bands(chunk, bands);
        count_delays(chunk, delays);
        hours.append(count_hours(chunk, open, loop.is_last()));
        if (loop.index() == killed_in)
            std::raise(SIGKILL);  // the work of this body is lost; the next pass repeats it
        ++chunks;
    }
    return {bands, delays, chunks};
}

/// Runs the study in a child process, because SIGKILL ends the process that receives it.
bool is_killed_in(std::uint64_t chunk) {
    const pid_t child = fork();
    if (child == 0) {
        (void)study(chunk);
        _exit(0);
    }
    int status = 0;
    return waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/// Compares the result with a computation in memory that uses neither a loop nor a histogram for the quantiles.
bool is_right(const findings& found, const auto& hours, const auto& all) {
    band_table bands = empty_bands();
    count_bands(all, bands);
    tally open = {};
    const auto hours_of_all = count_hours(all, open, true);

    const auto column = nk::field(all, &flight::delay);
    std::vector<int> delays(column.begin(), column.end());
    std::sort(delays.begin(), delays.end());
    const auto agrees = [&](double share) {
        return quantile(found.delays, share) == delays[static_cast<std::size_t>(share * double(delays.size())) - 1];
    };
    return found.bands == bands && std::equal(hours.begin(), hours.end(), hours_of_all.begin(), hours_of_all.end()) &&
           agrees(0.5) && agrees(0.9) && agrees(0.99);
}

}  // namespace

int main(int argc, char** argv) {
    const fs::path data = argc > 1 ? argv[1] : "examples/data";
    fs::remove_all("hours");  // this also removes the state that the loop stores in it

    const auto all = nk::npz_reader(data / "flights.npz").load<flight, 1>("flights");
    nk::save_chunked("flights", all, {.rows_per_chunk = 10000, .order_by = "time"});
    std::printf("%zu flights in %zu chunks\n", all.size(), nk::chunk_reader<flight, 1>("flights").size());

    const bool is_killed = is_killed_in(7);
    std::printf("%s in chunk 7, with %zu hours written\n", is_killed ? "killed" : "not killed",
                nk::load_chunked<tally, 1>("hours").size());

    const findings found = study();
    const auto hours = nk::load_chunked<tally, 1>("hours");
    std::printf("resumed: %d more chunks, %zu hours written\n", found.chunks, hours.size());
    std::printf("same result as without interruption: %s\n", is_right(found, hours, all) ? "yes" : "no");
    std::printf("second pass: %d chunks left\n\n", study().chunks);

    for (const tally& hour : hours)
        std::printf("%02.0f:00 %9ld flights %8.2f minutes late\n", hour.from, long(hour.flights), hour.mean_delay());
    for (const tally& band : found.bands)
        std::printf("from %4.0f miles %6ld flights %5.2f minutes late\n", band.from, long(band.flights),
                    band.mean_delay());
    std::printf("50 %% are at most %d minutes late, 90 %% at most %d, 99 %% at most %d\n", quantile(found.delays, 0.5),
                quantile(found.delays, 0.9), quantile(found.delays, 0.99));
}
