// SPDX-License-Identifier: BSD-3-Clause
// Habit 2: data lives in a directory of its own; the program is told where, and names it in one place.
#include <ndkeep/npy.hpp>

#include <cstdlib>
#include <iostream>

namespace fs = std::filesystem;
namespace nk = ndkeep;

namespace {

/// Where the results go: $STATION_DATA, or data/ beside the code and not inside it.
fs::path results_directory() {
    const char* const wanted = std::getenv("STATION_DATA");
    return fs::absolute(wanted != nullptr ? wanted : "data");
}

}  // namespace

int main(int argc, char** argv) {
    const fs::path given = argc > 1 ? argv[1] : "examples/data";  // what was measured: only ever read
    const fs::path made = results_directory();                    // what was computed: can be thrown away
    fs::create_directories(made / "daily");

    const auto hourly = nk::map<float, 2>(given / "seattle_hourly.npy");
    const auto whole_days = xt::view(hourly, xt::range(23, hourly.shape(0)), 0);
    const xt::xtensor<double, 2> by_day = xt::reshape_view(whole_days, {364, 24});
    nk::save(made / "daily" / "mean.npy", xt::xtensor<double, 1>(xt::mean(by_day, {1})));
    nk::save(made / "daily" / "max.npy", xt::xtensor<double, 1>(xt::amax(by_day, {1})));

    for (const auto* const name : {"daily/max.npy", "daily/mean.npy"})
        std::cout << made.filename().string() << '/' << name << ' ' << nk::shape_text(nk::inspect(made / name).shape)
                  << '\n';
}
