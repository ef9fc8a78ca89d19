#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the golden files and golden.json: make_golden.py [DIRECTORY].

NumPy writes what it can write, bytes are put together by hand where a file is of another program or broken. Every
fact in golden.json is read back from NumPy. Nothing is random, so that NumPy 1.24 and later write the same bytes.
"""
import hashlib
import io
import json
import pathlib
import sys
import warnings

import numpy as np

ROOT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent
CASES = []


def saved(array, version=None):
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.lib.format.write_array(out, array, version=version)
    return out.getvalue()


def by_hand(text, data=b"", version=(1, 0), magic=b"\x93NUMPY", length=None, align=64):
    """A file around this header text; `length` is what it claims to be long."""
    width = 2 if version[0] == 1 else 4
    text = text.encode("utf-8" if version[0] == 3 else "latin-1")
    text += b" " * (-(9 + width + len(text)) % align) + b"\n"
    count = len(text) if length is None else length
    return magic + bytes(version) + count.to_bytes(width, "little") + text + data


def header(descr="'<i2'", order="False", shape="(2, 3)"):
    return "{'descr': %s, 'fortran_order': %s, 'shape': %s, }" % (descr, order, shape)


def packed(array):
    """Elements in row-major order, little endian, without padding."""
    kind = array.dtype
    if kind.names is None:
        if not kind.itemsize:
            return [b""] * array.size
        flat = np.ascontiguousarray(array).reshape(-1)
        if kind.byteorder == ">":
            flat = flat.byteswap()
        data = flat.tobytes()
        return [data[i:i + kind.itemsize] for i in range(0, len(data), kind.itemsize)]
    rows = [b""] * array.size
    for name in sorted(kind.names, key=lambda n: kind.fields[n][1]):
        column = packed(np.ascontiguousarray(array).reshape(-1)[name])
        per = len(column) // array.size if array.size else 0
        rows = [row + b"".join(column[i * per:(i + 1) * per]) for i, row in enumerate(rows)]
    return rows


def plain(value):
    return [plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def facts(blob, **limit):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        array = np.load(io.BytesIO(blob), **limit)
        stream = io.BytesIO(blob)
        version = np.lib.format.read_magic(stream)
        read = getattr(np.lib.format, "_read_array_header", None) or np.lib._format_impl._read_array_header
        _, column_major, dtype = read(stream, version, **limit)
    assert dtype == array.dtype
    return {
        "descr": plain(np.lib.format.dtype_to_descr(dtype)),
        "shape": list(array.shape),
        "fortran_order": column_major,
        "version": list(version),
        "data_offset": stream.tell(),
        "sha256": hashlib.sha256(b"".join(packed(array))).hexdigest(),
    }


def write(name, blob):
    path = ROOT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(blob)


def good(name, content, version=None):
    """A file that loads; an array is written by NumPy, which must then be possible to do again byte for byte."""
    blob = saved(content, version) if isinstance(content, np.ndarray) else content
    write("good/%s.npy" % name, blob)
    CASES.append({"file": "good/%s.npy" % name, "expect": "ok", **facts(blob),
                  "np_save_identical": isinstance(content, np.ndarray)})


def bad(name, error, field, blob, **more):
    """A file to be refused. `field` is what the error is about."""
    write("bad/%s.npy" % name, blob)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            np.load(io.BytesIO(blob))
    except Exception:
        CASES.append({"file": "bad/%s.npy" % name, "expect": "error", "error": error, "field": field, **more})
        return
    raise AssertionError("NumPy reads " + name)


def counted(dtype, *shape):
    """1, 2, 3, … in this dtype."""
    return (np.arange(np.prod(shape, dtype=int)) + 1).astype(dtype).reshape(shape)


def filled(dtype, *shape):
    """A structured array whose every byte of data is told from its neighbours, with zeros for padding."""
    array = np.zeros(shape, np.dtype(dtype))
    step = [0]

    def fill(view):
        if view.dtype.names is not None:
            for name in view.dtype.names:
                fill(view[name])
            return
        step[0] += 7
        view[...] = (np.arange(view.size) + step[0]).astype(view.dtype).reshape(view.shape)

    fill(array)
    return array


# Numbers: native, foreign, both orders --------------------------------------------------------------------------------
good("bool", np.array([True, False, True]))
for kind in ("i1", "<i2", "<u4", "<i8", "<f2", "<f4", "<c8"):
    good("plain_" + kind.strip("<"), counted(kind, 2, 3))
for kind in (">u2", ">f8", ">c16"):
    good("foreign_" + kind.strip(">"), counted(kind, 2, 3))
good("column_major", np.asfortranarray(counted("<f8", 3, 4)))
good("column_major_foreign", np.asfortranarray(counted(">i8", 2, 3, 2)))
EXTENDED = [(0x3FFF, 1 << 63), (0xC000, 5 << 61), (0x7FFF, 1 << 63)]  # 1, -2.5 and infinity as x87 has them
good("long_double", np.frombuffer(b"".join(m.to_bytes(8, "little") + e.to_bytes(8, "little") for e, m in EXTENDED),
                                  "<f16"))
good("special", np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, 1.7976931348623157e308]))

# Shapes ---------------------------------------------------------------------------------------------------------------
good("scalar", np.array(42.5))
good("empty", np.zeros((3, 0, 2), "<i4"))
good("four_axes", counted("<i2", 2, 1, 3, 2))

# Text, bytes and dates ------------------------------------------------------------------------------------------------
good("bytes_5", np.array([b"plain", b"a\0b", b"", b"\xff\xfe"], "S5"))
good("text_4", np.array(["na\u00efv", "\U0001f600!", "", "\u6574\u5f62"], "<U4"))
good("text_4_foreign", np.array(["na\u00efv", "\U0001f600!", "", "\u6574\u5f62"], ">U4"))
good("opaque_3", np.frombuffer(bytes(range(12)), "V3"))
good("no_bytes", np.ndarray((3,), "S0"))
good("times_ns", np.array([0, 1732098000123456789, -1, -2 ** 63], "<i8").view("<M8[ns]"))
good("days", np.array([0, 20412, -719162], "<i8").view("<M8[D]"))
good("spans_25s_foreign", np.array([1, -1, 2 ** 40], ">i8").view(">m8[25s]"))

# Structs --------------------------------------------------------------------------------------------------------------
TRADE = [("time", "<i8"), ("price", "<f8"), ("size", "<i4")]
good("struct_packed", filled(TRADE, 3))
good("struct_padded", filled(np.dtype(TRADE, align=True), 3))
good("struct_reordered_foreign", filled([("size", ">i4"), ("time", ">i8"), ("price", ">f8")], 3))
good("struct_column_major", np.asfortranarray(filled([("x", "<i4"), ("y", ">f4")], 2, 3)))
good("struct_nested", filled([("id", "u1"), ("at", [("x", "<f4"), ("y", "<f4")], (2,)), ("m", "<i2", (2, 3))], 2))
good("struct_offsets", filled(np.dtype({"names": ["p", "q"], "formats": ["<i4", "<f4"], "offsets": [2, 9],
                                        "itemsize": 16}), 2))
good("struct_titles", filled([(("in kelvin", "t"), "<f8"), (("in hPa", "p"), "<f4")], 2))
good("struct_odd_names", filled([("a b", "<i4"), ("it's", "u1"), ('q"', "u1"), ("'shape': (9,)", "u1")], 2))
good("struct_latin1_names", filled([("\u00e9t\u00e9", "<i4")], 2))
good("struct_unicode_names", filled([("\u6574\u5f62", "<i4"), ("n", "<f4")], 2))

# Versions, and other programs -----------------------------------------------------------------------------------------
good("version_2", counted("<i4", 3), (2, 0))
good("version_3", np.asfortranarray(counted("<i4", 2, 3)), (3, 0))
DATA = counted("<i2", 2, 3).tobytes()
good("other_quotes", by_hand('{"shape": (2, 3), "fortran_order": False, "descr": "<i2"}', DATA))
good("other_python2", by_hand(header(shape="(2L, 3L)"), DATA, align=16))
good("other_misaligned", by_hand(header() + " ", DATA, align=1))
good("other_tail", by_hand(header(), DATA + b"of no concern"))

# Broken ---------------------------------------------------------------------------------------------------------------
bad("nothing", "magic", "magic", b"")
bad("magic", "magic", "magic", by_hand(header(), DATA, magic=b"\x93NUMPX"))
bad("magic_only", "version", "version", b"\x93NUMPY\1")
bad("version_1_1", "version", "version", by_hand(header(), DATA, version=(1, 1)))
bad("version_4", "version", "version", by_hand(header(), DATA, version=(4, 0)))
bad("header_cut", "truncated", "header length", by_hand(header(), DATA)[:90])
bad("header_of_4_gib", "truncated", "header length", by_hand(header(), DATA, version=(2, 0), length=0xFFFFFFF0))
bad("header_blank", "header", "header", by_hand("", DATA))
bad("header_call", "header", "header", by_hand("dict(descr='<i2', fortran_order=False, shape=(2, 3))", DATA))
bad("header_not_utf8", "encoding", "header", by_hand(header(), DATA, version=(3, 0)).replace(b"'<i2'", b"'<i\xff'"))
bad("header_long", "limit", "header length", by_hand(header() + " " * 10000, DATA), ok_with={"max_header_size": 20000},
    if_allowed=facts(by_hand(header() + " " * 10000, DATA), max_header_size=20000))
bad("key_missing", "keys", "key 'fortran_order'", by_hand("{'descr': '<i2', 'shape': (2, 3), }", DATA))
bad("key_unknown", "keys", "key", by_hand(header()[:-1] + "'units': 'K'}", DATA))
bad("shape_list", "shape", "shape", by_hand(header(shape="[2, 3]"), DATA))
bad("shape_negative", "shape", "shape", by_hand(header(shape="(-2, 3)"), DATA))
bad("shape_wraps", "overflow", "shape", by_hand(header(shape="(4294967296, 4294967296)"), DATA))
bad("shape_beyond_64_bits", "overflow", "shape", by_hand(header(shape="(18446744073709551617, 6)"), DATA))
bad("order_number", "fortran_order", "fortran_order", by_hand(header(order="0"), DATA))
bad("descr_unknown", "descr", "descr", by_hand(header("'<x4'"), DATA))
bad("descr_twice", "descr", "descr", by_hand(header("[('a', '|i1'), ('a', '|i1')]"), DATA))
bad("object", "object", "descr", by_hand(header("'|O'"), b"\x80\x04N."))
bad("object_field", "object", "descr", by_hand(header("[('a', '<i2'), ('b', '|O')]"), b"\x80\x04N."))
bad("data_none", "truncated", "data", by_hand(header()))
bad("data_cut", "truncated", "data", by_hand(header(), DATA[:-1]))
bad("data_claimed", "truncated", "data", by_hand(header(shape="(1000000, 1000000)"), DATA))

(ROOT / "golden.json").write_text(
    "[\n" + ",\n".join(json.dumps(case) for case in CASES) + "\n]\n", encoding="ascii")
