// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/key.hpp>.
#pragma once

#include <ndkeep/chunks/key.hpp>

#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/element/time_cast.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/sidecar.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <variant>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE statistics::number key_bound::in(const dtype& keys, const std::filesystem::path& called) const {
    const auto refuse = [&](std::string expected, std::string found) {
        return detail::mismatched(called, "bound of the keys", std::move(expected), std::move(found));
    };
    if (const auto* const number = std::get_if<double>(&number_); number != nullptr && detail::is_nan(*number))
        throw refuse("a number", "NaN");
    if (type_.size() == 0)
        return number_;
    const std::int64_t count = std::get<std::int64_t>(number_);
    if (count == std::numeric_limits<std::int64_t>::min())
        throw refuse("a date or duration", "NaT");
    if (keys.kind() != type_.kind())
        throw refuse(keys.descr(), type_.descr());
    const auto cast = core::time_cast::between(type_, keys);
    if (!cast)
        return count;
    const auto down = (*cast)(count);
    if (!down)
        throw refuse("within the range of " + keys.descr(), detail::number_text(number_) + " of " + type_.descr());
    // Rounded down; one more if the cast has lost something.
    const auto back = (*core::time_cast::between(keys, type_))(*down);
    return back == count ? *down : *down + 1;
}

}  // namespace ndkeep
