// SPDX-License-Identifier: BSD-3-Clause
// Rows in order of a key: what is checked before they are written.
#pragma once

#include <ndkeep/chunks/detail/keys.hpp>

#include <utility>

namespace ndkeep::detail {

[[nodiscard]] inline std::string order_text(const std::optional<std::string>& order) {
    return !order ? "none" : order->empty() ? "the array itself" : ndkeep::quoted(*order);
}

/// The order of a dataset that has one.
class row_order {
  public:
    row_order(const chunk_state& state, std::filesystem::path called) : state_(state), called_(std::move(called)) {}

    using number = std::optional<statistics::number>;

    /// The first and the last key.
    [[nodiscard]] std::pair<number, number> ends_of(std::span<const std::byte> bytes, std::size_t rows) const {
        const auto keys = keys_of(state_, bytes.data(), rows);
        std::pair<number, number> ends;
        (void)with_number(keys.type, [&](auto zero) {
            ends = {as_number(keys.at<decltype(zero)>(0)), as_number(keys.at<decltype(zero)>(rows - 1))};
        });
        return ends;
    }

    /// @throws mismatch_error  a key that is NaN or NaT, or less than the one before it
    void check_sorted(std::span<const std::byte> bytes, std::size_t rows) const {
        const auto keys = keys_of(state_, bytes.data(), rows);
        std::optional<disorder> wrong;
        (void)with_number(keys.type, [&](auto zero) { wrong = find_disorder<decltype(zero)>(keys); });
        if (wrong)
            throw mismatch_error({.file = called_,
                                  .field = "key of row " + std::to_string(wrong->row) + " of those given",
                                  .expected = wrong->no_key ? "a number" : "at least " + wrong->before,
                                  .found = wrong->found,
                                  .hint = hint()});
    }

    [[noreturn]] void refuse(std::uint64_t row, const statistics::number& before,
                             const statistics::number& found) const {
        throw mismatch_error({.file = called_,
                              .field = "key of row " + std::to_string(row),
                              .expected = "at least " + number_text(before),
                              .found = number_text(found),
                              .hint = hint()});
    }

  private:
    [[nodiscard]] std::string hint() const { return "the rows are ordered by " + order_text(state_.order_by); }

    const chunk_state& state_;
    std::filesystem::path called_;
};

}  // namespace ndkeep::detail
