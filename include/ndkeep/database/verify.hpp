// SPDX-License-Identifier: BSD-3-Clause
// Description, verification and recovery of a database.
#pragma once

#include <ndkeep/error.hpp>
#include <ndkeep/format/finding.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/npy/describe.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// A database: the result of `inspect_database`.
struct database_info {
    std::uint64_t committed = 0;                                  ///< number of the last commit
    std::uint64_t applied = 0;                                    ///< number of the last commit that the files have
    std::vector<std::pair<std::string, array_info>> arrays = {};  ///< sorted by name, at the last commit
    std::uint64_t log_bytes = 0;                                  ///< length of the log
    std::string writer = {};                                      ///< who writes now, and since when; "": nobody
};

/// Describes a database. A commit that a killed writer has left in the log is completed first. Files that are no
/// npy files, or have a dtype that is not supported, are left out: `findings_database` reports them.
/// @throws io_error, format_error
[[nodiscard]] database_info inspect_database(const std::filesystem::path& directory);

/// Lists every problem of a database, none if it is sound: damaged or missing commits in its log, and those that
/// `findings` reports about each array. It changes nothing. Commits that are in the log only, because a reader holds an
/// older one or because a writer was killed, are no problem; nor are rows behind the data of an array.
[[nodiscard]] std::vector<finding> findings_database(const std::filesystem::path& directory,
                                                     const verify_options& options = {});

/// Makes the same checks as `findings_database`, and throws the first problem.
void verify_database(const std::filesystem::path& directory, const verify_options& options = {});

/// The result of `recover_database`.
struct database_recovery {
    std::uint64_t commit = 0;            ///< number of the commit that the arrays have now
    std::vector<std::string> lost = {};  ///< what could not be recovered, in sentences; empty if nothing is lost
};

/// Opens a database whose log is damaged: applies the commits before the damage, and drops the rest.
///
/// `database` does the same when it opens a sound log. Pages that a dropped commit had already written to the files
/// stay as they are: the result then says so.
/// @throws io_error        it cannot be written
/// @throws conflict_error  a writer is at work
database_recovery recover_database(const std::filesystem::path& directory);

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/database/detail/verify.ipp>
#endif
