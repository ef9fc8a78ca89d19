// SPDX-License-Identifier: BSD-3-Clause
// A third-party library that uses ndkeep header-only.
#include <ndkeep/npy.hpp>

double sum_of(const char* file);
double sum_of(const char* file) { return xt::sum(ndkeep::load<double>(file))(); }
