// SPDX-License-Identifier: BSD-3-Clause
// Arrays whose memory another library owns: any_foreign_array of any dtype, foreign_array as an xtensor container.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/tags.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/element/strided.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// An array in the memory of another library: an xtensor container of `T` with rank N (or any rank) and any strides,
/// also negative ones and zeros. It keeps the memory alive.
///
/// `foreign_array<const T>` is read-only. The type is move-only. A default-constructed or moved-from array has no
/// elements. As with `mapped`, assignment needs equal shapes, and the bytes of a bool array must be 0 and 1, which is
/// not checked.
template <class T, std::size_t N = any_rank>
class foreign_array;

}  // namespace ndkeep

template <class T, std::size_t N>
struct xt::xcontainer_inner_types<ndkeep::foreign_array<T, N>>
    : ndkeep::detail::container_types<T, N, xt::layout_type::dynamic> {
    using temporary_type = ndkeep::array_of<T, N>;
};

template <class T, std::size_t N>
struct xt::xiterable_inner_types<ndkeep::foreign_array<T, N>>
    : xt::xcontainer_iterable_types<ndkeep::foreign_array<T, N>> {};

namespace ndkeep::inline NDKEEP_ABI {

template <class T, std::size_t N>
class foreign_array : public xt::xstrided_container<foreign_array<T, N>>,
                      public xt::xcontainer_semantic<foreign_array<T, N>> {
    using base = xt::xstrided_container<foreign_array>;
    using semantic = xt::xcontainer_semantic<foreign_array>;

  public:
    using storage_type = typename base::storage_type;
    using shape_type = typename base::shape_type;
    using temporary_type = typename semantic::temporary_type;
    using expression_tag = xt::xtensor_expression_tag;
    static constexpr std::size_t rank = N;  ///< any_rank if known only at run time

    foreign_array() { become(no_elements); }

    /// Refers to elements in memory, for authors of bridges. `any_foreign_array::as` checks what is only assumed here.
    /// @param strides  bytes from one element to the next along each axis
    /// @param owner    keeps the memory
    foreign_array(T* data, const detail::shape_type& shape, const detail::strides_type& strides,
                  std::shared_ptr<const void> owner)
        : owner_(std::move(owner)) {
        become(shape);
        for (std::size_t i = 0; i < shape.size(); ++i) {
            // Of axes with one element, the stride of xtensor is 0.
            const std::ptrdiff_t step = shape[i] == 1 ? 0 : strides[i] / static_cast<std::ptrdiff_t>(sizeof(T));
            base::strides_impl()[i] = step;
            base::backstrides_impl()[i] = shape[i] == 0 ? 0 : step * static_cast<std::ptrdiff_t>(shape[i] - 1);
        }
        if (!detail::is_contiguous(shape, strides, sizeof(T), order::row_major))
            base::mutable_layout() = detail::is_contiguous(shape, strides, sizeof(T), order::column_major)
                                         ? xt::layout_type::column_major
                                         : xt::layout_type::dynamic;
        storage_ = storage_type(data, detail::product(shape));
    }

    foreign_array(foreign_array&& other) noexcept : base(std::move(other)), semantic(std::move(other)) { take(other); }
    foreign_array& operator=(foreign_array&& other) noexcept {
        if (this != &other) {
            base::operator=(std::move(other));
            take(other);
        }
        return *this;
    }
    foreign_array(const foreign_array&) = delete;
    foreign_array& operator=(const foreign_array&) = delete;
    ~foreign_array() = default;

    /// Stores the elements of an expression of the same shape.
    /// @throws mismatch_error  the shapes differ
    template <class E>
        requires(!std::is_const_v<T>)
    foreign_array& operator=(const xt::xexpression<E>& expression) {
        detail::check_assigned_shape(base::shape(), expression.derived_cast().shape(), {});
        return semantic::assign(expression);
    }

    /// Accepts only the present shape. xtensor calls this before it assigns.
    /// @throws mismatch_error  another shape
    template <class Shape = shape_type, class... Layout>
    void resize(const Shape& shape, const Layout&...) {
        detail::check_assigned_shape(base::shape(), shape, {});
    }

    /// For xtensor: receives the result of a computed assignment, and copies it.
    void assign_temporary_impl(temporary_type&& values) {
        detail::check_assigned_shape(base::shape(), values.shape(), {});
        std::copy(values.begin(), values.end(), base::begin());
    }

  private:
    friend class xt::xcontainer<foreign_array>;
    storage_type& storage_impl() noexcept { return storage_; }
    const storage_type& storage_impl() const noexcept { return storage_; }

    static constexpr std::array<std::size_t, 1> no_elements = {0};

    /// Sets the shape, and the strides of contiguous elements.
    template <class Shape>
    void become(const Shape& shape) {
        auto wanted = xtl::make_sequence<shape_type>(N == any_rank ? std::size(shape) : N, std::size_t{0});
        // `no_elements` has one extent: with a larger rank N the other extents stay 0.
        for (std::size_t i = 0; i < std::min<std::size_t>(std::size(shape), wanted.size()); ++i)
            wanted[i] = shape[i];
        base::shape_impl() = wanted;
        base::strides_impl() = xtl::make_sequence<typename base::strides_type>(wanted.size(), 0);
        base::backstrides_impl() = base::strides_impl();
        xt::compute_strides(base::shape_impl(), xt::layout_type::row_major, base::strides_impl(),
                            base::backstrides_impl());
        base::mutable_layout() = xt::layout_type::row_major;
        storage_ = storage_type(nullptr, 0);
    }

    void take(foreign_array& other) noexcept {
        owner_ = std::exchange(other.owner_, nullptr);
        storage_ = other.storage_;
        other.become(no_elements);
    }

    std::shared_ptr<const void> owner_;
    storage_type storage_{nullptr, 0};
};

/// An array of any dtype in the memory of another library, which it keeps alive. Copies share the memory.
///
/// It converts to `array_view`, so every writer takes it. `visit<real>(f, any_array(array))` visits a copy.
class any_foreign_array {
  public:
    /// Refers to elements in memory, for authors of bridges.
    /// @param strides  bytes from one element to the next along each axis
    /// @param owner    keeps the memory
    any_foreign_array(dtype type, std::vector<std::size_t> shape, std::vector<std::ptrdiff_t> strides, std::byte* data,
                      bool read_only, std::shared_ptr<const void> owner)
        : type_(std::move(type)), shape_(std::move(shape)), strides_(std::move(strides)), data_(data),
          read_only_(read_only), owner_(std::move(owner)) {}

    /// The dtype of the elements.
    [[nodiscard]] const dtype& type() const noexcept { return type_; }
    /// The shape; {} is a scalar.
    [[nodiscard]] const std::vector<std::size_t>& shape() const noexcept { return shape_; }
    /// The number of elements.
    [[nodiscard]] std::size_t size() const noexcept { return detail::product(shape_); }
    /// The rank.
    [[nodiscard]] std::size_t dimension() const noexcept { return shape_.size(); }
    /// Bytes from one element to the next along each axis.
    [[nodiscard]] const std::vector<std::ptrdiff_t>& strides() const noexcept { return strides_; }
    /// Whether the other library forbids stores.
    [[nodiscard]] bool read_only() const noexcept { return read_only_; }

    /// The elements in place, read-only. The result keeps the memory as well.
    /// @throws mismatch_error  another dtype, byte order or rank, or memory that is not aligned for T
    template <element T, std::size_t N = any_rank>
    [[nodiscard]] foreign_array<const T, N> as() const {
        return in_place<const T, N>("as");
    }
    /// The same, and stores change the memory of the other library.
    /// @throws mismatch_error  as above, or the array is read-only
    template <element T, std::size_t N = any_rank>
    [[nodiscard]] foreign_array<T, N> as(read_write_tag) const {
        return in_place<T, N>("as");
    }

    /// For bridges: the same, with the verb that errors name.
    template <class T, std::size_t N>
    [[nodiscard]] foreign_array<T, N> in_place(std::string_view verb) const {
        check(dtype_of<std::remove_const_t<T>>(), alignof(T), !std::is_const_v<T>, verb);
        detail::check_rank<N>(shape_, {}, verb);
        return {reinterpret_cast<T*>(data_), shape_, strides_, owner_};
    }

    /// The view that writers take. It keeps the memory.
    operator array_view() const {  // NOLINT: implicit
        return array_view(type_, shape_, data_, strides_).kept_by(owner_);
    }

  private:
    /// Throws if the elements cannot be used in place as elements of `wanted`.
    void check(const dtype& wanted, std::size_t alignment, bool stores, std::string_view verb) const;

    dtype type_;
    std::vector<std::size_t> shape_;
    std::vector<std::ptrdiff_t> strides_;
    std::byte* data_;
    bool read_only_;
    std::shared_ptr<const void> owner_;
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/bridges/detail/foreign_array.ipp>
#endif
