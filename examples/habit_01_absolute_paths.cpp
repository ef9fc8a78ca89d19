// SPDX-License-Identifier: BSD-3-Clause
// Habit 1: an absolute path finds the same file after the working directory has changed.
#include <ndkeep/npy.hpp>

#include <iostream>

namespace fs = std::filesystem;
namespace nk = ndkeep;

int main() {
    const xt::xtensor<double, 1> temps = {20.5, 21.0, 19.5};
    const fs::path relative = "temps.npy";
    const fs::path file = fs::absolute(relative);  // computed once, when the program starts
    nk::save(file, temps);

    fs::create_directory("elsewhere");
    fs::current_path("elsewhere");  // a library or a job scheduler may do this

    std::cout << "absolute: " << nk::load<double, 1>(file).size() << " values\n";
    try {
        (void)nk::load<double, 1>(relative);
    } catch (const nk::io_error& problem) {
        std::cout << "relative: " << problem.what() << '\n';
    }
    std::cout << "a mapped array knows its file: " << nk::map<double>(file).file().filename() << '\n';
}
