// SPDX-License-Identifier: BSD-3-Clause
// A commit record: what one commit changes in each file, and the table of its images.
#pragma once

#include <ndkeep/os/page_tracker.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Writes the lowest bytes of a number, the least significant one first.
void put_number(std::byte* to, std::uint64_t value, int bytes);
/// The number in these bytes, the least significant one first.
[[nodiscard]] std::uint64_t number_at(const std::byte* from, int bytes);

/// What a commit does to the file of an array, and to its sidecar. Offsets are in bytes from the start of the file.
struct array_change {
    std::string name = {};       ///< of the array
    std::uint64_t inode = 0;     ///< of its file, so that recovery notices a file that another program has put there
    bool removed = false;        ///< the file and its sidecar are removed; nothing else below applies
    std::string made_as = {};    ///< a new file, with this name in the hidden folder; empty: the file exists
    std::uint64_t end = 0;       ///< end of the data
    page_run tail = {};          ///< bytes that were written behind the former end before the commit; may be empty
    std::uint32_t tail_sum = 0;  ///< their CRC-32C
    std::vector<page_run> images = {};        ///< bytes that the payload has
    std::optional<std::string> sidecar = {};  ///< the new sidecar; "" removes it
};

/// What a commit does to a document of the hidden folder.
struct document_change {
    std::string name = {};
    std::string text = {};  ///< "" removes it
};

/// One commit. The payload is the bytes of all images, in the order of this table.
struct commit_record {
    std::uint64_t number = 0;
    std::vector<array_change> arrays = {};
    std::vector<document_change> documents = {};

    /// Bytes of all images.
    [[nodiscard]] std::uint64_t payload_size() const;
};

/// The table of a record as bytes.
[[nodiscard]] std::vector<std::byte> table_bytes(const commit_record& record);

/// Reads a table.
/// @param file  named in errors
/// @throws format_error  the bytes are no table, or its images overlap or overflow
[[nodiscard]] commit_record parse_table(std::span<const std::byte> table, const std::filesystem::path& file);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/database/detail/record.ipp>
#endif
