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

    # S3 is there if libcurl is, for both ways to compile, and a component that can be required.
    if echo '#include <curl/curl.h>' | $CXX @"$OPTIONS" -E -x c++ - >/dev/null 2>&1; then
        for program in bucket bucket_compiled; do run_consumer "$work/use/$program"; done
    fi
    ! configure -S "$work/consumers/find_package" -B "$work/no_s3" -DNEED_S3=ON -DCMAKE_DISABLE_FIND_PACKAGE_CURL=ON >"$work/log" 2>&1 ||
        fail "the component s3 is found without libcurl"
    tr '\n' ' ' <"$work/log" | tr -s ' ' | grep -q 'libcurl 7.88 is not found' || { cat "$work/log"; fail "nobody says that libcurl is missing"; }

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
    if pkg-config --exists 'libcurl >= 7.88'; then
        for module in ndkeep-s3 ndkeep-s3-compiled; do
            eval "$CXX -std=c++20 \"\$work/consumers/bucket.cpp\" $(pkg-config --cflags --libs $module) -o \"\$work/$module\""
            run_consumer "$work/$module"
        done
    fi
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
pinned)
    # The blocks of cmake/README.md that fix a commit, on a repository whose branch is broken after that commit.
    command -v git >/dev/null 2>&1 || { echo "no git"; exit 77; }
    unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE || true
    export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_ALLOW_PROTOCOL=file
    export GIT_AUTHOR_NAME=tests GIT_AUTHOR_EMAIL=tests@localhost GIT_COMMITTER_NAME=tests GIT_COMMITTER_EMAIL=tests@localhost
    block() {  # block HEADING LANGUAGE: the first block of this language below the heading
        awk -v heading="## $1" -v fence="\`\`\`$2" '
            /^## / { below = $0 == heading }
            inside && /^```$/ { exit }
            inside { print; found = 1 }
            below && $0 == fence { inside = 1 }
            END { exit !found }' "$SOURCE/cmake/README.md" || fail "cmake/README.md: no $2 below $1" >&2
    }
    NDKEEP_REPOSITORY="$work/a repository"
    mkdir "$NDKEEP_REPOSITORY"
    for name in CMakeLists.txt LICENSE cmake include; do cp -R "$SOURCE/$name" "$NDKEEP_REPOSITORY/$name"; done
    (
        cd "$NDKEEP_REPOSITORY"
        git init --quiet
        git add .
        git commit --quiet --message "The commit to use"
    )
    NDKEEP_COMMIT=$(git -C "$NDKEEP_REPOSITORY" rev-parse HEAD)
    echo 'message(FATAL_ERROR "the branch is used instead of the commit")' >"$NDKEEP_REPOSITORY/CMakeLists.txt"
    git -C "$NDKEEP_REPOSITORY" commit --quiet --all --message "A later commit"

    new_project() {  # new_project FOLDER LINES…
        folder=$1
        shift
        mkdir -p "$folder"
        echo 'int main() {}' >"$folder/main.cpp"
        printf '%s\n' 'cmake_minimum_required(VERSION 3.16)' 'project(user CXX)' 'add_executable(app main.cpp)' "$@" >"$folder/CMakeLists.txt"
        grep -q 'app PRIVATE ndkeep::compiled' "$folder/CMakeLists.txt" || fail "$folder does not use ndkeep"
        configure -S "$folder" -B "$folder/build" >"$work/log" 2>&1 || { cat "$folder/CMakeLists.txt" "$work/log"; fail "$folder does not configure"; }
    }
    mkdir "$work/submodule"
    (
        cd "$work/submodule"
        git init --quiet
        eval "$(block 'A git submodule' sh)"
    ) >"$work/log" 2>&1 || { cat "$work/log"; fail "the submodule is not added"; }
    git -C "$work/submodule" ls-tree HEAD third_party/ndkeep | grep -q " commit $NDKEEP_COMMIT" || fail "the commit is not recorded"
    new_project "$work/submodule" "$(block 'A git submodule' cmake)"
    new_project "$work/fetch" "set(NDKEEP_REPOSITORY \"$NDKEEP_REPOSITORY\")" "set(NDKEEP_COMMIT $NDKEEP_COMMIT)" "$(block FetchContent cmake)"
    ;;
readme)
    # Every ```cmake block of README.md and cmake/README.md configures inside a minimal project.
    for readme in README.md cmake/README.md; do
        mkdir -p "$work/$(dirname "$readme")/blocks"
        awk -v folder="$work/$(dirname "$readme")/blocks" '
            inside && /^[ \t]*```[ \t]*$/ { close(file); inside = 0 }
            inside { print > file }
            /^[ \t]*```cmake[ \t]*$/ { inside = 1; file = folder "/" FNR + 1 ".cmake" }' "$SOURCE/$readme"
    done
    install_ndkeep
    echo 'int main() {}' >"$work/main.cpp"
    for block in "$work/blocks"/*.cmake "$work/cmake/blocks"/*.cmake; do
        [ -e "$block" ] || fail "no blocks: $block"
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
            { cat "$project/CMakeLists.txt" "$work/log"; fail "${project#"$work/"}: the CMake at this line of its README does not configure"; }
    done
    ;;
*)
    fail "run.sh: $1 is not known"
    ;;
esac
