#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# cmake/bootstrap.sh does nothing if nothing is missing, installs exactly the missing packages, and reports if it
# cannot.
set -eu
: "${SOURCE:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bootstrap=$SOURCE/cmake/bootstrap.sh
fail() { cat "$work/said"; echo "$1"; exit 1; }

# A simulated machine: PATH holds only the tools of any Debian and a compiler that knows the headers in $known.
tools=$work/bin
mkdir "$tools"
for tool in sh env grep cat id dirname; do
    ln -s "$(command -v "$tool")" "$tools/$tool"
done
program() {  # program NAME BODY
    rm -f "$tools/$1"  # writing through a link would overwrite the real program
    printf '#!%s\n%s\n' "$(command -v sh)" "$2" >"$tools/$1"
    chmod +x "$tools/$1"
}
program c++ 'line=$(cat); for header in $known; do case $line in "#include <$header>") exit 0 ;; esac; done; exit 1'
program cmake ''
program make ''
program apt-get 'echo "apt-get $*" >>"$log"; case "$*" in *update*) true >"$lists" ;; *install*) [ -e "$lists" ] ;; esac'
program id 'echo "$user"'
program sudo 'echo "sudo" >>"$log"; exec "$@"'
export log="$work/log" lists="$work/lists" user=0
all='zlib.h nlohmann/json.hpp xtl/xsequence.hpp xtensor/xtensor_forward.hpp catch2/catch.hpp'
run() {  # run KNOWN-HEADERS ARGUMENTS…
    known=$1
    shift
    : >"$log"
    (export known; unset CXX; PATH=$tools sh "$bootstrap" "$@") >"$work/said" 2>&1
}

unset NDKEEP_NO_APT || true
run "$all" catch2 || fail "fails where everything is there"
[ ! -s "$work/said" ] && [ ! -s "$log" ] || fail "does something where everything is there"
run "zlib.h nlohmann/json.hpp xtl/xsequence.hpp xtensor/core/xtensor_forward.hpp catch2/catch_all.hpp" catch2 || fail "does not know the new layouts"
[ ! -s "$log" ] || fail "installs where the new layouts are there"

touch "$lists"
run "zlib.h xtl/xsequence.hpp xtensor/xtensor_forward.hpp" || fail "fails where apt could install"
grep -q 'install --no-install-recommends nlohmann-json3-dev$' "$log" || fail "did not install exactly nlohmann-json3-dev"
! grep -q update "$log" || fail "fetched package lists that were there"

rm -f "$lists"
run "zlib.h" catch2 || fail "fails with empty package lists"
[ "$(sed -n 's/.* update$/update/p' "$log")" = update ] || fail "did not fetch the package lists"
grep -q 'nlohmann-json3-dev xtl-dev libxtensor-dev catch2$' "$log" || fail "did not install all four"
! grep -q sudo "$log" || fail "root needs no sudo"

user=1000
run "zlib.h" || fail "fails with sudo"
grep -q sudo "$log" || fail "a user without root needs sudo"
rm "$tools/sudo"
! run "zlib.h" catch2 || fail "succeeds though nothing could be installed"
grep -q 'needs root or sudo. Missing packages, with their Debian names: nlohmann-json3-dev xtl-dev libxtensor-dev catch2$' "$work/said" || fail "does not say what is missing"
[ ! -s "$log" ] || fail "called apt without being root"

user=0
NDKEEP_NO_APT=1
export NDKEEP_NO_APT
! run "zlib.h" || fail "succeeds with NDKEEP_NO_APT"
[ ! -s "$log" ] || fail "called apt in spite of NDKEEP_NO_APT"
unset NDKEEP_NO_APT
rm "$tools/make" "$tools/c++"
! (unset CXX; PATH=$tools CXX=no-such-compiler sh "$bootstrap") >"$work/said" 2>&1 || fail "accepts a CXX that is not there"
grep -q 'CXX=no-such-compiler' "$work/said" || fail "does not name the CXX that is not there"
