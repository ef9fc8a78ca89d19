// SPDX-License-Identifier: BSD-3-Clause
// The dtype and shape of a dataset's rows: set on the first write, checked afterwards.
#pragma once

#include <ndkeep/chunks/options.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <filesystem>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The state of a new dataset without rows.
/// @throws mismatch_error  a row has 0 bytes or too many; more than one checksum; `.order_by` does not fit the rows
[[nodiscard]] chunk_state state_for_rows(const dtype& type, const std::vector<std::size_t>& row_shape,
                                         const chunk_writer_options& options, const std::filesystem::path& called);

/// Checks rows to write against those of an existing dataset.
/// @throws mismatch_error  the dtype does not convert to that of the dataset, or the row shape differs
void check_rows(const chunk_state& there, const dtype& type, const std::vector<std::size_t>& row_shape,
                const std::filesystem::path& called);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/row_form.ipp>
#endif
