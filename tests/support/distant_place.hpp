// SPDX-License-Identifier: BSD-3-Clause
// A place in memory that says that it is far away, and counts what is asked of it.
#pragma once

#include "support/forwarding_place.hpp"

#include <ndkeep/chunks/memory_place.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <thread>

class distant_place final : public forwarding_place {
  public:
    distant_place() : forwarding_place(std::make_unique<ndkeep::memory_place>()) {}

    bool get_range(const std::string& name, std::uint64_t offset, std::span<std::byte> out) override {
        ++ranges;
        const int now = ++running_;
        for (int seen = most_at_once; seen < now && !most_at_once.compare_exchange_weak(seen, now);)
            continue;
        std::this_thread::sleep_for(delay);
        const bool found = forwarding_place::get_range(name, offset, out);
        --running_;
        if (name == broken)
            throw ndkeep::io_error(called(name), "cannot get", std::make_error_code(std::errc::connection_reset));
        return found;
    }
    std::optional<std::uint64_t> size(const std::string& name) override {
        ++sizes;
        return forwarding_place::size(name);
    }
    [[nodiscard]] bool is_distant() const override { return true; }

    std::chrono::milliseconds delay{0};  // of each get_range
    std::string broken = {};             // a name that cannot be read
    std::atomic<int> ranges = 0, sizes = 0, most_at_once = 0;

  private:
    std::atomic<int> running_ = 0;
};
