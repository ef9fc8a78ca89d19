// SPDX-License-Identifier: BSD-3-Clause
// Habit 7: dtype, shape and statistics are stored with the array, and can be read without reading the array's data.
#include <ndkeep/npy.hpp>

#include <fstream>
#include <iostream>

namespace fs = std::filesystem;
namespace nk = ndkeep;

int main(int argc, char** argv) {
    const fs::path data = argc > 1 ? argv[1] : "examples/data";
    fs::copy_file(data / "seattle_hourly.npy", "hourly.npy");

    // Every npy file starts with a header that holds dtype and shape.
    const nk::array_info info = nk::inspect("hourly.npy");
    std::cout << "dtype " << info.type.str() << ", shape " << nk::shape_text(info.shape) << ", "
              << (info.column_major ? "column" : "row") << "-major, data from byte " << info.data_offset << '\n';

    // After `describe`, the sidecar holds the statistics, so other programs need not read the data.
    nk::describe("hourly.npy", {.statistics = true});
    const auto sidecar = nk::json::parse(std::ifstream("hourly.npy.json"));
    for (const auto& [name, value] : sidecar["statistics"].items())
        std::cout << "  " << name << ' ' << value << '\n';

    // The statistics cover all elements. To get statistics of one column, save it as an array.
    const auto hourly = nk::map<float, 2>("hourly.npy");
    nk::save("temperature.npy", xt::col(hourly, 0), {.meta = {{"units", "degrees Celsius"}}, .statistics = true});
    const auto of = nk::json::parse(std::ifstream("temperature.npy.json"));
    std::cout << "temperature: " << of["array"] << "\n  from " << of["statistics"]["min"] << " to "
              << of["statistics"]["max"] << '\n';
}
