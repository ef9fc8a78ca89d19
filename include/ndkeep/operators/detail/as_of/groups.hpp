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
    explicit number_table(std::size_t words) : words_(words), slots_(first_slots * (words + 1)) {}

    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    /// The numbers of keys; those that are absent are added.
    void numbers_of(const std::uint64_t* keys, std::size_t count, std::uint32_t* out);

  private:
    static constexpr std::size_t first_slots = 1024;

    /// @tparam Words  of each key, if the compiler may know it: loops over one word are none
    template <std::size_t Words>
    void find(const std::uint64_t* keys, std::size_t count, std::uint32_t* out);
    /// The slot of a key, or the free one where it belongs.
    template <std::size_t Words>
    [[nodiscard]] std::uint64_t* slot_of(const std::uint64_t* key) noexcept;
    template <std::size_t Words>
    [[nodiscard]] std::size_t first_slot(const std::uint64_t* key) const noexcept;
    void grow();

    std::size_t words_;
    std::uint32_t size_ = 0;
    std::size_t mask_ = first_slots - 1;
    // A slot is the number + 1, or 0 if it is free, and the key: one access to memory finds both.
    std::vector<std::uint64_t> slots_;
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
