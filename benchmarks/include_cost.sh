#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Prints what including each header costs the compiler, in seconds of processor time: `sh benchmarks/include_cost.sh`.
#
# The least of several compilations at -O2. CXX: the compiler (c++). NDKEEP_ROUNDS: how many (7).
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

least() {
    printf '#include <%s>\n' "$1" >"$work/unit.cpp"
    for _ in $(seq "${NDKEEP_ROUNDS:-7}"); do
        # times: the second line is what children took, user time first
        sh -c "\"\${CXX:-c++}\" -std=c++20 -O2 -I include -c -o /dev/null '$work/unit.cpp'; times" | tail -n 1 | cut -d' ' -f1
    done | awk -F'[ms]' '{ s = $1 * 60 + $2; if (NR == 1 || s < least) least = s } END { print least }'
}

base=$(least xtensor/xarray.hpp 2>/dev/null) || base=$(least xtensor/containers/xarray.hpp)
printf '| header | seconds | over xarray |\n|---|---|---|\n'
printf '| `%s` | %.2f | |\n' xtensor/xarray.hpp "$base"
for header in nlohmann/json.hpp ndkeep/format/header.hpp ndkeep/array/mapped.hpp ndkeep/array/any.hpp ndkeep/npy.hpp ndkeep/ndkeep.hpp; do
    time=$(least "$header")
    printf '| `%s` | %.2f | %.2f |\n' "$header" "$time" "$(echo "$time $base" | awk '{ print $1 - $2 }')"
done
