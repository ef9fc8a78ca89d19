// SPDX-License-Identifier: BSD-3-Clause
// Check that rows are in the order of their key, before they are written.
#pragma once

#include <ndkeep/format/statistics.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The order of a dataset as text for errors.
[[nodiscard]] std::string order_text(const chunk_state& state);

/// The key of a row: the value of the field that orders the rows, and of a second one if there is one.
struct row_key {
    statistics::number first = {};
    std::optional<statistics::number> second = std::nullopt;
};
[[nodiscard]] bool less(const row_key& a, const row_key& b);

/// The key order of a dataset with `.order_by`.
class row_order {
  public:
    row_order(const chunk_state& state, std::filesystem::path called) : state_(state), called_(std::move(called)) {}

    /// The first and the last key of at least one row.
    [[nodiscard]] std::pair<row_key, row_key> ends_of(std::span<const std::byte> bytes, std::size_t rows) const;

    /// @throws mismatch_error  a key is NaN or NaT, or less than the key before it
    void check_sorted(std::span<const std::byte> bytes, std::size_t rows) const;

    /// @param row  number of the row whose key is less than the key before it
    /// @throws mismatch_error  always, with both keys
    [[noreturn]] void refuse(std::uint64_t row, const row_key& before, const row_key& found) const;

  private:
    [[nodiscard]] std::string hint() const { return "the rows are ordered by " + order_text(state_); }

    /// @param row  of the given rows
    [[noreturn]] void refuse_given(std::size_t row, std::string expected, std::string found) const;

    const chunk_state& state_;
    std::filesystem::path called_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/order.ipp>
#endif
