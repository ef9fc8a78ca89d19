// SPDX-License-Identifier: BSD-3-Clause
// A loop whose output is a database: arrays, position and states change in the same transaction.
#pragma once

#include <ndkeep/loop/detail/state/snapshot.hpp>
#include <ndkeep/version.hpp>

#include <memory>
#include <string>

namespace ndkeep::inline NDKEEP_ABI {
class database;
}

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The memory of a loop in a database: a document of its hidden folder, which belongs to the transaction.
/// @throws mismatch_error  the database has changes that are not committed, and that no body has made
[[nodiscard]] std::unique_ptr<loop_memory> memory_in(database& output, const std::string& loop);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/loop/detail/database_memory.ipp>
#endif
