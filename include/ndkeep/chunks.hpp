// SPDX-License-Identifier: BSD-3-Clause
// One long array as ordered, immutable chunk files and a log of commits.
#pragma once

#include <ndkeep/chunks/reader.hpp>
#include <ndkeep/chunks/save.hpp>
#include <ndkeep/chunks/verify.hpp>
#include <ndkeep/chunks/writer.hpp>
