// SPDX-License-Identifier: BSD-3-Clause
// What a sidecar says of an npy file, written, read and checked.
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

struct verify_options {
    limits limit = {};
    run_options run = {};
};

struct describe_options {
    json meta = nullptr;                         ///< null keeps what is there
    std::optional<checksum> sum = std::nullopt;  ///< nullopt keeps what is there
    bool statistics = false;                     ///< true computes them; false keeps what is there
    bool sync = false;
    run_options run = {};
};

/// (Re)writes the sidecar of a file that is there, and keeps what it is not given. The data is read when a sum or
/// statistics are asked for, or when what is kept was said of other data: sums and statistics are then computed anew.
/// @throws io_error, format_error  no file, or none that is whole
/// @throws mismatch_error          `.meta` is neither an object nor null
void describe(const std::filesystem::path& file, const describe_options& options = {});

/// The metadata of a file: {} where there is no sidecar.
/// @throws mismatch_error  the sidecar is stale: it describes another array than the file holds
[[nodiscard]] json metadata(const std::filesystem::path& file, const limits& limit = {});

/// How a sidecar relates to the file it is beside, as far as shape, size and time tell.
enum class sidecar_state {
    current,      ///< written for the file as it is
    unconfirmed,  ///< describes such an array; only the data can tell whether it is this one
    stale         ///< describes another array
};

/// What a sidecar stores about a file: sums, statistics, metadata, and when it was written.
struct stored_description : description {
    sidecar_state state = sidecar_state::current;
};

/// Reads the sidecar of a file: nullopt if absent. Reads no data, so sums are reported and not checked: `verify` checks
/// them. A stale description is returned too; look at `.state` before you use it.
/// @throws io_error, format_error  no file, no npy file, or a sidecar that cannot be read
[[nodiscard]] std::optional<stored_description> description_of(const std::filesystem::path& file,
                                                               const limits& limit = {});

/// Everything wrong with a file: header, length, sidecar, every checksum, every statistic. Reads the data once when
/// there is a sidecar. Empty means all is well.
[[nodiscard]] std::vector<finding> findings(const std::filesystem::path& file, const verify_options& options = {});

/// Checks the same and throws the first thing wrong.
/// @throws io_error, format_error, mismatch_error, checksum_error
void verify(const std::filesystem::path& file, const verify_options& options = {});

namespace core {

/// The same for an open array, which may have no header of its own.
[[nodiscard]] std::optional<stored_description> description_of(const opened_array& array);

/// Compares statistics that were stored with those of the data; sums of many numbers agree only within rounding.
class statistics_check {
  public:
    statistics_check(const std::filesystem::path& file, std::vector<finding>& all) : file_(file), all_(all) {}

    void compare(const statistics& stored, const statistics& data, const std::string& path = "statistics");

  private:
    void note(const std::string& path, std::string_view key, std::string expected, std::string now);

    const std::filesystem::path& file_;
    std::vector<finding>& all_;
};

/// Compares the data with the sidecar: which of its descriptions is meant, every sum and every statistic.
/// @param file  where links lead to
void find_in_data(const opened_array& array, const std::filesystem::path& file, const sidecar& both,
                  const run_options& run, std::vector<finding>& all);

}  // namespace core

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npy/detail/describe.ipp>
#endif
