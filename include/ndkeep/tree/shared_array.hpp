// SPDX-License-Identifier: BSD-3-Clause
// The arrays of a tree: shared, never changed, in memory or wherever they can be had from.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/os/mapping.hpp>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

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

namespace detail {

/// An array leaf: elements in memory, or where to find them.
class tree_leaf {
  public:
    tree_leaf() = default;
    tree_leaf(const tree_leaf&) = delete;
    tree_leaf& operator=(const tree_leaf&) = delete;
    virtual ~tree_leaf() = default;

    [[nodiscard]] virtual const dtype& type() const = 0;
    [[nodiscard]] virtual const std::vector<std::size_t>& shape() const = 0;
    /// Named in errors; empty for one in memory.
    [[nodiscard]] virtual std::filesystem::path file() const { return {}; }
    /// The elements in row-major order, laid out as `type()` says.
    [[nodiscard]] virtual std::shared_ptr<const any_array> array() const = 0;
    /// The elements as `wanted`, in row-major order.
    /// @throws mismatch_error  another dtype
    virtual void read(const dtype& wanted, std::byte* out) const = 0;
    /// The elements where they lie in a file.
    /// @throws mismatch_error  they lie in no file, or not as `wanted`
    [[nodiscard]] virtual mapping map(const dtype& wanted, std::size_t alignment) const = 0;
};

class leaf_in_memory final : public tree_leaf {
  public:
    explicit leaf_in_memory(any_array array) : leaf_in_memory(std::make_shared<const any_array>(std::move(array))) {}
    explicit leaf_in_memory(std::shared_ptr<const any_array> array) : array_(std::move(array)) {}

    [[nodiscard]] const dtype& type() const override { return array_->type(); }
    [[nodiscard]] const std::vector<std::size_t>& shape() const override { return array_->shape(); }
    [[nodiscard]] std::shared_ptr<const any_array> array() const override { return array_; }

    void read(const dtype& wanted, std::byte* out) const override;

    [[nodiscard]] mapping map(const dtype&, std::size_t) const override;

  private:
    std::shared_ptr<const any_array> array_;
};

/// Whether two leaves are the same to the last bit.
[[nodiscard]] bool equal_leaves(const tree_leaf& a, const tree_leaf& b);

}  // namespace detail

}  // namespace ndkeep::inline NDKEEP_ABI

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/tree/detail/shared_array.ipp>
#endif
