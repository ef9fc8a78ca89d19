# SPDX-License-Identifier: BSD-3-Clause
# Finds the dependencies of ndkeep, both for its own build and for an installed package.
#
# Input: ndkeep_with_libdeflate and ndkeep_with_s3 (AUTO, ON, OFF). Output: ndkeep_missing, sentences about missing
# packages; ndkeep_uses_libdeflate, whether to link the target ndkeep::libdeflate; and ndkeep_has_s3, whether
# CURL::libcurl is there for ndkeep::s3.
set(ndkeep_missing "")

macro(ndkeep_need target package version names)
  if(NOT TARGET ${target})
    find_package(${package} ${version} QUIET)
    if(NOT TARGET ${target})
      string(STRIP "${package} ${version}" ndkeep_wanted)
      string(APPEND ndkeep_missing "ndkeep needs ${ndkeep_wanted}: not found (${names}).\n")
    endif()
  endif()
endmacro()

# xtensor's package checks a compiler flag and therefore needs C++ enabled. Its target has no namespace: if it were
# missing here, CMake would silently pass -lxtensor to the linker.
if(CMAKE_CXX_COMPILER_LOADED)
  ndkeep_need(xtensor xtensor 0.24 "Debian libxtensor-dev; conda, brew, vcpkg, conan: xtensor")
  ndkeep_need(nlohmann_json::nlohmann_json nlohmann_json 3.9
    "Debian nlohmann-json3-dev; conda, conan: nlohmann_json; brew, vcpkg: nlohmann-json")
  ndkeep_need(ZLIB::ZLIB ZLIB "" "Debian zlib1g-dev; others: zlib")
  ndkeep_need(Threads::Threads Threads "" "the compiler's own")
else()
  set(ndkeep_missing "ndkeep needs the language CXX: add it to project(), or call enable_language(CXX) first.\n")
endif()

# Defines the target ndkeep::libdeflate if libdeflate is installed.
macro(ndkeep_find_libdeflate)
  # libdeflate can install a CMake package since 1.15, but Debian's package does not contain it.
  if(NOT TARGET ndkeep::libdeflate)
    find_package(libdeflate CONFIG QUIET)
  endif()
  foreach(ndkeep_candidate IN ITEMS libdeflate::libdeflate_shared libdeflate::libdeflate_static)
    if(TARGET ${ndkeep_candidate} AND NOT TARGET ndkeep::libdeflate)
      add_library(ndkeep::libdeflate INTERFACE IMPORTED)
      target_link_libraries(ndkeep::libdeflate INTERFACE ${ndkeep_candidate})
    endif()
  endforeach()
  if(NOT TARGET ndkeep::libdeflate)
    find_path(NDKEEP_LIBDEFLATE_INCLUDE_DIR libdeflate.h)
    find_library(NDKEEP_LIBDEFLATE_LIBRARY deflate)
    mark_as_advanced(NDKEEP_LIBDEFLATE_INCLUDE_DIR NDKEEP_LIBDEFLATE_LIBRARY)
    if(NDKEEP_LIBDEFLATE_INCLUDE_DIR AND NDKEEP_LIBDEFLATE_LIBRARY)
      add_library(ndkeep::libdeflate INTERFACE IMPORTED)
      target_include_directories(ndkeep::libdeflate INTERFACE "${NDKEEP_LIBDEFLATE_INCLUDE_DIR}")
      target_link_libraries(ndkeep::libdeflate INTERFACE "${NDKEEP_LIBDEFLATE_LIBRARY}")
    endif()
  endif()
endmacro()

set(ndkeep_uses_libdeflate OFF)
if(NOT ndkeep_missing AND NOT ndkeep_with_libdeflate STREQUAL "OFF")
  ndkeep_find_libdeflate()
  if(TARGET ndkeep::libdeflate)
    set(ndkeep_uses_libdeflate ON)
  elseif(NOT ndkeep_with_libdeflate STREQUAL "AUTO")
    set(ndkeep_missing "ndkeep was asked to use libdeflate (NDKEEP_WITH_LIBDEFLATE): not found (Debian libdeflate-dev).\n")
  endif()
endif()

# Older versions of libcurl sign requests in ways that services of S3 reject.
set(ndkeep_has_s3 OFF)
if(NOT ndkeep_missing AND NOT ndkeep_with_s3 STREQUAL "OFF")
  if(NOT TARGET CURL::libcurl)
    find_package(CURL 7.88 QUIET)
  endif()
  if(TARGET CURL::libcurl)
    set(ndkeep_has_s3 ON)
  elseif(NOT ndkeep_with_s3 STREQUAL "AUTO")
    set(ndkeep_missing "ndkeep was asked for S3 (NDKEEP_WITH_S3): libcurl 7.88 is not found (Debian libcurl4-openssl-dev).\n")
  endif()
endif()
