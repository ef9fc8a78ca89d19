// SPDX-License-Identifier: BSD-3-Clause
// The peak memory of a call. It defines replaced_new, so that one source file of a program includes it.
#pragma once

#include "support/replaced_new.hpp"

#include <atomic>
#include <cstdlib>

#include <malloc.h>  // malloc_usable_size

namespace peak_memory {

inline std::atomic<std::size_t> held = 0;  // bytes
inline std::atomic<std::size_t> most_held = 0;

}  // namespace peak_memory

/// Peak bytes that a call holds in addition to those held before it.
template <class Call>
std::size_t peak_of(Call&& call) {
    const std::size_t before = peak_memory::held;
    peak_memory::most_held = before;
    call();
    return peak_memory::most_held - before;
}

void* replaced_new::allocate(std::size_t size) noexcept {
    using namespace peak_memory;
    void* const memory = std::malloc(size != 0 ? size : 1);
    if (memory == nullptr)
        return nullptr;
    const std::size_t now = held += ::malloc_usable_size(memory);
    for (std::size_t most = most_held; most < now && !most_held.compare_exchange_weak(most, now);) {
    }
    return memory;
}

void replaced_new::release(void* memory) noexcept {
    peak_memory::held -= memory == nullptr ? 0 : ::malloc_usable_size(memory);
    std::free(memory);
}
