// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/npy/detail/grow.hpp>.
#pragma once

#include <ndkeep/npy/detail/grow.hpp>

#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/npy/core/sidecar_file.hpp>
#include <ndkeep/npy/detail/inspect.hpp>
#include <ndkeep/os/replace.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE grown_header::grown_header(const opened_array& array, std::size_t rows) : info(array.info) {
    info.shape[growing_axis(info)] += rows;
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

NDKEEP_INLINE any_array converted_rows(const array_view& rows, const dtype& type, order wanted,
                                       const std::filesystem::path& file) {
    const conversion convert(rows.type(), type, file);
    const auto ordered = rows.in_order(wanted);
    buffer given(rows.nbytes());
    ordered.fill(0, rows.size(), given.data());
    any_array made(type, {rows.size()});
    convert.run(made.bytes().data(), given.data(), rows.size());
    return made;
}

NDKEEP_INLINE void check_rows(const array_info& info, const array_view& rows, const std::filesystem::path& path) {
    const auto& shape = info.shape;
    if (shape.empty())
        throw mismatch_error(
            {.file = path, .field = "shape", .expected = "at least 1 dimension", .found = shape_text(shape)});
    const std::size_t axis = growing_axis(info);
    bool same = rows.shape().size() == shape.size();
    for (std::size_t i = 0; same && i < shape.size(); ++i)
        same = i == axis || rows.shape()[i] == shape[i];
    if (!same)
        throw mismatch_error({.file = path,
                              .field = "shape of the appended rows",
                              .expected = shape_text(shape) + " except along axis " + std::to_string(axis),
                              .found = shape_text(rows.shape())});
}

NDKEEP_INLINE void check_no_second_array(const opened_array& array) {
    check_no_second_array(array.source, data_end(array.info), array.source.size());
}

NDKEEP_INLINE void check_no_second_array(const file& source, std::uint64_t end, std::uint64_t size) {
    if (begins_array(source, end, size))
        throw mismatch_error({.file = source.path(),
                              .field = "data",
                              .expected = "the last bytes of the file",
                              .found = "followed by a second array",
                              .hint = "append would overwrite it"});
}

NDKEEP_INLINE std::uint64_t copy_array(const opened_array& from, const array_info& info, file& to,
                                       progress_meter& meter) {
    const std::string header = header_bytes(info);
    to.write(0, bytes_of(header));
    // Blocks, so that memory does not grow with the array.
    constexpr std::uint64_t most = std::uint64_t{4} << 20;
    const buffer block(static_cast<std::size_t>(std::min(most, from.info.nbytes())));
    for (std::uint64_t at = 0; at < from.info.nbytes();) {
        const auto some = static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), from.info.nbytes() - at));
        const auto part = block.bytes().first(some);
        from.source.read(from.info.data_offset + at, part);
        to.write(header.size() + at, part);
        at += some;
        meter.add(0, some);
        meter.report();
    }
    return header.size() + from.info.nbytes();
}

NDKEEP_INLINE void rewrite_grown(const opened_array& array, writer_lock&& lock, const array_info& info,
                                 std::span<const std::byte> bytes, std::optional<sidecar> both, durability wanted,
                                 const run_options& run) {
    replacement next(std::move(lock));
    const auto target = next.target();
    progress_meter meter(run, {.phase = "append", .bytes_total = array.info.nbytes(), .file = array.source.path()});
    const std::uint64_t end = copy_array(array, info, next.content(), meter);
    meter.finish();
    next.content().write(end, bytes);
    const auto stamp = next.seal(wanted);
    // The sidecar goes first, because the rename is the only commit point: see the order of a save.
    if (both) {
        both->current.stamp = stamp;
        write_sidecar(target, *both, wanted, read_only_files_of(run.replace_read_only));
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

}  // namespace ndkeep::detail
