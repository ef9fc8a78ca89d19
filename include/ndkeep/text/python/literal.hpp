// SPDX-License-Identifier: BSD-3-Clause
// Python literals, the language of npy headers: their values, and a parser with a limit on depth.
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

/// The value of a Python literal.
struct literal {
    enum class kind : unsigned char { none, boolean, integer, floating, text, bytes, tuple, list, dictionary };

    kind is = kind::none;
    bool truth = false;               ///< of a boolean
    bool negative = false;            ///< of an integer, never of zero
    bool too_large = false;           ///< an integer of more than 64 bits; `magnitude` then has no meaning
    std::uint64_t magnitude = 0;      ///< of an integer, without its sign
    std::string text = {};            ///< text in UTF-8, bytes unchanged, a floating number as written
    std::vector<literal> items = {};  ///< of a tuple or list; of a dictionary: key, value, key, value, …

    /// The value as Python prints it, for errors. It is cut after about 200 bytes.
    [[nodiscard]] std::string str() const;
};

/// Options for `parse_literal`.
struct literal_options {
    bool long_suffix = false;                ///< accept `2L` for 2, as Python 2 wrote it
    std::size_t nesting = limits{}.nesting;  ///< levels of brackets, at most 200
    std::string field = "header";            ///< named in errors
};

/// Parses one Python literal in UTF-8. Only blanks, newlines and comments may surround it.
///
/// The grammar is that of Python's `ast.literal_eval`, without sets, complex numbers, `...`, and `\N{}` (which needs
/// the names of all characters). A lone surrogate becomes the three bytes that the encoding rule of UTF-8 gives.
///
/// @param file  named in errors, never opened
/// @throws format_error  not a literal, or nested too deeply; the error has the position, counted in characters from 1
[[nodiscard]] literal parse_literal(std::string_view text, const std::filesystem::path& file = {},
                                    const literal_options& options = {});

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/text/python/literal.ipp>
#endif
