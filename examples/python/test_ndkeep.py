# SPDX-License-Identifier: BSD-3-Clause
"""Python reads what C++ writes, and C++ what Python writes: test_ndkeep.py TOOL [PROGRAM]…

TOOL is the command-line tool ndkeep. The programs, of examples/, write a tree (trees) and a checkpoint (live_feed)."""
from __future__ import annotations

import os, subprocess, sys, tempfile, time
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

def raises(kind: type[BaseException], call: Callable[..., object], *arguments: Any) -> None:
    try:
        call(*arguments)
    except kind:
        return
    raise AssertionError(f"no {kind.__name__}")

def create(name: str, dtype: Any, row_shape: tuple[int, ...] = (), order_by: Any = None, sum: str = "crc32c",
           **metadata: Any) -> None:
    """Commits no rows, with any sum: the tool makes arrays with crc32c only."""
    for folder in "commits", "chunks":
        Path(name, folder).mkdir(parents=True)
    Path(name, "lock").touch()
    record = {"ndkeep": "chunks/1", "id": "1" * 32, "parent": "", "skips": [], "dataset": "2" * 32, "epoch": 0,
              "rewritten": 0, "dtype": str(np.lib.format.dtype_to_descr(np.dtype(dtype))), "row_shape": row_shape,
              "rows": 0, "order_by": order_by, "sum": sum, "chunks": [], "loops": {}, "metadata": metadata,
              "created": "2026-11-20T10:16:00Z"}
    text = nk._text(record)[:-1]
    Path(name, f"commits/{1:020}.json").write_bytes(text + f',"crc32c":"{nk.crc32c(text)}"}}'.encode())

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
    nk.save_tree("tree.npz", tree)
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
    os.chmod("array.npz", 0o640)
    nk.save_tree("array.npz", np.arange(3))
    assert same(nk.load_tree("array.npz"), np.arange(3)) and os.stat("array.npz").st_mode & 0o777 == 0o640
    assert not [each for each in os.listdir() if each.endswith(".ndk")]
    run_example("trees")
    if Path("dataset.npz").exists():
        assert nk.load_tree("dataset.npz")["regions"]["north"]["values"].shape == (3, 4)

def test_chunked_arrays_of_cpp() -> None:
    hours = np.load(DATA / "seattle_hourly.npy")
    tool("convert", DATA / "seattle_hourly.npy", "hourly/", "--rows-per-chunk", 50)  # 176 chunks: a table
    version = nk.Chunked("hourly")
    assert any("table" in item for item in version.record["chunks"])
    assert same(version.rows(), hours) and same(version.rows(49, 151), hours[49:151])
    assert version.rows(8759).shape == (0, 3) and same(version.rows(-9), hours[-9:])
    entries = list(version.entries())
    chunk = version.chunk(entries[3])
    assert same(np.array(chunk), hours[150:200]) and not chunk.flags.writeable
    raises(FileNotFoundError, version.chunk, {**entries[3], "file": "../lock"})

    file = Path("hourly/chunks", entries[1]["file"])
    whole = bytearray(file.read_bytes())
    whole[-1] ^= 1
    file.write_bytes(whole)
    raises(ValueError, version.rows)
    assert same(version.rows(49, 51)[:1], hours[49:50])  # the sum of a chunk covers all of its rows
    table = Path("hourly/chunks", next(item["table"] for item in version.record["chunks"] if "table" in item))
    whole = bytearray(table.read_bytes())
    whole[-1] ^= 1
    table.write_bytes(whole)
    raises(ValueError, version.rows, 0, 1)

def test_chunked_arrays_of_python() -> None:
    struct = np.dtype([("time", "i8"), ("value", "f4")])
    kinds: list[Any] = ["?", "u8", "f2", "f4", ">f8", "c16", "S3", "M8[s]", struct]
    for dtype in map(np.dtype, kinds):
        name = f"python {dtype.num} {dtype.byteorder}"
        sum = ("crc32c", "crc32", "md5", "none")[dtype.num % 4]
        parts = [(np.arange(n) % 3).astype(dtype) for n in (1, 140, 9000)]
        create(name, dtype, sum=sum, limit=float("inf"))
        assert [nk.append_chunked(name, part) for part in parts] == [2, 3, 4]
        assert same(nk.Chunked(name).rows(), np.concatenate(parts).astype(dtype))
        tool("verify", "-q", name)
        tool("convert", "-q", name, "back.npy", "-f")
        assert same(np.load("back.npy"), nk.Chunked(name).rows()), dtype
        assert tool("meta", name, "get", "/limit") == '"Infinity"\n'
        raises(TypeError, nk.append_chunked, name, np.zeros((2, 2), dtype))
        assert len(os.listdir(f"{name}/chunks")) == 3
    create("pairs", "f8", (2,))
    nk.append_chunked("pairs", [[1.0, np.nan], [np.inf, 2.0]])
    tool("verify", "-q", "pairs")
    create("ordered", "M8[s]", order_by="")
    raises(TypeError, nk.append_chunked, "ordered", np.array([1, 2], "M8[s]"))  # it does not check the order

def test_an_array_that_is_damaged_or_pruned() -> None:
    create("old", "i4")
    for i in range(2):
        nk.append_chunked("old", np.full(1, i, "i4"))
    kept = nk.Chunked("old")
    for i in range(2):
        nk.append_chunked("old", np.full(1, i, "i4"))
    tool("compact", "-q", "old")
    tool("prune", "-q", "old", "--keep", 1)
    assert kept.rows().tolist() == [0, 1]  # its lock keeps it
    del kept
    tool("prune", "-q", "old", "--keep", 1)
    assert len(os.listdir("old/commits")) == len(os.listdir("old/chunks")) == 1
    record = Path("old/commits/00000000000000000006.json")
    record.write_bytes(record.read_bytes().replace(b'"rows": 4', b'"rows": 5'))
    raises(ValueError, nk.Chunked, "old")
    raises(ValueError, nk.append_chunked, "old", np.zeros(1, "i4"))

def append_to(bases: list[Any], path: str, rows: Any) -> int:
    """Appends to versions that were the newest ones, and afterwards to the newest one, as a writer that slept."""
    opened = nk.Chunked
    nk.Chunked = lambda path: bases.pop(0) if bases else opened(path)  # type: ignore
    try:
        return nk.append_chunked(path, rows)
    finally:
        nk.Chunked = opened  # type: ignore

def test_a_writer_that_slept_or_was_killed() -> None:
    create("slow", "i4")
    slow = nk.Chunked("slow")
    del slow._lock  # as where there are no locks
    for i in range(3):
        nk.append_chunked("slow", np.full(2, i, "i4"))
    assert append_to([slow], "slow", np.zeros(9, "i4")) == 5  # the number was taken
    tool("prune", "-q", "slow", "--keep", 1)
    assert append_to([slow, slow], "slow", np.ones(9, "i4")) == 6  # it was free again: that commit would be lost
    assert sorted(os.listdir("slow/commits")) == [f"{i:020}.json" for i in (5, 6)]
    assert nk.Chunked("slow").rows().tolist() == [0, 0, 1, 1, 2, 2] + [0] * 9 + [1] * 9
    assert len(os.listdir("slow/chunks")) == 5

    put = nk._put
    def killed_before_the_commit(file: Path, data: bytes) -> None:
        if file.suffix == ".json":
            raise KeyboardInterrupt
        put(file, data)
    nk._put = killed_before_the_commit  # type: ignore
    raises(KeyboardInterrupt, nk.append_chunked, "slow", np.zeros(9, "i4"))
    nk._put = put
    assert len(os.listdir("slow/chunks")) == 6
    tool("meta", "slow", "set", "/swept", 1)
    assert len(os.listdir("slow/chunks")) == 5

def test_a_commit_whose_success_was_reported_as_a_failure() -> None:
    create("twice", "i4")
    put = nk._put
    def put_twice(file: Path, data: bytes) -> None:
        put(file, data)
        if file.suffix == ".json":
            put(file, data)
    nk._put = put_twice  # type: ignore
    assert nk.append_chunked("twice", np.ones(2, "i4")) == 2
    nk._put = put
    assert nk.Chunked("twice").rows().tolist() == [1, 1]

def test_a_sweep_between_the_chunk_and_the_record() -> None:
    create("swept", "i4")
    put, flock = nk._put, nk.fcntl.flock
    def put_then_sweep(file: Path, data: bytes) -> None:
        nk._put = put
        put(file, data)
        tool("meta", "swept", "set", "/x", 1)
        assert not file.exists()
    nk._put = put_then_sweep  # type: ignore
    nk.fcntl.flock = lambda file, how: None  # or the tool would wait for it
    assert nk.append_chunked("swept", np.ones(2, "i4")) == 3
    nk.fcntl.flock = flock
    assert nk.Chunked("swept").rows().tolist() == [1, 1] and nk.Chunked("swept").record["metadata"] == {"x": 1}

def append_many(path: str, writer: int, count: int) -> None:
    for i in range(count):
        rows = np.full((1 + i % 7 * 500, 3), writer * 10**6 + i, "f8")
        nk.append_chunked(path, rows)

def test_all_write_at_once() -> None:
    """Two Python writers append; C++ meanwhile merges chunks, prunes commits, sweeps, and commits metadata."""
    create("live", "f8", (3,))
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
    rows = version.rows()[:, 0]
    for writer in 1, 2:
        expected = np.concatenate([np.full(1 + i % 7 * 500, writer * 10**6 + i, "f8") for i in range(count)])
        assert same(rows[rows // 10**6 == writer], expected), writer
    assert len(rows) == 2 * len(expected) and changes
    assert version.record["metadata"] == {str(i): i for i in range(changes)}
    tool("compact", "-q", "live")
    assert same(np.sort(nk.Chunked("live").rows()[:, 0]), np.sort(rows))

def test_sidecars() -> None:
    arrays: Any = {"c": np.arange(12.0).reshape(3, 4), "f": np.asfortranarray([[1, 2], [3, 4]]),
                   "empty": np.zeros((0, 2)), "struct": np.zeros(3, [("a", "i4"), ("b", "f8")])}
    for name, array in arrays.items():
        file = f"{name}.npy"
        np.save(file, array)
        os.chmod(file, 0o600)
        raises(FileNotFoundError, nk.read_sidecar, file)
        nk.write_sidecar(file, {"site": "A7", "limit": float("nan")}, ("crc32c", "crc32", "md5"))
        assert "OK" in tool("verify", file) and os.stat(f"{file}.json").st_mode & 0o777 == 0o600
        tool("meta", file, "set", "/units", "kelvin")
        tool("verify", "-q", "--write", "--statistics", file)
        said = nk.read_sidecar(file)
        assert said["metadata"]["units"] == "kelvin" and set(said["checksums"]) == {"crc32c", "crc32", "md5"}
        nk.write_sidecar(file, {**said["metadata"], "site": "A8"})
        assert tool("meta", file, "get", "/site") == "A8\n"
        assert not [each for each in os.listdir() if each.endswith(".ndk")]
    os.utime("c.npy")
    assert nk.read_sidecar("c.npy")["metadata"]["site"] == "A8"  # by the sum, not by the stamp
    old = nk.read_sidecar("c.npy")
    np.save("c.npy", np.ones((3, 4)))
    raises(ValueError, nk.read_sidecar, "c.npy")
    nk.write_sidecar("c.npy", {"site": "A9"})
    new = nk.read_sidecar("c.npy")
    Path("c.npy.json").write_bytes(nk._text({**new, "previous": old}))
    assert nk.read_sidecar("c.npy")["metadata"]["site"] == "A9"
    np.save("c.npy", arrays["c"])  # as if a writer was killed between the sidecar and the data
    assert nk.read_sidecar("c.npy")["metadata"]["site"] == "A8"
    np.save("c.npy", np.ones((3, 4)))
    nk.write_sidecar("c.npy", {})
    status = os.stat("c.npy")
    with open("c.npy", "r+b") as damaged:
        damaged.seek(-1, 2)
        damaged.write(b"\1")
    os.utime("c.npy", ns=(status.st_atime_ns, status.st_mtime_ns))
    raises(ValueError, nk.read_sidecar, "c.npy")
    tool("verify", "c.npy", status=1)
    raises(ValueError, nk.write_sidecar, "c.npy", {"fill": np.zeros(2)})  # an array is no metadata
    Path("c.npy.json").write_text("{}")
    raises(ValueError, nk.write_sidecar, "c.npy", {})
    assert Path("c.npy.json").read_text() == "{}"

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
        whole = bytearray(Path("live_feed.state").read_bytes())
        whole[len(whole) // 2] ^= 1
        Path("live_feed.state").write_bytes(whole)
        raises(ValueError, nk.load_checkpoint, "live_feed.state")
        assert nk.load_checkpoint("live_feed.state.previous")[0]["chunks"] == 23

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
