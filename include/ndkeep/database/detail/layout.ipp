// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/database/detail/layout.hpp>.
#pragma once

#include <ndkeep/database/detail/layout.hpp>

#include <ndkeep/text/hex.hpp>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE std::string segment_name(std::uint64_t first) { return std::string(segment_prefix) + hexadecimal(first); }

NDKEEP_INLINE std::uint64_t first_commit_of(std::string_view segment) {
    if (!segment.starts_with(segment_prefix) || segment.size() != segment_prefix.size() + 16 ||
        !are_hex_digits(segment.substr(segment_prefix.size())))
        return 0;
    std::uint64_t first = 0;
    for (const char digit : segment.substr(segment_prefix.size()))
        first = first << 4 | digit_value(digit);
    return first;
}

NDKEEP_INLINE bool is_array_name(std::string_view name) {
    // 240 bytes, so that the names of the sidecar and of its lock fit the usual 255 bytes.
    return !name.empty() && name.front() != '.' && name.size() <= 240 &&
           name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}

NDKEEP_INLINE std::string file_name_of(std::string_view array) {
    return std::string(array) + std::string(array_ending);
}

NDKEEP_INLINE std::string_view array_name_of(std::string_view file) {
    if (!file.ends_with(array_ending))
        return {};
    file.remove_suffix(array_ending.size());
    return is_array_name(file) ? file : std::string_view();
}

}  // namespace ndkeep::detail
