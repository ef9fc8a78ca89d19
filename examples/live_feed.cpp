// SPDX-License-Identifier: BSD-3-Clause
// A loop over a live feed: flights arrive hour by hour; the loop stops after each shift and resumes with the next.
#include "flights.hpp"

#include <ndkeep/loop.hpp>
#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>

#include <cstdio>
#include <deque>
#include <numeric>
#include <optional>

namespace fs = std::filesystem;
namespace nk = ndkeep;

namespace {

using flights = xt::xtensor<flight, 1>;

/// Simulates a connection that delivers flights.
class line {
  public:
    explicit line(const fs::path& file) : all_(nk::npz_reader(file).load<flight, 1>("flights")) {}

    /// The flights from `row` to the end of its hour. A real connection would block, and give nullopt once it is
    /// closed.
    [[nodiscard]] std::optional<flights> receive(std::uint64_t row) const {
        const auto first = all_.begin() + static_cast<std::ptrdiff_t>(row);
        if (first == all_.end())
            return std::nullopt;
        const auto last = std::find_if(first, all_.end(), [hour = std::floor(first->time)](const flight& one) {
            return std::floor(one.time) != hour;
        });
        flights hour = xt::empty<flight>({last - first});
        std::copy(first, last, hour.begin());
        return hour;
    }
    [[nodiscard]] std::uint64_t rows_of_the_day() const { return all_.size(); }

  private:
    flights all_;
};

/// Counts flights up to an hour of the day, starting where the previous shift stopped.
void shift(const line& from, double until) {
    nk::stateful_loop loop("live_feed.state");
    auto& bands = loop.bind("bands", empty_bands());
    auto& delays = loop.bind("delays", empty_histogram());
    auto& open = loop.bind<tally>("open hour");
    auto& waiting = loop.buffer<flight, 1>("waiting", {.limit_bytes = 600'000});

    // `recent` is not bound: the warm-up shows its flights again, which is possible because a function with a row
    // parameter can go back. A socket cannot: it would be a function without a row, and items that it gave to a killed
    // body would be lost.
    std::deque<int> recent;
    constexpr std::size_t enough = 500;

    // The producer knows which hour is the last and calls finish(), so that no reader waits for another hour.
    const auto next = [&](std::uint64_t row) {
        auto hour = from.receive(row);
        if (hour && row + hour->size() == from.rows_of_the_day())
            loop.finish();
        return hour;
    };
    for (const flights hour : loop.over(next, {.warm_up = enough})) {
        for (const flight& one : hour)
            recent.push_back(one.delay);
        while (recent.size() > enough)
            recent.pop_front();
        if (loop.is_warm_up())
            continue;

        count_bands(hour, bands);
        count_delays(hour, delays);
        for (const tally& over : count_hours(hour, open, loop.is_last()))
            std::printf("%02.0f:00 %6ld flights %7.2f minutes late\n", over.from, long(over.flights),
                        over.mean_delay());

        // One file for many hours instead of one file an hour. A killed body runs again and writes the same file again.
        if (const auto batch = waiting.push(hour)) {
            const auto name = "batch_" + std::to_string(loop.index()) + ".npy";
            nk::save(name, *batch, {.sync = true});  // on disk before the checkpoint records that they left the buffer
            std::printf("      %s: %zu flights\n", name.c_str(), batch->size());
        }
        if (hour(0).time >= until - 1)
            loop.stop();  // the pass ends with a commit that includes this hour
    }
    std::printf("%s after %ld flights, %ld of them not yet in a file; 99 %% at most %d minutes late, mean of the last "
                "%zu: %.2f\n",
                loop.is_complete() ? "complete" : "stopped", long(loop.rows_done()), long(waiting.rows()),
                quantile(delays, 0.99), recent.size(),
                std::accumulate(recent.begin(), recent.end(), 0.0) / double(recent.size()));
}

}  // namespace

int main(int argc, char** argv) {
    const fs::path data = argc > 1 ? argv[1] : "examples/data";
    fs::remove("live_feed.state");

    const line from(data / "flights.npz");
    for (const double until : {3.0, 5.0, 24.0})  // each shift could be a separate process
        shift(from, until);
}
