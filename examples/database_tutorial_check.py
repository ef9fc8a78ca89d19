# SPDX-License-Identifier: BSD-3-Clause
"""NumPy reads what database_tutorial wrote: database_tutorial_check.py FOLDER DATA"""
import json
import pathlib
import sys

import numpy as np

lab = pathlib.Path(sys.argv[1]) / "lab"

a = np.load(lab / "A.npy")
assert a.dtype == np.int64 and a.tolist() == [0, 1, 2, 3], a
b = np.load(lab / "B.npy", mmap_mode="r")
assert b.shape == (2, 3) and (b == 271.5).all(), b
assert json.load(open(lab / "B.npy.json"))["metadata"] == {"units": "kelvin"}
print("A", a, "B", b.tolist())
