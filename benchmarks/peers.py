# SPDX-License-Identifier: BSD-3-Clause
"""Times one pass of NumPy's equal of each verb: prints "verb bytes seconds" lines, as verbs.cpp does."""
import os
import sys
import time

import numpy as np

directory, size = sys.argv[1], int(sys.argv[2])
path = os.path.join(directory, "array.npy")
array = np.arange(size // 8, dtype="f8")
times = 2000 if size < 1_000_000 else 1


def report(verb, call, repeat=times, written=None):
    os.sync()  # so that nobody's pages are still on their way to the disk meanwhile
    begin = time.perf_counter()
    for _ in range(repeat):
        call()
    seconds = (time.perf_counter() - begin) / repeat
    print(f"{verb} {os.path.getsize(written) if written else array.nbytes} {seconds:.9f}")


if os.path.exists(path):
    os.remove(path)
report("save:numpy", lambda: np.save(path, array))
report("save(a*1.8+32):numpy", lambda: np.save(path, array * 1.8 + 32))
report("load:numpy", lambda: np.load(path)[0])
report("map:numpy", lambda: np.load(path, mmap_mode="r")[0], 2000)
mapped = np.load(path, mmap_mode="r")
report("xt::mean(map):numpy", mapped.mean)
os.remove(path)

if 1_000_000 < size < 100_000_000:
    archive = os.path.join(directory, "arrays.npz")
    noise = np.random.default_rng(1).standard_normal(size // 8)
    readings = np.round(15 + 8 * np.sin(np.arange(noise.size) / 1000) + noise, 1)
    report("npz-save:numpy", lambda: np.savez(archive, a=noise))
    report("npz-load:numpy", lambda: np.load(archive)["a"][0])
    for name, values in ("noise", noise), ("walk", 700 + np.cumsum(noise) / 100), ("readings", readings):
        report(f"deflate-save-{name}:numpy", lambda: np.savez_compressed(archive, a=values), written=archive)
        report(f"deflate-load-{name}:numpy", lambda: np.load(archive)["a"][0])
    os.remove(archive)
