// SPDX-License-Identifier: BSD-3-Clause
// What one commit of a chunked array says: its rows as a list of immutable files, and all else there is to know.
#pragma once

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Rows of a chunked array in one file, or, without a file, rows of zeros.
struct chunk_entry {
    std::string file = {};  ///< name within `chunks`; empty: zeros
    std::uint64_t rows = 0;
    std::uint64_t nbytes = 0;                              ///< of the rows
    std::uint64_t offset = 0;                              ///< of the rows in the file
    std::string sum = {};                                  ///< in hex; empty where there is none
    std::optional<statistics::number> min = {}, max = {};  ///< of the numbers, or of the field the rows are ordered by

    friend bool operator==(const chunk_entry&, const chunk_entry&) = default;
};

namespace core {

/// Entries that were written once and for all into a file of their own.
struct chunk_table {
    std::string file;
    std::string sum;  // CRC-32C of the file
    std::vector<chunk_entry> entries;
    std::vector<std::uint64_t> ends;  // rows up to the end of each entry

    void count_rows();
    [[nodiscard]] std::uint64_t rows_before(std::size_t index) const { return index == 0 ? 0 : ends[index - 1]; }
};

/// One entry, or a range of a table's.
struct chunk_item {
    chunk_entry entry = {};
    std::shared_ptr<const chunk_table> table = nullptr;
    std::size_t from = 0, to = 0;

    [[nodiscard]] std::uint64_t rows() const;
    [[nodiscard]] std::size_t count() const { return table == nullptr ? 1 : to - from; }
    [[nodiscard]] const chunk_entry& at(std::size_t i) const;
};

/// The state that one record holds.
struct chunk_state {
    std::uint64_t number = 0;  // of its commit; 0 before the first
    std::string id = {}, parent = {};
    std::vector<std::uint64_t> skips = {};  // records that were found damaged and are passed over
    std::string dataset = {};
    std::uint64_t epoch = 0;      // grows before staged files are swept
    std::uint64_t rewritten = 0;  // the last commit that changed or removed rows
    dtype type = {};
    std::vector<std::size_t> row_shape = {};
    std::uint64_t rows = 0;
    std::optional<std::string> order_by = {};  // a field, or the rows themselves: ""
    checksum sum = checksum::crc32c;
    std::vector<chunk_item> items = {};
    json loops = json(json::value_t::object);
    json metadata = json(json::value_t::object);
    std::string created = {};

    [[nodiscard]] std::uint64_t row_bytes() const;

    [[nodiscard]] std::vector<chunk_entry> entries() const;

    [[nodiscard]] std::size_t entry_count() const;

    void append(chunk_entry entry);

    /// Makes an item begin at this row, and returns its index; nothing if an entry with a file is in the way.
    [[nodiscard]] std::optional<std::size_t> split_at(std::uint64_t row);

    /// The entries that hold rows from `first` to `last`, with the row at which the first of them begins.
    [[nodiscard]] std::pair<std::uint64_t, std::vector<chunk_entry>> between(std::uint64_t first,
                                                                             std::uint64_t last) const;

    [[nodiscard]] const chunk_entry* last_entry() const;

  private:
    [[nodiscard]] std::optional<std::size_t> split_item(std::size_t i, std::uint64_t rows_in);

    [[nodiscard]] std::optional<std::size_t> cut_zeros_of_table(std::size_t i, std::size_t index,
                                                                std::uint64_t rows_in);
};

}  // namespace core

namespace detail {

[[nodiscard]] std::string dtype_text(const dtype& type);

/// In what form the smallest and largest number of a chunk are kept: 'i', 'u', 'f'; 0 where there is no order.
[[nodiscard]] char number_form(const dtype& type);

/// What the numbers of a chunk are taken of: the rows themselves, or the field they are ordered by.
[[nodiscard]] dtype key_type(const chunk_state& state);

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/store/state.ipp>
#endif
