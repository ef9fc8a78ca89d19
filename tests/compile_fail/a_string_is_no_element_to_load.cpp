// SPDX-License-Identifier: BSD-3-Clause
// expect: does not satisfy .element|constraints not satisfied
// expect: element
// expect: has_dtype
#include <ndkeep/npy/load.hpp>

#ifdef CONTROL
using text = ndkeep::fixed_string<8>;
#else
using text = std::string;
#endif

void look(const std::filesystem::path& file) { (void)ndkeep::load<text>(file); }
