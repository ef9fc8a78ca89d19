// SPDX-License-Identifier: BSD-3-Clause
// Waiting by polling: repeat an attempt at growing intervals until it succeeds, fails or times out.
#pragma once

#include <ndkeep/version.hpp>

#include <algorithm>
#include <chrono>
#include <thread>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The outcome of one attempt. `refused` may change by waiting, `failed` does not.
enum class attempt { succeeded, refused, failed };

/// Repeats `ask` until it returns something else than `refused`, or until `patience` is over. Returns the last answer.
/// `ask` is called at least once.
template <class Ask>
[[nodiscard]] attempt asked_within(std::chrono::milliseconds patience, Ask&& ask) {
    const auto end = std::chrono::steady_clock::now() + patience;
    // Polling, because no lock call of the system takes a time limit. A short first pause costs little where a holder
    // needs microseconds; 5 ms at most keep both the load and the delay small where it needs seconds.
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
