// SPDX-License-Identifier: BSD-3-Clause
// any_array, an owning array whose dtype is known only at run time, and visit.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/element/strided.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/order.hpp>

#include <complex>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// The element types that `visit` tries. If float is listed and float16 or bfloat16 is not, their arrays are visited
/// as float, which holds every value of both exactly.
template <class... T>
struct types {};
/// The integers, signed and unsigned, for `visit<integral>`.
using integral = types<std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t, std::uint16_t,
                       std::uint32_t, std::uint64_t>;
/// The integers and the floating-point numbers, for `visit<real>`.
using real = types<std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t, std::uint16_t, std::uint32_t,
                   std::uint64_t, float, double, long double>;
/// `real`, bool and the complex types, for `visit<numeric>`.
using numeric = types<bool, std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t, std::uint16_t,
                      std::uint32_t, std::uint64_t, float, double, long double, std::complex<float>,
                      std::complex<double>, std::complex<long double>>;

/// A type of arrays that readers return, as in `load<Eigen::MatrixXd>(file)`. Its `array_adapter` has:
/// - `element_type`, which satisfies `element`, and `stored_order`, the order of the elements in memory;
/// - `std::string refusal(shape)`: the expected shape in words if A cannot have this shape, otherwise empty;
/// - `A make(shape)`: an array of this shape, whose elements need no values;
/// - `element_type* elements(A&)`: its elements, which are contiguous.
template <class A>
concept loadable_array = !element<A> && requires(A & array, const std::vector<std::size_t>& shape) {
    requires element<typename array_adapter<A>::element_type>;
    requires std::same_as<decltype(array_adapter<A>::stored_order), const order>;
    { array_adapter<A>::refusal(shape) } -> std::same_as<std::string>;
    { array_adapter<A>::make(shape) } -> std::same_as<A>;
    { array_adapter<A>::elements(array) } -> std::same_as<typename array_adapter<A>::element_type*>;
};

/// A vector is read from an array with one dimension.
template <element T>
    requires(!std::same_as<T, bool>)
struct array_adapter<std::vector<T>> {
    using element_type = T;
    static constexpr order stored_order = order::row_major;
    [[nodiscard]] static std::string refusal(const std::vector<std::size_t>& shape) {
        return shape.size() == 1 ? "" : "1 dimension";
    }
    [[nodiscard]] static std::vector<T> make(const std::vector<std::size_t>& shape) { return std::vector<T>(shape[0]); }
    [[nodiscard]] static T* elements(std::vector<T>& array) noexcept { return array.data(); }
};

namespace detail {

/// Turns one template argument of `visit` into a list: `types<...>` stays as it is, a single type becomes a list of
/// one.
template <class... T>
struct listed {
    using type = types<T...>;
};
template <class... T>
struct listed<types<T...>> {
    using type = types<T...>;
};

/// Turns bytes from a file into valid values of T. Only bool needs it: a file may store any byte as a bool, and to read
/// a byte other than 0 and 1 as a C++ bool is undefined.
template <class T>
void make_values([[maybe_unused]] T* values, [[maybe_unused]] std::size_t count) {
    if constexpr (std::is_same_v<T, bool>) {
        // As unsigned char: `values` must not be read as bool yet.
        auto* const bytes = reinterpret_cast<unsigned char*>(values);
        for (std::size_t i = 0; i < count; ++i)
            bytes[i] = bytes[i] != 0;
    }
}

/// Checks that `shape` has N extents; any_rank accepts every shape.
///
/// @param verb  named in the hint, as in `load<T, 2>`
/// @throws mismatch_error  another rank
template <std::size_t N>
void check_rank(const std::vector<std::size_t>& shape, const std::filesystem::path& file, std::string_view verb) {
    if constexpr (N != any_rank)
        if (shape.size() != N)
            throw mismatch_error({.file = file,
                                  .field = "shape",
                                  .expected = counted(N, "dimension"),
                                  .found = shape_text(shape),
                                  .hint = std::string(verb) + "<T, " + std::to_string(shape.size()) + "> or " +
                                          std::string(verb) + "<T>"});
}

/// An xtensor container of this shape. The caller writes the elements.
template <class Array>
[[nodiscard]] Array uninitialised(const std::vector<std::size_t>& shape) {
    typename Array::shape_type wanted = xtl::make_sequence<typename Array::shape_type>(shape.size(), 0);
    for (std::size_t i = 0; i < wanted.size(); ++i)  // not std::copy: the shape of rank 0 has no memory
        wanted[i] = shape[i];
    return Array::from_shape(wanted);
}

/// The error of an array of another library that cannot have this shape.
/// @param verb  named in the hint
[[noreturn]] void refuse_shape(const std::vector<std::size_t>& shape, const std::filesystem::path& file,
                               std::string_view verb, std::string expected);

/// An array of another library of this shape. The caller writes the elements.
/// @throws mismatch_error  A cannot have this shape
template <loadable_array A>
[[nodiscard]] A made_array(const std::vector<std::size_t>& shape, const std::filesystem::path& file,
                           std::string_view verb) {
    using adapter = array_adapter<A>;
    if (auto expected = adapter::refusal(shape); !expected.empty())
        refuse_shape(shape, file, verb, std::move(expected));
    return core::allocated_for(file, product(shape) * sizeof(typename adapter::element_type),
                               [&] { return adapter::make(shape); });
}

}  // namespace detail

/// An owning array of any dtype. Its elements are contiguous, in row-major order. A copy copies the elements.
class any_array {
  public:
    /// An empty array: shape (0,), dtype V0.
    any_array() : shape_{0} {}
    /// Allocates an array with uninitialised elements, to be written through `bytes()`. Its size is not checked for
    /// overflow: it must fit std::size_t in bytes.
    any_array(dtype type, std::vector<std::size_t> shape)
        : type_(std::move(type)), shape_(std::move(shape)),
          bytes_(detail::product(shape_) * static_cast<std::size_t>(type_.size())) {}
    /// Copies the elements of `array`, in row-major order.
    explicit any_array(const array_view& array);
    any_array(any_array&&) noexcept = default;
    any_array& operator=(any_array&&) noexcept = default;
    any_array(const any_array& other);
    any_array& operator=(const any_array& other) { return *this = any_array(other); }
    ~any_array() = default;

    /// The dtype of the elements.
    [[nodiscard]] const dtype& type() const noexcept { return type_; }
    /// The shape; {} is a scalar.
    [[nodiscard]] const std::vector<std::size_t>& shape() const noexcept { return shape_; }
    /// The number of elements.
    [[nodiscard]] std::size_t size() const noexcept { return detail::product(shape_); }
    /// The rank.
    [[nodiscard]] std::size_t dimension() const noexcept { return shape_.size(); }
    /// Bytes from one element to the next along each axis.
    [[nodiscard]] std::vector<std::ptrdiff_t> strides() const;
    /// The elements in row-major order, exactly in the layout and byte order of `type()`.
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_.bytes(); }
    [[nodiscard]] std::span<std::byte> bytes() noexcept { return bytes_.bytes(); }

    /// Copies the elements to an `xt::xarray<T>`, or to an `xt::xtensor<T, N>`, in native byte order.
    /// @throws mismatch_error  another dtype or rank
    template <element T, std::size_t N = any_rank>
    [[nodiscard]] auto as() const {
        const conversion to_elements(type_, dtype_of<T>(), {}, hint());
        detail::check_rank<N>(shape_, {}, "as");
        auto array = detail::uninitialised<array_of<T, N>>(shape_);
        to_elements.run(reinterpret_cast<std::byte*>(array.data()), bytes_.data(), size());
        detail::make_values(array.data(), size());
        return array;
    }

    /// Copies the elements to an array of another library: `as<Eigen::MatrixXd>()`.
    /// @throws mismatch_error  another dtype, or a shape that A cannot have
    template <loadable_array A>
    [[nodiscard]] A as() const;

    /// Copies one field of a structured array. The axes of a sub-array follow the axes of the array.
    /// @throws mismatch_error  no such field
    [[nodiscard]] any_array field(std::string_view name) const;

    /// The view that writers take. It refers to an lvalue, which must outlive it. It keeps a temporary.
    operator array_view() const& { return {type_, shape_, bytes_.data()}; }  // NOLINT: implicit
    operator array_view() &&;

  private:
    [[nodiscard]] std::string hint() const;

    dtype type_;
    std::vector<std::size_t> shape_;
    detail::buffer bytes_;
};

namespace detail {

/// Writes the elements of `from` to `out`, converted and contiguous in this order.
void convert_elements(const any_array& from, const conversion& convert, order wanted, std::byte* out);

/// Calls `function` with the elements as T: in place if they are native, otherwise with a converted copy.
template <class T, class Function>
decltype(auto) visit_as(Function&& function, const any_array& array) {
    // Never in place as bool: the array may hold bytes other than 0 and 1, which `as` replaces.
    if (array.type().is_native() && !std::is_same_v<T, bool>) {
        const auto* const elements = reinterpret_cast<const T*>(array.bytes().data());
        return std::forward<Function>(function)(
            xt::adapt<xt::layout_type::row_major>(elements, array.size(), xt::no_ownership(), array.shape()));
    }
    return std::forward<Function>(function)(array.as<T>());
}

/// Copies an array of floating-point numbers that are smaller than a float, such as float16, to float.
[[nodiscard]] any_array widened(const any_array& narrow);

template <class Function, class... T>
auto visit_listed(Function&& function, const any_array& array, types<T...>) {
    using first = std::tuple_element_t<0, std::tuple<T...>>;
    using result = decltype(visit_as<first>(function, array));
    constexpr bool has_result = !std::is_void_v<result>;
    // The result is made inside the fold below, so it waits in an optional. Its type needs no default constructor.
    std::conditional_t<has_result, std::optional<std::conditional_t<has_result, std::decay_t<result>, int>>, bool>
        out{};
    const auto called = [&]<class Element>(std::type_identity<Element>, const any_array& visited) {
        if constexpr (has_result)
            out.emplace(visit_as<Element>(function, visited));
        else
            visit_as<Element>(function, visited);
        return true;
    };
    // The byte order may differ: `as` swaps the bytes.
    const auto is = [](const dtype& type, const dtype& wanted) {
        return type.kind() == wanted.kind() && type.size() == wanted.size() && !type.is_struct();
    };
    bool done = ((is(array.type(), dtype_of<T>()) && called(std::type_identity<T>(), array)) || ...);
    if constexpr ((std::is_same_v<T, float> || ...))
        if (!done && array.type().is_floating_point() && array.type().size() < sizeof(float))
            done = called(std::type_identity<float>(), widened(array));
    if (!done) {
        std::string expected;
        ((expected += (expected.empty() ? "" : ", ") + dtype_of<T>().str()), ...);
        throw mismatch_error(
            {.field = "dtype",
             .expected = "one of " + expected,
             .found = array.type().is_struct() ? array.type().descr() : ndkeep::quoted(array.type().str())});
    }
    if constexpr (has_result)
        return *std::move(out);
}

}  // namespace detail

template <loadable_array A>
A any_array::as() const {
    using adapter = array_adapter<A>;
    const conversion to_elements(type_, dtype_of<typename adapter::element_type>(), {}, hint());
    auto array = detail::made_array<A>(shape_, {}, "as");
    detail::convert_elements(*this, to_elements, adapter::stored_order,
                             reinterpret_cast<std::byte*>(adapter::elements(array)));
    detail::make_values(adapter::elements(array), size());
    return array;
}

/// Calls `function` with `array` as an xtensor container of its element type: `visit<real>(f, any)`,
/// `visit<float, double>(f, any)`. The container refers to the memory of the array if the dtype has native byte order
/// and is not bool, float16 or bfloat16. Otherwise it holds or refers to a copy, which ends with the call.
///
/// @return the result of `function`, by value; it must have the same type for every element type
/// @throws mismatch_error  the dtype is not in the list
template <class... Listed, class Function>
    requires(sizeof...(Listed) > 0)
auto visit(Function&& function, const any_array& array) {
    if constexpr (sizeof...(Listed) == 1)
        return detail::visit_listed(function, array, typename detail::listed<Listed...>::type());
    else
        return detail::visit_listed(function, array, types<Listed...>());
}

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/array/any.ipp>
#endif
