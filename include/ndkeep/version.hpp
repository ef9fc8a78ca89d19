// SPDX-License-Identifier: BSD-3-Clause
// Version of the library, and what it needs of the compiler. CMake reads the three numbers from here.
#pragma once

#define NDKEEP_VERSION_MAJOR 0
#define NDKEEP_VERSION_MINOR 1
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
