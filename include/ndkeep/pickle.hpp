// SPDX-License-Identifier: BSD-3-Clause
// Python's pickles as trees, read without running anything, and written.
#pragma once

#include <ndkeep/pickle/load.hpp>
#include <ndkeep/pickle/options.hpp>
#include <ndkeep/pickle/save.hpp>
