// SPDX-License-Identifier: BSD-3-Clause
// Removes rows that equal a later row, from a stream of rows in the order of their keys.
#pragma once

#include <ndkeep/chunks/detail/ordered/codes.hpp>
#include <ndkeep/chunks/detail/ordered/cutter.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/version.hpp>

#include <algorithm>
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
class unique_rows {
  public:
    /// @param values  nullptr: all rows are passed on
    unique_rows(const compared_values* values, std::size_t row_bytes, chunk_cutter& to)
        : values_(values), row_bytes_(row_bytes), to_(to),
          most_(std::max<std::size_t>(1, (std::size_t{256} << 10) / row_bytes)) {}

    /// Adds rows `from` to `to` of a block. They may be held until a greater key comes.
    /// @param is_given  they are merged, and not present already
    void add(std::span<const std::byte> block, const row_codes& codes, std::size_t from, std::size_t to, bool is_given);

    /// Passes on what is held.
    void finish() { pass_on(codes_.size()); }

  private:
    /// Passes on the first `count` held rows. A row with another key follows them, or none.
    void pass_on(std::size_t count);

    /// Marks the rows of a group with equal keys that equal a later one.
    void mark_repeated(std::size_t begin, std::size_t end, std::vector<std::uint8_t>& repeated) const;

    const compared_values* values_;
    std::size_t row_bytes_;
    chunk_cutter& to_;
    std::vector<std::byte> held_;
    row_codes codes_;  // of the held rows
    std::vector<std::uint8_t> given_;
    std::size_t most_;  // rows in blocks of 256 KiB: long enough that the removal of what is passed on costs little
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/ordered/unique.ipp>
#endif
