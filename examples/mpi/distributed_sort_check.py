# SPDX-License-Identifier: BSD-3-Clause
"""NumPy sorts the numbers of distributed_sort again: distributed_sort_check.py FOLDER DATA"""
import json
import pathlib
import sys

import numpy as np


def load_chunked(folder):
    """The rows of a chunked array whose record names its chunks one by one."""
    record = json.loads(sorted((folder / "commits").glob("*.json"))[-1].read_text())
    return np.concatenate([np.load(folder / "chunks" / item["file"]) for item in record["chunks"]])


folder = pathlib.Path(sys.argv[1])
numbers, ordered = load_chunked(folder / "numbers"), load_chunked(folder / "sorted")

assert len(numbers) == 200_000
assert (np.sort(numbers) == ordered).all()
print(len(ordered), "numbers agree")
