# SPDX-License-Identifier: BSD-3-Clause
"""Times what other libraries of Python do in place of each verb: lines "verb:peer", bytes, seconds, as the programs
beside it print them. NumPy is needed; h5py and zarr are timed where they are installed."""
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


def report(verb, call, repeat=times, written=None, before=None):
    os.sync()  # so that nobody's pages are still on their way to the disk meanwhile
    seconds = 0
    for _ in range(repeat):
        if before:
            before()
        begin = time.perf_counter()
        call()
        seconds += time.perf_counter() - begin
    print(f"{verb}\t{os.path.getsize(written) if written else array.nbytes}\t{seconds / repeat:.9f}")


def remove(file=path):
    if os.path.isdir(file):
        shutil.rmtree(file)
    elif os.path.exists(file):
        os.remove(file)


report("save:NumPy", lambda: np.save(path, array), before=remove)
report("save a*1.8+32:NumPy", lambda: np.save(path, array * 1.8 + 32), before=remove)
report("replace:NumPy", lambda: np.save(path, array))
report("load:NumPy", lambda: np.load(path)[0])
report("map:NumPy", lambda: np.load(path, mmap_mode="r")[0], 2000)
mapped = np.load(path, mmap_mode="r")
report("xt::mean of map:NumPy", mapped.mean)
report("statistics:NumPy", lambda: (mapped.min(), mapped.max(), mapped.mean(), mapped.std(), np.isnan(mapped).sum()))
if size > 1_000_000:
    np.save(path, array.astype(">f8"))
    report("load big-endian:NumPy", lambda: np.load(path).astype("f8")[0])
    side = int(array.size**0.5)
    np.save(path, np.asfortranarray(array[: side * side].reshape(side, side)))
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

# The formats that people keep arrays in, of the same numbers; text is slow enough for one round.
if 1_000_000 < size < 100_000_000 and "--formats" in sys.argv:
    text = os.path.join(directory, "array.txt")

    def write(call, mode="w"):
        with open(text, mode) as file:
            call(file)

    def read(call, mode="r"):
        with open(text, mode) as file:
            return call(file)

    report("format pickle, save", lambda: write(lambda file: pickle.dump(noise, file), "wb"), written=text)
    report("format pickle, load", lambda: read(pickle.load, "rb"), written=text)
    report("format CSV, save", lambda: np.savetxt(text, noise, delimiter=","), written=text)
    report("format CSV, load", lambda: np.loadtxt(text, delimiter=","), written=text)
    report("format JSON, save", lambda: write(lambda file: json.dump(noise.tolist(), file)), written=text)
    report("format JSON, load", lambda: np.array(read(json.load)), written=text)
    remove(text)

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

        report("save:h5py", save, before=lambda: remove(file))
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

        report("chunks save:zarr", save_zarr, before=lambda: remove(folder))
        report("chunks load:zarr", lambda: zarr.open(folder, mode="r")[:])
        remove(folder)
    except ImportError:
        pass
