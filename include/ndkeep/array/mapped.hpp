// SPDX-License-Identifier: BSD-3-Clause
// mapped: an xtensor container whose elements lie in a mapped file.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/order.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/mapping.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

/// An array in a mapped file: an xtensor container of `T` with rank N (or any rank) that owns its mapping.
///
/// `mapped<const T>` is read-only. The type is move-only. A default-constructed or moved-from array has no elements.
///
/// Assigning an expression stores its elements one by one, without a temporary. The shapes must be equal. An expression
/// that reads the same array at other positions (`m = xt::transpose(m)`) must be evaluated first. `fill(value)` sets
/// every element.
///
/// In mode read_write, the operating system has every store at once and writes it to disk later. The destructor writes
/// nothing more and does not wait; `flush()` waits for the disk.
template <class T, std::size_t N = any_rank, xt::layout_type L = xt::layout_type::row_major>
class mapped;

}  // namespace ndkeep

template <class T, std::size_t N, xt::layout_type L>
struct xt::xcontainer_inner_types<ndkeep::mapped<T, N, L>> : ndkeep::detail::container_types<T, N, L> {};

template <class T, std::size_t N, xt::layout_type L>
struct xt::xiterable_inner_types<ndkeep::mapped<T, N, L>> : xt::xcontainer_iterable_types<ndkeep::mapped<T, N, L>> {};

namespace ndkeep::inline NDKEEP_ABI {

template <class T, std::size_t N, xt::layout_type L>
class mapped : public xt::xstrided_container<mapped<T, N, L>>, public xt::xcontainer_semantic<mapped<T, N, L>> {
    using base = xt::xstrided_container<mapped>;
    using semantic = xt::xcontainer_semantic<mapped>;

  public:
    using storage_type = typename base::storage_type;
    using shape_type = typename base::shape_type;
    using temporary_type = typename semantic::temporary_type;
    using expression_tag = xt::xtensor_expression_tag;
    static constexpr std::size_t rank = N;  ///< any_rank if known only at run time

    mapped() { become(no_elements); }

    /// Takes over a mapping, for authors of tools.
    /// @param bytes  maps exactly the elements, in the order L
    template <class Shape>
    mapped(mapping bytes, const Shape& shape) : bytes_(std::move(bytes)) {
        become(shape);
    }

    mapped(mapped&& other) noexcept : base(std::move(other)), semantic(std::move(other)) { take(other); }
    mapped& operator=(mapped&& other) noexcept {
        if (this != &other) {
            base::operator=(std::move(other));
            take(other);
        }
        return *this;
    }
    mapped(const mapped&) = delete;
    mapped& operator=(const mapped&) = delete;
    ~mapped() = default;

    /// Stores the elements of an expression of the same shape.
    /// @throws mismatch_error  the shapes differ
    template <class E>
        requires(!std::is_const_v<T>)
    mapped& operator=(const xt::xexpression<E>& expression) {
        check_shape(expression.derived_cast().shape());
        return semantic::assign(expression);
    }
    /// Stores the elements of an array of another library, such as a matrix of Eigen.
    /// @throws mismatch_error  the dtypes or the shapes differ
    template <class A>
        requires(detail::adapted<A> && !std::is_const_v<T>)
    mapped& operator=(const A& array) {
        const array_view from(array);
        check_shape(from.shape());
        detail::store_adapted(from, dtype_of<T>(),
                              L == xt::layout_type::column_major ? order::column_major : order::row_major,
                              bytes_.path(), reinterpret_cast<std::byte*>(storage_.data()));
        return *this;
    }
    /// Stores the elements that stand in braces.
    /// @throws mismatch_error  the shapes differ
    template <std::size_t Depth = N>  // clang 14 forms the nested list type before it checks the requirement
        requires(!std::is_const_v<T> && Depth != any_rank && Depth > 0)
    mapped& operator=(xt::nested_initializer_list_t<T, Depth == any_rank ? 1 : Depth> values) {
        return *this = temporary_type(values);
    }

    /// Accepts only the present shape, because the file keeps its size. xtensor calls this before it assigns.
    /// @throws mismatch_error  another shape
    template <class Shape = shape_type, class... Layout>
    void resize(const Shape& shape, const Layout&...) {
        check_shape(shape);
    }

    /// Waits until every store has reached the disk.
    /// @throws io_error        the system cannot write the stores
    /// @throws mismatch_error  the array is copy_on_write, so its stores never reach the file
    void flush() requires(!std::is_const_v<T>) { bytes_.flush(); }

    /// Advises the system how the elements will be used. The system may ignore it.
    void advise(advice what) const { bytes_.advise(what); }
    /// The same for elements `first` to `last` - 1, counted in memory order.
    void advise(advice what, std::size_t first, std::size_t last) const {
        last = std::min(last, storage_.size());
        if (first < last)
            bytes_.advise(what, first * sizeof(T), (last - first) * sizeof(T));
    }

    /// An array of rows `first` to `last` - 1 only, of a temporary or moved array: `map<double, 2>(file).rows(2, 5)`.
    /// It takes over the mapping; this array has no elements afterwards. `xt::view` shares the mapping instead.
    /// @throws mismatch_error  the array has no such rows
    [[nodiscard]] mapped rows(std::size_t first, std::size_t last) && requires(L == xt::layout_type::row_major) {
        const auto& own = base::shape();
        if (own.size() == 0 || first > last || last > own[0])
            throw mismatch_error(
                {.file = bytes_.path(),
                 .field = "range of rows",
                 .expected = own.size() == 0 ? "an array with rows" : "within 0 to " + std::to_string(own[0]),
                 .found = std::to_string(first) + " to " + std::to_string(last)});
        auto shape = own;
        shape[0] = last - first;
        const std::size_t row = own[0] == 0 ? 0 : base::size() / own[0] * sizeof(T);
        auto part = std::move(bytes_).part(first * row, (last - first) * row);
        become(no_elements);
        return {std::move(part), shape};
    }

    /// The path of the file.
    [[nodiscard]] const std::filesystem::path& file() const noexcept { return bytes_.path(); }
    /// What a store does.
    [[nodiscard]] map_mode mode() const noexcept { return bytes_.mode(); }

    /// For xtensor: receives the result of a computed assignment. Copies it, because the elements must stay in the
    /// file.
    void assign_temporary_impl(temporary_type&& values) {
        check_shape(values.shape());
        std::copy(values.storage().begin(), values.storage().end(), storage_.begin());
    }

  private:
    friend class xt::xcontainer<mapped>;
    storage_type& storage_impl() noexcept { return storage_; }
    const storage_type& storage_impl() const noexcept { return storage_; }

    static constexpr std::array<std::size_t, 1> no_elements = {0};

    /// Sets the shape, and the strides from it, and refers to the bytes of the mapping.
    template <class Shape>
    void become(const Shape& shape) {
        auto wanted = xtl::make_sequence<shape_type>(N == any_rank ? std::size(shape) : N, std::size_t{0});
        // `no_elements` has one extent: with a larger rank N the other extents stay 0.
        auto extent = std::begin(shape);
        for (std::size_t i = 0; i < std::min<std::size_t>(std::size(shape), wanted.size()); ++i, ++extent)
            wanted[i] = *extent;
        base::shape_impl() = wanted;
        base::strides_impl() = xtl::make_sequence<typename base::strides_type>(wanted.size(), 0);
        base::backstrides_impl() = base::strides_impl();
        const std::size_t size =
            xt::compute_strides(base::shape_impl(), L, base::strides_impl(), base::backstrides_impl());
        base::mutable_layout() = L;
        // Without bytes there is no element, although a default-constructed array of rank 0 has the size 1.
        storage_ = storage_type(reinterpret_cast<T*>(bytes_.data()), bytes_.size() == 0 ? 0 : size);
    }

    void take(mapped& other) noexcept {
        bytes_ = std::move(other.bytes_);
        storage_ = other.storage_;  // a pointer, still valid: moving a mapping does not move its memory
        other.become(no_elements);
    }

    template <class Shape>
    void check_shape(const Shape& shape) const {
        detail::check_assigned_shape(base::shape(), shape, bytes_.path());
    }

    mapping bytes_;
    storage_type storage_{nullptr, 0};
};

}  // namespace ndkeep
