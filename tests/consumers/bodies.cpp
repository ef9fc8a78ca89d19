// SPDX-License-Identifier: BSD-3-Clause
// The only unit that compiles the function bodies of the library.
#include <ndkeep/source.hpp>
