// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/npy/append.hpp>.
//
// The order of an append. A kill at any step leaves the old array or the new one, each described by its sidecar.
//
// 1. Lock the name, so that no other writer replaces the file meanwhile.
// 2. Open the file and lock it too. Two hard links of one file are two names, and each name has its lock.
// 3. Read the header under both locks. Reject other shapes, and a second array after the data.
// 4. Make the longer header. If it does not fit in place, write a new file and rename it, as a save does, and stop.
// 5. Replace the sidecar by one that describes the longer array and, as `previous`, the present one. The shapes differ,
//    so a reader always knows which description applies.
// 6. Write the rows after the data. No header counts them yet, so readers ignore them.
// 7. Write the header bytes that change: the commit point.
// 8. Replace the sidecar by one that describes the longer array only, now with the file's stamp.
//
// With `.sync`, steps 5 to 8 each wait for the disk. Otherwise a power cut could keep step 7 and lose step 6.
#pragma once

#include <ndkeep/npy/append.hpp>

#include <ndkeep/array/any.hpp>
#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/npy/core/sidecar_file.hpp>
#include <ndkeep/npy/detail/grow.hpp>
#include <ndkeep/npy/detail/inspect.hpp>
#include <ndkeep/npy/detail/save.hpp>
#include <ndkeep/os/durability.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/locks/writer_lock.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/os/replace.hpp>
#include <ndkeep/statistics/digest.hpp>
#include <ndkeep/statistics/running_statistics.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// The sidecar of the longer array (step 5); nullopt if the present sidecar is absent or stale.
[[nodiscard]] NDKEEP_INLINE std::optional<sidecar> grown_sidecar(const opened_array& array,
                                                                 const std::filesystem::path& path,
                                                                 const array_info& info,
                                                                 std::span<const std::byte> bytes, std::size_t count) {
    const auto both = read_sidecar(path);
    const auto former = both ? believed(array, *both) : std::nullopt;
    if (!former)
        return std::nullopt;
    auto said = described(info);
    said.metadata = former->metadata;
    const bool has_md5 = contains(kinds_of(former->sums), checksum::md5);
    const checksum kept = kinds_of(former->sums) & (checksum::crc32 | checksum::crc32c);
    running_checksums sums(kept, former->sums, sidecar_path(path));
    sums.update(bytes);
    said.sums = sums.values();
    if (has_md5 && kept == checksum::none) {
        // md5 cannot be extended, and a sidecar needs a sum. So the present data is read once for a crc32c.
        digest whole(array.info.type, checksum::crc32c, false);
        digest_data(array, whole, "append", {});
        running_checksums crc(checksum::crc32c, whole.sums());
        crc.update(bytes);
        said.sums = crc.values();
    }
    if (former->statistics) {
        running_statistics added(info.type);
        added.update(bytes.data(), count);
        said.statistics = merged(*former->statistics, added.values());
    }
    return sidecar{said, former};
}

}  // namespace detail

NDKEEP_INLINE void append(const std::filesystem::path& file, const array_view& rows, const append_options& options) {
    const auto wanted = durability_of(options.sync);
    const auto if_read_only = read_only_files_of(options.run.replace_read_only);
    auto lock = detail::lock_to_grow(file);
    // Saved under the same lock, so that no other writer can create the file in between.
    if (lock && (!lock->target_exists() || lock->target_is_reserved())) {
        check_writable(lock->target(), if_read_only);
        detail::save_under(*std::move(lock), rows, {.sync = options.sync, .run = options.run});
        return;
    }
    const auto target = lock ? lock->target() : detail::resolved(file);
    detail::opened_array array{ndkeep::file::open(target, ndkeep::file::access::read_write), {}};
    const detail::file_lock alone(array.source);
    detail::read_array(array, options.limit);
    array.source.call(file);  // errors name the path that the caller gave
    detail::check_rows(array.info, rows, array.source.path());
    detail::check_no_second_array(array);
    // Converted before anything is written, so that an element that cannot be converted changes nothing.
    const auto added = detail::converted_rows(rows, array.info.type, order_of(array.info), array.source.path());
    const std::size_t axis = detail::growing_axis(array.info);
    if (rows.shape()[axis] == 0)
        return;
    const detail::grown_header grown(array, rows.shape()[axis]);
    auto both = detail::grown_sidecar(array, target, grown.info, added.bytes(), added.size());
    if (!grown.in_place)
        // Without the lock, this reports why there is none.
        return detail::rewrite_grown(array, lock ? *std::move(lock) : writer_lock(file), grown.info, added.bytes(),
                                     std::move(both), wanted, options.run);

    if (both)
        detail::write_sidecar(target, *both, wanted, if_read_only);
    detail::grow_in_place(array, grown, added.bytes(), wanted);
    if (!both)
        return;
    try {
        both->current.stamp = array.source.stamp();
        both->previous.reset();
        detail::write_sidecar(target, *both, wanted, if_read_only);
    } catch (const error&) {
        // Not an error: the rows are added and the sidecar of step 5 is correct. Only its stamp is missing, which
        // spares readers the checksum.
    }
}

}  // namespace ndkeep
