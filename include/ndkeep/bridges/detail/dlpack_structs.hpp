// SPDX-License-Identifier: BSD-3-Clause
// The structs of DLPack 1: those of <dlpack/dlpack.h> where it is found, otherwise equal ones.
#pragma once

#include <ndkeep/version.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

#if __has_include(<dlpack/dlpack.h>)
#include <dlpack/dlpack.h>
#endif

namespace ndkeep::inline NDKEEP_ABI::dlpack {

// Version 0 has no versioned tensor, and version 2 would have another.
#if defined(DLPACK_MAJOR_VERSION) && DLPACK_MAJOR_VERSION == 1

using element_type = ::DLDataType;                    ///< kind, bits and lanes of elements
using plain_tensor = ::DLTensor;                      ///< memory, shape and strides
using legacy_tensor = ::DLManagedTensor;              ///< a tensor with a deleter, before DLPack 1.0
using versioned_tensor = ::DLManagedTensorVersioned;  ///< the same with a version and flags

#else

/// The version of the layout of `versioned_tensor`.
struct tensor_version {
    std::uint32_t major;
    std::uint32_t minor;
};

/// Where the memory is.
struct tensor_device {
    std::int32_t device_type;
    std::int32_t device_id;
};

/// Kind, bits and lanes of elements.
struct element_type {
    std::uint8_t code;
    std::uint8_t bits;
    std::uint16_t lanes;
};

/// Memory, shape and strides.
struct plain_tensor {
    void* data;
    tensor_device device;
    std::int32_t ndim;
    element_type dtype;
    std::int64_t* shape;
    std::int64_t* strides;      ///< in elements; NULL: contiguous, row-major
    std::uint64_t byte_offset;  ///< of the first element from `data`
};

/// A tensor with a deleter, before DLPack 1.0.
struct legacy_tensor {
    plain_tensor dl_tensor;
    void* manager_ctx;
    void (*deleter)(legacy_tensor* self);
};

/// The same with a version and flags. The members before `dl_tensor` are the same in all versions.
struct versioned_tensor {
    tensor_version version;
    void* manager_ctx;
    void (*deleter)(versioned_tensor* self);
    std::uint64_t flags;
    plain_tensor dl_tensor;
};

#endif

static_assert(sizeof(element_type) == 4);
static_assert(offsetof(plain_tensor, device) == sizeof(void*) && offsetof(plain_tensor, ndim) == sizeof(void*) + 8);
static_assert(offsetof(plain_tensor, dtype) == sizeof(void*) + 12);
static_assert(offsetof(plain_tensor, shape) == sizeof(void*) + 16);
static_assert(offsetof(plain_tensor, strides) == 2 * sizeof(void*) + 16);
static_assert(offsetof(plain_tensor, byte_offset) == 3 * sizeof(void*) + 16);
static_assert(sizeof(plain_tensor) == 3 * sizeof(void*) + 24);
static_assert(offsetof(legacy_tensor, manager_ctx) == sizeof(plain_tensor));
static_assert(offsetof(legacy_tensor, deleter) == sizeof(plain_tensor) + sizeof(void*));
static_assert(offsetof(versioned_tensor, manager_ctx) == 8);
static_assert(offsetof(versioned_tensor, deleter) == 8 + sizeof(void*));
static_assert(offsetof(versioned_tensor, flags) == 8 + 2 * sizeof(void*));
static_assert(offsetof(versioned_tensor, dl_tensor) == 16 + 2 * sizeof(void*));

/// `versioned_tensor` or `legacy_tensor`.
template <class Tensor>
concept managed_tensor = std::same_as<Tensor, versioned_tensor> || std::same_as<Tensor, legacy_tensor>;

/// Calls the deleter of a tensor, if it has one.
struct call_deleter {
    template <managed_tensor Tensor>
    void operator()(Tensor* tensor) const noexcept {
        if (tensor != nullptr && tensor->deleter != nullptr)
            tensor->deleter(tensor);
    }
};

/// A pointer to a tensor, or a `std::unique_ptr` that calls its deleter.
template <class Tensor>
concept given_tensor = (std::is_pointer_v<Tensor> && managed_tensor<std::remove_pointer_t<Tensor>>) ||
                       std::same_as<Tensor, std::unique_ptr<versioned_tensor, call_deleter>> ||
                       std::same_as<Tensor, std::unique_ptr<legacy_tensor, call_deleter>>;

}  // namespace ndkeep::inline NDKEEP_ABI::dlpack
