// SPDX-License-Identifier: BSD-3-Clause
// Habit 8: names with the date and a running number, reserved before they are used, so that nothing is overwritten.
#include <ndkeep/npy.hpp>

#include <iostream>

namespace fs = std::filesystem;
namespace nk = ndkeep;

int main() {
    fs::create_directory("data");
    for (int run = 0; run < 3; ++run) {
        // The file is there, empty, when this returns: no other process is given the same name.
        const fs::path file = nk::next_name("data", "measure", ".npy");
        nk::save(file, xt::xtensor<double, 1>(xt::ones<double>({run + 1}) * run));
        std::cout << file.string() << ' ' << nk::shape_text(nk::inspect(file).shape) << '\n';
    }

    // The number goes on from the highest of the series, whatever its date.
    nk::save("data/measure_20230125_041.npy", xt::xtensor<double, 1>({1, 2, 3}));
    std::cout << "after number 041: " << nk::next_name("data", "measure", ".npy").string() << '\n';

    // A name that was chosen by hand is safe too: `create` does not replace a file unless told to.
    (void)nk::create<double>("data/result.npy", {3});
    try {
        (void)nk::create<double>("data/result.npy", {3});
    } catch (const nk::io_error& problem) {
        std::cout << problem.what() << '\n';
    }
}
