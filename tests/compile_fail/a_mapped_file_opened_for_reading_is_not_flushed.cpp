// SPDX-License-Identifier: BSD-3-Clause
// expect(gcc): no matching function for call to .*flush
// expect(clang): invalid reference to function 'flush'
// expect: is_const_v
#include <ndkeep/npy/map.hpp>

void store(const std::filesystem::path& file) {
#ifdef CONTROL
    auto array = ndkeep::map<double>(file, ndkeep::read_write);
#else
    auto array = ndkeep::map<double>(file);
#endif
    array.flush();
}
