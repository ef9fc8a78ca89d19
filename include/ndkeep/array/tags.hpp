// SPDX-License-Identifier: BSD-3-Clause
// Tags: arguments that select the access mode or the memory order, and with it the return type.
#pragma once

#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/format/order.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/version.hpp>

#include <concepts>

namespace ndkeep::inline NDKEEP_ABI {

struct read_only_tag {};      ///< the type of `read_only`
struct read_write_tag {};     ///< the type of `read_write`
struct copy_on_write_tag {};  ///< the type of `copy_on_write`
struct row_major_tag {};      ///< the type of `row_major`
struct column_major_tag {};   ///< the type of `column_major`

inline constexpr read_only_tag read_only{};          ///< `mapped<const T>`: storing does not compile
inline constexpr read_write_tag read_write{};        ///< stores change the file
inline constexpr copy_on_write_tag copy_on_write{};  ///< stores stay in this process
inline constexpr row_major_tag row_major{};          ///< the last index changes fastest, as in C
inline constexpr column_major_tag column_major{};    ///< the first index changes fastest, as in Fortran

/// `read_only`, `read_write` or `copy_on_write`.
template <class Tag>
concept mode_tag =
    std::same_as<Tag, read_only_tag> || std::same_as<Tag, read_write_tag> || std::same_as<Tag, copy_on_write_tag>;
/// `row_major` or `column_major`.
template <class Tag>
concept order_tag = std::same_as<Tag, row_major_tag> || std::same_as<Tag, column_major_tag>;
/// A mode_tag or an order_tag.
template <class Tag>
concept map_tag = mode_tag<Tag> || order_tag<Tag>;

namespace detail {

/// The mode and order that a list of tags selects. The defaults are read_only and row_major.
template <class... Tag>
struct chosen {
    static_assert((int{mode_tag<Tag>} + ... + 0) <= 1, "one of read_only, read_write, copy_on_write");
    static_assert((int{order_tag<Tag>} + ... + 0) <= 1, "one of row_major, column_major");

    static constexpr map_mode mode = (std::same_as<Tag, read_write_tag> || ...)      ? map_mode::read_write
                                     : (std::same_as<Tag, copy_on_write_tag> || ...) ? map_mode::copy_on_write
                                                                                     : map_mode::read_only;
    static constexpr ndkeep::order order =
        (std::same_as<Tag, column_major_tag> || ...) ? ndkeep::order::column_major : ndkeep::order::row_major;
    static constexpr xt::layout_type layout = layout_of(order);
};

}  // namespace detail

}  // namespace ndkeep
