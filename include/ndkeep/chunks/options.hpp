// SPDX-License-Identifier: BSD-3-Clause
// Options of readers and writers of chunked arrays.
#pragma once

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/chunks/detail/file.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Options of a `chunk_reader`, and of the functions that load, map or inspect a chunked array.
struct chunk_reader_options {
    std::optional<std::uint64_t> at_commit = std::nullopt;  ///< number of a retained commit; nullopt: the newest
    bool verify = false;                                    ///< check the checksum of mapped chunks too
    std::uint64_t max_bytes = std::uint64_t{1} << 36;  ///< limit of one array in memory, 64 GiB: zeros need no file
    run_options run = {};
};

/// Retains all commits: a value for `commit_rules::keep`.
inline constexpr std::uint64_t everything = std::numeric_limits<std::uint64_t>::max();

/// How a commit is made.
struct commit_rules {
    bool sync = true;          ///< sync to disk: after `commit` returns, the commit survives a power cut
    std::uint64_t keep = 100;  ///< newest commits to retain; older ones are pruned from time to time. `everything`: all
};

/// What orders the rows of a chunked array: a field of its structs, or "" for the numbers of a 1-d array itself. Of two
/// fields, the second decides between rows in which the first is equal: `{"time", "sequence"}`.
class order_fields {
  public:
    /// No order.
    order_fields() = default;
    /// No order either.
    order_fields(std::nullopt_t) {}
    /// One field, or no order.
    order_fields(std::optional<std::string> field) : first_(std::move(field)) {}
    /// One field.
    order_fields(std::string field) : first_(std::move(field)) {}
    /// One field.
    order_fields(const char* field) : order_fields(std::string(field)) {}
    /// Two fields.
    order_fields(std::string first, std::string second) : first_(std::move(first)), second_(std::move(second)) {}

    /// nullopt without an order.
    [[nodiscard]] const std::optional<std::string>& first() const noexcept { return first_; }
    /// Empty if one field orders the rows.
    [[nodiscard]] const std::string& second() const noexcept { return second_; }

  private:
    std::optional<std::string> first_;
    std::string second_;
};

/// The fields that must be equal, besides the key, for a row to count as a repetition of another: `{"time", "id"}`.
/// An empty list, `{}`, means all fields.
class unique_fields {
  public:
    /// All fields.
    unique_fields() = default;
    /// These fields; none of them means all.
    unique_fields(std::initializer_list<std::string> fields) : fields_(fields) {}
    /// The same.
    unique_fields(std::vector<std::string> fields) : fields_(std::move(fields)) {}
    /// No rows are compared.
    [[nodiscard]] static unique_fields none() {
        unique_fields made;
        made.is_none_ = true;
        return made;
    }

    /// The fields; empty: all.
    [[nodiscard]] const std::vector<std::string>& names() const noexcept { return fields_; }
    /// Whether no rows are compared.
    [[nodiscard]] bool is_none() const noexcept { return is_none_; }

  private:
    std::vector<std::string> fields_;
    bool is_none_ = false;
};

/// Options of `chunk_writer::merge`.
struct merge_options {
    /// Of rows with the key of a merged row, and with equal values of these fields, the last one stays. Rows with other
    /// keys are not compared. Without it, all rows stay.
    unique_fields unique_by = unique_fields::none();
    /// A chunk of less than 80 % of its full length is small. Small chunks next to merged rows are joined with them if
    /// they are more than this, or have the rows of a full chunk.
    std::uint64_t coalesce_above = 8;
};

/// Options of a `chunk_writer`.
struct chunk_writer_options {
    chunk_size rows_per_chunk = {};   ///< a count, chunk_bytes(…) or chunk_period(…)
    checksum sum = checksum::crc32c;  ///< of each chunk; an existing dataset retains its kind
    order_fields order_by = {};       ///< a field, two of them, or "" for the 1-d array; set at first commit
    commit_rules commit = {};
    run_options run = {};
};

}  // namespace ndkeep
