// SPDX-License-Identifier: BSD-3-Clause
// expect: to_arrow_takes_over_an_owning_array__move_it_or_call_to_arrow_copy
#include <ndkeep/bridges/arrow.hpp>

#include <utility>
#include <vector>

ndkeep::arrow_pair give(std::vector<double> array) {
#ifdef CONTROL
    return ndkeep::to_arrow(std::move(array));
#else
    return ndkeep::to_arrow(array);
#endif
}
