// SPDX-License-Identifier: BSD-3-Clause
// The main function for a Catch2 2 that is installed without a compiled main.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
