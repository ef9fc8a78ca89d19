// SPDX-License-Identifier: BSD-3-Clause
// The folders of a collection in a directory: listing, creation and removal.
//
// Removal, step by step. Writers of other keys create folders meanwhile, others remove keys, and each may be killed.
//
//  1. Open the folder of the key, and lock `lock_writing` in it exclusively. Every writer holds that lock shared: a
//     commit into a folder that is about to go would be acknowledged and lost.
//  2. Check that the path still leads to the folder. Another removal may have moved it before step 1 had the lock.
//  3. Rename the folder to a hidden name beside it, which is no key. From here on the key is absent, for all at once.
//     Readers have the folder open, and go on reading.
//  4. Sync the names of the folder above.
//  5. Ask for readers. If there are any, the hidden folder stays. Otherwise delete it.
//  6. Delete the hidden folders beside it that others have left, and that nobody reads.
//  7. Remove the folders above, as long as they are empty.
//
// Creation makes the folders from the top, and starts again if one of them disappears (step 7 of a removal). In the
// last one it takes `lock_writing` shared, then checks that the path still leads there. From then on, and until it has
// released the lock, nobody removes the folder; and those above it are not empty.
#pragma once

#include <ndkeep/chunks/detail/collection/store.hpp>
#include <ndkeep/os/directory.hpp>
#include <ndkeep/os/durability.hpp>
#include <ndkeep/os/locks/byte_locks.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

class key_folders final : public key_store {
  public:
    key_folders(const std::filesystem::path& root, key_form form);

    [[nodiscard]] dataset_location location(const key_texts& key) const override { return path(key); }
    [[nodiscard]] std::vector<key_texts> keys(const key_texts& prefix) const override;
    [[nodiscard]] bool contains(const key_texts& key) const override;
    [[nodiscard]] std::string identity(const key_texts& key) const override;
    [[nodiscard]] byte_locks kept_for_writer(const key_texts& key, durability wanted) const override;
    bool remove(const key_texts& key) const override;
    /// Removes empty folders above keys, too.
    void tidy() const override { tidy(root_, 0); }

  private:
    void collect(const std::filesystem::path& folder, const key_texts& prefix, key_texts& above,
                 std::vector<key_texts>& found) const;

    /// The folder of a key, created if absent; nullopt if one of its folders disappears meanwhile.
    [[nodiscard]] std::optional<directory> created(const key_texts& key, durability wanted) const;

    /// Steps 1 to 5.
    /// @returns whether the key had an array, and whether a folder was renamed
    static std::pair<bool, bool> moved_away(const std::filesystem::path& target);
    /// Steps 6 and 7. If nothing was renamed, step 7 follows only if step 6 has deleted something.
    void remove_empty_above(const std::filesystem::path& target, bool is_moved) const;

    /// @param depth  number of fields above
    void tidy(const std::filesystem::path& folder, std::size_t depth) const;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/collection/folders.ipp>
#endif
