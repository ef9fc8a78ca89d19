// SPDX-License-Identifier: BSD-3-Clause
// Arrays in archives, stored and compressed.
#include "timing.hpp"

#include <ndkeep/npz.hpp>

#include <filesystem>
#include <random>

namespace nk = ndkeep;
using namespace timing;

namespace {

/// Deflate is as fast as the numbers let it be: noise, what noise adds up to, and readings of one decimal.
void measure_archives(const std::string& directory, std::size_t count) {
    const std::string path = directory + "/arrays.npz";
    const std::size_t bytes = count * sizeof(double);
    std::mt19937_64 random(1);
    std::normal_distribution<double> normal;
    xt::xtensor<double, 1> noise = xt::empty<double>({count});
    for (double& value : noise)
        value = normal(random);
    const xt::xtensor<double, 1> walk = 700 + xt::cumsum(noise) / 100;  // of one binary exponent, so that sizes agree
    const xt::xtensor<double, 1> readings =
        xt::round(10 * (15 + 8 * xt::sin(xt::arange<double>(0, static_cast<double>(count)) / 1000) + noise)) / 10;

    report("npz save", bytes, seconds([&] { nk::save_npz(path, {{"a", noise}}); }));
    report("npz load", bytes, seconds([&] { sink = nk::npz_reader(path).load<double, 1>("a")(0); }));
    report("npz map", bytes, seconds([&] { sink = nk::npz_reader(path).map<double, 1>("a")(0); }, 200));
    const auto deflate = [&](const std::string& name, const xt::xtensor<double, 1>& array) {
        const double time = seconds([&] { nk::save_npz(path, {{"a", array}}, {.compress = true}); });
        report("deflate save, " + name, std::filesystem::file_size(path), time);
        report("deflate load, " + name, bytes, seconds([&] { sink = nk::npz_reader(path).load<double, 1>("a")(0); }));
    };
    deflate("noise", noise);
    deflate("walk", walk);
    deflate("readings", readings);
    ::unlink(path.c_str());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: archives DIRECTORY BYTES\n");
        return 2;
    }
    const auto bytes = static_cast<std::size_t>(std::strtoull(argv[2], nullptr, 10));
    if (bytes > 1'000'000 && bytes < 100'000'000)
        measure_archives(argv[1], bytes / sizeof(double));
}
