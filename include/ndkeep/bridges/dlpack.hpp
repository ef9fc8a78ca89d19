// SPDX-License-Identifier: BSD-3-Clause
// DLPack: tensors of PyTorch, JAX, NumPy and others in CPU memory, given and taken without a copy.
#pragma once

#include <ndkeep/array/tags.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/bridges/detail/dlpack_structs.hpp>
#include <ndkeep/bridges/detail/dlpack_tensor.hpp>
#include <ndkeep/bridges/detail/keep.hpp>
#include <ndkeep/bridges/foreign_array.hpp>
#include <ndkeep/element/element.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

/// Owns a tensor and calls its deleter. `release()` gives the pointer for a capsule named "dltensor_versioned".
using dlpack_tensor = std::unique_ptr<dlpack::versioned_tensor, dlpack::call_deleter>;
/// The same without version and flags, as in DLPack before 1.0, for a capsule named "dltensor".
using dlpack_legacy_tensor = std::unique_ptr<dlpack::legacy_tensor, dlpack::call_deleter>;

namespace detail {

struct to_dlpack_takes_over_an_owning_array__move_it_or_call_to_dlpack_copy {};
struct to_dlpack_view_refers_to_its_array__give_it_a_name_or_call_to_dlpack {};

/// A tensor and what it refers to.
template <class Tensor>
struct tensor_with_elements {
    explicit tensor_with_elements(exported_tensor of) : elements(std::move(of)) {
        dlpack::plain_tensor& plain = tensor.dl_tensor;
        plain.data = elements.data;
        plain.device.device_type = static_cast<decltype(plain.device.device_type)>(cpu_device);
        plain.ndim = static_cast<std::int32_t>(elements.shape.size());
        plain.dtype = {elements.code, elements.bits, 1};
        plain.shape = elements.shape.data();
        plain.strides = elements.strides.data();
        tensor.manager_ctx = this;
        tensor.deleter = [](Tensor* self) {
            if (self != nullptr)
                delete static_cast<tensor_with_elements*>(self->manager_ctx);
        };
    }

    Tensor tensor = {};
    exported_tensor elements;
};

[[nodiscard]] inline dlpack_tensor tensor_of(exported_tensor elements) {
    auto made = std::make_unique<tensor_with_elements<dlpack::versioned_tensor>>(std::move(elements));
    made->tensor.version = {1, 0};
    made->tensor.flags = (made->elements.read_only ? read_only_flag : 0) | (made->elements.copied ? copied_flag : 0);
    return dlpack_tensor(&made.release()->tensor);
}

}  // namespace detail

/// Makes a tensor of an array, which it takes over and keeps until its deleter is called: of a mapped array, an xtensor
/// container, a vector, an `any_array`, a `shared_array`, or an array of another library. Write
/// `to_dlpack(std::move(a))`.
///
/// The elements stay where they are, with any strides. The tensor is read-only if they are: a mapping for reading, or a
/// `shared_array`. A lvalue, a view or an expression does not compile: see `to_dlpack_copy` and `to_dlpack_view`. After
/// an error the array is moved from.
/// @throws mismatch_error  a dtype that DLPack does not have: text, dates, structs, another byte order, a long double
///                         that is not IEEE's
template <detail::owning_rvalue A>
[[nodiscard]] dlpack_tensor to_dlpack(A&& array) {
    const bool constant = detail::elements_are_const(array);
    return detail::tensor_of(
        detail::export_tensor(detail::kept_view(std::move(array)), constant, detail::export_kind::owned));
}
/// Deleted: the array is no temporary, or does not own its elements.
template <class A, class Because = detail::to_dlpack_takes_over_an_owning_array__move_it_or_call_to_dlpack_copy>
    requires(!detail::owning_rvalue<A>)
dlpack_tensor to_dlpack(A&&)
= delete;

/// Makes a tensor of a copy of any array or expression, in row-major order. It is writable, with the flag for copies.
/// @throws mismatch_error  a dtype that DLPack does not have
[[nodiscard]] inline dlpack_tensor to_dlpack_copy(const array_view& array) {
    return detail::tensor_of(detail::export_tensor(array, false, detail::export_kind::copied));
}

/// Makes a tensor that refers to an array, which must not change its place or end before the deleter was called. It is
/// read-only if the array is const. A temporary does not compile.
/// @throws mismatch_error  a dtype that DLPack does not have, or elements that are not in memory, as of an expression
template <class A>
    requires(std::is_lvalue_reference_v<A>&& detail::viewable<A>)
[[nodiscard]] dlpack_tensor to_dlpack_view(A&& array) {
    return detail::tensor_of(
        detail::export_tensor(array_view(array), detail::elements_are_const(array), detail::export_kind::referred));
}
/// Deleted: the array would end before its tensor.
template <class A, class Because = detail::to_dlpack_view_refers_to_its_array__give_it_a_name_or_call_to_dlpack>
    requires(!std::is_lvalue_reference_v<A>)
dlpack_tensor to_dlpack_view(A&&)
= delete;

/// Turns a tensor into the form of DLPack before 1.0, which NumPy before 2.1 reads.
/// @throws mismatch_error  the tensor is read-only, which that form cannot express; it is deleted
[[nodiscard]] inline dlpack_legacy_tensor to_legacy(dlpack_tensor tensor) {
    detail::check_legacy(tensor != nullptr, tensor != nullptr && (tensor->flags & detail::read_only_flag) != 0);
    struct both {
        dlpack::legacy_tensor legacy = {};
        dlpack_tensor versioned;
    };
    auto made = std::make_unique<both>();
    made->legacy.dl_tensor = tensor->dl_tensor;
    made->legacy.manager_ctx = made.get();
    made->legacy.deleter = [](dlpack::legacy_tensor* self) {
        if (self != nullptr)
            delete static_cast<both*>(self->manager_ctx);
    };
    made->versioned = std::move(tensor);
    return dlpack_legacy_tensor(&made.release()->legacy);
}

/// Takes over a tensor of another library in CPU memory, which includes host memory that CUDA or ROCm pinned. The
/// result and its views keep it; then its deleter is called, once. A legacy tensor does not say whether it is
/// read-only, and counts as writable.
///
/// The pointer is the library's from the start of the call: after an error the deleter was called too. A program with
/// Python renames the capsule before.
/// @throws mismatch_error  another device, another major version than 1, or a dtype that NumPy does not have
/// @throws format_error    not a valid tensor: nullptr, a negative extent, a size that overflows, no data
template <dlpack::managed_tensor Tensor>
[[nodiscard]] any_foreign_array from_dlpack(Tensor* tensor) {
    detail::check_pointer(tensor != nullptr);
    const std::shared_ptr<const void> owner(tensor, dlpack::call_deleter());
    bool constant = false;
    // No other member may be read in another version, except for the deleter.
    if constexpr (std::same_as<Tensor, dlpack::versioned_tensor>) {
        detail::check_version(tensor->version.major, tensor->version.minor);
        constant = (tensor->flags & detail::read_only_flag) != 0;
    }
    const dlpack::plain_tensor& plain = tensor->dl_tensor;
    return detail::import_tensor({.data = static_cast<std::byte*>(plain.data),
                                  .device = static_cast<std::int32_t>(plain.device.device_type),
                                  .rank = plain.ndim,
                                  .code = plain.dtype.code,
                                  .bits = plain.dtype.bits,
                                  .lanes = plain.dtype.lanes,
                                  .shape = plain.shape,
                                  .strides = plain.strides,
                                  .byte_offset = plain.byte_offset},
                                 constant, owner);
}
/// The same for a handle.
template <dlpack::managed_tensor Tensor>
[[nodiscard]] any_foreign_array from_dlpack(std::unique_ptr<Tensor, dlpack::call_deleter> tensor) {
    return from_dlpack(tensor.release());
}

/// Takes over a tensor as an xtensor container of `T` with rank N (or any rank), read-only: `from_dlpack<float, 2>(p)`.
/// @param tensor  a pointer or a handle
/// @throws mismatch_error  as above, or another dtype or rank, or memory that is not aligned for T
/// @throws format_error    as above
template <element T, std::size_t N = any_rank, dlpack::given_tensor Tensor>
[[nodiscard]] foreign_array<const T, N> from_dlpack(Tensor tensor) {
    return from_dlpack(std::move(tensor)).template in_place<const T, N>("from_dlpack");
}
/// The same, and stores change the tensor.
/// @throws mismatch_error  as above, or the tensor is read-only
/// @throws format_error    as above
template <element T, std::size_t N = any_rank, dlpack::given_tensor Tensor>
[[nodiscard]] foreign_array<T, N> from_dlpack(Tensor tensor, read_write_tag) {
    return from_dlpack(std::move(tensor)).template in_place<T, N>("from_dlpack");
}

}  // namespace ndkeep
