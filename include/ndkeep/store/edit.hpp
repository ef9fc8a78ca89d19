// SPDX-License-Identifier: BSD-3-Clause
// Edits of a chunked array, in a form that can be applied again to a newer commit of another writer.
#pragma once

#include <ndkeep/format/statistics.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/version.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// One edit of the rows, or of a note.
///
/// Its new files are staged already. The files that it replaces stay, because readers of older commits use them. The
/// edit names what it expects in the state, so that applying it to a newer state detects a conflict.
struct chunk_edit {
    enum class kind {
        append,       // adds rows at the end
        replace,      // puts other rows in place of present entries; at the end of the array, fewer or more rows too
        merge,        // puts the same rows into other files; may be dropped if it does not fit
        by_key,       // changes rows of a range of keys: fewer or more rows, anywhere in an ordered array
        grow,         // adds rows of zeros at the end
        replace_all,  // replaces all rows, with their dtype and row shape, or by no array; removes the notes
        set_note,     // changes no row: replaces a note
    };

    kind what = kind::append;
    std::uint64_t first_row = 0;                        // row at which it begins, when it was made
    std::vector<chunk_entry> removed = {};              // replace, merge, by_key: the entries expected there
    std::vector<chunk_entry> added = {};                // all but set_note
    std::shared_ptr<const chunk_state> anew = nullptr;  // replace_all: dtype, row shape, order and sum
    std::string note = {};                              // set_note: its name
    std::uint64_t from_step = 0;                        // set_note: the step of the note that it replaces
    dataset_note noted = {};                            // set_note: the new note
    std::string before = {}, after = {};                // by_key: the files of the entries around; "" at an end.
                                                        // append: that of the last entry when it was made
    std::uint64_t unchanged = 0;                        // by_key: rows at its begin that are as they were
    std::uint64_t low = 0, high = 0;                    // by_key: the first and last key, in the maker's own code
};

/// The number of rows of all entries.
[[nodiscard]] std::uint64_t rows_of(const std::vector<chunk_entry>& entries);

/// Gives the chunks that an edit expects, and those around it, the names that they have got since.
/// @param renamed  the new entries by the old file names
void rename_entries(chunk_edit& edit, const std::map<std::string, chunk_entry>& renamed);

/// Applies edits to a state.
class edit_maker {
  public:
    /// @param number   of the commit that will have the edits
    /// @param rebased  the edits were made on an older state
    edit_maker(chunk_state& state, std::uint64_t number, bool rebased = false)
        : state_(state), number_(number), rebased_(rebased) {}

    /// Applies one edit. False if it does not fit: the state then has the same rows, but an entry of zeros may be split
    /// in two.
    /// @param why  receives the reason: what another writer must have done
    [[nodiscard]] bool make(const chunk_edit& edit, std::string& why);

    /// The row at which the last edit was made.
    [[nodiscard]] std::uint64_t row() const noexcept { return row_; }

  private:
    /// Appends the added entries.
    void add(const chunk_edit& edit);

    [[nodiscard]] bool append(const chunk_edit& edit, std::string& why);

    [[nodiscard]] bool replace(const chunk_edit& edit, std::string& why);

    [[nodiscard]] bool change_by_key(const chunk_edit& edit, std::string& why);

    /// The row at which the entries of a by_key edit begin now. Other changes by key may have moved them. nullopt if
    /// they or the entries around them are not as they were.
    [[nodiscard]] std::optional<std::uint64_t> row_of(const chunk_edit& edit) const;

    /// Puts entries in place of the rows from `first_row` to `end_row`. False if an entry with a file would be split.
    [[nodiscard]] bool put_between(std::uint64_t first_row, std::uint64_t end_row,
                                   const std::vector<chunk_entry>& added);

    /// Whether these entries, in place of the rows from `first_row` to `end_row`, keep the order of the keys.
    [[nodiscard]] bool keeps_order(std::uint64_t first_row, std::uint64_t end_row,
                                   const std::vector<chunk_entry>& added) const;

    /// Whether exactly these entries follow from that row on. Adjacent rows of zeros count as one entry: how they are
    /// split has no meaning, and another writer's edit may have split them.
    [[nodiscard]] bool holds(std::uint64_t first_row, const std::vector<chunk_entry>& wanted) const;

    /// Whether rows with key `behind` may follow rows with key `before`. If a second field orders the rows, equal keys
    /// do not tell. Then they may only where the rows were checked, which is in the state that an edit was made on.
    [[nodiscard]] bool may_follow(const statistics::number& behind, const statistics::number& before) const;

    chunk_state& state_;
    std::uint64_t number_;
    bool rebased_;
    std::uint64_t row_ = 0;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/store/edit.ipp>
#endif
