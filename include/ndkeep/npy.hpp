// SPDX-License-Identifier: BSD-3-Clause
// One array in one file: npy files, files without a header, and their sidecars.
#pragma once

#include <ndkeep/array/any.hpp>                 // any_array, visit
#include <ndkeep/array/field.hpp>               // field
#include <ndkeep/element/fields.hpp>            // NDKEEP_FIELDS
#include <ndkeep/element/text.hpp>              // fixed_string, fixed_u32string
#include <ndkeep/npy/append.hpp>                // append
#include <ndkeep/npy/describe.hpp>              // describe, metadata, verify, findings
#include <ndkeep/npy/inspect.hpp>               // inspect, inspect_all
#include <ndkeep/npy/load.hpp>                  // load, load_any, load_raw
#include <ndkeep/npy/map.hpp>                   // map, create, map_raw, create_raw
#include <ndkeep/npy/next_name.hpp>             // next_name
#include <ndkeep/npy/recover.hpp>               // recover, recover_rows, complete_rows
#include <ndkeep/npy/save.hpp>                  // save, save_bytes
#include <ndkeep/statistics/statistics_of.hpp>  // statistics_of
