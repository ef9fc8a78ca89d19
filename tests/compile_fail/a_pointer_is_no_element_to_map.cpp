// SPDX-License-Identifier: BSD-3-Clause
// expect: element
// expect: has_dtype
#include <ndkeep/npy/map.hpp>

#ifdef CONTROL
using wanted = double;
#else
using wanted = double*;
#endif

void look(const std::filesystem::path& file) { (void)ndkeep::map<wanted, 1>(file); }
