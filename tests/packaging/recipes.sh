#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The vcpkg port and the Conan recipe agree with the project: version, licence, description, dependencies and options.
# Neither program is needed: conan_recipe.py and vcpkg_port.cmake stand for them.
set -eu
: "${CMAKE:?}" "${CXX:?}" "${SOURCE:?}" "${BUILD:?}"
command -v python3 >/dev/null 2>&1 || { echo "no python3"; exit 77; }
work=$(mktemp -d "${TMPDIR:-/tmp}/ndkeep recipes.XXXXXX")
trap 'rm -rf "$work"' EXIT
export CMAKE_GENERATOR="${GENERATOR:-Unix Makefiles}" CXX CMAKE_PREFIX_PATH="${PREFIX_PATH:-}"
packaging=$SOURCE/cmake/packaging
fail() { echo "$1"; exit 1; }
same() {  # same WHAT FOUND EXPECTED
    [ "$2" = "$3" ] || fail "$1 is '$2', expected '$3'"
}

# What the project says -----------------------------------------------------------------------------------------------
number() { sed -n "s/^#define NDKEEP_VERSION_$1 //p" "$SOURCE/include/ndkeep/version.hpp"; }
version=$(number MAJOR).$(number MINOR).$(number PATCH)
licence=$(sed -n '1s/^# SPDX-License-Identifier: //p' "$SOURCE/CMakeLists.txt")
description=$(sed -n 's/^ *DESCRIPTION "\(.*\)"$/\1/p' "$SOURCE/CMakeLists.txt")
same "the first line of LICENSE" "$(sed -n '1s/BSD 3-Clause License/BSD-3-Clause/p' "$SOURCE/LICENSE")" "$licence"
same "the newest version in CHANGES.md" "$(sed -n 's/^## //p' "$SOURCE/include/ndkeep/CHANGES.md" | head -n 1)" "$version"
same "the newest version in README.md" "$(sed -n 's/^\* \*\*\([0-9.]*\)\*\* .*/\1/p' "$SOURCE/README.md" | head -n 1)" "$version"
grep -qF "\`ndkeep/$version\`" "$SOURCE/cmake/README.md" || fail "cmake/README.md does not require \`ndkeep/$version\` from Conan"
# Package and lowest version of each line of ndkeep_need, except the threads of the compiler
sed -n 's/^ *ndkeep_need([^ ]* \([^ ]*\) \([0-9."]*\).*/\1 \2/p' "$SOURCE/cmake/ndkeepDependencies.cmake" |
    tr -d '"' | tr A-Z a-z | grep -v '^threads' | sort >"$work/needs"
sed 's/ .*//' "$work/needs" >"$work/names"
[ "$(wc -l <"$work/names")" -ge 3 ] || fail "cmake/ndkeepDependencies.cmake names fewer than three packages"
same "Requires of ndkeep.pc" "$(sed -n 's/^Requires: //p' "$SOURCE/cmake/ndkeep.pc.in" | tr ' ' '\n' | sort | tr '\n' ' ')" \
    "$(tr '\n' ' ' <"$work/names")"

# vcpkg ---------------------------------------------------------------------------------------------------------------
port=$packaging/vcpkg/ndkeep
json() { python3 -c 'import json, sys; port = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$port/vcpkg.json" "$1"; }
same "vcpkg: the version" "$(json 'port["version"]')" "$version"
same "vcpkg: the licence" "$(json 'port["license"]')" "$licence"
same "vcpkg: the description" "$(json 'port["description"]')" "$description"
same "vcpkg: the name" "$(json 'port["name"]')" "$(basename "$port")"
same "vcpkg: the dependencies" \
    "$(json '" ".join(sorted(name.replace("-", "_") for name in port["dependencies"] if isinstance(name, str)))') " \
    "$(tr '\n' ' ' <"$work/names")"
same "vcpkg: the packages of the feature libdeflate" "$(json 'port["features"]["libdeflate"]["dependencies"]')" "['libdeflate']"
same "vcpkg: the packages of the feature s3" "$(json 'port["features"]["s3"]["dependencies"]')" "['curl']"

"$CMAKE" "-DPORT_DIR=$port" "-DWORK=$work/vcpkg" "-DBUILD=$BUILD" -DFEATURES=core -P "$SOURCE/tests/packaging/vcpkg_port.cmake" >"$work/log" 2>&1 ||
    { cat "$work/log"; fail "vcpkg: the port does not run"; }
same "vcpkg: the features of the port" "$(sed -n 's/^-- feature //p' "$work/log" | sort | tr '\n' ' ')" "$(json '" ".join(sorted(port["features"]))') "
for file in share/ndkeep/ndkeepConfig.cmake share/ndkeep/copyright include/ndkeep/npy.hpp lib/libndkeep.a debug/lib/libndkeep.a; do
    [ -e "$work/vcpkg/packages/$file" ] || fail "vcpkg: the package has no $file"
done
# vcpkg rejects these.
for file in debug/include debug/share share/cmake lib/pkgconfig debug/lib/pkgconfig; do
    [ ! -e "$work/vcpkg/packages/$file" ] || fail "vcpkg: the package has $file"
done
empty=$(find "$work/vcpkg/packages" -type d -empty)
[ -z "$empty" ] || fail "vcpkg: empty folders: $empty"

# Conan ---------------------------------------------------------------------------------------------------------------
python3 "$SOURCE/tests/packaging/conan_recipe.py" "$packaging/conan/conanfile.py" "$work/exported" >"$work/recipe" ||
    fail "Conan: the recipe does not run"
says() { sed -n "s/^$1 //p" "$work/recipe"; }
same "Conan: the name" "$(says name)" ndkeep
same "Conan: the version" "$(says version)" "$version"
same "Conan: the licence" "$(says license)" "$licence"
same "Conan: the description" "$(says description)" "$description"
same "Conan: the C++ standard" "$(says standard | sort -u)" "$(sed -n 's/^target_compile_features(ndkeep INTERFACE cxx_std_\([0-9]*\))/\1/p' "$SOURCE/CMakeLists.txt")"
same "Conan: the dependencies" "$(says requires | sed 's|/.*||' | sort | tr '\n' ' ')" "$(tr '\n' ' ' <"$work/names")"
same "Conan: the packages of the option with_libdeflate" "$(says with_libdeflate | sed 's|/.*||')" libdeflate
curl=$(sed -n 's/^ *find_package(CURL \([0-9.]*\) QUIET)/\1/p' "$SOURCE/cmake/ndkeepDependencies.cmake")
same "Conan: the packages of the option with_s3" "$(says with_s3)" "libcurl/[>=$curl <9]"
same "Requires of ndkeep-s3.pc" "$(sed -n 's/^Requires:.* libcurl/libcurl/p' "$SOURCE/cmake/ndkeep-s3.pc.in")" "libcurl >= $curl"
[ -n "$(says windows)" ] || fail "Conan: the recipe accepts Windows"
while read -r name lowest; do
    [ -z "$lowest" ] || says requires | grep -q "^$name/\[>=$lowest <" || fail "Conan: $name is not required from $lowest on"
done <"$work/needs"

# The version of xtensor that NDKEEP_FETCH_DEPS downloads is the newest that is supported, with an older one for old clang.
pinned() { sed -n "s/^ *set(ndkeep_xtensor_tag \(0\.[0-9]*\).*/\1/p" "$SOURCE/cmake/fetch.cmake" | sed -n "$1p"; }
newest=$(pinned 1)
same "Conan: the range of xtensor" "$(says requires | sed -n 's|^xtensor/||p')" "[>=0.24 <0.$((${newest#0.} + 1))]"
same "Conan: the range of xtensor for old clang" "$(says clang_14 | sed -n 's|^xtensor/||p')" "[>=0.24 <$newest]"
[ "$(pinned 2 | sed 's/0\.//')" -lt "${newest#0.}" ] || fail "cmake/fetch.cmake downloads xtensor $(pinned 2) for old clang"

# The sources that the recipe exports suffice, and CMake knows the options.
same "Conan: where CMake looks" "$(says find_mode), $(says config)" "none, share/cmake/ndkeep"
set --
while read -r name value; do set -- "$@" "-D$name=$value"; done <<END
$(says cache)
END
"$CMAKE" -S "$work/exported" -B "$work/build" "$@" >"$work/log" 2>&1 || { cat "$work/log"; fail "Conan: the exported sources do not configure"; }
! grep -A 10 'Manually-specified variables were not used' "$work/log" || fail "Conan: the project has no such option"
diff -r "$SOURCE/include" "$work/exported/include" >"$work/log" || { cat "$work/log"; fail "Conan: the exported headers differ"; }
