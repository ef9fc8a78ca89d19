// SPDX-License-Identifier: BSD-3-Clause
// Habit 4: Git stores the descriptions of large arrays with their checksums; the arrays themselves stay out of it.
#include <ndkeep/npy.hpp>

#include <fstream>
#include <iostream>

namespace fs = std::filesystem;
namespace nk = ndkeep;

int main() {
    fs::create_directory("data");
    std::ofstream("data/.gitignore") << "*\n!.gitignore\n!*.npy.json\n";

    nk::save("data/big.npy", xt::arange<double>(1'000'000), {.meta = {{"units", "metres"}}, .sum = nk::checksum::md5});

    // `git add data` adds .gitignore and big.npy.json. A user who clones the repository gets big.npy from elsewhere,
    // and `verify` checks that it is the file that was described.
    for (const auto* const name : {"data/big.npy", "data/big.npy.json"})
        std::cout << name << (fs::file_size(name) > 10'000 ? ": large, ignored" : ": small, kept") << '\n';

    nk::verify("data/big.npy");
    std::cout << "data/big.npy: verified\n";
    nk::save("download.npy", xt::arange<double>(1, 1'000'001));
    fs::rename("download.npy", "data/big.npy");
    for (const auto& finding : nk::findings("data/big.npy"))
        std::cout << "after replacing it: " << finding.message << '\n';
}
