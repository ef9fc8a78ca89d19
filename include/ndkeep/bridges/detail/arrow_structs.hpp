// SPDX-License-Identifier: BSD-3-Clause
// The two structs of Arrow's C data interface, and their owner.
#pragma once

#include <ndkeep/version.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <utility>

// Every library that uses the interface defines these structs, under this guard, with these names.
#if !defined(ARROW_C_DATA_INTERFACE)
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

extern "C" {

/// The type of an array.
struct ArrowSchema {
    const char* format;
    const char* name;  ///< NULL or UTF-8
    const char* metadata;
    std::int64_t flags;
    std::int64_t n_children;
    ArrowSchema** children;
    ArrowSchema* dictionary;
    void (*release)(ArrowSchema*);  ///< NULL after it was called, and after the struct was moved
    void* private_data;
};

/// The buffers of an array.
struct ArrowArray {
    std::int64_t length;
    std::int64_t null_count;  ///< -1: not counted
    std::int64_t offset;      ///< elements before the first one, in all buffers and children
    std::int64_t n_buffers;
    std::int64_t n_children;
    const void** buffers;
    ArrowArray** children;
    ArrowArray* dictionary;
    void (*release)(ArrowArray*);  ///< NULL after it was called, and after the struct was moved
    void* private_data;
};

}  // extern "C"

#endif

static_assert(sizeof(ArrowSchema) == 16 + 7 * sizeof(void*) && offsetof(ArrowSchema, flags) == 3 * sizeof(void*));
static_assert(sizeof(ArrowArray) == 40 + 5 * sizeof(void*) && offsetof(ArrowArray, buffers) == 40);

namespace ndkeep::inline NDKEEP_ABI {

/// Owns an `ArrowSchema` or an `ArrowArray`, and releases it unless it was moved away.
template <class Struct>
    requires(std::same_as<Struct, ArrowSchema> || std::same_as<Struct, ArrowArray>)
class arrow_owner {
  public:
    arrow_owner() = default;
    /// Moves a struct here, as Arrow defines it: `*from` counts as released.
    explicit arrow_owner(Struct* from) noexcept : value_(*from) { from->release = nullptr; }
    arrow_owner(arrow_owner&& other) noexcept : value_(other.value_) { other.value_.release = nullptr; }
    arrow_owner& operator=(arrow_owner&& other) noexcept {
        if (this != &other) {
            release();
            value_ = other.value_;
            other.value_.release = nullptr;
        }
        return *this;
    }
    arrow_owner(const arrow_owner&) = delete;
    arrow_owner& operator=(const arrow_owner&) = delete;
    ~arrow_owner() { release(); }

    /// The struct, for a function that moves it away, as `_import_from_c` of pyarrow does. It stays in this object.
    [[nodiscard]] Struct* get() noexcept { return &value_; }
    [[nodiscard]] const Struct* get() const noexcept { return &value_; }
    [[nodiscard]] const Struct* operator->() const noexcept { return &value_; }

    /// Moves the struct to `*to`, whose former content is not released.
    void move_to(Struct* to) && noexcept {
        *to = value_;
        value_.release = nullptr;
    }

    /// Releases the struct now.
    void release() noexcept {
        if (value_.release != nullptr)
            value_.release(&value_);
        value_.release = nullptr;
    }

  private:
    Struct value_ = {};
};

/// An array in Arrow's C data interface: its type and its buffers, each released on its own.
struct arrow_pair {
    arrow_owner<ArrowSchema> schema;  ///< the type
    arrow_owner<ArrowArray> array;    ///< the buffers
};

}  // namespace ndkeep
