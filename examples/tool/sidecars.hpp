// SPDX-License-Identifier: BSD-3-Clause
// Writes and updates sidecars of npy and raw files.
#pragma once

#include "subject.hpp"

#include <ndkeep/npy/describe.hpp>

namespace tool {

/// ndkeep::describe, extended to raw files. A raw file must already have a sidecar, because only the sidecar holds its
/// dtype and shape.
void describe_single(const subject& what, const ndkeep::describe_options& options);

}  // namespace tool
