#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# With options that ndkeep cannot be compiled with, <ndkeep/version.hpp> gives exactly one error, which says what to do.
set -eu
: "${CXX:?}" "${SOURCE:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compile() {  # compile OPTIONS…
    echo '#include <ndkeep/version.hpp>' | LC_ALL=C $CXX -I "$SOURCE/include" "$@" -fsyntax-only -x c++ - >"$work/said" 2>&1
}
refuses() {  # refuses "what the error contains" OPTIONS…
    words=$1
    shift
    if compile "$@"; then
        echo "compiles with $*"
        exit 1
    fi
    [ "$(grep -c 'error:' "$work/said")" = 1 ] || { cat "$work/said"; echo "expected one error with $*"; exit 1; }
    grep 'error:' "$work/said" | grep -qF -- "$words" || { cat "$work/said"; echo "the error with $* does not contain: $words"; exit 1; }
}

compile -std=c++20 -Wall -Wextra -Wpedantic -Werror || { cat "$work/said"; echo "does not compile with -std=c++20"; exit 1; }
refuses 'compile with -std=c++20' -std=c++17
refuses 'exceptions' -std=c++20 -fno-exceptions
refuses 'Windows' -std=c++20 -D_WIN32
