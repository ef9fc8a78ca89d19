// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/npy/inspect.hpp>.
#pragma once

#include <ndkeep/npy/inspect.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/npy/detail/inspect.hpp>

#include <array>
#include <cstring>
#include <span>
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
    if (array.is_in_memory())
        return;
    const std::uint64_t there = array.data_in(array.source.size());
    if (there < array.info.nbytes())
        throw format_error({.file = array.source.path(),
                            .field = "data",
                            .expected = counted(array.info.nbytes(), "byte"),
                            .found = counted(there, "byte"),
                            .hint = "the file is cut short"});
}

NDKEEP_INLINE opened_array open_array(const std::filesystem::path& path, const limits& limit, file::access access) {
    opened_array array{file::open(path, access), {}};
    detail::read_array(array, limit);
    return array;
}

}  // namespace core

NDKEEP_INLINE array_info inspect(const std::filesystem::path& file, const limits& limit) {
    return detail::open_header(file, limit).info;
}

}  // namespace ndkeep
