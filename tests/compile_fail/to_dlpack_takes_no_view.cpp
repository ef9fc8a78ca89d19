// SPDX-License-Identifier: BSD-3-Clause
// expect: to_dlpack_takes_over_an_owning_array__move_it_or_call_to_dlpack_copy
#include <ndkeep/bridges/dlpack.hpp>

ndkeep::dlpack_tensor give(const xt::xtensor<double, 2>& array) {
#ifdef CONTROL
    return ndkeep::to_dlpack_copy(xt::view(array, 0));
#else
    return ndkeep::to_dlpack(xt::view(array, 0));
#endif
}
