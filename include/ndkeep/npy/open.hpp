// SPDX-License-Identifier: BSD-3-Clause
// An npy file opened: its header read and checked against the file.
#pragma once

#include <ndkeep/bytes/file.hpp>
#include <ndkeep/format/header.hpp>

#include <array>
#include <vector>

namespace ndkeep {

/// What the header of an npy file says. Reads nothing else; the data may be missing.
/// @throws io_error, format_error
[[nodiscard]] inline array_info inspect(const std::filesystem::path& file, const limits& limit = {});

namespace detail {

struct opened_array {
    file source;
    array_info info;
    std::vector<std::byte> header;  // from the magic to the data
};

/// Reads the header until it is the same twice: an append in place may be changing its digits meanwhile.
inline void read_header(opened_array& array, const limits& limit) {
    constexpr int most_tries = 1000;
    constexpr std::size_t usual = 4096;
    const auto read_once = [&] {
        std::array<std::byte, usual> first;
        const std::size_t length = array.source.read_some(0, first);
        const std::uint64_t size = length < usual ? length : array.source.size();
        const auto begin =
            parse_preamble({first.data(), std::min(length, longest_preamble)}, array.source.path(), size, limit);
        const auto whole = static_cast<std::size_t>(begin.data_offset());
        std::vector<std::byte> header(whole);
        std::copy_n(first.data(), std::min(whole, length), header.data());
        if (whole > length)
            array.source.read(length, {header.data() + length, whole - length});
        return header;
    };
    array.header = read_once();
    for (int tries = 0; tries < most_tries; ++tries) {
        std::vector<std::byte> again(array.header.size());
        if (array.source.read_some(0, {again.data(), again.size()}) == again.size() && again == array.header) {
            array.info = parse_header({array.header.data(), array.header.size()}, array.source.path(), limit);
            return;
        }
        array.header = read_once();
    }
    throw conflict_error({.file = array.source.path(), .field = "header", .found = "changing all the time"});
}

[[nodiscard]] inline opened_array open_header(const std::filesystem::path& path, const limits& limit,
                                              file::access access = file::access::read) {
    opened_array array{file::open(path, access), {}, {}};
    read_header(array, limit);
    return array;
}

/// Measured after the header was read: whoever appends extends the file first.
inline void check_data(const opened_array& array) {
    const std::uint64_t size = array.source.size();
    const std::uint64_t there = size - std::min(size, array.info.data_offset);
    if (there < array.info.nbytes())
        throw format_error({.file = array.source.path(),
                            .field = "data",
                            .expected = counted(array.info.nbytes(), "byte"),
                            .found = counted(there, "byte"),
                            .hint = "the file is cut short"});
}

[[nodiscard]] inline opened_array open_array(const std::filesystem::path& path, const limits& limit,
                                             file::access access = file::access::read) {
    auto array = open_header(path, limit, access);
    check_data(array);
    return array;
}

}  // namespace detail

inline array_info inspect(const std::filesystem::path& file, const limits& limit) {
    return detail::open_header(file, limit).info;
}

}  // namespace ndkeep
