// SPDX-License-Identifier: BSD-3-Clause
// Arrow's C data interface: arrays of pyarrow, polars, DuckDB and others, given and taken without a copy where their
// forms agree.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/bridges/detail/arrow_structs.hpp>
#include <ndkeep/bridges/detail/arrow_values.hpp>
#include <ndkeep/bridges/detail/keep.hpp>
#include <ndkeep/bridges/foreign_array.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/format/dtype.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Options of `to_arrow`, `to_arrow_copy` and `to_arrow_view`.
struct to_arrow_options {
    std::string name = {};  ///< of the column
};

namespace detail {

struct to_arrow_takes_over_an_owning_array__move_it_or_call_to_arrow_copy {};
struct to_arrow_view_refers_to_its_array__give_it_a_name_or_call_to_arrow {};

/// Makes an array of elements that the view keeps, or that the caller keeps.
[[nodiscard]] arrow_pair export_arrow(array_view elements, const std::string& name);

}  // namespace detail

/// Makes an Arrow array of an array, which it takes over and keeps until it is released: of a mapped array, an xtensor
/// container, a vector, an `any_array`, a `shared_array` or an array of another library. Write
/// `to_arrow(std::move(a))`.
///
/// | array | Arrow |
/// |---|---|
/// | integers, float16, float, double | the same; in place if contiguous, row-major and in this machine's byte order |
/// | bool | bits (a copy) |
/// | M8 and m8 in s, ms, us, ns | timestamp without time zone, duration; in place |
/// | M8[D] | date32 (a copy) |
/// | S and V | fixed-size binary, with the NULs at the end; in place |
/// | U | utf8, or large_utf8 above 2 GiB (a copy) |
/// | structs | struct with a child for each field (a copy of each); a program reads it as a record batch |
/// | more than one dimension, sub-arrays | fixed-size lists in lists, rows first |
///
/// NaT becomes null, and NaN stays NaN. Everything else is copied and converted: another byte order or memory order.
/// After an error the array is moved from.
/// @throws mismatch_error  a dtype without such a row, no dimension, or a date that 32 bits do not hold
template <detail::owning_rvalue A>
[[nodiscard]] arrow_pair to_arrow(A&& array, const to_arrow_options& options = {}) {
    return detail::export_arrow(detail::kept_view(std::move(array)), options.name);
}
/// Deleted: the array is no temporary, or does not own its elements.
template <class A, class Because = detail::to_arrow_takes_over_an_owning_array__move_it_or_call_to_arrow_copy>
    requires(!detail::owning_rvalue<A>)
arrow_pair to_arrow(A&&, const to_arrow_options& = {})
= delete;

/// Makes an Arrow array of a copy of any array or expression.
/// @throws mismatch_error  as `to_arrow`
[[nodiscard]] inline arrow_pair to_arrow_copy(const array_view& array, const to_arrow_options& options = {}) {
    return detail::export_arrow(any_array(array), options.name);
}

/// Makes an Arrow array that refers to an array where `to_arrow` would keep it in place. The array must not change its
/// place or end before the Arrow array is released. A temporary does not compile.
/// @throws mismatch_error  as `to_arrow`
template <class A>
    requires(std::is_lvalue_reference_v<A>&& detail::viewable<A>)
[[nodiscard]] arrow_pair to_arrow_view(A&& array, const to_arrow_options& options = {}) {
    return detail::export_arrow(array_view(array), options.name);
}
/// Deleted: the array would end before the Arrow array.
template <class A, class Because = detail::to_arrow_view_refers_to_its_array__give_it_a_name_or_call_to_arrow>
    requires(!std::is_lvalue_reference_v<A>)
arrow_pair to_arrow_view(A&&, const to_arrow_options& = {})
= delete;

/// Options of `from_arrow`.
struct from_arrow_options {
    arrow_nulls nulls = arrow_nulls::refused;  ///< what the values of nulls are
};

/// An array that was taken over from Arrow, or a child of it. Copies share the memory.
///
/// Values are in place where Arrow has the form of NumPy. Bits become bool, date32 becomes M8[D], and strings become
/// 'U' of the longest, when the array is taken over. It converts to `array_view`, so every writer takes it.
class arrow_column {
  public:
    /// For `from_arrow`.
    explicit arrow_column(std::shared_ptr<const detail::arrow_values> values) : values_(std::move(values)) {}

    /// The name in the schema; may be empty.
    [[nodiscard]] const std::string& name() const noexcept { return values_->name; }
    /// The dtype of the elements. That of a struct array has the children as fields, without padding.
    [[nodiscard]] const dtype& type() const noexcept { return values_->type; }
    /// The shape. Fixed-size lists give one extent each.
    [[nodiscard]] const std::vector<std::size_t>& shape() const noexcept { return values_->shape; }
    /// The number of elements.
    [[nodiscard]] std::size_t size() const noexcept { return detail::product(values_->shape); }
    /// The number of nulls. An element is null if a list or struct around it is. That of a struct array counts structs
    /// that are null themselves, not nulls in children.
    [[nodiscard]] std::size_t null_count() const noexcept { return values_->null_count; }
    /// False for each element that is null, counted as in `null_count`.
    [[nodiscard]] xt::xarray<bool> validity() const;

    /// The children of a struct array; otherwise none.
    [[nodiscard]] std::vector<arrow_column> children() const;
    /// The first child with this name.
    /// @throws mismatch_error  no such child
    [[nodiscard]] arrow_column child(std::string_view name) const;

    /// The elements in place, read-only. The result keeps the memory.
    /// @throws mismatch_error  a struct array, another dtype or rank, nulls, or memory that is not aligned for T
    template <element T, std::size_t N = any_rank>
    [[nodiscard]] foreign_array<const T, N> as() const {
        return detail::elements_of(values_).template in_place<const T, N>("as");
    }

    /// The view that writers take. It keeps the memory. That of a struct array puts structs together as it is read.
    /// @throws mismatch_error  nulls
    operator array_view() const { return detail::view_of(values_); }  // NOLINT: implicit

  private:
    std::shared_ptr<const detail::arrow_values> values_;
};

namespace detail {
template <>
inline constexpr bool owns_elements<arrow_column> = true;
}

/// Takes over an array of another library: numbers, bool, timestamps, date32, date64, durations, strings, fixed-size
/// binary (as 'V'), and structs and fixed-size lists of these. Timestamps with a time zone count in UTC. Extension
/// types are read as what they are stored as.
///
/// Both structs are moved, whatever happens: after an error they are released. The array is released after the last
/// column or view of it. Fields without a name are called f0, f1, … by their position, as NumPy does. Buffers that are
/// too short cannot be detected.
/// @throws mismatch_error  a type that is not listed above, or strings of very different lengths (see `arrow_column`)
/// @throws format_error    not a valid array: released, a negative length, no buffer, missing children
[[nodiscard]] arrow_column from_arrow(ArrowSchema* schema, ArrowArray* array, const from_arrow_options& options = {});
/// The same for a pair.
[[nodiscard]] inline arrow_column from_arrow(arrow_pair pair, const from_arrow_options& options = {}) {
    return from_arrow(pair.schema.get(), pair.array.get(), options);
}

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/bridges/detail/arrow.ipp>
#include <ndkeep/bridges/detail/arrow_export.ipp>
#endif
