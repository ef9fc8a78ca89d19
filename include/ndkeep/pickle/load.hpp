// SPDX-License-Identifier: BSD-3-Clause
// Reading Python's pickles as trees, without running anything.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/pickle/options.hpp>
#include <ndkeep/tree/tree.hpp>
#include <ndkeep/version.hpp>

#include <concepts>
#include <cstddef>
#include <filesystem>
#include <span>
#include <type_traits>

namespace ndkeep::inline NDKEEP_ABI {

/// Reads a pickle of protocol 0 to 5 as `pickle.load` does, but runs nothing. A pickle is a program for Python; only
/// its operations that make plain values are carried out. Opening one cannot run code.
///
/// - None, bool, int, float, str: null, boolean, integer, real number, string
/// - int beyond 64 bits, Decimal, Path, time: string
/// - list, tuple, set, frozenset: list
/// - dict, OrderedDict, defaultdict: dictionary, in which keys that are not text become their text
/// - numpy.ndarray, NumPy scalars: array; an array of objects is a list, or lists of lists
/// - complex: array without axes, complex128
/// - datetime, date, timedelta: array without axes, datetime64[us] in UTC, datetime64[D], timedelta64[us]
/// - bytes, bytearray: array of uint8. A str of Python 2 that is UTF-8 is a string
/// - range, slice: dictionary of start, stop and step
/// - pandas Series: dictionary of "index", "values" and "name"; DataFrame: of "index" and "columns"; Index: array. An
///   Index with a name adds "index_name". The name of the axis of columns is lost
///
/// Elements of arrays from 64 KiB on stay in the file, which stays open while the tree or a copy of it exists. `as` and
/// `array` read them at each call; `map` maps them without a copy, if they are aligned in the file.
///
/// Also reads npy files of objects, such as `np.save` of a dict. Bytes after the pickle are ignored, as by Python.
/// @throws format_error    not a pickle, cut short, or with an object of another class: the error names it
/// @throws mismatch_error  a value that contains itself
/// @throws io_error        no such file, or it cannot be read
[[nodiscard]] tree load_pickle(const std::filesystem::path& file, const pickle_options& options = {});

/// Reads the bytes of a pickle in memory. Arrays copy what they need of them.
[[nodiscard]] tree load_pickle(std::span<const std::byte> bytes, const pickle_options& options = {});

namespace detail {

[[nodiscard]] any_array load_objects(const std::filesystem::path& file, const object_options& options);

}  // namespace detail

/// Reads an npy file of any dtype, and with `.pickles` also object arrays whose elements are alike:
/// `load_any("objects.npy", {.pickles = true})`. `load_pickle` reads others as a tree.
///
/// Numbers become bool, int64, uint64 or float64; text, Decimal and Path one dtype 'U'; bytes one dtype 'S'; dates and
/// times datetime64. Arrays and NumPy scalars of one dtype and shape keep them, behind the axes of the object array.
/// @throws mismatch_error  elements that have no common dtype: the error names the first
/// @throws format_error    not an npy file, or as by load_pickle
template <std::same_as<object_options> Options = object_options>
[[nodiscard]] any_array load_any(const std::filesystem::path& file, const std::type_identity_t<Options>& options) {
    return detail::load_objects(file, options);
}

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/pickle/detail/load.ipp>
#endif
