// SPDX-License-Identifier: BSD-3-Clause
// Any array into an npy file, whole or not at all.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/statistics/digest.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstdint>
#include <filesystem>

namespace ndkeep::inline NDKEEP_ABI {

struct save_options {
    json meta = nullptr;  ///< an object, kept in the sidecar
    checksum sum = checksum::none;
    bool statistics = false;
    bool sync = false;  ///< survive a power cut once `save` has returned
    run_options run = {};

    [[nodiscard]] bool has_sidecar() const { return !meta.is_null() || sum != checksum::none || statistics; }
};

/// Writes `array` to `file`, byte for byte as `np.save` would. A lazy expression is evaluated block by block.
///
/// The file holds the old array or the new one at every instant, also after a kill; with `.sync` after a power cut too.
/// Without it, a power cut soon after may leave an empty or partial new file. Symbolic links are followed; the mode of
/// a file that is replaced stays. With metadata, sums or statistics a sidecar `NAME.npy.json` is written (and then has
/// a crc32c if no other sum was asked for); without, an old sidecar is removed. A file of another program under the
/// sidecar's name is neither removed nor replaced.
/// @throws io_error        disk full, no permission, a sidecar that cannot be read: nothing has changed, unless the
///                         error says that the array is saved
/// @throws mismatch_error  `.meta` is neither an object nor null
/// @throws conflict_error  with a sidecar to write: a file of another program has its name
void save(const std::filesystem::path& file, const array_view& array, const save_options& options = {});

namespace core {

/// Writes elements from `offset` on, in the view's written order, and shows them to `seen`.
void write_elements(file& out, std::uint64_t offset, const array_view& array, digest& seen, const run_options& run);

}  // namespace core

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npy/detail/save.ipp>
#endif
