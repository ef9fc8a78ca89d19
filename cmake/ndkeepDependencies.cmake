# SPDX-License-Identifier: BSD-3-Clause
# What ndkeep stands on, found in the same way by its own build and by an installed package.
#
# Takes ndkeep_with_libdeflate (AUTO, ON, OFF). Sets ndkeep_missing to sentences about what is not there, and
# ndkeep_uses_libdeflate to whether the target ndkeep::libdeflate is to be linked.
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

# xtensor checks a compiler flag and so needs C++. It is a target without a namespace: were it missing here, CMake would
# ask the linker for -lxtensor.
if(CMAKE_CXX_COMPILER_LOADED)
  ndkeep_need(xtensor xtensor 0.24 "Debian libxtensor-dev; conda, brew, vcpkg, conan: xtensor")
  ndkeep_need(nlohmann_json::nlohmann_json nlohmann_json 3.9
    "Debian nlohmann-json3-dev; conda, conan: nlohmann_json; brew, vcpkg: nlohmann-json")
  ndkeep_need(ZLIB::ZLIB ZLIB "" "Debian zlib1g-dev; others: zlib")
  ndkeep_need(Threads::Threads Threads "" "the compiler's own")
else()
  set(ndkeep_missing "ndkeep needs the language CXX: add it to project(), or call enable_language(CXX) first.\n")
endif()

# Makes the target ndkeep::libdeflate if libdeflate is installed.
macro(ndkeep_find_libdeflate)
  # Since 1.15 libdeflate may bring a CMake package; Debian's has none.
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
