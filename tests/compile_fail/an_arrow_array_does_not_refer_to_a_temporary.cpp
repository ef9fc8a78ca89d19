// SPDX-License-Identifier: BSD-3-Clause
// expect: to_arrow_view_refers_to_its_array__give_it_a_name_or_call_to_arrow
#include <ndkeep/bridges/arrow.hpp>

#include <vector>

std::vector<double> make();

std::int64_t length() {
#ifdef CONTROL
    const std::vector<double> array = make();
    return ndkeep::to_arrow_view(array).array->length;
#else
    return ndkeep::to_arrow_view(make()).array->length;
#endif
}
