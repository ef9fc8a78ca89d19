#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Installs missing dependencies through apt: `sh cmake/bootstrap.sh [catch2] [python] [peers]`.
#
# python: Python with NumPy. peers: h5py, zarr and pandas too, for the benchmarks.
# A dependency counts as present if the compiler finds its header, so conda, brew and CPATH work too. If nothing is
# missing, neither root nor network is needed.
# CXX selects the compiler. NDKEEP_NO_APT=1 lists the missing packages instead of installing them.
set -eu

find_compiler() {
    if [ -n "${CXX:-}" ]; then
        command -v "${CXX%% *}" >/dev/null 2>&1 || { echo "ndkeep: the compiler CXX=$CXX is not found" >&2; return 1; }
        echo "$CXX"
        return
    fi
    for compiler in c++ g++ clang++; do
        if command -v "$compiler" >/dev/null 2>&1; then
            echo "$compiler"
            return
        fi
    done
}
cxx=$(find_compiler)

# has_header A [B…]: true if the compiler finds at least one of these headers
has_header() {
    [ -n "$cxx" ] || return 1
    for header in "$@"; do
        if echo "#include <$header>" | $cxx -std=c++20 -E -x c++ - >/dev/null 2>&1; then
            return 0
        fi
    done
    return 1
}

# has_module A: true if an installed Python has this module
has_module() {
    for python in python3 /usr/bin/python3; do
        if "$python" -c "import $1" >/dev/null 2>&1; then return 0; fi
    done
    return 1
}

missing=
need() { missing="$missing $1"; }
[ -n "$cxx" ] || need g++
command -v cmake >/dev/null 2>&1 || need cmake
command -v make >/dev/null 2>&1 || command -v ninja >/dev/null 2>&1 || need make
has_header zlib.h || need zlib1g-dev
has_header nlohmann/json.hpp || need nlohmann-json3-dev
has_header xtl/xsequence.hpp || need xtl-dev
has_header xtensor/xtensor_forward.hpp xtensor/core/xtensor_forward.hpp || need libxtensor-dev
for wanted in "$@"; do
    case $wanted in
    catch2) has_header catch2/catch_all.hpp catch2/catch.hpp || need catch2 ;;
    python) has_module numpy || need python3-numpy ;;
    peers)
        has_module h5py || need python3-h5py
        has_module zarr || need python3-zarr
        has_module pandas || need python3-pandas
        ;;
    *)
        echo "bootstrap.sh: unknown argument $wanted (expected catch2, python or peers)" >&2
        exit 2
        ;;
    esac
done
[ -n "$missing" ] || exit 0

give_up() {
    echo "ndkeep: $1. Missing packages, with their Debian names:$missing" >&2
    echo "  apt:   sudo apt-get install$missing" >&2
    echo "  conda: conda install -c conda-forge cxx-compiler cmake make zlib nlohmann_json xtensor catch2" >&2
    echo "  brew:  brew install cmake nlohmann-json xtensor catch2" >&2
    echo "  vcpkg: vcpkg install zlib nlohmann-json xtensor catch2" >&2
    echo "  or:    cmake -DNDKEEP_FETCH_DEPS=ON downloads everything except the compiler, CMake and zlib" >&2
    exit 1
}

[ -z "${NDKEEP_NO_APT:-}" ] || give_up "NDKEEP_NO_APT is set"
command -v apt-get >/dev/null 2>&1 || give_up "apt-get is not installed"
as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || give_up "installing packages needs root or sudo"
    as_root=sudo
fi

apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 "$@"
}
echo "ndkeep: installing$missing"
# Package lists are updated only if the first attempt fails, because on a fresh machine they are empty or outdated.
# shellcheck disable=SC2086
apt install --no-install-recommends $missing ||
    { apt update && apt install --no-install-recommends $missing; } ||
    give_up "apt-get cannot install them"
