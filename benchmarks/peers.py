# SPDX-License-Identifier: BSD-3-Clause
"""Times what other libraries of Python do in place of each verb: lines "verb:peer", bytes, seconds, as the programs
beside it print them. NumPy is needed; h5py, zarr and pandas are timed where they are installed."""
import hashlib
import json
import os
import pickle
import shutil
import sys
import time

import numpy as np

directory, size = sys.argv[1], int(sys.argv[2])
path = os.path.join(directory, "array.npy")
array = np.arange(size // 8, dtype="f8")
times = 2000 if size < 10_000 else 500 if size < 1_000_000 else 1


def report(verb, call, repeat=times, rounds=3, written=None, before=None, after=None):
    """Times `rounds` rounds of `repeat` calls; what is done before and after a call does not count."""
    for _ in range(rounds):
        seconds = 0
        if size > 1_000_000:
            np.ones(size // 4)  # hosts of virtual machines take back memory that nobody has used for seconds
        for _ in range(repeat):
            if before:
                before()
            begin = time.perf_counter()
            call()
            seconds += time.perf_counter() - begin
            count = os.path.getsize(written) if written else array.nbytes
            if after:
                after()
        print(f"{verb}\t{count}\t{seconds / repeat:.9f}")


def remove(file=path):
    if os.path.isdir(file):
        shutil.rmtree(file)
    elif os.path.exists(file):
        os.remove(file)


def write():
    with open(path, "wb") as file:
        file.write(array.data)


def settle():
    """Puts the file on the disk, so that none of its pages are still on their way there while it is read."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def forget():
    with open(path, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


# New files are gone before they are on their way to the disk.
new = {"before": remove, "after": remove}
report("save:NumPy", lambda: np.save(path, array), **new)
report("save a*1.8+32:NumPy", lambda: np.save(path, array * 1.8 + 32), **new)
report("replace:NumPy", lambda: np.save(path, array), before=write, after=remove)
np.save(path, array)
settle()
report("load:NumPy", lambda: np.load(path)[0])
report("map:NumPy", lambda: np.load(path, mmap_mode="r")[0], 1000)
if size > 1_000_000:
    report("load, cold:NumPy", lambda: np.load(path)[0], rounds=2, before=forget)
mapped = np.load(path, mmap_mode="r")
mapped.sum()
report("statistics of map:NumPy, mean alone", mapped.mean)
report("statistics of map:NumPy", lambda: (mapped.min(), mapped.max(), mapped.mean(), mapped.std(), np.isnan(mapped).sum()))
if size > 1_000_000:
    np.save(path, array.astype(">f8"))
    settle()
    report("load big-endian:NumPy", lambda: np.load(path).astype("f8")[0])
    side = int(array.size**0.5)
    np.save(path, np.asfortranarray(array[: side * side].reshape(side, side)))
    settle()
    report("load columns as rows:NumPy", lambda: np.ascontiguousarray(np.load(path))[0, 0])
remove()

if 1_000_000 < size < 100_000_000:
    memory = b"x" * (64 << 20)
    report("md5:OpenSSL", lambda: hashlib.md5(memory).hexdigest())
    archive = os.path.join(directory, "arrays.npz")
    noise = np.random.default_rng(1).standard_normal(size // 8)
    readings = np.round(15 + 8 * np.sin(np.arange(noise.size) / 1000) + noise, 1)
    report("npz save:NumPy", lambda: np.savez(archive, a=noise))
    report("npz load:NumPy", lambda: np.load(archive)["a"][0])
    for name, values in ("noise", noise), ("walk", 700 + np.cumsum(noise) / 100), ("readings", readings):
        report(f"deflate save, {name}:NumPy", lambda: np.savez_compressed(archive, a=values), written=archive)
        report(f"deflate load, {name}:NumPy", lambda: np.load(archive)["a"][0])
    remove(archive)

    try:
        import pandas as pd

        prices = pd.Series(700 + np.cumsum(noise) / 100)
        timed = pd.Series(prices.values, index=pd.to_datetime(np.arange(prices.size) * 1_000_000_000))
        for name in "sum", "mean", "min", "max", "std":
            report(f"rolling {name} of 100 rows:pandas", lambda: getattr(prices.rolling(100), name)())
            report(f"rolling {name} of a span:pandas", lambda: getattr(timed.rolling("100s"), name)())
        rows = pd.DataFrame({"price": noise[:size // 24], "size": np.arange(size // 24) % 1000},
                            index=pd.to_datetime(np.arange(size // 24) * 1_000_000_000))

        def bars():
            groups = rows.resample("300s")
            prices = groups["price"]
            prices.ohlc(), groups["size"].sum(), groups.size(), prices.mean(), prices.var(), prices.median()

        report("bars of 300 rows, 9 aggregates:pandas", bars)
    except ImportError:
        pass

def load_pickle(file):
    with open(file, "rb") as source:
        return pickle.load(source)


def save_pickle(file, value):
    with open(file, "wb") as out:
        pickle.dump(value, out, 4)


if size > 1_000_000:
    file = os.path.join(directory, "array.pkl")
    save_pickle(file, {"values": array})
    report("pickle load:pickle", lambda: load_pickle(file)["values"][0])
    remove(file)
    report("pickle save:pickle", lambda: save_pickle(file, {"values": array}), after=lambda: remove(file))
if 1_000_000 < size < 100_000_000:
    # Files that pickles.cpp left; destroying the values does not count.
    for name in "integers", "numbers", "texts", "entries":
        file = os.path.join(directory, name + ".pkl")
        kept = []
        report(f"pickle load, {name}:pickle", lambda: kept.append(load_pickle(file)), after=kept.clear, written=file)
        remove(file)

# The formats that people keep arrays in, of the same numbers; text is slow enough for one round.
if 1_000_000 < size < 100_000_000 and "--formats" in sys.argv:
    text = os.path.join(directory, "array.txt")

    def put(call, mode="w"):
        with open(text, mode) as file:
            call(file)

    def get(call, mode="r"):
        with open(text, mode) as file:
            return call(file)

    once = {"rounds": 1, "written": text}
    report("format npy, save", lambda: put(lambda file: np.save(file, noise), "wb"), **once)
    report("format npy, load", lambda: get(np.load, "rb"), **once)
    report("format pickle, save", lambda: put(lambda file: pickle.dump(noise, file), "wb"), **once)
    report("format pickle, load", lambda: get(pickle.load, "rb"), **once)
    report("format CSV, save", lambda: np.savetxt(text, noise, delimiter=","), **once)
    report("format CSV, load", lambda: np.loadtxt(text, delimiter=","), **once)
    report("format JSON, save", lambda: put(lambda file: json.dump(noise.tolist(), file)), **once)
    report("format JSON, load", lambda: np.array(get(json.load)), **once)
    remove(text)

# As many rows as in operators.cpp.
if 1_000_000 < size < 100_000_000:
    try:
        import pandas

        rows = size // 16

        def side(seed, symbols):
            random = np.random.default_rng(seed)
            return pandas.DataFrame({
                "time": np.cumsum(random.integers(0, 10, rows)), "symbol": random.integers(0, symbols, rows), "row": np.arange(rows)})

        left, right = sides = [side(seed, 100) for seed in (1, 2)]
        many = [side(seed, 1_000_000) for seed in (1, 2)]
        plain = [side[["time", "row"]] for side in sides]
        limits = {"direction": "nearest", "tolerance": 5}
        report("as_of:pandas", lambda: pandas.merge_asof(*plain, on="time"))
        report("as_of nearest:pandas", lambda: pandas.merge_asof(*plain, on="time", **limits))
        report("as_of by 100 keys:pandas", lambda: pandas.merge_asof(left, right, on="time", by="symbol"))
        report("as_of by 1000000 keys:pandas", lambda: pandas.merge_asof(*many, on="time", by="symbol"))
    except ImportError:
        pass

if size > 1_000_000:
    try:
        import h5py

        file = os.path.join(directory, "array.h5")

        def save():
            with h5py.File(file, "w") as out:
                out["a"] = array

        def load():
            with h5py.File(file) as source:
                return source["a"][...]

        report("save:h5py", save, before=lambda: remove(file), after=lambda: remove(file))
        save()
        report("load:h5py", load)
        remove(file)
    except ImportError:
        pass
    try:
        import zarr

        folder = os.path.join(directory, "array.zarr")
        options = {"compressor": None} if zarr.__version__ < "3" else {"compressors": None}

        def save_zarr():
            out = zarr.open(folder, mode="w", shape=array.shape, chunks=(1 << 21,), dtype="f8", **options)
            out[:] = array

        report("chunks save:zarr", save_zarr, before=lambda: remove(folder), after=lambda: remove(folder))
        save_zarr()
        report("chunks load:zarr", lambda: zarr.open(folder, mode="r")[:])
        remove(folder)
    except ImportError:
        pass
if 1_000_000 < size < 100_000_000:
    try:
        import pandas

        def trades(first, step):
            time = np.arange(first, size // 24, step)
            return pandas.DataFrame({"time": time, "price": np.full(time.size, 1.5), "id": np.arange(time.size)})

        def merged(more):
            return pandas.concat([even, more]).sort_values("time", kind="stable")

        # The rows of the benchmark "ordered", in memory. The benchmark also reads and writes them.
        even, odd = trades(0, 2), trades(1, 2)
        report("merge of every second row:pandas", lambda: merged(odd))
        report("merge, unique:pandas", lambda: merged(odd).drop_duplicates(["time", "id"], keep="last"))
    except ImportError:
        pass
