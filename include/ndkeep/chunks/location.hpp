// SPDX-License-Identifier: BSD-3-Clause
// The location of a chunked array: a directory, or any other place.
#pragma once

#include <ndkeep/store/place.hpp>
#include <ndkeep/version.hpp>

#include <concepts>
#include <filesystem>
#include <memory>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

template <class T>
concept path_like = std::convertible_to<const T&, std::filesystem::path>;

/// Has a member function `place` that returns a pointer to a place.
template <class T>
concept place_giver = requires(const T& location) {
    { location.place() } -> std::convertible_to<std::shared_ptr<place>>;
};

/// Has a member function `tree` that returns a pointer to a tree of places.
template <class T>
concept tree_giver = requires(const T& location) {
    { location.tree() } -> std::convertible_to<std::shared_ptr<place_tree>>;
};

}  // namespace detail

/// Where a chunked array is: it converts from a path, which names a directory, and from a pointer to a `place`. Every
/// function on chunked arrays takes one.
///
///     save_chunked("readings", a);
///     const auto memory = std::make_shared<memory_place>();
///     save_chunked(memory, a);
///
/// Readers and writers share a place that they are given. If they are used in several threads, all functions of the
/// place must be callable by several threads at once. Those of memory_place are, those of local_place are not: for a
/// directory, give each thread the path.
class dataset_location {
  public:
    /// A directory, which need not exist yet.
    template <detail::path_like Path>
    dataset_location(const Path& path) : path_(path) {}

    /// A place, such as a `memory_place`, that the readers and writers share.
    /// @throws mismatch_error  the pointer is null
    template <std::derived_from<place> Place>
    dataset_location(std::shared_ptr<Place> where) : dataset_location(given(), std::move(where)) {}
    template <std::derived_from<place> Place>
    dataset_location(std::unique_ptr<Place> where) : dataset_location(std::shared_ptr<Place>(std::move(where))) {}

    /// Anything with a member function `place` that returns one, such as a location in a bucket.
    template <detail::place_giver Location>
    dataset_location(const Location& location) : dataset_location(given(), location.place()) {}

    /// The display path: of the directory, without a slash at the end, or of the place.
    [[nodiscard]] std::filesystem::path path() const;

    /// The place. A directory is opened anew by each call.
    /// @param wanted  for a directory; other places allow what they allow
    /// @throws io_error  the directory is absent, or cannot be created or opened
    [[nodiscard]] std::shared_ptr<place> open(local_place::access wanted) const;

  private:
    struct given {};
    dataset_location(given, std::shared_ptr<place> where);

    std::filesystem::path path_;    // of a directory
    std::shared_ptr<place> place_;  // nullptr for a directory
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/location.ipp>
#endif
