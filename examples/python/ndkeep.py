# SPDX-License-Identifier: BSD-3-Clause
"""Trees, chunked arrays, sidecars and checkpoints of ndkeep, with NumPy and the standard library (64-bit POSIX).

The formats, and the steps that comments name, are those of include/ndkeep/store/README.md."""
from __future__ import annotations

import ast, contextlib, fcntl, hashlib, io, json, math, os, re, secrets, struct, time, warnings, zipfile, zlib
from pathlib import Path
from typing import Any, BinaryIO, Callable, Iterator, Optional, Union
import numpy as np

Array = np.ndarray[Any, Any]
Json = dict[str, Any]
Name = Union[str, "os.PathLike[str]"]
_npy: Any = np.lib.format

class FormatError(ValueError): """A file is not as its format says."""
class ChecksumError(FormatError): """The bytes of a file are not those that were written."""
class ConflictError(RuntimeError): """Another program changed or pruned what was in use: open the array again."""

# Texts and sums -------------------------------------------------------------------------------------------------------
def _parse(text: Union[str, bytes], version: str) -> Json:
    """A JSON document. Numbers that are not finite are texts in it, and listed by pointer (in 0.1 also by path)."""
    document: Json = json.loads(text)
    if document["ndkeep"] != version or document.get("needs"):
        raise FormatError(f"the file is {document['ndkeep']!r}, expected {version!r}")
    for at in document.pop("nonfinite", []) + ["/states" + at for at in document.pop("non_finite", [])]:
        steps = ["tree", *at[0]] if isinstance(at, list) else at.replace("~1", "\0").replace("~0", "~").split("/")[1:]
        node: Any = document
        for i, step in enumerate(steps):
            key = int(step) if isinstance(node, list) else step.replace("\0", "/")
            parent, node = node, node[key]
        parent[key] = float(node)
    return document

def _text(document: Json) -> bytes:
    pointers: list[str] = []
    def finite(value: Any, at: str) -> Any:
        if isinstance(value, dict):
            return {k: finite(v, f"{at}/{k.replace('~', '~0').replace('/', '~1')}") for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [finite(v, f"{at}/{i}") for i, v in enumerate(value)]
        if not isinstance(value, float) or math.isfinite(value):
            return value
        pointers.append(at)
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    whole = finite(document, "")
    return json.dumps({**whole, "nonfinite": pointers} if pointers else whole).encode()

# What four more bytes make of a CRC: of its byte k, if that is b and all others are 0, _AFTER_4[k][b].
_AFTER_4 = np.arange(256, dtype="u4") << np.array([[0], [8], [16], [24]], "u4")
for _ in range(32):
    _AFTER_4 = (_AFTER_4 >> 1) ^ (_AFTER_4 & 1) * np.uint32(0x82F63B78)

def crc32c(data: bytes) -> str:
    """The Castagnoli CRC. All neighbours are joined at once, in pairs: a loop over bytes would be 100 times slower."""
    def moved(by: Any, sums: Any) -> Any:
        return by[0][sums & 255] ^ by[1][sums >> 8 & 255] ^ by[2][sums >> 16 & 255] ^ by[3][sums >> 24]
    after = _AFTER_4
    words = np.frombuffer(bytes(-len(data) % 4) + b"Td\x1fd" + data, "<u4")  # Td.d sets the register to all ones
    while len(words) > 1:
        words = words if len(words) % 2 == 0 else np.append(np.zeros(1, "u4"), words)
        words, after = moved(after, words[0::2]) ^ words[1::2], moved(after, after)
    return f"{int(moved(_AFTER_4, words)[0]) ^ 0xffffffff:08x}"

SUMS: dict[str, Callable[[bytes], str]] = {"crc32c": crc32c, "crc32": lambda data: f"{zlib.crc32(data):08x}",
                                           "md5": lambda data: hashlib.md5(data).hexdigest(), "none": lambda data: ""}

# Files and locks ------------------------------------------------------------------------------------------------------
def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

def _put(file: Path, data: bytes, sync: bool) -> bool:
    """Creates a file with all of its bytes; False if the name is taken."""
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(8)}.ndk")
    try:
        with open(temporary, "xb") as out:
            out.write(data)
            out.flush()
            if sync:
                os.fsync(out.fileno())
        os.link(temporary, file)
        return True
    except FileExistsError:
        return False
    finally:
        temporary.unlink(missing_ok=True)

class _Lock:
    """A lock that ends with this object. If it cannot be taken, work goes on: no commit depends on these locks."""
    def __init__(self, file: Path, take: Callable[[int], object], patience: float = 0) -> None:
        self.descriptor, end = -1, time.monotonic() + patience
        with contextlib.suppress(OSError, AttributeError):  # no such file, no such locks
            self.descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW)
            while True:
                with contextlib.suppress(BlockingIOError, PermissionError):
                    take(self.descriptor)
                    return
                if time.monotonic() > end:
                    return
                time.sleep(0.001)

    def __del__(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)

def _locked_byte(path: Path, byte: int, patience: float = 0) -> _Lock:
    request = struct.pack("hhlli0l", fcntl.F_RDLCK, os.SEEK_SET, byte, 1, 0)  # struct flock
    return _Lock(path / "lock", lambda file: fcntl.fcntl(file, fcntl.F_OFD_SETLK, request), patience)

@contextlib.contextmanager
def _replacing(target: Name, like: Optional[Name] = None) -> Iterator[BinaryIO]:
    """Holds the lock of NAME, the file `.NAME.ndk`, which becomes NAME at the end if anything was written to it."""
    path = Path(os.path.realpath(target))
    name, is_new = path.with_name(f".{path.name}.ndk"), False
    def is_named() -> bool:
        return os.path.lexists(name) and os.path.samestat(os.lstat(name), os.fstat(out.fileno()))
    while not is_new:
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            flags = os.O_NOFOLLOW if os.path.lexists(name) else os.O_CREAT | os.O_EXCL
            out = open(name, "r+b", opener=lambda file, _: os.open(file, os.O_RDWR | flags, 0o666))
            fcntl.flock(out, fcntl.LOCK_EX)
            is_new = is_named() and flags != os.O_NOFOLLOW
            if is_named() and not is_new:
                os.unlink(name)  # not written to: a killed writer's may be a second name of a finished file
    with out:
        try:
            with contextlib.suppress(FileNotFoundError):
                os.fchmod(out.fileno(), os.stat(like or path).st_mode & 0o777)
            yield out
            out.flush()
            if os.fstat(out.fileno()).st_size:
                os.fsync(out.fileno())
                os.rename(name, path)
                _sync(path.parent)
        finally:
            if is_named():
                os.unlink(name)

# Trees ----------------------------------------------------------------------------------------------------------------
def save_tree(file: Name, tree: Any, compress: bool = False) -> None:
    """Writes dictionaries, lists, numbers, texts and arrays. An array is the member named by its path."""
    arrays: dict[str, Array] = {}
    paths: list[Any] = []
    def plain(value: Any, path: list[Any]) -> Any:
        if isinstance(value, dict):
            return {key: plain(inner, [*path, key]) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(inner, [*path, i]) for i, inner in enumerate(value)]
        if not isinstance(value, np.ndarray):
            return value.item() if isinstance(value, np.generic) else value
        whole, count = "/".join(map(str, path)) if path else "arr_0", 1
        name = whole = "array" if len(whole.encode()) > 60000 or "\0" in whole else whole
        while name + ".npy" in arrays:
            name, count = f"{whole}#{count + 1}", count + 1
        arrays[name + ".npy"] = value
        paths.append([path, name + ".npy"])
        return None
    document = {"ndkeep": "tree/1", "tree": plain(tree, []), "arrays": paths}
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with _replacing(file) as out, zipfile.ZipFile(out, "w", method) as archive:
        for name, array in arrays.items():
            with archive.open(name, "w", force_zip64=True) as member:
                _npy.write_array(member, array, allow_pickle=False)
        archive.writestr("tree.json", _text(document))

def load_tree(file: Name) -> Any:
    """What `save_tree` has written; of another archive, a dictionary of its arrays."""
    with np.load(file) as archive:
        if "tree.json" not in archive.files:
            return dict(archive.items())
        document = _parse(archive["tree.json"], "tree/1")
        for path, name in document["arrays"]:
            node: Any = document
            for step in ["tree", *path]:
                parent, node = node, node[step]
            parent[step] = archive[name]
        return document["tree"]

# Chunked arrays -------------------------------------------------------------------------------------------------------
def _record_file(path: Path, number: int) -> Path:
    return path / "commits" / f"{number:020}.json"

def _newest(path: Path) -> int:
    def numbers() -> list[int]:
        return [int(name[:20]) for name in os.listdir(path / "commits") if re.fullmatch("[0-9]{20}[.]json", name)]
    listed = numbers()
    while len(listed) > 500 and max(again := numbers()) != max(listed):  # one long listing is not one moment
        listed = again
    newest = max(listed, default=0)
    while newest and _record_file(path, newest + 1).exists():  # a listing of a growing directory can have holes
        newest += 1
    return newest

def _record(path: Path, number: int) -> Optional[Json]:
    with contextlib.suppress(FileNotFoundError):
        text, _, end = _record_file(path, number).read_bytes().rpartition(b',"crc32c":"')
        if end != crc32c(text).encode() + b'"}':
            raise ChecksumError(f"{_record_file(path, number)}: crc32c differs; recover_chunked skips damaged records")
        return _parse(text + b"}", "chunks/1")
    return None

def _form_of_keys(dtype: np.dtype[Any], order_by: Optional[str]) -> str:
    """The form of the least and the greatest number of a chunk in tables; empty if there are none."""
    keys = dtype[order_by] if order_by else dtype
    forms = {"b": "<u8", "u": "<u8", "i": "<i8", "m": "<i8", "M": "<i8", "f": "<f8"}
    return forms.get(keys.kind, "") if keys.itemsize <= 8 else ""

class Chunked:
    """The newest version of a chunked array, or a given commit. Pruning keeps its files while this object exists."""
    def __init__(self, path: Name, commit: Optional[int] = None) -> None:
        self.path, record = Path(path), None
        for _ in range(8):
            newest = _newest(self.path)
            self.number = newest if commit is None else commit
            if not 0 < self.number <= newest:
                raise FileNotFoundError(f"{path}: has no commit {commit or ''}")
            self._lock = _locked_byte(self.path, self.number)  # before the record is read, which could be pruned after
            record = _record(self.path, self.number)
            if record and self._counts(record["id"], newest):
                break
            if commit is not None:
                raise ConflictError(f"{path}: commit {commit} was pruned")
        if not record:
            raise ConflictError(f"{path}: commits are pruned faster than they can be opened")
        self.record, text = record, record["dtype"]
        self.dtype = _npy.descr_to_dtype(ast.literal_eval(text) if text[0] == "[" else text)
        self.shape: tuple[int, ...] = (record["rows"], *record["row_shape"])
        self.row_bytes = math.prod(record["row_shape"], start=self.dtype.itemsize)

    def _counts(self, id: str, newest: int) -> bool:
        """Whether the commit was not overtaken: the next record names it, and skips damaged ones between."""
        damaged: set[int] = set()
        for number in range(self.number + 1, newest + 1):
            try:
                child = _record(self.path, number)
                return child is not None and child["parent"] == id and damaged <= set(child["skips"])
            except ChecksumError:
                damaged.add(number)
        return True

    def file(self, name: str) -> Path:
        """A file in `chunks`. The name is checked: it comes from a file, and must not lead out of the folder."""
        file = self.path / "chunks" / name
        if len(name) > 48 or not re.fullmatch("[0-9a-f]+(-[0-9a-f]+)*[.]np[yz]", name) or file.is_symlink():
            raise FormatError(f"{self.path}: bad file {name!r}")
        if not file.is_file() and not _record_file(self.path, self.number).exists():
            raise ConflictError(f"{self.path}: commit {self.number} was pruned")
        if not file.is_file():
            raise FormatError(f"{file}: missing")
        return file

    def entries(self, items: Optional[list[Json]] = None) -> list[Json]:
        """The chunks in the order of their rows, with those in tables."""
        found: list[Json] = []
        for item in self.record["chunks"] if items is None else items:
            if "table" not in item:
                found.append(item)
                continue
            text = self.file(item["table"]).read_bytes()
            if crc32c(text) != item["crc32c"]:
                raise ChecksumError(f"{self.file(item['table'])}: crc32c differs")
            table = np.load(io.BytesIO(text))
            for row in table[item["from"]:item["to"]].tolist():
                entry = {key: value.decode() if isinstance(value, bytes) else value
                         for key, value in zip(table.dtype.names, row)}
                if "min" in entry and not entry["min"] <= entry["max"]:
                    del entry["min"], entry["max"]
                found.append(entry if entry["file"] else {"rows": entry["rows"]})
        return found

    def chunk(self, entry: Json, verify: bool = False) -> Array:
        """The rows of an entry, mapped. With `verify`, they are read and their sum is checked."""
        if "file" not in entry:
            return np.zeros((entry["rows"], *self.shape[1:]), self.dtype)
        file, kind = self.file(entry["file"]), self.record["sum"]
        rows: Any = np.load(file, mmap_mode="r")
        if (rows.shape, rows.dtype, rows.offset) != ((entry["rows"], *self.shape[1:]), self.dtype, entry["offset"]):
            raise FormatError(f"{file}: not the file that was written")
        if verify and SUMS[kind](rows.tobytes()) != entry.get(kind, ""):
            raise ChecksumError(f"{file}: {kind} differs")
        return np.asarray(rows)

    def rows(self, first: int = 0, last: Optional[int] = None, verify: bool = False) -> Array:
        """The rows from `first` up to `last`, in memory. Only the chunks that have some of them are opened."""
        last = self.shape[0] if last is None else last
        if not 0 <= first <= last <= self.shape[0]:
            raise IndexError(f"{self.path}: has rows 0 to {self.shape[0]}, not {first} to {last}")
        out, at = np.zeros((last - first, *self.shape[1:]), self.dtype), 0
        for entry in self.entries():
            begin, end = max(at, first), min(at + entry["rows"], last)
            if begin < end and "file" in entry:
                out[begin - first:end - first] = self.chunk(entry, verify)[begin - at:end - at]
            at += entry["rows"]
        return out

def load_chunked(path: Name, commit: Optional[int] = None) -> Array:
    """All rows of the newest or a given commit; the sums of all chunks are checked."""
    return Chunked(path, commit).rows(verify=True)

def create_chunked(path: Name, dtype: Any, row_shape: tuple[int, ...] = (), order_by: Optional[str] = None,
                   sum: str = "crc32c", metadata: Optional[Json] = None) -> None:
    """Makes a new directory with a commit of no rows."""
    path, dtype = Path(path), np.dtype(dtype)
    if dtype.hasobject or not dtype.itemsize or sum not in SUMS:
        raise TypeError(f"{path}: rows of {dtype} with sum {sum} cannot be stored")
    if order_by is not None and (row_shape or not _form_of_keys(dtype, order_by)):
        raise TypeError(f"{path}: rows of {dtype} {row_shape} have no order by {order_by!r}")
    path.mkdir()
    for folder in "commits", "chunks":
        (path / folder).mkdir()
    (path / "lock").touch()
    (path / "lock").chmod(path.stat().st_mode & 0o666)  # whatever the umask: other users lock it too
    record = {"ndkeep": "chunks/1", "id": secrets.token_hex(16), "parent": "", "skips": [],
              "dataset": secrets.token_hex(16), "epoch": 0, "rewritten": 0,
              "dtype": str(_npy.dtype_to_descr(dtype)), "row_shape": list(row_shape), "rows": 0,
              "order_by": order_by, "sum": sum, "chunks": [], "loops": {}, "metadata": metadata or {}}
    if not _put_record(path, 1, record, True):
        raise ConflictError(f"{path}: another writer began at the same time")
    for synced in path / "commits", path, path.absolute().parent:
        _sync(synced)

def _put_record(path: Path, number: int, record: Json, sync: bool) -> bool:
    text = _text({**record, "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())})[:-1]
    text += f',"crc32c":"{crc32c(text)}"}}'.encode()
    if len(text) > 16 << 20:
        raise ValueError(f"{path}: the record is longer than 16 MiB")
    return _put(_record_file(path, number), text, sync)

def append_chunked(path: Name, rows: Any, rows_per_chunk: Optional[int] = None, sync: bool = True) -> int:
    """Appends rows in one commit, whatever other writers do meanwhile, and returns the number of the commit.

    ConflictError: nothing is committed. OSError: the commit may have been made; open the array to see what it has.
    `sync=False` protects from kills, not from power cuts. Merging, sweeping and pruning are left to C++ writers."""
    path, rows, id = Path(path), np.asarray(rows), secrets.token_hex(16)
    if not len(rows):
        return Chunked(path).number
    # Both are held to the end: the first keeps other writers from sweeping, the second is step 2.
    locks = (_locked_byte(path, 1 << 62, 10),
             _Lock(path / "commits", lambda folder: fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB), 10))
    for _ in range(16):
        # Steps 1, 3 and 4. Each try reads the newest state first and puts new files then. A sweep that removes some of
        # them has made the next commit before, so the put of this record fails, and no epoch has to be compared.
        files = _Staged(Chunked(path), sync)
        if files.commit(rows, rows_per_chunk, id):
            return files.base.number + 1
    raise ConflictError(f"{path}: other writers were faster 16 times; append again")

class _Staged:
    """The files of one try to append to a version of a chunked array."""
    def __init__(self, base: Chunked, sync: bool) -> None:
        self.base, self.path, self.sync, self.names = base, base.path, sync, list[str]()
        random, hash = secrets.token_hex(4), 0xcbf29ce484222325
        for byte in (base.record["dataset"] + random).encode():
            hash = (hash ^ byte) * 0x100000001b3 % (1 << 64)  # FNV-1a
        self.writer = random + f"{hash:016x}"[:8]

    def put(self, data: bytes, row: int) -> str:
        name = f"{row:012}-{self.writer}-{len(self.names)}.npy"
        if not _put(self.path / "chunks" / name, data, self.sync):
            raise ConflictError(f"{self.path}: another writer has drawn the same name")
        self.names.append(name)
        return name

    def put_rows(self, rows: Array, rows_per_chunk: Optional[int]) -> list[Json]:
        base, order_by = self.base, self.base.record["order_by"]
        if not rows.ndim or rows.shape[1:] != base.shape[1:] or not np.can_cast(rows.dtype, base.dtype, "equiv"):
            raise TypeError(f"{self.path}: rows of {base.dtype} {base.shape[1:]}, not {rows.dtype} {rows.shape[1:]}")
        if order_by is not None:
            keys = rows[order_by] if order_by else rows
            last = base.entries(base.record["chunks"][-1:])[-1:]
            ends = [entry["max"] for entry in last if "max" in entry]
            least = np.array(ends, "i8" if keys.dtype.kind in "mM" else None)
            keys = np.concatenate([least.astype(keys.dtype), keys])
            if not (keys == keys).all() or not (keys[:-1] <= keys[1:]).all():
                raise ValueError(f"{self.path}: the rows do not ascend by {order_by!r}")
        step = (1 << 16) // math.gcd(base.row_bytes, 1 << 16)  # chunks of 16 MiB, a multiple of the largest page
        wanted = (16 << 20) // max(1, base.row_bytes)
        size = rows_per_chunk or max(1, wanted // step * step or wanted)
        parts = [np.ascontiguousarray(rows[at:at + size], base.dtype) for at in range(0, len(rows), size)]
        return [self.entry(part, base.shape[0] + size * i) for i, part in enumerate(parts)]

    def entry(self, rows: Array, row: int) -> Json:
        if not rows.nbytes:
            return {"rows": len(rows)}
        text, order_by, kind = io.BytesIO(), self.base.record["order_by"], self.base.record["sum"]
        np.save(text, rows, allow_pickle=False)
        header, data = text.getvalue()[:-rows.nbytes], text.getvalue()[-rows.nbytes:]
        if rows.nbytes >= 1 << 14:
            header = _padded(header, row * self.base.row_bytes % 4096)
        entry = {"file": self.put(header + data, row), "rows": len(rows), "nbytes": rows.nbytes, "offset": len(header)}
        if kind != "none":
            entry[kind] = SUMS[kind](data)
        keys = rows[order_by] if order_by else rows
        if _form_of_keys(rows.dtype, order_by) and keys.dtype.isnative and keys.dtype != np.float16:
            keys = keys[keys == keys]  # without NaN and NaT
            keys = keys.view({"b": "u1", "m": "i8", "M": "i8"}.get(keys.dtype.kind, keys.dtype))
            if keys.size:
                entry["min"], entry["max"] = keys.min().item(), keys.max().item()
        return entry

    def table(self, items: list[Json]) -> Json:
        """All entries of a list that has become too long, in one table."""
        kind, form = self.base.record["sum"], _form_of_keys(self.base.dtype, self.base.record["order_by"])
        fields = [("file", "S48"), ("rows", "<u8"), ("nbytes", "<u8"), ("offset", "<u8"),
                  (kind, "S32" if kind == "md5" else "S8"), ("min", form), ("max", form)]
        fields = [field for field in fields if field[0] != "none" and field[1]]
        low, high = {"<u8": (2**64 - 1, 0), "<i8": (2**63 - 1, -2**63)}.get(form, (math.nan, math.nan))
        absent = {"file": "", "offset": 0, kind: "", "min": low, "max": high}
        entries = [{**absent, "nbytes": entry["rows"] * self.base.row_bytes, **entry}
                   for entry in self.base.entries(items)]
        text = io.BytesIO()
        np.save(text, np.array([tuple(entry[name] for name, _ in fields) for entry in entries], fields))
        name = self.put(text.getvalue(), 0)
        return {"table": name, "crc32c": crc32c(text.getvalue()), "from": 0, "to": len(entries)}

    def commit(self, rows: Array, rows_per_chunk: Optional[int], id: str) -> bool:
        base, number, is_known = self.base.record, self.base.number + 1, True
        try:
            items = base["chunks"] + self.put_rows(rows, rows_per_chunk)
            items = [self.table(items)] if len(items) > 128 else items  # step 5
            record = {**base, "id": id, "parent": base["id"], "chunks": items, "rows": base["rows"] + len(rows)}
            if self.sync:
                _sync(self.path / "chunks")
            is_known = False  # from here on a record may name the files
            is_known = not ((_put_record(self.path, number, record, self.sync) or self.is_own(number, id))  # step 6
                            and self.stands(number, id))  # step 7
            if not is_known and self.sync:
                _sync(self.path / "commits")  # step 8: if it fails, the commit is visible, but not safe
            return not is_known
        finally:
            for name in self.names if is_known else []:
                (self.path / "chunks" / name).unlink(missing_ok=True)

    def is_own(self, number: int, id: str) -> bool:
        present = _record(self.path, number)
        if not present:
            raise OSError(f"{self.path}: it is not known whether commit {number} was made")
        return bool(present["id"] == id)

    def stands(self, number: int, id: str) -> bool:
        """Whether a record counts. If the one before it was pruned, its number may have been used before."""
        parent = _record(self.path, number - 1)
        if parent and parent["id"] == self.base.record["id"] or _newest(self.path) == number:
            return True
        child = _record(self.path, number + 1)
        if child and child["parent"] == id:
            return True
        if not self.is_own(number, id):
            raise OSError(f"{self.path}: it is not known whether commit {number} was made")
        _record_file(self.path, number).unlink()
        return False

def _padded(header: bytes, place: int) -> bytes:
    """A header of at least 4096 bytes that ends at the place of its rows modulo 4096, so that chunks map as one."""
    begin = 10 if header[6] == 1 else 12
    text = header[begin:].rstrip()
    length = 4096 + place + max(0, begin + len(text) - place) // 4096 * 4096
    if length > 10000:  # NumPy reads no longer one
        return header
    return header[:8] + (length - begin).to_bytes(begin - 8, "little") + text.ljust(length - begin - 1) + b"\n"

# Sidecars -------------------------------------------------------------------------------------------------------------
def _described(file: Name) -> tuple[Array, Json, Json]:
    """An npy array, mapped, with its form in a sidecar, and the stamp of the file."""
    status = os.stat(file)
    try:
        array: Array = np.load(file, mmap_mode="r")
    except ValueError:  # no bytes to map
        array = np.load(file)
    form = {"dtype": str(_npy.dtype_to_descr(array.dtype)), "shape": list(array.shape),
            "order": "C" if array.flags.c_contiguous else "F", "nbytes": array.nbytes}
    return array, form, {"size": status.st_size, "mtime_ns": status.st_mtime_ns}

def _differing(description: Json, array: Array) -> list[str]:
    known = {kind: sum for kind, sum in description.get("checksums", {}).items() if kind in SUMS}
    return [kind for kind, sum in known.items() if SUMS[kind](array.tobytes("A")) != sum]

def read_sidecar(file: Name) -> Optional[Json]:
    """What NAME.npy.json says of NAME.npy; None if it is absent or of another array."""
    try:
        current = _parse(Path(f"{file}.json").read_bytes(), "sidecar/1")
    except FileNotFoundError:
        return None
    array, form, stamp = _described(file)
    fitting = [each for each in (current, current.get("previous")) if each and each["array"] == form
               and (each.get("checksums") or each.get("file", stamp) == stamp)]
    stamped = [each for each in fitting if each.get("file") == stamp]
    return stamped[0] if len(stamped) == 1 else next((each for each in fitting if not _differing(each, array)), None)

def verify_sidecar(file: Name) -> None:
    """Compares the data with the checksums of its sidecar."""
    described = read_sidecar(file)
    if described is None:
        raise FormatError(f"{file}: has no sidecar, or one of another array")
    if differing := _differing(described, _described(file)[0]):
        raise ChecksumError(f"{file}: {differing[0]} differs")

def write_sidecar(file: Name, metadata: Optional[Json] = None, sums: tuple[str, ...] = ("crc32c",)) -> None:
    """Describes NAME.npy in NAME.npy.json. Without `metadata`, that of the present sidecar is kept."""
    sidecar = Path(os.path.realpath(file) + ".json")
    with _replacing(file), _replacing(sidecar, like=file) as out:
        begin = sidecar.read_bytes()[:4096] if sidecar.exists() else b'{"ndkeep": "sidecar/'
        if sidecar.is_symlink() or not re.match(rb'\s*{\s*"ndkeep"\s*:\s*"sidecar/', begin):
            raise ConflictError(f"{sidecar}: is no sidecar; move it away")
        kept = metadata if metadata is not None else (read_sidecar(file) or {}).get("metadata", {})
        array, form, stamp = _described(file)
        out.write(_text({"ndkeep": "sidecar/1", "array": form, "file": stamp, "metadata": kept,
                         "checksums": {kind: SUMS[kind](array.tobytes("A")) for kind in sums}}) + b"\n")

# Checkpoints ----------------------------------------------------------------------------------------------------------
def load_checkpoint(file: Name) -> tuple[Json, Json]:
    """Position and states of a loop. If the checkpoint is damaged, a warning says so and the previous one is read."""
    try:
        return _checkpoint(file)
    except (zipfile.BadZipFile, EOFError) as problem:
        warnings.warn(f"{file}: {problem}; reading {file}.previous")
        return _checkpoint(f"{file}.previous")

def _checkpoint(file: Name) -> tuple[Json, Json]:
    with zipfile.ZipFile(file) as archive:
        if damaged := archive.testzip():
            raise zipfile.BadZipFile(f"{damaged} is damaged")
    with np.load(file) as members:
        def value(form: Json) -> Any:
            if "json" in form:
                return form["json"]
            if name := form.get("array", form.get("bytes")):
                return members[name]
            parts = {name: value(part) for name, part in form["parts"].items()}
            if "list" in form:
                return [parts[str(i)] for i in range(form["list"])]
            return {key: parts[str(i)] for i, key in enumerate(form["dictionary"])} if "dictionary" in form else parts
        document = _parse(members["state.json"], "loop/1")
        return document["position"], {name: value(form) for name, form in document["states"].items()}
