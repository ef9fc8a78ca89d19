// SPDX-License-Identifier: BSD-3-Clause
// Numbers for the groups of rows: equal bytes of the fields of `.by` get equal numbers.
#pragma once

#include <ndkeep/operators/detail/as_of/keys.hpp>
#include <ndkeep/operators/detail/as_of/windows.hpp>
#include <ndkeep/version.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// A hash table from keys of a fixed number of words to 0, 1, 2, … in the order in which they appear.
class number_table {
  public:
    /// @param words  of each key, 64 bits each
    explicit number_table(std::size_t words) : words_(words), slots_(1024) {}

    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    /// The number of a key, which is added if it is absent.
    /// @tparam Words  of each key, if the compiler may know it: loops over one word are none
    template <std::size_t Words = 0>
    [[nodiscard]] std::uint32_t number_of(const std::uint64_t* key) {
        const std::size_t words = Words != 0 ? Words : words_;
        const std::size_t mask = slots_.size() - 1;
        for (std::size_t at = hash(key, words) & mask;; at = (at + 1) & mask) {
            const std::uint32_t slot = slots_[at];
            if (slot == 0)
                return add(key, at);
            if (std::equal(key, key + words, keys_.data() + (slot - 1) * words))
                return slot - 1;
        }
    }

  private:
    [[nodiscard]] static std::size_t hash(const std::uint64_t* key, std::size_t words) noexcept {
        std::uint64_t mixed = 0;
        for (std::size_t i = 0; i < words; ++i) {
            mixed = (mixed ^ key[i]) * 0x9e37'79b9'7f4a'7c15U;
            mixed ^= mixed >> 32;
        }
        return static_cast<std::size_t>(mixed);
    }
    [[nodiscard]] std::uint32_t add(const std::uint64_t* key, std::size_t at);

    std::size_t words_;
    std::uint32_t size_ = 0;
    std::vector<std::uint64_t> keys_;
    std::vector<std::uint32_t> slots_;  // number + 1; 0: free
};

/// A field of `.by` and its place in the key of a group.
struct group_field {
    row_memory rows;
    std::size_t offset = 0;  // in the key
    std::size_t bytes = 0;   // of the field
    bool is_swapped = false;
};

/// Reads the groups of the rows of one side.
class group_reader {
  public:
    static constexpr std::size_t block = 1024;  // rows that are read at a time

    group_reader() = default;
    group_reader(std::vector<group_field> fields, std::size_t words)
        : fields_(std::move(fields)), words_(words), keys_(block * words) {}

    /// @param count  at most `block`
    void read(std::size_t first, std::size_t count, number_table& table, std::uint32_t* out);
    /// Reads all rows.
    void read_all(std::size_t count, number_table& table, group_numbers& out);

  private:
    std::vector<group_field> fields_;
    std::size_t words_ = 0;
    std::vector<std::uint64_t> keys_;
};

/// The groups of both sides. They are read when they are needed.
struct row_groups {
    bool is_plain = true;  // the rows have no groups
    number_table table{1};
    group_reader left_reader = {}, right_reader = {};
    group_numbers left = {}, right = {};

    /// Reads the groups of all rows, if they were not read before.
    void read_all(std::size_t left_count, std::size_t right_count);
};

/// @param by  fields of both sides; empty: no groups
/// @throws mismatch_error  a field that is absent, or of types that are not comparable
[[nodiscard]] row_groups groups_of(const row_memory& left, const row_memory& right, const std::vector<std::string>& by);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/operators/detail/as_of/groups.ipp>
#endif
