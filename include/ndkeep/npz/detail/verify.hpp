// SPDX-License-Identifier: BSD-3-Clause
// Describing one member of an npz archive, and verifying all of its bytes.
#pragma once

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/format/finding.hpp>
#include <ndkeep/format/zip/records.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/npz/core/archive.hpp>
#include <ndkeep/npz/verify.hpp>
#include <ndkeep/version.hpp>
#include <ndkeep/work/progress.hpp>

#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Describes a member from its headers. A problem is reported in the result, and not thrown.
[[nodiscard]] npz_member described_member(const archive& from, const zip_entry& entry, const limits& limit);

/// Reads one complete member and appends its problems to `all`.
/// @param said  the stored sums of the array's data, or nullptr
void find_in_member(const archive& from, const zip_entry& entry, const checksums* said, const limits& limit,
                    progress_meter& meter, std::vector<finding>& all);

}  // namespace ndkeep::detail
