#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The API reference, from the docstrings of the public headers: every name that a face gives, with its first sentence.
#
#   sh cmake/reference.sh          prints the reference
#   sh cmake/reference.sh --check  compares it with include/ndkeep/REFERENCE.md, and prints the differences
#   sh cmake/reference.sh --write  renews include/ndkeep/REFERENCE.md
#
# It is an error if a public name has no docstring, or if a signature uses a name of ndkeep that the reference leaves out.
set -eu
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname "$0")" && pwd)
include=$(cd "$here/../include/ndkeep" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The sections. A face stands for the headers that it includes and the headers of its folder, unless another section
# names them. After a colon: the names that are for users, where a header also has others; those with a slash are listed
# without their members.
sections() {
    cat <<'LIST'
= npy.hpp
npy
statistics/statistics_of.hpp
= npz.hpp
npz
npz/detail/member_writer.hpp
= tree.hpp
tree
tree/detail/braces.hpp: tree_item/
tree/detail/branch.hpp: tree_items/
tree/detail/document.hpp: deepest_tree
= pickle.hpp
pickle
= chunks.hpp
chunks
chunks/detail/file.hpp
store/state.hpp
store/place.hpp
store/cached_place.hpp: cache_options
os/durability.hpp: durability
= s3.hpp
s3/bucket.hpp
s3/options.hpp
s3/place.hpp: s3_place/
= database.hpp
database
= operators.hpp
operators
= loop.hpp
loop
loop/detail/state/form.hpp
= Bridges
bridges/eigen.hpp
bridges/mdspan.hpp
bridges/arrow.hpp
bridges/detail/arrow_structs.hpp
bridges/detail/arrow_values.hpp
bridges/dlpack.hpp
bridges/foreign_array.hpp
= Errors and findings
error.hpp
format/finding.hpp
= Options of all faces
work/progress.hpp: progress flow run_options progress_meter/
work/progress_bar.hpp
limits.hpp
array/tags.hpp: read_only read_write copy_on_write row_major column_major mode_tag order_tag map_tag
format/order.hpp
os/mapping.hpp: map_mode advice
= Headers, statistics, checksums, sidecars
format/header.hpp: array_info order_of
format/statistics.hpp
statistics/running_statistics.hpp
bytes/checksum.hpp
format/sidecar.hpp: description sidecar_path
os/file.hpp: file_stamp
text/json/parser.hpp
= Arrays
array/xtensor.hpp
array/any.hpp
array/mapped.hpp
array/in_place.hpp
array/view.hpp
array/field.hpp
array/extents.hpp
= Elements and dtypes
element/element.hpp
element/fields.hpp
element/text.hpp
element/float16.hpp
element/bfloat16.hpp
format/dtype.hpp
format/dtype_words.hpp
LIST
}

# Signatures may use these types, which the reference leaves out: the tags have no members, and the others are for authors
# of places and tools.
left_out='read_only_tag read_write_tag copy_on_write_tag row_major_tag column_major_tag mapping file byte_locks literal'

# Prints each section with a folder replaced by its headers, and checks that every include of a face is listed.
listed() {
    sections | while IFS= read -r line; do
        case $line in
        = | =\ * | *.hpp | *.hpp:*) printf '%s\n' "$line" ;;
        *) (cd "$include" && printf '%s\n' "$line"/*.hpp) ;;
        esac
    done
}

reference() {
    listed >"$work/listed"
    (cd "$include" && find . -name '*.hpp' | sort | xargs awk -f "$here/reference.awk") >"$work/records"
    for face in npy npz tree pickle chunks s3 database operators loop; do
        sed -n 's|^#include <ndkeep/\([^>]*\)>.*|\1|p' "$include/$face.hpp" | while IFS= read -r header; do
            grep -q "^$header" "$work/listed" || echo "cmake/reference.sh: $face.hpp includes $header, which no section lists"
        done
    done >"$work/wrong"
    cat <<'TEXT'
# Reference

Every public name of ndkeep, with the first sentence of its documentation. The headers say more: what happens to files,
which error comes when, what is guaranteed. `sh cmake/reference.sh --write` writes this page from them; do not edit it.

* `#include <ndkeep/npy.hpp>` gives the names of its section and what they use of the later sections; `<ndkeep/ndkeep.hpp>` gives
  all but those of `<ndkeep/pickle.hpp>`, `<ndkeep/s3.hpp>` and the bridges. The small headings are the headers that declare the names.
* All names are in namespace `ndkeep`. `std::` is left out, and `path` is `std::filesystem::path`.
* Constant references are written as values, and `const` of member functions is left out. `= 0`: to be defined by a class that you derive.
* Template parameters in angle brackets are those that you write, as in `load<double, 2>(file)`: T is the element, N the rank.
  With `any_rank` the rank is known only at run time.
* A concept in place of a type, such as `order_tag`, stands for any argument that satisfies it. Arguments in `[…]` may be left out.
  `{extent, …}` is a shape in braces.
* An `array_view` parameter takes any array: xtensor containers and expressions, vectors, spans, scalars, `any_array`.
* Options are structs, as in `save(file, array, {.sync = true})`. Name their fields in the order of this page.
* `Throws` lists the errors that the function documents. All derive from `error`; functions that open files may throw `io_error` too.

TEXT
    awk -F '\t' -v wrong="$work/wrong" -v folder="$include" -v left_out=" $left_out " '
        function complain(what) { print what >>wrong }
        function caption(header,    line, text) {
            getline line <(folder "/" header)
            while ((getline line <(folder "/" header)) > 0 && line ~ /^\/\/ /) text = text (text == "" ? "" : " ") substr(line, 4)
            close(folder "/" header)
            return text
        }
        # Notes every header that one includes, directly or not.
        function reach(header,    line, n, i, all) {
            if (header in reached) return
            reached[header] = 1
            while ((getline line <(folder "/" header)) > 0)
                if (line ~ /^#include <ndkeep\//) {
                    gsub(/^#include <ndkeep\/|>.*/, "", line)
                    all[++n] = line
                }
            close(folder "/" header)
            for (i = 1; i <= n; ++i) reach(all[i])
        }
        # A list item: signatures and words, in lines of at most 190 bytes. Code is not broken.
        function item(indent, sigs, text,    n, i, all, line, words, word) {
            n = split(sigs, all, "\001")
            for (i = 1; i < n; ++i) print indent (i == 1 ? "* " : "  ") "`" all[i] "`"
            line = indent (n == 1 ? "* " : "  ") "`" all[n] "`" (text == "" ? "" : ":")
            n = split(text, words, " ")
            for (i = 1; i <= n; ++i) {
                word = words[i]
                if (word ~ /^[^`]*<[A-Za-z]+>/) sub(/</, "\\\\<", word)  # no tag of HTML
                while (gsub(/`/, "`", word) % 2 && i < n) word = word " " words[++i]
                if (length(line) + length(word) + 1 > 190) { print line; line = indent "  " word }
                else line = line " " word
            }
            print line
        }
        function plain(indent, list) { if (list != "") print indent "* " list; return "" }
        FILENAME ~ /records$/ {
            ++n
            header[n] = $1; owner[n] = $2; kind[n] = $3; name[n] = $4; sig[n] = $5; text[n] = $6; level[n] = $7
            if ($2 == "" && $4 !~ /::/) public_name[$4] = $1
            if ($2 == "" && $3 ~ /class|struct|enum|alias/) is_type[$4] = 1
            next
        }
        /^= / { ++sections; title[sections] = substr($0, 3); next }
        {
            file = $0
            only = ""
            if (file ~ /:/) { only = file " "; sub(/^[^:]*:/, "", only); sub(/:.*/, "", file) }
            ++headers; where[headers] = file; only_names[headers] = only; of_section[headers] = sections
        }
        END {
            reach("ndkeep.hpp")
            reach("s3.hpp")
            reach("pickle.hpp")
            for (i = 1; i <= sections; ++i) {
                anchor = tolower(title[i]); gsub(/[.,]/, "", anchor); gsub(/ /, "-", anchor)
                print "* [" title[i] "](#" anchor ")" (title[i] ~ /hpp$/ ? ": " caption(title[i]) : "")
            }
            for (i = 1; i <= sections; ++i) {
                print "\n## " title[i]
                for (h = 1; h <= headers; ++h) if (of_section[h] == i) show(h)
            }
            for (i = 1; i <= n; ++i) if (shown[i]) check_words(i)
        }
        function show(h,    i, started, keep, gathered, indent) {
            keep = 0
            for (i = 1; i <= n; ++i) {
                if (header[i] != where[h]) continue
                if (owner[i] == "") {
                    without_members = index(only_names[h], " " name[i] "/ ")
                    keep = only_names[h] == "" || without_members || index(only_names[h], " " name[i] " ")
                }
                if (!keep || (without_members && owner[i] != "")) continue
                if (!started) { print "\n### " where[h] ((where[h] in reached) ? "" : " (no face includes it)"); started = 1 }
                shown[i] = 1
                indent = substr("      ", 1, 2 * level[i])
                if (text[i] == "") continue
                if (text[i] == "?") {
                    word = sig[i]; sub(/[^A-Za-z_0-9].*/, "", word)
                    if (kind[i] == "field" && !(word in is_type)) complain(header[i] ": " owner[i] "::" name[i] " has no comment")
                    gathered_indent = indent
                    gathered = gathered (gathered == "" ? "" : ", ") "`" sig[i] "`"
                    continue
                }
                gathered = plain(gathered_indent, gathered)
                if (text[i] == "!") { complain(header[i] ": " (owner[i] == "" ? "" : owner[i] "::") name[i] " has no docstring"); text[i] = "undocumented" }
                if (kind[i] == "enum") {
                    values = ""
                    for (k = i + 1; kind[k] == "value" && text[k] == "?"; ++k) {
                        values = values (values == "" ? "" : ", ") "`" sig[k] "`"
                        text[k] = ""
                    }
                    if (values != "") text[i] = text[i] " Values: " values "."
                }
                item(indent, sig[i], text[i])
            }
            plain(gathered_indent, gathered)
            if (!started) complain("cmake/reference.sh: " where[h] " has no public name")
        }
        function check_words(i,    rest, word) {
            if (kind[i] == "value") return
            rest = sig[i]
            while (match(rest, /[A-Za-z_][A-Za-z_0-9]*/)) {
                word = substr(rest, RSTART, RLENGTH)
                # After a type, a word is the name of a parameter or of a function.
                is_name = substr(rest, 1, RSTART - 1) ~ /[A-Za-z0-9_>*&] $/ || rest ~ ("^ [a-z]")
                rest = substr(rest, RSTART + RLENGTH)
                if (is_name || !(word in is_type)) continue
                if ((word in public_name) && !(word in listed_name)) {
                    listed_name[word] = 0
                    for (k = 1; k <= n; ++k) if (shown[k] && owner[k] == "" && name[k] == word) listed_name[word] = 1
                }
                if ((word in public_name) && !listed_name[word] && !(word in told) && !index(left_out, " " word " ")) {
                    told[word] = 1
                    complain("cmake/reference.sh: " public_name[word] ": " word ", which " name[i] " uses, is in no section")
                }
            }
        }' "$work/records" "$work/listed"
}

finish() {
    [ ! -s "$work/wrong" ] || { cat "$work/wrong" >&2; exit 1; }
}

case ${1:-} in
'')
    reference
    finish
    ;;
--check)
    reference >"$work/reference"
    finish
    if ! diff -u "$include/REFERENCE.md" "$work/reference"; then
        echo "include/ndkeep/REFERENCE.md is not what the headers say: sh cmake/reference.sh --write"
        exit 1
    fi
    ;;
--write)
    reference >"$work/reference"
    finish
    cat "$work/reference" >"$include/REFERENCE.md"
    ;;
*)
    echo "usage: sh cmake/reference.sh [--check | --write]" >&2
    exit 2
    ;;
esac
