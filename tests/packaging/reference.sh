#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# cmake/reference.sh rejects what it should: a copy of the headers, changed in one way at a time.
set -eu
: "${SOURCE:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/include" "$work/cmake"
cp "$SOURCE/cmake/reference.sh" "$SOURCE/cmake/reference.awk" "$work/cmake"
fresh() {
    rm -rf "$work/include/ndkeep"
    cp -R "$SOURCE/include/ndkeep" "$work/include/ndkeep"
}
check() { sh "$work/cmake/reference.sh" --check >"$work/said" 2>&1; }
refuses() {  # refuses "expected message" PATH SED-COMMAND
    fresh
    sed "$3" "$work/include/ndkeep/$2" >"$work/changed"
    if cmp -s "$work/changed" "$work/include/ndkeep/$2"; then
        echo "nothing to change in $2: $3"
        exit 1
    fi
    cp "$work/changed" "$work/include/ndkeep/$2"
    if check; then
        echo "accepted $2: $3"
        exit 1
    fi
    grep -qF -- "$1" "$work/said" || { cat "$work/said"; echo "did not say: $1"; exit 1; }
}

fresh
check || { cat "$work/said"; exit 1; }

refuses 'npy/save.hpp: save_options has no docstring' npy/save.hpp '/^\/\/\/ Options of .save.\./d'
refuses 'npy/save.hpp: save_bytes has no docstring' npy/save.hpp '/^\/\/\/ Returns the bytes that .save. writes/d'
refuses 'npz/verify.hpp: npz_member::crc32 has no comment' npz/verify.hpp 's/\(uint32_t crc32 = 0;\).*/\1/'
refuses 'error.hpp: error::hint has no docstring' error.hpp '/^ *\/\/\/ What the caller can do about it/d'
refuses 'REFERENCE.md is not what the headers say' npy/map.hpp 's/bool reserve = false;/bool reserve = true; /'
refuses 'REFERENCE.md is not what the headers say' REFERENCE.md 's/^# Reference/# Names/'
refuses 'npy.hpp includes os/replace.hpp, which no section lists' npy.hpp 's|npy/save.hpp|os/replace.hpp|'
refuses 'os/directory.hpp: directory, which save uses, is in no section' npy/save.hpp 's/^void save(/directory save(/'
