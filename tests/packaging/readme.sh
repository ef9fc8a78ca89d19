#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every ```cpp block of README.md, and of each README.md and CHANGES.md in include/, examples/, benchmarks/ and cmake/,
# compiles. Every file that a ```sh block runs, a link leads to or `inline code` names is present.
#
# A block with `int main` is a program and compiles unchanged. The others become functions of one program: their
# includes, structs, templates, NDKEEP_FIELDS and NDKEEP_KEY go before the function. What only the test needs to know stands in a
# comment before the block, which readers do not see:
#   <!-- given: xt::xarray<double> a; -->   declarations that the block uses (several such lines may follow each other)
#   <!-- continues -->                      the block continues the function of the block before
#   <!-- not compiled: why -->              the block is not complete C++
set -eu
: "${CXX:?}" "${OPTIONS:?}" "${SOURCE:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$SOURCE"
# Names of folders here hold no blanks.
# shellcheck disable=SC2046
[ $# != 0 ] || set -- $(find README.md include examples benchmarks cmake '(' -name README.md -o -name CHANGES.md ')' | LC_ALL=C sort)
: >"$work/shell.txt"
: >"$work/links.txt"
: >"$work/named.txt"

awk -v work="$work" '
    function finish_function() {
        if (started) { print "}\n}" >> functions; started = 0 }
    }
    function wrong(text) { print FILENAME ":" first ": " text > (work "/wrong") }
    # Links and file names in the text around the blocks.
    function look_at_text(text,    target) {
        while (match(text, /`[^`]+`/)) {
            target = substr(text, RSTART + 1, RLENGTH - 2)
            if (target ~ /^[a-z0-9_.\/-]+\/[a-z0-9_.-]+[.]([hic]pp|sh|awk|cmake)$/ && target !~ /^(xtensor|nlohmann)\//)
                print FILENAME, FNR, target > (work "/named.txt")
            text = substr(text, 1, RSTART - 1) substr(text, RSTART + RLENGTH)
        }
        while (match(text, /\]\([^) ]+\)/)) {
            target = substr(text, RSTART + 2, RLENGTH - 3)
            sub(/#.*/, "", target)
            if (target != "" && target !~ /^https?:/) print FILENAME, FNR, target > (work "/links.txt")
            text = substr(text, RSTART + RLENGTH)
        }
    }
    BEGIN { functions = work "/functions.txt"; includes = work "/includes.txt"; printf "" > functions; printf "" > includes }

    FNR == 1 {
        finish_function()
        if (inside) wrong("a block without an end in the file before")
        ++file; inside = ""; given = ""; continues = 0; skip = 0
    }
    !inside && /^[ \t]*<!-- given: .* -->/ {
        text = $0; sub(/^[ \t]*<!-- given: /, "", text); sub(/ -->.*/, "", text); given = given text "\n"; next
    }
    !inside && /^[ \t]*<!-- continues -->/ { continues = 1; next }
    !inside && /^[ \t]*<!-- not compiled: .*-->/ { skip = 1; next }
    !inside && /^[ \t]*```cpp[ \t]*$/ { inside = "cpp"; first = FNR + 1; count = 0; is_program = 0; next }
    !inside && /^[ \t]*```sh[ \t]*$/ { inside = "sh"; next }
    !inside && /^[ \t]*```/ { inside = "other"; next }
    inside && /^[ \t]*```[ \t]*$/ {
        if (inside == "cpp" && !skip) {
            ++blocks
            if (is_program) {
                program = work "/program_" file "_" first ".cpp"
                print "#line " first " \"" FILENAME "\"" > program
                for (i = 1; i <= count; ++i) print line[i] > program
                close(program)
            } else {
                if (!continues) finish_function()
                body = ""; outside = ""; hoisting = 0
                for (i = 1; i <= count; ++i) {
                    mark = "#line " (first + i - 1) " \"" FILENAME "\"\n"
                    if (line[i] ~ /^#[ \t]*include/) { print line[i] >> includes; continue }
                    if (!hoisting && line[i] ~ /^(struct|class|enum|template|NDKEEP_FIELDS|NDKEEP_KEY)/) { hoisting = 1; depth = 0 }
                    if (hoisting) {
                        outside = outside mark line[i] "\n"
                        code = line[i]
                        sub(/[ \t]*(\/\/.*)?$/, "", code)
                        ends = code ~ /[;}]$/
                        depth += gsub(/[{(]/, "", code) - gsub(/[})]/, "", code)
                        if (depth == 0 && ends) hoisting = 0
                    } else body = body mark line[i] "\n"
                }
                if (started && outside != "") wrong("a block that continues cannot declare types")
                if (!started) { print "namespace readme_" file "_" first " {\n" outside "[[maybe_unused]] void block() {" >> functions; started = 1 }
                printf "%s%s", given, body >> functions
            }
        }
        given = ""; continues = 0; skip = 0
        inside = ""
        next
    }
    inside == "cpp" { line[++count] = $0; if ($0 ~ /int main\(/) is_program = 1 }
    inside == "sh" { print FILENAME, FNR, $0 > (work "/shell.txt") }
    !inside { look_at_text($0) }
    END { finish_function(); print blocks + 0 > (work "/blocks") }' "$@"

status=0
if [ -e "$work/wrong" ]; then
    cat "$work/wrong"
    status=1
fi
if [ -s "$work/functions.txt" ]; then
    {
        sort -u "$work/includes.txt"
        (cd include && printf '#include <%s>\n' ndkeep/*.hpp | grep -v '<ndkeep/source.hpp>')
        echo 'namespace nk = ndkeep;'
        cat "$work/functions.txt"
    } >"$work/functions.cpp"
    $CXX @"$OPTIONS" -fsyntax-only "$work/functions.cpp" || status=1
fi
for program in "$work"/program_*.cpp; do
    [ -e "$program" ] || continue
    $CXX @"$OPTIONS" -fsyntax-only "$program" || status=1
done

# Words of shell blocks that look like files of ours.
while read -r readme line words; do
    echo "$words" | sed 's/#.*//' | tr ' "' '\n\n' | grep -oE '(^|/)(examples|tests|benchmarks|cmake)/[A-Za-z0-9_./-]+$' | sed 's|^/||' >"$work/words" || true
    while IFS= read -r name; do
        [ -e "$name" ] || { echo "$readme:$line: no file $name"; status=1; }
    done <"$work/words"
done <"$work/shell.txt"

# A link is relative to its file. A name in code may also leave out what the file is about.
while read -r readme line target; do
    [ -e "$(dirname "$readme")/$target" ] || { echo "$readme:$line: the link to $target leads nowhere"; status=1; }
done <"$work/links.txt"
while read -r readme line name; do
    found=
    for folder in . include include/ndkeep "$(dirname "$readme")"; do
        [ ! -e "$folder/$name" ] || found=yes
    done
    [ -n "$found" ] || { echo "$readme:$line: no file $name"; status=1; }
done <"$work/named.txt"

echo "$(cat "$work/blocks") C++ blocks of $# files compiled"
exit $status
