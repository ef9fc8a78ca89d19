#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What a header costs each file that includes it: `sh benchmarks/include_cost.sh [folder that holds ndkeep/]`.
#
# User time of `$CXX -O2 -c` on a file with that one line, the least of 5 runs, and how much of it is not xtensor's own.
# The headers take turns, so that a machine that slows down meanwhile slows all of them.
set -eu
include=${1:-$(dirname "$0")/../include}
compiler=${CXX:-c++}
runs=5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

compile() {  # compile header [option…]
    echo "#include <$1>" >"$work/one.cpp"
    shift
    $compiler -std=c++20 -O2 -I"$include" "$@" -c "$work/one.cpp" -o "$work/one.o"
}

# From xtensor 0.26 on its headers are in folders.
xarray=xtensor/containers/xarray.hpp
compile $xarray -fsyntax-only 2>"$work/refused" || xarray=xtensor/xarray.hpp
headers="$xarray ndkeep/npy.hpp ndkeep/npz.hpp ndkeep/tree.hpp ndkeep/chunks.hpp ndkeep/loop.hpp ndkeep/ndkeep.hpp ndkeep/array/mapped.hpp ndkeep/array/any.hpp ndkeep/format/header.hpp
    nlohmann/json.hpp"

# The second line of `times` is the user and system time of what a shell has run: "0m1.234s 0m0.056s".
seconds_of() {  # seconds_of header
    (compile "$1" >&2 && times) | awk 'NR == 2 { split($1, parts, /[ms]/); print parts[1] * 60 + parts[2] }'
}

run=0
while [ "$run" -lt "$runs" ]; do
    for header in $headers; do
        seconds=$(seconds_of "$header")
        [ -n "$seconds" ] || { echo "cannot compile #include <$header>" >&2; exit 1; }
        echo "$header $seconds"
    done
    run=$((run + 1))
done >"$work/times"

$compiler --version | sed '1s/ *(.*)//;1q'
awk '
    !($1 in least) { order[++count] = $1; least[$1] = $2 }
    $2 < least[$1] { least[$1] = $2 }
    END {
        print "| header | seconds | over xarray |"
        print "| --- | --- | --- |"
        for (i = 1; i <= count; ++i)
            printf "| %s | %.2f | %+.2f |\n", order[i], least[order[i]], least[order[i]] - least[order[1]]
    }' "$work/times"
