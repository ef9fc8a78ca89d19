// SPDX-License-Identifier: BSD-3-Clause
// An array of a database: an xtensor container whose stores belong to the database's transaction.
#pragma once

#include <ndkeep/array/extents.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/database/detail/session.hpp>
#include <ndkeep/error.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// An array of a `database`: an xtensor container of `T` with rank N (or any rank) in ordinary memory.
///
/// A store needs no call: `database::commit` finds what has changed, and `database::abort` undoes it, in every
/// container and view of the array. `data()` never changes, even when rows are appended. The type is move-only. All
/// containers of one array in one database show the same elements. A default-constructed or moved-from one has no
/// elements.
///
/// Assigning an expression stores its elements one by one, without a temporary. The shapes must be equal. An expression
/// that reads the same array at other positions (`a = xt::transpose(a)`) must be evaluated first.
///
/// It may outlive the database, and then keeps its elements but commits nothing. One thread at a time may call members
/// of a database and its arrays. Stores need no lock of the database, but must not happen during a commit.
template <class T, std::size_t N = any_rank, xt::layout_type L = xt::layout_type::row_major>
class database_array;

}  // namespace ndkeep

template <class T, std::size_t N, xt::layout_type L>
struct xt::xcontainer_inner_types<ndkeep::database_array<T, N, L>> : ndkeep::detail::container_types<T, N, L> {};

template <class T, std::size_t N, xt::layout_type L>
struct xt::xiterable_inner_types<ndkeep::database_array<T, N, L>>
    : xt::xcontainer_iterable_types<ndkeep::database_array<T, N, L>> {};

namespace ndkeep::inline NDKEEP_ABI {

template <class T, std::size_t N, xt::layout_type L>
class database_array : public xt::xstrided_container<database_array<T, N, L>>,
                       public xt::xcontainer_semantic<database_array<T, N, L>>,
                       private detail::array_handle {
    using base = xt::xstrided_container<database_array>;
    using semantic = xt::xcontainer_semantic<database_array>;

  public:
    using storage_type = typename base::storage_type;
    using shape_type = typename base::shape_type;
    using temporary_type = typename semantic::temporary_type;
    using expression_tag = xt::xtensor_expression_tag;
    static constexpr std::size_t rank = N;  ///< any_rank if known only at run time

    database_array() : array_handle(&reshaped) { become(); }
    /// For `database`.
    database_array(std::shared_ptr<detail::database_session> session, std::shared_ptr<detail::stored_array> stored)
        : array_handle(&reshaped), session_(std::move(session)), stored_(std::move(stored)) {
        become();
        stored_->attach(*this);
    }
    database_array(database_array&& other) noexcept
        : base(std::move(other)), semantic(std::move(other)), array_handle(&reshaped) {
        take(other);
    }
    database_array& operator=(database_array&& other) noexcept {
        if (this != &other) {
            leave();
            base::operator=(std::move(other));
            take(other);
        }
        return *this;
    }
    database_array(const database_array&) = delete;
    database_array& operator=(const database_array&) = delete;
    ~database_array() { leave(); }

    /// Stores the elements of an expression of the same shape.
    /// @throws mismatch_error  the shapes differ
    template <class E>
    database_array& operator=(const xt::xexpression<E>& expression) {
        check_shape(expression.derived_cast().shape());
        return semantic::assign(expression);
    }
    /// Stores the elements of an array of another library, such as a matrix of Eigen.
    /// @throws mismatch_error  the dtypes or the shapes differ
    template <class A>
        requires(detail::adapted<A>)
    database_array& operator=(const A& array) {
        const array_view from(array);
        check_shape(from.shape());
        detail::store_adapted(from, dtype_of<T>(),
                              L == xt::layout_type::column_major ? order::column_major : order::row_major,
                              stored().path(), reinterpret_cast<std::byte*>(storage_.data()));
        return *this;
    }
    /// Stores the elements that stand in braces.
    /// @throws mismatch_error  the shapes differ
    template <std::size_t Depth = N>
        requires(Depth != any_rank && Depth > 0)
    database_array& operator=(xt::nested_initializer_list_t<T, Depth == any_rank ? 1 : Depth> values) {
        return *this = temporary_type(values);
    }

    /// Adds rows behind the present ones: along axis 0, in column-major order along the last axis. It takes O(rows) at
    /// any size of the array. The rows go to the file, where nobody counts them before the commit.
    /// @throws mismatch_error  another dtype, byte order, or shape of a row; or more than the database's `.reserve`
    /// @throws io_error        the disk is full. After any error, nothing has changed
    void append(const array_view& rows) {
        auto& to = stored();
        session_->spill_if_wanted();
        to.append(rows);
    }

    /// Changes the number of rows: the extent of axis 0, in column-major order of the last axis. New rows are zeros,
    /// also where there were other rows before. `data()` stays the same.
    /// @throws mismatch_error  another extent would change, or more than the database's `.reserve`
    template <std::size_t M>
    void resize(const length (&shape)[M]) {
        stored().resize(extents<M>(shape).values());
    }
    template <class Shape = shape_type, class... Layout>
    void resize(const Shape& shape, const Layout&...) {
        if (!detail::equal_shapes(base::shape(), shape))
            stored().resize(extents<>(shape).values());
    }

    /// The path of the file. A new array has it from the commit on.
    [[nodiscard]] const std::filesystem::path& file() const { return stored().path(); }
    /// The name in the database.
    [[nodiscard]] const std::string& name() const { return stored().name(); }

    /// For xtensor: receives the result of a computed assignment, and copies it into the array.
    void assign_temporary_impl(temporary_type&& values) {
        check_shape(values.shape());
        std::copy(values.storage().begin(), values.storage().end(), storage_.begin());
    }

  private:
    friend class xt::xcontainer<database_array>;
    storage_type& storage_impl() noexcept { return storage_; }
    const storage_type& storage_impl() const noexcept { return storage_; }

    static void reshaped(detail::array_handle& handle) { static_cast<database_array&>(handle).become(); }

    [[nodiscard]] detail::stored_array& stored() const {
        if (stored_ == nullptr)
            throw mismatch_error({.field = "array", .expected = "an array of a database", .found = "none"});
        session_->check();
        if (stored_->is_removed)
            throw mismatch_error({.file = stored_->path(),
                                  .field = "array",
                                  .expected = "an array of the database",
                                  .found = "a removed one"});
        return *stored_;
    }

    /// Takes the shape of the stored array.
    void become() {
        static const std::vector<std::size_t> no_elements = {0};
        const auto& shape = stored_ == nullptr ? no_elements : stored_->info().shape;
        auto wanted = xtl::make_sequence<shape_type>(N == any_rank ? shape.size() : N, std::size_t{0});
        std::copy_n(shape.begin(), std::min<std::size_t>(shape.size(), wanted.size()), wanted.begin());
        base::shape_impl() = wanted;
        base::strides_impl() = xtl::make_sequence<typename base::strides_type>(wanted.size(), 0);
        base::backstrides_impl() = base::strides_impl();
        const std::size_t size =
            xt::compute_strides(base::shape_impl(), L, base::strides_impl(), base::backstrides_impl());
        base::mutable_layout() = L;
        storage_ =
            stored_ == nullptr ? storage_type(nullptr, 0) : storage_type(reinterpret_cast<T*>(stored_->data()), size);
    }

    void leave() noexcept {
        if (stored_ != nullptr)
            stored_->detach(*this);
    }

    void take(database_array& other) noexcept {
        other.leave();
        session_ = std::move(other.session_);
        stored_ = std::move(other.stored_);
        other.stored_ = nullptr;
        storage_ = other.storage_;
        if (stored_ != nullptr)
            stored_->attach(*this);
        other.become();
    }

    template <class Shape>
    void check_shape(const Shape& shape) const {
        detail::check_assigned_shape(base::shape(), shape,
                                     stored_ == nullptr ? std::filesystem::path() : stored_->path());
    }

    std::shared_ptr<detail::database_session> session_;
    std::shared_ptr<detail::stored_array> stored_;
    storage_type storage_{nullptr, 0};
};

}  // namespace ndkeep
