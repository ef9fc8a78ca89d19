#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Times every verb beside its physical floor and beside NumPy, in turns, and prints medians and ratios:
# `sh benchmarks/run.sh [folder to write into]`.
#
# NDKEEP_ROUNDS: how many turns (7). NDKEEP_SIZES: bytes of the arrays ("80 33554432 1073741824").
# NDKEEP_BUILD_DIR: where to build (build/benchmarks). NDKEEP_CMAKE_ARGS: more options for CMake.
set -eu
folder=${1:-}
case $folder in '' | /*) ;; *) folder=$(pwd)/$folder ;; esac
cd "$(dirname "$0")/.."
sh cmake/bootstrap.sh

build=${NDKEEP_BUILD_DIR:-build/benchmarks}
command -v make >/dev/null 2>&1 || export CMAKE_GENERATOR="${CMAKE_GENERATOR:-Ninja}"
# shellcheck disable=SC2086
cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DNDKEEP_BUILD_TESTS=OFF -DNDKEEP_BUILD_EXAMPLES=OFF \
    -DNDKEEP_BUILD_BENCHMARKS=ON ${NDKEEP_CMAKE_ARGS:-} >/dev/null
cmake --build "$build" --parallel 2 --target ndkeep_benchmark_verbs >/dev/null

numpy=
for python in python3 /usr/bin/python3; do
    if [ -z "$numpy" ] && "$python" -c 'import numpy' 2>/dev/null; then numpy=$python; fi
done
[ -n "$numpy" ] || echo "no Python here has numpy: install python3-numpy to see its times too"

work=$(mktemp -d "${folder:-${TMPDIR:-/tmp}}/ndkeep-benchmark.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
for bytes in ${NDKEEP_SIZES:-80 33554432 1073741824}; do
    : >"$work/lines"
    for _ in $(seq "${NDKEEP_ROUNDS:-7}"); do
        "$build/benchmarks/verbs" "$work" "$bytes" >>"$work/lines"
        [ -z "$numpy" ] || "$numpy" benchmarks/numpy_verbs.py "$work" "$bytes" >>"$work/lines"
    done
    printf '\n%s bytes, page cache warm, medians of %s rounds\n' "$bytes" "${NDKEEP_ROUNDS:-7}"
    awk -f benchmarks/ratios.awk "$work/lines"
done
