// SPDX-License-Identifier: BSD-3-Clause
// Errors of stored states of joins, segments and windows.
//
// Segments and windows are loaded in these steps:
// 1. The state holds the options as a text. A state of other options is rejected before anything is read.
// 2. All parts are read into a copy of the object.
// 3. `restore` rejects parts that do not fit each other, and computes what is not stored.
// 4. The copy replaces the object. So an error leaves the object as it was.
#pragma once

#include <ndkeep/version.hpp>

#include <string>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// @param of  the operator, in errors
/// @throws mismatch_error  the options that were stored are others
void check_stored_options(const std::string& of, const std::string& options, const std::string& stored);

/// @throws mismatch_error  always: the parts of a state do not fit each other
[[noreturn]] void refuse_state(const std::string& of);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/operators/detail/state.ipp>
#endif
