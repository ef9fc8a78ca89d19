#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Installs missing dependencies, builds the main example and runs it on real data: `sh examples/run.sh [folder for the
# results]`.
#
# NDKEEP_EXAMPLE=NAME runs another program of examples/. NDKEEP_BUILD_DIR: where to build (build/examples).
# NDKEEP_CMAKE_ARGS: more options for CMake. NDKEEP_JOBS: number of parallel jobs (all processors).
set -eu
results=${1:-}
case $results in '' | /*) ;; *) results=$(pwd)/$results ;; esac
cd "$(dirname "$0")/.."
sh cmake/bootstrap.sh

example=${NDKEEP_EXAMPLE:-sensor_study}
build=${NDKEEP_BUILD_DIR:-build/examples}
jobs=${NDKEEP_JOBS:-$(nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2)}
command -v make >/dev/null 2>&1 || export CMAKE_GENERATOR="${CMAKE_GENERATOR:-Ninja}"

# -O0: the study runs only for a moment, and the library compiles in a third of the time.
# shellcheck disable=SC2086
cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE=-O0 -DNDKEEP_BUILD_TESTS=OFF -DNDKEEP_BUILD_EXAMPLES=ON ${NDKEEP_CMAKE_ARGS:-}
cmake --build "$build" --parallel "$jobs" --target "ndkeep_example_$example"

if [ -n "$results" ]; then
    mkdir -p "$results"
else
    results=$(mktemp -d "${TMPDIR:-/tmp}/ndkeep-$example.XXXXXX")
fi
data=$(pwd)/examples/data
program=$(cd "$build" && pwd)/examples/$example
printf '\n'
(cd "$results" && "$program" "$data")

# Reads the results with another program: NumPy, if an installed Python has it.
check=$(pwd)/examples/${example}_check.py
if [ -e "$check" ]; then
    for python in python3 /usr/bin/python3; do
        if command -v "$python" >/dev/null 2>&1 && "$python" -c 'import numpy' 2>/dev/null; then
            printf '\n'
            (cd "$results" && PYTHONDONTWRITEBYTECODE=1 "$python" "$check" "$results" "$data")
            break
        fi
    done
fi
printf '\nResults are in %s\n' "$results"
