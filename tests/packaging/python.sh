#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Runs examples/python/test_ndkeep.py with the programs of this build: python.sh TOOL [PROGRAM]…
set -eu
: "${SOURCE:?}"

for python in python3 /usr/bin/python3; do
    if "$python" -c 'import numpy, sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
        exec env PYTHONDONTWRITEBYTECODE=1 "$python" "$SOURCE/examples/python/test_ndkeep.py" "$@"
    fi
done
echo "no Python 3.10 with NumPy: nothing checked"
exit 77
