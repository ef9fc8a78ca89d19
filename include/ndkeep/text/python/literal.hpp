// SPDX-License-Identifier: BSD-3-Clause
// Python literals, as npy headers are written in: the values, and a bounded parser.
#pragma once

#include <ndkeep/limits.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// A Python value that was written as a literal.
struct literal {
    enum class kind : unsigned char { none, boolean, integer, floating, text, bytes, tuple, list, dictionary };

    kind is = kind::none;
    bool truth = false;               ///< of a boolean
    bool negative = false;            ///< of an integer, never of zero
    bool too_large = false;           ///< an integer of more than 64 bits; `magnitude` says nothing then
    std::uint64_t magnitude = 0;      ///< of an integer, without its sign
    std::string text = {};            ///< text as UTF-8, bytes as they are, a floating number as written
    std::vector<literal> items = {};  ///< of a tuple or list; of a dictionary: key, value, key, value, …

    /// The value as Python prints it, cut after about 200 bytes: for errors.
    [[nodiscard]] std::string str() const;
};

struct literal_options {
    bool long_suffix = false;                ///< `2L` is 2, as Python 2 wrote it
    std::size_t nesting = limits{}.nesting;  ///< brackets in brackets
    std::string field = "header";            ///< named in errors
};

/// Reads one Python literal, given as UTF-8, with nothing but blanks, newlines and comments around it.
///
/// The grammar is that of Python's `ast.literal_eval`, without sets, complex numbers, `...`, and `\N{}` (which needs
/// the names of all characters). Lone surrogates are kept as the three bytes UTF-8 would give them.
///
/// @param file  named in errors, never opened
/// @throws format_error  not a literal, or nested too deep; names the character where it went wrong
[[nodiscard]] literal parse_literal(std::string_view text, const std::filesystem::path& file = {},
                                    const literal_options& options = {});

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/text/python/literal.ipp>
#endif
