// SPDX-License-Identifier: BSD-3-Clause
// A pass over ordered chunks that remembers where it was.
#pragma once

#include <ndkeep/loop/stateful_loop.hpp>
