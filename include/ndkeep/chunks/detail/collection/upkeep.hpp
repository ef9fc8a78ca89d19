// SPDX-License-Identifier: BSD-3-Clause
// Description, verification, compaction and pruning of all arrays of a collection, in parallel.
#pragma once

#include <ndkeep/chunks/detail/collection/store.hpp>
#include <ndkeep/chunks/save.hpp>
#include <ndkeep/chunks/verify.hpp>
#include <ndkeep/format/finding.hpp>
#include <ndkeep/version.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// One array of a collection.
struct inspected_key {
    key_texts key;
    chunked_info info;
    std::string problem;  // why `info` could not be read
};

[[nodiscard]] std::vector<inspected_key> inspect_keys(const key_store& of, const run_options& run);
[[nodiscard]] std::vector<finding> findings_of_keys(const key_store& of, const run_options& run);

/// Both treat all arrays, and then throw the error of the first one that failed.
void compact_keys(const key_store& of, const compact_options& options);
std::size_t prune_keys(const key_store& of, const prune_options& options, const run_options& run);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/collection/upkeep.ipp>
#endif
