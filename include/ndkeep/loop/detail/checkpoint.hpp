// SPDX-License-Identifier: BSD-3-Clause
// The checkpoint file of a loop, with its lock and the previous checkpoint.
#pragma once

#include <ndkeep/format/finding.hpp>
#include <ndkeep/loop/detail/state/snapshot.hpp>
#include <ndkeep/os/durability.hpp>
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

/// The checkpoint NAME of a loop. It holds an exclusive lock on NAME.lock for as long as it lives, so that one process
/// at a time runs the loop.
class checkpoint_file final : public loop_memory {
  public:
    using reporter = std::function<void(const finding&)>;

    /// @param report  called with the damage if NAME is damaged and NAME.previous is used; empty: prints a line
    /// @throws conflict_error  another loop holds the lock, or NAME.previous is not a checkpoint
    /// @throws io_error        NAME.lock cannot be created or locked
    checkpoint_file(const std::filesystem::path& path, std::string loop, durability wanted, reporter report);

    // Unlocks explicitly: a forked child has a copy of the descriptor, which would hold the lock after a mere close.
    ~checkpoint_file() override;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    /// Whether a checkpoint was read or written by this object.
    [[nodiscard]] bool has_commit() const noexcept { return generation_ != 0; }

    /// Reads NAME, or NAME.previous if NAME is damaged. nullptr if NAME is absent, even if NAME.previous is present.
    /// @throws format_error, checksum_error  both are damaged, or NAME is damaged and NAME.previous is absent
    /// @throws mismatch_error                another kind of file, version or loop
    [[nodiscard]] std::shared_ptr<const loop_snapshot> newest() override;

    /// Replaces NAME atomically; see the steps in checkpoint.ipp.
    [[nodiscard]] bool commit(packed_states&& states, const loop_position& at) override;

    [[nodiscard]] bool syncs() const noexcept override { return durability_ == durability::on_disk; }

  private:
    /// Creates or opens NAME.lock, and locks it.
    [[nodiscard]] static file locked(const std::filesystem::path& path);

    /// Rejects a NAME.previous that is not a checkpoint: a commit would replace a file of the user.
    void check_former() const;

    /// NAME.previous
    [[nodiscard]] std::filesystem::path former() const;

    /// nullptr if the file is absent or damaged; `damage` is set only if it is damaged.
    [[nodiscard]] std::shared_ptr<const loop_snapshot> read(const std::filesystem::path& name,
                                                            std::optional<finding>& damage) const;

    void report(const finding& damage) const;

    std::filesystem::path path_;
    std::string loop_;
    durability durability_;
    reporter report_;
    file lock_;
    owning_process owner_;
    std::uint64_t generation_ = 0;  // of the newest checkpoint; 0 if there is none
    bool is_damaged_ = false;       // NAME is damaged, so NAME.previous is the valid checkpoint
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/loop/detail/checkpoint.ipp>
#endif
