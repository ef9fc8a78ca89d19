// SPDX-License-Identifier: BSD-3-Clause
// All of ndkeep.
#pragma once

#include <ndkeep/error.hpp>
#include <ndkeep/version.hpp>

#include <ndkeep/chunks.hpp>  // one long array as chunk files and a log of commits
#include <ndkeep/loop.hpp>    // a pass over chunks that remembers where it was
#include <ndkeep/npy.hpp>     // one array in one file
#include <ndkeep/npz.hpp>     // named arrays in one archive
#include <ndkeep/tree.hpp>    // what Python keeps in a dict, in one archive
