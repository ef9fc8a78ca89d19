// SPDX-License-Identifier: BSD-3-Clause
// Only for a Catch2 2 that is installed without its compiled main.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
