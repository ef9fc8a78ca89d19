// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"

#include <ndkeep/statistics/kernel.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

namespace statistics_kernel_tests {

namespace nk = ndkeep;

namespace {

bool is_near(double found, double expected) {
    return std::abs(found - expected) <= 1e-13 * std::max(std::abs(expected), 1.0);
}

/// The same results from scalar loops, plain vector code and, if the processor supports them, wide registers.
template <class T>
void compare_kernels(const std::vector<T>& values) {
    CAPTURE(values.size(), sizeof(T));
    const auto slow = nk::detail::summary_one_by_one(values.data(), values.size());
    nk::detail::summed_numbers plainly = {}, widely = {};
    nk::detail::sum_plainly(values.data(), values.size(), plainly);
    widely = plainly;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        nk::detail::sum_widely(values.data(), values.size(), widely);
#endif
    CHECK(plainly.nan == slow.nan);
    CHECK(widely.nan == slow.nan);
    if (!slow.mean)
        return;
    CHECK(plainly.low == nk::detail::as_double(*slow.min));
    CHECK(plainly.high == nk::detail::as_double(*slow.max));
    CHECK(is_near(plainly.mean, *slow.mean));
    CHECK(is_near(std::sqrt(plainly.squares / static_cast<double>(values.size() - slow.nan)), *slow.std));
    CHECK(widely.low == plainly.low);
    CHECK(widely.high == plainly.high);
    CHECK(widely.mean == plainly.mean);
    CHECK(widely.squares == plainly.squares);
}

}  // namespace

TEMPLATE_TEST_CASE("numbers four at a time are summarised as they are one by one", "[array][summary]", double, float,
                   std::int32_t, std::uint32_t, std::int16_t, std::uint16_t, std::int8_t, std::uint8_t) {
    std::mt19937_64 engine(7);
    for (std::size_t count = 1; count < 40; ++count)
        for (int round = 0; round < 4; ++round) {
            std::vector<TestType> values(count);
            for (auto& value : values) {
                value = static_cast<TestType>(engine());
                if constexpr (std::is_floating_point_v<TestType>) {
                    value = static_cast<TestType>(engine() % 1'000'003) / 7 - 70'000;
                    if (engine() % 4 < static_cast<unsigned>(round))
                        value = std::numeric_limits<TestType>::quiet_NaN();
                }
            }
            compare_kernels(values);
        }
}

}  // namespace statistics_kernel_tests
