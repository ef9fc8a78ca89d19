# SPDX-License-Identifier: BSD-3-Clause
"""NumPy reads what ordered_flights wrote, and joins it again: ordered_flights_check.py FOLDER DATA"""
import json
import pathlib
import sys

import numpy as np


def load_chunked(folder):
    """The rows of a chunked array whose record names its chunks one by one."""
    record = json.loads(sorted((folder / "commits").glob("*.json"))[-1].read_text())
    return np.concatenate([np.load(folder / "chunks" / item["file"]) for item in record["chunks"]])


year = pathlib.Path(sys.argv[1]) / "year"
flights, weather, observations = (load_chunked(year / kind / "2010") for kind in ("flights", "weather", "observations"))

assert len(np.unique(flights["id"])) == len(flights) == 200_000
assert (np.diff(flights["time"]) >= np.timedelta64(0)).all()
row = np.searchsorted(weather["time"], flights["time"], side="right") - 1
known = (row >= 0) & (flights["time"] < weather["time"][row] + np.timedelta64(1, "h"))
assert (observations["id"] == flights["id"][known]).all()
assert (observations["celsius"] == weather["celsius"][row[known]]).all()
print(len(observations), "observations agree")
