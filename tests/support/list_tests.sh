#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Writes a ctest script with the test cases of a Catch2 program: list_tests.sh PROGRAM LABEL SCRIPT
#
# Test cases with the tag [long] also get the label `long`.
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

{ names_of '[long]'; echo; names_of; } | awk -v program="$program" -v label="$label" '
    $0 == "" { in_all = 1 }
    !in_all { is_long[$0]; next }
    $0 != "" {
        spec = $0
        gsub(/[\\,\[\]"]/, "\\\\&", spec)
        name = "[==[" label ": " $0 "]==]"
        print "add_test(" name " [==[" program "]==] [==[" spec "]==])"
        print "set_tests_properties(" name " PROPERTIES LABELS \"" label ($0 in is_long ? ";long" : "") "\" TIMEOUT 300)"
    }' >"$script.new"
mv "$script.new" "$script"
