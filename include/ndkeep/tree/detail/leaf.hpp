// SPDX-License-Identifier: BSD-3-Clause
// The array leaves of a tree: the interface, and a leaf with its elements in memory.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/order.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// An array leaf of a tree. It holds the elements, or reads them on request. Leaves are constant and shared.
class tree_leaf {
  public:
    tree_leaf() = default;
    tree_leaf(const tree_leaf&) = delete;
    tree_leaf& operator=(const tree_leaf&) = delete;
    virtual ~tree_leaf() = default;

    [[nodiscard]] virtual const dtype& type() const = 0;
    [[nodiscard]] virtual const std::vector<std::size_t>& shape() const = 0;
    /// The path named in errors; empty for a leaf in memory.
    [[nodiscard]] virtual std::filesystem::path file() const { return {}; }
    /// The elements in row-major order, with dtype `type()`.
    [[nodiscard]] virtual std::shared_ptr<const any_array> array() const = 0;
    /// Writes the elements to `out` with dtype `wanted`, contiguous in this order.
    /// @param out  has room for all elements of shape()
    /// @throws mismatch_error  another dtype
    virtual void read(const dtype& wanted, order wanted_order, std::byte* out) const = 0;
    /// Maps the elements in place.
    /// @throws mismatch_error  they are not in a file, or not stored with dtype `wanted`
    [[nodiscard]] virtual mapping map(const dtype& wanted, std::size_t alignment) const = 0;
};

class leaf_in_memory final : public tree_leaf {
  public:
    explicit leaf_in_memory(any_array array) : leaf_in_memory(std::make_shared<const any_array>(std::move(array))) {}
    explicit leaf_in_memory(std::shared_ptr<const any_array> array) : array_(std::move(array)) {}

    [[nodiscard]] const dtype& type() const override { return array_->type(); }
    [[nodiscard]] const std::vector<std::size_t>& shape() const override { return array_->shape(); }
    [[nodiscard]] std::shared_ptr<const any_array> array() const override { return array_; }

    void read(const dtype& wanted, order wanted_order, std::byte* out) const override;

    [[nodiscard]] mapping map(const dtype&, std::size_t) const override;

  private:
    std::shared_ptr<const any_array> array_;
};

/// Whether two leaves have equal dtype, shape and bytes.
[[nodiscard]] bool equal_leaves(const tree_leaf& a, const tree_leaf& b);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/tree/detail/leaf.ipp>
#endif
