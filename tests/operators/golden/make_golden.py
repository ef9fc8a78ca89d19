#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the golden files of segments and moving windows: make_golden.py [DIRECTORY].

pandas 1.5.3 computes them from trades.npy, which has gaps, equal times and NaN. Nothing is random, so that every run
writes the same bytes.
"""
import pathlib
import sys

import numpy as np
import pandas as pd

ROOT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent
FIELDS = [("time", "<M8[ns]"), ("open", "<f8"), ("high", "<f8"), ("low", "<f8"), ("close", "<f8"), ("volume", "<i8"),
          ("n", "<i8"), ("valid", "<i8"), ("sum", "<f8"), ("mean", "<f8"), ("variance", "<f8"), ("lower", "<f8")]


def numbers(count):
    """Numbers from 0 to 2**31 - 1 of a fixed generator."""
    state, all = 1, []
    for _ in range(count):
        state = (state * 1103515245 + 12345) % 2**31
        all.append(state)
    return np.array(all, "i8")


def make_trades():
    a, b, c = numbers(900).reshape(3, 300)
    steps = np.where(a % 7 == 0, 0, np.where(a % 41 == 0, a % 60_000_000, a % 200_000))
    trades = np.empty(300, [("time", "<M8[ns]"), ("price", "<f8"), ("size", "<i8")])
    trades["time"] = np.datetime64("2023-12-30T22:00", "ns") + np.cumsum(steps).astype("m8[ms]")
    trades["price"] = np.where(b % 9 == 0, np.nan, 100 + (b % 100_000) / 7e3)
    trades["size"] = c % 1000 - 100
    # Some keys on the edges of bins.
    trades["time"][::10] = trades["time"][::10].astype("M8[m]").astype("M8[ns]")
    trades["time"] = np.sort(trades["time"])
    return trades


def save_bars(name, groups):
    price, size = groups["price"], groups["size"]
    frame = pd.DataFrame({
        "open": price.first(), "high": price.max(), "low": price.min(), "close": price.last(), "volume": size.sum(),
        "n": size.size(), "valid": price.count(), "sum": price.sum(min_count=1), "mean": price.mean(),
        "variance": price.var(), "lower": price.quantile(0.25)})
    out = np.empty(len(frame), FIELDS)
    out["time"] = frame.index.values
    for field in frame:
        out[field] = frame[field].values
    np.save(ROOT / f"bars_{name}.npy", out)


def save_rolling(name, windows):
    out = np.empty(300, [(each, "<f8") for each in ("sum", "mean", "min", "max", "std")])
    for each in out.dtype.names:
        out[each] = getattr(windows, each)().values
    np.save(ROOT / f"rolling_{name}.npy", out)


trades = make_trades()
np.save(ROOT / "trades.npy", trades)
frame = pd.DataFrame({"time": trades["time"], "price": trades["price"], "size": trades["size"]}).set_index("time")
for name, rule in (("1h", "1h"), ("7h", "7h"), ("day", "1D")):
    for closed in ("left", "right"):
        save_bars(f"{name}_{closed}", frame.resample(rule, closed=closed, label="left", origin="epoch"))
save_bars("origin", frame.resample("1h", origin=pd.Timestamp("2023-12-30T00:20")))
save_bars("month", frame.resample("MS"))
save_bars("year", frame.resample("YS"))
by_rows = frame.reset_index()
save_bars("rows", by_rows.groupby(by_rows["time"].values[np.arange(300) // 37 * 37]))
save_rolling("20", frame["price"].rolling(20))
save_rolling("20_of_5", frame["price"].rolling(20, min_periods=5))
save_rolling("10min", frame["price"].rolling("10min"))
save_rolling("2h_of_30", frame["price"].rolling("2h", min_periods=30))
