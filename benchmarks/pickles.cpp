// SPDX-License-Identifier: BSD-3-Clause
// Benchmarks of pickles: one array beside the same npy file, and a million small values.
#include "timing.hpp"

#include <ndkeep/npy.hpp>
#include <ndkeep/pickle.hpp>

#include <optional>

namespace nk = ndkeep;
using namespace timing;

namespace {

void measure_array(const std::string& directory, std::size_t count) {
    const std::string pickle = directory + "/array.pkl", npy = directory + "/array.npy";
    const xt::xtensor<double, 1> array = xt::arange<double>(0, static_cast<double>(count));
    const nk::tree tree = {{"values", array}};
    nk::save_pickle(pickle, tree, {.sync = true});
    nk::save(npy, array, {.sync = true});

    turns read(count * sizeof(double));
    read.add("pickle load", [&] { sink = nk::load_pickle(pickle)["values"].as<double, 1>()(0); });
    read.add("pickle load:load", [&] { sink = nk::load<double, 1>(npy)(0); });
    read.run();
    turns mapped(count * sizeof(double));
    mapped.add("pickle map", [&] { sink = nk::load_pickle(pickle)["values"].map<double, 1>()(0); }, {.times = 200});
    mapped.add("pickle map:map", [&] { sink = nk::map<double, 1>(npy)(0); }, {.times = 200});
    mapped.run();
    ::unlink(pickle.c_str());
    turns write(count * sizeof(double));
    const around fresh = {.after = [&] {
        ::unlink(pickle.c_str());
        ::unlink(npy.c_str());
    }};
    ::unlink(npy.c_str());
    write.add(
        "pickle save", [&] { nk::save_pickle(pickle, tree); }, fresh);
    write.add(
        "pickle save:save", [&] { nk::save(npy, array); }, fresh);
    write.run();
}

/// The files remain, so that peers.py loads and removes them.
void measure_values(const std::string& directory) {
    constexpr std::size_t count = 1'000'000;
    const auto measure = [&](const std::string& name, const nk::tree& value) {
        const std::string path = directory + "/" + name + ".pkl";
        nk::save_pickle(path, value);
        std::optional<nk::tree> loaded;
        turns read(std::filesystem::file_size(path));
        // As in Python, destroying the values does not count.
        read.add("pickle load, " + name, [&] { loaded = nk::load_pickle(path); }, {.after = [&] { loaded.reset(); }});
        read.run();
    };
    auto integers = nk::tree::list(), numbers = nk::tree::list(), texts = nk::tree::list();
    auto entries = nk::tree::dictionary();
    for (std::size_t i = 0; i < count; ++i) {
        const auto number = static_cast<double>(i) / 7;
        integers.push_back(i);
        numbers.push_back(number);
        texts.push_back("text " + std::to_string(i));
        entries["key " + std::to_string(i)] = number;
    }
    measure("integers", integers);
    measure("numbers", numbers);
    measure("texts", texts);
    measure("entries", entries);
}

}  // namespace

int main(int argc, char** argv) {
    const auto [folder, bytes] = task_of(argc, argv);
    if (bytes > 1'000'000)
        measure_array(folder, bytes / sizeof(double));
    if (bytes > 1'000'000 && bytes < 100'000'000)
        measure_values(folder);
}
