#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# xtensor 0.26 moved its headers into folders. With the flat ones installed, a prefix is made in which the folders exist,
# forward to the flat headers, and the flat names are errors: whoever includes one of those does not compile.
set -eu
: "${CXX:?}" "${OPTIONS:?}" "${SOURCE:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
layout=$SOURCE/tests/packaging/xtensor_layout.txt
ours=$SOURCE/include/ndkeep/array/xtensor.hpp
[ -e "$ours" ] || { echo "no array/xtensor.hpp yet"; exit 77; }

flat=$(echo '#include <xtensor/xtensor_forward.hpp>' | $CXX @"$OPTIONS" -M -MG -x c++ - | tr ' \\' '\n\n' |
    sed -n 's|/xtensor_forward\.hpp$||p' | head -n 1)
case $flat in
/*) ;;
*) echo "the compiler finds no flat xtensor headers, so its own are in folders and every other test is this one"; exit 77 ;;
esac

# What our header names must exist there.
sed -n 's|^# *include <xtensor/\(.*/.*\)>.*|\1|p' "$ours" | sort -u >"$work/named"
[ -s "$work/named" ] || { echo "$ours names no header of the new layout"; exit 1; }
while IFS= read -r header; do
    grep -qxF "$header" "$layout" || { echo "$ours: xtensor has no $header"; exit 1; }
done <"$work/named"

grep -v '^#' "$layout" | while IFS= read -r header; do
    name=${header##*/}
    [ -e "$flat/$name" ] || continue
    mkdir -p "$work/include/xtensor/${header%/*}"
    printf '#include "%s"\n' "$flat/$name" >"$work/include/xtensor/$header"
    printf '#error "the flat xtensor/%s is gone in 0.26"\n' "$name" >"$work/include/xtensor/$name"
done

cat >"$work/unit.cpp" <<'UNIT'
#include <ndkeep/array/xtensor.hpp>
xt::xarray<double> a = {{1, 2}, {3, 4}};
xt::xtensor<double, 2> b = a * 2.0;
UNIT
find "$SOURCE/include/ndkeep" -name '*.hpp' | sed "s|^$SOURCE/include/|#include <|; s|\$|>|" >>"$work/unit.cpp"
$CXX "-I$work/include" @"$OPTIONS" -fsyntax-only "$work/unit.cpp"

# The control: a flat include must fail here.
echo '#include <xtensor/xarray.hpp>' >"$work/control.cpp"
if $CXX "-I$work/include" @"$OPTIONS" -fsyntax-only "$work/control.cpp" 2>/dev/null; then
    echo "the flat headers are not hidden"
    exit 1
fi
