// SPDX-License-Identifier: BSD-3-Clause
// What a DLPack tensor says, checked and made, without the structs of <dlpack/dlpack.h>: compiled bodies must not
// depend on whether a program has that header.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/bridges/foreign_array.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

inline constexpr std::int32_t cpu_device = 1;
inline constexpr std::uint64_t read_only_flag = 1, copied_flag = 2;

/// How an exported tensor holds its elements.
enum class export_kind {
    owned,     ///< the view keeps them; they are copied only if they are not in memory
    referred,  ///< they are the caller's, and never copied
    copied     ///< always copied
};

/// The members of a tensor that is made. `data` and `shape` stay valid when it is moved.
struct exported_tensor {
    array_view elements;  // keeps the memory
    std::byte* data;
    std::vector<std::int64_t> shape, strides;
    std::uint8_t code, bits;
    bool read_only, copied;
};

/// @throws mismatch_error  DLPack has no such dtype, or the elements of `referred` are not in memory
[[nodiscard]] exported_tensor export_tensor(array_view elements, bool read_only, export_kind kind);

/// The members of a tensor that is taken over.
struct foreign_tensor {
    std::byte* data;
    std::int32_t device;
    std::int32_t rank;
    std::uint8_t code, bits;
    std::uint16_t lanes;
    const std::int64_t* shape;
    const std::int64_t* strides;  // in elements, or nullptr
    std::uint64_t byte_offset;
};

/// Checks a tensor and refers to its elements.
[[nodiscard]] any_foreign_array import_tensor(const foreign_tensor& tensor, bool read_only,
                                              std::shared_ptr<const void> owner);

/// The errors of the header's templates.
void check_pointer(bool given);
void check_version(std::uint32_t major, std::uint32_t minor);
void check_legacy(bool given, bool read_only);

}  // namespace ndkeep::inline NDKEEP_ABI::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/bridges/detail/dlpack_tensor.ipp>
#endif
