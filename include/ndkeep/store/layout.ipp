// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/store/layout.hpp>.
#pragma once

#include <ndkeep/store/layout.hpp>

#include <ndkeep/os/names.hpp>
#include <ndkeep/text/hex.hpp>

#include <algorithm>
#include <limits>

namespace ndkeep::inline NDKEEP_ABI::detail {

// The decimal digits of 2^64 - 1.
inline constexpr std::size_t record_digits = 20;
inline constexpr std::size_t row_digits = 12;

/// A number with zeros in front, so that names sort as their numbers do.
[[nodiscard]] NDKEEP_INLINE std::string padded(std::uint64_t number, std::size_t width) {
    const auto digits = std::to_string(number);
    return std::string(width - std::min(width, digits.size()), '0') + digits;
}

NDKEEP_INLINE std::string record_name(std::uint64_t number) { return padded(number, record_digits) + ".json"; }

NDKEEP_INLINE std::optional<std::uint64_t> record_number(std::string_view name) {
    if (name.size() != record_digits + 5 || !name.ends_with(".json"))
        return std::nullopt;
    std::uint64_t number = 0;
    for (const char c : name.substr(0, record_digits)) {
        // The bound leaves room for one more digit, so the product cannot overflow.
        if (!is_digit(c) || number > (std::numeric_limits<std::uint64_t>::max() - 9) / 10)
            return std::nullopt;
        number = number * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return number == 0 ? std::nullopt : std::optional(number);
}

NDKEEP_INLINE std::string commit_path(std::string_view name) {
    return std::string(commits_folder) + '/' + std::string(name);
}

NDKEEP_INLINE std::string chunk_path(std::string_view name) {
    return std::string(chunks_folder) + '/' + std::string(name);
}

NDKEEP_INLINE std::string record_path(std::uint64_t number) { return commit_path(record_name(number)); }

NDKEEP_INLINE std::string drawn_id_path() { return record_path(0); }

NDKEEP_INLINE bool is_chunk_name(std::string_view name) {
    if (name.size() > longest_chunk_name || !(name.ends_with(".npy") || name.ends_with(".npz")))
        return false;
    name.remove_suffix(4);
    bool after_digit = false;
    for (const char c : name) {
        const bool at_digit = is_hex_digit(c);
        // Rejects "/", "." and names that begin with "-", among all others.
        if (!at_digit && !(c == '-' && after_digit))
            return false;
        after_digit = at_digit;
    }
    // Not an empty name, and none that ends with a dash.
    return after_digit;
}

NDKEEP_INLINE std::string writer_word(std::uint64_t random, std::string_view dataset) {
    constexpr std::size_t digits = 8;
    const auto first = hexadecimal(random).substr(0, digits);
    // The hash need not resist an attacker: it only keeps a sweep away from files that were copied here by mistake.
    return first + hexadecimal(hash_of(first, hash_of(dataset))).substr(0, digits);
}

NDKEEP_INLINE std::string staged_name(std::uint64_t row, std::string_view writer, std::uint64_t count,
                                      std::string_view ending) {
    return padded(row, row_digits) + '-' + std::string(writer) + '-' + std::to_string(count) + std::string(ending);
}

NDKEEP_INLINE bool is_staged_name(std::string_view name, std::string_view dataset) {
    // A writer that was killed during a put leaves a temporary name, where the file system has no unnamed files.
    if (const auto meant = named_by_temporary(name); !meant.empty())
        name = meant;
    constexpr std::size_t random_digits = 8, word = 2 * random_digits;
    if (!is_chunk_name(name))
        return false;
    name.remove_suffix(4);
    const auto row = name.find('-');
    const auto count = row == std::string_view::npos ? row : name.find('-', row + 1);
    if (row < row_digits || count == std::string_view::npos || count - row - 1 != word)
        return false;
    const auto writer = name.substr(row + 1, word);
    const auto random = std::string(writer.substr(0, random_digits));
    return are_digits(name.substr(0, row)) && are_digits(name.substr(count + 1)) &&
           hexadecimal(hash_of(random, hash_of(dataset))).substr(0, random_digits) == writer.substr(random_digits);
}

}  // namespace ndkeep::detail
