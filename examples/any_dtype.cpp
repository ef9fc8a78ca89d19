// SPDX-License-Identifier: BSD-3-Clause
// Files whose dtype is known only when they are there: load_any takes them all, visit gives each its own type.
#include <ndkeep/npy.hpp>

#include <iostream>

namespace fs = std::filesystem;
namespace nk = ndkeep;

namespace {

void summarise(const fs::path& file) {
    const nk::any_array any = nk::load_any(file);
    std::cout << file.filename().string() << ": " << any.type().str() << ' ' << nk::shape_text(any.shape());
    try {
        // The lambda is compiled for every real type; `array` is an xtensor container of the one that is in the file.
        nk::visit<nk::real>(
            [](const auto& array) { std::cout << ", from " << +xt::amin(array)() << " to " << +xt::amax(array)(); },
            any);
    } catch (const nk::mismatch_error& problem) {
        std::cout << ", no numbers: " << problem.found();
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

    // Where one type is expected after all, `as` converts nothing behind anybody's back.
    const nk::any_array any = nk::load_any("bytes.npy");
    std::cout << "as<std::uint8_t>: " << +any.as<std::uint8_t, 1>()(1) << '\n';
    try {
        (void)any.as<double>();
    } catch (const nk::mismatch_error& problem) {
        std::cout << "as<double>: " << problem.what() << '\n';
    }
    const nk::any_array copy = any;  // saved as it was loaded
    nk::save("copy.npy", copy);
    std::cout << "copied: " << nk::inspect("copy.npy").type.str() << '\n';
}
