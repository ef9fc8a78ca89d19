# SPDX-License-Identifier: BSD-3-Clause
"""Trees, chunked arrays, sidecars and checkpoints. Formats and numbered steps: include/ndkeep/store/README.md."""
import ast, contextlib, fcntl, hashlib, io, json, os, secrets, shutil, struct, time, zipfile, zlib
from pathlib import Path
from typing import Any, Callable, Iterator
import numpy as np

def _leaves(node: Any, path: tuple[Any, ...] = (), pointer: str = "") -> Iterator[tuple[Any, str, Any, Any]]:
    """Of each value in nested dictionaries and lists: its path, its JSON pointer, what holds it, and its key there."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        at = (*path, key), pointer + "/" + str(key).replace("~", "~0").replace("/", "~1")
        yield from _leaves(value, *at) if isinstance(value, (dict, list, tuple)) else [(*at, node, key)]
def _parse(text: str | bytes, version: str, members: Any = None) -> Any:
    document = json.loads(text)
    if document.get("ndkeep") != version or document.get("needs"): raise ValueError(f"not of version {version!r}")
    names = {("tree", *path): name for path, name in document.get("arrays", [])}
    for path, pointer, node, key in _leaves(document):
        if pointer in document.get("nonfinite", []): node[key] = float(node[key])
        if path in names: node[key] = members[names[path]]
    return document
def _text(whole: Any) -> bytes:
    text = json.dumps(whole, default=lambda leaf: None if "tree" in whole and type(leaf) is np.ndarray else leaf.item())
    plain, marked = (json.loads(text, parse_constant=kind) for kind in (str, complex))  # of NaN and infinities
    nonfinite = [pointer for _, pointer, node, key in _leaves(marked) if isinstance(node[key], complex)]
    return json.dumps({**plain, "nonfinite": nonfinite} if nonfinite else plain).encode()

_AFTER_4 = np.arange(256, dtype="u4") << np.array([[0], [8], [16], [24]], "u4")  # [k][b]: what four more bytes make of
for _ in range(32): _AFTER_4 = (_AFTER_4 >> 1) ^ (_AFTER_4 & 1) * np.uint32(0x82F63B78)  # a CRC with b as its byte k
def crc32c(data: bytes) -> str:
    """The Castagnoli CRC. All neighbours are joined at once, in pairs: a loop over bytes would be 15 times slower."""
    moved = lambda by, sums: by[0][sums & 255] ^ by[1][sums >> 8 & 255] ^ by[2][sums >> 16 & 255] ^ by[3][sums >> 24]
    words, after = np.frombuffer(bytes(-len(data) % 4) + b"Td\x1fd" + data, "<u4"), _AFTER_4  # Td.d sets all bits
    while len(words) > 1:
        words = np.append(np.zeros(len(words) % 2, "u4"), words)
        words, after = moved(after, words[0::2]) ^ words[1::2], moved(after, after)
    return f"{int(moved(_AFTER_4, words)[0]) ^ 0xffffffff:08x}"
SUMS: dict[str, Callable[[bytes], str]] = {"crc32c": crc32c, "crc32": lambda data: f"{zlib.crc32(data):08x}",
                                           "md5": lambda data: hashlib.md5(data).hexdigest()}

class _Opened(int):  # the descriptor of a file or folder, which is closed with this object
    def __new__(cls, path: Path, flags: int = 0) -> Any: return super().__new__(cls, os.open(path, flags, 0o666))
    def __del__(self) -> None: os.close(self)
def _put(file: Path, data: bytes, like: Path | None = None) -> None:
    """Creates a file with all of its bytes if its name is free. With `like`, whose mode it gets, replaces it."""
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(8)}.ndk")
    try:
        temporary.touch()
        if like and like.exists(): shutil.copymode(like, temporary)
        temporary.write_bytes(data)
        os.fsync(_Opened(temporary))
        getattr(os, "replace" if like else "link")(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)
        os.fsync(_Opened(file.parent))
@contextlib.contextmanager
def _writing(file: str | Path) -> Iterator[Path]:
    """Holds the lock that all writers of a file hold, that of `.NAME.ndk`."""
    name = (path := Path(os.path.realpath(file))).with_name(f".{path.name}.ndk")
    while True:
        with contextlib.suppress(FileNotFoundError):
            fcntl.flock(lock := _Opened(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW), fcntl.LOCK_EX)
            if os.path.samestat(os.lstat(name), os.fstat(lock)): break  # else its last holder has renamed it
    try: yield path
    finally: name.unlink()

def save_tree(file: str | Path, tree: Any) -> None:
    """Writes dictionaries, lists, numbers, texts and arrays. An array is the member named by its path."""
    whole, arrays = io.BytesIO(), list[Any]()
    with zipfile.ZipFile(whole, "w") as archive:
        for (_, *path), _, node, key in _leaves([tree]):
            if isinstance(node[key], np.ndarray):
                name = ("/".join(map(str, path)).replace("\0", "") or "arr_0") + ".npy"
                while name in archive.NameToInfo: name = name[:-4] + "#2.npy"
                with archive.open(name, "w", force_zip64=True) as member: np.save(member, node[key], allow_pickle=False)
                arrays.append((path, name))
        archive.writestr("tree.json", _text({"ndkeep": "tree/1", "tree": tree, "arrays": arrays}))
    with _writing(file) as target: _put(target, whole.getvalue(), like=target)
def load_tree(file: str | Path) -> Any:
    with np.load(file) as archive: return _parse(archive["tree.json"], "tree/1", archive)["tree"]

def _record(path: Path, number: int) -> Any:
    with contextlib.suppress(FileNotFoundError):
        text, _, end = (path / "commits" / f"{number:020}.json").read_bytes().rpartition(b',"crc32c":"')
        if end == crc32c(text).encode() + b'"}': return _parse(text + b"}", "chunks/1")
        raise ValueError(f"{path}: commit {number} is damaged; recover_chunked skips it")
    return {}
def _newest(path: Path) -> int:
    before, newest = -1, 0  # One long listing is not one moment. A listing of a growing folder can have holes.
    while newest != before: before, newest = newest, max([0, *(int(f.stem) for f in path.glob("commits/[0-9]*.json"))])
    while _record(path, newest + 1): newest += 1
    return newest
def _table(path: Path, item: Any) -> Iterator[Any]:
    text = (path / "chunks" / os.path.basename(item["table"])).read_bytes()
    if crc32c(text) != item["crc32c"]: raise ValueError(f"{path}: table {item['table']} is damaged")
    rows = np.load(io.BytesIO(text))[item["from"]:item["to"]]
    for row in rows.tolist(): yield {k: v.decode() if type(v) is bytes else v for k, v in zip(rows.dtype.names, row)}
class Chunked:
    """The newest version of a chunked array. Pruning keeps its files while this object exists."""
    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        for _ in range(8):
            self.number = _newest(self.path)
            with contextlib.suppress(OSError):  # the lock comes first: the record could be pruned after it is read
                self._lock = _Opened(self.path / "lock")
                fcntl.fcntl(self._lock, fcntl.F_OFD_SETLK, struct.pack("hhlli0l", fcntl.F_RDLCK, 0, self.number, 1, 0))
            self.record = _record(self.path, self.number)
            if self.record: break
        else: raise RuntimeError(f"{path}: has no commits, or they are pruned faster than they can be read")
        text = self.record["dtype"]
        self.dtype = np.lib.format.descr_to_dtype(ast.literal_eval(text) if text[0] == "[" else text)
        self.shape: tuple[int, ...] = (self.record["rows"], *self.record["row_shape"])
    def entries(self) -> Iterator[Any]:
        """The chunks in the order of their rows, with those in tables. Rows without a file are zeros."""
        for item in self.record["chunks"]: yield from _table(self.path, item) if "table" in item else [item]
    def chunk(self, entry: Any, verify: bool = False) -> Any:
        """The rows of an entry, mapped. With `verify`, they are read and their sum is checked."""
        shape, sum = (entry["rows"], *self.shape[1:]), self.record["sum"]
        if not entry.get("file"): return np.zeros(shape, self.dtype)
        rows = np.load(self.path / "chunks" / os.path.basename(entry["file"]), mmap_mode="r")
        if (rows.shape, rows.dtype, rows.offset) == (shape, self.dtype, entry["offset"]):
            if not verify or not entry.get(sum) or SUMS[sum](rows.tobytes()) == entry[sum]: return np.asarray(rows)
        raise ValueError(f"{rows.filename}: not what was written")
    def rows(self, first: int = 0, last: int | None = None) -> Any:
        """The rows from `first` up to `last`. Chunks without any are not opened; whole chunks are checked."""
        first, last, _ = slice(first, last).indices(self.shape[0])
        out, at = np.zeros((max(0, last - first), *self.shape[1:]), self.dtype), 0
        for entry in self.entries():
            begin, end, size = max(at, first), min(at + entry["rows"], last), entry["rows"]
            if begin < end: out[begin - first:end - first] = self.chunk(entry, end - begin == size)[begin - at:end - at]
            at += size
        return out

def append_chunked(path: str | Path, rows: Any) -> int:
    """Appends rows as one chunk, whatever other writers do meanwhile, and returns the number of the commit. After an
    OSError, open the array to see whether it was made. Tables, merging, sweeping and pruning are for C++ writers."""
    path, rows, id, lock = Path(path), np.ascontiguousarray(rows), secrets.token_hex(16), _Opened(Path(path, "commits"))
    for _ in range(10000):  # step 2, for 10 s
        try: fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError: time.sleep(0.001)
        else: break
    for _ in range(16):  # a sweep that removes the chunk of a try has made a commit before, with the same number
        base = Chunked(path)  # step 3
        old, number, sum, whole = base.record, base.number + 1, base.record["sum"], io.BytesIO()
        if (rows.dtype, rows.shape[1:], old["order_by"]) != (base.dtype, base.shape[1:], None) or not rows.nbytes:
            raise TypeError(f"{path}: {rows.dtype} {rows.shape} are not {base.dtype} {base.shape[1:]} without an order")
        np.save(whole, rows, allow_pickle=False)
        writer, hash = secrets.token_hex(4), 0xcbf29ce484222325
        for byte in (old["dataset"] + writer).encode(): hash = (hash ^ byte) * 0x100000001b3 % (1 << 64)  # FNV-1a
        chunk = path / "chunks" / f"{base.shape[0]:012}-{writer}{hash >> 32:08x}-0.npy"
        entry = {"file": chunk.name, "rows": len(rows), "nbytes": rows.nbytes, "offset": whole.tell() - rows.nbytes}
        if sum in SUMS: entry[sum] = SUMS[sum](rows.tobytes())
        if rows.dtype.kind in "biumMf" and rows.dtype.isnative and rows.itemsize <= 8 and rows.dtype != "f2":
            numbers = rows[rows == rows].astype({"b": "u8", "u": "u8", "f": "f8"}.get(rows.dtype.kind, "i8"))
            if numbers.size: entry["min"], entry["max"] = numbers.min().item(), numbers.max().item()
        text = _text({**old, "id": id, "parent": old["id"], "chunks": [*old["chunks"], entry],
                      "rows": old["rows"] + len(rows), "created": time.strftime("%FT%TZ", time.gmtime())})[:-1]
        text += f',"crc32c":"{crc32c(text)}"}}'.encode()
        if len(text) > 16 << 20 or len(old["chunks"]) > 4095: raise ValueError(f"{path}: compact it first")
        _put(chunk, whole.getvalue())
        file = path / "commits" / f"{number:020}.json"
        with contextlib.suppress(FileExistsError, FileNotFoundError): _put(file, text)  # steps 6 and 8
        counts = (_record(path, base.number).get("id") == old["id"] or _newest(path) == number
                  or _record(path, number + 1).get("parent") == id)  # step 7
        found = _record(path, number).get("id")
        if not found: raise OSError(f"{path}: it is not known whether commit {number} was made")
        if found == id and counts: return number
        for lost in (file, chunk) if found == id else (chunk,): lost.unlink(missing_ok=lost == chunk)
    raise RuntimeError(f"{path}: other writers were faster 16 times; append again")

def _described(file: Path, sums: Any) -> Any:
    stamp, array = os.stat(file), np.load(file, mmap_mode="r")
    dtype, order = str(np.lib.format.dtype_to_descr(array.dtype)), "C" if array.flags.c_contiguous else "F"
    return {"ndkeep": "sidecar/1", "file": {"size": stamp.st_size, "mtime_ns": stamp.st_mtime_ns},
            "array": {"dtype": dtype, "shape": list(array.shape), "order": order, "nbytes": array.nbytes},
            "checksums": {kind: SUMS[kind](array.tobytes("A")) for kind in sums}}
def read_sidecar(file: str | Path) -> Any:
    """What NAME.npy.json says of NAME.npy, whose data is read and compared with the checksums."""
    sidecar = _parse(Path(f"{file}.json").read_bytes(), "sidecar/1")
    for said in (sidecar, sidecar.get("previous", sidecar)):
        now = _described(Path(file), SUMS.keys() & (sums := said.get("checksums", {})))
        is_of_file = said["array"] == now["array"] and now["checksums"].items() <= sums.items()
        if is_of_file and (sums or said.get("file", now["file"]) == now["file"]): return said
    raise ValueError(f"{file}: its sidecar describes other data")
def write_sidecar(file: str | Path, metadata: Any, sums: tuple[str, ...] = ("crc32c",)) -> None:
    """Describes NAME.npy in NAME.npy.json."""
    with _writing(file) as path, _writing(f"{path}.json") as sidecar:
        if sidecar.exists(): _parse(sidecar.read_bytes(), "sidecar/1")  # rejects what is no sidecar
        _put(sidecar, _text({**_described(path, sums), "metadata": metadata}), like=path)

def load_checkpoint(file: str | Path) -> tuple[Any, Any]:
    """Position and states of a loop. If it is damaged, an error says so: NAME.previous is the checkpoint before."""
    with np.load(file) as members:
        if members.zip.testzip(): raise ValueError(f"{file}: damaged; {file}.previous is the checkpoint before")
        def value(raw: Any) -> Any:
            if "parts" not in raw: return raw["json"] if "json" in raw else members[raw.get("array") or raw["bytes"]]
            parts = {name: value(part) for name, part in raw["parts"].items()}
            if "dictionary" in raw: return {key: parts[str(i)] for i, key in enumerate(raw["dictionary"])}
            return [parts[str(i)] for i in range(raw["list"])] if "list" in raw else parts
        document = _parse(members["state.json"], "loop/1")
        return document["position"], {name: value(raw) for name, raw in document["states"].items()}
