// SPDX-License-Identifier: BSD-3-Clause
// expect: array_like
#include <ndkeep/npy/save.hpp>

void keep(const std::filesystem::path& file, const std::string& text) {
#ifdef CONTROL
    ndkeep::save(file, ndkeep::fixed_string<8>(text));
#else
    ndkeep::save(file, text);
#endif
}
