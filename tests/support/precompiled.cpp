// SPDX-License-Identifier: BSD-3-Clause
// The unit that compiles support/precompiled.hpp.
