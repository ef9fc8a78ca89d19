// SPDX-License-Identifier: BSD-3-Clause
// expect: array_like
#include <ndkeep/npy/save.hpp>

void keep(const std::filesystem::path& file) {
#ifdef CONTROL
    ndkeep::save(file, std::vector<ndkeep::fixed_string<8>>());
#else
    ndkeep::save(file, std::vector<std::string>());
#endif
}
