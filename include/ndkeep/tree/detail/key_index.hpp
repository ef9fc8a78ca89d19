// SPDX-License-Identifier: BSD-3-Clause
// The index of a dictionary's keys: from a key to its position.
#pragma once

#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

inline constexpr std::size_t no_place = static_cast<std::size_t>(-1);

/// Finds positions in a vector of keys.
///
/// A hash table. Once a search passes many slots it becomes a sorted set, because the keys of a hostile file could all
/// have the same hash, which would make each search linear.
class key_index {
  public:
    /// An index of the first `count` keys, which must differ, with room for all. Refers to the vector.
    key_index(const std::vector<std::string>& keys, std::size_t count);
    key_index(const key_index&) = delete;
    key_index& operator=(const key_index&) = delete;
    ~key_index();

    /// The position of a key, or `no_place`.
    [[nodiscard]] std::size_t find(std::string_view key) const noexcept;
    /// Adds the key at this position, unless an equal one is present. An exception leaves the index as it was.
    /// @returns  the position of the key that is in the index
    std::size_t add(std::size_t at);
    /// Removes the key at this position, and shifts the positions behind it. The vector still has the key. Linear.
    void erase(std::size_t at) noexcept;

  private:
    class sorted_places;
    struct slot {
        std::uint32_t place = 0;  // position + 1; 0: free
        std::uint32_t hash = 0;
    };

    /// The number of the slot that has the key, or of a free one; `too_far` if the search passes many slots.
    [[nodiscard]] std::size_t slot_of(std::string_view key, std::uint64_t hash) const noexcept;
    /// Makes a table of the first `count` keys, with room for more. A failure leaves the old one.
    void make_table(std::size_t count, std::size_t room);
    void sort(std::size_t count);

    static constexpr std::size_t too_far = no_place;
    const std::vector<std::string>& keys_;
    std::vector<slot> slots_;                // a power of two, at most half of them used
    std::size_t used_ = 0;                   // slots
    std::unique_ptr<sorted_places> sorted_;  // instead of the table
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/tree/detail/key_index.ipp>
#endif
