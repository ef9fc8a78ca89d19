// SPDX-License-Identifier: BSD-3-Clause
// The values that a pickle builds, before they become a tree. They refer to each other by id, and may be shared.
#pragma once

#include <ndkeep/version.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

enum class pickled_kind : std::uint8_t {
    none,
    boolean,         // x: 0 or 1
    integer,         // x: the bits of a std::int64_t
    large,           // an integer beyond it. bytes: its decimal digits
    real,            // x: the bits of a double
    complex_number,  // x, y: the bits of two doubles
    text,            // bytes: UTF-8
    bytes,           // bytes
    old_text,        // a string of Python 2: text or bytes
    list,            // x: index of a sequence
    tuple,           // x: index of a sequence
    set,             // x: index of a sequence
    dictionary,      // x: index of a sequence of keys and values in turns
    global,          // x: index of a global
    call,            // x: index of a call
    array,           // x: index of an array
    element_type     // x: index of a dtype
};

/// What errors call it.
[[nodiscard]] std::string_view pickled_kind_name(pickled_kind kind);

/// A value in 64 bits. 0 is None. Booleans, most integers, most real numbers and short texts are in their ids; other
/// ids are numbers of values, below 2^32.
using pickled_id = std::uint64_t;

/// Bytes of the pickle: copied into the pool if they are few, otherwise in the file.
struct pickled_range {
    std::uint64_t offset = 0, length = 0;
    bool is_in_file = false;
};

struct pickled_value {
    pickled_kind kind = pickled_kind::none;
    bool is_in_file = false;  // of bytes
    std::uint64_t x = 0, y = 0;

    [[nodiscard]] pickled_range range() const noexcept { return {x, y, is_in_file}; }
};

/// A class or a function, by its module and name, which are text. `meant` is a pickle_name.
struct pickled_global {
    pickled_id module = 0, name = 0;
    std::uint8_t meant = 0;
};

/// An object that a class or a function is asked to make, and is not: "MODULE.NAME", arguments and state.
struct pickled_call {
    pickled_id callable = 0, arguments = 0;
    pickled_id state = 0;  // 0: none
    // What is added to it as to a list and as to a dictionary, if its class is one of them. 0: nothing
    pickled_id items = 0, pairs = 0;
};

struct pickled_dtype {
    std::string text = {};        // as in an npy header: '<f8' in quotes, or [('a', '<i4'), …]
    bool is_object = false;       // of references to values
    std::uint64_t item_size = 0;  // bytes of an element
};

struct pickled_array {
    bool is_built = false;
    pickled_id type = 0;
    std::vector<std::uint64_t> shape = {};
    bool is_column_major = false;
    pickled_id data = 0;  // bytes, or a list of values
};

/// The members of a list, tuple, set or dictionary, in memory of pickled_values.
struct pickled_sequence {
    pickled_id* items = nullptr;
    std::size_t size = 0, room = 0;
};

/// All values of one pickle.
class pickled_values {
  public:
    pickled_values() { (void)add({}); }

    [[nodiscard]] pickled_value operator[](pickled_id id) const noexcept {
        if (id < text_mark)
            return blocks_[static_cast<std::size_t>(id / in_block)][static_cast<std::size_t>(id % in_block)];
        return unpacked(id);
    }
    /// Ids that are numbers of values are below this.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// Whether the id is that of an integer, or of a real number, that is its own id.
    [[nodiscard]] static bool is_integer(pickled_id id) noexcept { return id >= integer_mark; }
    [[nodiscard]] static bool is_real(pickled_id id) noexcept { return id >= real_offset && id < integer_mark; }
    [[nodiscard]] static std::int64_t integer(pickled_id id) noexcept {
        return static_cast<std::int64_t>(unpacked(id).x);
    }
    [[nodiscard]] static double real(pickled_id id) noexcept { return std::bit_cast<double>(id - real_offset); }

    [[nodiscard]] static pickled_id of_boolean(bool value) noexcept { return boolean_mark | (value ? 1U : 0U); }
    [[nodiscard]] pickled_id of_integer(std::int64_t value) {
        constexpr std::int64_t beyond = std::int64_t{1} << 47;
        const auto bits = static_cast<std::uint64_t>(value);
        return value >= -beyond && value < beyond ? integer_mark | (bits & ~integer_mark)
                                                  : add({pickled_kind::integer, false, bits, 0});
    }
    [[nodiscard]] pickled_id of_real(std::uint64_t bits) {
        // Beyond are NaNs that no computation gives.
        return bits <= last_real ? bits + real_offset : add({pickled_kind::real, false, bits, 0});
    }

    [[nodiscard]] pickled_id add(const pickled_value& value) {
        if (size_ % in_block == 0)
            blocks_.push_back(std::make_unique<pickled_value[]>(in_block));
        blocks_.back()[size_ % in_block] = value;
        return size_++;
    }
    [[nodiscard]] pickled_id add(pickled_kind kind, std::uint64_t x, std::uint64_t y = 0) {
        return add({kind, false, x, y});
    }
    [[nodiscard]] pickled_id add(pickled_kind kind, const pickled_range& range) {
        if (kind == pickled_kind::text && !range.is_in_file && range.length <= 0xff && range.offset <= last_offset)
            return text_mark | range.length << 39 | range.offset;
        return add({kind, range.is_in_file, range.offset, range.length});
    }
    /// Adds a list, tuple, set or dictionary with copies of these items.
    [[nodiscard]] pickled_id add(pickled_kind kind, std::span<const pickled_id> items) {
        sequences_.emplace_back();
        const auto id = add({kind, false, sequences_.size() - 1, 0});
        append(id, items);
        return id;
    }
    [[nodiscard]] pickled_range keep(std::string_view bytes) {
        pool += bytes;
        return {pool.size() - bytes.size(), bytes.size(), false};
    }

    /// Text or bytes in the pool.
    [[nodiscard]] std::string_view text(const pickled_value& value) const noexcept {
        return {pool.data() + value.x, static_cast<std::size_t>(value.y)};
    }

    /// The members of a list, tuple, set or dictionary. They stay where they are, also when values are added.
    [[nodiscard]] std::span<const pickled_id> items(pickled_id id) const {
        const auto& all = sequences_[static_cast<std::size_t>((*this)[id].x)];
        return {all.items, all.size};
    }
    void append(pickled_id id, std::span<const pickled_id> items) {
        auto& all = sequences_[static_cast<std::size_t>((*this)[id].x)];
        if (all.room - all.size < items.size())
            grow(all, items.size());
        std::copy(items.begin(), items.end(), all.items + all.size);
        all.size += items.size();
    }

    // Bytes that calls made of values that they share, and the most that are accepted: see pickle_globals::spend.
    std::uint64_t spent = 0, most_spent = std::uint64_t{64} << 20;

    std::string pool = {};
    std::vector<pickled_global> globals = {};
    std::vector<pickled_call> calls = {};
    std::vector<pickled_array> arrays = {};
    std::vector<pickled_dtype> types = {};

  private:
    static constexpr std::uint64_t text_mark = std::uint64_t{1} << 47;
    static constexpr std::uint64_t last_offset = (std::uint64_t{1} << 39) - 1;
    static constexpr std::uint64_t boolean_mark = std::uint64_t{1} << 48;
    static constexpr std::uint64_t real_offset = std::uint64_t{2} << 48;
    static constexpr std::uint64_t integer_mark = std::uint64_t{0xffff} << 48;
    static constexpr std::uint64_t last_real = integer_mark - real_offset - 1;
    static constexpr std::size_t in_block = 4096;

    [[nodiscard]] static pickled_value unpacked(pickled_id id) noexcept {
        if (id >= integer_mark)  // the sign is in bit 47
            return {pickled_kind::integer, false, (id & std::uint64_t{1} << 47) != 0 ? id : id & ~integer_mark, 0};
        if (id >= real_offset)
            return {pickled_kind::real, false, id - real_offset, 0};
        if (id >= boolean_mark)
            return {pickled_kind::boolean, false, id & 1U, 0};
        return {pickled_kind::text, false, id & last_offset, id >> 39 & 0xff};
    }
    void grow(pickled_sequence& sequence, std::size_t more);

    // In blocks, so that nothing is moved when they grow.
    std::vector<std::unique_ptr<pickled_value[]>> blocks_;
    std::size_t size_ = 0;
    std::vector<pickled_sequence> sequences_;
    std::vector<std::unique_ptr<pickled_id[]>> memory_;  // of the sequences
    std::size_t part_ = 0;                               // ids of the last part
    std::size_t left_ = 0;                               // free ids at the end of the last part of the memory
    pickled_id* free_ = nullptr;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/pickle/detail/values.ipp>
#endif
