#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Installs missing dependencies, builds the tests and runs them: `sh tests/run.sh [options of ctest]`.
#
# NDKEEP_TEST_ALL=1: also runs the tests that take minutes: searches of all orders of operations, hundreds of kills,
# archives of many GiB, and projects that use ndkeep in every way.
# NDKEEP_BUILD_DIR: where to build (build/tests). NDKEEP_CMAKE_ARGS: more options for CMake, as in "-DNDKEEP_WERROR=ON".
# NDKEEP_JOBS: number of parallel jobs (all processors). When one test is edited repeatedly,
# NDKEEP_CMAKE_ARGS=-DNDKEEP_TEST_UNITY=OFF rebuilds faster.
set -eu
cd "$(dirname "$0")/.."
sh cmake/bootstrap.sh catch2

build=${NDKEEP_BUILD_DIR:-build/tests}
jobs=${NDKEEP_JOBS:-$(nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2)}
command -v make >/dev/null 2>&1 || export CMAKE_GENERATOR="${CMAKE_GENERATOR:-Ninja}"

# -O0 and unity builds: most tests run for milliseconds, so compiling takes most of the time.
# shellcheck disable=SC2086
cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_CXX_FLAGS_DEBUG=-O0" -DNDKEEP_BUILD_TESTS=ON -DNDKEEP_BUILD_EXAMPLES=ON \
    -DNDKEEP_TEST_UNITY=ON \
    ${NDKEEP_CMAKE_ARGS:-}
cmake --build "$build" --parallel "$jobs"
cd "$build"
case " ${NDKEEP_TEST_ALL:+-LE} $* " in
*' -LE '*) ;;
*) set -- -LE 'long|packaging' "$@" ;;
esac
exec ctest --output-on-failure --parallel "$jobs" "$@"
