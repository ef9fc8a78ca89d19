// SPDX-License-Identifier: BSD-3-Clause
// A second unit with the same headers: what the target brings along must be the same in both.
#include <ndkeep/npy.hpp>
