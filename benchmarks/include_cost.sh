#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Measures the compile time of ndkeep's headers: `sh benchmarks/include_cost.sh [folder that holds ndkeep/]`.
#
# Prints the user time of `-c`, the least of RUNS (3), for each installed compiler of COMPILERS ("g++ clang++"):
#
# * complete programs at -O0 and -O2, header-only and with compiled bodies, as ratios to the same program written with
#   xtensor's npy code, and with the targets to hold at -O2;
# * every face header alone with compiled bodies, compared with xtensor/xarray.hpp;
# * <ndkeep/source.hpp>, which a program compiles once.
#
# All measurements alternate, so that a temporary slowdown of the machine affects all of them.
set -eu
include=${1:-$(dirname "$0")/../include}
include=$(cd "$include" && pwd)
runs=${RUNS:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# Since xtensor 0.26, its headers are in folders.
echo '#include <xtensor/containers/xarray.hpp>' >layout.cpp
if ${CXX:-c++} -std=c++20 -E layout.cpp >/dev/null 2>&1; then
    xarray=xtensor/containers/xarray.hpp
    xnpy=xtensor/io/xnpy.hpp
else
    xarray=xtensor/xarray.hpp
    xnpy=xtensor/xnpy.hpp
fi

cat >xtensor.cpp <<END
#include <$xarray>
#include <$xnpy>
int main() {
    const xt::xarray<double> saved = {{1, 2, 3}, {4, 5, 6}};
    xt::dump_npy("t.npy", saved);
    return xt::load_npy<double>("t.npy") == saved ? 0 : 1;
}
END
cat >save_load.cpp <<END
#include <ndkeep/npy.hpp>
int main() {
    const xt::xarray<double> saved = {{1, 2, 3}, {4, 5, 6}};
    ndkeep::save("t.npy", saved);
    return ndkeep::load<double>("t.npy") == saved ? 0 : 1;
}
END
cat >loop.cpp <<END
#include <ndkeep/loop.hpp>
struct running_mean {
    double sum = 0;
    std::size_t n = 0;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(running_mean, sum, n)
};
int main() {
    ndkeep::chunk_reader<double, 2> readings("readings");
    ndkeep::stateful_loop loop("mean.state");
    auto& total = loop.bind<running_mean>("mean");
    for (auto chunk : loop.over(readings)) {
        total.sum += xt::sum(chunk)();
        total.n += chunk.size();
    }
}
END
echo '#include <ndkeep/source.hpp>' >source.cpp
faces='npy npz tree chunks loop ndkeep'
echo "#include <$xarray>" >include_xarray.cpp
echo '#include <nlohmann/json.hpp>' >include_json.cpp
for face in $faces; do echo "#include <ndkeep/$face.hpp>" >"include_$face.cpp"; done

# The second line of the builtin `times` has the user and system time of child processes: "0m1.234s 0m0.056s".
measure() {  # measure NAME COMPILER SOURCE OPTION…
    name=$1 compiler=$2 source=$3
    shift 3
    seconds=$( ($compiler -std=c++20 -I"$include" "$@" -c "$source.cpp" -o "$source.o" >&2 && times) |
        awk 'NR == 2 { split($1, parts, /[ms]/); print parts[1] * 60 + parts[2] }')
    [ -n "$seconds" ] || { echo "$compiler cannot compile $source.cpp" >&2; exit 1; }
    echo "$compiler $name $seconds"
}

separate=-DNDKEEP_SEPARATE_COMPILATION
for compiler in ${COMPILERS:-g++ clang++}; do
    command -v "$compiler" >/dev/null 2>&1 || continue
    run=0
    while [ "$run" -lt "$runs" ]; do
        for level in -O0 -O2; do
            measure "xtensor$level" "$compiler" xtensor "$level"
            for program in save_load loop; do
                measure "$program$level" "$compiler" "$program" "$level"
                measure "$program$level,separate" "$compiler" "$program" "$level" "$separate"
            done
        done
        for face in xarray json $faces; do measure "$face" "$compiler" "include_$face" -O2 "$separate"; done
        measure source "$compiler" source -O2 "$separate"
        run=$((run + 1))
    done
done >times

awk -v faces="$faces" '
    { key = $1 SUBSEP $2 }
    !($1 in seen) { compilers[++count] = $1; seen[$1] }
    !(key in least) || $3 < least[key] { least[key] = $3 }
    function of(name) { return least[compiler SUBSEP name] }
    function row(what, name, bar, level,    ratio) {
        ratio = of(name) / of("xtensor" level)
        printf "| %s | %.1f s | %.2f%s |\n", what, of(name), ratio,
            bar == "" ? "" : sprintf(" (target %.1f: %s)", bar, ratio <= bar ? "met" : "missed")
    }
    END {
        for (i = 1; i <= count; ++i) {
            compiler = compilers[i]
            for (l = 0; l <= 2; l += 2) {
                level = "-O" l
                printf "\n%s %s\n\n| program | user time | ratio to xtensor |\n| --- | --- | --- |\n", compiler, level
                printf "| save and load with xtensor | %.1f s | |\n", of("xtensor" level)
                row("save and load, header-only", "save_load" level, l == 2 ? 1.5 : "", level)
                row("save and load, compiled once", "save_load" level ",separate", l == 2 ? 0.9 : "", level)
                row("loop over chunks, header-only", "loop" level, "", level)
                row("loop over chunks, compiled once", "loop" level ",separate", l == 2 ? 1.5 : "", level)
            }
            printf "\n%s, one include, compiled bodies (target: at most 0.8 s more than xarray)\n\n| header | seconds | more than xarray |\n| --- | --- | --- |\n", compiler
            printf "| `xtensor/xarray.hpp` | %.2f | |\n", of("xarray")
            printf "| `nlohmann/json.hpp` | %.2f | %+.2f |\n", of("json"), of("json") - of("xarray")
            n = split(faces, face, " ")
            for (f = 1; f <= n; ++f)
                printf "| `ndkeep/%s.hpp` | %.2f | %+.2f |\n", face[f], of(face[f]), of(face[f]) - of("xarray")
            printf "\n%s, `ndkeep/source.hpp`, compiled once per program: %.0f s\n", compiler, of("source")
        }
    }' times
