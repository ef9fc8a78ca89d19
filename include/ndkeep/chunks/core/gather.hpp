// SPDX-License-Identifier: BSD-3-Clause
// All chunks of a version as one contiguous address range.
#pragma once

#include <ndkeep/chunks/core/version.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/version.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// How many mappings a process may have, and has; nothing where nobody says so.
struct mapping_budget {
    std::uint64_t most = 0, used = 0;
};
[[nodiscard]] std::optional<mapping_budget> mappings_of_process();

/// @throws io_error  the process may not have so many mappings
void check_mappings(std::uint64_t wanted, const std::optional<mapping_budget>& budget,
                    const std::filesystem::path& called);

}  // namespace ndkeep::detail

namespace ndkeep::inline NDKEEP_ABI::core {

/// Every page of the range is a file's own, but for those in which two chunks meet and chunks that cannot be mapped
/// there: these are read. Read-only.
[[nodiscard]] mapping gather(const chunk_version& from);

}  // namespace ndkeep::core

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/gather.ipp>
#endif
