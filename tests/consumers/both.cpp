// SPDX-License-Identifier: BSD-3-Clause
// A program that links the compiled library and a part that uses ndkeep header-only.
#include <ndkeep/npy.hpp>

double sum_of(const char* file);

int main() {
    ndkeep::save("both.npy", xt::xarray<double>{1, 2, 3});
    return sum_of("both.npy") == xt::sum(ndkeep::load<double>("both.npy"))() ? 0 : 1;
}
