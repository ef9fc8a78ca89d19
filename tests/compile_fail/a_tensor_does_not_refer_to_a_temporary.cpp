// SPDX-License-Identifier: BSD-3-Clause
// expect: to_dlpack_view_refers_to_its_array__give_it_a_name_or_call_to_dlpack
#include <ndkeep/bridges/dlpack.hpp>

#include <vector>

std::vector<double> make();

std::int32_t rank() {
#ifdef CONTROL
    const std::vector<double> array = make();
    return ndkeep::to_dlpack_view(array)->dl_tensor.ndim;
#else
    return ndkeep::to_dlpack_view(make())->dl_tensor.ndim;
#endif
}
