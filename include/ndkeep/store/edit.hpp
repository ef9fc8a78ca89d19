// SPDX-License-Identifier: BSD-3-Clause
// Changes of rows, as they can be made again on top of what others have committed meanwhile.
#pragma once

#include <ndkeep/store/state.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/version.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// One change. Its new files are there already; the old ones stay for those who read older commits.
struct chunk_edit {
    enum class kind {
        append,       // rows at the end
        replace,      // other rows for entries that are there; or fewer, at the end
        merge,        // the same rows in other files: nobody misses it if it no longer fits
        grow,         // rows of zeros at the end
        replace_all,  // all rows, and what they are
        move_loop,    // no row: how far a loop has come whose output the rows are
    };

    kind what = kind::append;
    std::uint64_t first_row = 0;            // at which it was made
    std::vector<chunk_entry> removed = {};  // of replace and merge
    std::vector<chunk_entry> added = {};
    std::shared_ptr<const chunk_state> anew = nullptr;  // of replace_all: dtype, row shape, order and sum
    std::string loop = {};                              // of move_loop
    std::uint64_t from_step = 0;                        // at which the loop was, 0 before its first
    json loop_state = {};                               // at which it is now, "step" among it
};

/// The step at which a loop is; 0 before its first.
[[nodiscard]] std::uint64_t loop_step(const json& loops, const std::string& name, const std::filesystem::path& file);

[[nodiscard]] std::uint64_t rows_of(const std::vector<chunk_entry>& entries);

/// Puts a file again whose rows now begin elsewhere, if that matters to it.
using chunk_mover = std::function<chunk_entry(const chunk_entry& entry, std::uint64_t from_row, std::uint64_t to_row)>;

/// Makes edits on a state.
class edit_maker {
  public:
    /// @param move  nullptr where no row can have another place than when it was staged
    edit_maker(chunk_state& state, std::uint64_t number, const chunk_mover& move)
        : state_(state), number_(number), move_(move) {}

    /// False where the edit does not fit; the state is then as it was, but for zeros that may be cut in two.
    /// @param why  becomes the reason
    [[nodiscard]] bool make(const chunk_edit& edit, std::string& why);

  private:
    void add(const chunk_edit& edit, std::uint64_t to_row);

    [[nodiscard]] bool append(const chunk_edit& edit, std::string& why);

    [[nodiscard]] bool replace(const chunk_edit& edit, std::string& why);

    /// Whether these entries would stand in order between their neighbours.
    [[nodiscard]] bool keeps_order(std::uint64_t first_row, std::uint64_t end_row,
                                   const std::vector<chunk_entry>& added) const;

    /// Whether just these entries begin at that row. Zeros may be cut in any way.
    [[nodiscard]] bool holds(std::uint64_t first_row, const std::vector<chunk_entry>& wanted) const;

    chunk_state& state_;
    std::uint64_t number_;
    const chunk_mover& move_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/store/edit.ipp>
#endif
