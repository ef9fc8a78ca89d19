// SPDX-License-Identifier: BSD-3-Clause
// expect: loop_state
#include <ndkeep/loop.hpp>

void remember(ndkeep::stateful_loop& loop) {
#ifdef CONTROL
    (void)loop.bind<double>("it");
#else
    (void)loop.bind<double*>("it");
#endif
}
