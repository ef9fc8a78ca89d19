// SPDX-License-Identifier: BSD-3-Clause
// Any array as a dtype, a shape, and either strided bytes or a function that fills blocks: what every writer takes.
#pragma once

#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/element/padding.hpp>
#include <ndkeep/element/strided.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

template <class A>
concept expression = xt::is_xexpression<A>::value && element<typename A::value_type>;

/// data() and shape() as many array libraries have them; strides(), if there, count elements.
template <class A>
concept array_with_data = !xt::is_xexpression<A>::value && requires(const A& array) {
    requires std::is_pointer_v<decltype(array.data())>;
    requires element<std::remove_pointer_t<decltype(array.data())>>;
    { *std::begin(array.shape()) } -> std::convertible_to<std::size_t>;
};

/// An element, or an array of arrays of one, as std::array and C arrays nest.
template <class T>
concept nested_element = element<typename member_layout<std::remove_cv_t<T>>::element>;

/// What data() and size() can be asked of, as of a vector, an array or a span. Not <ranges>, for the time it takes.
template <class A>
concept flat_range = !xt::is_xexpression<A>::value && !array_with_data<A> &&
                     !std::convertible_to<const A&, std::string_view> && requires(const A& array) {
    std::size(array);
    requires nested_element<std::remove_pointer_t<decltype(std::data(array))>>;
};

template <class A>
concept flags_vector = std::same_as<A, std::vector<bool>>;

}  // namespace detail

/// What can be saved: xtensor expressions and containers, scalars, std::vector, std::array, std::span, and types with
/// data() and shape() (and strides() in elements), all of elements.
template <class A>
concept array_like = detail::expression<A> || detail::array_with_data<A> || detail::flat_range<A> ||
    detail::flags_vector<A> ||(element<A> && !xt::is_xexpression<A>::value);

namespace detail {
struct does_not_satisfy_array_like;
}

/// An array that is read during one call, whatever its C++ type: lvalues are referred to, rvalues kept.
///
/// Its *written order* is the one `np.save` would choose: column-major for an array that is so in memory and not
/// row-major at once, else row-major.
class array_view {
  public:
    /// Writes `count` elements from number `first` in row-major order on, one behind the other.
    using filler = std::function<void(std::size_t first, std::size_t count, std::byte* out)>;

    template <class A>
        requires array_like<std::remove_cvref_t<A>>
        array_view(A&& array) {  // NOLINT: implicit, so that any array may be given to a writer
            using array_type = std::remove_cvref_t<A>;
            if constexpr (std::is_lvalue_reference_v<A>) {
                look_at(array);
            } else {
                const auto kept = std::make_shared<const array_type>(std::forward<A>(array));
                owner_ = kept;
                look_at(*kept);
            }
            set_order(prefers_column_major_);
        }

    /// Refuses what is no `array_like` by that name: compilers print the arguments of a deleted template.
    template <class A, class Because = detail::does_not_satisfy_array_like>
        requires(!array_like<std::remove_cvref_t<A>> && !std::same_as<std::remove_cvref_t<A>, array_view> &&
                 !requires(A && array) { std::forward<A>(array).operator array_view(); })
    array_view(A&&)
    = delete;

    /// Bytes in memory, laid out as `type` says, padding as it is.
    /// @param strides  bytes from one element to the next, one number an axis
    array_view(dtype type, std::vector<std::size_t> shape, const std::byte* data, std::vector<std::ptrdiff_t> strides);
    /// The same, one behind the other in one of the two orders. A bool and nothing that turns into one: `{16}` is a
    /// stride.
    array_view(dtype type, std::vector<std::size_t> shape, const std::byte* data, std::same_as<bool> auto column_major)
        : array_view(type, shape, data,
                     detail::strides_of(shape, static_cast<std::size_t>(type.size()), column_major)) {}
    array_view(dtype type, std::vector<std::size_t> shape, const std::byte* data)
        : array_view(std::move(type), std::move(shape), data, false) {}

    /// Elements that exist only once they are asked for: in row-major order, by blocks, each once.
    array_view(dtype type, std::vector<std::size_t> shape, filler fill)
        : type_(std::move(type)), shape_(std::move(shape)),
          blocks_([fill = std::move(fill)](std::size_t first, std::size_t count, std::byte* out, bool column_major) {
              if (column_major)
                  throw mismatch_error({.field = "order",
                                        .expected = "column-major",
                                        .found = "a row-major function",
                                        .hint = "put its values into an array first"});
              fill(first, count, out);
          }) {}

    [[nodiscard]] const dtype& type() const noexcept { return type_; }
    [[nodiscard]] const std::vector<std::size_t>& shape() const noexcept { return shape_; }
    [[nodiscard]] std::size_t size() const noexcept { return detail::product(shape_); }
    [[nodiscard]] std::size_t nbytes() const noexcept { return size() * item(); }
    /// The written order.
    [[nodiscard]] bool column_major() const noexcept { return column_major_; }

    /// The same array to be written in this order.
    [[nodiscard]] array_view in_order(bool column_major) const;

    /// The same array, whose memory `owner` holds for as long as this view or a copy of it lives.
    [[nodiscard]] array_view kept_by(std::shared_ptr<const void> owner) const;

    /// The first element, if all lie in memory just as they are to be written; else nullptr.
    [[nodiscard]] const std::byte* contiguous() const noexcept { return contiguous_; }

    /// Puts elements one behind the other into memory aligned as operator new does.
    /// @param first, count  elements in the written order
    void fill(std::size_t first, std::size_t count, std::byte* out) const;

  private:
    [[nodiscard]] std::size_t item() const noexcept { return static_cast<std::size_t>(type_.size()); }

    void fill_column_major(std::size_t first, std::size_t count, std::byte* out) const;

    template <class A>
    void look_at(const A& array) {
        if constexpr (detail::expression<A>) {
            set_type<typename A::value_type>();
            set_shape(array.shape());
            if constexpr (xt::has_data_interface<A>::value && xt::has_strides<A>::value)
                look_at_elements(array.data() + array.data_offset(), array.strides());
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
            blocks_ = [&array](std::size_t first, std::size_t count, std::byte* out, bool) {
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
        // The padding of a C++ struct is whatever memory held before.
        padding_ = detail::padding(type_);
    }

    template <class Pointer>
    void look_at_rows(Pointer data) {
        look_at_bytes(reinterpret_cast<const std::byte*>(data), detail::strides_of(shape_, item(), false));
    }

    template <class T, class Strides>
    void look_at_elements(const T* data, const Strides& strides) {
        detail::strides_type bytes;
        for (const auto& stride : strides)
            bytes.push_back(static_cast<std::ptrdiff_t>(stride) * static_cast<std::ptrdiff_t>(sizeof(T)));
        look_at_bytes(reinterpret_cast<const std::byte*>(data), std::move(bytes));
    }

    void look_at_bytes(const std::byte* data, detail::strides_type strides);

    template <class E>
    void look_at_expression(const E& expression) {
        prefers_column_major_ = expression.layout() == xt::layout_type::column_major &&
                                !detail::is_contiguous(shape_, detail::strides_of(shape_, 1, true), 1, false);
        const bool rows_linear = is_linear(expression, false);
        const bool columns_linear = is_linear(expression, true);
        blocks_ = [&expression, rows_linear, columns_linear](std::size_t first, std::size_t count, std::byte* out,
                                                             bool column_major) {
            if (column_major)
                evaluate<xt::layout_type::column_major>(expression, columns_linear, first, count, out);
            else
                evaluate<xt::layout_type::row_major>(expression, rows_linear, first, count, out);
        };
    }

    /// Whether every operand lies in memory in this very order, so that elements can be had by number.
    template <class E>
    [[nodiscard]] bool is_linear(const E& expression, bool column_major) const {
        if constexpr (requires(detail::strides_type strides) { expression.has_linear_assign(strides); }) {
            auto strides = detail::strides_of(shape_, 1, column_major);
            for (std::size_t axis = 0; axis < shape_.size(); ++axis)
                if (shape_[axis] == 1)
                    strides[axis] = 0;  // as xtensor has them
            return expression.has_linear_assign(strides);
        } else {
            return false;
        }
    }

    template <xt::layout_type L, class E>
    static void evaluate(const E& expression, bool linear, std::size_t first, std::size_t count, std::byte* out) {
        auto* const elements = reinterpret_cast<std::remove_cv_t<typename E::value_type>*>(out);
        // Asked of the layout, since the function is declared where an operand has no such thing.
        if constexpr (requires { requires E::contiguous_layout; }) {
            // No index to carry along: this is what the compiler turns into vector instructions.
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

    void set_order(bool column_major);

    dtype type_;
    std::vector<std::size_t> shape_;
    bool column_major_ = false;
    bool prefers_column_major_ = false;
    detail::padding padding_;
    const std::byte* contiguous_ = nullptr;
    // In memory:
    const std::byte* data_ = nullptr;
    detail::strides_type strides_;
    // Or not:
    std::function<void(std::size_t first, std::size_t count, std::byte* out, bool column_major)> blocks_;
    std::shared_ptr<const void> owner_;
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/array/view.ipp>
#endif
