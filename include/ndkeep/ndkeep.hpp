// SPDX-License-Identifier: BSD-3-Clause
// All of ndkeep: arrays in files, archives, trees, chunks and databases, resumable passes, operators.
#pragma once

#include <ndkeep/error.hpp>
#include <ndkeep/version.hpp>

#include <ndkeep/chunks.hpp>     // one long array in chunk files with a log of commits
#include <ndkeep/database.hpp>   // several files that change together
#include <ndkeep/loop.hpp>       // a resumable pass over chunks
#include <ndkeep/npy.hpp>        // one array in one file
#include <ndkeep/npz.hpp>        // named arrays in one archive
#include <ndkeep/operators.hpp>  // as-of joins and aggregates of ordered rows
#include <ndkeep/tree.hpp>       // nested dictionaries and lists of arrays in one archive
