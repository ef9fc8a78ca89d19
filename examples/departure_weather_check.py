# SPDX-License-Identifier: BSD-3-Clause
"""NumPy reads what departure_weather wrote, and computes it again: departure_weather_check.py FOLDER DATA"""
import json
import pathlib
import sys

import numpy as np


def load_chunked(folder):
    """The rows of a chunked array whose record names its chunks one by one."""
    record = json.loads(sorted((folder / "commits").glob("*.json"))[-1].read_text())
    return np.concatenate([np.load(folder / "chunks" / item["file"]) for item in record["chunks"]])


work = pathlib.Path(sys.argv[1])
observed, killed, live = (load_chunked(work / run / "observations") for run in ("at_once", "killed", "live"))
departures, hours = (load_chunked(work / "feed" / name) for name in ("departures", "hours"))
assert observed.tobytes() == killed.tobytes() == live.tobytes()

for field in departures.dtype.names:
    assert (observed[field] == departures[field]).all()
time = departures["time"]
row = np.searchsorted(hours["time"], time, side="right") - 1
is_known = (row >= 0) & (time < hours["time"][row] + np.timedelta64(1, "h"))
assert 0 < (~is_known).sum() < 10
for field in ("celsius", "wind"):
    assert np.array_equal(observed[field], np.where(is_known, hours[field][row], np.nan), equal_nan=True)

# A window begins behind the last row of the hour before; its sum is a difference of two exact sums of integers.
first = np.searchsorted(time, time - np.timedelta64(1, "h"), side="right")
sums = np.concatenate([[0], np.cumsum(departures["delay"], dtype=np.int64)])
count = np.arange(len(time)) + 1 - first
mean = np.where(count < 10, np.nan, (sums[1:] - sums[first]) / count)
assert np.array_equal(observed["recent_delay"], mean, equal_nan=True)
print(len(observed), "observations agree")
