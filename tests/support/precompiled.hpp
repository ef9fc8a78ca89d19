// SPDX-License-Identifier: BSD-3-Clause
// What nearly every test includes. Only for speed: each test includes what it uses.
#pragma once

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/ndkeep.hpp>
