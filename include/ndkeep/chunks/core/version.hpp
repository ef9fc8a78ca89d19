// SPDX-License-Identifier: BSD-3-Clause
// One version of a chunked array, whatever the type of its rows: its chunks read, mapped and found by their numbers.
#pragma once

#include <ndkeep/chunks/detail/file.hpp>
#include <ndkeep/chunks/options.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/store/log.hpp>
#include <ndkeep/store/place.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/version.hpp>

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

/// One commit of a chunked array, held open: rows of any dtype, read and mapped chunk by chunk.
class chunk_version {
  public:
    chunk_version(std::unique_ptr<place> where, const chunk_reader_options& options);

    [[nodiscard]] place& where() const noexcept { return *place_; }
    [[nodiscard]] const chunk_state& state() const noexcept { return opened_.state; }
    [[nodiscard]] const std::vector<chunk_entry>& entries() const noexcept { return entries_; }
    [[nodiscard]] std::uint64_t first_row(std::size_t i) const { return i == 0 ? 0 : ends_[i - 1]; }
    [[nodiscard]] std::vector<std::size_t> shape() const {
        return detail::shape_of_rows(state().rows, state().row_shape);
    }
    [[nodiscard]] std::filesystem::path called() const { return place_->path(); }

    /// What an npy file of all rows would say of them.
    [[nodiscard]] array_info info() const { return {.type = state().type, .shape = shape()}; }

    /// The id of a commit; nothing where it is pruned, or not made yet.
    [[nodiscard]] std::optional<std::string> identity_of(std::uint64_t number) const;
    /// Makes the names of all commits durable that can be seen: who relies on this version after a power cut needs it.
    void make_durable() const { place_->sync_names("commits"); }

    /// @throws conflict_error  the version was pruned
    /// @throws format_error    it was not, and the file is gone all the same
    [[noreturn]] void missing(const chunk_entry& entry) const;

    /// The file of a chunk, as long as it should be.
    [[nodiscard]] file open(const chunk_entry& entry) const;

    void check_length(const chunk_entry& entry, std::uint64_t size) const;

    void check_sum(const chunk_entry& entry, std::uint64_t at, const std::string& found) const;

    /// The rows of a chunk, or a part of them; its sum is checked if they are all.
    void read_chunk(std::size_t i, std::uint64_t from, std::uint64_t to, std::byte* out) const;

    /// Rows from `first` to `last` as elements of another layout or byte order, in row-major order.
    void read(std::uint64_t first, std::uint64_t last, const conversion& convert, std::byte* out) const;

    /// The rows of a chunk where they lie in their file.
    [[nodiscard]] mapping map_chunk(std::size_t i, std::size_t alignment) const;

    void verify(std::size_t i, std::span<const std::byte> rows) const;

    /// @throws mismatch_error  so many rows are more than memory is to hold
    void check_room(std::uint64_t rows) const;

    /// The chunk that holds a row.
    [[nodiscard]] std::size_t chunk_of(std::uint64_t row) const;

    /// Rows outside of which no number from `low` to `high` is, as far as what is kept about the chunks tells.
    [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> find(const statistics::number& low,
                                                               const statistics::number& high) const;

    [[nodiscard]] const chunk_reader_options& options() const noexcept { return options_; }

  private:
    std::unique_ptr<place> place_;
    chunk_reader_options options_;
    detail::commit_log log_;
    detail::opened_state opened_;
    std::vector<chunk_entry> entries_;
    std::vector<std::uint64_t> ends_;  // rows up to the end of each chunk
};

}  // namespace core

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/version.ipp>
#endif
