#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Builds the fuzz targets with clang's libFuzzer and runs them side by side: `sh tests/fuzz/run.sh [TARGET…]`. Without
# arguments, all of them.
#
# NDKEEP_FUZZ_SECONDS: how long each target runs (18). NDKEEP_BUILD_DIR: where to build, and to keep the inputs that reach
# new code (build/fuzz). NDKEEP_JOBS: number of parallel jobs (all processors). NDKEEP_CMAKE_ARGS: more options for CMake.
set -eu
cd "$(dirname "$0")/../.."
build=${NDKEEP_BUILD_DIR:-build/fuzz}
jobs=${NDKEEP_JOBS:-$(nproc 2>/dev/null || echo 2)}
seconds=${NDKEEP_FUZZ_SECONDS:-18}
# shellcheck disable=SC2046
[ $# != 0 ] || set -- $(ls tests/fuzz/corpus)

# shellcheck disable=SC2086
CXX=clang++ cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=None "-DCMAKE_CXX_FLAGS=-O1 -gline-tables-only" \
    "-DNDKEEP_SANITIZE=fuzzer-no-link;address;undefined" -DNDKEEP_BUILD_TESTS=ON \
    ${NDKEEP_CMAKE_ARGS:-} >/dev/null
# shellcheck disable=SC2046
cmake --build "$build" --parallel "$jobs" --target $(printf 'ndkeep_fuzz_%s ' "$@") >/dev/null

# Prints the speed; or, after a finding, the end of the log and the input. The default way to choose inputs, by entropy,
# takes longer than to run them.
# shellcheck disable=SC2016
one='
    build=$1 seconds=$2 target=$3
    mkdir -p "$build/corpus/$target"
    if "$build/tests/ndkeep_fuzz_$target" -max_total_time="$seconds" -max_len=16384 -timeout=10 -rss_limit_mb=2048 \
        -malloc_limit_mb=512 -entropic=0 -print_final_stats=1 -artifact_prefix="$build/$target-" \
        "$build/corpus/$target" "tests/fuzz/corpus/$target" >"$build/$target.log" 2>&1
    then
        printf "%-13s" "$target"
        sed -n "s/^stat:[:a-z_]*average_exec_per_sec: */executions a second: /p" "$build/$target.log"
    else
        tail -n 100 "$build/$target.log"
        for found in "$build/$target"-*; do
            [ ! -e "$found" ] || { echo "$found, in base64:"; base64 <"$found"; }
        done
        exit 1
    fi'
printf '%s\n' "$@" | xargs -P "$jobs" -I '{}' sh -c "$one" - "$build" "$seconds" '{}'
