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

/// An order as text for errors.
[[nodiscard]] std::string order_text(const std::optional<std::string>& order);

/// The key order of a dataset with `.order_by`.
class row_order {
  public:
    row_order(const chunk_state& state, std::filesystem::path called) : state_(state), called_(std::move(called)) {}

    using number = std::optional<statistics::number>;

    /// The first and the last key of at least one row.
    [[nodiscard]] std::pair<number, number> ends_of(std::span<const std::byte> bytes, std::size_t rows) const;

    /// @throws mismatch_error  a key is NaN or NaT, or less than the key before it
    void check_sorted(std::span<const std::byte> bytes, std::size_t rows) const;

    /// @param row  number of the row whose key is less than the key before it
    /// @throws mismatch_error  always, with both keys
    [[noreturn]] void refuse(std::uint64_t row, const statistics::number& before,
                             const statistics::number& found) const;

  private:
    [[nodiscard]] std::string hint() const { return "the rows are ordered by " + order_text(state_.order_by); }

    const chunk_state& state_;
    std::filesystem::path called_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/order.ipp>
#endif
