// SPDX-License-Identifier: BSD-3-Clause
// A place in the memory of this process, for tests and for data that need not be kept.
#pragma once

#include <ndkeep/os/durability.hpp>
#include <ndkeep/store/place.hpp>
#include <ndkeep/version.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// A place that keeps names and bytes in memory: `std::make_shared<memory_place>()`. Several readers and writers, in
/// any threads, share one through a `shared_ptr`.
///
/// It has neither files nor locks: chunks are copied where a directory maps them, `prune` does not see readers, and
/// files of writers that never commit stay. It is also an example of the least that a place must do.
class memory_place final : public place {
  public:
    /// An empty place.
    /// @param shown  the display path, which errors show
    explicit memory_place(std::filesystem::path shown = "memory");

    [[nodiscard]] std::optional<std::vector<std::byte>> get(const std::string& name, std::uint64_t most) override;

    [[nodiscard]] bool get_range(const std::string& name, std::uint64_t offset, std::span<std::byte> out) override;

    [[nodiscard]] std::optional<std::uint64_t> size(const std::string& name) override;

    [[nodiscard]] bool put(const std::string& name, parts bytes, durability wanted) override;

    [[nodiscard]] std::vector<std::string> list(const std::string& folder) override;

    void remove(const std::string& name) override;

    void sync(const std::string& name) override;

    void sync_names(const std::string& folder) override;

    void begin_turn(std::chrono::milliseconds patience) override;
    void end_turn() noexcept override;

    [[nodiscard]] std::filesystem::path called(const std::string& name) const override { return path_ / name; }

  private:
    using shared_bytes = std::shared_ptr<const std::vector<std::byte>>;

    /// nullptr if absent. The bytes stay valid if the name is removed.
    [[nodiscard]] shared_bytes find(const std::string& name) const;

    std::filesystem::path path_;
    mutable std::mutex mutex_;
    std::map<std::string, shared_bytes> bytes_;  // by FOLDER/NAME
    std::condition_variable turn_ended_;
    std::optional<std::thread::id> turn_of_;
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/memory_place.ipp>
#endif
