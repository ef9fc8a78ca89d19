#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# NDKEEP_FETCH_DEPS downloads what is missing or too old, and xtensor only together with its xtl. Runs without a network:
# small projects stand for the downloaded ones, and only packages made here are found.
set -eu
: "${CXX:?}" "${CMAKE:?}" "${SOURCE:?}"
work=$(mktemp -d "${TMPDIR:-/tmp}/ndkeep fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
export CMAKE_GENERATOR="${GENERATOR:-Unix Makefiles}" CXX
fail() { cat "$work/log"; echo "$1"; exit 1; }

# project NAME TARGET [LINES]: the sources that a download would bring
project() {
    mkdir -p "$work/sources/$1"
    printf '%s\n' 'cmake_minimum_required(VERSION 3.16)' "project($1 NONE)" "add_library($2 INTERFACE)" "${3:-}" \
        'install(FILES CMakeLists.txt DESTINATION downloaded)' >"$work/sources/$1/CMakeLists.txt"
}
project nlohmann_json nlohmann_json 'add_library(nlohmann_json::nlohmann_json ALIAS nlohmann_json)'
project xtl xtl 'set(XTL_DOWNLOADED yes CACHE INTERNAL "")'
project xtensor xtensor 'if(NOT TARGET xtl OR NOT XTL_DOWNLOADED)
  message(FATAL_ERROR "xtensor was downloaded without its xtl")
endif()'

# installed NAME VERSION TARGET [LINES]: a package in the only prefix that is searched
installed() {
    mkdir -p "$work/prefix/lib/cmake/$1"
    printf '%s\n' "${4:-}" "if(NOT TARGET $3)" "  add_library($3 INTERFACE IMPORTED)" 'endif()' >"$work/prefix/lib/cmake/$1/$1Config.cmake"
    printf '%s\n' "set(PACKAGE_VERSION $2)" 'if(NOT PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION)' \
        '  set(PACKAGE_VERSION_COMPATIBLE TRUE)' 'endif()' >"$work/prefix/lib/cmake/$1/$1ConfigVersion.cmake"
}
xtensor_needs_xtl='include(CMakeFindDependencyMacro)
find_dependency(xtl)'

mkdir "$work/user"
cat >"$work/user/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.16)
project(user CXX)
find_package(ZLIB REQUIRED)
find_package(Threads REQUIRED)
foreach(where IN ITEMS CMAKE_SYSTEM_PATH SYSTEM_ENVIRONMENT_PATH CMAKE_ENVIRONMENT_PATH PACKAGE_REGISTRY
    CMAKE_PACKAGE_REGISTRY SYSTEM_PACKAGE_REGISTRY PACKAGE_ROOT_PATH)
  set(CMAKE_FIND_USE_${where} OFF)
endforeach()
if(XTL_FIRST)
  find_package(xtl REQUIRED)
endif()
set(CMAKE_PREFIX_PATH "${ONLY_PREFIX}")
add_subdirectory("${NDKEEP}" ndkeep)
END
configure() {
    rm -rf "$work/build"
    "$CMAKE" -S "$work/user" -B "$work/build" "-DCMAKE_CXX_COMPILER=${CXX%% *}" "-DCMAKE_PREFIX_PATH=${PREFIX_PATH:-}" \
        "-DONLY_PREFIX=$work/prefix" "-DNDKEEP=$SOURCE" -DNDKEEP_FETCH_DEPS=ON -DNDKEEP_WITH_LIBDEFLATE=OFF \
        "-DFETCHCONTENT_SOURCE_DIR_NLOHMANN_JSON=$work/sources/nlohmann_json" \
        "-DFETCHCONTENT_SOURCE_DIR_XTL=$work/sources/xtl" "-DFETCHCONTENT_SOURCE_DIR_XTENSOR=$work/sources/xtensor" \
        "$@" >"$work/log" 2>&1
}
downloads() {  # downloads NAMES…: exactly these, in this order
    configure || fail "does not configure, expected downloads: $*"
    [ "$(sed -n 's/^-- ndkeep: downloading \([^ ]*\) v*[0-9.]*$/\1/p' "$work/log" | tr '\n' ' ')" = "${*:+$* }" ] ||
        fail "expected downloads: ${*:-none}"
}

downloads nlohmann_json xtl xtensor
"$CMAKE" --install "$work/build" --prefix "$work/installed" >"$work/log" 2>&1 || fail "does not install"
[ ! -e "$work/installed/downloaded" ] || fail "a downloaded package is installed"

installed xtl 0.7.2 xtl
downloads nlohmann_json xtl xtensor

if configure -DXTL_FIRST=ON "-Dxtl_DIR=$work/prefix/lib/cmake/xtl"; then
    fail "downloads xtensor for an xtl of another version"
fi
tr '\n' ' ' <"$work/log" | tr -s ' ' | grep -q 'the target xtl is present, but no xtensor 0.24 or later is found' ||
    fail "the error does not say that xtl stands without xtensor"

installed xtensor 0.23.10 xtensor "$xtensor_needs_xtl"
installed nlohmann_json 3.7.0 nlohmann_json::nlohmann_json
downloads nlohmann_json xtl xtensor

installed xtensor 0.24.3 xtensor "$xtensor_needs_xtl"
downloads nlohmann_json

installed nlohmann_json 3.9.1 nlohmann_json::nlohmann_json
downloads
