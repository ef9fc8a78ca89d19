// SPDX-License-Identifier: BSD-3-Clause
// Elements used where they lie in a file: what the tags make of them, and what must hold for it.
#pragma once

#include <ndkeep/array/mapped.hpp>
#include <ndkeep/array/tags.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <filesystem>
#include <type_traits>

namespace ndkeep::inline NDKEEP_ABI {

/// What `map` returns for these tags.
template <class T, std::size_t N, map_tag... Tag>
using mapped_as = mapped<std::conditional_t<detail::chosen<Tag...>::mode == map_mode::read_only, const T, T>, N,
                         detail::chosen<Tag...>::layout>;

namespace detail {

/// Refuses what cannot be used where it lies.
void check_in_place(const array_info& info, const std::filesystem::path& path, const dtype& wanted,
                    bool column_major_wanted);

/// Maps the data of a file that has passed `check_in_place`.
[[nodiscard]] mapping map_data(const file& source, const array_info& info, std::size_t alignment, map_mode mode,
                               advice use);

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/array/in_place.ipp>
#endif
