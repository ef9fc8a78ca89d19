// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/format/header.hpp>.
#pragma once

#include <ndkeep/format/header.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype_parser.hpp>
#include <ndkeep/format/foreign.hpp>
#include <ndkeep/text/python/literal.hpp>
#include <ndkeep/text/unicode.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Everything that depends on the version of the format. Version 2.0 widened the length field, 3.0 changed the text to
/// UTF-8. Python 2 wrote long integers as `2L`; it never wrote version 3.0.
struct format_version {
    std::uint8_t major;
    std::size_t length_width;  // bytes of the length field
    bool utf8;                 // else latin-1
    bool long_suffix;          // whether integers may end in L

    [[nodiscard]] constexpr std::size_t preamble_size() const { return magic.size() + 2 + length_width; }
    [[nodiscard]] constexpr std::uint64_t longest_text() const { return (std::uint64_t{1} << (8 * length_width)) - 1; }
    [[nodiscard]] constexpr std::uint64_t most_bytes(const limits& limit) const {
        // The limit counts characters: one byte each in latin-1, at most four in UTF-8. The inner bound comes first, so
        // that a very large limit does not overflow the product.
        const std::uint64_t characters = std::min(limit.header_characters, longest_header);
        return utf8 ? std::min(4 * characters, longest_header) : characters;
    }
};

inline constexpr std::array<format_version, 3> format_versions = {{
    {.major = 1, .length_width = 2, .utf8 = false, .long_suffix = true},
    {.major = 2, .length_width = 4, .utf8 = false, .long_suffix = true},
    {.major = 3, .length_width = 4, .utf8 = true, .long_suffix = false},
}};

[[nodiscard]] NDKEEP_INLINE format_error too_long(const std::filesystem::path& file, const limits& limit,
                                                  std::string found) {
    return malformed(file, "header length", "at most " + counted(limit.header_characters, "character"),
                     std::move(found), "limits{.header_characters = …} reads longer ones");
}

/// The dictionary of a header. NumPy 2 prints its numbers as `np.int64(2)`; a program that writes headers with `repr`
/// then writes what NumPy cannot read either. The parser stops at such a name, and its error begins with it.
[[nodiscard]] NDKEEP_INLINE literal parse_header_literal(std::string_view utf8, const format_version& version,
                                                         const std::filesystem::path& file, const limits& limit) {
    try {
        return parse_literal(utf8, file,
                             {.long_suffix = version.long_suffix, .nesting = limit.nesting, .field = "header"});
    } catch (const format_error& problem) {
        if (!problem.found().starts_with("'np' at ") || utf8.find("np.") == std::string_view::npos)
            throw;
        error_parts parts = problem.parts();
        parts.hint = "the header was written by repr under NumPy 2, as in np.int64(2)";
        throw format_error(std::move(parts));
    }
}

/// The header without its dtype, and the literal that describes the dtype.
struct parsed_header {
    array_info info;
    literal descr;
};

[[nodiscard]] NDKEEP_INLINE parsed_header parse_header_text(std::string_view text, const format_version& version,
                                                            const std::filesystem::path& file, const limits& limit) {
    // Version 3.0 promises UTF-8. The parser of literals relies on it for positions in errors.
    if (version.utf8 && !is_utf8(text))
        throw malformed(file, "header", "UTF-8", "not UTF-8");
    // ASCII is the same in latin-1 and UTF-8, and most headers are ASCII: they are parsed without a copy.
    const std::string converted = version.utf8 || is_ascii(text) ? std::string() : from_latin1(text);
    const std::string_view utf8 = converted.empty() ? text : converted;
    // `parse_preamble` could only compare bytes. NumPy limits characters, which can be counted only now.
    if (const auto length = character_count(utf8); length > limit.header_characters)
        throw too_long(file, limit, counted(length, "character"));
    literal header = parse_header_literal(utf8, version, file, limit);
    if (header.is != literal::kind::dictionary)
        throw malformed(file, "header", "a dictionary", header.str());

    // The keys are looked up in the parsed dictionary, never in the text: a field name may contain "'shape':".
    literal* descr = nullptr;
    literal* order = nullptr;
    literal* shape = nullptr;
    for (std::size_t i = 0; i + 1 < header.items.size(); i += 2) {
        const literal& key = header.items[i];
        // An unknown key selects `shape`; the next condition rejects it. The kind is checked as well, because the
        // bytes key b'descr' has the same text.
        literal*& value = key.text == "descr" ? descr : key.text == "fortran_order" ? order : shape;
        if (key.is != literal::kind::text || (&value == &shape && key.text != "shape"))
            throw malformed(file, "key", "'descr', 'fortran_order' or 'shape'", key.str());
        value = &header.items[i + 1];  // the last of repeated keys counts, as in Python
    }
    if (descr == nullptr || order == nullptr || shape == nullptr)
        throw malformed(file,
                        std::string("key ") + (descr == nullptr   ? "'descr'"
                                               : order == nullptr ? "'fortran_order'"
                                                                  : "'shape'"),
                        "", "missing");

    array_info info;
    // From here the order is NumPy's: shape, order, dtype. So a file with several faults is rejected for the same one.
    info.version = version.major;
    if (shape->is != literal::kind::tuple)
        throw malformed(file, "shape", "a tuple of integers", shape->str());
    // Before the extents are copied: only the length of the header limits their number so far.
    if (shape->items.size() > limit.dimensions)
        throw malformed(file, "shape", "at most " + counted(limit.dimensions, "dimension"),
                        counted(shape->items.size(), "dimension"));
    for (const literal& extent : shape->items)
        info.shape.push_back(read_extent(extent, "shape", *shape, file));
    if (order->is != literal::kind::boolean)
        throw malformed(file, "fortran_order", "True or False", order->str());
    info.column_major = order->truth;
    return {std::move(info), std::move(*descr)};
}

/// The error for a file without the magic: it names the format, if that is known.
[[nodiscard]] NDKEEP_INLINE format_error no_magic(const std::filesystem::path& file, std::string_view begin) {
    const foreign_format is = foreign_format_of(begin);
    return malformed(file, "magic", "'\\x93NUMPY'",
                     is.name.empty() ? ndkeep::quoted(begin.substr(0, magic.size()))
                                     : "that of " + std::string(is.name),
                     std::string(is.hint));
}

/// The dictionary as NumPy prints it, and the number of blanks NumPy adds so that the growing axis can get more digits.
struct header_text {
    std::string text;  // in the encoding of the version
    std::size_t growth = 0;
    format_version version;

    [[nodiscard]] std::uint64_t least_length() const { return version.preamble_size() + text.size() + 1; }

    // NumPy pads with 1 to 64 blanks, so that the data starts at a multiple of 64. The padding is never empty: a header
    // that already ends at a multiple of 64 gets 64 blanks more. The files must equal NumPy's.
    [[nodiscard]] std::uint64_t numpy_length() const { return (least_length() + growth) / 64 * 64 + 64; }
};

[[nodiscard]] NDKEEP_INLINE header_text print_header(const array_info& info, const header_options& options) {
    // `parse_header` rejects larger arrays. Such a file must not be written, because it could not be read back.
    (void)checked_nbytes(info.type, info.shape);
    const std::string utf8 = "{'descr': " + info.type.descr() +
                             ", 'fortran_order': " + (info.column_major ? "True" : "False") +
                             ", 'shape': " + shape_text(info.shape) + ", }";
    constexpr std::size_t most_digits = 21;  // those of 8 * 2^64 - 1, which NumPy reserves
    // Blanks for the axis that grows when rows are appended: the first one, in column-major order the last. With them
    // the header can be rewritten in place. A std::size_t has at most 20 digits, so the difference stays positive.
    const std::size_t growth =
        info.shape.empty()
            ? 0
            : most_digits - std::to_string(info.column_major ? info.shape.back() : info.shape.front()).size();
    // Lowest version first, as in NumPy: older programs can read it. Version 2 differs only in the longer length field,
    // so text beyond latin-1 passes over 1 and 2 to version 3.
    std::string problem = "an unknown version";
    for (const format_version& version : format_versions) {
        if (options.version != 0 && options.version != version.major)
            continue;
        auto encoded = version.utf8 ? std::optional(utf8) : to_latin1(utf8);
        if (!encoded) {
            problem = "a header beyond latin-1";
            continue;
        }
        header_text out{.text = std::move(*encoded), .growth = growth, .version = version};
        const std::uint64_t length = options.length != 0 ? options.length : out.numpy_length();
        // A length shorter than the preamble counts as empty text here instead of wrapping; `header_bytes` rejects it.
        if (length - std::min<std::uint64_t>(length, version.preamble_size()) <= version.longest_text())
            return out;
        problem = "a header of " + counted(length, "byte");
    }
    throw malformed({}, "version",
                    options.version == 0 ? "" : "one that version " + std::to_string(options.version) + " can hold",
                    problem);
}

}  // namespace detail

namespace core {

NDKEEP_INLINE std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace core

NDKEEP_INLINE std::uint64_t checked_nbytes(const dtype& type, const std::vector<std::size_t>& shape,
                                           const std::filesystem::path& file) {
    // The product below is not checked any more, so this must come first.
    if (!detail::fits(shape, type.size(), detail::largest_offset))
        throw detail::malformed(file, "shape", "at most 2^63 - 1 bytes", shape_text(shape));
    std::uint64_t bytes = type.size();
    for (const std::size_t extent : shape)
        bytes *= extent;
    return bytes;
}

// Elements of one byte each: the same overflow check serves for the number of elements.
NDKEEP_INLINE std::uint64_t array_info::size() const { return checked_nbytes(dtype::plain('S', 1), shape); }

NDKEEP_INLINE std::uint64_t array_info::nbytes() const { return checked_nbytes(type, shape); }

NDKEEP_INLINE preamble parse_preamble(std::span<const std::byte> first_bytes, const std::filesystem::path& file,
                                      std::uint64_t file_size, const limits& limit) {
    // Callers may pass a buffer longer than the file, for example one of fixed size. Bytes after the end of the file
    // must not be taken for a header.
    const auto bytes = detail::as_text(first_bytes.first(
        static_cast<std::size_t>(std::min<std::uint64_t>({first_bytes.size(), file_size, longest_preamble}))));
    // `next_name` reserves a name with an empty file, so an empty file gets a message that says so.
    if (file_size == 0)
        throw detail::malformed(file, "magic", "'\\x93NUMPY'", "missing",
                                "the file is empty: next_name reserved it, and nothing is saved yet");
    if (!bytes.starts_with(detail::magic))
        throw detail::no_magic(file, bytes);
    // Unsigned, because a char of 0x80 or more can be negative.
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
    if (bytes.size() < detail::magic.size() + 2)
        throw detail::malformed(file, "version", "2 bytes", counted(bytes.size() - detail::magic.size(), "byte"));
    // All versions that exist have the minor number 0.
    const auto version =
        std::find_if(detail::format_versions.begin(), detail::format_versions.end(),
                     [&](const detail::format_version& each) { return each.major == byte(6) && byte(7) == 0; });
    if (version == detail::format_versions.end())
        throw detail::malformed(file, "version", "1.0, 2.0 or 3.0",
                                std::to_string(byte(6)) + '.' + std::to_string(byte(7)));

    // Only the version tells how wide the length field is.
    preamble out{.major = byte(6), .minor = byte(7), .header_offset = version->preamble_size()};
    if (bytes.size() < out.header_offset)
        throw detail::malformed(file, "header length", counted(version->length_width, "byte"),
                                counted(bytes.size() - detail::magic.size() - 2, "byte"));
    for (std::size_t i = 0; i < version->length_width; ++i)
        out.header_length |= std::uint64_t{byte(detail::magic.size() + 2 + i)} << (8 * i);
    // Not negative: the bytes of the preamble were present. A length beyond the file is reported as such before the
    // limit is compared, because a file that was cut short is the more likely reason.
    if (out.header_length > file_size - out.header_offset)
        throw detail::malformed(file, "header length", "at most " + counted(file_size - out.header_offset, "byte"),
                                counted(out.header_length, "byte"), "the file is cut short or not an npy file");
    if (out.header_length > version->most_bytes(limit))
        throw detail::too_long(file, limit, counted(out.header_length, "byte"));
    return out;
}

namespace detail {

[[nodiscard]] NDKEEP_INLINE parsed_header parse_all_but_dtype(std::span<const std::byte> header,
                                                              const std::filesystem::path& file, const limits& limit) {
    // The size of the buffer stands in for the size of the file, so that the text lies inside of the buffer.
    const preamble start = parse_preamble(header, file, header.size(), limit);
    const auto text = as_text(header).substr(static_cast<std::size_t>(start.header_offset),
                                             static_cast<std::size_t>(start.header_length));
    // The versions are numbered from 1 without a gap, and `parse_preamble` rejects all others.
    parsed_header parsed = parse_header_text(text, format_versions[start.major - 1u], file, limit);
    parsed.info.data_offset = start.data_offset();
    return parsed;
}

}  // namespace detail

namespace core {

NDKEEP_INLINE header_facts parse_header_facts(std::span<const std::byte> header, const std::filesystem::path& file,
                                              const limits& limit) {
    auto [info, descr] = detail::parse_all_but_dtype(header, file, limit);
    return {.descr = descr.str(),
            .shape = std::move(info.shape),
            .column_major = info.column_major,
            .data_offset = info.data_offset,
            .version = info.version};
}

}  // namespace core

NDKEEP_INLINE array_info parse_header(std::span<const std::byte> header, const std::filesystem::path& file,
                                      const limits& limit) {
    auto [info, descr] = detail::parse_all_but_dtype(header, file, limit);
    info.type = dtype::parse(descr, file, limit);
    const std::uint64_t bytes = checked_nbytes(info.type, info.shape, file);
    // The end of the data must be a valid offset too. The difference cannot wrap: a header has at most 16 MiB.
    if (bytes > detail::largest_offset - info.data_offset)
        throw detail::malformed(file, "shape", "data that ends before byte 2^63", shape_text(info.shape));
    return info;
}

NDKEEP_INLINE std::string header_bytes(const array_info& info, const header_options& options) {
    const detail::header_text printed = detail::print_header(info, options);
    const std::uint64_t length = options.length != 0 ? options.length : printed.numpy_length();
    // A longer header than necessary is padded; a shorter one would cut the dictionary.
    if (length < printed.least_length())
        throw detail::malformed({}, "header length", "at least " + counted(printed.least_length(), "byte"),
                                counted(length, "byte"));
    const std::uint64_t text_length = length - printed.version.preamble_size();
    std::string out(detail::magic);
    out += static_cast<char>(printed.version.major);
    // minor version
    out += '\0';
    for (std::size_t i = 0; i < printed.version.length_width; ++i)
        out += static_cast<char>(static_cast<unsigned char>(text_length >> (8 * i)));
    out += printed.text;
    // NEP 1: the padding is blanks, and the last byte of a header is a newline.
    out.resize(static_cast<std::size_t>(length - 1), ' ');
    out += '\n';
    return out;
}

NDKEEP_INLINE std::uint64_t least_header_length(const array_info& info, std::uint8_t version) {
    return detail::print_header(info, {.version = version}).least_length();
}

NDKEEP_INLINE bool written_column_major(const array_info& info) {
    // An axis of length 1 has no order. With fewer than two other axes both orders are the same, as in an empty array.
    // NumPy calls such arrays row-major.
    const auto long_axes = std::count_if(info.shape.begin(), info.shape.end(), [](std::size_t n) { return n != 1; });
    const bool empty = std::find(info.shape.begin(), info.shape.end(), std::size_t{0}) != info.shape.end();
    return info.column_major && long_axes > 1 && !empty;
}

}  // namespace ndkeep
