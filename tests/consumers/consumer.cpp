// SPDX-License-Identifier: BSD-3-Clause
// The smallest program that uses the library, built in each supported way.
#include <ndkeep/npy.hpp>

#include <filesystem>
#include <iostream>

int main() {
    const std::filesystem::path file = "consumer.npy";
    const xt::xarray<double> saved = {{1, 2, 3}, {4, 5, 6}};
    ndkeep::save(file, saved);
    const bool same = ndkeep::load<double>(file) == saved;
    std::cout << (same ? "the array came back\n" : "the array changed\n");
    return same ? 0 : 1;
}
