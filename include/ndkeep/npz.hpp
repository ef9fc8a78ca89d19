// SPDX-License-Identifier: BSD-3-Clause
// Named arrays in one archive: read, written, mapped, checked.
#pragma once

#include <ndkeep/npz/reader.hpp>
#include <ndkeep/npz/verify.hpp>
#include <ndkeep/npz/writer.hpp>
