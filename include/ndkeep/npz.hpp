// SPDX-License-Identifier: BSD-3-Clause
// Named arrays in one npz archive: reading, writing, mapping and checking.
#pragma once

#include <ndkeep/array/any.hpp>       // any_array, visit
#include <ndkeep/array/field.hpp>     // field
#include <ndkeep/element/fields.hpp>  // NDKEEP_FIELDS
#include <ndkeep/element/text.hpp>    // fixed_string, fixed_u32string
#include <ndkeep/npz/reader.hpp>      // npz_reader
#include <ndkeep/npz/recover.hpp>     // recoverable_members, recover_npz
#include <ndkeep/npz/verify.hpp>      // inspect_npz, findings_npz, verify_npz
#include <ndkeep/npz/writer.hpp>      // npz_writer, save_npz
