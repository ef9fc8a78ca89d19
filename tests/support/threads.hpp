// SPDX-License-Identifier: BSD-3-Clause
// Runs several threads at once.
#pragma once

#include <functional>
#include <thread>
#include <vector>

/// Runs `act` with 0, 1, … in as many threads at once.
inline void in_threads(int count, const std::function<void(int)>& act) {
    std::vector<std::thread> threads;
    for (int number = 0; number < count; ++number)
        threads.emplace_back([&act, number] { act(number); });
    for (auto& thread : threads)
        thread.join();
}
