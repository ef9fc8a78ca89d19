// SPDX-License-Identifier: BSD-3-Clause
// Options of readers and writers of chunked arrays, and of reading in step.
#pragma once

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/chunks/detail/file.hpp>
#include <ndkeep/chunks/key.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/store/cached_place.hpp>
#include <ndkeep/version.hpp>
#include <ndkeep/work/progress.hpp>

#include <concepts>
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
    /// A local folder for copies of the chunks, from which they are mapped: `{.path = "/var/cache/nd", .bytes = n}`.
    /// For places without files, such as buckets, where `map_chunked` needs it, and for network drives.
    cache_options cache = {};
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

/// How far arrays were read in step: up to a key, without it. `.from = mark` goes on there.
struct step_mark {
    std::optional<statistics::number> key = {};  ///< nullopt: above all keys
    std::vector<std::uint64_t> rows = {};        ///< of each array, below the key
    std::vector<std::uint64_t> commits = {};     ///< number of the commit of each array that was read; finds late rows
    /// Between late items: lower marks, in the order of their keys. The rows below each, and from the one before on,
    /// were given as they were in its commits.
    std::vector<step_mark> late = {};
};

namespace detail {

template <class Key>
concept bound_of_keys = std::convertible_to<const Key&, key_bound>;

}  // namespace detail

/// Where reading in step begins: at a key, or at a mark.
class step_begin {
  public:
    /// A number, a duration or a point in time.
    template <detail::bound_of_keys Key>
    step_begin(const Key& key) : key_(key) {}  // NOLINT: implicit
    /// Where an earlier pass ended, maybe over earlier versions of the arrays.
    step_begin(step_mark mark) : mark_(std::move(mark)) {}  // NOLINT: implicit

    /// The key; nullopt if it is a mark.
    [[nodiscard]] const std::optional<key_bound>& key() const noexcept { return key_; }
    /// The mark; nullopt if it is a key.
    [[nodiscard]] const std::optional<step_mark>& mark() const noexcept { return mark_; }

  private:
    std::optional<key_bound> key_;
    std::optional<step_mark> mark_;
};

/// For each array in step, the number of rows before the range that the first item shows too: `{0, 100}`.
class warm_up_rows {
  public:
    /// No warm-up.
    warm_up_rows() = default;
    /// So many rows of each array.
    warm_up_rows(std::initializer_list<std::uint64_t> rows) : rows_(rows) {}
    /// The same.
    warm_up_rows(std::vector<std::uint64_t> rows) : rows_(std::move(rows)) {}
    /// The first item of a loop that resumes shows these rows too. The states of the loop have seen them already.
    [[nodiscard]] static warm_up_rows at_each_resume(std::vector<std::uint64_t> rows) {
        warm_up_rows made(std::move(rows));
        made.at_each_resume_ = true;
        return made;
    }

    /// Of each array; empty: none.
    [[nodiscard]] const std::vector<std::uint64_t>& counts() const noexcept { return rows_; }
    /// Whether the first item of a loop that resumes has a warm-up.
    [[nodiscard]] bool is_at_each_resume() const noexcept { return at_each_resume_; }

  private:
    std::vector<std::uint64_t> rows_;
    bool at_each_resume_ = false;
};

/// What a pass does that begins at a mark below which rows came late: those that the arrays have now, and did not have
/// in the commits of the mark. A loop that resumes does the same at its position.
///
/// Only chunks that differ between the two commits are read. A row counts as the same if its bytes are. The commits of
/// the mark must be retained: writers retain the newest 100, or `.commit.keep`. If one is pruned, an array that has as
/// many rows below the mark as before counts as unchanged, and any other is an error.
enum class late_rows {
    /// Late rows are an error, and so is another number of rows.
    refuse,
    /// The late rows are given first, in items of their own: `step::is_late`. They have the rows of all arrays in the
    /// order of the keys, end where chunks begin, and have no warm-up. The pass then goes on at the mark. Rows that
    /// were erased or replaced below the mark are an error.
    aside,
    /// The pass begins again at the least key that changed, so that all rows of all arrays from there on are given
    /// again, as they are now. Items end at the mark, and those below it are `step::is_late`. Rows that were erased or
    /// replaced begin the pass again too. The items below the mark cover all keys up to it, so that a consumer can
    /// remove what it has made of the keys [`from()`, `to()`) of an item; one of them may have no rows.
    again,
};

/// Options of `in_step`.
struct in_step_options {
    std::optional<step_begin> from = {};  ///< first key, or the watermark of an earlier pass; nullopt: all rows
    std::optional<key_bound> to = {};     ///< the range ends before this key; nullopt: with the last row
    /// For each array, the number of rows before the range that the first item shows too: `.warm_up = {0, 100}`. There
    /// are none without `.from`.
    warm_up_rows warm_up = {};
    /// The arrays may grow: leaves out the rows from the least of their last keys on, because any array may still get
    /// rows with this key. A later call with `.from = watermark()` gives them.
    bool live = false;
    late_rows late = late_rows::refuse;  ///< rows that came below the mark `.from`, or below the position of a loop
};

}  // namespace ndkeep
