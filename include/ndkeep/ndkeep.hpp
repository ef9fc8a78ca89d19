// SPDX-License-Identifier: BSD-3-Clause
// All of ndkeep.
#pragma once

#include <ndkeep/error.hpp>
#include <ndkeep/version.hpp>

#include <ndkeep/npy.hpp>  // one array in one file
