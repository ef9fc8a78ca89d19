// SPDX-License-Identifier: BSD-3-Clause
// expect: to_dlpack_takes_over_an_owning_array__move_it_or_call_to_dlpack_copy
#include <ndkeep/bridges/dlpack.hpp>

#include <utility>
#include <vector>

ndkeep::dlpack_tensor give(std::vector<double> array) {
#ifdef CONTROL
    return ndkeep::to_dlpack(std::move(array));
#else
    return ndkeep::to_dlpack(array);
#endif
}
