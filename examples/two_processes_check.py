# SPDX-License-Identifier: BSD-3-Clause
"""NumPy reads what two_processes wrote: two_processes_check.py FOLDER DATA"""
import pathlib
import sys

import numpy as np

lab = pathlib.Path(sys.argv[1]) / "lab"

counts = np.load(lab / "counts.npy")
halves = np.load(lab / "halves.npy")
assert counts.tolist() == [0, 1, 2], counts
assert halves.tolist() == [0, 0.5, 1], halves
print("counts", counts, "halves", halves)
