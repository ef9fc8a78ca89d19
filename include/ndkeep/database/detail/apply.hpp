// SPDX-License-Identifier: BSD-3-Clause
// Applying commits of the log to the npy files. It may be repeated from any earlier commit on: the result is the same.
#pragma once

#include <ndkeep/database/detail/log.hpp>
#include <ndkeep/database/detail/record.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/os/directory.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/version.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Where an array is after some commits that the files may not have.
struct array_place {
    bool is_removed = false;
    std::string made_as = {};  ///< its file in the hidden folder; empty: NAME.npy
};

/// Looks for an array in commits; nullopt if they neither create nor remove it.
[[nodiscard]] std::optional<array_place> place_after(std::span<const logged_commit> commits, std::string_view name);

/// The names of all arrays after commits that the files may not have, sorted.
[[nodiscard]] std::set<std::string, std::less<>> names_after(const directory& root,
                                                             std::span<const logged_commit> commits);

/// The text of a document after commits that the folder may not have; nullopt if absent.
[[nodiscard]] std::optional<std::string> document_after(const directory& hidden, std::span<const logged_commit> commits,
                                                        const std::string& name);

/// The first bytes of a file as text, `most` at most; nullopt if absent. A directory, link or pipe has an empty text.
[[nodiscard]] std::optional<std::string> text_in(const directory& folder, const std::string& name,
                                                 std::uint64_t most = longest_sidecar);

/// Applies commits to the files of a database.
class commit_applier {
  public:
    /// @param opened  returns the file of an array that is open already, or null
    commit_applier(directory& root, directory& hidden, std::function<file*(const std::string&)> opened)
        : root_(root), hidden_(hidden), opened_(std::move(opened)) {}

    /// Checks the inode of every file against the log: another program may have put a new file there.
    bool check_inodes = false;
    /// Keep such files as they are, instead of an error.
    bool adopt = false;
    /// Sync every file that changes.
    bool sync = false;

    /// @throws io_error        a file cannot be written; call it again later
    /// @throws conflict_error  a file is missing, or is not the one that was changed
    void apply(std::span<const logged_commit> commits);

  private:
    void apply(const logged_commit& commit, std::size_t array);
    void replace(directory& in, const std::string& name, const std::string& text, const struct stat* like);

    directory& root_;
    directory& hidden_;
    std::function<file*(const std::string&)> opened_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/database/detail/apply.ipp>
#endif
