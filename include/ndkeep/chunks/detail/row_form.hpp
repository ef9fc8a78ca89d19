// SPDX-License-Identifier: BSD-3-Clause
// What the rows of a dataset are: said of a new one, compared with one that is there.
#pragma once

#include <ndkeep/chunks/options.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <filesystem>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The state of a dataset that has no rows yet.
/// @throws mismatch_error  rows of no bytes, several checksums, an order that such rows do not have
[[nodiscard]] chunk_state state_for_rows(const dtype& type, const std::vector<std::size_t>& row_shape,
                                         const chunk_writer_options& options, const std::filesystem::path& called);

/// @throws mismatch_error  the rows there are others
void check_rows(const chunk_state& there, const dtype& type, const std::vector<std::size_t>& row_shape,
                const std::filesystem::path& called);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/row_form.ipp>
#endif
