// SPDX-License-Identifier: BSD-3-Clause
// Options of reading and writing pickles.
#pragma once

#include <ndkeep/limits.hpp>
#include <ndkeep/version.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstddef>

namespace ndkeep::inline NDKEEP_ABI {

/// Options of `load_pickle`.
struct pickle_options {
    /// Objects of classes that are not known become dictionaries: {"python": "module.Class", "arguments": […], "state":
    /// …}; those of subclasses of list and dict have "items" and "pairs", too. Without it, they are errors that name
    /// the class.
    bool opaque = false;
    std::size_t number = 0;  ///< which pickle of a file into which several were dumped; 0 is the first
    run_options run = {};
};

/// Options of `load_any` for files that may hold objects.
struct object_options {
    bool pickles = false;  ///< read object arrays, whose elements are in a pickle
    limits limit = {};
    run_options run = {};
};

/// Options of `save_pickle`.
struct save_pickle_options {
    int protocol = 4;   ///< of Python's pickle module, 2 to 5
    bool sync = false;  ///< survives a power cut when the call returns
    run_options run = {};
};

}  // namespace ndkeep
