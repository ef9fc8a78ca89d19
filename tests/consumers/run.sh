#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Tests one way to use ndkeep from another project: run.sh KIND (the words of the case below)
set -eu
: "${CXX:?}" "${CMAKE:?}" "${SOURCE:?}" "${BUILD:?}"
work=$(mktemp -d "${TMPDIR:-/tmp}/ndkeep consumer.XXXXXX")
trap 'rm -rf "$work"' EXIT
cp -R "$SOURCE/tests/consumers" "$work/consumers"
export CMAKE_GENERATOR="${GENERATOR:-Unix Makefiles}" CXX

number() { sed -n "s/^#define NDKEEP_VERSION_$1 //p" "$SOURCE/include/ndkeep/version.hpp"; }
version=$(number MAJOR).$(number MINOR)

configure() {
    "$CMAKE" "-DCMAKE_CXX_COMPILER=${CXX%% *}" "-DCMAKE_PREFIX_PATH=$prefix${PREFIX_PATH:+;$PREFIX_PATH}" \
        "-DWANTED=$version" "$@"
}
fail() { echo "$1"; exit 1; }

# Installs the build of the tests and moves it: the package must not contain paths of the build.
install_ndkeep() {
    "$CMAKE" --install "$BUILD" --prefix "$work/first prefix" >"$work/log" 2>&1 || { cat "$work/log"; fail "ndkeep does not install"; }
    mv "$work/first prefix" "$prefix"
    ! grep -rlI "$SOURCE" "$prefix" || fail "the package remembers the source folder"
    ! grep -rlI "$BUILD" "$prefix" || fail "the package remembers the build folder"
}
run_consumer() {
    (cd "$work" && "$1") || fail "the consumer does not run"
}

prefix="$work/a prefix"
case $1 in
find_package)
    # Without options, the project builds only the library.
    configure -S "$SOURCE" -B "$work/build" >"$work/log" 2>&1 || { cat "$work/log"; fail "ndkeep does not configure"; }
    "$CMAKE" --build "$work/build" --target help >"$work/log"
    grep -q ndkeep_compiled "$work/log" || fail "a build without options does not build the library"
    ! grep -E 'ndkeep_(tests|example|tool|benchmark)' "$work/log" || fail "a build without options builds more than the library"

    install_ndkeep
    configure -S "$work/consumers/find_package" -B "$work/use"
    "$CMAKE" --build "$work/use" --parallel 2
    for program in consumer compiled both; do run_consumer "$work/use/$program"; done

    # The examples build unchanged.
    configure -S "$SOURCE/examples" -B "$work/examples"
    "$CMAKE" --build "$work/examples" --target npz_tour
    (cd "$work" && examples/npz_tour "$SOURCE/examples/data" >/dev/null) || fail "an example does not run"

    # The package looks for libdeflate on the machine where it is used.
    if echo '#include <libdeflate.h>' | $CXX @"$OPTIONS" -E -x c++ - >/dev/null 2>&1; then
        grep -rqs NDKEEP_USE_LIBDEFLATE "$work/use" --include=flags.make --include=build.ninja || fail "libdeflate is there and not used"
    fi

    # Users who lack libdeflate or disable it need nothing else.
    configure -S "$work/consumers/find_package" -B "$work/without" -DNDKEEP_WITH_LIBDEFLATE=OFF >/dev/null
    ! grep -rqs NDKEEP_USE_LIBDEFLATE "$work/without" --include=flags.make --include=build.ninja ||
        fail "NDKEEP_WITH_LIBDEFLATE=OFF still uses libdeflate"
    ;;
add_subdirectory)
    mkdir "$work/consumers/add_subdirectory/third_party"
    ln -s "$SOURCE" "$work/consumers/add_subdirectory/third_party/ndkeep"
    configure -S "$work/consumers/add_subdirectory" -B "$work/use" "-DCMAKE_INSTALL_PREFIX=$prefix"
    "$CMAKE" --build "$work/use" --parallel 2
    run_consumer "$work/use/consumer"
    [ -z "$(find "$work/use" -name 'libndkeep.*')" ] || fail "the library is built, and nobody links it"
    "$CMAKE" --install "$work/use" >/dev/null
    [ "$(find "$prefix" -type f | wc -l)" -eq 1 ] || { find "$prefix" -type f; fail "a sub-project installs files of ours"; }
    ;;
plain)
    # The compile command of the README; other include folders only if the compiler was given some.
    includes=$(sed -n 's/^-I/-I/p' "$OPTIONS" | grep -vF "\"$SOURCE/include\"" || true)
    printf '%s\n' "$includes" >"$work/options.txt"
    $CXX -std=c++20 -I "$SOURCE/include" @"$work/options.txt" -Wall -Wextra -Wpedantic -Werror \
        "$work/consumers/consumer.cpp" -lz -o "$work/consumer"
    run_consumer "$work/consumer"

    if $CXX -std=c++17 -I "$SOURCE/include" @"$work/options.txt" -fsyntax-only "$work/consumers/second.cpp" 2>"$work/log"; then
        fail "C++17 is accepted"
    fi
    grep -q 'ndkeep needs C++20' "$work/log" || { head -n 20 "$work/log"; fail "C++17 is not refused in words"; }

    # The same with the bodies in a separate unit.
    $CXX -std=c++20 -DNDKEEP_SEPARATE_COMPILATION -I "$SOURCE/include" @"$work/options.txt" -Wall -Wextra -Wpedantic -Werror \
        "$work/consumers/consumer.cpp" "$work/consumers/bodies.cpp" -lz -pthread -o "$work/separate"
    run_consumer "$work/separate"
    if $CXX -std=c++20 -I "$SOURCE/include" @"$work/options.txt" -fsyntax-only "$work/consumers/bodies.cpp" 2>"$work/log"; then
        fail "<ndkeep/source.hpp> is accepted in a header-only program"
    fi
    grep -q 'define NDKEEP_SEPARATE_COMPILATION' "$work/log" || { head -n 20 "$work/log"; fail "nobody says what source.hpp needs"; }
    ;;
pkg_config)
    command -v pkg-config >/dev/null 2>&1 || { echo "no pkg-config"; exit 77; }
    install_ndkeep
    PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name ndkeep.pc)")
    export PKG_CONFIG_PATH
    pkg-config --exists xtensor nlohmann_json zlib || { echo "a package that ndkeep needs has no .pc file"; exit 77; }
    [ "$(pkg-config --modversion ndkeep)" = "$version.$(number PATCH)" ] || fail "ndkeep.pc has another version"
    # eval, because paths with a space are quoted in the output of pkg-config
    for module in ndkeep ndkeep-compiled; do
        eval "$CXX -std=c++20 \"\$work/consumers/consumer.cpp\" $(pkg-config --cflags --libs $module) -o \"\$work/$module\""
        run_consumer "$work/$module"
    done
    ;;
without_xtensor)
    install_ndkeep
    for project in "$work/consumers/find_package" "$SOURCE"; do
        rm -rf "$work/use"
        if configure -S "$project" -B "$work/use" -DCMAKE_DISABLE_FIND_PACKAGE_xtensor=ON >"$work/log" 2>&1; then
            fail "$project configures without xtensor"
        fi
        tr '\n' ' ' <"$work/log" | tr -s ' ' | grep -q 'ndkeep needs xtensor 0.24: not found (Debian libxtensor-dev' ||
            { cat "$work/log"; fail "nobody says that xtensor is missing"; }
    done
    ;;
readme)
    # Every ```cmake block of the README configures inside a minimal project.
    [ -e "$SOURCE/README.md" ] || { echo "no README.md yet"; exit 77; }
    awk -v work="$work" '
        inside && /^[ \t]*```[ \t]*$/ { close(file); inside = 0 }
        inside { print > file }
        /^[ \t]*```cmake[ \t]*$/ { inside = 1; file = work "/block_" FNR + 1 ".cmake" }' "$SOURCE/README.md"
    install_ndkeep
    echo 'int main() {}' >"$work/main.cpp"
    for block in "$work"/block_*.cmake; do
        [ -e "$block" ] || continue
        project=${block%.cmake}
        mkdir "$project"
        target=$(sed -n 's/^ *target_link_libraries( *\([A-Za-z0-9_]*\).*/\1/p' "$block" | head -n 1)
        folder=$(sed -n 's/^ *add_subdirectory( *\([A-Za-z0-9_./-]*\).*/\1/p' "$block" | head -n 1)
        if [ -n "$folder" ]; then
            mkdir -p "$project/$(dirname "$folder")"
            ln -s "$SOURCE" "$project/$folder"
        fi
        cp "$work/main.cpp" "$project/main.cpp"
        {
            grep -q '^ *cmake_minimum_required' "$block" || echo 'cmake_minimum_required(VERSION 3.16)'
            grep -q '^ *project(' "$block" || echo 'project(reader CXX)'
            [ -z "$target" ] || grep -q "^ *add_executable( *$target" "$block" || echo "add_executable($target main.cpp)"
            cat "$block"
        } >"$project/CMakeLists.txt"
        sed -n 's/^ *add_executable( *[A-Za-z0-9_]* *\(.*\)).*/\1/p' "$project/CMakeLists.txt" | tr ' ' '\n' | while IFS= read -r name; do
            [ -z "$name" ] || [ -e "$project/$name" ] || cp "$work/main.cpp" "$project/$name"
        done
        configure -S "$project" -B "$project/build" "-DFETCHCONTENT_SOURCE_DIR_NDKEEP=$SOURCE" >"$work/log" 2>&1 ||
            { cat "$project/CMakeLists.txt" "$work/log"; fail "README.md:${project##*_}: this CMake does not configure"; }
    done
    ;;
*)
    fail "run.sh: $1 is not known"
    ;;
esac
