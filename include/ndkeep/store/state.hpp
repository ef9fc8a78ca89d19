// SPDX-License-Identifier: BSD-3-Clause
// The state of a chunked array in one commit: the list of its immutable chunk files, and the dataset's properties.
#pragma once

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// One chunk: rows in one file, or rows of zeros without a file.
struct chunk_entry {
    std::string file = {};                                 ///< name in the folder `chunks`; empty: rows of zeros
    std::uint64_t rows = 0;                                ///< in this chunk
    std::uint64_t nbytes = 0;                              ///< bytes of the rows
    std::uint64_t offset = 0;                              ///< bytes before the rows in the file
    std::string sum = {};                                  ///< of the rows, in hexadecimal; empty if none
    std::optional<statistics::number> min = {}, max = {};  ///< of the elements, or of the field in order_by

    friend bool operator==(const chunk_entry&, const chunk_entry&) = default;
};

namespace core {

/// A list of entries in an immutable file. Records refer to ranges of it, so that they stay short.
struct chunk_table {
    std::string file;
    std::string sum;  // CRC-32C of the file
    std::vector<chunk_entry> entries;
    std::vector<std::uint64_t> ends;  // rows up to the end of each entry, from the first entry on

    /// Computes `ends`. All rows together must fit a file offset in bytes; `parse_table` rejects tables that have more.
    void count_rows();
    /// Rows in the entries below `index`.
    [[nodiscard]] std::uint64_t rows_before(std::size_t index) const { return index == 0 ? 0 : ends[index - 1]; }
};

/// One entry, or the entries [from, to) of a table.
struct chunk_item {
    chunk_entry entry = {};
    std::shared_ptr<const chunk_table> table = nullptr;
    std::size_t from = 0, to = 0;

    [[nodiscard]] std::uint64_t rows() const;
    /// The number of entries.
    [[nodiscard]] std::size_t count() const { return table == nullptr ? 1 : to - from; }
    [[nodiscard]] const chunk_entry& at(std::size_t i) const;
};

/// What a program keeps with the rows and commits together with them, such as the position of a loop.
///
/// Every commit copies it forward, whoever makes it, and its files are kept as long as a commit names them. Nothing
/// here reads its content.
struct dataset_note {
    std::uint64_t step = 0;               // grows with each change; 0 before the first
    std::vector<std::string> files = {};  // names in the folder `chunks`
    json content = json(json::value_t::object);
};

/// The complete state of a dataset in one commit. There are no change records, so each commit can be read alone, and
/// pruning older ones never affects it.
struct chunk_state {
    std::uint64_t number = 0;  // of the commit; 0 before the first. Not in the record's text: its file name has it
    std::string id = {}, parent = {};       // random ids of this record and of the one it was made on
    std::vector<std::uint64_t> skips = {};  // numbers of damaged records that `recover` has passed over
    std::string dataset = {};               // random id, the same in all commits
    std::uint64_t epoch = 0;                // raised before a sweep; a writer that noted another one must not commit
    std::uint64_t rewritten = 0;  // number of the last commit that changed or removed existing rows; 0 if none
    dtype type = {};
    std::vector<std::size_t> row_shape = {};
    std::uint64_t rows = 0;
    std::optional<std::string> order_by = {};  // field whose values ascend; "": the rows' own values; nullopt: no order
    std::string then_by = {};                  // field whose values ascend where those of order_by are equal; "": none
    checksum sum = checksum::crc32c;           // kind of the entries' sums
    std::vector<chunk_item> items = {};
    std::map<std::string, dataset_note> notes = {};  // by name
    json metadata = json(json::value_t::object);
    std::string created = {};

    /// Whether there is no array, because nothing is committed yet, or because the array was removed.
    [[nodiscard]] bool is_absent() const noexcept { return type.size() == 0; }

    /// Bytes of one row; not checked for overflow.
    [[nodiscard]] std::uint64_t row_bytes() const;

    /// All entries in the order of their rows, with those of tables.
    [[nodiscard]] std::vector<chunk_entry> entries() const;

    /// Adds an entry at the end; ignores one without rows.
    void append(chunk_entry entry);

    /// Splits items so that one begins at this row, and returns its index. For the row after the last it returns the
    /// number of items. nullopt if the row is within an entry that has a file, or beyond the end.
    [[nodiscard]] std::optional<std::size_t> split_at(std::uint64_t row);

    /// The entries that hold the rows [first, last), and the row at which the first of them begins.
    [[nodiscard]] std::pair<std::uint64_t, std::vector<chunk_entry>> between(std::uint64_t first,
                                                                             std::uint64_t last) const;

    /// nullptr if there are no rows.
    [[nodiscard]] const chunk_entry* last_entry() const;

  private:
    /// Splits item `i` after `rows_in` of its rows, and returns the index of the second part.
    [[nodiscard]] std::optional<std::size_t> split_item(std::size_t i, std::uint64_t rows_in);

    /// Takes entry `index`, of zeros, out of the table range that item `i` is, and splits it.
    [[nodiscard]] std::optional<std::size_t> cut_zeros_of_table(std::size_t i, std::size_t index,
                                                                std::uint64_t rows_in);
};

}  // namespace core

namespace detail {

/// The form of a chunk's smallest and largest number: 'i' int64, 'u' uint64, 'f' float64; 0 if none are kept, because
/// the type has no order or does not fit.
[[nodiscard]] char number_form(const dtype& type);

/// The dtype whose smallest and largest number each chunk keeps: that of the rows, or of the field in `order_by`.
[[nodiscard]] dtype key_type(const chunk_state& state);
/// The dtype of the field in `then_by`; the empty dtype if there is none.
[[nodiscard]] dtype second_key_type(const chunk_state& state);

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/store/state.ipp>
#endif
