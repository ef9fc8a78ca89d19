// SPDX-License-Identifier: BSD-3-Clause
// The modes of numpy.memmap, one by one: mode='w+', 'r', 'r+' and 'c', then shape, offset and flush, with and without
// an npy header.
#include <ndkeep/npy.hpp>

#include <iostream>
#include <numeric>

namespace fs = std::filesystem;
namespace nk = ndkeep;

int main() {
    // 'w+': creates a file of zeros for reading and writing.
    auto fresh = nk::create<std::int32_t>("data.npy", {10, 5});
    std::iota(fresh.begin(), fresh.end(), 0);
    xt::row(fresh, 9) = 0;                       // broadcast
    xt::view(fresh, 2, xt::range(0, 2)) *= 100;  // a slice
    fresh.flush();                               // waits until the data is on disk; a failure is an io_error
    std::cout << "w+  " << nk::shape_text(fresh.shape()) << ", " << fs::file_size("data.npy") << " bytes\n";

    // 'r': read-only; a store does not compile.
    const auto now = nk::map<std::int32_t, 2>("data.npy");
    std::cout << "r   first row " << now(0, 0) << " to " << now(0, 4) << ", last column sums to "
              << xt::sum(xt::col(now, 4))() << '\n';
    const auto cube = xt::reshape_view(now, {5, 2, 5});
    std::cout << "    as (5, 2, 5): element (1, 0, 1) is " << cube(1, 0, 1) << '\n';

    // 'r+': stores reach the file and all other mappings of it.
    auto live = nk::map<std::int32_t, 2>("data.npy", nk::read_write);
    live(0, 0) = -1;
    live.flush();
    std::cout << "r+  stored -1, the other mapping reads " << now(0, 0) << '\n';

    // 'c': copy on write; stores stay in this process.
    auto draft = nk::map<std::int32_t, 2>("data.npy", nk::copy_on_write);
    draft(0, 0) = 999;
    std::cout << "c   stored " << draft(0, 0) << ", the file has " << now(0, 0) << '\n';

    // Files without a header, as numpy.memmap makes them: the reader must know shape and dtype.
    auto out = nk::create_raw<float>("data.dat", {3, 4}, {.offset = 1024});
    out = xt::ones<float>({3, 4}) * 2.5F;
    out.flush();
    const auto raw = nk::map_raw<float, 2>("data.dat", {.shape = {3, 4}, .offset = 1024});
    const auto flat = nk::map_raw<float>("data.dat", {.offset = 1024});
    std::cout << "raw " << fs::file_size("data.dat") << " bytes, sum " << xt::sum(raw)() << ", without a shape "
              << nk::shape_text(flat.shape()) << '\n';
    try {
        (void)nk::map_raw<float, 2>("data.dat", {.shape = {300, 4}});
    } catch (const nk::format_error& problem) {
        std::cout << "    " << problem.what() << '\n';
    }

    // numpy.memmap cannot grow a file that is in use; `append` can. Existing mappings keep their length.
    nk::append("data.npy", xt::xtensor<std::int32_t, 2>(xt::ones<std::int32_t>({2, 5})));
    std::cout << "append: " << nk::shape_text(now.shape()) << " in this mapping, "
              << nk::shape_text(nk::map<std::int32_t>("data.npy").shape()) << " in a new one\n";
}
