// SPDX-License-Identifier: BSD-3-Clause
// Loading npy files and headerless files into arrays in memory.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/extents.hpp>
#include <ndkeep/array/reader.hpp>
#include <ndkeep/array/tags.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/bytes/source.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/order.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/npy/inspect.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Options of `load` and `load_any`, and of the readers of archives and trees.
struct load_options {
    limits limit = {};
    run_options run = {};
    std::size_t array = 0;  ///< npy: which array of a file that holds several; `inspect_all` lists them
};

/// How to read a headerless file. Without a shape, the result has one axis with all elements of the file.
template <std::size_t N = any_rank>
struct raw_options {
    extents<N> shape = {};     ///< in braces, `{100, 3}`; without it one axis
    std::uint64_t offset = 0;  ///< bytes before the first element; need not be aligned
    run_options run = {};
};

/// Reads an npy file into an `xt::xarray<T>`, or an `xt::xtensor<T, N>`, in row-major order and native byte order.
///
/// Fields of structs are matched by name; their order and padding in the file may differ. With the tag `column_major`
/// the result is a column-major container. The order of the file need not be that of the result.
///
/// Dates and durations of another time unit are cast, and rounded down as by NumPy's astype. Those in fields of structs
/// are not.
/// @throws mismatch_error  another dtype or rank; a date or duration exceeds 64 bits in the unit of T
/// @throws format_error    not an npy file, cut short, or beyond a limit
/// @throws io_error        no such file, or it cannot be read
template <element T, std::size_t N = any_rank>
[[nodiscard]] auto load(const std::filesystem::path& file, const load_options& options = {});
template <element T, std::size_t N = any_rank, order_tag Order>
[[nodiscard]] auto load(const std::filesystem::path& file, Order, const load_options& options = {});

/// Reads an npy file into an array of another library, `load<Eigen::MatrixXd>(file)`, or a vector with one dimension.
/// The elements are read to their places in its memory; the order of the file need not be that of the array.
/// @throws mismatch_error, format_error, io_error  as above; a shape that A cannot have is a mismatch
template <loadable_array A>
[[nodiscard]] A load(const std::filesystem::path& file, const load_options& options = {});

/// Reads the bytes of an npy file in memory, which need not be aligned.
template <element T, std::size_t N = any_rank>
[[nodiscard]] auto load(std::span<const std::byte> bytes, const load_options& options = {});
template <element T, std::size_t N = any_rank, order_tag Order>
[[nodiscard]] auto load(std::span<const std::byte> bytes, Order, const load_options& options = {});
template <loadable_array A>
[[nodiscard]] A load(std::span<const std::byte> bytes, const load_options& options = {});

/// Reads an npy file of any dtype, whose elements keep the byte order of the file. See `visit` for what to do with it.
[[nodiscard]] any_array load_any(const std::filesystem::path& file, const load_options& options = {});
[[nodiscard]] any_array load_any(std::span<const std::byte> bytes, const load_options& options = {});

/// Reads a headerless file in native byte order, as numpy.fromfile and numpy.memmap do.
/// @throws format_error  empty; too small for the shape; or, without a shape, not a multiple of the element size
template <element T, std::size_t N = any_rank>
[[nodiscard]] auto load_raw(const std::filesystem::path& file, const raw_options<N>& options = {});
template <element T, std::size_t N = any_rank, order_tag Order>
[[nodiscard]] auto load_raw(const std::filesystem::path& file, Order, const raw_options<N>& options = {});

/// Reads a headerless file of any dtype; the elements keep the byte order of `type`.
/// @param file_order  the order of the elements in the file
[[nodiscard]] any_array load_raw_any(const std::filesystem::path& file, const dtype& type,
                                     const raw_options<>& options = {}, order file_order = order::row_major);

namespace detail {

template <element T, std::size_t N, order WantedOrder>
[[nodiscard]] auto load_elements(const opened_array& opened, std::string_view verb, const run_options& run) {
    return read_elements<T, N, WantedOrder>(opened.bytes(), opened.info, verb, run, nullptr, other_time_units::cast);
}

template <std::size_t N>
[[nodiscard]] const std::vector<std::size_t>* given_shape(const raw_options<N>& options) {
    return options.shape.given() ? &options.shape.values() : nullptr;
}

/// Opens a headerless file as an array, with an `info` made from the request and the size of the file.
/// @param shape  nullptr: one axis with all elements of the file
/// @throws format_error  empty, too small for the shape, or not a multiple of the element size
[[nodiscard]] opened_array open_raw(const std::filesystem::path& path, const dtype& type,
                                    const std::vector<std::size_t>* shape, std::uint64_t offset, order file_order,
                                    file::access access = file::access::read);

}  // namespace detail

template <element T, std::size_t N>
auto load(const std::filesystem::path& file, const load_options& options) {
    return load<T, N>(file, row_major, options);
}

template <element T, std::size_t N, order_tag Order>
auto load(const std::filesystem::path& file, Order, const load_options& options) {
    return detail::load_elements<T, N, detail::chosen<Order>::order>(
        detail::open_numbered(file, options.limit, options.array), "load", options.run);
}

template <element T, std::size_t N>
auto load(std::span<const std::byte> bytes, const load_options& options) {
    return load<T, N>(bytes, row_major, options);
}

template <element T, std::size_t N, order_tag Order>
auto load(std::span<const std::byte> bytes, Order, const load_options& options) {
    return detail::read_elements<T, N, detail::chosen<Order>::order>(
        detail::byte_source(bytes, detail::name_in_memory()),
        detail::numbered_array(bytes, options.limit, options.array), "load", options.run);
}

template <loadable_array A>
A load(const std::filesystem::path& file, const load_options& options) {
    const auto opened = detail::open_numbered(file, options.limit, options.array);
    return detail::read_array<A>(opened.bytes(), opened.info, "load", options.run);
}

template <loadable_array A>
A load(std::span<const std::byte> bytes, const load_options& options) {
    return detail::read_array<A>(detail::byte_source(bytes, detail::name_in_memory()),
                                 detail::numbered_array(bytes, options.limit, options.array), "load", options.run);
}

template <element T, std::size_t N>
auto load_raw(const std::filesystem::path& file, const raw_options<N>& options) {
    return load_raw<T, N>(file, row_major, options);
}

template <element T, std::size_t N, order_tag Order>
auto load_raw(const std::filesystem::path& file, Order, const raw_options<N>& options) {
    constexpr order wanted_order = detail::chosen<Order>::order;
    const auto opened =
        detail::open_raw(file, dtype_of<T>(), detail::given_shape(options), options.offset, wanted_order);
    return detail::load_elements<T, N, wanted_order>(opened, "load_raw", options.run);
}

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npy/detail/load.ipp>
#endif
