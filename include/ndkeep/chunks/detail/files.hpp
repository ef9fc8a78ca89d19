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

/// The files of a transaction.
class chunk_files {
  public:
    explicit chunk_files(transaction& of) : transaction_(of) {}

    /// Puts rows into a file of their own.
    [[nodiscard]] chunk_entry put(std::uint64_t first_row, std::span<const std::byte> bytes);

    /// Rows that are there, one behind the other.
    /// @throws format_error, checksum_error  of a chunk that is not what it was
    [[nodiscard]] buffer rows(std::uint64_t first, std::uint64_t last) const;

    /// A staged chunk whose rows have another place in the array than its header was made for.
    /// Staged again if its padding depends on the place; the same entry otherwise.
    [[nodiscard]] chunk_entry moved(const moved_file& file);

  private:
    [[nodiscard]] const chunk_state& state() const noexcept { return transaction_.work(); }
    [[nodiscard]] place& where() const noexcept { return transaction_.where(); }

    transaction& transaction_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/files.ipp>
#endif
