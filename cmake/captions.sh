#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The table of all headers: folder, file, and the caption that begins on line 2 of the file.
#
#   sh cmake/captions.sh          prints the table
#   sh cmake/captions.sh --check  compares it with the one in include/ndkeep/README.md, and prints the differences
#   sh cmake/captions.sh --write  renews the one in include/ndkeep/README.md
#
# The table stands between the two comments below. Nothing else of the README is read or changed.
set -eu
begin='<!-- captions: begin -->'
end='<!-- captions: end -->'
include=$(cd "$(dirname "$0")/../include/ndkeep" && pwd)
readme=$include/README.md

# A caption is a paragraph: it ends with an empty comment line, or with the comment.
table() {
    printf '| folder | header | caption |\n|---|---|---|\n'
    (cd "$include" && find . -name '*.hpp') | sed 's|^[.]/||' | while IFS= read -r header; do
        case $header in
        */*) folder=${header%/*}/ ;;
        *) folder= ;;
        esac
        caption=$(awk '
            FNR == 1 { next }
            !/^\/\/ / { exit }
            { sub(/^\/\/ /, ""); text = text (text == "" ? "" : " ") $0 }
            END { gsub(/[|]/, "\\|", text); gsub(/</, "\\&lt;", text); print text }' "$include/$header")
        printf '%s\t%s\t%s\n' "$folder" "${header##*/}" "$caption"
    done | LC_ALL=C sort | awk -F '\t' '
        { print "| " ($1 != "" && $1 != before ? "`" $1 "` " : "") "| `" $2 "` | " $3 " |"; before = $1 }'
}

check_marks() {
    for mark in "$begin" "$end"; do
        [ "$(grep -cxF -- "$mark" "$readme")" = 1 ] || { echo "$readme: not one line $mark" >&2; exit 1; }
    done
}

case ${1:-} in
'')
    table
    ;;
--check)
    check_marks
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    awk -v begin="$begin" -v end="$end" '$0 == end { inside = 0 } inside { print } $0 == begin { inside = 1 }' "$readme" >"$work/README.md"
    table >"$work/headers"
    if ! diff -u "$work/README.md" "$work/headers"; then
        echo "the captions in include/ndkeep/README.md are not those of the headers: sh cmake/captions.sh --write"
        exit 1
    fi
    ;;
--write)
    check_marks
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    table >"$work/table"
    awk -v begin="$begin" -v end="$end" -v table="$work/table" '
        $0 == end { inside = 0 }
        !inside { print }
        $0 == begin { inside = 1; while ((getline line < table) > 0) print line }' "$readme" >"$work/README.md"
    cat "$work/README.md" >"$readme"
    ;;
*)
    echo "usage: sh cmake/captions.sh [--check | --write]" >&2
    exit 2
    ;;
esac
