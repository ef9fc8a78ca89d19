// SPDX-License-Identifier: BSD-3-Clause
// Where a writer puts an archive: into a new file that replaces the old one, or behind the old one in the same file.
#pragma once

#include <ndkeep/limits.hpp>
#include <ndkeep/npz/core/archive.hpp>
#include <ndkeep/os/durability.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/locks/writer_lock.hpp>
#include <ndkeep/os/process.hpp>
#include <ndkeep/os/replace.hpp>
#include <ndkeep/version.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// What happens to an archive that is there already.
enum class former_archive { replaced, copied, grown };

/// The locked name of an archive, the archive that has it, and the file for new content. Destruction without `commit`
/// leaves the archive as it was.
class archive_output {
  public:
    /// Waits for the lock as `writer_lock` does, and throws the same errors.
    ///
    /// @param former  `grown` applies to an archive that starts with the first byte of its file. Bytes before the
    ///                archive would make its old end useless after a kill, so such an archive is copied
    /// @throws format_error  the present file is not an archive
    archive_output(const std::filesystem::path& file, former_archive former, read_only_files wanted);
    archive_output(const archive_output&) = delete;
    archive_output& operator=(const archive_output&) = delete;
    ~archive_output();

    [[nodiscard]] const std::filesystem::path& target() const noexcept { return target_; }
    /// The archive to keep; without members if there is none.
    [[nodiscard]] const archive& old() const noexcept { return old_; }
    /// Whether new content goes behind the old archive.
    [[nodiscard]] bool grows() const noexcept { return grown_.is_open(); }
    /// The file to write to, and where new content begins in it.
    [[nodiscard]] file& content() { return grows() ? grown_ : next_->content(); }
    [[nodiscard]] std::uint64_t begin() const noexcept { return begin_; }

    /// @throws conflict_error  this is a copy in a forked child
    void check_process() const { owner_.check(target_); }

    /// Makes the content the archive, and releases its name.
    /// @throws io_error  nothing has changed
    void commit(durability wanted);

  private:
    owning_process owner_;
    std::optional<writer_lock> lock_;  // until `next_` takes it over
    std::filesystem::path target_;
    file grown_;
    std::optional<file_lock> alone_;
    archive old_;
    std::optional<replacement> next_;
    std::uint64_t begin_ = 0;
    bool is_committed_ = false;
};

/// Limits for an existing archive, high enough for every archive that ndkeep wrote. Its metadata is stored without
/// compression, so the size of the archive bounds that of the metadata.
/// @param old  not open if there is no archive
[[nodiscard]] limits old_limits(const file& old);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npz/detail/output.ipp>
#endif
