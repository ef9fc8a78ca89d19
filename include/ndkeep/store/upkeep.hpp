// SPDX-License-Identifier: BSD-3-Clause
// What is done to a chunked array now and then: old commits pruned, leavings swept, a damaged record stepped over.
#pragma once

#include <ndkeep/os/byte_locks.hpp>
#include <ndkeep/store/log.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The files that states of loops lie in.
void add_loop_names(const chunk_state& state, std::set<std::string>& names);

/// The files that a state names.
void add_names(const chunk_state& state, std::set<std::string>& names);

/// Removes those of the listed files that writers of this dataset have staged, that no record names and that are not
/// `own`. To be called after a commit with a new epoch: a writer whose files are among them will notice it.
///
/// A reader that opened a commit while it was pruned still needs its files, and no record names them. It locks the
/// commit before it reads the record, so the readers are asked for after the records were read.
/// @param made   the state of that commit: whatever later ones name of the listed files, it names too, even if all
///               records that are listed here have been pruned before they could be read
/// @param locks  tell who reads
void sweep_listed(commit_log& log, const std::vector<std::string>& listed, const std::vector<std::string>& own,
                  const chunk_state& made, const byte_locks& locks);

/// Removes the records of old commits, and the files that only they name.
///
/// Asks for readers twice: before it removes records, and before it removes files. A reader locks a commit first and
/// reads its record second, so one of the two sees the other. To ask needs no right to write the lock file.
/// @param keep  newest commits that stay; those that somebody reads stay too, with all newer ones
/// @returns records removed
/// @throws io_error  the readers cannot be determined: nothing is removed
std::size_t prune(commit_log& log, std::uint64_t keep);

/// Commits the newest state that can be read on top of records that cannot.
/// @returns the damaged records; none where all is well
[[nodiscard]] std::vector<std::uint64_t> recover(commit_log& log);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/store/upkeep.ipp>
#endif
