// SPDX-License-Identifier: BSD-3-Clause
// Nested dictionaries and lists, with arrays as leaves, in one archive.
#pragma once

#include <ndkeep/array/any.hpp>       // any_array, visit
#include <ndkeep/array/field.hpp>     // field
#include <ndkeep/element/fields.hpp>  // NDKEEP_FIELDS
#include <ndkeep/element/text.hpp>    // fixed_string, fixed_u32string
#include <ndkeep/tree/save.hpp>       // save_tree, load_tree, open_tree
#include <ndkeep/tree/tree.hpp>       // tree
