// SPDX-License-Identifier: BSD-3-Clause
// The stack machine of pickles, protocols 0 to 5. It builds values and runs nothing: what a pickle asks to be called is
// looked up in a closed list (globals.hpp), or kept as a call that nobody makes.
#pragma once

#include <ndkeep/bytes/source.hpp>
#include <ndkeep/pickle/detail/stream.hpp>
#include <ndkeep/pickle/detail/values.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Reads one pickle of a source.
class pickle_machine {
  public:
    /// @param from    outlives the machine
    /// @param size    bytes of the source
    /// @param begin   where the pickle begins
    /// @param opaque  calls and names that are not in the list are values that show both, not errors
    pickle_machine(const core::byte_source& from, std::uint64_t size, std::uint64_t begin, bool opaque);

    /// Reads up to STOP.
    /// @returns the value on top of the stack
    /// @throws format_error  not a pickle, cut short, or an operation that is refused
    [[nodiscard]] pickled_id run();

    [[nodiscard]] pickled_values& values() noexcept { return values_; }
    /// Where the pickle ends.
    [[nodiscard]] std::uint64_t end() const noexcept { return stream_.position(); }

  private:
    [[noreturn]] void refuse(std::string_view field, std::string expected, std::string found,
                             std::string hint = {}) const;
    void step(std::uint8_t code);
    /// Operations on numbers, strings and bytes. False if the code is none of them.
    [[nodiscard]] bool push_scalar(std::uint8_t code);
    /// Operations on lists, tuples, sets and dictionaries. False if the code is none of them.
    [[nodiscard]] bool build_container(std::uint8_t code);
    /// Operations on the memo. False if the code is none of them.
    [[nodiscard]] bool use_memo(std::uint8_t code);

    void push(pickled_id id) {
        if (pushed_ == stack_.size())
            stack_.resize(2 * pushed_ + 64);
        stack_[pushed_++] = id;
    }
    void push_integer(std::int64_t value) { push(values_.of_integer(value)); }
    [[nodiscard]] pickled_id pop();
    [[nodiscard]] pickled_id top() const;
    /// The values above the last mark. They are valid until `drop_to_mark`.
    [[nodiscard]] std::span<const pickled_id> above_mark() const;
    /// The value below the last mark.
    [[nodiscard]] pickled_id below_mark() const;
    /// Removes the last mark and what is above it.
    void drop_to_mark();
    /// Pushes a sequence of the values above the last mark, instead of them.
    void push_to_mark(pickled_kind kind);
    void push_integer(const std::string& decimal);
    /// A real number of 8 bytes, the highest first.
    void push_real();
    void push_long(std::uint64_t bytes);
    void append(pickled_id to, std::span<const pickled_id> items);
    void set_items(pickled_id to, std::span<const pickled_id> pairs);
    /// The list or dictionary that takes what is added to an object: itself, or one beside an object of another class.
    [[nodiscard]] pickled_id content_of(pickled_id object, pickled_kind kind);
    void remember(std::uint64_t index);
    void recall(std::uint64_t index);

    const core::byte_source& from_;
    pickle_stream stream_;
    bool opaque_;
    pickled_values values_;
    std::vector<pickled_id> stack_;
    std::size_t pushed_ = 0;          // ids on the stack
    std::vector<std::size_t> marks_;  // numbers of ids on the stack
    // What is remembered, by number: usually from 0 on without gaps.
    static constexpr pickled_id nothing = static_cast<pickled_id>(-1);
    std::vector<pickled_id> memo_;
    std::map<std::uint64_t, pickled_id> sparse_memo_;
    std::size_t remembered_ = 0;
    std::uint64_t at_ = 0;  // of the operation
    bool is_stopped_ = false;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/pickle/detail/machine.ipp>
#endif
