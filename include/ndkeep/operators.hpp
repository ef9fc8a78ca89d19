// SPDX-License-Identifier: BSD-3-Clause
// Operators on ordered rows in memory, at once or chunk by chunk: as-of joins, aggregates of segments, moving windows.
#pragma once

#include <ndkeep/array/any.hpp>               // any_array, visit
#include <ndkeep/array/field.hpp>             // field
#include <ndkeep/element/fields.hpp>          // NDKEEP_FIELDS
#include <ndkeep/element/text.hpp>            // fixed_string, fixed_u32string
#include <ndkeep/operators/aggregates.hpp>    // first, last, min, max, sum, count, mean, variance, quantile, reduce
#include <ndkeep/operators/as_of.hpp>         // as_of, as_of_each, as_of_rows
#include <ndkeep/operators/as_of_groups.hpp>  // as_of_groups
#include <ndkeep/operators/as_of_join.hpp>    // as_of_join
#include <ndkeep/operators/rolling.hpp>       // rolling, rolled
#include <ndkeep/operators/segments.hpp>      // segments, edges, rows
#include <ndkeep/operators/side_by_side.hpp>  // side_by_side
