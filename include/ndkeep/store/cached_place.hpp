// SPDX-License-Identifier: BSD-3-Clause
// A place whose chunks are kept in a local folder as well, so that they are fetched once and mapped from there.
#pragma once

#include <ndkeep/os/directory.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/store/place.hpp>
#include <ndkeep/version.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// A folder for copies of chunks. Several processes may share it.
struct cache_options {
    /// Created if absent; its parent must exist. Empty: no cache. Other files in it are left alone.
    std::filesystem::path path = {};
    /// The most bytes in it. The chunks that were not used for the longest time are removed; maps of them stay valid.
    /// A chunk that is larger than all of it is kept until the next one comes.
    std::uint64_t bytes = std::uint64_t{10} << 30;
};

/// Another place, whose chunks are opened as files of a local folder.
///
/// Chunks never change, so a copy never becomes stale. NAME.sum holds the CRC-32C of each copy. Each reader checks a
/// copy before its first use, and fetches a damaged one again. Records are never copied.
class cached_place final : public place {
  public:
    /// @throws io_error  the folder can be neither created nor opened
    cached_place(std::shared_ptr<place> inner, const cache_options& options);

    [[nodiscard]] std::vector<std::string> strangers() override { return inner_->strangers(); }
    [[nodiscard]] std::optional<std::vector<std::byte>> get(const std::string& name, std::uint64_t most) override {
        return inner_->get(name, most);
    }
    [[nodiscard]] bool get_range(const std::string& name, std::uint64_t offset, std::span<std::byte> out) override;
    [[nodiscard]] std::optional<std::uint64_t> size(const std::string& name) override;
    [[nodiscard]] bool put(const std::string& name, parts bytes, durability wanted) override {
        return inner_->put(name, bytes, wanted);
    }
    [[nodiscard]] std::vector<std::string> list(const std::string& folder) override { return inner_->list(folder); }
    void remove(const std::string& name) override { inner_->remove(name); }
    void sync(const std::string& name) override { inner_->sync(name); }
    void sync_names(const std::string& folder) override { inner_->sync_names(folder); }
    /// The copy of a chunk, which is fetched if it is absent; nullopt if it cannot be kept, as on a full disk.
    [[nodiscard]] std::optional<file> open(const std::string& name) override;
    [[nodiscard]] byte_locks locks() override { return inner_->locks(); }
    [[nodiscard]] byte_locks locks_of_readers() override { return inner_->locks_of_readers(); }
    [[nodiscard]] bool was_put_long_ago(const std::string& name) override { return inner_->was_put_long_ago(name); }
    [[nodiscard]] std::vector<std::string> abandoned() override { return inner_->abandoned(); }
    [[nodiscard]] bool is_distant() const override { return true; }
    void begin_turn(std::chrono::milliseconds patience) override { inner_->begin_turn(patience); }
    void end_turn() noexcept override { inner_->end_turn(); }
    [[nodiscard]] std::filesystem::path called(const std::string& name) const override { return inner_->called(name); }

  private:
    /// The name of the copy of a chunk; nullopt for other names.
    [[nodiscard]] std::optional<std::string> copy_of(const std::string& name) const;
    /// A copy that is present and sound.
    [[nodiscard]] std::optional<file> opened(const std::string& copy);
    /// @throws io_error  it cannot be read
    [[nodiscard]] std::optional<file> opened_if_sound(const std::string& copy);
    /// Whether a copy, open as `found`, has the bytes that its sum tells.
    [[nodiscard]] bool is_sound(const file& found, const std::string& copy) const;
    [[nodiscard]] std::optional<file> fetched(const std::string& name, const std::string& copy);
    /// Writes all bytes of a name into a file.
    /// @returns the text of the sum; nullopt if the name is absent, or if the file cannot hold them
    [[nodiscard]] std::optional<std::string> copied(const std::string& name, std::uint64_t size, file& into) const;
    /// Removes copies until there is room for another one.
    void make_room(std::uint64_t bytes);

    std::shared_ptr<place> inner_;
    std::uint64_t most_;
    std::string prefix_;  // of copies: tells the chunks of this place from those of others
    directory folder_;
    std::mutex mutex_;  // of the members below
    std::condition_variable changed_;
    std::set<std::string> checked_;  // copies whose sums are right
    std::set<std::string> busy_;     // copies that a thread checks or fetches
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/store/cached_place.ipp>
#endif
