// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/pickle/detail/stream.hpp>.
#pragma once

#include <ndkeep/pickle/detail/stream.hpp>

#include <ndkeep/error.hpp>

#include <algorithm>
#include <cstring>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE void pickle_stream::expect(std::uint64_t bytes) const {
    if (bytes > left())
        throw format_error(
            {.file = from_.path(),
             .field = "pickle",
             .expected = counted(bytes, "byte") + " more",
             .found = "cut short: " + counted(left(), "byte") + " from byte " + std::to_string(position())});
}

NDKEEP_INLINE void pickle_stream::fill(std::size_t least) {
    expect(least);
    constexpr std::size_t usual = std::size_t{256} << 10;
    const std::uint64_t begin = position();
    const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(size_ - begin, std::max(usual, least)));
    window_.resize(bytes);
    from_.read(begin, window_);
    window_begin_ = begin;
    at_ = 0;
}

NDKEEP_INLINE std::string pickle_stream::line() {
    std::string found;
    for (;;) {
        if (at_ == window_.size())
            fill(1);
        const auto* const begin = reinterpret_cast<const char*>(window_.data()) + at_;
        const auto* const end = static_cast<const char*>(std::memchr(begin, '\n', window_.size() - at_));
        const std::size_t some = end == nullptr ? window_.size() - at_ : static_cast<std::size_t>(end - begin);
        found.append(begin, some);
        at_ += some;
        if (end != nullptr) {
            ++at_;
            return found;
        }
    }
}

NDKEEP_INLINE pickled_range pickle_stream::take(std::uint64_t bytes, pickled_values& into) {
    constexpr std::uint64_t most_in_pool = std::uint64_t{64} << 10;
    expect(bytes);
    if (bytes <= most_in_pool)
        return into.keep(view(static_cast<std::size_t>(bytes)));
    const pickled_range range{position(), bytes, true};
    const std::uint64_t in_window = std::min<std::uint64_t>(bytes, window_.size() - at_);
    at_ += static_cast<std::size_t>(in_window);
    if (in_window != bytes) {
        window_begin_ = position() + (bytes - in_window);
        at_ = 0;
        window_.clear();
    }
    return range;
}

}  // namespace ndkeep::detail
