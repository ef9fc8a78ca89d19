// SPDX-License-Identifier: BSD-3-Clause
// Mapping npy files and headerless files as arrays, and creating files that are mapped.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/extents.hpp>
#include <ndkeep/array/in_place.hpp>
#include <ndkeep/array/mapped.hpp>
#include <ndkeep/array/tags.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/npy/detail/map.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Options of `map`.
struct map_options {
    limits limit = {};
    advice use = advice::normal;  ///< how the elements will be accessed
    std::size_t array = 0;        ///< which array of a file that holds several; `inspect_all` lists them
};

/// Options of `create`.
struct create_options {
    bool replace = false;            ///< replace an existing file; one reserved by `next_name` is filled without it
    bool reserve = false;            ///< allocate disk space now, not page by page at the first store
    bool replace_read_only = false;  ///< with `.replace`: also a file that this user may not write
};

/// Options of `create_raw`.
struct create_raw_options {
    std::uint64_t offset = 0;        ///< zero bytes before the first element; a multiple of alignof(T)
    bool replace = false;            ///< as in `create_options`
    bool reserve = false;            ///< as in `create_options`
    bool replace_read_only = false;  ///< as in `create_options`
};

/// How to map a headerless file. Without a shape, the array has one axis with all elements of the file.
template <std::size_t N = any_rank>
struct map_raw_options {
    extents<N> shape = {};     ///< in braces, `{100, 3}`; without it one axis
    std::uint64_t offset = 0;  ///< bytes before the first element; need not be aligned
    bool reserve = false;      ///< allocate disk space now if mapping read_write extends the file
    advice use = advice::normal;
};

/// Maps an npy file as an xtensor container: `mapped<const T, N>`, or with the tag `read_write` or `copy_on_write`
/// `mapped<T, N>`. The time does not depend on the size of the file: an element is read when it is first accessed.
///
/// Tags, in any order: `read_only` (the default), `read_write`, `copy_on_write`; `row_major` (the default),
/// `column_major`. Some programs write data that does not start at a multiple of alignof(T). Such data is
/// copied into memory for `read_only` and `copy_on_write`, and rejected for `read_write`. `read_write` first removes
/// checksums and statistics from the file's sidecar, because stores into the array make them false.
///
/// The bytes of a bool array must be 0 and 1, which is not checked. `load` takes any other byte as true.
/// @throws mismatch_error  another dtype, rank, byte order, struct layout, or an order other than that of the tags; no
///                         array with this number
/// @throws format_error    not an npy file, or cut short
/// @throws conflict_error  read_write, and a `database` has the directory of the file open
template <element T, std::size_t N = any_rank>
[[nodiscard]] mapped_as<T, N> map(const std::filesystem::path& file, const map_options& options = {});
template <element T, std::size_t N = any_rank, map_tag A>
[[nodiscard]] mapped_as<T, N, A> map(const std::filesystem::path& file, A, const map_options& options = {});
template <element T, std::size_t N = any_rank, map_tag A, map_tag B>
[[nodiscard]] mapped_as<T, N, A, B> map(const std::filesystem::path& file, A, B, const map_options& options = {});

/// Maps a headerless file, as numpy.memmap does, with the tags of `map`. `read_write` extends a file that is too small
/// for the shape.
/// @throws format_error  empty; too small for the shape; or, without a shape, not a multiple of the element size
template <element T, std::size_t N = any_rank>
[[nodiscard]] mapped_as<T, N> map_raw(const std::filesystem::path& file, const map_raw_options<N>& options = {});
template <element T, std::size_t N = any_rank, map_tag A>
[[nodiscard]] mapped_as<T, N, A> map_raw(const std::filesystem::path& file, A, const map_raw_options<N>& options = {});
template <element T, std::size_t N = any_rank, map_tag A, map_tag B>
[[nodiscard]] mapped_as<T, N, A, B> map_raw(const std::filesystem::path& file, A, B,
                                            const map_raw_options<N>& options = {});

/// Makes an npy file of zeros and maps it read_write: `create<double>("big.npy", {rows, 3})` is a `mapped<double, 2>`.
///
/// Without `.reserve` the file is sparse: if the disk fills up later, a store raises SIGBUS. The file gets its name
/// only when it is complete and mapped. The sidecar of a file that is replaced is removed.
/// @param shape  in braces, which give the rank, or any range of integers
/// @throws io_error  `std::errc::file_exists` without `.replace`; no memory for the mapping; disk full with `.reserve`;
///                   an unreadable sidecar. Nothing has changed, unless the error says that the array is saved
template <element T, std::size_t N>
[[nodiscard]] mapped<T, N> create(const std::filesystem::path& file, const length (&shape)[N],
                                  const create_options& options = {});
template <element T, std::size_t N, order_tag Order>
[[nodiscard]] auto create(const std::filesystem::path& file, const length (&shape)[N], Order,
                          const create_options& options = {});
template <element T, std::size_t N = any_rank, integer_range Shape>
[[nodiscard]] mapped<T, N> create(const std::filesystem::path& file, const Shape& shape,
                                  const create_options& options = {});
template <element T, std::size_t N = any_rank, integer_range Shape, order_tag Order>
[[nodiscard]] auto create(const std::filesystem::path& file, const Shape& shape, Order,
                          const create_options& options = {});

/// Makes a headerless file of zeros and maps it read_write, otherwise as `create`.
/// @throws mismatch_error  `.offset` is not a multiple of alignof(T)
template <element T, std::size_t N>
[[nodiscard]] mapped<T, N> create_raw(const std::filesystem::path& file, const length (&shape)[N],
                                      const create_raw_options& options = {});
template <element T, std::size_t N, order_tag Order>
[[nodiscard]] auto create_raw(const std::filesystem::path& file, const length (&shape)[N], Order,
                              const create_raw_options& options = {});
template <element T, std::size_t N = any_rank, integer_range Shape>
[[nodiscard]] mapped<T, N> create_raw(const std::filesystem::path& file, const Shape& shape,
                                      const create_raw_options& options = {});
template <element T, std::size_t N = any_rank, integer_range Shape, order_tag Order>
[[nodiscard]] auto create_raw(const std::filesystem::path& file, const Shape& shape, Order,
                              const create_raw_options& options = {});

namespace detail {

template <element T, std::size_t N, order WantedOrder>
[[nodiscard]] auto make_mapped(const std::filesystem::path& file, const array_info& info, std::string_view header,
                               const create_options& options) {
    new_file made(file, info, header, options);
    // Mapping can fail for lack of memory, so it is done before the file replaces anything.
    mapped<T, N, layout_of(WantedOrder)> array(
        map_data(made.content(), info, alignof(T), map_mode::read_write, advice::normal), info.shape);
    made.put_in_place(info);
    return array;
}

template <element T, std::size_t N, order WantedOrder>
[[nodiscard]] auto create_mapped(const std::filesystem::path& file, const extents<N>& shape,
                                 const create_options& options) {
    // The header states the requested order even if it makes no difference, as numpy.lib.format.open_memmap does.
    array_info info{.type = dtype_of<T>(), .shape = shape.values(), .column_major = WantedOrder == order::column_major};
    const std::string header = header_bytes(info);
    info.data_offset = header.size();
    return make_mapped<T, N, WantedOrder>(file, info, header, options);
}

template <element T, std::size_t N, order WantedOrder>
[[nodiscard]] auto create_raw_mapped(const std::filesystem::path& file, const extents<N>& shape,
                                     const create_raw_options& options) {
    const array_info info{.type = dtype_of<T>(),
                          .shape = shape.values(),
                          .column_major = WantedOrder == order::column_major,
                          .data_offset = options.offset};
    if (options.offset % alignof(T) != 0)
        throw mismatch_error({.file = file,
                              .field = "offset",
                              .expected = "a multiple of " + counted(alignof(T), "byte"),
                              .found = counted(options.offset, "byte")});
    return make_mapped<T, N, WantedOrder>(file, info, {},
                                          {options.replace, options.reserve, options.replace_read_only});
}

template <class Mapped, map_tag... Tag>
[[nodiscard]] Mapped map_file(const std::filesystem::path& file, const map_options& options) {
    using T = typename Mapped::value_type;
    using tags = chosen<Tag...>;
    const auto array = open_for_map(file, dtype_of<T>(), tags::mode, tags::order, options);
    check_rank<Mapped::rank>(array.info.shape, file, "map");
    return Mapped(map_data(array.source, array.info, alignof(T), tags::mode, options.use), array.info.shape);
}

template <class Mapped, map_tag... Tag, std::size_t N>
[[nodiscard]] Mapped map_raw_file(const std::filesystem::path& file, const map_raw_options<N>& options) {
    using T = typename Mapped::value_type;
    using tags = chosen<Tag...>;
    const auto* const shape = options.shape.given() ? &options.shape.values() : nullptr;
    auto array = open_raw_for_map(file, dtype_of<T>(), shape, options.offset, tags::mode, tags::order, options.reserve);
    try {
        check_rank<N>(array.info.shape, file, "map_raw");
        return Mapped(map_data(array.source, array.info, alignof(T), tags::mode, options.use), array.info.shape);
    } catch (...) {
        // open_raw_for_map may have extended the file; a call that fails leaves its length as it was.
        cut_extension(array.source, array.info.data_offset + array.info.nbytes());
        throw;
    }
}

}  // namespace detail

template <element T, std::size_t N>
mapped_as<T, N> map(const std::filesystem::path& file, const map_options& options) {
    return detail::map_file<mapped_as<T, N>>(file, options);
}
template <element T, std::size_t N, map_tag A>
mapped_as<T, N, A> map(const std::filesystem::path& file, A, const map_options& options) {
    return detail::map_file<mapped_as<T, N, A>, A>(file, options);
}
template <element T, std::size_t N, map_tag A, map_tag B>
mapped_as<T, N, A, B> map(const std::filesystem::path& file, A, B, const map_options& options) {
    return detail::map_file<mapped_as<T, N, A, B>, A, B>(file, options);
}

template <element T, std::size_t N>
mapped_as<T, N> map_raw(const std::filesystem::path& file, const map_raw_options<N>& options) {
    return detail::map_raw_file<mapped_as<T, N>>(file, options);
}
template <element T, std::size_t N, map_tag A>
mapped_as<T, N, A> map_raw(const std::filesystem::path& file, A, const map_raw_options<N>& options) {
    return detail::map_raw_file<mapped_as<T, N, A>, A>(file, options);
}
template <element T, std::size_t N, map_tag A, map_tag B>
mapped_as<T, N, A, B> map_raw(const std::filesystem::path& file, A, B, const map_raw_options<N>& options) {
    return detail::map_raw_file<mapped_as<T, N, A, B>, A, B>(file, options);
}

template <element T, std::size_t N>
mapped<T, N> create(const std::filesystem::path& file, const length (&shape)[N], const create_options& options) {
    return detail::create_mapped<T, N, order::row_major>(file, extents<N>(shape), options);
}
template <element T, std::size_t N, order_tag Order>
auto create(const std::filesystem::path& file, const length (&shape)[N], Order, const create_options& options) {
    return detail::create_mapped<T, N, detail::chosen<Order>::order>(file, extents<N>(shape), options);
}
template <element T, std::size_t N, integer_range Shape>
mapped<T, N> create(const std::filesystem::path& file, const Shape& shape, const create_options& options) {
    return detail::create_mapped<T, N, order::row_major>(file, extents<N>(shape), options);
}
template <element T, std::size_t N, integer_range Shape, order_tag Order>
auto create(const std::filesystem::path& file, const Shape& shape, Order, const create_options& options) {
    return detail::create_mapped<T, N, detail::chosen<Order>::order>(file, extents<N>(shape), options);
}

template <element T, std::size_t N>
mapped<T, N> create_raw(const std::filesystem::path& file, const length (&shape)[N],
                        const create_raw_options& options) {
    return detail::create_raw_mapped<T, N, order::row_major>(file, extents<N>(shape), options);
}
template <element T, std::size_t N, order_tag Order>
auto create_raw(const std::filesystem::path& file, const length (&shape)[N], Order, const create_raw_options& options) {
    return detail::create_raw_mapped<T, N, detail::chosen<Order>::order>(file, extents<N>(shape), options);
}
template <element T, std::size_t N, integer_range Shape>
mapped<T, N> create_raw(const std::filesystem::path& file, const Shape& shape, const create_raw_options& options) {
    return detail::create_raw_mapped<T, N, order::row_major>(file, extents<N>(shape), options);
}
template <element T, std::size_t N, integer_range Shape, order_tag Order>
auto create_raw(const std::filesystem::path& file, const Shape& shape, Order, const create_raw_options& options) {
    return detail::create_raw_mapped<T, N, detail::chosen<Order>::order>(file, extents<N>(shape), options);
}

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npy/detail/map.ipp>
#endif
