#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes what pandas.merge_asof answers for every combination of options: make_as_of.py [DIRECTORY].

left.npy, right.npy: rows in order, with keys of three dtypes in the same order; many keys are equal.
cases.npy: the options of each case; tolerance -1 is none. rows.npy: for each case and left row, the right row or -1.
Made with pandas 1.5.3; later versions write the same.
"""
import pathlib
import sys

import numpy as np
import pandas as pd

ROOT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent
ROW = np.dtype([("time", "<M8[us]"), ("count", "<i8"), ("real", "<f8"), ("symbol", "S3"), ("row", "<i8")])
random = np.random.RandomState(1)


def side(rows):
    out = np.zeros(rows, ROW)
    out["count"] = np.sort(random.randint(-150, 150, rows))
    out["time"] = out["count"].astype("M8[us]")
    out["real"] = out["count"] / 8
    out["symbol"] = random.choice([b"A", b"BB", b"CCC", b"DD"], rows, p=[0.5, 0.3, 0.15, 0.05])
    out["row"] = np.arange(rows)
    return out


def frame(rows):
    return pd.DataFrame({name: rows[name].astype("M8[ns]") if name == "time" else rows[name] for name in ROW.names})


left, right = side(120), side(150)
cases, answers = [], []
for on in "time", "count", "real":
    for direction in "backward", "forward", "nearest":
        for exact in True, False:
            for tolerance in -1, 0, 1, 7:
                for by in False, True:
                    limit = {"time": pd.Timedelta(tolerance, "us"), "count": tolerance, "real": tolerance / 8}[on]
                    found = pd.merge_asof(
                        frame(left), frame(right), on=on, by="symbol" if by else None, direction=direction,
                        allow_exact_matches=exact, tolerance=None if tolerance < 0 else limit, suffixes=("_left", ""))
                    cases.append((on, direction, exact, tolerance, by))
                    answers.append(found["row"].fillna(-1).to_numpy("i2"))
np.save(ROOT / "left.npy", left)
np.save(ROOT / "right.npy", right)
np.save(ROOT / "cases.npy", np.array(cases, [("on", "S5"), ("direction", "S8"), ("exact", "?"), ("tolerance", "<i8"), ("by", "?")]))
np.save(ROOT / "rows.npy", np.array(answers, "<i2"))
