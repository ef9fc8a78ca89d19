// SPDX-License-Identifier: BSD-3-Clause
// The sidecar of an npy file on disk: read it, match it to the file, replace or remove it.
#pragma once

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/npy/inspect.hpp>
#include <ndkeep/os/durability.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/locks/writer_lock.hpp>
#include <ndkeep/statistics/digest.hpp>
#include <ndkeep/version.hpp>
#include <ndkeep/work/progress.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::core {

/// Reads the data of an array once: in parallel pieces, or in file order if a requested sum needs that.
/// @param phase  named in progress reports
void digest_data(const opened_array& array, digest& into, std::string_view phase, const run_options& run);

/// Whether a file is a sidecar, judged by its beginning. Other programs' JSON files are not.
[[nodiscard]] bool is_sidecar(const std::filesystem::path& path);

/// Reads the text of a sidecar; nullopt if absent.
/// @throws format_error  longer than a sidecar may be
[[nodiscard]] std::optional<std::string> sidecar_on_disk(const std::filesystem::path& path);

/// Reads the sidecar of `file`; nullopt if absent.
/// @param file  not a symbolic link
/// @throws format_error  it cannot be parsed, or is longer than a sidecar may be
[[nodiscard]] std::optional<sidecar> read_sidecar(const std::filesystem::path& file);

/// Writes or replaces the sidecar of `file` atomically. It gets mode and owner of `file`, if that exists: whoever may
/// not read an array should not see its statistics.
/// @param file  not a symbolic link
/// @throws conflict_error  a file that is not a sidecar has the name
/// @throws io_error        disk full, no permission, a write-protected sidecar
void write_sidecar(const std::filesystem::path& file, const sidecar& both, durability wanted,
                   read_only_files if_read_only = read_only_files::refuse);

/// Removes the sidecar of a file. A file of another program under that name is kept.
void remove_sidecar(const std::filesystem::path& file);

/// Returns the description that applies to an open file; nullopt if none does.
///
/// The data is read only if the stamps do not decide, to compare the sums.
[[nodiscard]] std::optional<description> believed(const opened_array& array, const sidecar& both,
                                                  const run_options& run = {});

/// Removes the sidecar of a file that is replaced by a file without a sidecar.
///
/// The removal comes after the commit point, because until then the sidecar describes the file. Known obstacles to it
/// are checked in the constructor, while nothing has changed.
class former_sidecar {
  public:
    /// @throws io_error  a regular file under the sidecar's name cannot be read, this user may not remove it, or it is
    ///                   write-protected
    explicit former_sidecar(const std::filesystem::path& file, read_only_files wanted = read_only_files::refuse);

    /// Locks the sidecar. Call it right before the commit point.
    ///
    /// The commit releases the lock of the file. The next writer could then write a new sidecar, which `remove` would
    /// delete. The lock of the sidecar prevents that.
    void hold();

    /// Changes the sidecar so that no reader takes it for one of the new array, and locks it as `hold` does.
    ///
    /// The sidecar outlives the commit if the process is killed before `remove`.
    /// @param next   the new array
    /// @param stamp  of the new array's file
    void disown(const array_info& next, const file_stamp& stamp, durability wanted);

    /// Removes the sidecar. Call it after the commit point.
    /// @throws io_error  it cannot be removed; says that the array is saved
    void remove();

  private:
    void replace_claims(const array_info& next, const file_stamp& stamp, durability wanted) const;

    [[nodiscard]] std::optional<sidecar> sidecar_that_parses() const;

    std::filesystem::path file_;
    bool is_present_;
    read_only_files read_only_;
    std::optional<writer_lock> lock_;  // of the sidecar
};

}  // namespace ndkeep::core

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The descriptions that fit a file with this header and stamp, the more likely one first.
[[nodiscard]] std::vector<description> candidates(const sidecar& both, const array_info& info, const file_stamp& stamp);

/// Whether the stamp alone shows that the first candidate applies. It does not if both have the file's stamp: two saves
/// within one tick of the file system's clock can have equal stamps.
/// @param fitting  not empty
[[nodiscard]] bool stamp_decides(const std::vector<description>& fitting, const file_stamp& stamp);

/// As `core::believed`, and whether sums were compared because no stamp decides.
struct belief {
    std::optional<description> said = std::nullopt;
    bool by_sums = false;
};
[[nodiscard]] belief belief_in(const opened_array& array, const sidecar& both, const file_stamp& stamp,
                               const run_options& run = {});

/// Whether the computed sums equal the stored ones. Sums of unknown kinds are ignored.
[[nodiscard]] bool agrees(const description& said, const checksums& computed);

/// The description of the present array, to be stored as `previous` in the sidecar of its replacement.
[[nodiscard]] std::optional<description> former_description(const std::filesystem::path& file);

/// Stores that a description applies to a file with this stamp, so that the next reader need not compare sums again.
///
/// Nothing is stored, and nothing thrown, if the directory or the sidecar is not writable, or if a writer is at work.
/// @param file   not a symbolic link
/// @param both   the sidecar from which `said` was chosen
/// @param stamp  of the array before its sums were compared
void remember(const opened_array& array, const std::filesystem::path& file, const sidecar& both,
              const description& said, const file_stamp& stamp) noexcept;

/// Removes sums, statistics and stamp from the sidecar before the data is changed in place. Metadata is kept.
void drop_claims(const opened_array& array, const std::filesystem::path& path);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npy/detail/sidecar_file.ipp>
#endif
