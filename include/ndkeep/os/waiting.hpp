// SPDX-License-Identifier: BSD-3-Clause
// Waiting for what others hold, by asking again at growing intervals.
#pragma once

#include <ndkeep/version.hpp>

#include <algorithm>
#include <chrono>
#include <thread>

namespace ndkeep::inline NDKEEP_ABI::detail {

enum class attempt { succeeded, refused, failed };

/// Asks until the answer is not `refused`, or patience is at an end: the last answer.
template <class Ask>
[[nodiscard]] attempt asked_within(std::chrono::milliseconds patience, Ask&& ask) {
    const auto end = std::chrono::steady_clock::now() + patience;
    auto pause = std::chrono::microseconds(50);
    for (;;) {
        const attempt answer = ask();
        if (answer != attempt::refused || std::chrono::steady_clock::now() > end)
            return answer;
        std::this_thread::sleep_for(pause);
        pause = std::min(2 * pause, std::chrono::microseconds(5000));
    }
}

}  // namespace ndkeep::detail
