#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# cmake/check_layers.sh rejects what it should: a small tree of headers, broken in one way at a time.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

header() {  # header PATH LINES…
    path=$work/include/ndkeep/$1
    shift
    mkdir -p "$(dirname "$path")"
    { printf '// SPDX-License-Identifier: BSD-3-Clause\n// For a test.\n#pragma once\n'; printf '%s\n' "$@"; } >"$path"
}
fresh() {
    rm -rf "$work/include" "$work/examples" "$work/benchmarks"
    header version.hpp
    header error.hpp '#include <ndkeep/version.hpp>'
    header os/file.hpp '#include <fcntl.h>' 'int f() { return ::open("x", 0); }'
    header os/mapping.hpp '#include <ndkeep/os/file.hpp>' '#include <sys/mman.h>'
    header format/dtype.hpp '// calls ::open( and <ndkeep/npy.hpp> in a comment' 'auto text = "::open(1)";'
    header array/xtensor.hpp '#include <xtensor/xarray.hpp>'
    header npy.hpp '#include <ndkeep/array/xtensor.hpp>'
}
check() { sh "$SOURCE/cmake/check_layers.sh" "$work/include" >"$work/said" 2>&1; }
refuses() {  # refuses "expected message" PATH LINES…
    words=$1
    shift
    fresh
    header "$@"
    if check; then
        echo "accepted $*"
        exit 1
    fi
    grep -qF -- "$words" "$work/said" || { cat "$work/said"; echo "did not say: $words"; exit 1; }
}

program() {  # program PATH LINE
    mkdir -p "$(dirname "$work/$1")"
    printf '%s\n' "$2" >"$work/$1"
}
refuses_program() {  # refuses_program PATH LINE
    fresh
    program "$@"
    if check; then
        echo "accepted $*"
        exit 1
    fi
    grep -qF 'detail is not promised' "$work/said" || { cat "$work/said"; exit 1; }
}

fresh
program examples/tool/main.cpp '#include <ndkeep/npy/core/sidecar_file.hpp> // not npy/detail/, and no ndkeep::detail::x'
program benchmarks/files.cpp 'auto details = std::string("ndkeep::detail::x"); my_detail::x y;'
check || { cat "$work/said"; echo "refuses a tree in which nothing is wrong"; exit 1; }

refuses 'includes upwards' bytes/crc.hpp '#include <ndkeep/format/dtype.hpp>'
refuses 'includes upwards' array/view.hpp '#include <ndkeep/npy.hpp>'
refuses 'includes upwards' version.hpp '#include <ndkeep/error.hpp>'
refuses 'includes in a circle' os/file.hpp '#include <ndkeep/os/mapping.hpp>'
refuses 'a folder that is no floor' extra/new.hpp 'int f();'
refuses 'included as <ndkeep/' npy.hpp '#include "array/xtensor.hpp"'
refuses 'file calls are made in' npz.hpp '#include <fstream>'
refuses 'file calls are made in' npz.hpp 'int f() { return ::rename("a", "b"); }'
refuses 'file calls are made in' npz.hpp 'bool f() { return std::filesystem::exists("a"); }'
refuses 'mappings are made in' array/mapped.hpp 'auto f() { return ::mmap(0, 1, 1, 1, 1, 0); }'
refuses 'NaN and infinities by their bits' array/mapped.hpp 'bool f(double x) { return std::isnan(x); }'
refuses 'mappings are made in' os/file.hpp '#include <sys/mman.h>'
refuses 'the workshop of another verb' npy.hpp '#include <ndkeep/chunks/detail/session.hpp>'
refuses "xtensor's headers are named in" npy.hpp '#include <xtensor/xview.hpp>'
refuses_program examples/tool/main.cpp 'auto x = ndkeep::detail::x();'
refuses_program examples/first.cpp 'using namespace ndkeep::detail;'
refuses_program benchmarks/timing.hpp '#include <ndkeep/chunks/detail/session.hpp>'
fresh
for name in a b c d e f g h i j k; do header "store/$name.hpp"; done
if check || ! grep -q 'more than ten in a folder' "$work/said"; then
    echo "accepted a folder of eleven headers"
    exit 1
fi
fresh
echo 'int f();' >"$work/include/ndkeep/npy.hpp"
if check; then
    echo "accepted a header without licence"
    exit 1
fi
