// SPDX-License-Identifier: BSD-3-Clause
// Shared ownership of a constant array in memory, as trees return it.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/version.hpp>

#include <memory>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

/// A constant array that a tree and its copies share.
///
/// It converts to `any_array` for `visit`, and to `array_view` for writers. To get a copy that you can change, write
/// `any_array copy = *shared`.
class shared_array {
  public:
    /// Shares an array that must not be nullptr.
    explicit shared_array(std::shared_ptr<const any_array> array) : array_(std::move(array)) {}

    /// The array; a temporary gives a copy.
    [[nodiscard]] const any_array& operator*() const& noexcept { return *array_; }
    [[nodiscard]] any_array operator*() && { return *array_; }
    [[nodiscard]] const any_array* operator->() const& noexcept { return array_.get(); }
    /// Deleted, because the pointer would outlive a temporary.
    const any_array* operator->() && = delete;

    operator const any_array&() const& noexcept { return *array_; }  // NOLINT: implicit
    /// Deleted, because the reference would outlive a temporary.
    operator const any_array&() const&& = delete;
    // The view shares the ownership, so it is safe also from a temporary.
    operator array_view() const { return array_view(*array_).kept_by(array_); }  // NOLINT: implicit

  private:
    std::shared_ptr<const any_array> array_;
};

/// Calls `function` with the array as an xtensor container; see the `visit` of any_array.
/// @throws mismatch_error  the dtype is not in the list
template <class... Listed, class Function>
    requires(sizeof...(Listed) > 0)
auto visit(Function&& function, const shared_array& array) {
    return visit<Listed...>(std::forward<Function>(function), *array);
}

}  // namespace ndkeep
