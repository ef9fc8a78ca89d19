#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the pickles in tests/data/pickles and expected.json: make_pickles.py [DIRECTORY].
With --seeds, writes the same values to that directory as many small files, from which the fuzz target begins.

Written with Python 3.11, NumPy 1.24 and pandas 1.5. What Python 2 would write is written by a pickler that has its
forms: str is bytes, an int has 64 bits, and modules have their old names. Every expected value is read back from the
file by pickle.loads. Nothing is random.

In expected.json null, true, integers, texts and lists are as they are in the tree. The others are objects: a real
number {"real": its 64 bits in hexadecimal}, a dictionary {"items": [[key, value], ...]}, an array {"descr", "shape",
"bytes" in hexadecimal}, with numbers in little-endian order unless they are fields.
"""
import collections
import datetime
import decimal
import io
import json
import math
import pathlib
import pickle
import struct
import sys
import warnings

import numpy as np
import pandas as pd

IS_SEEDS = "--seeds" in sys.argv
TESTS = pathlib.Path(__file__).resolve().parent.parent
OTHER = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
ROOT = pathlib.Path(OTHER[0]) if OTHER else TESTS / ("fuzz/corpus/pickle" if IS_SEEDS else "data/pickles")
CASES = []


# What a tree holds ----------------------------------------------------------------------------------------------------
def array(value):
    if value.dtype == object:
        return [expected(each) for each in value] if value.ndim else expected(value.item())
    value = np.asarray(value)  # of a matrix or a record array, too
    if value.dtype.names is None:
        value = value.astype(value.dtype.newbyteorder("<"))  # NumPy changes the order in some protocols
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a pickle gives times an empty dictionary of metadata
        descr = np.lib.format.dtype_to_descr(value.dtype)
    return {"descr": repr(descr), "shape": list(value.shape), "bytes": value.tobytes().hex()}


def key(value):
    if isinstance(value, bytes):
        return value.decode("utf-8")
    return value if isinstance(value, str) else str(value)


def dictionary(pairs):
    return {"items": [[key(name), expected(value)] for name, value in pairs]}


def index_name(value):
    return [] if value.index.name is None else [("index_name", value.index.name)]


def expected(value):
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and not isinstance(value, np.generic):
        return int(value) if -2**63 <= value < 2**64 else str(value)
    if isinstance(value, float) and not isinstance(value, np.generic):
        return {"real": struct.pack(">d", value).hex()}
    if isinstance(value, complex) and not isinstance(value, np.generic):
        return array(np.array(value, "<c16"))
    if isinstance(value, str) and not isinstance(value, np.generic):
        return value
    if isinstance(value, (Python2Text, bytearray)) or (isinstance(value, bytes) and not isinstance(value, np.generic)):
        if isinstance(value, Python2Text) and is_utf8(value):
            return value.decode("utf-8")
        return array(np.frombuffer(bytes(value), "u1"))
    if isinstance(value, (list, tuple, set, frozenset)):
        return [expected(each) for each in value]
    if isinstance(value, dict):
        return dictionary(value.items())
    if isinstance(value, pd.DataFrame):
        columns = [(str(name), value.iloc[:, i].to_numpy()) for i, name in enumerate(value.columns)]
        return dictionary([("index", value.index), *index_name(value), ("columns", dict(columns))])
    if isinstance(value, pd.Series):
        return dictionary([("index", value.index), *index_name(value), ("values", value.to_numpy()), ("name", value.name)])
    if isinstance(value, pd.Index):
        return array(value.to_numpy())
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return array(np.array(value, "<M8[us]"))
    if isinstance(value, datetime.date):
        return array(np.array(value, "<M8[D]"))
    if isinstance(value, datetime.timedelta):
        return array(np.array(value, "<m8[us]"))
    if isinstance(value, (datetime.time, decimal.Decimal, pathlib.PurePath)):
        return str(value)
    if isinstance(value, (range, slice)):
        return dictionary([("start", value.start), ("stop", value.stop), ("step", value.step)])
    if isinstance(value, np.dtype):
        return value.str
    if isinstance(value, (np.ndarray, np.generic)):
        return array(np.asanyarray(value))
    raise TypeError(type(value))


def is_utf8(value):
    try:
        value.decode("utf-8")
        return True
    except UnicodeDecodeError:
        return False


def text_of_python_2(value):
    """Marks the str of Python 2, which pickle.loads returns as bytes."""
    if isinstance(value, bytes):
        return Python2Text(value)
    if isinstance(value, list):
        return [text_of_python_2(each) for each in value]
    if isinstance(value, tuple):
        return tuple(text_of_python_2(each) for each in value)
    if isinstance(value, (dict, collections.OrderedDict)):
        return {name: text_of_python_2(each) for name, each in value.items()}
    return value


class Python2Text(bytes):
    pass


def add(name, content, **facts):
    (ROOT / (name + ".pkl")).write_bytes(content)
    for case in CASES:
        if case.get("value", ...) == facts.get("value"):
            case["files"].append(name + ".pkl")
            return
    CASES.append({"files": [name + ".pkl"], **facts})


def add_value(name, content, encoding="ASCII"):
    value = pickle.loads(content, encoding=encoding)
    add(name, content, value=expected(text_of_python_2(value) if encoding == "bytes" else value))


# Plain values ---------------------------------------------------------------------------------------------------------
shared = [1, "shared"]
KINDS = {
    "none": None,
    "booleans": [True, False],
    "integers": [0, 1, 255, 256, 65535, 65536, -1, 2**31 - 1, -2**31, 2**31, 2**63 - 1, -2**63, 2**63, 2**64 - 1],
    "large": [2**64, -2**63 - 1, 10**40, -10**40, 3**1000],
    "reals": [0.0, -0.0, 1.5, 1e300, 5e-324, 0.1, math.inf, -math.inf, 1e16, 123456789.125],
    "complex": [1 + 2j, complex(-0.0, math.inf)],
    "texts": ["", "plain", "größe", "\u20ac \U0001f600", "a\\b\nc\rd\x00e\x1a'\"", "\\u0041", "x" * 300],
    "bytes": [b"", b"plain", bytes(range(256)), b"y" * 300],
    "bytearrays": [bytearray(), bytearray(b"\x00\xff")],
    "lists": [[], [[]], [[1], [2, [3]]], list(range(5))],
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), ((), ((),))],
    "sets": [set(), {1}, frozenset(), frozenset([2])],
    "dictionaries": [{}, {"a": {"b": {}}}, {"x": 1, "y": [2]}],
    "keys": {1: "int", None: "none", True: "overwrites 1", 2.5: "real", b"raw": "bytes", (1, "a"): "pair", (7,): "one",
             2**70: "large", (): "empty", "text": 0},
    "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
    "default": collections.defaultdict(list, {"a": [1]}),
    "shared": [shared, shared, (shared,)],
    "datetimes": [datetime.datetime(2024, 2, 29, 23, 59, 58, 123456), datetime.datetime(1, 1, 1),
                  datetime.datetime(9999, 12, 31, 23, 59, 59, 999999), datetime.datetime(2024, 10, 27, 2, 30, fold=1),
                  datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc),
                  datetime.datetime(2024, 1, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=2))),
                  datetime.datetime(1969, 12, 31, 12, tzinfo=datetime.timezone(-datetime.timedelta(hours=9.5), "ACT"))],
    "dates": [datetime.date(1970, 1, 1), datetime.date(1, 1, 1), datetime.date(9999, 12, 31)],
    "times": [datetime.time(1, 2, 3), datetime.time(23, 59, 59, 7), datetime.time(2, 30, fold=1)],
    "durations": [datetime.timedelta(0), datetime.timedelta(-1, 5, 7), datetime.timedelta(100_000, 86399, 999999)],
    "decimals": [decimal.Decimal("1.50"), decimal.Decimal("-1E+40"), decimal.Decimal("NaN")],
    "paths": [pathlib.PurePosixPath("/data/x.npy"), pathlib.PurePosixPath("a/b"), pathlib.PurePosixPath("/"),
              pathlib.PosixPath("x"), pathlib.PureWindowsPath("c:\\x\\y")],
    "ranges": [range(5), range(10, -10, -3), slice(None), slice(1, None, 2)],
    "keys_of_numpy": {np.int64(5): 1, np.uint8(6): 2, np.float32(0.1): 3, np.str_("ab"): 4, np.bool_(True): 5,
                      np.float64(2): 6},
    "keys_of_dates": {datetime.date(2020, 1, 2): 1, datetime.datetime(2020, 1, 2, 3, 4, 5): 2,
                      datetime.datetime(1969, 12, 31, 23, 59, 59, 7): 3},
    "time_with_zone": datetime.time(1, 2, tzinfo=datetime.timezone(-datetime.timedelta(hours=5, minutes=30))),
    "path_of_nothing": pathlib.PurePosixPath("."),
    "dtype": np.dtype("f8"),
}


# Arrays ---------------------------------------------------------------------------------------------------------------
def filled(descr, shape=(2, 3)):
    """An array of any dtype, whose bytes count."""
    out = np.zeros(shape, descr)
    if out.dtype.kind == "U":
        out[...] = "aé€"[: out.dtype.itemsize // 4]
        return out
    raw = out.reshape(-1).view("u1") if not out.dtype.hasobject else None
    if out.dtype.kind == "b":
        raw[::2] = 1
    else:
        raw[:] = np.arange(raw.size) * 7 % 120
    return out


INNER = np.dtype([("x", "<f4"), ("flag", "i1")])
STRUCTS = {
    "plain": np.dtype([("id", "<i2"), ("value", "<f8")]),
    "nested": np.dtype([("kind", "i1"), ("at", INNER, 2), ("m", ">f8", (2, 3)), ("name", "S3"), ("when", "<M8[25us]")]),
    "aligned": np.dtype([("a", "i1"), ("b", "<f8"), ("c", "<i2")], align=True),
    "offsets": np.dtype({"names": ["a", "b"], "formats": ["<i2", "<U3"], "offsets": [4, 8], "itemsize": 24}),
    "titled": np.dtype({"names": ["a", "b"], "formats": ["<i2", "<f4"], "titles": ["first", None]}),
    "named": np.dtype([("größe", "<f8"), ("it's \"so\" \\", "?")]),
}
WORDS = ["?", "i1", "u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", ">i2", ">u4", ">i8", "<f2", "<f4", "<f8", "<f16",
         ">f2", ">f4", ">f8", "<c8", "<c16", "<c32", ">c16", "S1", "S5", "<U1", "<U3", ">U3", "V3", "<M8[ns]", "<M8[D]",
         "<M8[7us]", ">M8[s]", "<M8[Y]", "<m8[ms]", "<m8[15m]", "<m8", "<M8"]
big = np.arange(12, dtype="<i4").reshape(3, 4)
LAYOUTS = {
    "c": big,
    "fortran": np.asfortranarray(big),
    "fortran_3": np.asfortranarray(np.arange(24, dtype=">u2").reshape(2, 3, 4)),
    "scalar": np.array(2.5),
    "empty": np.zeros((0, 3), "<f4"),
    "empty_list": np.zeros(0),
    "every_other": np.arange(10.0)[::2],
    "backwards": np.arange(5, dtype="i1")[::-1],
    "slice": big[1:, ::2],
    "permuted": np.arange(6, dtype="<i2").reshape(1, 2, 3).transpose(1, 0, 2),
    "broadcast": np.broadcast_to(np.float32(1), (2, 2)),
    "many_axes": np.zeros([1] * 32, "?"),
    "read_only": np.frombuffer(b"abcdefgh", "<u4"),
}
SUBCLASSES = {
    "matrix": np.matrix([[1.0, 2.0], [3.0, 4.0]]),
    "records": np.rec.array([(1, 2.5), (3, 4.5)], dtype=[("a", "<i2"), ("b", "<f4")]),
    "record": np.rec.array([(1, 2.5), (3, 4.5)], dtype=[("a", "<i2"), ("b", "<f4")])[1],
}
OBJECTS = {
    "list": np.array([1, "two", None, 3.5], object),
    "square": np.array([[1, 2], ["a", [3, 4]]], object),
    "arrays": np.array([np.arange(3), {"a": np.float32(1)}, None], object),
    "scalar": np.array({"a": 1}, object),
    "empty": np.zeros((2, 0), object),
    "columns": np.array([[1, 2, 3], [4, 5, 6]], object).copy(order="F"),
}
NUMBERS = [np.bool_(True), np.int8(-1), np.uint64(2**64 - 1), np.float16(0.5), np.float32(1.5), np.float64(-0.0),
           np.complex64(1 + 2j), np.datetime64("2024-01-02T03:04:05", "ns"), np.timedelta64(5, "D"),
           np.datetime64("NaT"), np.str_("text"), np.bytes_(b"raw"), np.void(b"xyz"), filled(STRUCTS["plain"], 1)[0]]
same = np.arange(4, dtype="<i2")
ARRAYS = {
    "dtypes": {word: filled(word, 3) for word in WORDS},
    "structs": {name: filled(descr, 2) for name, descr in STRUCTS.items()},
    "layouts": LAYOUTS,
    "subclasses": SUBCLASSES,
    "objects": OBJECTS,
    "numbers": NUMBERS,
    "shared": [same, same, {"again": same}],
}


# As Python 2 writes it ------------------------------------------------------------------------------------------------
class Long(int):
    """A long of Python 2."""


class Python2Pickler(pickle._Pickler):
    dispatch = dict(pickle._Pickler.dispatch)

    def save_bytes(self, value):
        if self.proto == 0:
            self.write(b"S" + repr(value)[1:].encode("ascii") + b"\n")
        elif len(value) < 256:
            self.write(b"U" + bytes([len(value)]) + value)
        else:
            self.write(b"T" + struct.pack("<i", len(value)) + value)
        self.memoize(value)

    def save_int(self, value):
        if self.proto != 0 and -2**31 <= value < 2**31:
            return pickle._Pickler.save_long(self, value)
        self.write(b"I%d\n" % value)

    def save_wide(self, value):
        if self.proto < 2:
            self.write(b"L%dL\n" % value)
        else:
            encoded = pickle.encode_long(int(value))
            self.write(b"\x8a" + bytes([len(encoded)]) + encoded)

    dispatch[bytes] = save_bytes
    dispatch[int] = save_int
    dispatch[Long] = save_wide

    def reducer_override(self, value):
        if isinstance(value, np.dtype):
            made, (word, align, copy), state = value.__reduce__()
            return made, (word.encode(), int(align), int(copy)), ascii_of(state)
        if isinstance(value, np.ndarray):
            return value.__reduce__()
        if isinstance(value, decimal.Decimal):
            return decimal.Decimal, (str(value).encode(),)
        if isinstance(value, collections.OrderedDict):
            return collections.OrderedDict, ([list(pair) for pair in value.items()],)
        return NotImplemented


def ascii_of(value):
    if isinstance(value, str):
        return value.encode("ascii")
    if isinstance(value, tuple):
        return tuple(ascii_of(each) for each in value)
    if isinstance(value, dict) or hasattr(value, "items"):
        return {ascii_of(name): ascii_of(each) for name, each in value.items()}
    return value


def python_2(value, protocol):
    out = io.BytesIO()
    Python2Pickler(out, protocol).dump(value)
    return out.getvalue()


OLD = {
    b"none": None,
    b"booleans": [True, False],
    b"integers": [0, -1, 255, 65536, 2**31, 2**63 - 1, -2**63],
    b"longs": [Long(0), Long(5), Long(-2**63), Long(10**30), Long(-10**30)],
    b"reals": [0.5, -0.0, 1e300, math.inf, -math.inf],
    b"complex": 1 - 2j,
    b"texts": [b"plain", b"it's", b"\"both\" '", b"line\nbreak\\ \x00\x07\xff", "größe".encode(), b"z" * 300],
    b"unicode": ["plain", "größe \u20ac", "\U0001f600", "a\\u0041\nb"],
    b"tuple": (1, (), (2, 3), (1, 2, 3, 4)),
    b"set": [{1}, frozenset([2])],
    b"ordered": collections.OrderedDict([(b"b", 1), (b"a", 2)]),
    b"default": collections.defaultdict(list, {b"a": [1]}),
    b"when": [datetime.datetime(2014, 5, 6, 7, 8, 9, 10), datetime.date(2014, 5, 6), datetime.timedelta(1, 2, 3)],
    b"range": range(0, 10, 3),
    b"array": np.arange(6.0).reshape(2, 3),
    b"columns": np.asfortranarray(big),
    b"big_endian": np.arange(3, dtype=">i4"),
    b"words": np.array([b"ab", b"c"]),
    b"times": np.array(["2014-05-06", "NaT"], "<M8[D]"),
    b"objects": np.array([1, None, 2.5], object),
    b"scalars": [np.float64(1.5), np.int32(-3)],
    b"shared": [same, same],
}
# Python 3 reads these if it takes bytes for Latin-1.
OLD_LATIN = {b"struct": filled(STRUCTS["nested"], 2), b"decimal": decimal.Decimal("2.50")}


# As NumPy 2 writes it -------------------------------------------------------------------------------------------------
def numpy_2(value, protocol):
    usual = pickle.whichmodule

    def module(of, name):
        found = usual(of, name)
        return found.replace("numpy.core", "numpy._core", 1) if found.startswith("numpy.core") else found

    pickle.whichmodule = module
    try:
        out = io.BytesIO()
        pickle._Pickler(out, protocol).dump(value)
        return out.getvalue()
    finally:
        pickle.whichmodule = usual


for part in ("", ".multiarray", ".numeric"):
    sys.modules["numpy._core" + part] = sys.modules["numpy.core" + part]
NEW = {"array": np.arange(3.0), "columns": np.asfortranarray(big), "strided": np.arange(6, dtype="<i2")[::2],
       "scalar": np.float32(1.5), "objects": np.array([1, None], object), "struct": filled(STRUCTS["nested"], 2)}


# pandas ---------------------------------------------------------------------------------------------------------------
days = pd.date_range("2024-01-01", periods=3, freq="D")
PANDAS = {
    "series": pd.Series([1.5, 2.5, 4.0], name="v"),
    "series_text": pd.Series(["a", None, "c"], index=["x", "y", "z"]),
    "series_times": pd.Series(days, index=[2, 4, 6]),
    "series_durations": pd.Series(pd.to_timedelta([1, 2, 3], unit="s"), index=days),
    "frame": pd.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5], "c": ["x", "y", None], "d": [4, 5, 6],
                           "e": [True, False, True], "f": np.array([1, 2, 3], "<f4"), "when": days}),
    "frame_times": pd.DataFrame({"a": [1.0, 2.0, 3.0]}, index=days),
    "frame_numbered": pd.DataFrame(np.arange(6.0).reshape(2, 3)),
    "frame_empty": pd.DataFrame({"a": np.zeros(0), "b": np.zeros(0, "<i8")}),
    "index_int": pd.Index([3, 1, 2]),
    "index_real": pd.Index([0.5, 1.5]),
    "index_text": pd.Index(["a", "b"]),
    "index_days": days,
    "index_durations": pd.to_timedelta([5, 7], unit="s"),
    "index_range": pd.RangeIndex(3, 12, 4),
    "index_backwards": pd.RangeIndex(5, 0, -2),
}
scattered = pd.DataFrame({"a": [1.0, 2.0]})
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    for each in "bcd":
        scattered[each] = [ord(each), 0.5]  # a block of its own
PANDAS["frame_scattered"] = scattered
square = np.arange(4.0).reshape(2, 2)
PANDAS |= {
    "frame_years": pd.DataFrame({2019: [1, 2], 2020: [3, 4]}),
    "frame_swapped": pd.DataFrame(square, columns=[1, 0]),
    "frame_by_day": pd.DataFrame(square, columns=days[:2]),
    "frame_by_part": pd.DataFrame(square, columns=[0.5, 1e30]),
    "frame_of_labels": pd.DataFrame(np.arange(10.0).reshape(2, 5),
                                    columns=pd.Index(["x", np.int64(7), None, datetime.date(2024, 1, 2), (1, "a")],
                                                     dtype=object, tupleize_cols=False)),
    "frame_named": pd.DataFrame({"a": [1, 2]}, index=pd.Index([5, 6], name="time")),
    "series_named": pd.Series([1, 2], index=pd.Index(["a", "b"], name="key"), name=3),
}
two_levels = pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])
REFUSED = {
    "multi_index": (pd.Series([1, 2], index=two_levels), "pandas.core.indexes.multi.MultiIndex"),
    "categorical": (pd.Series(["a", "b", "a"], dtype="category"), "pandas.core.dtypes.dtypes.CategoricalDtype"),
    "masked": (np.ma.array([1, 2, 3], mask=[0, 1, 0]), "numpy.ma.core._mareconstruct"),
    "fraction": (__import__("fractions").Fraction(1, 2), "fractions.Fraction"),
    "function": (math.sqrt, "math.sqrt"),
}


def seeds():
    ROOT.mkdir(parents=True, exist_ok=True)
    groups = [(KINDS, range(6)), (LAYOUTS, (5,)), (STRUCTS, (0, 4)), (OBJECTS, (1, 3)), (SUBCLASSES, (2,)),
              (PANDAS, (4,)), ({"number": NUMBERS, "shared_arrays": ARRAYS["shared"]}, (2, 5))]
    turn = 0
    for values, protocols in groups:
        for name, value in values.items():
            protocol = protocols[turn % len(protocols)]
            value = filled(value, 2) if isinstance(value, np.dtype) else value
            (ROOT / f"{name}_{protocol}.pkl").write_bytes(pickle.dumps(value, protocol))
            turn += 1
    for protocol in range(3):
        (ROOT / f"python2_{protocol}.pkl").write_bytes(python_2(OLD, protocol))
    for word in ("?", ">i2", "<f8", ">U3", "<M8[7us]", "V3"):
        (ROOT / f"dtype_{WORDS.index(word)}.pkl").write_bytes(pickle.dumps(filled(word, 2), 4))
    for name, (value, _) in REFUSED.items():
        (ROOT / f"refused_{name}.pkl").write_bytes(pickle.dumps(value, 4))


def object_arrays():
    """npy files of objects, which tests/pickle/objects.cpp reads."""
    stacked = np.empty(2, object)
    stacked[0], stacked[1] = np.arange(3.0), np.full(3, 7.0)
    return {
        "integers": np.array([[1, 2, 3], [4, 5, -6]], object),
        "numbers": np.array([1, 2.5, True and 3], object),
        "large": np.array([1, 2**63], object),
        "flags": np.array([True, False], object),
        "texts": np.array(["a", "h\u00e9llo", "\U0001f600"], object),
        "times": np.array([datetime.datetime(2020, 1, 2, 3, 4, 5, 6), datetime.datetime(1969, 12, 31)], object),
        "stacked": stacked,
        "mixed": np.array([1, "x"], object),
        "none": np.array([None, 1], object),
        "huge": np.array([1, 2**64], object),
        "bytes": np.array([b"ab", b"c", b""], object),
        "scalars": np.array([np.float32(1), 2.5, np.int8(-3), True], object),
        "texts_of_numpy": np.array([np.str_("ab"), np.str_("c"), "def"], object),
        "float32": np.array([np.float32(1), np.float32(2.5)], object),
        "empty": np.empty((0, 3), object),
        "dictionary": {"a": np.arange(3), "b": "text"},
    }


def main():
    ROOT.mkdir(parents=True, exist_ok=True)
    for name, value in object_arrays().items():
        np.save(ROOT / f"objects_{name}.npy", value, allow_pickle=True)
    with open(ROOT / "several.pkl", "wb") as file:
        for value in (1, [2], {"three": 3}):
            pickle.dump(value, file)
    for protocol in range(6):
        add_value(f"kinds_{protocol}", pickle.dumps(KINDS, protocol))
        add_value(f"arrays_{protocol}", pickle.dumps(ARRAYS, protocol))
    for protocol in range(3):
        add_value(f"python2_kinds_{protocol}", python_2(OLD, protocol), encoding="bytes")
        add_value(f"python2_latin_{protocol}", python_2(OLD_LATIN, protocol), encoding="latin1")
    for protocol in range(2, 6):
        add_value(f"numpy2_{protocol}", numpy_2(NEW, protocol))
    for protocol in (2, 4, 5):
        add_value(f"pandas_{protocol}", pickle.dumps(PANDAS, protocol))
    add_value("lone_surrogate", pickle.dumps(["\ud800", {"\udc00": 1}], 4))
    for name, (value, named) in REFUSED.items():
        add("refused_" + name, pickle.dumps(value, 4), error=named)
    # One line for each value, so that differences are readable.
    (ROOT / "expected.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in CASES) + "\n]\n")


seeds() if IS_SEEDS else main()
