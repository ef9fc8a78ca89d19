// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/store/record/table.hpp>.
#pragma once

#include <ndkeep/store/record/table.hpp>

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/dtype_words.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/store/layout.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>
#include <variant>

namespace ndkeep::inline NDKEEP_ABI::detail {

[[nodiscard]] NDKEEP_INLINE std::size_t sum_digits(checksum sum) {
    // MD5 has 128 bits, the CRCs have 32.
    return sum == checksum::none ? 0 : sum == checksum::md5 ? 32 : 8;
}

/// The dtype of a table's elements.
[[nodiscard]] NDKEEP_INLINE dtype table_type(const chunk_state& state) {
    std::vector<dtype::field> fields;
    std::uint64_t size = 0;
    const auto add = [&](std::string name, const dtype& type) {
        dtype::field field;
        field.name = std::move(name);
        field.type = type;
        // Without padding, so that the element is the same on every machine.
        field.offset = size;
        size += type.size();
        fields.push_back(std::move(field));
    };
    add("file", dtype::plain('S', longest_chunk_name));
    // Little-endian on every machine: the type is compared with that of the file, and the sum covers the bytes.
    for (const char* const name : {"rows", "nbytes", "offset"})
        add(name, dtype::plain('u', 8, byte_order::little));
    if (state.sum != checksum::none)
        add(std::string(checksum_name(state.sum)), dtype::plain('S', sum_digits(state.sum)));
    if (const char form = number_form(key_type(state)); form != '\0')
        for (const char* const name : {"min", "max"})
            add(name, dtype::plain(form, 8, byte_order::little));
    return dtype::structure(std::move(fields), size);
}

[[nodiscard]] NDKEEP_INLINE std::uint64_t little_endian(std::uint64_t word) {
    return native_order == byte_order::little ? word : __builtin_bswap64(word);
}

/// The eight bytes of a smallest or largest number. An entry without numbers gets a smallest above its largest, or NaN
/// for both: a column has no other way to mark an absent value.
[[nodiscard]] NDKEEP_INLINE std::uint64_t number_bits(const std::optional<statistics::number>& number, char form,
                                                      bool is_min) {
    if (form == 'f') {
        const double value = number ? as_double(*number) : std::numeric_limits<double>::quiet_NaN();
        std::uint64_t bits = 0;
        std::memcpy(&bits, &value, sizeof bits);
        return bits;
    }
    if (!number)
        return form == 'u' ? (is_min ? ~std::uint64_t{0} : 0)
                           : static_cast<std::uint64_t>(is_min ? std::numeric_limits<std::int64_t>::max()
                                                               : std::numeric_limits<std::int64_t>::min());
    if (const auto* const whole = std::get_if<std::int64_t>(&*number))
        return static_cast<std::uint64_t>(*whole);
    if (const auto* const count = std::get_if<std::uint64_t>(&*number))
        return *count;
    return 0;
}

/// The inverse of `number_bits`.
NDKEEP_INLINE void read_numbers(chunk_entry& entry, std::uint64_t low, std::uint64_t high, char form) {
    if (form == 'f') {
        double least = 0, most = 0;
        std::memcpy(&least, &low, sizeof least);
        std::memcpy(&most, &high, sizeof most);
        // False for NaN as well.
        if (least <= most) {
            entry.min = least;
            entry.max = most;
        }
    } else if (form == 'u' && low <= high) {
        entry.min = low;
        entry.max = high;
    } else if (form == 'i' && static_cast<std::int64_t>(low) <= static_cast<std::int64_t>(high)) {
        entry.min = static_cast<std::int64_t>(low);
        entry.max = static_cast<std::int64_t>(high);
    }
}

NDKEEP_INLINE void check_entry(const chunk_entry& entry, const chunk_state& state, const std::filesystem::path& file) {
    const auto refuse = [&](std::string field, std::string expected, std::string found) {
        throw malformed(file, std::move(field), std::move(expected), std::move(found));
    };
    // The name is opened and may be removed later. A record from a stranger must not reach files elsewhere.
    if (!entry.file.empty() && !is_chunk_name(entry.file))
        refuse("chunk file", "a name of hexadecimal words", ndkeep::quoted(entry.file));
    const std::uint64_t row_bytes = state.row_bytes();
    // By division, because the product in the next check could overflow.
    if (entry.rows == 0 || (row_bytes != 0 && entry.rows > largest_offset / row_bytes))
        refuse("number of rows of a chunk", "at least 1, and less than 2^63 bytes of them", std::to_string(entry.rows));
    // Chunks with a file are divided into rows of some bytes. Rows without bytes need no file.
    if (row_bytes == 0 && !entry.file.empty())
        refuse("file of rows without bytes", "none", ndkeep::quoted(entry.file));
    if (entry.nbytes != entry.rows * row_bytes)
        refuse("size of a chunk in bytes", std::to_string(entry.rows * row_bytes), std::to_string(entry.nbytes));
    // Absent is unknown. Tables have room for just as many digits as there are.
    if (!entry.sum.empty() && entry.sum.size() != sum_digits(state.sum))
        refuse("checksum of a chunk", counted(sum_digits(state.sum), "digit"), ndkeep::quoted(entry.sum));
    // A header is never longer. The bound also keeps offset + nbytes within 64 bits.
    if (entry.offset > longest_header)
        refuse("data offset of a chunk", "at most " + std::to_string(longest_header), std::to_string(entry.offset));
}

NDKEEP_INLINE std::string table_bytes(const std::vector<chunk_entry>& entries, const chunk_state& state) {
    const dtype type = table_type(state);
    std::string out = header_bytes({.type = type, .shape = {entries.size()}});
    const char form = number_form(key_type(state));
    const auto add_number = [&](std::uint64_t value) {
        value = little_endian(value);
        out.append(reinterpret_cast<const char*>(&value), sizeof value);
    };
    const auto add_text = [&](const std::string& text, std::size_t size) {
        out += text;
        out.append(size - text.size(), '\0');
    };
    for (const auto& entry : entries) {
        add_text(entry.file, longest_chunk_name);
        add_number(entry.rows);
        add_number(entry.nbytes);
        add_number(entry.offset);
        add_text(entry.sum, sum_digits(state.sum));
        if (form != '\0') {
            add_number(number_bits(entry.min, form, true));
            add_number(number_bits(entry.max, form, false));
        }
    }
    return out;
}

NDKEEP_INLINE chunk_table parse_table(std::span<const std::byte> bytes, std::string file, const std::string& sum,
                                      const chunk_state& state, const std::filesystem::path& called) {
    // First, so that damage is reported as damage and not as a malformed table.
    if (const auto found = hex_text(crc32c(bytes)); found != sum)
        throw checksum_error({.file = called,
                              .field = "crc32c",
                              .expected = sum,
                              .found = found,
                              .hint = "the table is not the one that was written"});
    const auto info = parse_header(bytes, called);
    const dtype type = table_type(state);
    // The length is compared before memory is allocated for the entries: the header may name any number of them.
    if (info.type != type || info.shape.size() != 1 || bytes.size() - info.data_offset != info.nbytes())
        throw format_error({.file = called,
                            .field = "table",
                            .expected = type.descr(),
                            .found = info.type.is_struct() ? info.type.descr() : ndkeep::quoted(info.type.str())});
    chunk_table table{std::move(file), sum, {}, {}};
    table.entries.resize(info.shape[0]);
    // The entries are those of one state, whose rows fit a file offset in bytes.
    const std::uint64_t most = largest_offset / std::max<std::uint64_t>(1, state.row_bytes());
    std::uint64_t rows = 0;
    const char form = number_form(key_type(state));
    const std::byte* at = bytes.data() + info.data_offset;
    const auto text = [&](std::size_t size) {
        std::string out(reinterpret_cast<const char*>(at), size);
        at += size;
        // NumPy pads bytes of fixed width with zeros at the end.
        out.resize(std::min(out.size(), out.find('\0')));
        return out;
    };
    const auto number = [&] {
        std::uint64_t word = 0;
        std::memcpy(&word, at, sizeof word);
        at += sizeof word;
        return little_endian(word);
    };
    for (auto& entry : table.entries) {
        entry.file = text(longest_chunk_name);
        entry.rows = number();
        entry.nbytes = number();
        entry.offset = number();
        entry.sum = text(sum_digits(state.sum));
        if (form != '\0') {
            const auto low = number(), high = number();
            read_numbers(entry, low, high, form);
        }
        check_entry(entry, state, called);
        // Compared before the addition, which could overflow: a slice of such a table would have another number of rows
        // than its entries.
        if (entry.rows > most - rows)
            throw format_error({.file = called,
                                .field = "number of rows of a table",
                                .expected = "at most " + std::to_string(most),
                                .found = "more"});
        rows += entry.rows;
    }
    table.count_rows();
    return table;
}

}  // namespace ndkeep::detail
