# SPDX-License-Identifier: BSD-3-Clause
# NDKEEP_FETCH_DEPS: downloads missing and too old dependencies at pinned versions. Their headers are system headers, and
# they are never installed. Without a network, set -DFETCHCONTENT_SOURCE_DIR_<NAME>=<folder>. zlib is never downloaded.
include(FetchContent)

macro(ndkeep_download name repository tag)
  message(STATUS "ndkeep: downloading ${name} ${tag}")
  set(ndkeep_fetched ON)
  if(CMAKE_VERSION VERSION_LESS 3.28)
    # FetchContent_MakeAvailable would install the package with this project and report warnings in its headers.
    FetchContent_Declare(${name} GIT_REPOSITORY ${repository} GIT_TAG ${tag} GIT_SHALLOW TRUE)
    FetchContent_GetProperties(${name})
    if(NOT ${name}_POPULATED)
      FetchContent_Populate(${name})
      if(CMAKE_VERSION VERSION_LESS 3.25)
        add_subdirectory(${${name}_SOURCE_DIR} ${${name}_BINARY_DIR} EXCLUDE_FROM_ALL)
      else()
        add_subdirectory(${${name}_SOURCE_DIR} ${${name}_BINARY_DIR} EXCLUDE_FROM_ALL SYSTEM)
      endif()
    endif()
  else()
    FetchContent_Declare(${name} GIT_REPOSITORY ${repository} GIT_TAG ${tag} GIT_SHALLOW TRUE EXCLUDE_FROM_ALL SYSTEM)
    FetchContent_MakeAvailable(${name})
  endif()
endmacro()

macro(ndkeep_fetch name target package version repository tag)
  if(NOT TARGET ${target})
    find_package(${package} ${version} QUIET)
  endif()
  if(NOT TARGET ${target})
    ndkeep_download(${name} ${repository} ${tag})
  endif()
endmacro()

# xtensor 0.27 does not compile with clang before 17, and 0.26.0 requires CMake 3.29.
set(ndkeep_xtensor_tag 0.27.1)
set(ndkeep_xtl_tag 0.8.2)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 17)
  set(ndkeep_xtensor_tag 0.25.0)
  set(ndkeep_xtl_tag 0.7.7)
endif()

ndkeep_fetch(nlohmann_json nlohmann_json::nlohmann_json nlohmann_json 3.9
  https://github.com/nlohmann/json.git v3.11.3)
if(NOT TARGET xtensor)
  find_package(xtensor 0.24 QUIET)
endif()
if(NOT TARGET xtensor)
  # xtensor and xtl are downloaded together, also if another xtl is installed: xtensor reports an xtl that is too old, but
  # its CMake does not stop. xtl comes first, because xtensor reads its version from the cache.
  if(TARGET xtl)
    message(FATAL_ERROR "NDKEEP_FETCH_DEPS: the target xtl is present, but no xtensor 0.24 or later is found. ndkeep "
      "downloads xtensor ${ndkeep_xtensor_tag} only together with xtl ${ndkeep_xtl_tag}. Before ndkeep, add an xtensor "
      "that fits this xtl, or leave xtl out.")
  endif()
  ndkeep_download(xtl https://github.com/xtensor-stack/xtl.git ${ndkeep_xtl_tag})
  ndkeep_download(xtensor https://github.com/xtensor-stack/xtensor.git ${ndkeep_xtensor_tag})
endif()
if(NDKEEP_BUILD_TESTS)
  ndkeep_fetch(catch2 Catch2::Catch2WithMain Catch2 "" https://github.com/catchorg/Catch2.git v3.7.1)
endif()
