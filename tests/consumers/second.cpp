// SPDX-License-Identifier: BSD-3-Clause
// A second unit with the same headers: both units must link.
#include <ndkeep/npy.hpp>
