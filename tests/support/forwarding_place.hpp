// SPDX-License-Identifier: BSD-3-Clause
// A directory as a place, of which a test overrides what it is about.
#pragma once

#include <ndkeep/store/place.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

class forwarding_place : public ndkeep::place {
  public:
    explicit forwarding_place(const std::filesystem::path& path) : inner_(path, ndkeep::local_place::access::write) {}

    std::optional<std::vector<std::byte>> get(const std::string& name, std::uint64_t most) override {
        return inner_.get(name, most);
    }
    bool get_range(const std::string& name, std::uint64_t offset, std::span<std::byte> out) override {
        return inner_.get_range(name, offset, out);
    }
    std::optional<std::uint64_t> size(const std::string& name) override { return inner_.size(name); }
    bool put(const std::string& name, parts bytes, ndkeep::durability wanted) override {
        return inner_.put(name, bytes, wanted);
    }
    std::vector<std::string> list(const std::string& folder) override { return inner_.list(folder); }
    void remove(const std::string& name) override { inner_.remove(name); }
    void sync(const std::string& name) override { inner_.sync(name); }
    void sync_names(const std::string& folder) override { inner_.sync_names(folder); }
    std::optional<ndkeep::file> open(const std::string& name) override { return inner_.open(name); }
    std::vector<std::string> strangers() override { return inner_.strangers(); }
    ndkeep::byte_locks locks() override { return inner_.locks(); }
    ndkeep::byte_locks locks_of_readers() override { return inner_.locks_of_readers(); }
    void begin_turn(std::chrono::milliseconds patience) override { inner_.begin_turn(patience); }
    void end_turn() noexcept override { inner_.end_turn(); }
    std::filesystem::path called(const std::string& name) const override { return inner_.called(name); }

  private:
    ndkeep::local_place inner_;
};
