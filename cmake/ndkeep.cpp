// SPDX-License-Identifier: BSD-3-Clause
// The compiled library: every body, once.
#include <ndkeep/source.hpp>
