// SPDX-License-Identifier: BSD-3-Clause
// Habit 2: data is kept in a directory apart from the code, and one place in the program names that directory.
#include <ndkeep/npy.hpp>

#include <cstdlib>
#include <iostream>

namespace fs = std::filesystem;
namespace nk = ndkeep;

namespace {

/// The directory for results: $STATION_DATA, or data/ next to the directory of the code.
fs::path results_directory() {
    const char* const wanted = std::getenv("STATION_DATA");
    return fs::absolute(wanted != nullptr ? wanted : "data");
}

}  // namespace

int main(int argc, char** argv) {
    const fs::path given = argc > 1 ? argv[1] : "examples/data";  // measured data: only read
    const fs::path made = results_directory();                    // computed data: can be deleted and computed again
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
