#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Writes a ctest script with the test cases of a Catch2 program: list_tests.sh PROGRAM LABEL SCRIPT
#
# Test cases with the tag [long] or [slow] also get the label `long` or `slow`.
set -eu
program=$1
label=$2
script=$3

# Catch2 version 2 returns the number of tests as exit code of --list-test-names-only; version 3 does not know the
# option.
names_of() {
    names=$("$program" --list-test-names-only "$@" 2>/dev/null) || true
    case $names in
    *'nrecognised token'* | *'rror(s) in input'*) names=$("$program" --list-tests --verbosity quiet "$@") ;;
    esac
    printf '%s\n' "$names"
}

{
    printf '\tlong\n'
    names_of '[long]'
    printf '\tslow\n'
    names_of '[slow]'
    printf '\tall\n'
    names_of
} | awk -v program="$program" -v label="$label" '
    /^\t/ { kind = substr($0, 2); next }
    $0 == "" { next }
    kind != "all" { labels[$0] = labels[$0] ";" kind; next }
    {
        spec = $0
        gsub(/[\\,\[\]"]/, "\\\\&", spec)
        name = "[==[" label ": " $0 "]==]"
        print "add_test(" name " [==[" program "]==] [==[" spec "]==])"
        print "set_tests_properties(" name " PROPERTIES LABELS \"" label labels[$0] "\" TIMEOUT 300)"
    }' >"$script.new"
mv "$script.new" "$script"
