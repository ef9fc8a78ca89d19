#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Prints the manual page of the tool, made from its help texts: sh man.sh PATH_OF_NDKEEP > ndkeep.1
set -eu
tool=$1
version=$("$tool" --version)
help=$("$tool" --help)
commands=$(printf '%s\n' "$help" | awk '/^commands:/ { inside = 1; next } /^$/ { inside = 0 } inside { print $1 }')
{
    printf '@tool %s\n\n%s\n\n' "$version" "$help"
    for command in $commands; do
        printf '@command %s\n\n' "$command"
        "$tool" help "$command"
        echo
    done
} | awk '
    # Text in which roff interprets and changes nothing.
    function plain(text,    i, c, out) {
        for (i = 1; i <= length(text); ++i) {
            c = substr(text, i, 1)
            if (c == "\\") c = "\\(rs"
            else if (c == "-") c = "\\-"
            else if (c == "`") c = "\\(ga"
            else if (c == "\047") c = "\\(aq"
            else if (c == "\"") c = "\\(dq"
            else if (c == "^") c = "\\(ha"
            else if (c == "~") c = "\\(ti"
            out = out c
        }
        return (out ~ /^\./ ? "\\&" : "") out
    }
    # Two or more blanks separate a name from its description.
    function named(line,    at, length_of_gap) {
        at = match(line, /   */)
        length_of_gap = RLENGTH
        if (at == 0)
            return ".B " plain(line)
        return ".B " plain(substr(line, 1, at - 1)) "\n" plain(substr(line, at + length_of_gap))
    }
    function define_all(    i, line) {
        for (i = 2; i <= NF; ++i) {
            line = $i
            sub(/^ +/, "", line)
            if (command == "")
                is_common[line] = 1
            else if (line in is_common)
                continue
            print ".TP\n" named(line)
        }
    }

    # A record is a paragraph of help text, and its fields are lines.
    BEGIN { RS = ""; FS = "\n" }
    /^@tool/ {
        print ".TH NDKEEP 1 \"\" \"" plain(substr($1, 7)) "\" \"User Commands\""
        print ".SH NAME\nndkeep \\- inspect, check, compare and convert array files"
        next
    }
    /^@command/ {
        if (command == "")
            print ".SH COMMANDS"
        command = substr($1, 10)
        print ".SS " plain(command)
        next
    }
    /^usage:/ {
        print command == "" ? ".SH SYNOPSIS" : ".PP"
        for (i = 1; i <= NF; ++i) {
            line = $i
            sub(/^(usage:)? +/, "", line)
            print (i == 1 ? "" : ".br\n") named(line)
        }
        if (command == "")
            print ".SH DESCRIPTION\n" description
        next
    }
    /^commands:/ { next }
    /^options of every command/ { print ".SH COMMON OPTIONS" }
    /^options/ { define_all(); next }
    /^exit status:/ && command == "" {
        sub(/^exit status: /, "")
        print ".SH EXIT STATUS\n" plain($0)
        next
    }
    /^buckets:/ && command == "" {
        sub(/^buckets: /, "")
        print ".SH BUCKETS\n" plain($0)
        next
    }
    /^example:/ {
        if (command == "")
            next
        print ".PP\n.EX"
        for (i = 2; i <= NF; ++i)
            print plain(substr($i, 3))
        print ".EE"
        next
    }
    command == "" { description = plain($0); next }
    {
        print ".PP"
        for (i = 1; i <= NF; ++i)
            print plain($i) (i < NF && $i ~ /\.$/ ? "\n.br" : "")
    }
'
