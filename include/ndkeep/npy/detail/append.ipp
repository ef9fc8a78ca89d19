// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/npy/append.hpp>.
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
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/process.hpp>
#include <ndkeep/os/replace.hpp>
#include <ndkeep/os/waiting.hpp>
#include <ndkeep/os/writer_lock.hpp>
#include <ndkeep/statistics/digest.hpp>
#include <ndkeep/statistics/summary.hpp>

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

/// Holds the lock of an open file, which all its names share; `writer_lock` is the lock of one name.
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
        if (owner_.is_this())
            held_.unlock();
    }

  private:
    const file& held_;
    owning_process owner_;
};

/// The longer array's header, and whether it can be written over the present one.
class grown_header {
  public:
    grown_header(const opened_array& array, std::size_t rows) : info(array.info) {
        const std::size_t axis = info.column_major ? info.shape.size() - 1 : 0;
        info.shape[axis] += rows;
        (void)checked_nbytes(info.type, info.shape, array.source.path());
        if (least_header_length(info, info.version) > array.info.data_offset)
            return;
        const std::string text = header_bytes(info, {.version = info.version, .length = array.info.data_offset});
        const auto bytes = bytes_of(text);
        const auto differs = std::mismatch(bytes.begin(), bytes.end(), array.header.begin());
        first = static_cast<std::size_t>(differs.first - bytes.begin());
        std::size_t last = bytes.size();
        while (last > first && bytes[last - 1] == array.header[last - 1])
            --last;
        changed.assign(bytes.begin() + static_cast<std::ptrdiff_t>(first),
                       bytes.begin() + static_cast<std::ptrdiff_t>(last));
        // A disk writes 512 bytes whole or not at all; across two of them the header could be torn by a power cut.
        constexpr std::size_t sector = 512;
        in_place = last == first || first / sector == (last - 1) / sector;
    }

    array_info info;
    bool in_place = false;
    std::size_t first = 0;  // where the changed bytes begin
    std::vector<std::byte> changed;
};

NDKEEP_INLINE std::uint64_t data_end(const opened_array& array) { return array.info.data_offset + array.info.nbytes(); }

/// `np.save` twice on one open file puts two arrays into it.
NDKEEP_INLINE void check_no_second_array(const opened_array& array) {
    std::array<std::byte, magic.size()> behind = {};
    const std::size_t length = array.source.read_some(data_end(array), behind);
    if (length == behind.size() && as_text(behind) == magic)
        throw mismatch_error({.file = array.source.path(),
                              .field = "bytes behind the data",
                              .expected = "none of use",
                              .found = "a second array",
                              .hint = "it would be overwritten"});
}

/// Whole rows behind the data, which the header does not count.
[[nodiscard]] NDKEEP_INLINE std::size_t rows_behind(const opened_array& array) {
    const auto& shape = array.info.shape;
    if (shape.empty())
        return 0;
    check_no_second_array(array);
    const std::size_t axis = array.info.column_major ? shape.size() - 1 : 0;
    std::uint64_t row = array.info.type.size();
    for (std::size_t i = 0; i < shape.size(); ++i)
        row *= i == axis ? 1 : shape[i];
    return row == 0 ? 0 : static_cast<std::size_t>((array.source.size() - data_end(array)) / row);
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
                              .field = "shape of what is appended",
                              .expected = shape_text(shape) + " but for axis " + std::to_string(axis),
                              .found = shape_text(rows.shape())});
}

/// The rows as the file has its elements: same dtype, same order.
[[nodiscard]] NDKEEP_INLINE any_array rows_as_in_file(const opened_array& array, const array_view& rows) {
    const conversion convert(rows.type(), array.info.type, array.source.path());
    const auto ordered = rows.in_order(array.info.column_major);
    buffer given(rows.nbytes());
    ordered.fill(0, rows.size(), given.data());
    any_array made(array.info.type, {rows.size()});
    convert.run(made.bytes().data(), given.data(), rows.size());
    return made;
}

/// Copies the data of an array, block by block.
NDKEEP_INLINE void copy_data(const opened_array& from, file& to, std::uint64_t offset) {
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

/// The longer array's description; nothing where the present one cannot be believed.
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
        // Something must vouch for the data; this once it has to be read.
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

/// Writes the whole longer array beside and renames it: for headers that have no room.
NDKEEP_INLINE void rewrite_grown(const opened_array& array, writer_lock&& lock, const array_info& info,
                                 std::span<const std::byte> bytes, std::optional<sidecar> both, bool sync) {
    replacement next(std::move(lock));
    const auto target = next.target();
    const std::string header = header_bytes(info);
    next.content().write(0, bytes_of(header));
    copy_data(array, next.content(), header.size());
    next.content().write(header.size() + array.info.nbytes(), bytes);
    const auto stamp = next.seal(sync);
    if (both) {
        both->current.stamp = stamp;
        write_sidecar(target, *both, sync);
    }
    next.commit(sync);
}

/// Removes rows that no header counts. Where that fails they stay, and are ignored and overwritten.
NDKEEP_INLINE void cut_back(file& source, std::uint64_t former_size) {
    try {
        if (source.size() > former_size)
            source.resize(former_size);
    } catch (const io_error&) {
        // The error that is reported is the one that came first.
    }
}

/// Rows behind the data, then the header bytes that make them part of it: the commit point. When either fails, the file
/// is what it was, unless the former header cannot be restored.
NDKEEP_INLINE void grow_in_place(opened_array& array, const grown_header& grown, std::span<const std::byte> bytes,
                                 bool sync) {
    const std::uint64_t former_size = array.source.size();
    const auto settle = [&] {
        if (sync)
            array.source.sync();
        else
            array.source.settle();
    };
    try {
        array.source.write(data_end(array), bytes);
        settle();
    } catch (const error&) {
        cut_back(array.source, former_size);
        throw;
    }
    try {
        array.source.write(grown.first, {grown.changed.data(), grown.changed.size()});
        settle();
    } catch (const io_error& problem) {
        try {
            array.source.write(grown.first, {array.header.data() + grown.first, grown.changed.size()});
            settle();
        } catch (const io_error&) {
            // The header on the disk may be the longer one, so the rows stay: without them it would be false.
            throw io_error(array.source.path(), "the outcome is unknown", problem.code(),
                           "the rows may have been added; look at the shape of the file before adding them again");
        }
        cut_back(array.source, former_size);
        throw;
    }
}

}  // namespace detail

NDKEEP_INLINE void append(const std::filesystem::path& file, const array_view& rows, const append_options& options) {
    writer_lock lock(file);
    if (!lock.target_exists() || lock.target_is_reserved()) {
        detail::save_under(std::move(lock), rows, {.sync = options.sync, .run = options.run});
        return;
    }
    const auto target = lock.target();
    detail::opened_array array{ndkeep::file::open(target, ndkeep::file::access::read_write), {}};
    const detail::file_lock alone(array.source);
    detail::read_array(array, options.limit);
    array.source.call(file);
    detail::check_rows(array, rows);
    detail::check_no_second_array(array);
    const auto added = detail::rows_as_in_file(array, rows);
    const std::size_t axis = array.info.column_major ? rows.shape().size() - 1 : 0;
    if (rows.shape()[axis] == 0)
        return;
    const detail::grown_header grown(array, rows.shape()[axis]);
    auto both = detail::grown_sidecar(array, target, grown.info, added.bytes(), added.size());
    if (!grown.in_place)
        return detail::rewrite_grown(array, std::move(lock), grown.info, added.bytes(), std::move(both), options.sync);

    if (both)
        detail::write_sidecar(target, *both, options.sync);
    detail::grow_in_place(array, grown, added.bytes(), options.sync);
    if (!both)
        return;
    try {
        both->current.stamp = array.source.stamp();
        both->previous.reset();
        detail::write_sidecar(target, *both, options.sync);
    } catch (const error&) {
        // The rows are in and the sidecar is right; a stamp in it would only have spared readers a checksum.
    }
}

NDKEEP_INLINE std::size_t recoverable_rows(const std::filesystem::path& file, const limits& limit) {
    return detail::rows_behind(core::open_array(file, limit));
}

NDKEEP_INLINE std::size_t recover(const std::filesystem::path& file, const limits& limit) {
    writer_lock lock(file);
    const auto target = lock.target();
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
        // Nothing is claimed of rows that nobody vouched for; the metadata stays.
        next = sidecar{described(grown.info), former};
        next->current.metadata = former->metadata;
    }
    if (!grown.in_place) {
        array.info.shape = grown.info.shape;  // the rows behind the data are data now
        detail::rewrite_grown(array, std::move(lock), grown.info, {}, std::move(next), true);
        return gained;
    }
    if (next)
        detail::write_sidecar(target, *next, true);
    detail::grow_in_place(array, grown, {}, true);
    return gained;
}

}  // namespace ndkeep
