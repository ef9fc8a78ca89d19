#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Checks the include rules of the headers: `sh cmake/check_layers.sh [folder that holds ndkeep/]`.
#
# Includes go downwards between the floors listed below, and contain no cycle within a floor. Only its verb includes
# VERB/detail/. Only os/ makes system calls, only os/mapping maps memory, and only array/xtensor.hpp names xtensor's
# headers. Bits tell whether a number is finite, never the standard library. A folder below the faces has at most ten headers. If examples/ and benchmarks/ are next to the folder, they use no name from
# a detail namespace and no header from a detail/ folder.
set -eu
include=${1:-$(dirname "$0")/../include}
cd "$include"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

find ndkeep -name '*.[hi]pp' | LC_ALL=C sort >"$work/headers"
[ -s "$work/headers" ] || { echo "no headers in $include/ndkeep"; exit 1; }

# Prints a file's code without comments and without the contents of string literals, as "file:line:code".
code_of() {
    awk -v file="$1" '
        {
            line = $0
            if (line !~ /^[ \t]*#[ \t]*include/) gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
            while (in_comment || index(line, "/*")) {
                if (!in_comment) { start = index(line, "/*"); before = substr(line, 1, start - 1); line = substr(line, start + 2) }
                else before = ""
                end = index(line, "*/")
                if (!end) { in_comment = 1; line = before; break }
                in_comment = 0
                line = before " " substr(line, end + 2)
            }
            sub(/\/\/.*/, "", line)
            if (line !~ /^[ \t]*$/) print file ":" FNR ":" line
        }' "$1"
}
while IFS= read -r header; do code_of "$header"; done <"$work/headers" >"$work/code"

complain() {  # complain "what is wrong" <lines
    sed "s|\$|    <- $1|" >>"$work/wrong"
}
: >"$work/wrong"

# Every header begins with the same lines.
while IFS= read -r header; do
    head -n 1 "$header" | grep -q '^// SPDX-License-Identifier: BSD-3-Clause$' || echo "$header" | complain "no licence in line 1"
    grep -q '^#pragma once$' "$header" || echo "$header" | complain "no #pragma once"
done <"$work/headers"

grep -E '#[[:space:]]*include[[:space:]]*"' "$work/code" | complain 'own headers are included as <ndkeep/…>' || true

# Check the floors and find include cycles.
awk -F: '
    function floor_of(path) {
        if (path ~ /^ndkeep\/(version|configuration)\.[hi]pp$/) return -1
        if (path ~ /^ndkeep\/(error|limits)\.[hi]pp$/) return 0
        # Below errors, whose sentences have digits. These two include only each other and version.hpp.
        if (path ~ /^ndkeep\/text\/(ascii|hex)\.hpp$/) return 0
        if (path ~ /^ndkeep\/(os|work|text|bytes)\//) return 1
        if (path ~ /^ndkeep\/format\//) return 2
        if (path ~ /^ndkeep\/element\//) return 3
        if (path ~ /^ndkeep\/(array|statistics)\//) return 4
        if (path ~ /^ndkeep\/store\//) return 5
        if (path ~ /^ndkeep\/(npy|npz|tree|pickle|bridges|chunks|database|loop|operators|s3)\//) return 6
        return path ~ /^ndkeep\/[^\/]+$/ ? 7 : 99
    }
    floor_of($1) == 99 && !($1 in told) { told[$1]; print $1 "    <- a folder that is no floor" }
    # The verb of a face or folder, and whether files of one verb may include the detail/ folder of another.
    function verb_of(path) {
        sub(/^ndkeep\//, "", path)
        sub(/[\/.].*/, "", path)
        return path
    }
    function may_enter(from, into) {
        return from == into || from == "source" || (from ~ /^(npz|chunks|database|loop)$/ && into == "npy") ||
               (from ~ /^(tree|loop)$/ && into == "npz") ||
               (from == "pickle" && into == "tree") || (from == "loop" && into ~ /^(chunks|database)$/)
    }
    $3 ~ /^namespace / { declared[$1] }
    match($3, /#[ \t]*include[ \t]*<ndkeep\/[^>]*>/) {
        target = substr($3, RSTART, RLENGTH)
        sub(/.*</, "", target)
        sub(/>.*/, "", target)
        if (floor_of(target) > floor_of($1)) print $0 "    <- includes upwards"
        if (target ~ /\/detail\// && !may_enter(verb_of($1), verb_of(target)))
            print $0 "    <- the workshop of another verb"
        # Includes below the declarations of a header (its .ipp) may depend on them, so they are no part of a cycle.
        if (!($1 in declared)) print $1, target > edges
    }' edges="$work/edges" "$work/code" >>"$work/wrong"
if [ -s "$work/edges" ] && ! tsort "$work/edges" >/dev/null 2>"$work/circle"; then
    sed '/contains a loop/d; s|^tsort: *||; s|$|    <- includes in a circle|' "$work/circle" >>"$work/wrong"
fi

# only_in FILES "what" REGEX: reports code that matches the regex outside these files (also a regex)
only_in() {
    grep -E "$3" "$work/code" | grep -vE "^($1):" | complain "$2" || true
}
file='ndkeep/os/([a-z_]+/)?[a-z_]+\.[hi]pp'
mapping='ndkeep/os/mapping\.[hi]pp'
xtensor='ndkeep/array/xtensor\.hpp'
only_in "$file" "file calls are made in os/" \
    '#[[:space:]]*include[[:space:]]*<(fcntl\.h|sys/(stat|file|uio|statvfs|sendfile|ioctl)\.h|dirent\.h|fstream|cstdio|stdio\.h)>'
only_in "$file" "file calls are made in os/" \
    '(^|[^A-Za-z0-9_:>.])::(open|openat|close|read|pread|write|pwrite|readv|writev|preadv|pwritev|lseek|fstat|stat|lstat|fsync|fdatasync|sync_file_range|ftruncate|truncate|posix_fallocate|fallocate|flock|fcntl|rename|renameat|link|linkat|unlink|unlinkat|mkdir|rmdir|opendir|readdir|dup|copy_file_range|posix_fadvise|fopen|fread|fwrite)[[:space:]]*\('
only_in "$file" "file calls are made in os/" \
    '(^|[^A-Za-z0-9_])(std::)?(filesystem|fs)::(absolute|canonical|weakly_canonical|copy|copy_file|create_(directory|directories|hard_link|symlink)|current_path|equivalent|exists|file_size|hard_link_count|is_(block_file|character_file|directory|empty|fifo|other|regular_file|socket|symlink)|last_write_time|permissions|read_symlink|remove|remove_all|rename|resize_file|space|status|symlink_status|temp_directory_path|(recursive_)?directory_iterator)([^A-Za-z0-9_]|$)'
only_in "$mapping" "mappings are made in os/mapping" '#[[:space:]]*include[[:space:]]*<sys/mman\.h>'
only_in "$mapping" "mappings are made in os/mapping" \
    '(^|[^A-Za-z0-9_.>])(::)?(mmap|munmap|mremap|msync|madvise|posix_madvise|mprotect|mlock|munlock|mincore)[[:space:]]*\('
only_in "$file" "POSIX is called in os/ only" '#[[:space:]]*include[[:space:]]*<unistd\.h>'
only_in "$xtensor" "xtensor's headers are named in array/xtensor.hpp" \
    '(#[[:space:]]*include[[:space:]]*|__has_include[[:space:]]*\([[:space:]]*)<(xtensor|xtl|xsimd)/'

only_in 'none' "bytes/float_bits.hpp tells NaN and infinities by their bits" \
    '(^|[^A-Za-z0-9_])(isnan|isinf|isfinite|isnormal|fpclassify|isunordered)[[:space:]]*\('

# Examples and benchmarks must use only what users may use.
for folder in ../examples ../benchmarks; do
    [ ! -d "$folder" ] || find "$folder" -name '*.[chi]pp'
done | LC_ALL=C sort >"$work/programs"
while IFS= read -r program; do code_of "$program"; done <"$work/programs" |
    grep -E '(^|[^A-Za-z0-9_])detail::|::detail([^A-Za-z0-9_]|$)|#[[:space:]]*include[[:space:]]*[<"][^>"]*/detail/' |
    complain 'detail is not promised' || true

# A folder must stay small enough to read at a glance. The faces stand together, however many there are.
grep '/.*/.*hpp$' "$work/headers" | sed 's|/[^/]*$||' | sort | uniq -c | awk '$1 > 10 { print $2 ": " $1 " headers    <- more than ten in a folder" }' >>"$work/wrong"

if [ -s "$work/wrong" ]; then
    cat "$work/wrong"
    exit 1
fi
echo "$(wc -l <"$work/headers" | tr -d ' ') headers: layers are as they should be"
