// SPDX-License-Identifier: BSD-3-Clause
// Habit 5: an array too large for one file is stored as a directory of chunks. It is written and read one chunk at a
// time, and can be mapped as one contiguous array.
#include <ndkeep/chunks.hpp>
#include <ndkeep/npy.hpp>

#include <cstdio>

namespace fs = std::filesystem;
namespace nk = ndkeep;

int main(int argc, char** argv) {
    const fs::path data = argc > 1 ? argv[1] : "examples/data";
    const auto big = nk::map<float, 2>(data / "seattle_hourly.npy");  // mapped: only one chunk at a time is in memory
    fs::remove_all("hourly");
    nk::save_chunked("hourly", big, {.rows_per_chunk = 2500, .meta = {{"site", "Seattle"}}});

    nk::verify_chunked("hourly");
    const nk::chunk_reader<float, 2> chunks("hourly");
    double sum = 0;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
        const auto chunk = chunks[i];  // a mapping of this chunk's file
        std::printf("first row %5zu: %s\n", static_cast<std::size_t>(chunks.first_row(i)),
                    nk::shape_text(chunk.shape()).c_str());
        sum += xt::sum<double>(xt::col(chunk, 0))();
    }
    const auto whole = nk::map_chunked<float, 2>("hourly");  // one contiguous array over all chunk files
    std::printf("%zu rows, mean temperature %.4f by chunks, %.4f in one array\n", whole.shape(0),
                sum / static_cast<double>(chunks.rows()), xt::mean<double>(xt::col(whole, 0))());
}
