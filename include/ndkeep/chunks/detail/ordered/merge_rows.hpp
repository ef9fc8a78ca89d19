// SPDX-License-Identifier: BSD-3-Clause
// Changes of an ordered array by key: rows that are merged to where their keys belong, and rows that are erased.
#pragma once

#include <ndkeep/chunks/detail/files.hpp>
#include <ndkeep/chunks/detail/ordered/codes.hpp>
#include <ndkeep/chunks/detail/ordered/cutter.hpp>
#include <ndkeep/chunks/detail/ordered/unique.hpp>
#include <ndkeep/store/commit.hpp>
#include <ndkeep/store/edit.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/version.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Codes from `low` to `high`, both included.
struct code_range {
    key_code low = 0, high = 0;
};

/// Changes the rows of a transaction by key. Only chunks whose keys meet those of the change are written again, and
/// small chunks next to them if there are many. With one thread it holds a chunk of old rows and one of new rows. With
/// more, the next chunk is read and the last one written meanwhile, which are held too.
class key_changes {
  public:
    /// @param coalesce_above  see merge_options
    /// @param threads         that write chunks; each holds one
    key_changes(transaction& of, chunk_files& files, const cut_rule& rule, std::uint64_t coalesce_above,
                unsigned threads)
        : transaction_(of), files_(files), rule_(rule), coalesce_above_(coalesce_above), threads_(threads) {}

    /// Merges rows, which are sorted, behind present rows with equal keys.
    /// @param unique  nullptr: equal rows stay
    void merge(std::span<const std::byte> given, std::size_t rows, const compared_values* unique,
               progress_meter& meter);

    /// Removes the rows with codes in a range, and returns how many they were.
    std::uint64_t erase(const code_range& range);

    /// Makes an edit again whose chunks others have changed. Rows with keys in the range of the edit must be the same
    /// in both states.
    /// @param before  the state that the edit was made on
    /// @throws conflict_error  they are not
    void make_again(const chunk_state& before, const chunk_edit& edit);

  private:
    /// A chunk of a state, and where its keys lie. An edit of the state ends its life.
    struct placed_chunk {
        const chunk_entry* entry = nullptr;
        std::uint64_t row = 0;  // its first
        key_code low = 0, high = 0;
    };
    /// Adjacent chunks that become others, and given rows between them or in their place.
    struct region {
        std::size_t begin = 0, end = 0;            // chunks
        std::size_t rows_begin = 0, rows_end = 0;  // given rows
        std::uint64_t row = 0;                     // the first of the chunks
        std::vector<chunk_entry> chunks = {};
    };

    [[nodiscard]] const chunk_state& state() const noexcept { return transaction_.work(); }

    [[nodiscard]] std::vector<placed_chunk> placed(const chunk_state& of) const;

    [[nodiscard]] std::vector<region> regions_of(const std::vector<placed_chunk>& chunks, const row_codes& given,
                                                 bool closed) const;

    /// Extends regions over small neighbours, if there are many.
    void coalesce(std::vector<region>& regions, const std::vector<placed_chunk>& chunks, const row_codes& given) const;
    void coalesce_by_rows(region& one, const std::vector<placed_chunk>& chunks) const;
    void coalesce_by_period(region& one, const std::vector<placed_chunk>& chunks, const row_codes& given) const;

    /// Merges the rows of a region into `to`.
    /// @returns the number of old rows at its begin that have lesser keys than all given ones
    std::uint64_t merge_region(const region& one, std::span<const std::byte> given, const row_codes& codes,
                               unique_rows& to) const;

    /// Copies the entries of chunks [begin, end).
    [[nodiscard]] static std::vector<chunk_entry> copied(const std::vector<placed_chunk>& chunks, std::size_t begin,
                                                         std::size_t end);

    /// Notes the edit that puts `added` in place of the chunks from `row` on.
    void replace(std::uint64_t row, std::vector<chunk_entry>&& removed, std::vector<chunk_entry>&& added,
                 const code_range& keys, std::uint64_t unchanged);

    /// The rows of a chunk, checked, with their codes.
    struct read_rows {
        std::vector<std::byte> bytes;
        row_codes codes;
    };
    void read(const chunk_state& of, const chunk_entry& entry, read_rows& out) const;

    /// Whether rows with codes in a range are the same in two states.
    [[nodiscard]] bool same_rows(const chunk_state& a, const chunk_state& b, const code_range& range) const;

    transaction& transaction_;
    chunk_files& files_;
    cut_rule rule_;
    std::uint64_t coalesce_above_;
    unsigned threads_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/ordered/merge_again.ipp>
#include <ndkeep/chunks/detail/ordered/merge_rows.ipp>
#endif
