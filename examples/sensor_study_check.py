# SPDX-License-Identifier: BSD-3-Clause
"""NumPy reads what sensor_study wrote: sensor_study_check.py RESULTS DATA"""
import hashlib
import json
import pathlib
import sys
import zlib

import numpy as np

results, data = map(pathlib.Path, sys.argv[1:3])

print("Read by NumPy", np.__version__)
for name in "celsius", "fahrenheit", "departures", "statistics":
    array = np.load(results / f"{name}.npy")
    sidecar = json.load(open(results / f"{name}.npy.json"))
    assert sidecar["array"]["shape"] == list(array.shape)
    assert sidecar["checksums"]["crc32"] == f"{zlib.crc32(array):08x}"
    assert sidecar["checksums"]["md5"] == hashlib.md5(array).hexdigest()
    print(f"{name:11} {array.shape!s:10} {sidecar['metadata']['units']:19} crc32 {sidecar['checksums']['crc32']} agrees")

# The same study again, from the data: in doubles, so that sums do not differ by rounding.
celsius = np.load(results / "celsius.npy")
hours = np.load(data / "seattle_hourly.npy")[23:, 0].reshape(364, 24).T
assert np.array_equal(celsius, hours)

meta = json.load(open(results / "fahrenheit.npy.json"))["metadata"]
fahrenheit = np.load(results / "fahrenheit.npy", mmap_mode="r").astype("f8")
assert np.allclose(fahrenheit, (hours.astype("f8") * 9 / 5 + 32) * meta["calibration"], rtol=1e-6, atol=0)

statistics = np.load(results / "statistics.npy", mmap_mode="r")
for field in "mean", "std", "min", "max", "median":
    assert np.allclose(statistics[field], getattr(np, field)(fahrenheit, axis=1), rtol=1e-12, atol=0), field

departures = np.load(results / "departures.npy", mmap_mode="r")
season = sum(np.roll(fahrenheit, day, axis=1) for day in range(-15, 16)) / 31
assert np.allclose(departures, fahrenheit - season, rtol=0, atol=1e-9)
odd = np.abs(departures) > 3 * departures.std(axis=1, keepdims=True)
correlation = np.corrcoef(departures)

print(f"\nSensor 15:00 by NumPy: mean {statistics['mean'][15]:.2f}, std {statistics['std'][15]:.2f}, "
      f"median {statistics['median'][15]:.2f}")
print(f"Anomalies by NumPy: {odd.sum()}; correlation of 00:00 and 16:00: {correlation[0, 16]:.3f}")
print("Everything agrees.")
