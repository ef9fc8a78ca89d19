// SPDX-License-Identifier: BSD-3-Clause
// Another place, usually a directory, of which a test overrides what it is about.
#pragma once

#include <ndkeep/store/place.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

class forwarding_place : public ndkeep::place {
  public:
    explicit forwarding_place(const std::filesystem::path& path)
        : forwarding_place(std::make_unique<ndkeep::local_place>(path, ndkeep::local_place::access::write)) {}
    explicit forwarding_place(std::unique_ptr<ndkeep::place> inner) : inner_(std::move(inner)) {}

    std::optional<std::vector<std::byte>> get(const std::string& name, std::uint64_t most) override {
        return inner_->get(name, most);
    }
    bool get_range(const std::string& name, std::uint64_t offset, std::span<std::byte> out) override {
        return inner_->get_range(name, offset, out);
    }
    std::optional<std::uint64_t> size(const std::string& name) override { return inner_->size(name); }
    bool put(const std::string& name, parts bytes, ndkeep::durability wanted) override {
        return inner_->put(name, bytes, wanted);
    }
    std::vector<std::string> list(const std::string& folder) override { return inner_->list(folder); }
    void remove(const std::string& name) override { inner_->remove(name); }
    void sync(const std::string& name) override { inner_->sync(name); }
    void sync_names(const std::string& folder) override { inner_->sync_names(folder); }
    std::optional<ndkeep::file> open(const std::string& name) override { return inner_->open(name); }
    std::vector<std::string> strangers() override { return inner_->strangers(); }
    ndkeep::byte_locks locks() override { return inner_->locks(); }
    ndkeep::byte_locks locks_of_readers() override { return inner_->locks_of_readers(); }
    bool was_put_long_ago(const std::string& name) override { return inner_->was_put_long_ago(name); }
    std::vector<std::string> abandoned() override { return inner_->abandoned(); }
    [[nodiscard]] bool is_distant() const override { return inner_->is_distant(); }
    void begin_turn(std::chrono::milliseconds patience) override { inner_->begin_turn(patience); }
    void end_turn() noexcept override { inner_->end_turn(); }
    std::filesystem::path called(const std::string& name) const override { return inner_->called(name); }

  private:
    std::unique_ptr<ndkeep::place> inner_;
};
