// SPDX-License-Identifier: BSD-3-Clause
// Habit 8: names with the date and a running number are reserved before use, so that no file is overwritten.
#include <ndkeep/npy.hpp>

#include <iostream>

namespace fs = std::filesystem;
namespace nk = ndkeep;

int main() {
    fs::create_directory("data");
    for (int run = 0; run < 3; ++run) {
        // An empty file of this name exists when the call returns, so no other process gets the same name.
        const fs::path file = nk::next_name("data", "measure", ".npy");
        nk::save(file, xt::xtensor<double, 1>(xt::ones<double>({run + 1}) * run));
        std::cout << file.string() << ' ' << nk::shape_text(nk::inspect(file).shape) << '\n';
    }

    // The number continues from the highest in the series, whatever its date.
    nk::save("data/measure_20230125_041.npy", xt::xtensor<double, 1>({1, 2, 3}));
    std::cout << "next after 041: " << nk::next_name("data", "measure", ".npy").string() << '\n';

    // A name chosen by hand is safe too: `create` replaces an existing file only with `.replace`.
    (void)nk::create<double>("data/result.npy", {3});
    try {
        (void)nk::create<double>("data/result.npy", {3});
    } catch (const nk::io_error& problem) {
        std::cout << problem.what() << '\n';
    }
}
