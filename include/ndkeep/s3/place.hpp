// SPDX-License-Identifier: BSD-3-Clause
// A chunked array in a bucket: names are objects below one prefix.
#pragma once

#include <ndkeep/s3/detail/client.hpp>
#include <ndkeep/store/place.hpp>
#include <ndkeep/version.hpp>

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

/// The place that a location in a bucket stands for. All functions may be called by several threads at once.
///
/// It has neither files, locks nor turns. A name is put with `If-None-Match: *`, so that of several writers, on any
/// machines, one gets it. A put whose outcome is unknown is not made again before a look at the object.
class s3_place final : public place {
  public:
    /// For `s3` and `s3_location`.
    /// @param prefix  of the keys, without a slash at the end
    s3_place(std::shared_ptr<detail::s3_client> client, std::string prefix);

    [[nodiscard]] std::vector<std::string> strangers() override;
    [[nodiscard]] std::optional<std::vector<std::byte>> get(const std::string& name, std::uint64_t most) override;
    [[nodiscard]] bool get_range(const std::string& name, std::uint64_t offset, std::span<std::byte> out) override;
    [[nodiscard]] std::optional<std::uint64_t> size(const std::string& name) override;
    /// @throws mismatch_error  the service ignores the condition, so that writers would overwrite each other
    [[nodiscard]] bool put(const std::string& name, parts bytes, durability wanted) override;
    [[nodiscard]] std::vector<std::string> list(const std::string& folder) override;
    void remove(const std::string& name) override;
    void sync(const std::string& name) override;
    void sync_names(const std::string& folder) override;
    [[nodiscard]] bool was_put_long_ago(const std::string& name) override;
    [[nodiscard]] std::vector<std::string> abandoned() override;
    [[nodiscard]] bool is_distant() const override { return true; }
    [[nodiscard]] std::filesystem::path called(const std::string& name) const override;

  private:
    [[nodiscard]] std::string key_of(const std::string& name) const { return prefix_ + '/' + name; }

    std::shared_ptr<detail::s3_client> client_;
    std::string prefix_;
    std::mutex mutex_;
    std::set<std::string> put_;  // by this object, so that `sync` need not ask for them
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/s3/detail/place.ipp>
#endif
