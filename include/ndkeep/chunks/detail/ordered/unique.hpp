// SPDX-License-Identifier: BSD-3-Clause
// Removes rows that equal a later row, from a stream of rows in the order of their keys.
#pragma once

#include <ndkeep/chunks/detail/ordered/codes.hpp>
#include <ndkeep/chunks/detail/ordered/cutter.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The values that decide whether two rows are equal. NaN equals NaN, and 0.0 equals -0.0, in complex numbers too;
/// padding does not count.
class compared_values {
  public:
    /// @param fields  of a struct; without any, all its fields
    /// @throws mismatch_error  a field that the struct has not
    compared_values(const chunk_state& state, const std::vector<std::string>& fields,
                    const std::filesystem::path& called);

    /// The values of a row, as bytes that are equal for equal rows.
    [[nodiscard]] std::string of(const std::byte* row) const;

    /// The same question about two rows, without a copy of their values.
    [[nodiscard]] bool equal(const std::byte* a, const std::byte* b) const;

    /// Whether rows with equal keys are equal.
    [[nodiscard]] bool is_the_key() const noexcept { return values_.empty(); }

  private:
    /// Adds the bytes of a floating-point number to the values of a row.
    using number_bytes = void (*)(const std::byte* number, bool is_swapped, std::string& to);

    struct value {
        std::uint64_t offset = 0, size = 0;
        number_bytes add_to = nullptr;  // nullptr: other values, which are compared as bytes
        bool is_swapped = false;        // not in native byte order
    };
    void add(const dtype& type, std::uint64_t offset, std::uint64_t count);
    void add_numbers(const dtype& type, std::uint64_t offset, std::uint64_t count, number_bytes add_to);

    std::vector<value> values_;
};

/// Passes rows on to a cutter. Of rows with the key of a given row, and with equal values, it passes on the last one
/// only. Rows with other keys all stay: a merge changes nothing outside of its keys.
///
/// Only rows with the newest key are held, and only groups with equal keys are compared. Most rows are passed on from
/// the block in which they come, without a copy.
class unique_rows {
  public:
    /// @param values  nullptr: all rows are passed on
    unique_rows(const compared_values* values, std::size_t row_bytes, chunk_cutter& to)
        : values_(values), row_bytes_(row_bytes), to_(to) {}

    /// Adds rows `from` to `to` of a block. Those with its last key are held until a greater key comes.
    /// @param block, codes  must stay as they are until `detach` or `finish`
    /// @param is_given  they are merged, and not present already
    void add(std::span<const std::byte> block, const row_codes& codes, std::size_t from, std::size_t to, bool is_given);

    /// Rows of a block that are still to be added.
    struct source {
        std::span<const std::byte> block = {};
        const row_codes* codes = nullptr;
        std::size_t next = 0, end = 0;
    };
    /// Adds some rows that alternate between both sources, as far as none of them can be a repetition, one by one. It
    /// is faster than `add` for short runs, and leaves long ones to it.
    void add_alternating(source& present, source& given);

    /// Copies what is held of a block, which may change then.
    void detach();

    /// Passes on what is held.
    void finish();

  private:
    /// Adjacent rows of a block.
    struct run {
        std::span<const std::byte> block = {};
        const row_codes* codes = nullptr;
        std::size_t from = 0, to = 0;
        bool is_given = false;
    };
    /// Whether the key of a row is the one that is held.
    [[nodiscard]] bool holds_key(const row_codes& codes, std::size_t i) const {
        return last_.codes != nullptr ? codes.equal(i, *last_.codes, last_.from)
                                      : codes_.size() != 0 && codes.equal(i, codes_, 0);
    }
    /// Copies rows with the key that is held.
    void hold(const run& rows);
    /// Passes on rows that have no key with others.
    void pass_on(const run& rows);
    /// Passes on rows with one key: all, or those that equal no later one.
    void pass_on_key(const run& rows);

    const compared_values* values_;
    std::size_t row_bytes_;
    chunk_cutter& to_;
    run last_ = {};                // rows with the newest key, in the block that came last
    std::vector<std::byte> held_;  // and before them, as copies
    row_codes codes_;              // of the copies
    bool has_given_ = false;       // among the copies
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/ordered/unique.ipp>
#endif
