// SPDX-License-Identifier: BSD-3-Clause
// The arrays of a tree: shared, never changed, in memory or wherever they can be had from.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/version.hpp>

#include <memory>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

/// An array that a tree and its copies hold together. Functions that take an `any_array` to `visit` it or an
/// `array_view` to write it take this; a copy to change is `any_array copy = *shared`.
class shared_array {
  public:
    explicit shared_array(std::shared_ptr<const any_array> array) : array_(std::move(array)) {}

    [[nodiscard]] const any_array& operator*() const& noexcept { return *array_; }
    [[nodiscard]] any_array operator*() && { return *array_; }
    [[nodiscard]] const any_array* operator->() const& noexcept { return array_.get(); }
    /// What it points to would be gone at once.
    const any_array* operator->() && = delete;

    operator const any_array&() const& noexcept { return *array_; }  // NOLINT: implicit
    /// A reference into a temporary would outlive the array.
    operator const any_array&() const&& = delete;
    operator array_view() const { return array_view(*array_).kept_by(array_); }  // NOLINT: implicit

  private:
    std::shared_ptr<const any_array> array_;
};

template <class... Listed, class Function>
    requires(sizeof...(Listed) > 0)
auto visit(Function&& function, const shared_array& array) {
    return visit<Listed...>(std::forward<Function>(function), *array);
}

}  // namespace ndkeep
