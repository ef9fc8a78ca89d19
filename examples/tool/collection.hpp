// SPDX-License-Identifier: BSD-3-Clause
// Collections: folders of chunked arrays, each under a key of one or more folders.
#pragma once

#include "nodes.hpp"
#include "terminal.hpp"

#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tool {

/// One array of a collection.
struct keyed_array {
    node array = {};  ///< named by its key: "xnas/AAPL/2026"
    std::uint64_t rows = 0;
    std::optional<std::string> order_by = {};  ///< a field, or "" for the rows themselves; nullopt: no order
    ndkeep::dtype key_type = {};               ///< of the values that order the rows
    std::optional<ndkeep::statistics::number> first = {}, last = {};  ///< the least and the greatest of them
};

struct collection_listing {
    std::vector<keyed_array> arrays = {};  ///< sorted by key: numbers by value, before text by bytes
    std::vector<std::string> foreign =
        {};  ///< names that belong to no array, sorted; those of folders end with a slash
};

/// Lists a folder of chunked arrays, which are all directly in it and beside files only, or all deeper. Reads records
/// only. Names that begin with a dot are ignored, and links to folders that are no array are not followed. In a bucket,
/// arrays may be at any depth.
/// @return nullopt for any other folder: one with other arrays directly in it, one with chunked arrays and other
///         folders, or one without chunked arrays in the first 1000 folders in it
/// @throws ndkeep::io_error  the folder cannot be listed; or Ctrl-C
[[nodiscard]] std::optional<collection_listing> collection_in(const std::filesystem::path& folder,
                                                              const ndkeep::run_options& run);

/// The listing as a table, and the foreign names below it.
/// @param exact  sizes in bytes, without units
[[nodiscard]] std::string text_of(const collection_listing& of, const terminal& screen, bool exact);

[[nodiscard]] json_object json_of(const std::filesystem::path& folder, const collection_listing& of);

}  // namespace tool
