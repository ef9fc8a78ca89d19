# SPDX-License-Identifier: BSD-3-Clause
"""Python reads what C++ writes, and C++ what Python writes: test_ndkeep.py TOOL [PROGRAM]…

TOOL is the command-line tool ndkeep. The programs, of examples/, write a tree (trees) and a checkpoint (live_feed)."""
from __future__ import annotations

import os, subprocess, sys, tempfile, time, warnings
from pathlib import Path
from typing import Any, Callable
import numpy as np
import ndkeep as nk

TOOL, PROGRAMS = os.path.abspath(sys.argv[1]), [os.path.abspath(program) for program in sys.argv[2:]]
SOURCE = Path(__file__).resolve().parents[2]
DATA = SOURCE / "examples/data"

def tool(*words: Any, status: int = 0) -> str:
    done = subprocess.run([TOOL, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == status, (words, done.returncode, done.stdout)
    return done.stdout

def run_example(name: str) -> None:
    for program in PROGRAMS:
        if Path(program).name == name:
            subprocess.run([program, DATA], check=True, stdout=subprocess.DEVNULL)

def raises(kind: type[Exception], call: Callable[..., object], *arguments: Any) -> None:
    try:
        call(*arguments)
    except kind:
        return
    raise AssertionError(f"no {kind.__name__}")

def same(a: Any, b: Any) -> bool:
    return type(a) == type(b) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()

def test_crc32c() -> None:
    # RFC 3720, B.4
    assert nk.crc32c(b"123456789") == "e3069283" and nk.crc32c(bytes(32)) == "8a9136aa"
    data, sum = os.urandom(70), 0xffffffff
    for n, byte in enumerate(data):
        assert nk.crc32c(data[:n]) == f"{sum ^ 0xffffffff:08x}", n
        sum ^= byte
        for _ in range(8):
            sum = sum >> 1 ^ (sum & 1) * 0x82f63b78

def test_trees() -> None:
    tree: Any = {"a": {"values": np.arange(6.0).reshape(2, 3), "created": "größer", "nan": float("nan")},
            "list/~": [1, 2.5, True, None, float("-inf"), np.arange(3, dtype="i2")], "a/values": np.zeros(2)}
    for compress in False, True:
        nk.save_tree("tree.npz", tree, compress)
        assert "OK" in tool("verify", "tree.npz")
        shown = tool("tree", "tree.npz")
        assert "-Infinity" in shown and "int16 (3,)" in shown and "a/values#2" not in shown, shown
        assert tool("show", "tree.npz:a/values", "[1]").split() == ["[3.", "4.", "5.]"]
        tool("meta", "tree.npz", "set", "/x", "1")  # C++ writes the archive anew
        back = nk.load_tree("tree.npz")
        assert same(back["a"]["values"], tree["a"]["values"]) and same(back["a/values"], tree["a/values"])
        assert same(back["list/~"][5], tree["list/~"][5]) and back["list/~"][:5] == tree["list/~"][:5]
        assert back["a"]["created"] == "größer" and back["a"]["nan"] != back["a"]["nan"]
    nk.save_tree("array.npz", np.arange(3))
    assert same(nk.load_tree("array.npz"), np.arange(3))
    run_example("trees")
    if Path("dataset.npz").exists():
        assert nk.load_tree("dataset.npz")["regions"]["north"]["values"].shape == (3, 4)

def test_chunked_arrays_of_cpp() -> None:
    hours = np.load(DATA / "seattle_hourly.npy")
    tool("convert", DATA / "seattle_hourly.npy", "hourly/", "--rows-per-chunk", 50)  # 176 chunks: a table
    version = nk.Chunked("hourly")
    assert any("table" in item for item in version.record["chunks"])
    assert same(version.rows(verify=True), hours) and same(version.rows(49, 151), hours[49:151])
    assert version.rows(8759).shape == (0, 3)
    raises(IndexError, version.rows, 8000, 9000)
    chunk = version.chunk(version.entries()[3])
    assert same(np.array(chunk), hours[150:200]) and not chunk.flags.writeable
    raises(FileNotFoundError, nk.Chunked, "hourly", 2)
    raises(nk.FormatError, version.file, "../lock")

    file = version.file(version.entries()[1]["file"])
    whole = bytearray(file.read_bytes())
    whole[-1] ^= 1
    file.write_bytes(whole)
    raises(nk.ChecksumError, nk.load_chunked, "hourly")

def test_chunked_arrays_of_python() -> None:
    struct = np.dtype([("time", "i8"), ("value", "f4")])
    kinds: list[Any] = ["?", "u8", "f2", "f4", ">f8", "c16", "S3", "M8[s]", struct]
    for dtype in map(np.dtype, kinds):
        name = f"python {dtype.num} {dtype.byteorder}"
        sum = ("crc32c", "crc32", "md5", "none")[dtype.num % 4]
        rows = (np.arange(140) % 3).astype(dtype)
        nk.create_chunked(name, dtype, sum=sum, metadata={"limit": float("inf")})
        nk.append_chunked(name, rows, rows_per_chunk=1, sync=False)  # so many chunks need a table
        nk.append_chunked(name, np.zeros(9000, dtype), rows_per_chunk=5000)
        expected = np.concatenate([rows, np.zeros(9000, dtype)]).astype(dtype)
        assert same(nk.load_chunked(name), expected) and same(nk.load_chunked(name, 2), rows)
        tool("verify", "-q", name)
        tool("convert", "-q", name, "back.npy", "-f")
        assert same(np.load("back.npy"), expected), dtype
        assert tool("meta", name, "get", "/limit") == '"Infinity"\n'
        raises(TypeError, nk.append_chunked, name, np.zeros((2, 2), dtype))
        for entry, first in zip(nk.Chunked(name).entries()[-2:], (140, 5140)):
            if entry["nbytes"] >= 16384:  # so that map_chunked lays the pages of both files side by side
                assert entry["offset"] >= 4096 and (entry["offset"] - first * dtype.itemsize) % 4096 == 0
        assert len(os.listdir(f"{name}/chunks")) == 143  # 142 of rows, and a table
    nk.create_chunked("pairs", "f8", (2,))
    nk.append_chunked("pairs", [[1.0, np.nan], [np.inf, 2.0]])
    tool("verify", "-q", "pairs")

def test_order() -> None:
    nk.create_chunked("ordered", "M8[s]", order_by="")
    for times in [1, 2], [2, 5]:
        nk.append_chunked("ordered", np.array(times, "M8[s]"))
    for wrong in [4, 6], [7, 6], ["NaT"]:
        raises(ValueError, nk.append_chunked, "ordered", np.array(wrong, "M8[s]"))
    tool("verify", "-q", "ordered")
    assert nk.Chunked("ordered").shape == (4,)

def test_an_array_that_is_damaged_or_pruned() -> None:
    nk.create_chunked("old", "i4")
    for i in range(4):
        nk.append_chunked("old", np.full(1, i, "i4"))
    kept = nk.Chunked("old", 3)
    tool("prune", "-q", "old", "--keep", 1)
    assert kept.rows().tolist() == [0, 1]  # its lock keeps it
    del kept
    tool("prune", "-q", "old", "--keep", 1)
    raises(nk.ConflictError, nk.Chunked, "old", 3)
    record = Path("old/commits/00000000000000000005.json")
    record.write_bytes(record.read_bytes().replace(b'"rows": 4', b'"rows": 5'))
    raises(nk.ChecksumError, nk.load_chunked, "old")
    raises(nk.ChecksumError, nk.append_chunked, "old", np.zeros(1, "i4"))

def test_a_writer_that_slept_or_was_killed() -> None:
    nk.create_chunked("slow", "i4")
    slow = nk._Staged(nk.Chunked("slow"), True)
    del slow.base._lock  # as where there are no locks
    for i in range(3):
        nk.append_chunked("slow", np.full(2, i, "i4"))
    assert not slow.commit(np.zeros(9, "i4"), None, "0" * 32)  # the number is taken
    tool("prune", "-q", "slow", "--keep", 1)
    assert not slow.commit(np.zeros(9, "i4"), None, "0" * 32)  # the number is free again, and its commit would be lost
    assert os.listdir("slow/commits") == ["00000000000000000004.json"]
    assert nk.load_chunked("slow").tolist() == [0, 0, 1, 1, 2, 2] and len(os.listdir("slow/chunks")) == 3

    nk._Staged(nk.Chunked("slow"), True).put_rows(np.zeros(9, "i4"), None)  # killed before the commit
    assert len(os.listdir("slow/chunks")) == 4
    tool("meta", "slow", "set", "/swept", 1)
    assert len(os.listdir("slow/chunks")) == 3

def append_many(path: str, writer: int, count: int) -> None:
    for i in range(count):
        rows = np.full((1 + i % 7 * 500, 3), writer * 10**6 + i, "f8")  # the larger ones have padded headers
        nk.append_chunked(path, rows, sync=False)

def test_all_write_at_once() -> None:
    """Two Python writers append; C++ meanwhile merges chunks, prunes commits, sweeps, and commits metadata."""
    nk.create_chunked("live", "f8", (3,))
    count = 60
    writers = [subprocess.Popen([sys.executable, __file__, TOOL, "append", "live", str(w), str(count)]) for w in (1, 2)]
    changes = 0
    while any(writer.poll() is None for writer in writers):
        tool("meta", "live", "set", f"/{changes}", changes)
        done = subprocess.run([TOOL, "compact", "-q", "live"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0 or b"another writer" in done.stdout, done.stdout
        tool("prune", "-q", "live", "--keep", 3)
        changes += 1
        time.sleep(0.01)
    assert [writer.wait() for writer in writers] == [0, 0]
    tool("verify", "-q", "live")
    version = nk.Chunked("live")
    rows = version.rows(verify=True)[:, 0]
    for writer in 1, 2:
        expected = np.concatenate([np.full(1 + i % 7 * 500, writer * 10**6 + i, "f8") for i in range(count)])
        assert same(rows[rows // 10**6 == writer], expected), writer
    assert len(rows) == 2 * len(expected) and changes
    assert version.record["metadata"] == {str(i): i for i in range(changes)}
    tool("compact", "-q", "live")
    assert same(np.sort(nk.load_chunked("live")[:, 0]), np.sort(rows))

def test_sidecars() -> None:
    arrays: Any = {"c": np.arange(12.0).reshape(3, 4), "f": np.asfortranarray([[1, 2], [3, 4]]),
                   "empty": np.zeros((0, 2)), "struct": np.zeros(3, [("a", "i4"), ("b", "f8")])}
    for name, array in arrays.items():
        file = f"{name}.npy"
        np.save(file, array)
        assert nk.read_sidecar(file) is None
        nk.write_sidecar(file, {"site": "A7", "limit": float("nan")}, ("crc32c", "crc32", "md5"))
        assert "OK" in tool("verify", file)
        tool("meta", file, "set", "/units", "kelvin")
        tool("verify", "-q", "--write", "--statistics", file)
        said = nk.read_sidecar(file)
        assert said and said["metadata"]["units"] == "kelvin" and set(said["checksums"]) == {"crc32c", "crc32", "md5"}
        nk.verify_sidecar(file)
        nk.write_sidecar(file)
        assert tool("meta", file, "get", "/site") == "A7\n"
        assert not [each for each in os.listdir() if each.endswith(".ndk")]
    os.utime("c.npy")
    nk.verify_sidecar("c.npy")  # by the sum, not by the stamp
    np.save("c.npy", np.ones((3, 4)))
    raises(nk.FormatError, nk.verify_sidecar, "c.npy")
    nk.write_sidecar("c.npy", {})
    status = os.stat("c.npy")
    with open("c.npy", "r+b") as damaged:
        damaged.seek(-1, 2)
        damaged.write(b"\1")
    os.utime("c.npy", ns=(status.st_atime_ns, status.st_mtime_ns))
    raises(nk.ChecksumError, nk.verify_sidecar, "c.npy")
    tool("verify", "c.npy", status=1)
    Path("c.npy.json").write_text("{}")
    raises(nk.ConflictError, nk.write_sidecar, "c.npy")

def test_checkpoints() -> None:
    corpus = SOURCE / "tests/fuzz/corpus/checkpoint"
    for name in "array", "lists":
        position, states = nk.load_checkpoint(corpus / f"{name}.state")
        assert position["chunks"] == 1 and states, (position, states)
    assert [part.shape for part in states["vv"]] and isinstance(states["vv"], list)
    run_example("live_feed")
    if Path("live_feed.state").exists():
        position, states = nk.load_checkpoint("live_feed.state")
        assert position == {"rows": 200000, "chunks": 24} and states["delays"].sum() == 200000
        whole = Path("live_feed.state").read_bytes()
        Path("live_feed.state").write_bytes(whole[:200] + b"damage" + whole[206:])
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert nk.load_checkpoint("live_feed.state")[0]["chunks"] == 23
        assert len(caught) == 1

if sys.argv[2:3] == ["append"]:
    append_many(sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
else:
    with tempfile.TemporaryDirectory(prefix="ndkeep python ") as folder:
        os.chdir(folder)
        for name, test in list(globals().items()):
            if name.startswith("test_"):
                began = time.monotonic()
                test()
                print(f"{name}: passed in {time.monotonic() - began:.1f} s")
        os.chdir("/")
