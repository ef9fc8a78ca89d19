// SPDX-License-Identifier: BSD-3-Clause
// The one unit of a program that compiles the bodies.
#include <ndkeep/source.hpp>
