// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/work/progress.hpp>.
#pragma once

#include <ndkeep/work/progress.hpp>

#include <system_error>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE progress_meter::progress_meter(const run_options& run, progress begin, first_report when)
    : run_(run), told_(std::move(begin)) {
    if (when == first_report::now)
        tell(std::chrono::steady_clock::now());
}

NDKEEP_INLINE void progress_meter::add(std::uint64_t items, std::uint64_t bytes) noexcept {
    // Relaxed: the counts are only displayed; no other data depends on their order.
    items_.fetch_add(items, std::memory_order_relaxed);
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
}

NDKEEP_INLINE bool progress_meter::stopped() const noexcept {
    return run_.stop != nullptr && run_.stop->load(std::memory_order_relaxed);
}

NDKEEP_INLINE void progress_meter::report() {
    if (!goes_on())
        throw canceled();
}

NDKEEP_INLINE bool progress_meter::goes_on() {
    if (stopped())
        return false;
    if (!run_.progress)
        return true;
    const auto now = std::chrono::steady_clock::now();
    return now - last_ < interval || is_told(now);
}

NDKEEP_INLINE io_error progress_meter::canceled() const {
    return {told_.file, told_.phase.empty() ? "stopped" : told_.phase + " stopped",
            std::make_error_code(std::errc::operation_canceled)};
}

NDKEEP_INLINE void progress_meter::tell(std::chrono::steady_clock::time_point now) {
    if (stopped() || !is_told(now))
        throw canceled();
}

NDKEEP_INLINE bool progress_meter::is_told(std::chrono::steady_clock::time_point now) {
    if (!run_.progress)
        return true;
    last_ = now;
    told_.items = items_.load(std::memory_order_relaxed);
    told_.bytes = bytes_.load(std::memory_order_relaxed);
    told_.elapsed = now - begin_;
    return run_.progress(told_) == flow::go;
}

}  // namespace ndkeep
