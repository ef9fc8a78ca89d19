// SPDX-License-Identifier: BSD-3-Clause
// with_element_type: from a dtype at run time to the C++ type of its elements.
#pragma once

#include <ndkeep/element/bfloat16.hpp>
#include <ndkeep/element/float16.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/version.hpp>

#include <complex>
#include <cstdint>
#include <type_traits>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// The dtypes of one kind. One with elements of sizeof(T) bytes is read as T.
template <char Kind, class... T>
struct elements_of_kind {
    template <class Function>
    static bool dispatch(const dtype& type, const Function& function) {
        return type.kind() == Kind && ((type.size() == sizeof(T) && (function(std::type_identity<T>()), true)) || ...);
    }
};

template <class... Kind>
struct elements_of_kinds {
    template <class Function>
    static bool dispatch(const dtype& type, const Function& function) {
        return (Kind::dispatch(type, function) || ...);
    }
};

// The numbers of `type_rows` in <ndkeep/format/dtype_words.ipp>, and times.
// clang-format off
using all_elements = elements_of_kinds<
    elements_of_kind<'b', bool>,
    elements_of_kind<'i', std::int8_t, std::int16_t, std::int32_t, std::int64_t>,
    elements_of_kind<'u', std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t>,
    elements_of_kind<'f', float16, float, double, long double>,
    elements_of_kind<'E', bfloat16>,
    elements_of_kind<'c', std::complex<float>, std::complex<double>, std::complex<long double>>,
    elements_of_kind<'M', std::int64_t>,
    elements_of_kind<'m', std::int64_t>>;
// clang-format on

}  // namespace detail

namespace core {

/// Calls `function` with `std::type_identity<T>`, where T is the C++ type of the elements. Dates and durations are
/// counts of type std::int64_t. The byte order of the dtype does not matter: the caller swaps the bytes.
///
/// @return false, without a call, for text, bytes and structs
template <class Function>
bool with_element_type(const dtype& type, const Function& function) {
    return detail::all_elements::dispatch(type, function);
}

}  // namespace core

}  // namespace ndkeep
