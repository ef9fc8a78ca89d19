// SPDX-License-Identifier: BSD-3-Clause
// Description of a chunked array, and verification of its records and chunks.
#pragma once

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/chunks/location.hpp>
#include <ndkeep/chunks/options.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/finding.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// A chunked array as one of its records describes it: the result of `inspect_chunked`.
struct chunked_info {
    dtype type;                           ///< of the elements
    std::vector<std::size_t> shape;       ///< of all rows
    std::uint64_t commit = 0;             ///< number of the commit
    std::uint64_t commits = 0;            ///< number of records present
    std::optional<std::string> order_by;  ///< the field whose values ascend; "": the rows themselves; nullopt: none
    std::string then_by;                  ///< the field that decides where those of `order_by` are equal; "": none
    checksum sum = checksum::none;        ///< the kind of the sums of `chunks`
    std::vector<chunk_entry> chunks;      ///< in the order of their rows
    json metadata;                        ///< of the dataset; {} if it has none
};

/// Options of `verify_chunked` and `findings_chunked`.
struct verify_chunked_options {
    std::optional<std::uint64_t> at_commit = std::nullopt;  ///< number of a retained commit; nullopt: the newest
    run_options run = {};
};

/// Describes the newest commit, or that of `.at_commit`, from its record and tables. No chunk is opened.
/// @throws io_error, format_error, checksum_error
[[nodiscard]] chunked_info inspect_chunked(const dataset_location& where, const chunk_reader_options& options = {});

/// Lists every problem of a version, none if it is sound: in its record, and in the file, header, length, checksum,
/// minimum and maximum of each chunk, and in the order of the keys. It reads all chunks completely.
[[nodiscard]] std::vector<finding> findings_chunked(const dataset_location& where,
                                                    const verify_chunked_options& options = {});

/// Makes the same checks as `findings_chunked`, and throws the first problem.
/// @throws io_error, format_error, checksum_error
void verify_chunked(const dataset_location& where, const verify_chunked_options& options = {});

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/verify.ipp>
#endif
