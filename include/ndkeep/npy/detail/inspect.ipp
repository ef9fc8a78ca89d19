// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/npy/inspect.hpp>.
#pragma once

#include <ndkeep/npy/inspect.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/npy/detail/inspect.hpp>
#include <ndkeep/os/locks/lease.hpp>

#include <array>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Reads the header until two reads in a row agree.
///
/// An append in place may change the digits of the shape during a read. A mixture of old and new digits can parse as a
/// valid, wrong shape, so parsing alone does not detect it.
NDKEEP_INLINE void read_header(opened_array& array, const limits& limit) {
    // A bound, so that a file that some program rewrites continuously is an error and not an endless loop.
    constexpr int most_tries = 1000;
    // One read gets the header, and all of a small file.
    constexpr std::uint64_t usual = 4096;
    std::array<std::byte, usual> first;
    const auto size = array.source.size_at_opening();
    const auto read_once = [&] {
        const auto length = array.source.read_some(0, {first.data(), static_cast<std::size_t>(std::min(usual, size))});
        const auto begin = parse_preamble({first.data(), std::min(length, longest_preamble)}, array.source.path(),
                                          length < usual ? length : array.source.size(), limit);
        const auto whole = static_cast<std::size_t>(begin.data_offset());
        // parse_preamble has checked the length against the file and the limit, so this cannot allocate too much.
        std::vector<std::byte> header(whole);
        std::copy_n(first.data(), std::min(whole, length), header.data());
        if (whole > length)
            array.source.read(length, {header.data() + length, whole - length});
        return header;
    };
    array.header = read_once();
    for (int tries = 0; tries < most_tries; ++tries) {
        const std::size_t header = array.header.size();
        // A small file is read completely here: its data is then from the same read as the confirmed header.
        std::vector<std::byte> again(size <= usual ? std::max(header, static_cast<std::size_t>(size)) : header);
        const std::size_t length = array.source.read_some(0, {again.data(), again.size()});
        if (length >= header && std::memcmp(again.data(), array.header.data(), header) == 0) {
            array.info = parse_header({array.header.data(), header}, array.source.path(), limit);
            again.resize(length);
            if (size <= usual)
                array.small = std::move(again);
            return;
        }
        array.header = read_once();
    }
    throw conflict_error(
        {.file = array.source.path(), .field = "header", .found = "changed by another program at every read"});
}

/// Whether the newline of the header is 0D 0A, in a file that is longer than its header states. Only a copy in text
/// mode makes such files.
/// @param size  of the file
[[nodiscard]] NDKEEP_INLINE bool has_text_newline(const byte_source& source, const array_info& info,
                                                  std::uint64_t size) {
    if (info.version == 0 || size <= data_end(info))
        return false;
    std::array<std::byte, 2> bytes = {};
    source.read(info.data_offset - 1, bytes);
    return as_text(bytes) == "\r\n";
}

inline constexpr std::string_view text_mode_hint =
    "a copy in text mode has written each byte 0A as 0D 0A; copy the file again in binary mode";

NDKEEP_INLINE std::uint64_t row_bytes(const array_info& info) {
    if (info.shape.empty())
        return 0;
    std::uint64_t bytes = info.type.size();
    for (std::size_t i = 0; i < info.shape.size(); ++i)
        bytes *= i == growing_axis(info) ? 1 : info.shape[i];
    return bytes;
}

NDKEEP_INLINE const std::filesystem::path& name_in_memory() noexcept {
    static const std::filesystem::path none;
    return none;
}

NDKEEP_INLINE bool begins_array(const byte_source& source, std::uint64_t offset, std::uint64_t size) {
    std::array<std::byte, magic.size()> begin = {};
    if (size < offset || size - offset < begin.size())
        return false;
    source.read(offset, begin);
    return as_text(begin) == magic;
}

NDKEEP_INLINE array_info header_at(const byte_source& source, std::uint64_t offset, std::uint64_t size,
                                   const limits& limit, std::vector<std::byte>& header) {
    const std::uint64_t there = size - offset;
    header.resize(static_cast<std::size_t>(std::min<std::uint64_t>(longest_preamble, there)));
    source.read(offset, header);
    // parse_preamble checks the length against the file and the limit.
    header.resize(static_cast<std::size_t>(parse_preamble(header, source.path(), there, limit).data_offset()));
    source.read(offset, header);
    array_info info = parse_header(header, source.path(), limit);
    info.data_offset += offset;  // both are at most the size of the file
    return info;
}

/// Calls `read`, and adds the number of an array to every format_error that it throws.
/// @param number  0 is the first array, which errors do not number: most files have no other
template <class Read>
decltype(auto) in_array(std::size_t number, Read&& read) {
    try {
        return read();
    } catch (const format_error& problem) {
        if (number == 0)
            throw;
        error_parts parts = problem.parts();
        parts.field = "array " + std::to_string(number) + (parts.field.empty() ? "" : ": " + parts.field);
        throw format_error(std::move(parts));
    }
}

/// Moves from the first array of a file to the array `number`.
/// @param info, header  of the first array; they receive those of the other
NDKEEP_INLINE void find_array(const byte_source& source, std::uint64_t size, const limits& limit, std::size_t number,
                              array_info& info, std::vector<std::byte>& header) {
    for (std::size_t i = 0; i < number; ++i) {
        in_array(i, [&] { check_data(source, info, size); });
        if (!begins_array(source, data_end(info), size))
            throw mismatch_error({.file = source.path(),
                                  .field = "array",
                                  .expected = "less than " + std::to_string(i + 1),
                                  .found = std::to_string(number),
                                  .hint = "the file holds " + counted(i + 1, "array")});
        info = in_array(i + 1, [&] { return header_at(source, data_end(info), size, limit, header); });
    }
}

/// The headers of all arrays from byte 0 on.
[[nodiscard]] NDKEEP_INLINE std::vector<array_info> all_headers(const byte_source& source, std::uint64_t size,
                                                                const array_info& first, const limits& limit) {
    std::vector<array_info> all = {first};
    std::vector<std::byte> header;
    // The data of the last array may be missing, as `inspect` permits it.
    while (begins_array(source, data_end(all.back()), size)) {
        in_array(all.size() - 1, [&] { check_data(source, all.back(), size); });
        all.push_back(
            in_array(all.size(), [&] { return header_at(source, data_end(all.back()), size, limit, header); }));
    }
    return all;
}

/// The size of a file that has the header that was read, and to which nobody appends; nullopt for others.
[[nodiscard]] NDKEEP_INLINE std::optional<std::uint64_t> size_at_rest(const opened_array& array) {
    try {
        // An append holds this lock while rows are in the file that the header does not count yet.
        if (!array.source.try_lock_shared())
            return std::nullopt;
    } catch (const io_error&) {
        return array.source.size();  // this file system has no locks, so that nothing can append
    }
    // Taken under the lock: the next append may write rows as soon as it is released.
    const std::uint64_t size = array.source.size();
    std::vector<std::byte> now(array.header.size());
    const std::size_t length = array.source.read_some(0, now);
    array.source.unlock();
    return length == now.size() && now == array.header ? std::optional(size) : std::nullopt;
}

NDKEEP_INLINE void read_array(opened_array& array, const limits& limit) {
    read_header(array, limit);
    check_data(array);
}

}  // namespace detail

namespace core {

NDKEEP_INLINE byte_source opened_array::bytes() const {
    return is_in_memory() ? byte_source(std::span(small), source.path()) : byte_source(source);
}

NDKEEP_INLINE opened_array open_header(const std::filesystem::path& path, const limits& limit, file::access access) {
    opened_array array{file::open(path, access), {}};
    detail::read_header(array, limit);
    return array;
}

NDKEEP_INLINE void check_data(const opened_array& array) {
    check_data(array.bytes(), array.info, array.is_in_memory() ? array.small.size() : array.source.size());
}

NDKEEP_INLINE std::optional<format_error> problem_after_data(const opened_array& array) {
    // Most files end with their data, and need no lock.
    if (array.source.size() <= detail::data_end(array.info))
        return std::nullopt;
    // The files of a database keep spare bytes behind the data, because a reader may map them until it looks again.
    if (is_in_database(array.source.path()) &&
        !detail::begins_array(array.source, detail::data_end(array.info), array.source.size()))
        return std::nullopt;
    const auto size = detail::size_at_rest(array);
    return size ? problem_after_data(array.source, array.info, *size) : std::nullopt;
}

NDKEEP_INLINE void check_data(const byte_source& source, const array_info& info, std::uint64_t size) {
    const std::uint64_t there = size - std::min(size, info.data_offset);
    const bool is_short = there < info.nbytes();
    if (is_short || detail::has_text_newline(source, info, size))
        throw format_error({.file = source.path(),
                            .field = "data",
                            .expected = counted(info.nbytes(), "byte"),
                            .found = counted(there, "byte"),
                            .hint = std::string(is_short ? "the file is cut short" : detail::text_mode_hint)});
}

NDKEEP_INLINE std::optional<format_error> problem_after_data(const byte_source& source, const array_info& info,
                                                             std::uint64_t size) {
    const std::uint64_t end = detail::data_end(info);
    if (size <= end)
        return std::nullopt;
    const auto problem = [&](const std::string& what, std::string_view hint) {
        return format_error({.file = source.path(),
                             .field = "data",
                             .expected = "the last bytes of the file",
                             .found = "followed by " + what,
                             .hint = std::string(hint)});
    };
    const std::uint64_t surplus = size - end;
    if (detail::begins_array(source, end, size))
        return problem("another array", "load_options{.array = 1} reads it");
    const std::uint64_t row = detail::row_bytes(info);
    if (row == 0 || surplus < row)
        return problem(counted(surplus, "byte"), "they belong to no element");
    return problem(counted(surplus / row, "complete row") +
                       (surplus % row == 0 ? "" : " and " + counted(surplus % row, "byte")),
                   "the header does not count them; recover adds complete rows");
}

NDKEEP_INLINE opened_array open_array(const std::filesystem::path& path, const limits& limit, file::access access) {
    opened_array array{file::open(path, access), {}};
    detail::read_array(array, limit);
    return array;
}

NDKEEP_INLINE opened_array open_numbered(const std::filesystem::path& path, const limits& limit, std::size_t number,
                                         file::access mode) {
    opened_array array = open_header(path, limit, mode);
    if (number != 0)
        detail::find_array(array.source, array.source.size(), limit, number, array.info, array.header);
    detail::in_array(number, [&] { check_data(array); });
    return array;
}

NDKEEP_INLINE array_info numbered_array(std::span<const std::byte> bytes, const limits& limit, std::size_t number) {
    const byte_source source(bytes, detail::name_in_memory());
    std::vector<std::byte> header;
    array_info info = detail::header_at(source, 0, bytes.size(), limit, header);
    detail::find_array(source, bytes.size(), limit, number, info, header);
    detail::in_array(number, [&] { check_data(source, info, bytes.size()); });
    return info;
}

}  // namespace core

NDKEEP_INLINE array_info inspect(const std::filesystem::path& file, const limits& limit) {
    return detail::open_header(file, limit).info;
}

NDKEEP_INLINE array_info inspect(std::span<const std::byte> bytes, const limits& limit) {
    std::vector<std::byte> header;
    return detail::header_at(detail::byte_source(bytes, detail::name_in_memory()), 0, bytes.size(), limit, header);
}

NDKEEP_INLINE std::vector<array_info> inspect_all(const std::filesystem::path& file, const limits& limit) {
    const auto array = detail::open_header(file, limit);
    return detail::all_headers(array.source, array.source.size(), array.info, limit);
}

NDKEEP_INLINE std::vector<array_info> inspect_all(std::span<const std::byte> bytes, const limits& limit) {
    return detail::all_headers(detail::byte_source(bytes, detail::name_in_memory()), bytes.size(),
                               inspect(bytes, limit), limit);
}

}  // namespace ndkeep
