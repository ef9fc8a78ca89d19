// SPDX-License-Identifier: BSD-3-Clause
// The sidecar of an npy file on the disk: read, judged against the file, replaced.
#pragma once

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/npy/inspect.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/writer_lock.hpp>
#include <ndkeep/statistics/digest.hpp>
#include <ndkeep/version.hpp>
#include <ndkeep/work/progress.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::core {

/// Reads the data of an array once: in pieces side by side, or in the order of the file where a sum needs that.
void digest_data(const opened_array& array, digest& into, std::string_view phase, const run_options& run);

/// Whether the file begins as a sidecar does; JSON of other programs is none.
[[nodiscard]] bool is_sidecar(const std::filesystem::path& path);

/// The text of a sidecar; nullopt if absent.
/// @throws format_error  longer than any sidecar
[[nodiscard]] std::optional<std::string> sidecar_on_disk(const std::filesystem::path& path);

/// The sidecar of `file`, which is not a link; nullopt if absent.
/// @throws format_error  it cannot be parsed, or is longer than any sidecar
[[nodiscard]] std::optional<sidecar> read_sidecar(const std::filesystem::path& file);

/// Replaces the sidecar of `file`, which is not a link.
/// @throws conflict_error  a file that is no sidecar has the name
void write_sidecar(const std::filesystem::path& file, const sidecar& both, bool durable);

/// Removes the sidecar of a file; a file of another program under that name stays.
void remove_sidecar(const std::filesystem::path& file);

/// The description of the file that is open, if one can be believed. Data is read only where no stamp decides.
[[nodiscard]] std::optional<description> believed(const opened_array& array, const sidecar& both,
                                                  const run_options& run = {});

/// The sidecar of a file that is replaced by one without.
///
/// It is removed after the commit point, because until then it describes the file. What can refuse is asked before.
class former_sidecar {
  public:
    /// @throws io_error  a regular file under the sidecar's name that cannot be read
    explicit former_sidecar(const std::filesystem::path& file);

    /// Right before the commit point: keeps others from replacing the sidecar until it is removed. The lock of the file
    /// itself is given up with the commit.
    void hold();

    /// The same, and makes sure that no reader believes the sidecar of the new array, should it stay.
    /// @param stamp  of the new array
    void disown(const array_info& next, const file_stamp& stamp, bool durable);

    /// After the commit point.
    /// @throws io_error  it cannot be removed; says that the array is saved
    void remove();

  private:
    void replace_claims(const array_info& next, const file_stamp& stamp, bool durable) const;

    [[nodiscard]] std::optional<sidecar> sidecar_that_parses() const;

    std::filesystem::path file_;
    bool is_present_;
    std::optional<writer_lock> lock_;  // of the sidecar
};

}  // namespace ndkeep::core

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The descriptions that can be about a file with this header, the likelier one first.
[[nodiscard]] std::vector<description> candidates(const sidecar& both, const array_info& info, const file_stamp& stamp);

/// Whether the first candidate is the file's by its stamp alone: two saves within one tick of the clock have one stamp.
[[nodiscard]] bool stamp_decides(const std::vector<description>& fitting, const file_stamp& stamp);

/// Whether the data has every sum that `said` gives it; sums of kinds that are not known here are passed over.
[[nodiscard]] bool agrees(const description& said, const checksums& computed);

/// The description of the array that is there now, for the sidecar of what replaces it.
[[nodiscard]] std::optional<description> former_description(const std::filesystem::path& file);

/// Before the data is changed in place: what is said of it from now on is only what stays true.
void drop_claims(const opened_array& array, const std::filesystem::path& path);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npy/detail/sidecar_file.ipp>
#endif
