// SPDX-License-Identifier: BSD-3-Clause
// The elements of an npy file or archive member read into memory: by blocks, in parallel, converted on the way.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/bytes/source.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/element/strided.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/version.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Elements in the order of the file, block by block, converted on the way.
class element_reader {
  public:
    element_reader(const byte_source& source, const array_info& info, const conversion& convert, std::byte* out)
        : source_(source), info_(info), convert_(convert), out_(out) {}

    /// With one thread, bytes are read in their order, each once.
    /// @param wanted_column_major  order of the memory at `out`
    /// @param crc                  carried on over the bytes as they were read, unless nullptr
    void run(bool wanted_column_major, const run_options& run, std::uint32_t* crc = nullptr);

    /// Whether the two orders differ for this shape.
    [[nodiscard]] static bool has_order(const array_info& info);

  private:
    /// A range of the file and where its elements go. Without strides they go one behind the other.
    struct piece {
        std::uint64_t offset;
        std::byte* to;
        shape_type shape;
        strides_type strides;
    };

    [[nodiscard]] std::size_t bytes_of(const piece& part) const { return product(part.shape) * convert_.from_size(); }

    void read_all(std::size_t bytes, const run_options& run);

    void plan_flat(std::size_t count);

    void plan_panels(bool wanted_column_major);

    /// Cuts an array, slowest axis of the file first, into panels of about one block.
    void plan_axes(const shape_type& shape, const strides_type& strides, std::uint64_t offset, std::byte* to);

    /// Of one piece, in order.
    void read_bytes(std::size_t number, std::size_t begin, std::span<std::byte> out);

    /// Converted where it lies, while it is still in the cache.
    void read_in_place(std::size_t number, std::size_t count);

    void read(std::size_t number);

    const byte_source& source_;
    const array_info& info_;
    const conversion& convert_;
    std::byte* out_;
    std::vector<piece> pieces_;
    std::vector<std::uint32_t> sums_;  // of the pieces, if anybody wants to know
};

[[nodiscard]] std::string load_hint(std::string_view verb, const dtype& found);

/// The elements as an xt::xarray<T>, or an xt::xtensor<T, N>.
template <element T, std::size_t N, bool ColumnMajor>
[[nodiscard]] auto read_elements(const byte_source& source, const array_info& info, std::string_view verb,
                                 const run_options& run, std::uint32_t* crc = nullptr) {
    const dtype& wanted = dtype_of<T>();
    const conversion convert(info.type, wanted, source.path(),
                             info.type == wanted ? std::string() : load_hint(verb, info.type));
    check_rank<N>(info.shape, source.path(), verb);
    constexpr auto layout = ColumnMajor ? xt::layout_type::column_major : xt::layout_type::row_major;
    auto array = uninitialised<array_of<T, N, layout>>(info.shape);
    element_reader(source, info, convert, reinterpret_cast<std::byte*>(array.data())).run(ColumnMajor, run, crc);
    make_values(array.data(), array.size());
    return array;
}

[[nodiscard]] any_array read_any(const byte_source& source, const array_info& info, const run_options& run,
                                 std::uint32_t* crc = nullptr);

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/array/reader.ipp>
#endif
