// SPDX-License-Identifier: BSD-3-Clause
// Saving an array as an npy file, atomically.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/statistics/digest.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Options of `save`.
struct save_options {
    json meta = nullptr;            ///< a JSON object, stored in the sidecar
    checksum sum = checksum::none;  ///< kinds of checksums of the data, stored in the sidecar
    bool statistics = false;        ///< minimum, maximum, mean and deviation, stored in the sidecar
    bool sync = false;              ///< survive a power cut once `save` has returned
    run_options run = {};

    /// Whether `save` writes a sidecar.
    [[nodiscard]] bool has_sidecar() const { return !meta.is_null() || sum != checksum::none || statistics; }
};

/// Writes `array` to `file`, byte for byte as `np.save` would. A lazy expression is evaluated block by block.
///
/// The file holds the old array or the new one at every instant, also after a kill. With `.sync` this includes a power
/// cut; without it, a power cut soon after may leave an empty or partial new file. Symbolic links are followed, in /tmp
/// only those that Linux would follow. A replaced file keeps its mode, owner and extended attributes; its other hard
/// links keep the old array. A write-protected file is refused without `.run.replace_read_only`.
///
/// With metadata, sums or statistics, a sidecar `NAME.npy.json` is written; it gets a crc32c if no other sum is
/// requested. Without them, an existing sidecar is removed. A file of another program under the sidecar's name is
/// neither removed nor replaced.
/// @throws io_error        disk full, no permission, an unreadable sidecar: nothing has changed, unless the error says
///                         that the array is saved
/// @throws mismatch_error  `.meta` is neither an object nor null
/// @throws conflict_error  a sidecar must be written, and a file of another program has its name
void save(const std::filesystem::path& file, const array_view& array, const save_options& options = {});

/// Returns the bytes that `save` writes to a file, for example to send them. A lazy expression is evaluated into them.
[[nodiscard]] std::vector<std::byte> save_bytes(const array_view& array);

namespace core {

/// Writes the elements at byte `offset`, in the view's written order, and passes them to `seen`.
void write_elements(file& out, std::uint64_t offset, const array_view& array, digest& seen, const run_options& run);

}  // namespace core

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npy/detail/save.ipp>
#endif
