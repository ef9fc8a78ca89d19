// SPDX-License-Identifier: BSD-3-Clause
// The sidecar of an npy file: write its description, read it, and verify the file against it.
#pragma once

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/finding.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/npy/inspect.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/work/progress.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Options of `verify` and `findings`, also those of archives.
struct verify_options {
    limits limit = {};
    run_options run = {};
};

/// Options of `describe`.
struct describe_options {
    json meta = nullptr;                         ///< null keeps the metadata
    std::optional<checksum> sum = std::nullopt;  ///< nullopt keeps the kinds of sums
    bool statistics = false;                     ///< true computes them; false keeps existing ones
    bool sync = false;                           ///< survive a power cut once `describe` has returned
    run_options run = {};
};

/// Writes the sidecar of an existing file, or replaces it and keeps the parts that the options do not set.
///
/// The data is read if a sum or statistics are requested. It is also read if the present sidecar describes other data:
/// sums and statistics are then computed again.
/// @throws io_error, format_error  no file, not an npy file, or one that is cut short
/// @throws mismatch_error          `.meta` is neither an object nor null
/// @throws conflict_error          the file changed while it was described, or another program's file has the sidecar's
///                                 name
void describe(const std::filesystem::path& file, const describe_options& options = {});

/// Returns the metadata of a file; {} if it has no sidecar.
///
/// After a copy or a change of the file's time, the data is read once to compare its sums. The sidecar then gets the
/// new time if this user owns it and may write in the directory; otherwise every call reads the data.
/// @throws mismatch_error  the sidecar is stale: it describes another array than the file holds
[[nodiscard]] json metadata(const std::filesystem::path& file, const limits& limit = {});

/// Whether a sidecar describes its file, judged by dtype, shape, file size and time of the last change.
enum class sidecar_state {
    current,      ///< written for the file as it is
    unconfirmed,  ///< dtype and shape fit; only the data can decide
    stale         ///< describes another array
};

/// What a sidecar stores about a file: sums, statistics, metadata, and when it was written.
struct stored_description : description {
    sidecar_state state = sidecar_state::current;  ///< whether the rest describes the file as it is
};

/// Reads the sidecar of a file; nullopt if absent.
///
/// The data is not read, so sums are reported and not checked; `verify` checks them. A stale description is returned
/// too: check `.state` before you use it.
/// @throws io_error, format_error  no file, not an npy file, or a sidecar that cannot be read
[[nodiscard]] std::optional<stored_description> description_of(const std::filesystem::path& file,
                                                               const limits& limit = {});

/// Returns every problem found in a file, none if it is sound: header, length, bytes after the data, sidecar, every
/// checksum, every statistic.
///
/// The data is read once if the file has a sidecar, and not at all otherwise.
[[nodiscard]] std::vector<finding> findings(const std::filesystem::path& file, const verify_options& options = {});

/// Checks the same as `findings` and throws the first problem.
/// @throws io_error, format_error, mismatch_error, checksum_error
void verify(const std::filesystem::path& file, const verify_options& options = {});

namespace core {

/// As `ndkeep::description_of`, for an open array, which may be headerless.
[[nodiscard]] std::optional<stored_description> description_of(const opened_array& array);

/// Compares stored statistics with those of the data. Counts and extremes must be equal, mean and std within rounding.
class statistics_check {
  public:
    statistics_check(const std::filesystem::path& file, std::vector<finding>& all) : file_(file), all_(all) {}

    void compare(const statistics& stored, const statistics& data, const std::string& path = "statistics");

  private:
    void note(const std::string& path, std::string_view key, std::string expected, std::string now);

    const std::filesystem::path& file_;
    std::vector<finding>& all_;
};

/// Compares the data with the sidecar: selects the description that applies, then checks every sum and statistic.
/// @param file  the path with all symbolic links followed
/// @param all   receives the problems
void find_in_data(const opened_array& array, const std::filesystem::path& file, const sidecar& both,
                  const run_options& run, std::vector<finding>& all);

}  // namespace core

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npy/detail/describe.ipp>
#endif
