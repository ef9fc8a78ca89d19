// SPDX-License-Identifier: BSD-3-Clause
// stateful_loop: a resumable pass over ordered chunks.
#pragma once

#include <ndkeep/loop/stateful_loop.hpp>
