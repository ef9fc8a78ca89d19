// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/bridges/detail/dlpack_tensor.hpp>.
#pragma once

#include <ndkeep/bridges/detail/dlpack_tensor.hpp>

#include <ndkeep/array/any.hpp>
#include <ndkeep/element/strided.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/limits.hpp>

#include <array>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

struct tensor_code {
    std::uint8_t code;  // of DLPack
    char kind;          // of NumPy
};
inline constexpr std::array<tensor_code, 6> tensor_codes = {
    {{0, 'i'}, {1, 'u'}, {2, 'f'}, {4, 'E'}, {5, 'c'}, {6, 'b'}}};

/// Whether DLPack and NumPy mean the same elements. The 128 bits of DLPack are those of IEEE, and a long double of x86
/// has 80 of its own.
[[nodiscard]] inline bool same_in_dlpack(char kind, std::uint64_t bytes) {
    constexpr bool ieee = std::numeric_limits<long double>::digits == 113;
    return ieee || !((kind == 'f' && bytes > sizeof(double)) || (kind == 'c' && bytes > 2 * sizeof(double)));
}

NDKEEP_INLINE exported_tensor export_tensor(array_view elements, bool read_only, export_kind kind) {
    const dtype type = elements.type();
    const tensor_code* code = nullptr;
    for (const tensor_code& each : tensor_codes)
        if (each.kind == type.kind() && !type.is_struct() && same_in_dlpack(type.kind(), type.size()))
            code = &each;
    if (code == nullptr || !type.is_native())
        throw mismatch_error({.field = "dtype",
                              .expected = "a number in this machine's byte order, as DLPack has it",
                              .found = type.is_struct() ? type.descr() : quoted(type.str())});

    const auto item = static_cast<std::ptrdiff_t>(type.size());
    bool in_place = kind != export_kind::copied && (elements.elements() != nullptr || elements.size() == 0);
    if (elements.elements() != nullptr)
        for (const std::ptrdiff_t stride : elements.strides())
            in_place = in_place && stride % item == 0;  // a field of a struct may have other strides
    if (!in_place) {
        if (kind == export_kind::referred)
            throw mismatch_error({.field = "array",
                                  .expected = "elements in memory, a multiple of their size apart",
                                  .found = "other elements",
                                  .hint = "to_dlpack_copy"});
        elements = any_array(elements);
    }
    exported_tensor out = {.elements = elements,
                           .data = const_cast<std::byte*>(elements.elements()),
                           .shape = {},
                           .strides = {},
                           .code = code->code,
                           .bits = static_cast<std::uint8_t>(8 * item),
                           .read_only = read_only && in_place,
                           .copied = !in_place};
    const auto strides = elements.size() == 0 ? strides_of(elements.shape(), type.size(), order::row_major)  //
                                              : elements.strides();
    for (std::size_t axis = 0; axis < elements.shape().size(); ++axis) {
        out.shape.push_back(static_cast<std::int64_t>(elements.shape()[axis]));
        out.strides.push_back(strides[axis] / item);
    }
    return out;
}

/// The dtype of a tensor.
[[nodiscard]] inline dtype type_of(const foreign_tensor& tensor) {
    for (const auto& [code, kind] : tensor_codes) {
        if (code != tensor.code || tensor.bits % 8 != 0 || tensor.lanes != 1)
            continue;
        const std::uint64_t bytes = tensor.bits / 8U;
        constexpr std::string_view sizes_of_integers = "\1\2\4\10";
        bool known = false;
        switch (kind) {
        case 'i':
        case 'u':
            known = sizes_of_integers.find(static_cast<char>(bytes)) != std::string_view::npos;
            break;
        case 'f':
            known = bytes == 2 || bytes == 4 || bytes == 8 || (bytes == 16 && same_in_dlpack(kind, bytes));
            break;
        case 'c':
            known = bytes == 8 || bytes == 16;
            break;
        default:
            known = bytes == (kind == 'b' ? 1 : 2);
        }
        if (known)
            return dtype::plain(kind, bytes);
    }
    throw mismatch_error({.field = "dtype",
                          .expected = "a number that NumPy has",
                          .found = "DLPack's code " + std::to_string(tensor.code) + " with " +
                                   counted(unsigned{tensor.bits}, "bit") + " and " +
                                   counted(unsigned{tensor.lanes}, "lane")});
}

NDKEEP_INLINE any_foreign_array import_tensor(const foreign_tensor& tensor, bool read_only,
                                              std::shared_ptr<const void> owner) {
    constexpr std::int32_t cuda_host = 3, rocm_host = 11;
    if (tensor.device != cpu_device && tensor.device != cuda_host && tensor.device != rocm_host)
        throw mismatch_error({.field = "device",
                              .expected = "the CPU, which is 1, or host memory, which is 3 or 11",
                              .found = std::to_string(tensor.device),
                              .hint = "move the tensor to the CPU first"});
    auto type = type_of(tensor);
    const auto most = limits().dimensions;
    if (tensor.rank < 0 || static_cast<std::size_t>(tensor.rank) > most)
        throw malformed({}, "tensor", "0 to " + counted(most, "dimension"), std::to_string(tensor.rank));
    const auto rank = static_cast<std::size_t>(tensor.rank);
    if (rank != 0 && tensor.shape == nullptr)
        throw malformed({}, "tensor", "a shape", "nullptr");

    shape_type shape;
    for (std::size_t axis = 0; axis < rank; ++axis) {
        if (tensor.shape[axis] < 0)
            throw malformed({}, "shape", "extents of at least 0", std::to_string(tensor.shape[axis]));
        shape.push_back(static_cast<std::size_t>(tensor.shape[axis]));
    }
    constexpr auto largest = std::numeric_limits<std::ptrdiff_t>::max();
    if (!core::fits(shape, type.size(), static_cast<std::uint64_t>(largest)))
        throw malformed({}, "shape", "an array that fits into memory", shape_text(shape));

    const auto item = static_cast<std::size_t>(type.size());
    auto strides = strides_of(shape, item, order::row_major);
    const bool empty = product(shape) == 0;
    if (tensor.strides != nullptr && !empty) {
        // The distance of the farthest elements from the first one, in both directions together.
        std::ptrdiff_t reach = 0;
        for (std::size_t axis = 0; axis < rank; ++axis) {
            std::ptrdiff_t step = 0, span = 0;
            const auto steps = static_cast<std::ptrdiff_t>(shape[axis] - 1);
            if (steps == 0)
                continue;  // such a stride has no meaning
            if (__builtin_mul_overflow(tensor.strides[axis], static_cast<std::ptrdiff_t>(item), &step) ||
                __builtin_mul_overflow(step, steps, &span) || span == std::numeric_limits<std::ptrdiff_t>::min() ||
                __builtin_add_overflow(reach, span < 0 ? -span : span, &reach))
                throw malformed({}, "strides", "elements that fit into memory", std::to_string(tensor.strides[axis]));
            strides[axis] = step;
        }
    }
    if (!empty && tensor.data == nullptr)
        throw malformed({}, "data", counted(product(shape), "element"), "nullptr");
    if (!empty && tensor.byte_offset > std::uint64_t{largest} - reinterpret_cast<std::uintptr_t>(tensor.data))
        throw malformed({}, "byte_offset", "an address in memory", std::to_string(tensor.byte_offset));
    std::byte* const first = empty ? nullptr : tensor.data + tensor.byte_offset;
    return {std::move(type), std::move(shape), std::move(strides), first, read_only, std::move(owner)};
}

NDKEEP_INLINE void check_pointer(bool given) {
    if (!given)
        throw malformed({}, "tensor", "a pointer to a tensor", "nullptr");
}

NDKEEP_INLINE void check_version(std::uint32_t major, std::uint32_t minor) {
    if (major != 1)
        throw mismatch_error({.field = "version of DLPack",
                              .expected = "1",
                              .found = std::to_string(major) + '.' + std::to_string(minor)});
}

NDKEEP_INLINE void check_legacy(bool given, bool read_only) {
    check_pointer(given);
    if (read_only)
        throw mismatch_error({.field = "tensor",
                              .expected = "writable, because legacy tensors have no flags",
                              .found = "read-only",
                              .hint = "to_dlpack_copy"});
}

}  // namespace ndkeep::inline NDKEEP_ABI::detail
