#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# A misuse must not compile, and the compiler must say why: compile_fail.sh FILE
#
# FILE has lines `// expect: REGEX`, each to be found in the diagnostics; `// expect(gcc): ` and `// expect(clang): ` are for
# one compiler. With -DCONTROL the same file is the right use and must compile, so a test cannot pass by accident:
# compile_fail.sh --right-uses FILE… compiles all of them as one unit, each in a namespace, behind what they include. That
# is precompiled first, as $INCLUDES, for the misuses too: most of their time would be its own.
set -eu
: "${CXX:?}" "${OPTIONS:?}" "${INCLUDES:?}"

if [ "$1" = --right-uses ]; then
    shift
    mkdir -p "$(dirname "$INCLUDES")"
    sed -n '/^#include/p' "$@" | sort -u >"$INCLUDES"
    $CXX @"$OPTIONS" -x c++-header "$INCLUDES" -o "$INCLUDES.gch"
    {
        for file; do
            name=${file##*/}
            printf 'namespace %s {\n#include "%s"\n}\n' "${name%.cpp}" "$file"
        done
    } | $CXX @"$OPTIONS" -include "$INCLUDES" -fsyntax-only -DCONTROL -x c++ - && exit
    echo "the right uses (-DCONTROL) do not compile"
    exit 1
fi

file=$1
case $($CXX --version) in
*clang*) compiler=clang ;;
*) compiler=gcc ;;
esac
expected=$(sed -n -e 's|^// expect: *||p' -e "s|^// expect($compiler): *||p" "$file")
[ -n "$expected" ] || { echo "$file: no line says '// expect: REGEX'"; exit 1; }
grep -q CONTROL "$file" || { echo "$file: has no right use (CONTROL)"; exit 1; }

if said=$($CXX @"$OPTIONS" -include "$INCLUDES" -fsyntax-only "$file" 2>&1); then
    echo "$file: compiles, and must not"
    exit 1
fi
printf '%s\n' "$expected" | while IFS= read -r regex; do
    printf '%s\n' "$said" | grep -qE -e "$regex" || { printf '%s\n' "$said"; echo "$file: $compiler does not say '$regex'"; exit 1; }
done
