#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# xtensor 0.26 moved its headers into folders. If the flat headers are installed, this test makes a prefix in which the
# headers in folders forward to the flat ones, and the flat names are errors. So code that includes a flat name fails.
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

# The header names in array/xtensor.hpp must exist there.
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

# Control: a flat include must fail here.
echo '#include <xtensor/xarray.hpp>' >"$work/control.cpp"
if $CXX "-I$work/include" @"$OPTIONS" -fsyntax-only "$work/control.cpp" 2>/dev/null; then
    echo "the flat headers are not hidden"
    exit 1
fi
