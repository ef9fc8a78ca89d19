// SPDX-License-Identifier: BSD-3-Clause
// An npy file opened: its header read and checked against the file.
#pragma once

#include <ndkeep/bytes/source.hpp>
#include <ndkeep/format/header.hpp>

#include <array>
#include <cstring>
#include <vector>

namespace ndkeep {

/// What the header of an npy file says. Reads nothing else; the data may be missing.
/// @throws io_error, format_error
[[nodiscard]] inline array_info inspect(const std::filesystem::path& file, const limits& limit = {});

namespace detail {

struct opened_array {
    file source;
    array_info info;
    std::vector<std::byte> header = {};  // from the magic to the data
    std::vector<std::byte> small = {};   // of a small file everything, as it was read with the header

    /// How much of the data is there when so many bytes of the file are.
    [[nodiscard]] std::uint64_t data_in(std::uint64_t size) const { return size - std::min(size, info.data_offset); }
    [[nodiscard]] bool is_in_memory() const { return !small.empty() && data_in(small.size()) >= info.nbytes(); }

    [[nodiscard]] byte_source bytes() const {
        return is_in_memory() ? byte_source(std::span(small), source.path()) : byte_source(source);
    }
};

/// Reads the header until it is the same twice: an append in place may be changing its digits meanwhile.
inline void read_header(opened_array& array, const limits& limit) {
    constexpr int most_tries = 1000;
    constexpr std::uint64_t usual = 4096;
    std::array<std::byte, usual> first;
    const auto size = array.source.size_at_opening();
    const auto read_once = [&] {
        const auto length = array.source.read_some(0, {first.data(), static_cast<std::size_t>(std::min(usual, size))});
        const auto begin = parse_preamble({first.data(), std::min(length, longest_preamble)}, array.source.path(),
                                          length < usual ? length : array.source.size(), limit);
        const auto whole = static_cast<std::size_t>(begin.data_offset());
        std::vector<std::byte> header(whole);
        std::copy_n(first.data(), std::min(whole, length), header.data());
        if (whole > length)
            array.source.read(length, {header.data() + length, whole - length});
        return header;
    };
    array.header = read_once();
    for (int tries = 0; tries < most_tries; ++tries) {
        const std::size_t header = array.header.size();
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
    throw conflict_error({.file = array.source.path(), .field = "header", .found = "changing all the time"});
}

[[nodiscard]] inline opened_array open_header(const std::filesystem::path& path, const limits& limit,
                                              file::access access = file::access::read) {
    opened_array array{file::open(path, access), {}};
    read_header(array, limit);
    return array;
}

/// Measured after the header was read: whoever appends extends the file first.
inline void check_data(const opened_array& array) {
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

/// Of a file that is open already.
inline void read_array(opened_array& array, const limits& limit) {
    read_header(array, limit);
    check_data(array);
}

[[nodiscard]] inline opened_array open_array(const std::filesystem::path& path, const limits& limit,
                                             file::access access = file::access::read) {
    opened_array array{file::open(path, access), {}};
    read_array(array, limit);
    return array;
}

}  // namespace detail

inline array_info inspect(const std::filesystem::path& file, const limits& limit) {
    return detail::open_header(file, limit).info;
}

}  // namespace ndkeep
