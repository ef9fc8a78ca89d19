// SPDX-License-Identifier: BSD-3-Clause
// A place in memory that says that it is far away, and counts what is asked of it.
#pragma once

#include <ndkeep/chunks/memory_place.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

class distant_place final : public ndkeep::place {
  public:
    std::optional<std::vector<std::byte>> get(const std::string& name, std::uint64_t most) override {
        return inner_.get(name, most);
    }
    bool get_range(const std::string& name, std::uint64_t offset, std::span<std::byte> out) override {
        ++ranges;
        const int now = ++running_;
        for (int seen = most_at_once; seen < now && !most_at_once.compare_exchange_weak(seen, now);)
            continue;
        std::this_thread::sleep_for(delay);
        const bool found = inner_.get_range(name, offset, out);
        --running_;
        if (name == broken)
            throw ndkeep::io_error(called(name), "cannot get", std::make_error_code(std::errc::connection_reset));
        return found;
    }
    std::optional<std::uint64_t> size(const std::string& name) override {
        ++sizes;
        return inner_.size(name);
    }
    bool put(const std::string& name, parts bytes, ndkeep::durability wanted) override {
        return inner_.put(name, bytes, wanted);
    }
    std::vector<std::string> list(const std::string& folder) override { return inner_.list(folder); }
    void remove(const std::string& name) override { inner_.remove(name); }
    void sync(const std::string& name) override { inner_.sync(name); }
    void sync_names(const std::string& folder) override { inner_.sync_names(folder); }
    [[nodiscard]] bool is_distant() const override { return true; }
    [[nodiscard]] std::filesystem::path called(const std::string& name) const override { return inner_.called(name); }

    std::chrono::milliseconds delay{0};  // of each get_range
    std::string broken = {};             // a name that cannot be read
    std::atomic<int> ranges = 0, sizes = 0, most_at_once = 0;

  private:
    std::atomic<int> running_ = 0;
    ndkeep::memory_place inner_;
};
