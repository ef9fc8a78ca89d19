// SPDX-License-Identifier: BSD-3-Clause
// The version of ndkeep, what it needs of the compiler, and its two ways to be compiled. CMake reads the three numbers.
#pragma once

#define NDKEEP_VERSION_MAJOR 0
#define NDKEEP_VERSION_MINOR 2
#define NDKEEP_VERSION_PATCH 0

#if defined(_MSVC_LANG)
#if _MSVC_LANG < 202002L
#error "ndkeep needs C++20: compile with /std:c++20"
#endif
#elif !defined(__cplusplus) || __cplusplus < 202002L
#error "ndkeep needs C++20: compile with -std=c++20"
#endif

#if defined(_WIN32)
#error "ndkeep does not support Windows yet: it needs POSIX files and mappings"
#endif

// Header-only by default. With NDKEEP_SEPARATE_COMPILATION, defined for all sources of a program, the bodies are
// compiled once, by the source that includes <ndkeep/source.hpp>. The two ways have different names for the linker, so
// that libraries compiled either way can be parts of one program.
#if defined(NDKEEP_SEPARATE_COMPILATION)
#define NDKEEP_ABI v0_2_compiled
#define NDKEEP_INLINE
#else
#define NDKEEP_ABI v0_2
#define NDKEEP_INLINE inline
#endif

// The second promise: ndkeep::core is for people who write tools, and may change with a minor number. What is in detail
// is nobody else's business. The library itself need not know which of the two a name is in, so that a name can become
// a promise without a change where it is used.
namespace ndkeep::inline NDKEEP_ABI {
namespace core {}
namespace detail {
using namespace core;
}
}  // namespace ndkeep
