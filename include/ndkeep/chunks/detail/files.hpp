// SPDX-License-Identifier: BSD-3-Clause
// Chunk files of a writer: rows put into new ones, and read out of those that are there, checked, to be written again.
#pragma once

#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/store/commit.hpp>
#include <ndkeep/store/place.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The files behind a staging.
class chunk_files {
  public:
    explicit chunk_files(staging& of) : staging_(of) {}

    /// Puts rows into a file of their own.
    [[nodiscard]] chunk_entry put(std::uint64_t first_row, std::span<const std::byte> bytes);

    /// Rows that are there, one behind the other.
    /// @throws format_error, checksum_error  of a chunk that is not what it was
    [[nodiscard]] buffer rows(std::uint64_t first, std::uint64_t last) const;

    /// A staged chunk whose rows have another place in the array than its header was made for.
    [[nodiscard]] chunk_entry moved(const chunk_entry& entry, std::uint64_t from_row, std::uint64_t to_row);

  private:
    [[nodiscard]] const chunk_state& state() const noexcept { return staging_.work(); }
    [[nodiscard]] place& where() const noexcept { return staging_.where(); }

    staging& staging_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/files.ipp>
#endif
