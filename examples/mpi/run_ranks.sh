#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# For the tests: runs a program with 1, 2 and 3 ranks, each time in an empty folder, and prints what 3 ranks print:
# run_ranks.sh MPIEXEC PROGRAM [bucket]
#
# Lines that begin with "mean" or "the same" must not depend on the number of ranks. With "bucket", the arrays are in the
# bucket of tests/s3; any other third argument is ignored.
set -eu
mpiexec=$1
program=$2
place=
if [ "${3:-}" = bucket ]; then
    place=s3://${NDKEEP_S3_BUCKET:-ndkeep-test}/mpi-$$
    export AWS_ENDPOINT_URL="$NDKEEP_S3_ENDPOINT"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    cd "$work"
fi

# Open MPI refuses root, and more ranks than processors. Ranks that wait would keep the others from a processor. Its
# sockets need a short path, and its direct copies between processes a right that containers lack.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_orte_tmpdir_base=/tmp OMPI_MCA_btl_vader_single_copy_mechanism=none

for ranks in 1 2 3; do
    mkdir "$ranks"
    (cd "$ranks" && "$mpiexec" -n "$ranks" "$program" ${place:+"$place/$ranks"} >../printed)
    grep -E '^(mean|the same)' printed >same
    [ ! -e same_before ] || cmp same_before same
    mv same same_before
done
[ -n "$place" ] || mv 3/* .
cat printed
