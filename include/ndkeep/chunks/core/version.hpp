// SPDX-License-Identifier: BSD-3-Clause
// One commit of a chunked array without the C++ type of its rows: reading, mapping and searching its chunks.
#pragma once

#include <ndkeep/chunks/detail/file.hpp>
#include <ndkeep/chunks/location.hpp>
#include <ndkeep/chunks/options.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/element/strided.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/store/layout.hpp>
#include <ndkeep/store/log.hpp>
#include <ndkeep/store/place.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/version.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace core {

class chunk_version;

/// The bytes of one chunk, header and rows: a local file, or ranges of a place that has none. It must not outlive its
/// chunk_version.
class opened_chunk {
  public:
    /// Fills `out` with the bytes from `offset` on. Offset 0 is the first byte of the header.
    /// @throws conflict_error, format_error  the chunk was removed meanwhile: see `chunk_version::missing`
    void read(std::uint64_t offset, std::span<std::byte> out) const;

    /// The file to map; nullptr if the place has none.
    [[nodiscard]] const file* local_file() const noexcept { return file_ ? &*file_ : nullptr; }

  private:
    friend class chunk_version;
    opened_chunk(const chunk_version& of, const chunk_entry& entry, std::optional<file>&& local)
        : of_(&of), entry_(&entry), file_(std::move(local)) {}

    const chunk_version* of_;
    const chunk_entry* entry_;
    std::optional<file> file_;
};

/// One commit of a chunked array, held open. Rows have any dtype.
///
/// A shared lock on the number of the commit keeps it from being pruned for as long as this object lives. Places
/// without locks, and directories without a lock file, have no such protection: see `missing`.
class chunk_version {
  public:
    chunk_version(const dataset_location& where, const chunk_reader_options& options);

    [[nodiscard]] place& where() const noexcept { return *place_; }
    [[nodiscard]] const chunk_state& state() const noexcept { return opened_.state; }
    [[nodiscard]] const std::vector<chunk_entry>& entries() const noexcept { return entries_; }
    [[nodiscard]] std::uint64_t first_row(std::size_t i) const { return i == 0 ? 0 : ends_[i - 1]; }
    [[nodiscard]] std::vector<std::size_t> shape() const {
        return detail::shape_of_rows(state().rows, state().row_shape);
    }
    [[nodiscard]] std::filesystem::path called() const { return place_->path(); }

    /// Another commit of the same array, held open; nullptr if it is pruned.
    /// @throws checksum_error, format_error  its record is damaged
    [[nodiscard]] std::unique_ptr<const chunk_version> at_commit(std::uint64_t number) const;

    /// The npy header that a single file with all rows would have.
    [[nodiscard]] array_info info() const { return {.type = state().type, .shape = shape()}; }

    /// The random id of a commit; nullopt if it is pruned or does not exist yet.
    [[nodiscard]] std::optional<std::string> identity_of(std::uint64_t number) const;
    /// Syncs the names of all visible commits. A loop needs it before it stores a position in this version: a commit is
    /// visible before it is durable, and after a power cut another commit could have its number.
    void make_durable() const { place_->sync_names(detail::commits_folder); }

    /// Reports a chunk file that is missing.
    /// @throws conflict_error  the commit was pruned
    /// @throws format_error    the commit is still present, so the dataset is damaged
    [[noreturn]] void missing(const chunk_entry& entry) const;

    /// Opens a chunk and checks its length.
    /// @throws format_error    the length is wrong, or the chunk is missing
    /// @throws conflict_error  the commit was pruned
    [[nodiscard]] opened_chunk open(const chunk_entry& entry) const;

    /// The local file of a chunk, with its length checked; nullopt if the place has none, also if the chunk is missing.
    [[nodiscard]] std::optional<file> local_file(const chunk_entry& entry) const;

    /// Whether chunks take time to come, so that they are worth fetching ahead in a thread: over a network, or because
    /// a chunk was asked for that the place does not have as a file, and was read into memory.
    [[nodiscard]] bool is_slow() const noexcept { return is_distant_ || reads_into_memory_; }
    /// How many chunks from chunk `i` on to fetch at once while others are processed: together at most
    /// 128 MiB, or one larger chunk.
    [[nodiscard]] std::size_t ahead(std::size_t i) const;

    /// @param size  bytes of the chunk file: header and rows
    /// @throws format_error  the entry says another size
    void check_length(const chunk_entry& entry, std::uint64_t size) const;

    /// @param at     first row of the chunk, for the error
    /// @param found  checksum of all rows of the chunk, in hex
    /// @throws checksum_error  the entry has another checksum; one without a checksum passes
    void check_sum(const chunk_entry& entry, std::uint64_t at, const std::string& found) const;

    /// Reads rows `from` to `to` of chunk `i`. Rows are numbered from the start of the dataset. The checksum is checked
    /// only if all rows of the chunk are read.
    void read_chunk(std::size_t i, std::uint64_t from, std::uint64_t to, std::byte* out) const;

    /// Reads rows `first` to `last` in parallel, converts them, and stores them in row-major order.
    void read(std::uint64_t first, std::uint64_t last, const conversion& convert, std::byte* out) const;

    /// Maps the rows of a chunk, read-only. If the place has no file of it, or if the offset of the rows in the file is
    /// not a multiple of `alignment` bytes, they are copied into memory instead. A chunk of zeros is anonymous memory.
    [[nodiscard]] mapping map_chunk(std::size_t i, std::size_t alignment) const;

    /// Checks all rows of chunk `i` against its checksum. Chunks without a checksum pass.
    /// @throws checksum_error  the rows have changed
    void verify(std::size_t i, std::span<const std::byte> rows) const;

    /// @throws mismatch_error  so many rows have more than `.max_bytes` bytes
    void check_room(std::uint64_t rows) const;

    /// The index of the chunk that holds a row.
    [[nodiscard]] std::size_t chunk_of(std::uint64_t row) const;

    /// The shortest range of chunks, as rows, that holds every number from `low` to `high`. It depends only on the
    /// minimum and maximum of each chunk. Chunks whose entries have none are read; no other chunk file is opened. Empty
    /// if no chunk can hold such a number; all rows if their dtype has no stored minimum and maximum.
    [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> find(const statistics::number& low,
                                                               const statistics::number& high) const;

    /// The rows with low <= key < high, of rows that are ordered. If a field orders them first and another one second,
    /// the key is the first.
    ///
    /// The chunks are found by the minimum and maximum of their entries, and the rows in a chunk by reading single keys
    /// of it. Chunks whose entries have neither are asked for their first and last key.
    /// @throws mismatch_error  the rows have no order, or a bound is NaN
    [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> rows_between(const statistics::number& low,
                                                                       const statistics::number& high) const;

    /// The first row whose key is not less than `key`; the number of rows if there is none. So it is also the number of
    /// rows below the key.
    /// @throws mismatch_error  the rows have no order, or the key is NaN
    [[nodiscard]] std::uint64_t first_row_from(const statistics::number& key) const;

    /// The key of a row of ordered rows. Opens the chunk, unless the entry tells the key.
    [[nodiscard]] statistics::number key_of(std::uint64_t row) const;
    /// The keys of the first and of the last row of chunk `i`. Without a minimum and maximum in its entry, they are
    /// read.
    [[nodiscard]] statistics::number first_key(std::size_t i) const;
    [[nodiscard]] statistics::number last_key(std::size_t i) const;

    [[nodiscard]] const chunk_reader_options& options() const noexcept { return options_; }

  private:
    /// The key of a row of an opened chunk, numbered from the start of the chunk.
    [[nodiscard]] statistics::number read_key(const opened_chunk& source, std::uint64_t row) const;

    dataset_location location_;
    // The order matters: log_ refers to the place, and opened_ is read through log_.
    std::shared_ptr<place> place_;
    chunk_reader_options options_;
    detail::commit_log log_;
    detail::opened_state opened_;
    std::vector<chunk_entry> entries_;
    std::vector<std::uint64_t> ends_;  // number of rows up to the end of each chunk
    bool is_distant_;
    mutable std::atomic<bool> reads_into_memory_ = false;
};

}  // namespace core

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/version.ipp>
#endif
