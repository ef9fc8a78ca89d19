// SPDX-License-Identifier: BSD-3-Clause
// What a collection needs of its storage, with keys as texts.
#pragma once

#include <ndkeep/chunks/detail/collection/key.hpp>
#include <ndkeep/chunks/location.hpp>
#include <ndkeep/os/durability.hpp>
#include <ndkeep/os/locks/byte_locks.hpp>
#include <ndkeep/version.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The arrays of a collection. All functions are called by several threads at once.
class key_store {
  public:
    key_store(const key_store&) = delete;
    key_store& operator=(const key_store&) = delete;
    virtual ~key_store() = default;

    [[nodiscard]] const std::filesystem::path& root() const noexcept { return root_; }

    /// The display path of a key: in a directory, its folder.
    /// @throws mismatch_error  a field cannot be the name of a folder
    [[nodiscard]] std::filesystem::path path(const key_texts& key) const;
    /// The location of the array of a key.
    /// @throws mismatch_error  a field cannot be the name of a folder
    [[nodiscard]] virtual dataset_location location(const key_texts& key) const = 0;

    /// The keys that begin with `prefix`, sorted.
    /// @throws mismatch_error  a field of the prefix cannot be the name of a folder
    [[nodiscard]] virtual std::vector<key_texts> keys(const key_texts& prefix) const = 0;

    /// Whether a key has an array: a chunked array with at least one commit.
    [[nodiscard]] virtual bool contains(const key_texts& key) const = 0;
    /// A text that differs after the array of a key was removed and made again; "" if no array can be told from the
    /// next.
    [[nodiscard]] virtual std::string identity(const key_texts& key) const = 0;

    /// Creates the folder of a key, and keeps it from being removed as long as the result lives.
    /// @throws conflict_error  others remove it faster than it is created
    [[nodiscard]] virtual byte_locks kept_for_writer(const key_texts& key, durability wanted) const = 0;

    /// Removes the array of a key.
    /// @returns whether there was one
    virtual bool remove(const key_texts& key) const = 0;

    /// Deletes everything that removals have left, unless it is still being read. An error of one array does not keep
    /// it from treating the others; the first is thrown at the end.
    virtual void tidy() const = 0;

  protected:
    key_store(std::filesystem::path root, key_form form) : root_(std::move(root)), form_(std::move(form)) {}

    /// The names below these fields that can be fields of keys, in the order of keys.
    [[nodiscard]] std::vector<std::string> sorted_fields(std::vector<std::string> names, std::size_t depth) const;

    std::filesystem::path root_;
    key_form form_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/collection/store.ipp>
#endif
