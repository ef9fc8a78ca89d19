// SPDX-License-Identifier: BSD-3-Clause
// Files into arrays of their own memory.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/extents.hpp>
#include <ndkeep/array/tags.hpp>
#include <ndkeep/bytes/mapping.hpp>
#include <ndkeep/bytes/parallel.hpp>
#include <ndkeep/npy/open.hpp>

namespace ndkeep {

struct load_options {
    limits limit = {};
    run_options run = {};
};

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

inline constexpr std::size_t read_block = std::size_t{4} << 20;

/// Elements in the order of the file, block by block, converted on the way.
class element_reader {
  public:
    element_reader(const file& source, const array_info& info, const conversion& convert, std::byte* out)
        : source_(source), info_(info), convert_(convert), out_(out) {}

    /// @param wanted_column_major  order of the memory at `out`
    void run(bool wanted_column_major, const run_options& run) {
        const auto count = static_cast<std::size_t>(info_.size());
        const std::size_t bytes = count * convert_.from_size();
        if (bytes == 0)
            return;
        const bool same_order = info_.column_major == wanted_column_major || !has_order(info_);
        if (same_order)
            plan_flat(count);
        else
            plan_panels(wanted_column_major);
        if (pieces_.size() == 1 && !run.progress && run.stop == nullptr)
            return read(pieces_[0]);
        prefer_huge_pages({out_, count * convert_.to_size()});
        progress_meter meter(
            run, {.phase = "load", .items_total = pieces_.size(), .bytes_total = bytes, .file = source_.path()});
        parallel_for(pieces_.size(), meter, [&](std::size_t i) {
            read(pieces_[i]);
            meter.add(0, product(pieces_[i].shape) * convert_.from_size());
        });
        meter.finish();
    }

    /// Whether the two orders differ for this shape.
    [[nodiscard]] static bool has_order(const array_info& info) {
        return written_column_major({.type = info.type, .shape = info.shape, .column_major = true});
    }

  private:
    /// A range of the file and where its elements go. Without strides they go one behind the other.
    struct piece {
        std::uint64_t offset;
        std::byte* to;
        shape_type shape;
        strides_type strides;
    };

    void plan_flat(std::size_t count) {
        const std::size_t most = std::max<std::size_t>(1, read_block / convert_.from_size());
        for (std::size_t first = 0; first < count; first += most)
            pieces_.push_back({info_.data_offset + first * convert_.from_size(),
                               out_ + first * convert_.to_size(),
                               {std::min(most, count - first)},
                               {}});
    }

    void plan_panels(bool wanted_column_major) {
        auto strides = strides_of(info_.shape, convert_.to_size(), wanted_column_major);
        auto shape = info_.shape;
        if (info_.column_major) {
            std::reverse(shape.begin(), shape.end());
            std::reverse(strides.begin(), strides.end());
        }
        plan_axes(shape, strides, info_.data_offset, out_);
    }

    /// Cuts an array, slowest axis of the file first, into panels of about one block.
    void plan_axes(const shape_type& shape, const strides_type& strides, std::uint64_t offset, std::byte* to) {
        const shape_type inner(shape.begin() + 1, shape.end());
        const std::size_t row = product(inner) * convert_.from_size();
        if (row > read_block && shape.size() > 1) {
            const strides_type inner_strides(strides.begin() + 1, strides.end());
            for (std::size_t i = 0; i < shape[0]; ++i)
                plan_axes(inner, inner_strides, offset + i * row, to + static_cast<std::ptrdiff_t>(i) * strides[0]);
            return;
        }
        const std::size_t most = std::max<std::size_t>(1, read_block / row);
        for (std::size_t i = 0; i < shape[0]; i += most) {
            auto some = shape;
            some[0] = std::min(most, shape[0] - i);
            pieces_.push_back(
                {offset + i * row, to + static_cast<std::ptrdiff_t>(i) * strides[0], std::move(some), strides});
        }
    }

    void read(const piece& part) const {
        const std::size_t count = product(part.shape);
        const std::size_t from_bytes = count * convert_.from_size();
        if (part.strides.empty() && convert_.keeps_places()) {
            source_.read(part.offset, {part.to, from_bytes});
            if (!convert_.is_identity())
                convert_.run(part.to, part.to, count);
            return;
        }
        const buffer raw(from_bytes);
        source_.read(part.offset, raw.bytes());
        if (part.strides.empty()) {
            convert_.run(part.to, raw.data(), count);
            return;
        }
        const std::byte* elements = raw.data();
        buffer converted;
        if (!convert_.is_identity()) {
            converted = buffer(count * convert_.to_size());
            convert_.run(converted.data(), raw.data(), count);
            elements = converted.data();
        }
        copy_strided(part.to, part.strides, elements, strides_of(part.shape, convert_.to_size(), false), part.shape,
                     convert_.to_size());
    }

    const file& source_;
    const array_info& info_;
    const conversion& convert_;
    std::byte* out_;
    std::vector<piece> pieces_;
};

[[nodiscard]] inline std::string load_hint(std::string_view verb, const dtype& found) {
    const auto name = cpp_name(found);
    return (name.empty() ? "" : std::string(verb) + '<' + name + "> or ") + std::string(verb) + "_any";
}

template <element T, std::size_t N, bool ColumnMajor>
[[nodiscard]] auto load_elements(const opened_array& opened, std::string_view verb, const run_options& run) {
    const conversion convert(opened.info.type, dtype_of<T>(), opened.source.path(), load_hint(verb, opened.info.type));
    check_rank<N>(opened.info.shape, opened.source.path(), verb);
    constexpr auto layout = ColumnMajor ? xt::layout_type::column_major : xt::layout_type::row_major;
    auto array = uninitialised<array_of<T, N, layout>>(opened.info.shape);
    element_reader(opened.source, opened.info, convert, reinterpret_cast<std::byte*>(array.data()))
        .run(ColumnMajor, run);
    make_values(array.data(), array.size());
    return array;
}

[[nodiscard]] inline any_array load_bytes(const opened_array& opened, const run_options& run) {
    any_array array(opened.info.type, opened.info.shape);
    const conversion convert(opened.info.type);
    element_reader(opened.source, opened.info, convert, array.bytes().data()).run(false, run);
    return array;
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
    opened_array opened{file::open(path, access), {}, {}};
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
