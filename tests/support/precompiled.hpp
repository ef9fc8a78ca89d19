// SPDX-License-Identifier: BSD-3-Clause
// Headers that nearly every test includes, precompiled for speed only: each test still includes what it uses.
#pragma once

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/ndkeep.hpp>
