#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Checks that a misuse does not compile and that the compiler's message explains why: compile_fail.sh FILE
#
# FILE has lines `// expect: REGEX`, each of which must match the diagnostics; `// expect(gcc): ` and `// expect(clang):
# ` apply to one compiler. With -DCONTROL the same file is the correct use and must compile, so that a test cannot pass
# for another reason. compile_fail.sh --right-uses FILE… compiles all correct uses as one unit, each in a namespace
# after their includes. These includes are precompiled first, as $INCLUDES, also for the misuses, because they take most
# of the time.
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
