// SPDX-License-Identifier: BSD-3-Clause
// Habit 5: an array too large for one file is saved in slices, each a view of it, and read back slice by slice.
#include <ndkeep/npy.hpp>

#include <algorithm>
#include <cstdio>

namespace fs = std::filesystem;
namespace nk = ndkeep;

namespace {

/// Numbered so that the order of the names is the order of the rows.
fs::path chunk_name(std::size_t first_row) {
    char name[32];
    std::snprintf(name, sizeof name, "chunk_%06zu.npy", first_row);
    return fs::path("chunks") / name;
}

}  // namespace

int main(int argc, char** argv) {
    const fs::path data = argc > 1 ? argv[1] : "examples/data";
    const auto big = nk::map<float, 2>(data / "seattle_hourly.npy");  // mapped: one slice at a time is in memory
    fs::create_directory("chunks");
    constexpr std::size_t rows_per_chunk = 2500;
    for (std::size_t i = 0; i < big.shape(0); i += rows_per_chunk) {
        const std::size_t end = std::min(i + rows_per_chunk, big.shape(0));
        nk::save(chunk_name(i), xt::view(big, xt::range(i, end)), {.meta = {{"first_row", i}}});
    }

    double sum = 0;
    std::size_t rows = 0;
    while (rows < big.shape(0)) {
        const auto file = chunk_name(rows);
        nk::verify(file);
        const auto chunk = nk::map<float, 2>(file);
        std::printf("%s %s\n", file.c_str(), nk::shape_text(chunk.shape()).c_str());
        sum += xt::sum<double>(xt::col(chunk, 0))();
        rows += chunk.shape(0);
    }
    std::printf("%zu rows, mean temperature %.4f by chunks, %.4f as a whole\n", rows, sum / double(rows),
                xt::mean<double>(xt::col(big, 0))());
}
