// SPDX-License-Identifier: BSD-3-Clause
// A histogram of a stream of numbers whose range is not known in advance.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace tool {

/// Counts finite numbers in bins. The bin width is a power of two and the bin edges are multiples of it. When there are
/// too many bins, neighbouring bins are joined and the width doubles. The final width depends on the numbers but not on
/// their order, so merging the histograms of parts gives the histogram of all numbers.
class growing_histogram {
  public:
    /// @param most_bins  limit on memory: 8 bytes per bin
    explicit growing_histogram(std::size_t most_bins = 4096) : most_bins_(static_cast<std::int64_t>(most_bins)) {}

    /// @param number  must be finite
    void add(double number) {
        low_ = std::min(low_, number);
        high_ = std::max(high_, number);
        const double place = number * scale_;
        if (!(place >= begin_ && place < end_))
            return add_beyond(number, 1);
        ++bins_[static_cast<std::size_t>(static_cast<std::int64_t>(std::floor(place)) - first_)];
    }

    void merge(const growing_histogram& other) {
        low_ = std::min(low_, other.low_);
        high_ = std::max(high_, other.high_);
        for (std::size_t i = 0; i < other.bins_.size(); ++i)
            if (other.bins_[i] != 0) {
                const double begin =
                    std::ldexp(static_cast<double>(other.first_ + static_cast<std::int64_t>(i)), other.width_);
                // The lower edge of the lowest bin can be below the lowest finite double, so it is clamped.
                add_beyond(std::max(begin, std::numeric_limits<double>::lowest()), other.bins_[i], other.width_);
            }
    }

    [[nodiscard]] bool empty() const noexcept { return bins_.empty(); }
    /// The least and the greatest number.
    [[nodiscard]] std::pair<double, double> range() const noexcept { return {low_, high_}; }

    /// Redistributes the counts to `count` bins of equal width from `low` to `high`. Integers are counted in the
    /// correct bin. Another number may be counted in the neighbouring bin if it is closer to it than a thousandth of
    /// the range.
    [[nodiscard]] std::vector<std::uint64_t> bins(std::size_t count, double low, double high) const {
        std::vector<std::uint64_t> out(count);
        // Halves avoid overflow: the difference of two doubles can exceed the largest double.
        const double range = high / 2 - low / 2;
        for (std::size_t i = 0; i < bins_.size(); ++i) {
            const double number = std::ldexp(static_cast<double>(first_ + static_cast<std::int64_t>(i)), width_);
            const double place = range > 0 ? (number / 2 - low / 2) / range * static_cast<double>(count) : 0;
            const auto last = static_cast<double>(count - 1);
            out[static_cast<std::size_t>(std::clamp(std::floor(place), 0.0, last))] += bins_[i];
        }
        return out;
    }

  private:
    // The limit keeps the scale 2^-width a finite double.
    static constexpr int narrowest = -1020;

    void add_beyond(double number, std::uint64_t count, int least_width = narrowest) {
        int exponent = 0;
        (void)std::frexp(number, &exponent);
        constexpr int digits = 53;
        widen(std::max({number == 0 ? narrowest : exponent - digits, least_width, narrowest}));
        for (;; widen(width_ + 1)) {
            const auto at = static_cast<std::int64_t>(std::floor(number * scale_));
            if (bins_.empty()) {
                first_ = at;
                bins_.push_back(0);
            } else if (at < first_) {
                if (first_ - at + static_cast<std::int64_t>(bins_.size()) > most_bins_)
                    continue;
                bins_.insert(bins_.begin(), static_cast<std::size_t>(first_ - at), 0);
                first_ = at;
            } else if (at - first_ >= static_cast<std::int64_t>(bins_.size())) {
                if (at - first_ >= most_bins_)
                    continue;
                bins_.resize(static_cast<std::size_t>(at - first_) + 1);
            }
            bins_[static_cast<std::size_t>(at - first_)] += count;
            break;
        }
        begin_ = static_cast<double>(first_);
        end_ = static_cast<double>(first_ + static_cast<std::int64_t>(bins_.size()));
    }

    void widen(int width) {
        if (width <= width_)
            return;
        const int shift = std::min(width - width_, 62);  // a larger shift gives the same bins
        const auto wider = [shift](std::int64_t index) { return index >> shift; };
        if (!bins_.empty()) {
            const std::int64_t first = wider(first_);
            std::vector<std::uint64_t> next(
                static_cast<std::size_t>(wider(first_ + static_cast<std::int64_t>(bins_.size()) - 1) - first) + 1);
            for (std::size_t i = 0; i < bins_.size(); ++i)
                next[static_cast<std::size_t>(wider(first_ + static_cast<std::int64_t>(i)) - first)] += bins_[i];
            bins_ = std::move(next);
            first_ = first;
        }
        width_ = width;
        scale_ = std::ldexp(1.0, -width);
    }

    std::int64_t most_bins_;
    int width_ = narrowest;  // exponent of the bin width, a power of two
    double scale_ = std::ldexp(1.0, -narrowest);
    std::int64_t first_ = 0;      // index of the first bin, in bin widths
    double begin_ = 0, end_ = 0;  // edges of the range of all bins, in bin widths
    double low_ = std::numeric_limits<double>::max(), high_ = std::numeric_limits<double>::lowest();
    std::vector<std::uint64_t> bins_;
};

}  // namespace tool
