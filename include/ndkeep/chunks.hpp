// SPDX-License-Identifier: BSD-3-Clause
// One long array in ordered, immutable chunk files with a log of commits.
#pragma once

#include <ndkeep/array/any.hpp>            // any_array, visit
#include <ndkeep/array/field.hpp>          // field
#include <ndkeep/chunks/collection.hpp>    // collection, NDKEEP_KEY, key_less
#include <ndkeep/chunks/in_step.hpp>       // in_step
#include <ndkeep/chunks/location.hpp>      // dataset_location
#include <ndkeep/chunks/memory_place.hpp>  // memory_place
#include <ndkeep/chunks/reader.hpp>        // chunk_reader, load_chunked, map_chunked
#include <ndkeep/chunks/save.hpp>          // save_chunked, describe_, compact_, prune_ and recover_chunked
#include <ndkeep/chunks/verify.hpp>        // inspect_chunked, findings_chunked, verify_chunked
#include <ndkeep/chunks/writer.hpp>        // chunk_writer
#include <ndkeep/element/fields.hpp>       // NDKEEP_FIELDS
#include <ndkeep/element/text.hpp>         // fixed_string, fixed_u32string
