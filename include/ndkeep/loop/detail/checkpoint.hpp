// SPDX-License-Identifier: BSD-3-Clause
// A loop's checkpoint in a file of its own, and the one before beside it.
#pragma once

#include <ndkeep/format/finding.hpp>
#include <ndkeep/loop/detail/state/snapshot.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/process.hpp>
#include <ndkeep/version.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Holds the lock of NAME, in NAME.lock, for as long as it lives.
class checkpoint_file final : public loop_memory {
  public:
    using reporter = std::function<void(const finding&)>;

    /// @throws conflict_error  another loop has it
    checkpoint_file(const std::filesystem::path& path, std::string loop, bool sync, reporter report);

    // A child that was forked meanwhile must not keep the next loop out.
    ~checkpoint_file() override;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    /// Whether there is one, as far as is known.
    [[nodiscard]] bool has_commit() const noexcept { return generation_ != 0; }

    [[nodiscard]] std::shared_ptr<const loop_snapshot> newest() override;

    [[nodiscard]] bool commit(packed_states&& states, const loop_position& at) override;

    [[nodiscard]] bool syncs() const noexcept override { return sync_; }

  private:
    [[nodiscard]] static file locked(const std::filesystem::path& path);

    /// The name of the checkpoint before is taken from nobody else.
    void check_former() const;

    [[nodiscard]] std::filesystem::path former() const;

    /// nullptr where there is none, or, said, where it is damaged.
    [[nodiscard]] std::shared_ptr<const loop_snapshot> read(const std::filesystem::path& name,
                                                            std::optional<finding>& damage) const;

    void report(const finding& damage) const;

    std::filesystem::path path_;
    std::string loop_;
    bool sync_;
    reporter report_;
    file lock_;
    owning_process owner_;
    std::uint64_t generation_ = 0;
    bool is_damaged_ = false;  // the newest, so that the one before is what counts
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/loop/detail/checkpoint.ipp>
#endif
