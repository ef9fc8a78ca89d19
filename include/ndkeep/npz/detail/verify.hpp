// SPDX-License-Identifier: BSD-3-Clause
// One member of an archive described, and checked from its first byte to its last.
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

[[nodiscard]] npz_member described_member(const archive& from, const zip_entry& entry, const limits& limit);

/// Reads one member from its first byte to its last, and notes what is wrong with it.
/// @param said  the sums of the array's data, or nullptr
void find_in_member(const archive& from, const zip_entry& entry, const checksums* said, const limits& limit,
                    progress_meter& meter, std::vector<finding>& all);

}  // namespace ndkeep::detail
