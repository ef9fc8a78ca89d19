// SPDX-License-Identifier: BSD-3-Clause
// Upkeep of a chunked array: prune old commits, sweep orphaned files, recover from a damaged newest record.
#pragma once

#include <ndkeep/os/locks/byte_locks.hpp>
#include <ndkeep/store/log.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Adds the names of the files of all notes.
void add_note_files(const chunk_state& state, std::set<std::string>& names);

/// Adds the names of all files that a state names: tables, chunks and files of notes.
void add_names(const chunk_state& state, std::set<std::string>& names);

/// Those of the listed files in `chunks` that writers of this dataset have staged and that no record names.
/// @throws checksum_error, format_error  a record cannot be read
[[nodiscard]] std::vector<std::string> orphans_among(commit_log& log, const std::vector<std::string>& listed);

/// Removes orphans: those of the listed files that writers of this dataset have staged and that no record names.
///
/// To be called after a commit that has raised the epoch. A writer that still needs one of the files notices the new
/// epoch at its commit, which fails. Removes nothing if a record cannot be read, or if a reader has a commit open whose
/// record was pruned, because only that record names its files. Errors are ignored: a later sweep removes the rest.
///
/// @param listed  names in `chunks`, listed before that commit read the newest state
/// @param own     files that the calling writer staged for that commit; never removed here
/// @param made    the state of that commit. Later commits can name a listed file only if `made` does, so the sweep is
///                right even if every record listed here is pruned before it is read
/// @param locks   to ask which commits are being read
void sweep_listed(commit_log& log, const std::vector<std::string>& listed, const std::vector<std::string>& own,
                  const chunk_state& made, const byte_locks& locks);

/// Removes the records of old commits, and the files that only they name. Writes nothing, so it works on a full disk.
///
///  1. Ask which commits are being read, and lower the floor to the oldest of them. Records below the floor go.
///  2. Read the records. Collect the files of those below the floor, and the files that all others name.
///  3. Remove the records in ascending order. Writers rely on it: step 7 of a commit concludes from a present record
///     that no later one was pruned.
///  4. Sync the names in `commits`. Otherwise a power cut can bring back records whose files are gone.
///  5. Ask for readers again. A reader locks a commit before it reads the record, so each reader either finds no record
///     or is seen here. The files of the commits that it may have opened stay.
///  6. Remove the files.
///
/// In step 1, a commit is also kept until place::was_put_long_ago is true for the record after it.
///
/// A kill in between leaves orphans, which a sweep removes. To ask for readers needs no right to write the lock file.
///
/// @param keep  number of newest commits to keep, at least 1; a commit that is being read is kept, with all newer ones
/// @returns the number of records removed
/// @throws mismatch_error  `keep` is 0, which would remove every record
/// @throws io_error        the readers cannot be determined: nothing is removed; or a removal or the sync has failed
/// @throws checksum_error, format_error  a record to keep is damaged: nothing is removed
std::size_t prune(commit_log& log, std::uint64_t keep);

/// Commits the newest readable state again, with a number above the damaged records, and lists these in `skips`.
/// Nothing else passes over a damaged record, because its commit was acknowledged.
///
/// @returns the numbers of the damaged records, newest first; empty if the newest is readable, and nothing has changed
/// @throws io_error        no commit can be read
/// @throws conflict_error  others have committed in each of 16 tries
[[nodiscard]] std::vector<std::uint64_t> recover(commit_log& log);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/store/upkeep.ipp>
#endif
