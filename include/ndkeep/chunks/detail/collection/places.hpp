// SPDX-License-Identifier: BSD-3-Clause
// The arrays of a collection in a tree of places, such as a bucket, which has neither folders to rename nor locks.
//
// A removal is a commit, which says that there is no array. Writers that have the array open find it when they commit,
// and fail. Later writers begin a new array on top of it. The record of the removal stays: without it, the numbers of
// commits would begin again, and a writer that was stopped for long could commit rows whose files are gone.
#pragma once

#include <ndkeep/chunks/detail/collection/store.hpp>
#include <ndkeep/store/place.hpp>
#include <ndkeep/version.hpp>

#include <memory>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

class key_places final : public key_store {
  public:
    key_places(std::shared_ptr<place_tree> tree, key_form form);

    [[nodiscard]] dataset_location location(const key_texts& key) const override;
    [[nodiscard]] std::vector<key_texts> keys(const key_texts& prefix) const override;
    [[nodiscard]] bool contains(const key_texts& key) const override;
    [[nodiscard]] std::string identity(const key_texts& key) const override;
    [[nodiscard]] byte_locks kept_for_writer(const key_texts& key, durability wanted) const override;
    bool remove(const key_texts& key) const override;
    /// Removes the old commits and the files of arrays that were removed, as far as their age permits.
    void tidy() const override;

  private:
    /// The keys with a folder, which may hold no array. Each level is listed by several threads.
    [[nodiscard]] std::vector<key_texts> candidates(const key_texts& prefix) const;
    [[nodiscard]] std::shared_ptr<place> place_of(const key_texts& key) const;

    std::shared_ptr<place_tree> tree_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/collection/places.ipp>
#endif
