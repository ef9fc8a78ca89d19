// SPDX-License-Identifier: BSD-3-Clause
// An array wherever it lies: in a file, an archive, the chunks of a folder. Its elements are read when asked for.
#pragma once

#include "array_word.hpp"
#include "slices.hpp"

#include <ndkeep/bytes/buffer.hpp>
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
    std::optional<std::string> member = {};  ///< of an archive
    ndkeep::array_info info = {};            ///< offsets count from the first element, wherever that is
    /// Whether bytes are to be read in their order: each costs all before it, and one thread at a time may read.
    bool is_in_order = false;
    /// Fills `out` with bytes of the data from `offset` on, in the order of `info`.
    std::function<void(std::uint64_t offset, std::span<std::byte> out)> read = {};
    /// The file, if it is all of one array.
    std::shared_ptr<const ndkeep::core::opened_array> single = {};

    /// The file, and behind a colon the member.
    [[nodiscard]] std::string name() const { return file.string() + (member ? ':' + *member : ""); }
};

/// Calls `use` with the array there, or with every array of an archive in turn. One that is damaged does not keep it
/// from the next; the first error is thrown at the end.
/// @return how many there were
/// @throws ndkeep::error  not what it should be, cut short, no such member
std::size_t for_each_array(const array_word& word, const std::function<void(const stored_array&)>& use);

/// The array there.
/// @throws ndkeep::mismatch_error  an archive of several, and no member is named
[[nodiscard]] stored_array array_of(const array_word& word);

/// Of one axis: indexes, ascending or not, in the order in which they are wanted.
using axis_indexes = std::vector<std::uint64_t>;

/// The elements at every combination of indexes, in row-major order, as they are in the file. Reads little more than
/// these, in the order of the file.
/// @throws ndkeep::mismatch_error  they would fill the memory
[[nodiscard]] ndkeep::core::buffer elements_at(const stored_array& array, const std::vector<axis_indexes>& axes);

}  // namespace tool
