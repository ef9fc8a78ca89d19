// SPDX-License-Identifier: BSD-3-Clause
// What Python programs keep in a pickle: nested arrays and metadata, here in one file that NumPy reads.
#include <ndkeep/npz.hpp>
#include <ndkeep/tree.hpp>

#include <iostream>

namespace nk = ndkeep;

struct station {
    nk::fixed_u32string<10> name;
    double monthly[12];
};
NDKEEP_FIELDS(station, name, monthly);

int main() {
    const xt::xtensor<double, 2> values = xt::arange<double>(12).reshape({3, 4});
    const xt::xtensor<float, 1> weights = {0.25, 0.5, 0.25};

    // A dictionary with metadata; a nested dictionary; a list of dictionaries; an array of structs.
    const nk::tree dataset = {
        {"array_name", "random_data"},
        {"created_on", "2023-01-15"},
        {"regions", {{"north", {{"values", values}, {"runs", 3}}}, {"south", {{"values", values * 2}, {"runs", 5}}}}},
        {"groups", nk::tree::list({{{"weights", weights}}, {{"weights", weights / 2}}})},
        {"stations", std::vector<station>{{U"Seattle", {5.6, 6.3}}, {U"Mauna Loa", {}}}}};
    nk::save_tree("dataset.npz", dataset, {.meta = {{"author", "John"}}});
    std::cout << dataset << '\n';

    const nk::tree back = nk::load_tree("dataset.npz");
    std::cout << (back == dataset ? "loaded tree equals the saved one\n" : "loaded tree differs\n");
    std::cout << "south: " << xt::sum(back["regions"]["south"]["values"].as<double>())() << " in "
              << back["regions"]["south"]["runs"].get<int>() << " runs\n";
    for (const auto& [name, region] : back["regions"].items())
        std::cout << name << ": " << nk::shape_text(region["values"].shape()) << '\n';
    try {
        (void)back["regions"]["west"];
    } catch (const nk::mismatch_error& error) {
        std::cout << error.what() << '\n';
    }

    // Only the requested part of a large file is read; in Python: np.load("dataset.npz")["regions/north/values"]
    const nk::tree opened = nk::open_tree("dataset.npz");
    const auto north = opened["regions"]["north"]["values"].map<double, 2>();
    std::cout << "mapped: " << north(2, 3) << '\n';
    for (const auto& name : nk::npz_reader("dataset.npz").names())
        std::cout << "  " << name << '\n';
}
