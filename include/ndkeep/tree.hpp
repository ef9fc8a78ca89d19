// SPDX-License-Identifier: BSD-3-Clause
// Nested dictionaries and lists with arrays as leaves, in one archive.
#pragma once

#include <ndkeep/tree/archive.hpp>
#include <ndkeep/tree/tree.hpp>
