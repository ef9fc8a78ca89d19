// SPDX-License-Identifier: BSD-3-Clause
// Habit 9: shape and distribution are checked when an array is loaded again.
#include <ndkeep/npy.hpp>

#include <cmath>
#include <iostream>

namespace fs = std::filesystem;
namespace nk = ndkeep;

int main(int argc, char** argv) {
    const fs::path data = argc > 1 ? argv[1] : "examples/data";
    const auto hourly = nk::load<float, 2>(data / "seattle_hourly.npy");
    nk::save("temps.npy", xt::col(hourly, 0), {.statistics = true});

    // One call checks header, length, checksum and statistics against the values stored when the array was saved.
    nk::verify("temps.npy");
    // The rank is part of the call. Further expectations take one more line each.
    const auto temps = nk::load<float, 1>("temps.npy");
    std::cout << nk::shape_text(temps.shape()) << (temps.size() == 8759 ? " as expected" : " is wrong") << '\n';
    const double mean = xt::mean<double>(temps)();
    std::cout << "mean " << mean << (std::abs(mean - 11.1276) < 1e-3 ? " as expected" : " is wrong") << '\n';

    // Another program overwrites the data and does not update the sidecar.
    nk::save("fahrenheit.npy", temps * 1.8F + 32);
    fs::rename("fahrenheit.npy", "temps.npy");
    for (const auto& finding : nk::findings("temps.npy"))
        std::cout << finding.message << '\n';

    fs::resize_file("temps.npy", 20'000);  // an incomplete copy
    try {
        nk::verify("temps.npy");
    } catch (const nk::format_error& problem) {
        std::cout << problem.what() << '\n';
    }
    try {
        (void)nk::load<double, 2>(data / "seattle_hourly.npy");
    } catch (const nk::mismatch_error& problem) {
        std::cout << problem.field() << " is " << problem.found() << ", expected " << problem.expected() << '\n';
    }
}
