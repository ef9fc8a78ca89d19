#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the seeds of the fuzz targets that NumPy, zipfile or a text make: make_seeds.py [DIRECTORY], or corpus/.

A fuzzer begins with these files and changes them; the tests read them as they are. Nothing is random.
"""
import io
import pathlib
import struct
import sys
import warnings
import zipfile

import numpy as np

ROOT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent / "corpus"
EPOCH = (1980, 1, 1, 0, 0, 0)


def write(folder, name, content):
    path = ROOT / folder
    path.mkdir(parents=True, exist_ok=True)
    (path / name).write_bytes(content)


def npy(array, version=None):
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.lib.format.write_array(out, np.asanyarray(array), version=version)
    return out.getvalue()


def only_header(array, version=None):
    whole = npy(array, version)
    width = 2 if whole[6] == 1 else 4
    return whole[: 8 + width + int.from_bytes(whole[8 : 8 + width], "little")]


def by_hand(text, version=1):
    width = 2 if version == 1 else 4
    text = text.encode("latin-1")
    return b"\x93NUMPY" + bytes([version, 0]) + len(text).to_bytes(width, "little") + text


# Headers --------------------------------------------------------------------------------------------------------------
inner = np.dtype([("x", "<f4"), ("flag", "i1")], align=True)
outer = np.dtype([("kind", "i1"), ("at", inner, 2), ("m", ">f8", (2, 3)), ("name", "S3"), ("when", "<M8[25us]")])
titled = np.dtype({"names": ["a", "b"], "formats": ["<i2", "<U3"], "offsets": [4, 8], "titles": ["first", "second"],
                   "itemsize": 24})
HEADERS = {
    "plain": only_header(np.zeros((2, 3))),
    "columns": only_header(np.zeros((2, 3), order="F")),
    "scalar": only_header(np.float32(1)),
    "many_axes": only_header(np.zeros([1] * 32, "?")),
    "big_endian": only_header(np.zeros(3, ">c16")),
    "times": only_header(np.zeros(3, "M8[ns]")),
    "spans": only_header(np.zeros(3, "m8[15m]")),
    "text": only_header(np.zeros(3, "<U7")),
    "struct": only_header(np.zeros(3, outer)),
    "titled": only_header(np.zeros(3, titled)),
    "version_2": only_header(np.zeros(3), (2, 0)),
    "version_3": only_header(np.zeros(3, [("größe", "f8")]), (3, 0)),
    "object": only_header(np.array([None])),
    "tight": by_hand("{'descr':'<f8','fortran_order':False,'shape':(3,)}"),
    "python_2": by_hand("{'descr': '<i4', 'fortran_order': False, 'shape': (3L, 4L), }\n"),
    "odd": by_hand('{"shape": (0x10, 1_0,), "fortran_order": (True), u\'descr\': b\'<i\' \'4\'}  # a comment\n'),
    "sub_array": by_hand("{'descr': [('a', ('<f8', (2,)), (3,)), ('', '|V2')], 'fortran_order': False, 'shape': ()}"),
}


# Archives -------------------------------------------------------------------------------------------------------------
def savez(save=np.savez, **arrays):
    out = io.BytesIO()
    save(out, **arrays)
    return out.getvalue()


def archive(members, method=zipfile.ZIP_STORED, comment=b"", out=None, **how):
    out = io.BytesIO() if out is None else out
    with zipfile.ZipFile(out, "a", method) as file:
        for name, content in members:
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = method
            with file.open(info, "w", **how) as member:
                member.write(content)
        file.comment = comment
    return out.getvalue()


class Pipe(io.RawIOBase):
    """A stream that cannot seek, so that zipfile puts sizes behind the data."""

    def __init__(self):
        super().__init__()
        self.content = b""

    def writable(self):
        return True

    def write(self, some):
        self.content += bytes(some)
        return len(some)


def to_a_pipe(members, method):
    out = Pipe()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, content in members:
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = method
            file.writestr(info, content)
    return out.content


def aligned(name, content):
    """One stored member whose data begins at byte 64, as ndkeep writes it."""
    whole = archive([(name, content)])
    pad = 64 - 30 - len(name)
    extra = struct.pack("<HHH", 0xD935, pad - 4, 64) + bytes(pad - 6)
    local = whole[:28] + struct.pack("<H", pad) + whole[30 : 30 + len(name)] + extra
    end = whole.rindex(b"PK\5\6")
    begin = struct.unpack("<I", whole[end + 16 : end + 20])[0]
    return (local + whole[30 + len(name) : end + 16] + struct.pack("<I", begin + pad) + whole[end + 20 :])


small = np.arange(6, dtype="i4").reshape(2, 3)
wide = np.tile(np.arange(64, dtype="u1"), 64)
two = [("a.npy", npy(small)), ("b.npy", npy(small.astype("f8", order="F")))]
twice = io.BytesIO(archive(two))
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    archive([("a.npy", npy(small + 1))], out=twice)
META = b'{"run": 7, "ndkeep": {"checksums": {"a": {"crc32": "00000000", "md5": "x"}}}, "n": [1, 2.5e3, null, "\\u00e4"]}\n'
ARCHIVES = {
    "stored": savez(a=small, b=np.float32(2)),
    "compressed": savez(np.savez_compressed, a=small, wide=wide),
    "columns": archive([("c.npy", npy(np.asfortranarray(small)))]),
    "empty": archive([]),
    "commented": archive(two, comment=b"as measured"),
    "prefixed": b"#!/bin/sh\nexit\n" + archive(two),
    "zip64": archive(two, force_zip64=True),
    "zip64_deflated": archive(two, zipfile.ZIP_DEFLATED, force_zip64=True),
    "pipe": to_a_pipe(two, zipfile.ZIP_STORED),
    "pipe_deflated": to_a_pipe(two, zipfile.ZIP_DEFLATED),
    "bzip2": archive(two, zipfile.ZIP_BZIP2),
    "lzma": archive(two, zipfile.ZIP_LZMA),
    "twice": twice.getvalue(),
    "metadata": archive(two + [("metadata.json", META)]),
    "metadata_deflated": archive(two + [("metadata.json", META)], zipfile.ZIP_DEFLATED),
    "names": archive([("größe.npy", npy(small)), ("folder/x", b"text"), ("folder/", b"")]),
    "struct": archive([("s.npy", npy(np.zeros(2, outer)))], zipfile.ZIP_DEFLATED),
    "trailing": archive([("t.npy", npy(small) + b"behind")]),
    "aligned": aligned("a.npy", npy(small)),
}


# Files ----------------------------------------------------------------------------------------------------------------
FILES = {
    "columns": npy(np.asfortranarray(small)),
    "scalar": npy(np.float32(1)),
    "booleans": only_header(np.zeros(3, "?")) + b"\0\1\2",
    "big_endian": npy(np.arange(3, dtype=">c8")),
    "empty": npy(np.zeros((0, 4))),
    "no_bytes": by_hand("{'descr': '|V0', 'fortran_order': False, 'shape': (9,)}"),
    "trailing": npy(small) + b"behind",
    "cut": npy(small)[:-1],
    "version_3": npy(np.zeros(2, [("größe", "f8")]), (3, 0)),
}


# Text -----------------------------------------------------------------------------------------------------------------
CSV = {
    "reals": "<f8\n1,2.5\n-inf,nan\n 1e-300 ,+4\n",
    "halves": "<f2\n1\n65504\n-0\n",
    "integers": ">i2\n1, 2\n-3, 4\n",
    "unsigned": "|u1\n255\n0\n",
    "booleans": "|b1\nTrue,0\nfalse,1\n",
    "complex": "<c8\n(1+2j)\n3j\n-1\n",
    "text": "<U4\na\n\"b,\"\"c\"\n\"\n\"\n\u00e4\n",
    "bytes": "|S3\nabc,\"\"\n d ,\" e\"\n",
    "struct": "[('a', '<i4'), ('b', '<f4', (2,)), ('c', '|S2')]\na,b[0],b[1],c\n1,2,3,x\n4,5,6,\"y\"\n",
    "nameless": "[('a', '<i4'), ('b', '<f4')]\n1,2\n",
    "nothing": "<f8\n",
    "uneven": "<f8\n1,2\n3\n",
    "guessed": "\n1,2.5\n-inf,nan\n",
    "guessed_dates": "\n2010-01-02,2010-01\nNaT,-0044-03-15\n",
    "guessed_columns": "\nid,note\n1,\"a b\"\n,\n",
    "guessed_unsigned": "\n1,18446744073709551615\n",
    "dates": "<M8[7D]\n1970-01-08\nNaT\n",
    "mark": "<i4\n\ufeff1\r\n2\r\n",
}
SLICES = {
    "plain": "2 3 4\n[0, 1:3, ::2]",
    "dots": "2 3 4\n[..., -1]",
    "backwards": "10\n[::-3]",
    "far": "9223372036854775807\n[-9223372036854775808:9223372036854775807:9223372036854775807]",
    "huge": "5\n[99999999999999999999::-99999999999999999999]",
    "empty_axis": "0 3\n[:, 2]",
    "comma": "4\n[ +1 , ]",
    "beyond": "4\n[4]",
}
SIDECARS = {
    "previous": """{"ndkeep": "sidecar/1",
  "array": {"dtype": "<f8", "shape": [3], "order": "C", "nbytes": 24}, "checksums": {"md5": "x"},
  "statistics": {"count": 3, "nan": 1, "min": -1, "max": "Infinity", "mean": [0.5, "NaN"], "std": 0},
  "file": {"size": 152, "mtime_ns": -1}, "metadata": {"list": ["NaN", "NaN"]},
  "previous": {"array": {"dtype": "<f8", "shape": [2], "order": "F", "nbytes": 16}, "metadata": {"low": "-Infinity"}},
  "nonfinite": ["/statistics/max", "/statistics/mean/1", "/metadata/list/0", "/previous/metadata/low"]}
""",
}
TREES = {
    "old": """{"ndkeep": "tree/1", "tree": {"a": null, "b": ["NaN", null]},
  "arrays": [[["a"], "a.npy"], [["b", 1], "b/1.npy"]], "nonfinite": [[["b", 0], "NaN"]]}""",
}


def number(value):
    return value.to_bytes(8, "little")


def text(value):
    return number(len(value)) + value.encode()


def change(name, end=0, images=(), tail=(0, 0), made_as="", sidecar=None, removed=False):
    """What a commit does to one array: see include/ndkeep/database/README.md."""
    flags = (1 if removed else 0) | (0 if sidecar is None else 2)
    runs = b"".join(number(first) + number(last) for first, last in images)
    return b"".join((text(name), number(0), number(flags), text(made_as), number(end), number(tail[0]), number(tail[1]),
                     number(0), text(sidecar or ""), number(len(images)), runs))


def logged(array, changes, payload=b"", documents=()):
    table = number(1) + number(len(changes)) + b"".join(changes) + number(len(documents))
    table += b"".join(text(name) + text(content) for name, content in documents)
    return b"\n====\n".join((array, table, payload))


SMALL = npy(np.arange(4.0))
LONGER = npy(np.arange(6.0))
LOGS = {
    "changed": logged(SMALL, [change("a", 160, [(0, 160)])], npy(np.arange(4.0) + 1)),
    "longer": logged(SMALL + bytes(16), [change("a", 176, [(0, 176)], (160, 176), sidecar="")], LONGER),
    "removed": logged(SMALL, [change("a", removed=True)]),
    "created": logged(b"", [change("b", 160, [(0, 160)], made_as="new-1")], SMALL),
    "document": logged(SMALL, [], documents=[("loop-a.npz", "x")]),
    "behind_the_end": logged(SMALL, [change("a", 160, [(4096, 4256)])], SMALL),
}


def main():
    for folder, suffix, files in (
        ("npy_header", ".npy", HEADERS),
        ("npy_file", ".npy", FILES),
        ("zip", ".npz", ARCHIVES),
        ("npz_append", ".npz", {name: ARCHIVES[name] for name in ("commented", "prefixed", "pipe", "twice", "zip64")}),
        ("database_log", ".bin", LOGS),
        ("csv", ".txt", CSV),
        ("slices", ".txt", SLICES),
        ("sidecar", ".json", SIDECARS),
        ("tree_json", ".json", TREES),
    ):
        for name, content in files.items():
            write(folder, name + suffix, content.encode() if isinstance(content, str) else content)


main()
