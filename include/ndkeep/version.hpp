// SPDX-License-Identifier: BSD-3-Clause
// The version of ndkeep, its requirements of the compiler, and header-only or separate compilation.
#pragma once

// CMake reads these three lines.
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

#if !defined(__cpp_exceptions)
#error "ndkeep reports errors by exceptions: compile without -fno-exceptions"
#endif

#if defined(_WIN32)
#error "ndkeep does not support Windows yet: it needs POSIX files and mappings"
#endif

// ndkeep is header-only by default. If NDKEEP_SEPARATE_COMPILATION is defined for all sources of a program, the bodies
// are compiled once, by the source that includes <ndkeep/source.hpp>. The inline namespace gives both ways different
// names for the linker, so that one program can contain libraries that were compiled in either way. So does libdeflate,
// which changes inline bodies.
#if defined(NDKEEP_SEPARATE_COMPILATION)
#define NDKEEP_ABI v0_2_compiled
#define NDKEEP_INLINE
#elif defined(NDKEEP_USE_LIBDEFLATE) && NDKEEP_USE_LIBDEFLATE
#define NDKEEP_ABI v0_2_libdeflate
#define NDKEEP_INLINE inline
#else
#define NDKEEP_ABI v0_2
#define NDKEEP_INLINE inline
#endif

// ndkeep::core is for people who write tools; it may change with a minor version. ndkeep::detail is private. The
// library finds the names of core in detail as well, so that a name can move from detail to core without a change where
// the library uses it.
namespace ndkeep::inline NDKEEP_ABI {
namespace core {}
namespace detail {
using namespace core;
}
}  // namespace ndkeep
