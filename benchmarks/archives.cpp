// SPDX-License-Identifier: BSD-3-Clause
// Benchmarks of npz archives, stored and compressed.
#include "timing.hpp"

#include <ndkeep/npz.hpp>

#include <filesystem>
#include <random>
#include <vector>

#include <zlib.h>

namespace nk = ndkeep;
using namespace timing;

namespace {

/// Three kinds of data, because deflate's speed depends on them: noise, a random walk, and readings with one decimal.
void measure_archives(const std::string& directory, std::size_t count) {
    const std::string path = directory + "/arrays.npz";
    const std::size_t bytes = count * sizeof(double);
    std::mt19937_64 random(1);
    std::normal_distribution<double> normal;
    xt::xtensor<double, 1> noise = xt::empty<double>({count});
    for (double& value : noise)
        value = normal(random);
    const xt::xtensor<double, 1> walk = 700 + xt::cumsum(noise) / 100;  // one binary exponent: sizes stay comparable
    const xt::xtensor<double, 1> readings =
        xt::round(10 * (15 + 8 * xt::sin(xt::arange<double>(0, static_cast<double>(count)) / 1000) + noise)) / 10;

    const auto load = [&] { sink = nk::npz_reader(path).load<double, 1>("a")(0); };
    turns stored(bytes);
    stored.add("npz save", [&] { nk::save_npz(path, {{"a", noise}}); });
    stored.run();
    turns read(bytes);
    read.add("npz load", load);
    read.add("npz map", [&] { sink = nk::npz_reader(path).map<double, 1>("a")(0); }, {.times = 200});
    read.run();
    const auto deflate = [&](const std::string& name, const xt::xtensor<double, 1>& array) {
        const auto save = [&] { nk::save_npz(path, {{"a", array}}, {.compress = true}); };
        save();
        turns written(std::filesystem::file_size(path));
        written.add("deflate save, " + name, save);
        written.run();
        turns back(bytes);
        back.add("deflate load, " + name, load);
        // The floor: zlib alone, from memory to memory.
        std::vector<unsigned char> packed(::compressBound(bytes));
        uLongf length = packed.size();
        require(::compress2(packed.data(), &length, reinterpret_cast<const Bytef*>(array.data()), bytes, 6) == Z_OK);
        std::vector<unsigned char> unpacked(bytes);
        back.add("deflate load, " + name + ":inflate", [&] {
            uLongf size = bytes;
            require(::uncompress(unpacked.data(), &size, packed.data(), length) == Z_OK && size == bytes);
        });
        back.run();
    };
    deflate("noise", noise);
    deflate("walk", walk);
    deflate("readings", readings);
    ::unlink(path.c_str());
}

}  // namespace

int main(int argc, char** argv) {
    const auto [folder, bytes] = task_of(argc, argv);
    if (bytes > 1'000'000 && bytes < 100'000'000)
        measure_archives(folder, bytes / sizeof(double));
}
