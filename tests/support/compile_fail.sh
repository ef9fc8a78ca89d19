#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# A misuse must not compile, and the compiler must say why: compile_fail.sh FILE
#
# FILE has lines `// expect: REGEX`, each to be found in the diagnostics; `// expect(gcc): ` and `// expect(clang): ` are for
# one compiler. With -DCONTROL the same file is the right use and must compile, so a test cannot pass by accident.
set -eu
file=$1
: "${CXX:?}" "${OPTIONS:?}"

case $($CXX --version) in
*clang*) compiler=clang ;;
*) compiler=gcc ;;
esac
expected=$(sed -n -e 's|^// expect: *||p' -e "s|^// expect($compiler): *||p" "$file")
[ -n "$expected" ] || { echo "$file: no line says '// expect: REGEX'"; exit 1; }

if ! $CXX @"$OPTIONS" -fsyntax-only -DCONTROL "$file"; then
    echo "$file: the right use (-DCONTROL) does not compile"
    exit 1
fi
if said=$($CXX @"$OPTIONS" -fsyntax-only "$file" 2>&1); then
    echo "$file: compiles, and must not"
    exit 1
fi
printf '%s\n' "$expected" | while IFS= read -r regex; do
    printf '%s\n' "$said" | grep -qE -e "$regex" || { printf '%s\n' "$said"; echo "$file: $compiler does not say '$regex'"; exit 1; }
done
