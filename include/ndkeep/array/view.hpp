// SPDX-License-Identifier: BSD-3-Clause
// array_view, the argument of every writer: a dtype, a shape, and strided bytes or a function that fills blocks.
#pragma once

#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/element/padding.hpp>
#include <ndkeep/element/strided.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/order.hpp>

#include <concepts>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <iterator>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

class array_view;

/// How arrays of type A, which belongs to another library, are written and read. The headers in bridges/ specialise it;
/// every source file that uses such arrays includes them first.
///
/// `static array_view view(const A&)` refers to the elements or keeps a copy. A type whose copies refer to the original
/// names one as `kept_type` that owns the elements of an rvalue. For reading, see `loadable_array`.
template <class A>
struct array_adapter;

namespace detail {

template <class A>
concept adapted = requires(const A& array) {
    { array_adapter<A>::view(array) } -> std::same_as<array_view>;
};

template <class A>
concept matrix_like = requires(const A& array) {
    array.cols();
};
template <class A>
concept mdspan_like = requires(const A& array) {
    array.extents();
};
/// What a view keeps of an rvalue.
template <class A>
struct kept {
    using type = A;
};
template <class A>
    requires requires { typename array_adapter<A>::kept_type; }
struct kept<A> {
    using type = typename array_adapter<A>::kept_type;
};

/// Types with several axes. Those that nothing else describes must not be taken for flat ranges.
template <class A>
concept has_axes = matrix_like<A> || mdspan_like<A> || requires(const A& array) {
    array.shape();
} || requires(const A& array) {
    std::begin(array.dimensions());
};

template <class A>
concept expression = xt::is_xexpression<A>::value && element<typename A::value_type>;

/// A type with data() and shape(), as in many array libraries. Its strides(), if present, count elements.
template <class A>
concept array_with_data = !xt::is_xexpression<A>::value && requires(const A& array) {
    requires std::is_pointer_v<decltype(array.data())>;
    requires element<std::remove_pointer_t<decltype(array.data())>>;
    { *std::begin(array.shape()) } -> std::convertible_to<std::size_t>;
};

/// An element, or a std::array or C array of elements, nested to any depth.
template <class T>
concept nested_element = element<typename member_layout<std::remove_cv_t<T>>::element>;

/// A type with std::data and std::size that is not text: a vector, an array, a span. <ranges> takes long to compile.
template <class A>
concept flat_range = !xt::is_xexpression<A>::value && !has_axes<A> &&
                     !std::convertible_to<const A&, std::string_view> && requires(const A& array) {
    std::size(array);
    requires nested_element<std::remove_pointer_t<decltype(std::data(array))>>;
};

/// std::vector<bool> has no data(), because it packs its elements.
template <class A>
concept flags_vector = std::same_as<A, std::vector<bool>>;

struct array_like_needs_numbers_text_dates_or_structs_with_NDKEEP_FIELDS;
struct matrices_need_an_array_adapter_as_in_ndkeep_bridges_eigen_hpp;
struct mdspans_with_default_accessor_need_ndkeep_bridges_mdspan_hpp;

/// Why A is not `array_like`, or `Otherwise`.
template <class A, class Otherwise = array_like_needs_numbers_text_dates_or_structs_with_NDKEEP_FIELDS>
using why_no_array = std::conditional_t<
    matrix_like<A>, matrices_need_an_array_adapter_as_in_ndkeep_bridges_eigen_hpp,
    std::conditional_t<mdspan_like<A>, mdspans_with_default_accessor_need_ndkeep_bridges_mdspan_hpp, Otherwise>>;

}  // namespace detail

/// A type that can be saved: xtensor expressions and containers, scalars, vectors, std::array, std::span, and types
/// with data() and shape() (and strides() in elements) or an `array_adapter`. Its values must satisfy `element`.
template <class A>
concept array_like = detail::expression<A> || detail::array_with_data<A> || detail::flat_range<A> ||
                     detail::flags_vector<A> ||(element<A> && !xt::is_xexpression<A>::value) ||
                     detail::adapted<A>;

/// A view of any array for the duration of one call: what every function that writes takes. It refers to an lvalue and
/// keeps an rvalue.
///
/// Its *written order* is the order that `np.save` would choose: column-major if the array is column-major in memory
/// and not row-major as well, otherwise row-major.
class array_view {
  public:
    /// Writes `count` contiguous elements to `out`, from element number `first` in row-major order.
    using filler = std::function<void(std::size_t first, std::size_t count, std::byte* out)>;

    /// A view of any array that satisfies `array_like`.
    template <class A>
        requires array_like<std::remove_cvref_t<A>>
        array_view(A&& array) {  // NOLINT: implicit, so that any array may be given to a writer
            using array_type = std::remove_cvref_t<A>;
            if constexpr (std::is_lvalue_reference_v<A>) {
                look_at(array);
            } else {
                const auto kept =
                    std::make_shared<const typename detail::kept<array_type>::type>(std::forward<A>(array));
                look_at(*kept);
                owner_ = owner_ == nullptr ? kept : owner_;
            }
            set_order(preferred_);
        }

    /// Rejects a type that is not `array_like`. Compilers print the arguments of a deleted template: `Because` names
    /// the reason in their message.
    template <class A, class Because = detail::why_no_array<std::remove_cvref_t<A>>>
        requires(!array_like<std::remove_cvref_t<A>> && !std::same_as<std::remove_cvref_t<A>, array_view> &&
                 !requires(A && array) { std::forward<A>(array).operator array_view(); })
    array_view(A&&)
    = delete;

    /// Elements in memory, in the layout of `type`. Their padding is written unchanged.
    /// @param data     of the first element; must outlive the view
    /// @param strides  bytes from one element to the next along each axis
    array_view(dtype type, std::vector<std::size_t> shape, const std::byte* data, std::vector<std::ptrdiff_t> strides);
    /// The same for contiguous elements in one of the two orders.
    array_view(dtype type, std::vector<std::size_t> shape, const std::byte* data, order stored = order::row_major)
        : array_view(type, shape, data, detail::strides_of(shape, static_cast<std::size_t>(type.size()), stored)) {}

    /// Elements in memory whose strides count elements. The padding of structs is written as zeros.
    /// @param data  of the first element; must outlive the view
    template <element T>
    array_view(std::vector<std::size_t> shape, const T* data, const std::vector<std::ptrdiff_t>& strides)
        : shape_(std::move(shape)) {
        set_type<T>();
        look_at_elements(data, strides);
        set_order(preferred_);
    }

    /// Elements that are computed when they are read. `fill` is called for blocks in row-major order, once for each
    /// element. Reading them in column-major order throws mismatch_error.
    array_view(dtype type, std::vector<std::size_t> shape, filler fill)
        : type_(std::move(type)), shape_(std::move(shape)),
          blocks_([fill = std::move(fill)](std::size_t first, std::size_t count, std::byte* out, order wanted) {
              if (wanted == order::column_major)
                  throw mismatch_error({.field = "order",
                                        .expected = "column-major",
                                        .found = "row-major, as functions compute elements",
                                        .hint = "evaluate it into an array first"});
              fill(first, count, out);
          }) {}

    /// The dtype of the elements.
    [[nodiscard]] const dtype& type() const noexcept { return type_; }
    /// The shape; {} is a scalar.
    [[nodiscard]] const std::vector<std::size_t>& shape() const noexcept { return shape_; }
    /// The number of elements.
    [[nodiscard]] std::size_t size() const noexcept { return detail::product(shape_); }
    /// The bytes of all elements.
    [[nodiscard]] std::size_t nbytes() const noexcept { return size() * item(); }
    /// Whether the written order is column-major.
    [[nodiscard]] bool column_major() const noexcept { return order_ == order::column_major; }

    /// The same array with this written order.
    [[nodiscard]] array_view in_order(order wanted) const;

    /// The same array, in a view that keeps `owner` alive, which holds the memory. So do its copies.
    [[nodiscard]] array_view kept_by(std::shared_ptr<const void> owner) const;

    /// The first element if all elements lie in memory exactly as they are written; otherwise nullptr.
    [[nodiscard]] const std::byte* contiguous() const noexcept { return contiguous_; }

    /// The first element if the elements lie in memory, `strides()` apart; nullptr if they are computed or there is
    /// none.
    [[nodiscard]] const std::byte* elements() const noexcept { return size() == 0 ? nullptr : data_; }
    /// Bytes from one element to the next along each axis; only with `elements()`.
    [[nodiscard]] const std::vector<std::ptrdiff_t>& strides() const noexcept { return strides_; }

    /// Writes contiguous elements to `out`. Padding of C++ structs becomes zeros.
    /// @param first, count  elements in the written order
    /// @param out           aligned as by operator new
    void fill(std::size_t first, std::size_t count, std::byte* out) const;

  private:
    [[nodiscard]] std::size_t item() const noexcept { return static_cast<std::size_t>(type_.size()); }

    void fill_column_major(std::size_t first, std::size_t count, std::byte* out) const;

    template <class A>
    void look_at(const A& array) {
        if constexpr (detail::adapted<A>) {
            *this = array_adapter<A>::view(array);
        } else if constexpr (detail::expression<A>) {
            set_type<typename A::value_type>();
            set_shape(array.shape());
            if constexpr (xt::has_data_interface<A>::value && xt::has_strides<A>::value)
                look_at_elements(array.data() + array.data_offset(), array.strides());
            else if constexpr (requires { array.members_in_memory(); })
                look_at_members(array);
            else
                look_at_expression(array);
        } else if constexpr (detail::array_with_data<A>) {
            set_type<std::remove_pointer_t<decltype(array.data())>>();
            set_shape(array.shape());
            if constexpr (requires { std::begin(array.strides()); })
                look_at_elements(array.data(), array.strides());
            else
                look_at_rows(array.data());
        } else if constexpr (detail::flags_vector<A>) {
            set_type<bool>();
            shape_ = {array.size()};
            blocks_ = [&array](std::size_t first, std::size_t count, std::byte* out, order) {
                for (std::size_t i = 0; i < count; ++i)
                    out[i] = static_cast<std::byte>(array[first + i]);
            };
        } else if constexpr (element<A>) {
            set_type<A>();
            look_at_rows(&array);
        } else {
            using layout = detail::member_layout<std::remove_cv_t<std::remove_pointer_t<decltype(std::data(array))>>>;
            set_type<typename layout::element>();
            shape_ = {std::size(array)};
            layout::add_shape(shape_);
            look_at_rows(std::data(array));
        }
    }

    template <class Shape>
    void set_shape(const Shape& shape) {
        shape_.assign(std::begin(shape), std::end(shape));
    }

    template <class T>
    void set_type() {
        type_ = dtype_of<T>();
        // The padding of a C++ struct holds arbitrary old memory, which must not get into a file.
        padding_ = detail::padding(type_);
    }

    template <class Pointer>
    void look_at_rows(Pointer data) {
        look_at_bytes(reinterpret_cast<const std::byte*>(data), detail::strides_of(shape_, item(), order::row_major));
    }

    template <class T, class Strides>
    void look_at_elements(const T* data, const Strides& strides) {
        detail::strides_type bytes;
        for (const auto& stride : strides)
            bytes.push_back(static_cast<std::ptrdiff_t>(stride) * static_cast<std::ptrdiff_t>(sizeof(T)));
        look_at_bytes(reinterpret_cast<const std::byte*>(data), std::move(bytes));
    }

    void look_at_bytes(const std::byte* data, detail::strides_type strides);

    /// One member of each struct of an array in memory, see `field`. In place only if there is one order to write it
    /// in.
    template <class E>
    void look_at_members(const E& expression) {
        if (shape_.size() != 1)
            return look_at_expression(expression);
        auto [data, strides] = expression.members_in_memory();
        look_at_bytes(data, std::move(strides));
    }

    template <class E>
    void look_at_expression(const E& expression) {
        // The second condition excludes shapes that have both orders; np.save writes those row-major.
        const auto columns = detail::strides_of(shape_, 1, order::column_major);
        if (expression.layout() == xt::layout_type::column_major &&
            !detail::is_contiguous(shape_, columns, 1, order::row_major))
            preferred_ = order::column_major;
        const bool rows_linear = is_linear(expression, order::row_major);
        const bool columns_linear = is_linear(expression, order::column_major);
        // By reference is safe: `owner_` keeps an rvalue at one address, and the caller keeps an lvalue.
        blocks_ = [&expression, rows_linear, columns_linear](std::size_t first, std::size_t count, std::byte* out,
                                                             order wanted) {
            if (wanted == order::column_major)
                evaluate<xt::layout_type::column_major>(expression, columns_linear, first, count, out);
            else
                evaluate<xt::layout_type::row_major>(expression, rows_linear, first, count, out);
        };
    }

    /// Whether every operand is contiguous in this order, so that elements can be read by their number.
    template <class E>
    [[nodiscard]] bool is_linear(const E& expression, order wanted) const {
        if constexpr (requires(detail::strides_type strides) { expression.has_linear_assign(strides); }) {
            auto strides = detail::strides_of(shape_, 1, wanted);
            for (std::size_t axis = 0; axis < shape_.size(); ++axis)
                if (shape_[axis] == 1)
                    strides[axis] = 0;  // xtensor's stride of such an axis
            return expression.has_linear_assign(strides);
        } else {
            return false;
        }
    }

    template <xt::layout_type L, class E>
    static void evaluate(const E& expression, bool linear, std::size_t first, std::size_t count, std::byte* out) {
        auto* const elements = reinterpret_cast<std::remove_cv_t<typename E::value_type>*>(out);
        // Tests the layout, not data_element: that is declared even if an operand does not have it.
        if constexpr (requires { requires E::contiguous_layout; }) {
            // The compiler can vectorise this loop, because it updates no index of several axes.
            if (linear) {
                for (std::size_t i = 0; i < count; ++i)
                    elements[i] = expression.data_element(first + i);
                return;
            }
        }
        auto from = expression.template begin<L>();
        from += static_cast<std::ptrdiff_t>(first);
        for (std::size_t i = 0; i < count; ++i, ++from)
            elements[i] = *from;
    }

    void set_order(order wanted);

    dtype type_;
    std::vector<std::size_t> shape_;
    order order_ = order::row_major;
    order preferred_ = order::row_major;
    detail::padding padding_;
    const std::byte* contiguous_ = nullptr;
    // Of elements in memory:
    const std::byte* data_ = nullptr;
    detail::strides_type strides_;
    // Of all others, otherwise empty:
    std::function<void(std::size_t first, std::size_t count, std::byte* out, order wanted)> blocks_;
    std::shared_ptr<const void> owner_;
};

namespace detail {

/// Writes the elements of an array of another library to `out`, contiguous in this order.
/// @param file  named in errors
/// @throws mismatch_error  another dtype
void store_adapted(const array_view& from, const dtype& wanted, order stored, const std::filesystem::path& file,
                   std::byte* out);

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/array/view.ipp>
#endif
