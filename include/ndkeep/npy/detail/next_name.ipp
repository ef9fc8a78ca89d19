// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/npy/next_name.hpp>.
#pragma once

#include <ndkeep/npy/next_name.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/text/ascii.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <system_error>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// The number in a name PREFIX_YYYYMMDD_NUMBERSUFFIX; 0 for any other name.
[[nodiscard]] NDKEEP_INLINE std::uint64_t number_in_series(std::string_view name, std::string_view prefix,
                                                           std::string_view suffix) {
    constexpr std::size_t date = 10;  // _YYYYMMDD_
    if (name.size() <= prefix.size() + date + suffix.size() || !name.starts_with(prefix) || !name.ends_with(suffix))
        return 0;
    name.remove_prefix(prefix.size());
    name.remove_suffix(suffix.size());
    if (name[0] != '_' || name[date - 1] != '_' || !are_digits(name.substr(1, date - 2)))
        return 0;
    name.remove_prefix(date);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    return error == std::errc() && end == name.data() + name.size() ? number : 0;
}

}  // namespace detail

NDKEEP_INLINE std::filesystem::path next_name(const std::filesystem::path& directory, std::string_view prefix,
                                              std::string_view suffix) {
    for (const auto part : {prefix, suffix})
        if (part.find('/') != std::string_view::npos)
            throw mismatch_error(
                {.file = directory, .field = "name", .expected = "a name without '/'", .found = ndkeep::quoted(part)});
    // Numbers are compared, not names: 1000 follows 999.
    std::uint64_t highest = 0;
    for (const auto& name : names_in(directory))
        highest = std::max(highest, detail::number_in_series(name, prefix, suffix));

    const std::time_t now = std::time(nullptr);
    std::tm today = {};
    ::gmtime_r(&now, &today);
    std::array<char, 16> date = {};
    (void)std::strftime(date.data(), date.size(), "_%Y%m%d_", &today);
    for (std::uint64_t number = highest + 1;; ++number) {
        std::string digits = std::to_string(number);
        digits.insert(0, digits.size() < 3 ? 3 - digits.size() : 0, '0');
        auto path = directory / (std::string(prefix) + date.data() + digits + std::string(suffix));
        // False if another caller took the name since the directory was read. Then the next number is tried.
        if (file::create_exclusive(path))
            return path;
    }
}

}  // namespace ndkeep
