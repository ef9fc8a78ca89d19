#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every ```cpp block of README.md compiles, and every file named in a ```sh block exists.
#
# A block with `int main` is a program and compiles unchanged. The others become functions of one program, with their
# includes, structs, templates and NDKEEP_FIELDS placed before the function. Hidden comments before a block tell this
# test more:
# <!-- given: xt::xarray<double> a; -->   declarations that the block uses (several such lines may follow each other)
# <!-- continues -->                      the block continues the function of the block before
# <!-- not compiled: why -->              the block is not complete C++
set -eu
: "${CXX:?}" "${OPTIONS:?}" "${SOURCE:?}"
readme=${1:-$SOURCE/README.md}
[ -e "$readme" ] || { echo "no README.md yet"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk -v work="$work" '
    function finish_function() {
        if (started) { print "}\n}" >> functions; started = 0 }
    }
    BEGIN { functions = work "/functions.txt"; includes = work "/includes.txt"; printf "" > functions; printf "" > includes }

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
                program = work "/program_" first ".cpp"
                print "#line " first " \"README.md\"" > program
                for (i = 1; i <= count; ++i) print line[i] > program
                close(program)
            } else {
                if (!continues) finish_function()
                body = ""; outside = ""; hoisting = 0
                for (i = 1; i <= count; ++i) {
                    mark = "#line " (first + i - 1) " \"README.md\"\n"
                    if (line[i] ~ /^#[ \t]*include/) { print line[i] >> includes; continue }
                    if (!hoisting && line[i] ~ /^(struct|class|enum|template|NDKEEP_FIELDS)/) { hoisting = 1; depth = 0 }
                    if (hoisting) {
                        outside = outside mark line[i] "\n"
                        code = line[i]
                        sub(/[ \t]*(\/\/.*)?$/, "", code)
                        ends = code ~ /[;}]$/
                        depth += gsub(/[{(]/, "", code) - gsub(/[})]/, "", code)
                        if (depth == 0 && ends) hoisting = 0
                    } else body = body mark line[i] "\n"
                }
                if (started && outside != "") { print "README.md:" first ": a block that continues cannot declare types" > (work "/wrong") }
                if (!started) { print "namespace readme_" first " {\n" outside "[[maybe_unused]] void block() {" >> functions; started = 1 }
                printf "%s%s", given, body >> functions
            }
        }
        if (inside == "cpp") { given = ""; continues = 0; skip = 0 }
        inside = ""
        next
    }
    inside == "cpp" { line[++count] = $0; if ($0 ~ /int main\(/) is_program = 1 }
    inside == "sh" { print FNR ": " $0 > (work "/shell.txt") }
    END { finish_function(); print blocks + 0 > (work "/blocks") }' "$readme"

status=0
if [ -e "$work/wrong" ]; then
    cat "$work/wrong"
    status=1
fi
if [ -s "$work/functions.txt" ]; then
    {
        sort -u "$work/includes.txt"
        (cd "$SOURCE/include" && printf '#include <%s>\n' ndkeep/*.hpp | grep -v '<ndkeep/source.hpp>')
        echo 'namespace nk = ndkeep;'
        cat "$work/functions.txt"
    } >"$work/functions.cpp"
    $CXX @"$OPTIONS" -fsyntax-only "$work/functions.cpp" || status=1
fi
for program in "$work"/program_*.cpp; do
    [ -e "$program" ] || continue
    $CXX @"$OPTIONS" -fsyntax-only "$program" || status=1
done

# Words of shell blocks that look like files of this project.
if [ -e "$work/shell.txt" ]; then
    sed 's/#.*//' "$work/shell.txt" | tr ' "' '\n\n' | grep -oE '(^|/)(examples|tests|benchmarks|cmake)/[A-Za-z0-9_./-]+$' | sed 's|^/||' |
        sort -u >"$work/named" || true
    while IFS= read -r name; do
        [ -e "$SOURCE/$name" ] || { echo "README.md names $name, which is not there"; status=1; }
    done <"$work/named"
fi
echo "$(cat "$work/blocks") C++ blocks compiled"
exit $status
