// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/format/foreign.hpp>.
#pragma once

#include <ndkeep/format/foreign.hpp>

#include <algorithm>
#include <array>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

struct foreign_row {
    std::string_view begin;
    foreign_format is;
};

inline constexpr std::array<foreign_row, 14> foreign_rows = {{
    {"\x93NUMPY", {"an npy file", "load reads it"}},
    {"PK\x03\x04", {"a zip archive", "npz_reader reads it"}},
    {"PK\x05\x06", {"a zip archive", "npz_reader reads it"}},
    {"version http", {"a Git LFS pointer", "`git lfs pull` fetches the file itself"}},
    {"\x89HDF\r\n\x1a\n", {"an HDF5 file", "h5py reads it"}},
    {"\x1f\x8b", {"a gzip file", "gunzip expands it"}},
    {"\xfd\x37zXZ", {"an xz file", "xz -d expands it"}},
    {"\x28\xb5\x2f\xfd", {"a zstd file", "zstd -d expands it"}},
    {"BZh", {"a bzip2 file", "bunzip2 expands it"}},
    {"x\x01", {"zlib data, as of joblib", "joblib.load in Python reads it"}},
    {"x\x9c", {"zlib data, as of joblib", "joblib.load in Python reads it"}},
    {"x\xda", {"zlib data, as of joblib", "joblib.load in Python reads it"}},
    {"<!doctype", {"an HTML page", "the download failed, or its address is that of a page"}},
    {"<html", {"an HTML page", "the download failed, or its address is that of a page"}},
}};

}  // namespace detail

namespace core {

NDKEEP_INLINE foreign_format foreign_format_of(std::string_view begin) {
    // Protocols 2 to 5 of pickle have a mark and the number of the protocol; older ones have no fixed begin.
    if (begin.size() >= 2 && begin[0] == '\x80' && begin[1] >= 2 && begin[1] <= 5)
        return {"a pickle", "load_pickle reads it, and runs nothing of it"};
    // Tags of HTML may have any case, and blanks before them.
    const auto tag = begin.substr(std::min(begin.find_first_not_of(" \t\r\n"), begin.size()));
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    for (const detail::foreign_row& row : detail::foreign_rows) {
        const bool is_tag = row.begin.starts_with('<');
        const auto text = (is_tag ? tag : begin).substr(0, row.begin.size());
        if (std::equal(text.begin(), text.end(), row.begin.begin(), row.begin.end(),
                       [&](char a, char b) { return (is_tag ? lower(a) : a) == b; }))
            return row.is;
    }
    return {};
}

}  // namespace core

}  // namespace ndkeep
