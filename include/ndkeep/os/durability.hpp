// SPDX-License-Identifier: BSD-3-Clause
// Whether a call waits until its files survive a power cut.
#pragma once

#include <ndkeep/version.hpp>

namespace ndkeep::inline NDKEEP_ABI {

/// When what a call has written survives a power cut. A kill of the process never loses it.
///
/// The public options call it `.sync`. It is on by default where a call adds to what exists and cannot be repeated
/// from its inputs: appends, commits and checkpoints. It is off where a call writes a whole file from memory, as
/// `np.save` does: the program can write it again, and waiting for the disk would take a hundred times as long for
/// small files.
enum class durability {
    when_convenient,  ///< when the system writes it, usually within half a minute
    on_disk           ///< before the call returns
};

/// The choice that an option `.sync` means.
[[nodiscard]] constexpr durability durability_of(bool sync) noexcept {
    return sync ? durability::on_disk : durability::when_convenient;
}

}  // namespace ndkeep
