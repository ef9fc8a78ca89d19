#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Runs an example in an empty folder and compares its output: check_output.sh PROGRAM SOURCE [LAUNCHER...]
#
# LAUNCHER is a command that gets the program and its argument, as run_ranks.sh in mpi.
#
# NAME_check.py, if present, then reads what the program has written with NumPy: NAME_check.py FOLDER DATA. It is left out
# without NumPy.
#
# NAME.out holds the expected output of NAME.cpp; without it, the program only has to succeed. Parts that differ between
# runs are written as {date}, {time}, {number} or {path}, and {any} stands for the rest of a line.
set -eu
program=$1
source=$2
shift 2
examples=$(cd "$(dirname "$source")" && pwd)
expected=${source%.cpp}.out
work=$(mktemp -d "${TMPDIR:-/tmp}/ndkeep example.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/run"

(cd "$work/run" && "$@" "$program" "$examples/data") >"$work/printed" || { cat "$work/printed"; echo "$program failed"; exit 1; }
check=${source%.cpp}_check.py
if [ -e "$check" ]; then
    for python in python3 /usr/bin/python3; do
        ! "$python" -c 'import numpy' 2>/dev/null || { "$python" "$check" "$work/run" "$examples/data" >/dev/null; break; }
    done
fi
[ -e "$expected" ] || exit 0

awk '
    function pattern_of(text) {
        gsub(/[{]date[}]/, "\001", text)
        gsub(/[{]time[}]/, "\002", text)
        gsub(/[{]number[}]/, "\003", text)
        gsub(/[{]path[}]/, "\004", text)
        gsub(/[{]any[}]/, "\005", text)
        pattern = ""
        for (i = 1; i <= length(text); ++i) {
            letter = substr(text, i, 1)
            pattern = pattern (index("\\^[", letter) ? "\\" letter : index(".*+?(){}|$]", letter) ? "[" letter "]" : letter)
        }
        text = pattern
        gsub(/\001/, "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]", text)
        gsub(/\002/, "[0-9][0-9]:[0-9][0-9](:[0-9][0-9])?([.][0-9]+)?Z?", text)
        gsub(/\003/, "[-+]?[0-9]+([.][0-9]+)?(e[-+]?[0-9]+)?", text)
        gsub(/\004/, "[^ ]+", text)
        gsub(/\005/, ".*", text)
        return "^" text "$"
    }
    FNR == NR { wanted[++lines] = $0; next }
    { ++line }
    line > lines { print "line " line " is more than expected: " $0; wrong = 1; next }
    $0 == wanted[line] { next }
    $0 !~ pattern_of(wanted[line]) { print "line " line "\n  printed:  " $0 "\n  expected: " wanted[line]; wrong = 1 }
    END {
        if (line < lines) { print "only " line + 0 " of " lines " lines were printed; the next is: " wanted[line + 1]; wrong = 1 }
        exit wrong
    }' "$expected" "$work/printed" || { echo "$(basename "$program") does not print what $(basename "$expected") says"; exit 1; }
