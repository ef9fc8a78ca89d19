// SPDX-License-Identifier: BSD-3-Clause
// Elements mapped in place: the type that the tags select, the checks of the header, and the mapping of the data.
#pragma once

#include <ndkeep/array/mapped.hpp>
#include <ndkeep/array/tags.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/order.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <filesystem>
#include <type_traits>

namespace ndkeep::inline NDKEEP_ABI {

/// The return type of `map` with these tags.
template <class T, std::size_t N, map_tag... Tag>
using mapped_as = mapped<std::conditional_t<detail::chosen<Tag...>::mode == map_mode::read_only, const T, T>, N,
                         detail::chosen<Tag...>::layout>;

namespace detail {

/// Checks that the elements of a file can be used in place, without conversion.
///
/// @throws mismatch_error  the dtype, its byte order, the struct layout or the memory order differs from the wanted one
void check_in_place(const array_info& info, const std::filesystem::path& path, const dtype& wanted, order wanted_order);

/// Maps the data of a file that has passed `check_in_place`. Data at a misaligned offset is read into private memory
/// instead.
///
/// @param alignment  of an element, in bytes
/// @throws format_error    the file is shorter than its data
/// @throws mismatch_error  the offset is misaligned and `mode` is read_write
/// @throws conflict_error  `mode` is read_write, and a database has the directory of the file open
[[nodiscard]] mapping map_data(const file& source, const array_info& info, std::size_t alignment, map_mode mode,
                               advice use);

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/array/in_place.ipp>
#endif
