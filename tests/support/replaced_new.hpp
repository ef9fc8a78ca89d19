// SPDX-License-Identifier: BSD-3-Clause
// Replaces every operator new and delete of a test program. Exactly one source of a program includes it, and defines
// the two functions that do the work.
#pragma once

#include <cstddef>
#include <new>

namespace replaced_new {

/// Returns `size` bytes, at least 1; nullptr if there are none.
void* allocate(std::size_t size) noexcept;
void release(void* memory) noexcept;

inline void* allocate_or_throw(std::size_t size) {
    if (void* const memory = allocate(size))
        return memory;
    throw std::bad_alloc();
}

}  // namespace replaced_new

// All forms: a sanitizer refuses memory that one form has allocated and another one releases.
void* operator new(std::size_t size) { return replaced_new::allocate_or_throw(size); }
void* operator new[](std::size_t size) { return replaced_new::allocate_or_throw(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return replaced_new::allocate(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return replaced_new::allocate(size); }
void operator delete(void* memory) noexcept { replaced_new::release(memory); }
void operator delete[](void* memory) noexcept { replaced_new::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { replaced_new::release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { replaced_new::release(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { replaced_new::release(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { replaced_new::release(memory); }
