// SPDX-License-Identifier: BSD-3-Clause
// Sidecars of npy and raw files, made and renewed.
#pragma once

#include "subject.hpp"

#include <ndkeep/npy/describe.hpp>

namespace tool {

/// ndkeep::describe, for raw files too: those need a sidecar already, as only it says what they hold.
void describe_single(const subject& what, const ndkeep::describe_options& options);

}  // namespace tool
