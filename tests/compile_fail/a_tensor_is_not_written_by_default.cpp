// SPDX-License-Identifier: BSD-3-Clause
// expect(gcc): assignment of read-only
// expect(clang): cannot assign to return value because function .operator()
#include <ndkeep/bridges/dlpack.hpp>

void clear(ndkeep::dlpack_tensor tensor) {
#ifdef CONTROL
    auto array = ndkeep::from_dlpack<double, 1>(std::move(tensor), ndkeep::read_write);
#else
    auto array = ndkeep::from_dlpack<double, 1>(std::move(tensor));
#endif
    array(0) = 0;
}
