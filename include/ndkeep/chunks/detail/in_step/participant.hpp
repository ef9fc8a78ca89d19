// SPDX-License-Identifier: BSD-3-Clause
// The arrays that are read in step: chunk_readers, and what stays of them without the C++ types of their rows.
#pragma once

#include <ndkeep/chunks/core/version.hpp>
#include <ndkeep/chunks/reader.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <type_traits>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// One of the arrays that are read in step, and the C++ type of its elements.
struct step_participant {
    const core::chunk_version* version = nullptr;
    dtype type = {};
    std::size_t alignment = 1;
};

template <class Reader>
inline constexpr bool is_step_reader = false;
template <element T, std::size_t N>
inline constexpr bool is_step_reader<chunk_reader<T, N>> = true;

template <class Reader>
concept step_reader = is_step_reader<std::remove_cvref_t<Reader>>;

template <element T, std::size_t N>
[[nodiscard]] step_participant participant_of(const chunk_reader<T, N>& reader) {
    return {&reader.version(), dtype_of<T>(), alignof(T)};
}

[[nodiscard]] std::vector<const core::chunk_version*> versions_of(const std::vector<step_participant>& of);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/in_step/participant.ipp>
#endif
