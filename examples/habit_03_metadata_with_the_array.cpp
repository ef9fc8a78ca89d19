// SPDX-License-Identifier: BSD-3-Clause
// Habit 3: the meaning of the numbers is saved in the same call as the numbers, and stays with them.
#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>

#include <iostream>

namespace nk = ndkeep;

int main() {
    const xt::xtensor<double, 2> temps = {{293.6, 294.1, 292.7}, {291.2, 291.6, 292.1}};
    // temps.npy has the bytes that np.save writes; temps.npy.json is for people and for json.load.
    nk::save("temps.npy", temps,
             {.meta = {{"author", "John"}, {"units", "kelvin"}, {"site", {{"name", "A7"}, {"height", 12.5}}}}});

    const nk::json meta = nk::metadata("temps.npy");
    std::cout << meta["author"].get<std::string>() << " measured in " << meta["units"].get<std::string>() << " at "
              << meta["site"]["height"].get<double>() << " m\n";

    // `describe` changes only the metadata of an existing file. Keys that are not replaced are kept.
    auto more = meta;
    more["calibrated"] = true;
    nk::describe("temps.npy", {.meta = more});
    more = nk::metadata("temps.npy");
    for (const auto& [key, value] : more.items())
        std::cout << "  " << key << ": " << value << '\n';

    // Metadata never describes other data: an array saved without metadata has none, even if the old file had some.
    nk::save("temps.npy", temps - 273.15);
    std::cout << "after another save: " << nk::metadata("temps.npy") << '\n';

    // An archive holds arrays and metadata in one file. In Python: json.loads(np.load("run.npz")["metadata.json"])
    nk::save_npz("run.npz", {{"temps", temps}, {"celsius", temps - 273.15}}, {.meta = meta});
    std::cout << "in the archive: " << nk::npz_reader("run.npz").metadata()["author"] << '\n';
}
