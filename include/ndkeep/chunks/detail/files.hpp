// SPDX-License-Identifier: BSD-3-Clause
// Chunk files of a writer: writes new files, and reads rows of existing ones, checked, to write them again.
#pragma once

#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/store/commit.hpp>
#include <ndkeep/store/place.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Writes and reads the chunk files of a transaction.
class chunk_files {
  public:
    explicit chunk_files(transaction& of) : transaction_(of) {}

    /// Writes rows to a new file, and returns its entry with checksum, minimum and maximum. No reader sees the file
    /// before a commit names it. Several threads may call this.
    /// @param first_row  the row of the array at which they begin; it decides the length of the header
    [[nodiscard]] chunk_entry put(std::uint64_t first_row, std::span<const std::byte> bytes);

    /// Rows `first` to `last`, contiguous in memory. The checksum of every chunk that holds some of them is checked.
    /// @throws format_error    a chunk file is missing or truncated
    /// @throws checksum_error  a chunk has changed
    [[nodiscard]] buffer rows(std::uint64_t first, std::uint64_t last) const;

    /// Reads all rows of a chunk that `of` names, checked.
    /// @param out  receives them; its memory is used again, because fresh memory costs as much as reading
    /// @throws format_error, checksum_error  as `rows`
    void read(const chunk_state& of, const chunk_entry& entry, std::vector<std::byte>& out) const;

    /// Writes a staged chunk again if its rows have moved to another place in the array and its header no longer fits.
    /// This happens if another writer has committed rows before it. Otherwise it returns the entry unchanged.
    /// @throws conflict_error  the file was swept
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
