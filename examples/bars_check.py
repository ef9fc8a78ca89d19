# SPDX-License-Identifier: BSD-3-Clause
"""NumPy reads what bars wrote, and computes it again: bars_check.py FOLDER DATA"""
import json
import pathlib
import sys

import numpy as np


def load_chunked(folder):
    """The rows of a chunked array whose record names its chunks one by one."""
    record = json.loads(sorted((folder / "commits").glob("*.json"))[-1].read_text())
    return np.concatenate([np.load(folder / "chunks" / item["file"]) for item in record["chunks"]])


work = pathlib.Path(sys.argv[1])
trades, quotes = (load_chunked(work / "feed" / name) for name in ("trades", "quotes"))
results = {name: [load_chunked(work / run / name) for run in ("at_once", "killed", "live")] for name in ("prices", "bars")}
for arrays in results.values():
    assert len({array.tobytes() for array in arrays}) == 1
prices, bars = (arrays[0] for arrays in results.values())

for field in trades.dtype.names:
    assert (prices[field] == trades[field]).all()
assert (np.lexsort((bars["symbol"], bars["time"])) == np.arange(len(bars))).all()

for symbol in np.unique(trades["symbol"]):
    mine, known = prices[prices["symbol"] == symbol], quotes[quotes["symbol"] == symbol]
    row = np.searchsorted(known["time"], mine["time"], side="left") - 1
    for field in ("bid", "ask"):
        assert np.array_equal(mine[field], np.where(row < 0, np.nan, known[field][row]), equal_nan=True)

    minute = mine["time"].astype("M8[m]")
    first = np.flatnonzero(np.concatenate([[True], minute[1:] != minute[:-1]]))
    end = np.append(first[1:], len(mine))
    expected = {
        "time": minute[first],
        "open": mine["price"][first],
        "high": np.maximum.reduceat(mine["price"], first),
        "low": np.minimum.reduceat(mine["price"], first),
        "close": mine["price"][end - 1],
        "volume": np.add.reduceat(mine["size"].astype(np.int64), first),
        "trades": end - first,
        "buys": np.add.reduceat((mine["price"] >= mine["ask"]).astype(np.int64), first),
    }
    for field, values in expected.items():
        assert np.array_equal(bars[bars["symbol"] == symbol][field], values), field
print(len(prices), "prices and", len(bars), "bars agree")
