#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Compares every verb with its physical floor, xtensor's code, NumPy, h5py and zarr, measured in turns. Prints medians,
# ratios and whether the targets in bars.txt are met: `sh benchmarks/run.sh [--quick | --scale] [folder for
# results.json, chart.svg]`.
#
# --quick: small sizes and one round, under a minute. --scale: growth of costs instead, up to NDKEEP_SCALE bytes (30
# GiB).
# NDKEEP_ROUNDS: rounds of the programs, each with three measurements (3). NDKEEP_SIZES: array sizes in bytes ("80 65536
# 33554432 1073741824"). NDKEEP_BENCHMARK_DISK: folder on the disk to measure (the temporary folder).
# NDKEEP_PEERS=1 installs h5py, zarr and pandas, which are measured if installed.
# NDKEEP_BUILD_DIR: where to build (build/benchmarks). NDKEEP_CMAKE_ARGS: more options for CMake.
set -eu
quick=
scale=
results=
for argument; do
    case $argument in
    --quick) quick=yes ;;
    --scale) scale=yes ;;
    -*) echo "usage: sh benchmarks/run.sh [--quick | --scale] [folder]" >&2; exit 2 ;;
    *) results=$argument ;;
    esac
done
case $results in '' | /*) ;; *) results=$(pwd)/$results ;; esac
cd "$(dirname "$0")/.."
# shellcheck disable=SC2086
sh cmake/bootstrap.sh python ${NDKEEP_PEERS:+peers}

build=${NDKEEP_BUILD_DIR:-build/benchmarks}
command -v make >/dev/null 2>&1 || export CMAKE_GENERATOR="${CMAKE_GENERATOR:-Ninja}"
# shellcheck disable=SC2086
cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DNDKEEP_BUILD_TESTS=OFF -DNDKEEP_BUILD_EXAMPLES=OFF \
    -DNDKEEP_BUILD_BENCHMARKS=ON ${NDKEEP_CMAKE_ARGS:-} >/dev/null
cmake --build "$build" --parallel 2 >/dev/null

numpy=
for python in python3 /usr/bin/python3; do
    if [ -z "$numpy" ] && "$python" -c 'import numpy' 2>/dev/null; then numpy=$python; fi
done
[ -n "$numpy" ] || echo "no Python with NumPy found: install python3-numpy to measure NumPy too"

if [ -n "$quick" ]; then
    rounds=${NDKEEP_ROUNDS:-1} sizes=${NDKEEP_SIZES:-80 33554432}
else
    rounds=${NDKEEP_ROUNDS:-3} sizes=${NDKEEP_SIZES:-80 65536 33554432 1073741824}
fi
work=$(mktemp -d "${NDKEEP_BENCHMARK_DISK:-${TMPDIR:-/tmp}}/ndkeep-benchmark.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
machine=$(awk -F ': ' '/^model name/ { print $2; exit }' /proc/cpuinfo 2>/dev/null || uname -m)
echo "$machine, $(nproc 2>/dev/null || echo unknown) processors"
if [ -n "$scale" ]; then
    "$build/benchmarks/scale" "$work" "${NDKEEP_SCALE:-32212254720}"
    exit
fi
for bytes in $sizes; do
    printf '# %s\n' "$bytes" >>"$work/lines"
    formats=
    [ -n "$quick" ] || formats=--formats
    for _ in $(seq "$rounds"); do
        for program in files archives pickles chunks ordered operators segments databases; do
            "$build/benchmarks/$program" "$work" "$bytes" >>"$work/lines"
        done
        [ -z "$numpy" ] || "$numpy" benchmarks/peers.py "$work" "$bytes" $formats >>"$work/lines"
        formats=
    done
done
[ -z "$results" ] || mkdir -p "$results"
awk -v rounds="$rounds" -v machine="$machine" -v json="${results:+$results/results.json}" -v chart="${results:+$results/chart.svg}" \
    -f benchmarks/report.awk benchmarks/bars.txt "$work/lines"
