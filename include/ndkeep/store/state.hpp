// SPDX-License-Identifier: BSD-3-Clause
// What one commit of a chunked array says: its rows as a list of immutable files, and all else there is to know.
#pragma once

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/format/dtype_parser.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/text/json/print.hpp>

#include <memory>

namespace ndkeep {

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

namespace detail {

/// Entries that were written once and for all into a file of their own.
struct chunk_table {
    std::string file;
    std::string sum;  // CRC-32C of the file
    std::vector<chunk_entry> entries;
    std::vector<std::uint64_t> ends;  // rows up to the end of each entry

    void count_rows() {
        ends.clear();
        std::uint64_t rows = 0;
        for (const auto& entry : entries)
            ends.push_back(rows = std::min(rows + entry.rows, largest_offset + 1));
    }
    [[nodiscard]] std::uint64_t rows_before(std::size_t index) const { return index == 0 ? 0 : ends[index - 1]; }
};

/// One entry, or a range of a table's.
struct chunk_item {
    chunk_entry entry = {};
    std::shared_ptr<const chunk_table> table = nullptr;
    std::size_t from = 0, to = 0;

    [[nodiscard]] std::uint64_t rows() const {
        return table == nullptr ? entry.rows : table->rows_before(to) - table->rows_before(from);
    }
    [[nodiscard]] std::size_t count() const { return table == nullptr ? 1 : to - from; }
    [[nodiscard]] const chunk_entry& at(std::size_t i) const {
        return table == nullptr ? entry : table->entries[from + i];
    }
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

    [[nodiscard]] std::uint64_t row_bytes() const {
        std::uint64_t bytes = type.size();
        for (const std::size_t extent : row_shape)
            bytes *= extent;
        return bytes;
    }

    [[nodiscard]] std::vector<chunk_entry> entries() const {
        std::vector<chunk_entry> all;
        for (const auto& item : items)
            for (std::size_t i = 0; i < item.count(); ++i)
                all.push_back(item.at(i));
        return all;
    }

    [[nodiscard]] std::size_t entry_count() const {
        std::size_t count = 0;
        for (const auto& item : items)
            count += item.count();
        return count;
    }

    void append(chunk_entry entry) {
        if (entry.rows == 0)
            return;
        rows += entry.rows;
        items.push_back({.entry = std::move(entry)});
    }

    /// Makes an item begin at this row, and returns its index; nothing if an entry with a file is in the way.
    [[nodiscard]] std::optional<std::size_t> split_at(std::uint64_t row) {
        std::uint64_t begin = 0;
        for (std::size_t i = 0; i < items.size(); ++i) {
            const std::uint64_t end = begin + items[i].rows();
            if (row == begin)
                return i;
            if (row < end)
                return split_item(i, row - begin);
            begin = end;
        }
        return row == begin ? std::optional(items.size()) : std::nullopt;
    }

    /// The entries that hold rows from `first` to `last`, with the row at which the first of them begins.
    [[nodiscard]] std::pair<std::uint64_t, std::vector<chunk_entry>> between(std::uint64_t first,
                                                                             std::uint64_t last) const {
        std::pair<std::uint64_t, std::vector<chunk_entry>> out{first, {}};
        std::uint64_t begin = 0;
        for (const auto& item : items) {
            const std::uint64_t end = begin + item.rows();
            if (begin < last && first < end) {
                std::size_t i = 0;
                if (item.table != nullptr && first > begin) {
                    const auto& ends = item.table->ends;
                    const std::uint64_t wanted = item.table->rows_before(item.from) + (first - begin);
                    i = static_cast<std::size_t>(std::upper_bound(ends.begin() + static_cast<std::ptrdiff_t>(item.from),
                                                                  ends.end(), wanted) -
                                                 ends.begin()) -
                        item.from;
                }
                std::uint64_t at = begin + (item.table == nullptr ? 0
                                                                  : item.table->rows_before(item.from + i) -
                                                                        item.table->rows_before(item.from));
                for (; i < item.count() && at < last; ++i) {
                    if (out.second.empty())
                        out.first = at;
                    out.second.push_back(item.at(i));
                    at += item.at(i).rows;
                }
            }
            begin = end;
        }
        return out;
    }

    [[nodiscard]] const chunk_entry* last_entry() const {
        return items.empty() ? nullptr : &items.back().at(items.back().count() - 1);
    }

  private:
    [[nodiscard]] std::optional<std::size_t> split_item(std::size_t i, std::uint64_t rows_in) {
        chunk_item& item = items[i];
        chunk_item behind = item;
        if (item.table != nullptr) {
            const auto& ends = item.table->ends;
            const std::uint64_t wanted = item.table->rows_before(item.from) + rows_in;
            const auto at = std::lower_bound(ends.begin(), ends.end(), wanted);
            if (at == ends.end())
                return std::nullopt;
            const auto index = static_cast<std::size_t>(at - ends.begin());
            if (*at != wanted) {
                // Within an entry: only zeros can be cut, and have to leave the table for it.
                if (!item.table->entries[index].file.empty())
                    return std::nullopt;
                return cut_zeros_of_table(i, index, wanted - item.table->rows_before(index));
            }
            item.to = behind.from = index + 1;
        } else {
            if (!item.entry.file.empty())
                return std::nullopt;
            const std::uint64_t row_size = item.entry.nbytes / item.entry.rows;
            behind.entry.rows = item.entry.rows - rows_in;
            item.entry.rows = rows_in;
            behind.entry.nbytes = behind.entry.rows * row_size;
            item.entry.nbytes = item.entry.rows * row_size;
        }
        items.insert(items.begin() + static_cast<std::ptrdiff_t>(i) + 1, std::move(behind));
        return i + 1;
    }

    [[nodiscard]] std::optional<std::size_t> cut_zeros_of_table(std::size_t i, std::size_t index,
                                                                std::uint64_t rows_in) {
        const chunk_item whole = items[i];
        std::vector<chunk_item> instead;
        if (index > whole.from)
            instead.push_back({.table = whole.table, .from = whole.from, .to = index});
        instead.push_back({.entry = whole.table->entries[index]});
        const std::size_t zeros = i + instead.size() - 1;
        if (index + 1 < whole.to)
            instead.push_back({.table = whole.table, .from = index + 1, .to = whole.to});
        items.erase(items.begin() + static_cast<std::ptrdiff_t>(i));
        items.insert(items.begin() + static_cast<std::ptrdiff_t>(i), instead.begin(), instead.end());
        return split_item(zeros, rows_in);
    }
};

[[nodiscard]] inline std::string dtype_text(const dtype& type) { return type.is_struct() ? type.descr() : type.str(); }

/// In what form the smallest and largest number of a chunk are kept: 'i', 'u', 'f'; 0 where there is no order.
[[nodiscard]] inline char number_form(const dtype& type) {
    switch (type.kind()) {
    case 'b':
    case 'u':
        return 'u';
    case 'i':
    case 'm':
    case 'M':
        return 'i';
    case 'f':
        return type.size() <= 8 ? 'f' : '\0';
    default:
        return '\0';
    }
}

/// What the numbers of a chunk are taken of: the rows themselves, or the field they are ordered by.
[[nodiscard]] inline dtype key_type(const chunk_state& state) {
    if (!state.order_by || state.order_by->empty())
        return state.type;
    const auto* const field = state.type.find(*state.order_by);
    return field == nullptr ? dtype() : field->type;
}

}  // namespace detail

}  // namespace ndkeep
