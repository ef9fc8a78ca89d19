// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/npy/map.hpp>.
#pragma once

#include <ndkeep/npy/map.hpp>

#include <ndkeep/npy/load.hpp>
#include <ndkeep/os/locks/writer_lock.hpp>
#include <ndkeep/os/names.hpp>

#include <algorithm>
#include <array>
#include <system_error>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

[[nodiscard]] NDKEEP_INLINE file::access access_for(map_mode mode) {
    return mode == map_mode::read_write ? file::access::read_write : file::access::read;
}

NDKEEP_INLINE opened_array open_for_map(const std::filesystem::path& path, const dtype& wanted, map_mode mode,
                                        order wanted_order, const map_options& options) {
    auto array = open_numbered(path, options.limit, options.array, access_for(mode));
    check_in_place(array.info, path, wanted, wanted_order);
    // Before the caller can store anything: a kill after the first store must not leave a sum that is false. A sidecar
    // describes the first array only.
    if (mode == map_mode::read_write && options.array == 0)
        drop_claims(array, resolved(path));
    return array;
}

/// Offset of the first byte after the data.
/// @throws format_error  the offset or the shape is too large
[[nodiscard]] NDKEEP_INLINE std::uint64_t checked_end(const array_info& info, const std::filesystem::path& path) {
    const std::uint64_t nbytes = checked_nbytes(info.type, info.shape, path);
    // Written as a subtraction, because the sum could overflow.
    if (info.data_offset > largest_offset - nbytes)
        throw format_error({.file = path,
                            .field = "offset",
                            .expected = "at most " + counted(largest_offset - nbytes, "byte"),
                            .found = counted(info.data_offset, "byte")});
    return info.data_offset + nbytes;
}

/// Extends a file with zeros to `end` bytes: sparse, or with disk space allocated.
NDKEEP_INLINE void extend(file& out, std::uint64_t end, bool reserve) {
    if (!reserve || end == 0)
        return out.resize(end);
    const std::uint64_t size = out.size();
    try {
        if (!out.reserve(end))
            // This file system cannot reserve space. Writing zeros allocates it.
            for (std::uint64_t at = size; at < end;) {
                static constexpr std::array<std::byte, 65536> zeros = {};
                const auto some = std::min<std::uint64_t>(zeros.size(), end - at);
                out.write(at, {zeros.data(), static_cast<std::size_t>(some)});
                at += some;
            }
    } catch (const io_error&) {
        // The disk is full. Release what was allocated, so that the failure leaves the file as it was.
        out.resize(size);
        throw;
    }
}

NDKEEP_INLINE void cut_extension(file& extended, std::uint64_t end) noexcept {
    try {
        // Only if this call extended the file, and nobody has changed its length since.
        if (end > extended.size_at_opening() && extended.size() == end)
            extended.resize(extended.size_at_opening());
    } catch (const io_error&) {
        // The caller reports the earlier error, which is the cause.
    }
}

NDKEEP_INLINE opened_array open_raw_for_map(const std::filesystem::path& path, const dtype& type,
                                            const std::vector<std::size_t>* shape, std::uint64_t offset, map_mode mode,
                                            order file_order, bool reserve) {
    if (mode != map_mode::read_write || shape == nullptr)
        return open_raw(path, type, shape, offset, file_order, access_for(mode));
    opened_array array{file::open(path, file::access::read_write), {}};
    array.info = {
        .type = type, .shape = *shape, .column_major = file_order == order::column_major, .data_offset = offset};
    const std::uint64_t end = checked_end(array.info, path);
    if (array.source.size() < end)
        extend(array.source, end, reserve);
    return array;
}

NDKEEP_INLINE new_file::new_file(const std::filesystem::path& path, const array_info& info, std::string_view header,
                                 const create_options& options)
    : next_(path, read_only_files_of(options.replace_read_only)),
      may_replace_(options.replace || next_.target_is_reserved()),
      former_(checked_target(path), read_only_files_of(options.replace_read_only)) {
    next_.content().write(0, bytes_of(header));
    extend(next_.content(), checked_end(info, path), options.reserve);
}

NDKEEP_INLINE void new_file::put_in_place(const array_info& info) {
    // The order of a save without a sidecar: content on the disk, former sidecar disowned, rename, sidecar removed.
    former_.disown(info, next_.seal(durability::on_disk), durability::on_disk);
    if (may_replace_)
        next_.commit(durability::on_disk);
    else
        // Fails if a program that does not lock has created the name meanwhile.
        next_.commit_new(durability::on_disk);
    former_.remove();
}

NDKEEP_INLINE const std::filesystem::path& new_file::checked_target(const std::filesystem::path& path) const {
    // An early error, before any space is allocated. `commit_new` checks again.
    if (next_.target_exists() && !may_replace_)
        throw io_error(path, "cannot create", std::make_error_code(std::errc::file_exists),
                       ".replace = true replaces it");
    return next_.target();
}

}  // namespace detail

}  // namespace ndkeep
