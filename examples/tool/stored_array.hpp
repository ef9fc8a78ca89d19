// SPDX-License-Identifier: BSD-3-Clause
// An array in a file, an archive, a pickle or a chunked array. Its elements are read on demand.
#pragma once

#include "array_word.hpp"
#include "slices.hpp"

#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/chunks/core/version.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/npy/inspect.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace tool {

struct stored_array {
    std::filesystem::path file = {};
    std::optional<std::string> member = {};  ///< name of the archive member, or path in a pickle
    ndkeep::array_info info = {};            ///< offsets count from the first element, wherever the data is stored
    /// Whether bytes must be read in ascending order: each read expands all bytes before it, and only one thread may
    /// read.
    bool is_in_order = false;
    /// Fills `out` with bytes of the data, starting at `offset`, in the element order of `info`.
    std::function<void(std::uint64_t offset, std::span<std::byte> out)> read = {};
    /// The opened file, if it holds only this array; otherwise null.
    std::shared_ptr<const ndkeep::core::opened_array> single = {};
    /// The opened version of a chunked array; otherwise null.
    std::shared_ptr<const ndkeep::core::chunk_version> chunks = {};

    /// FILE, or FILE:MEMBER in an archive.
    [[nodiscard]] std::string name() const { return file.string() + (member ? ':' + *member : ""); }
};

/// Calls `use` with the array that is named, or with every array of an archive, or of a value in a pickle, in turn. A
/// damaged array does not stop the loop; the first error is thrown at the end.
/// @return number of arrays
/// @throws ndkeep::error  wrong format, truncated data, or no such member
std::size_t for_each_array(const array_word& word, const std::function<void(const stored_array&)>& use);

/// The array that is named.
/// @throws ndkeep::mismatch_error  no member is named, and the archive or value does not hold exactly one array
[[nodiscard]] stored_array array_of(const array_word& word);

/// Indexes along one axis, in the order of the result. They need not be sorted.
using axis_indexes = std::vector<std::uint64_t>;

/// Gathers the elements at every combination of indexes, in row-major order and in the dtype of the file. Reads in file
/// order, and little more than the requested elements.
/// @throws ndkeep::mismatch_error  the result would not fit in memory
[[nodiscard]] ndkeep::core::buffer elements_at(const stored_array& array, const std::vector<axis_indexes>& axes);

}  // namespace tool
