// SPDX-License-Identifier: BSD-3-Clause
// Names and numbers in the hidden folder of a database.
//
//   .ndkeep/lock       one byte for each lock: 0 the writer's lease, 1 the control file, 16 and on the readers' slots
//   .ndkeep/control    what is committed and applied, who writes, and which commit each reader holds
//   .ndkeep/log-XXXX   commits that the npy files may not have yet; XXXX is the first of them, in 16 hexadecimal digits
//   .ndkeep/new-XXXX   arrays that a transaction creates, until the commit is applied
//   .ndkeep/loop-NAME.npz  positions and states of loops that change the arrays
#pragma once

#include <ndkeep/os/locks/lease.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI::detail {

inline constexpr std::string_view control_name = "control", created_prefix = "new-";
inline constexpr std::string_view array_ending = ".npy", document_ending = ".npz";

// Bytes of the lock file, apart from the lease.
inline constexpr std::uint64_t control_byte = 1, first_slot_byte = 16;
inline constexpr std::size_t reader_slots = 1000;

/// `log-000000000000002a`.
[[nodiscard]] std::string segment_name(std::uint64_t first);

/// The first commit of a segment; 0 if the name is of something else. Commits count from 1.
[[nodiscard]] std::uint64_t first_commit_of(std::string_view segment);

/// Whether a name can be that of an array: `NAME.npy` must be a visible file of the directory.
[[nodiscard]] bool is_array_name(std::string_view name);

/// `NAME.npy`.
[[nodiscard]] std::string file_name_of(std::string_view array);

/// NAME of `NAME.npy`; empty for other names.
[[nodiscard]] std::string_view array_name_of(std::string_view file);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/database/detail/layout.ipp>
#endif
