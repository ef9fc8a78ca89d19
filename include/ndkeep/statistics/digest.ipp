// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/statistics/digest.hpp>.
#pragma once

#include <ndkeep/statistics/digest.hpp>

namespace ndkeep::inline NDKEEP_ABI::core {

NDKEEP_INLINE digest::digest(const dtype& type, checksum sums, bool with_statistics) : sums_(sums) {
    if (with_statistics)
        statistics_.emplace(type);
}

NDKEEP_INLINE void digest::update(std::span<const std::byte> bytes, std::size_t count) {
    sums_.update(bytes);
    if (statistics_)
        statistics_->update(bytes.data(), count);
}

NDKEEP_INLINE void digest::append(const digest& later, std::uint64_t bytes) {
    sums_.append(later.sums_, bytes);
    if (statistics_)
        statistics_->append(*later.statistics_);
}

NDKEEP_INLINE std::optional<statistics> digest::values() const {
    return statistics_ ? std::optional(statistics_->values()) : std::nullopt;
}

}  // namespace ndkeep::core
