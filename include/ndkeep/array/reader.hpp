// SPDX-License-Identifier: BSD-3-Clause
// Reads the elements of an npy file or archive member into memory: in blocks, in parallel, with conversion.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/bytes/source.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/element/strided.hpp>
#include <ndkeep/element/time_cast.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/order.hpp>
#include <ndkeep/version.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Reads the elements of one array in pieces, converts them and writes them to memory.
class element_reader {
  public:
    /// All arguments are kept by reference and must outlive this object.
    /// @param out  memory for all elements, converted
    element_reader(const byte_source& source, const array_info& info, const conversion& convert, std::byte* out)
        : source_(source), info_(info), convert_(convert), out_(out) {}

    /// Reads all elements. With one thread, every byte is read once and in ascending order, as a compressed member
    /// needs.
    /// @param wanted_order  of the elements in memory
    /// @param crc           CRC-32 to be continued over the bytes as read; nullptr: not computed
    /// @throws io_error  operation_canceled
    void run(order wanted_order, const run_options& run, std::uint32_t* crc = nullptr);

    /// Whether row-major and column-major order differ for this shape.
    [[nodiscard]] static bool has_order(const array_info& info);

  private:
    /// A contiguous range of the file, and where its elements go. Without strides they stay contiguous.
    struct piece {
        std::uint64_t offset;
        std::byte* to;
        shape_type shape;
        strides_type strides;
    };

    [[nodiscard]] std::size_t bytes_of(const piece& part) const { return product(part.shape) * convert_.from_size(); }

    void read_all(std::size_t bytes, const run_options& run);

    /// Same order in file and memory: cuts the elements into contiguous pieces of about one block.
    void plan_flat(std::size_t count);

    /// Different orders: cuts the array into panels, which are transposed one by one.
    void plan_panels(order wanted_order);

    /// Cuts an array into panels of about one block, along the slowest axis of the file first.
    void plan_axes(const shape_type& shape, const strides_type& strides, std::uint64_t offset, std::byte* to);

    /// Reads a part of one piece, from byte `begin` of the piece. The parts must come in order, for the CRC.
    void read_bytes(std::size_t number, std::size_t begin, std::span<std::byte> out);

    /// Reads a piece to its destination and converts it there, while it is still in the cache.
    void read_in_place(std::size_t number, std::size_t count);

    /// Reads one piece, converts it and writes it to its destination.
    void read(std::size_t number);

    const byte_source& source_;
    const array_info& info_;
    const conversion& convert_;
    std::byte* out_;
    std::vector<piece> pieces_;
    std::vector<std::uint32_t> sums_;  // CRC-32 of each piece; empty if not wanted
};

/// The hint of a dtype error: the calls of `verb` that accept the dtype `found`.
[[nodiscard]] std::string load_hint(std::string_view verb, const dtype& found);

/// What happens to dates and durations of another time unit than that of T.
enum class other_time_units { refuse, cast };

/// Reads all elements to the array that `make` returns.
///
/// @param verb      the public function that was called, for hints
/// @param elements  returns the first element of the array
/// @throws mismatch_error  another dtype; `make` is not called
template <element T, order WantedOrder, class Make, class Elements>
[[nodiscard]] auto read_made(const byte_source& source, const array_info& info, std::string_view verb,
                             const run_options& run, std::uint32_t* crc, other_time_units units, const Make& make,
                             const Elements& elements) {
    const dtype& wanted = dtype_of<T>();
    const auto cast = units == other_time_units::cast ? time_cast_of_load(info.type, wanted) : std::nullopt;
    const conversion convert(info.type, cast ? info.type.native() : wanted, source.path(),
                             info.type == wanted ? std::string() : load_hint(verb, info.type));
    auto array = make();
    auto* const data = elements(array);
    const auto count = static_cast<std::size_t>(info.size());
    element_reader(source, info, convert, reinterpret_cast<std::byte*>(data)).run(WantedOrder, run, crc);
    make_values(data, count);
    if (cast)
        cast_loaded_times(*cast, reinterpret_cast<std::byte*>(data), count, wanted, info.shape,
                          WantedOrder == order::column_major, source.path());
    return array;
}

/// Reads all elements to an xt::xarray<T>, or to an xt::xtensor<T, N>.
///
/// @throws mismatch_error  another dtype or rank; nothing is read
template <element T, std::size_t N, order WantedOrder>
[[nodiscard]] auto read_elements(const byte_source& source, const array_info& info, std::string_view verb,
                                 const run_options& run, std::uint32_t* crc = nullptr,
                                 other_time_units units = other_time_units::refuse) {
    const auto make = [&] {
        check_rank<N>(info.shape, source.path(), verb);
        return allocated_for(source.path(), info.size() * sizeof(T),
                             [&] { return uninitialised<array_of<T, N, layout_of(WantedOrder)>>(info.shape); });
    };
    return read_made<T, WantedOrder>(source, info, verb, run, crc, units, make,
                                     [](auto& array) { return array.data(); });
}

/// Reads all elements to an array of another library.
///
/// @throws mismatch_error  another dtype, or a shape that A cannot have; nothing is read
template <loadable_array A>
[[nodiscard]] A read_array(const byte_source& source, const array_info& info, std::string_view verb,
                           const run_options& run, std::uint32_t* crc = nullptr) {
    using adapter = array_adapter<A>;
    return read_made<typename adapter::element_type, adapter::stored_order>(
        source, info, verb, run, crc, other_time_units::cast,
        [&] { return made_array<A>(info.shape, source.path(), verb); },
        [](A& array) { return adapter::elements(array); });
}

/// Reads all elements as they are in the file, byte order included, but in row-major order.
[[nodiscard]] any_array read_any(const byte_source& source, const array_info& info, const run_options& run,
                                 std::uint32_t* crc = nullptr);

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/array/reader.ipp>
#endif
