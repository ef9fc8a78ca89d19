// SPDX-License-Identifier: BSD-3-Clause
// Reads files whose dtype is known only at run time: load_any accepts every dtype, visit dispatches to the C++ type.
#include <ndkeep/npy.hpp>

#include <iostream>

namespace fs = std::filesystem;
namespace nk = ndkeep;

namespace {

void summarise(const fs::path& file) {
    const nk::any_array any = nk::load_any(file);
    std::cout << file.filename().string() << ": " << any.type().str() << ' ' << nk::shape_text(any.shape());
    try {
        // The lambda is compiled for every real-number type; `array` is an xtensor container of the file's element
        // type.
        nk::visit<nk::real>(
            [](const auto& array) { std::cout << ", from " << +xt::amin(array)() << " to " << +xt::amax(array)(); },
            any);
    } catch (const nk::mismatch_error& problem) {
        std::cout << ", not numbers: " << problem.found();
    }
    std::cout << '\n';
}

}  // namespace

int main(int argc, char** argv) {
    const fs::path data = argc > 1 ? argv[1] : "examples/data";
    nk::save("bytes.npy", xt::xtensor<std::uint8_t, 1>{7, 255, 0});
    nk::save("half.npy", std::vector<nk::float16>{1.5F, -2.25F});
    for (const auto& file :
         {fs::path("bytes.npy"), fs::path("half.npy"), data / "seattle_hourly.npy", data / "seattle_hourly_time.npy"})
        summarise(file);

    // `as` gives the array as one expected type. It never converts: another type is an error.
    const nk::any_array any = nk::load_any("bytes.npy");
    std::cout << "as<std::uint8_t>: " << +any.as<std::uint8_t, 1>()(1) << '\n';
    try {
        (void)any.as<double>();
    } catch (const nk::mismatch_error& problem) {
        std::cout << "as<double>: " << problem.what() << '\n';
    }
    const nk::any_array copy = any;  // saved with the dtype it was loaded with
    nk::save("copy.npy", copy);
    std::cout << "copied: " << nk::inspect("copy.npy").type.str() << '\n';
}
