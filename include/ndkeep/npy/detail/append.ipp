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
#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/npy/core/sidecar_file.hpp>
#include <ndkeep/npy/detail/inspect.hpp>
#include <ndkeep/npy/detail/save.hpp>
#include <ndkeep/os/durability.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/os/process.hpp>
#include <ndkeep/os/replace.hpp>
#include <ndkeep/os/waiting.hpp>
#include <ndkeep/os/writer_lock.hpp>
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

/// Holds the lock of an open file, which all its hard links share. `writer_lock` is the lock of one name. (step 2)
class file_lock {
  public:
    /// @param held  outlives the lock
    explicit file_lock(const file& held) : held_(held) {
        const auto ask = [&] { return held_.try_lock() ? attempt::succeeded : attempt::refused; };
        if (asked_within(patience_with_others, ask) != attempt::succeeded)
            throw io_error(held_.path(), "cannot lock: another process keeps it locked",
                           std::make_error_code(std::errc::device_or_resource_busy));
    }
    file_lock(const file_lock&) = delete;
    file_lock& operator=(const file_lock&) = delete;
    ~file_lock() {
        // A forked child shares the lock of its parent, and must not release it.
        if (owner_.is_this())
            held_.unlock();
    }

  private:
    const file& held_;
    owning_process owner_;
};

/// The lock of the name (step 1); nullopt if the directory is not writable and the file is. The lock of the file must
/// do then: no rename by this user is possible, but the owner of the directory may replace the file meanwhile.
[[nodiscard]] NDKEEP_INLINE std::optional<writer_lock> lock_to_grow(const std::filesystem::path& path) {
    try {
        return writer_lock(path);
    } catch (const io_error&) {
        const auto target = resolved(path);
        const auto parent = target.parent_path();
        if (is_writable(parent.empty() ? "." : parent) || !is_writable(target))
            throw;
        return std::nullopt;
    }
}

/// The header of the longer array, and whether it can be written over the present one. (step 4)
class grown_header {
  public:
    grown_header(const opened_array& array, std::size_t rows) : info(array.info) {
        const std::size_t axis = info.column_major ? info.shape.size() - 1 : 0;
        info.shape[axis] += rows;
        // Rejects a shape whose size overflows before anything is written.
        (void)checked_nbytes(info.type, info.shape, array.source.path());
        // The data must stay where it is, so the new header must have the length of the old one.
        if (least_header_length(info, info.version) > array.info.data_offset)
            return;
        const std::string text = header_bytes(info, {.version = info.version, .length = array.info.data_offset});
        const auto bytes = bytes_of(text);
        // Only the bytes that differ are written. Readers that do not lock are then less likely to see a torn header.
        const auto differs = std::mismatch(bytes.begin(), bytes.end(), array.header.begin());
        first = static_cast<std::size_t>(differs.first - bytes.begin());
        std::size_t last = bytes.size();
        while (last > first && bytes[last - 1] == array.header[last - 1])
            --last;
        changed.assign(bytes.begin() + static_cast<std::ptrdiff_t>(first),
                       bytes.begin() + static_cast<std::ptrdiff_t>(last));
        // A disk writes one 512-byte sector completely or not at all. A change that spans two sectors could be half
        // written at a power cut, and a half-written shape can still parse.
        constexpr std::size_t sector = 512;
        in_place = last == first || first / sector == (last - 1) / sector;
    }

    array_info info;
    bool in_place = false;
    std::size_t first = 0;  // where the changed bytes begin
    std::vector<std::byte> changed;
};

/// Rejects a file with a second array after the data: the rows would overwrite it. Calling `np.save` twice on one open
/// file makes such files. Other bytes after the data are remains of a killed append, and may be overwritten.
NDKEEP_INLINE void check_no_second_array(const opened_array& array) {
    std::array<std::byte, magic.size()> behind = {};
    const std::size_t length = array.source.read_some(data_end(array.info), behind);
    if (length == behind.size() && as_text(behind) == magic)
        throw mismatch_error({.file = array.source.path(),
                              .field = "data",
                              .expected = "the last bytes of the file",
                              .found = "followed by a second array",
                              .hint = "append would overwrite it"});
}

/// The axis along which rows are appended.
[[nodiscard]] NDKEEP_INLINE std::size_t growing_axis(const array_info& info) {
    return info.column_major ? info.shape.size() - 1 : 0;
}

/// Number of complete rows after the data, which the header does not count.
[[nodiscard]] NDKEEP_INLINE std::size_t rows_behind(const opened_array& array) {
    if (array.info.shape.empty())
        return 0;
    check_no_second_array(array);
    const std::uint64_t row = row_bytes(array.info);
    return row == 0 ? 0 : static_cast<std::size_t>((array.source.size() - data_end(array.info)) / row);
}

/// Number of rows that the header counts and whose bytes are in the file.
[[nodiscard]] NDKEEP_INLINE std::size_t rows_there(const opened_array& array) {
    if (array.info.shape.empty())
        return 0;
    const std::size_t stated = array.info.shape[growing_axis(array.info)];
    const std::uint64_t row = row_bytes(array.info);
    if (row == 0)
        return stated;
    return static_cast<std::size_t>(std::min<std::uint64_t>(stated, array.data_in(array.source.size()) / row));
}

NDKEEP_INLINE void check_rows(const opened_array& array, const array_view& rows) {
    const auto& shape = array.info.shape;
    const auto& path = array.source.path();
    if (shape.empty())
        throw mismatch_error(
            {.file = path, .field = "shape", .expected = "at least 1 dimension", .found = shape_text(shape)});
    const std::size_t axis = array.info.column_major ? shape.size() - 1 : 0;
    bool same = rows.shape().size() == shape.size();
    for (std::size_t i = 0; same && i < shape.size(); ++i)
        same = i == axis || rows.shape()[i] == shape[i];
    if (!same)
        throw mismatch_error({.file = path,
                              .field = "shape of the appended rows",
                              .expected = shape_text(shape) + " except along axis " + std::to_string(axis),
                              .found = shape_text(rows.shape())});
}

/// Converts the rows to the dtype and order of the file.
[[nodiscard]] NDKEEP_INLINE any_array rows_as_in_file(const opened_array& array, const array_view& rows) {
    const conversion convert(rows.type(), array.info.type, array.source.path());
    const auto ordered = rows.in_order(order_of(array.info));
    buffer given(rows.nbytes());
    ordered.fill(0, rows.size(), given.data());
    any_array made(array.info.type, {rows.size()});
    convert.run(made.bytes().data(), given.data(), rows.size());
    return made;
}

/// Copies the data of an array to byte `offset` of another file.
NDKEEP_INLINE void copy_data(const opened_array& from, file& to, std::uint64_t offset) {
    // Blocks, so that memory does not grow with the array.
    constexpr std::uint64_t most = std::uint64_t{4} << 20;
    const buffer block(static_cast<std::size_t>(std::min(most, from.info.nbytes())));
    for (std::uint64_t at = 0; at < from.info.nbytes();) {
        const auto some = static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), from.info.nbytes() - at));
        const auto part = block.bytes().first(some);
        from.source.read(from.info.data_offset + at, part);
        to.write(offset + at, part);
        at += some;
    }
}

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

/// Writes the longer array to a new file and renames it: for headers that cannot change in place.
NDKEEP_INLINE void rewrite_grown(const opened_array& array, writer_lock&& lock, const array_info& info,
                                 std::span<const std::byte> bytes, std::optional<sidecar> both, durability wanted) {
    replacement next(std::move(lock));
    const auto target = next.target();
    const std::string header = header_bytes(info);
    next.content().write(0, bytes_of(header));
    copy_data(array, next.content(), header.size());
    next.content().write(header.size() + array.info.nbytes(), bytes);
    const auto stamp = next.seal(wanted);
    // The sidecar goes first, because the rename is the only commit point: see the order of a save.
    if (both) {
        both->current.stamp = stamp;
        write_sidecar(target, *both, wanted);
    }
    next.commit(wanted);
}

/// Removes rows that no header counts. If that fails, readers ignore them, and the next append overwrites them.
NDKEEP_INLINE void cut_back(file& source, std::uint64_t former_size) {
    try {
        if (source.size() > former_size)
            source.resize(former_size);
    } catch (const io_error&) {
        // The caller reports the earlier error, which is the cause.
    }
}

/// Writes the rows and then the header (steps 6 and 7). If either fails, the file is as before, unless the former
/// header cannot be restored.
NDKEEP_INLINE void grow_in_place(opened_array& array, const grown_header& grown, std::span<const std::byte> bytes,
                                 durability wanted) {
    const std::uint64_t former_size = array.source.size();
    // Both forms report write errors that the system reports late (NFS, quota).
    const auto settle = [&] {
        if (wanted == durability::on_disk)
            array.source.sync();
        else
            array.source.settle();
    };
    // Step 6. The rows are settled before the header counts them: a header without its rows is a damaged file.
    try {
        array.source.write(data_end(array.info), bytes);
        settle();
    } catch (const error&) {
        cut_back(array.source, former_size);
        throw;
    }
    // Step 7.
    try {
        array.source.write(grown.first, {grown.changed.data(), grown.changed.size()});
        settle();
    } catch (const io_error& problem) {
        // Part of the new header may be in the file. The former bytes make the outcome certain again.
        try {
            array.source.write(grown.first, {array.header.data() + grown.first, grown.changed.size()});
            settle();
        } catch (const io_error&) {
            // The header on the disk may count the rows already, so they are not removed: it would then count rows
            // that are missing.
            throw io_error(array.source.path(), "the outcome is unknown", problem.code(),
                           "the rows may have been added; look at the shape of the file before adding them again");
        }
        // Only after the former header is back: until then it may count these rows.
        cut_back(array.source, former_size);
        throw;
    }
}

}  // namespace detail

NDKEEP_INLINE void append(const std::filesystem::path& file, const array_view& rows, const append_options& options) {
    auto lock = detail::lock_to_grow(file);
    // Saved under the same lock, so that no other writer can create the file in between.
    if (lock && (!lock->target_exists() || lock->target_is_reserved())) {
        detail::save_under(*std::move(lock), rows, {.sync = options.sync, .run = options.run});
        return;
    }
    const auto target = lock ? lock->target() : detail::resolved(file);
    detail::opened_array array{ndkeep::file::open(target, ndkeep::file::access::read_write), {}};
    const detail::file_lock alone(array.source);
    detail::read_array(array, options.limit);
    array.source.call(file);  // errors name the path that the caller gave
    detail::check_rows(array, rows);
    detail::check_no_second_array(array);
    // Converted before anything is written, so that an element that cannot be converted changes nothing.
    const auto added = detail::rows_as_in_file(array, rows);
    const std::size_t axis = array.info.column_major ? rows.shape().size() - 1 : 0;
    if (rows.shape()[axis] == 0)
        return;
    const detail::grown_header grown(array, rows.shape()[axis]);
    auto both = detail::grown_sidecar(array, target, grown.info, added.bytes(), added.size());
    if (!grown.in_place)
        // Without the lock, this reports why there is none.
        return detail::rewrite_grown(array, lock ? *std::move(lock) : writer_lock(file), grown.info, added.bytes(),
                                     std::move(both), durability_of(options.sync));

    if (both)
        detail::write_sidecar(target, *both, durability_of(options.sync));
    detail::grow_in_place(array, grown, added.bytes(), durability_of(options.sync));
    if (!both)
        return;
    try {
        both->current.stamp = array.source.stamp();
        both->previous.reset();
        detail::write_sidecar(target, *both, durability_of(options.sync));
    } catch (const error&) {
        // Not an error: the rows are added and the sidecar of step 5 is correct. Only its stamp is missing, which
        // spares readers the checksum.
    }
}

NDKEEP_INLINE std::size_t recoverable_rows(const std::filesystem::path& file, const limits& limit) {
    return detail::rows_behind(core::open_array(file, limit));
}

NDKEEP_INLINE std::size_t recover(const std::filesystem::path& file, const limits& limit) {
    auto lock = detail::lock_to_grow(file);
    const auto target = lock ? lock->target() : detail::resolved(file);
    detail::opened_array array{ndkeep::file::open(target, ndkeep::file::access::read_write), {}};
    const detail::file_lock alone(array.source);
    detail::read_array(array, limit);
    array.source.call(file);
    const std::size_t gained = detail::rows_behind(array);
    if (gained == 0)
        return 0;
    const detail::grown_header grown(array, gained);
    const auto both = detail::read_sidecar(target);
    const auto former = both ? detail::believed(array, *both) : std::nullopt;
    std::optional<sidecar> next;
    if (former) {
        // No sum or statistic is stored, because nobody has vouched for these rows. The metadata is kept.
        next = sidecar{described(grown.info), former};
        next->current.metadata = former->metadata;
    }
    if (!grown.in_place) {
        array.info.shape = grown.info.shape;  // so that the rows are copied with the data
        detail::rewrite_grown(array, lock ? *std::move(lock) : writer_lock(file), grown.info, {}, std::move(next),
                              durability::on_disk);
        return gained;
    }
    // The order of an append, without step 6: the rows are in the file already. Always durable.
    if (next)
        detail::write_sidecar(target, *next, durability::on_disk);
    detail::grow_in_place(array, grown, {}, durability::on_disk);
    return gained;
}

NDKEEP_INLINE std::size_t complete_rows(const std::filesystem::path& file, const limits& limit) {
    return detail::rows_there(core::open_header(file, limit));
}

NDKEEP_INLINE std::size_t recover_rows(const std::filesystem::path& file, const std::filesystem::path& to,
                                       const limits& limit) {
    detail::check_other_file(file, to);
    auto array = core::open_header(file, limit);
    if (array.info.shape.empty())
        throw mismatch_error({.file = file, .field = "shape", .expected = "at least 1 dimension", .found = "()"});
    const std::size_t rows = detail::rows_there(array);
    array.info.shape[detail::growing_axis(array.info)] = rows;
    replacement next(to);
    detail::former_sidecar former(next.target());
    const std::string header = header_bytes(array.info);
    next.content().write(0, detail::bytes_of(header));
    detail::copy_data(array, next.content(), header.size());
    former.disown(array.info, next.seal(durability::when_convenient), durability::when_convenient);
    next.commit(durability::when_convenient);
    former.remove();
    return rows;
}

}  // namespace ndkeep
