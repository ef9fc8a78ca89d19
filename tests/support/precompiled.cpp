// SPDX-License-Identifier: BSD-3-Clause
// The unit for which support/precompiled.hpp is compiled.
