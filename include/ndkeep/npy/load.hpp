// SPDX-License-Identifier: BSD-3-Clause
// Files into arrays of their own memory.
#pragma once

#include <ndkeep/array/extents.hpp>
#include <ndkeep/array/reader.hpp>
#include <ndkeep/array/tags.hpp>
#include <ndkeep/npy/inspect.hpp>

namespace ndkeep {

/// How a headerless file is to be read. Without a shape it is one axis as long as the file has elements.
template <std::size_t N = any_rank>
struct raw_options {
    extents<N> shape = {};
    std::uint64_t offset = 0;  ///< bytes before the first element, any number
    run_options run = {};
};

/// Reads an npy file into an `xt::xarray<T>`, or an `xt::xtensor<T, N>`, in row-major order and native byte order.
///
/// Structs are matched by field name, whatever their order and padding in the file. With the tag `column_major` the
/// result is a column-major container; either order of the file is read into either.
/// @throws mismatch_error  another dtype or rank
/// @throws format_error    not an npy file, cut short, or beyond a limit
template <element T, std::size_t N = any_rank>
[[nodiscard]] auto load(const std::filesystem::path& file, const load_options& options = {});
template <element T, std::size_t N = any_rank, order_tag Order>
[[nodiscard]] auto load(const std::filesystem::path& file, Order, const load_options& options = {});

/// Reads an npy file of any dtype, byte order kept.
[[nodiscard]] inline any_array load_any(const std::filesystem::path& file, const load_options& options = {});

/// Reads a headerless file, in native byte order, as numpy.fromfile or numpy.memmap would see it.
/// @throws format_error  too small for the shape, or not a multiple of the element size
template <element T, std::size_t N = any_rank>
[[nodiscard]] auto load_raw(const std::filesystem::path& file, const raw_options<N>& options = {});
template <element T, std::size_t N = any_rank, order_tag Order>
[[nodiscard]] auto load_raw(const std::filesystem::path& file, Order, const raw_options<N>& options = {});

/// The same for any dtype, byte order kept.
[[nodiscard]] inline any_array load_raw_any(const std::filesystem::path& file, const dtype& type,
                                            const raw_options<>& options = {}, bool column_major_file = false);

namespace detail {

template <element T, std::size_t N, bool ColumnMajor>
[[nodiscard]] auto load_elements(const opened_array& opened, std::string_view verb, const run_options& run) {
    return read_elements<T, N, ColumnMajor>(opened.bytes(), opened.info, verb, run);
}

[[nodiscard]] inline any_array load_bytes(const opened_array& opened, const run_options& run) {
    return read_any(opened.bytes(), opened.info, run);
}

/// What a headerless file holds, taken from the request and its size.
[[nodiscard]] inline array_info raw_info(const file& source, const dtype& type, const std::vector<std::size_t>* shape,
                                         std::uint64_t offset, bool column_major_file) {
    array_info info{.type = type, .shape = {}, .column_major = column_major_file, .data_offset = offset};
    const std::uint64_t size = source.size();
    if (size == 0)
        throw format_error(
            {.file = source.path(), .field = "length", .expected = "at least 1 byte", .found = "0 bytes"});
    if (shape != nullptr) {
        info.shape = *shape;
        (void)checked_nbytes(type, info.shape, source.path());
        return info;
    }
    const std::uint64_t there = size - std::min(size, offset);
    if (offset > size || type.size() == 0 || there % type.size() != 0)
        throw format_error({.file = source.path(),
                            .field = "length",
                            .expected = "a multiple of " + counted(type.size(), "byte") + " after the offset",
                            .found = offset > size ? counted(size, "byte") : counted(there, "byte")});
    info.shape = {static_cast<std::size_t>(there / type.size())};
    return info;
}

template <std::size_t N>
[[nodiscard]] const std::vector<std::size_t>* given_shape(const raw_options<N>& options) {
    return options.shape.given() ? &options.shape.values() : nullptr;
}

[[nodiscard]] inline opened_array open_raw(const std::filesystem::path& path, const dtype& type,
                                           const std::vector<std::size_t>* shape, std::uint64_t offset,
                                           bool column_major_file, file::access access = file::access::read) {
    opened_array opened{file::open(path, access), {}};
    opened.info = raw_info(opened.source, type, shape, offset, column_major_file);
    check_data(opened);
    return opened;
}

}  // namespace detail

template <element T, std::size_t N>
auto load(const std::filesystem::path& file, const load_options& options) {
    return detail::load_elements<T, N, false>(detail::open_array(file, options.limit), "load", options.run);
}

template <element T, std::size_t N, order_tag Order>
auto load(const std::filesystem::path& file, Order, const load_options& options) {
    return detail::load_elements<T, N, detail::chosen<Order>::column_major>(detail::open_array(file, options.limit),
                                                                            "load", options.run);
}

inline any_array load_any(const std::filesystem::path& file, const load_options& options) {
    return detail::load_bytes(detail::open_array(file, options.limit), options.run);
}

template <element T, std::size_t N>
auto load_raw(const std::filesystem::path& file, const raw_options<N>& options) {
    return load_raw<T, N>(file, row_major, options);
}

template <element T, std::size_t N, order_tag Order>
auto load_raw(const std::filesystem::path& file, Order, const raw_options<N>& options) {
    constexpr bool by_columns = detail::chosen<Order>::column_major;
    const auto opened = detail::open_raw(file, dtype_of<T>(), detail::given_shape(options), options.offset, by_columns);
    return detail::load_elements<T, N, by_columns>(opened, "load_raw", options.run);
}

inline any_array load_raw_any(const std::filesystem::path& file, const dtype& type, const raw_options<>& options,
                              bool column_major_file) {
    return detail::load_bytes(
        detail::open_raw(file, type, detail::given_shape(options), options.offset, column_major_file), options.run);
}

}  // namespace ndkeep
