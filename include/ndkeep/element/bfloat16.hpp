// SPDX-License-Identifier: BSD-3-Clause
// bfloat16: the upper half of a float as a two-byte number, which converts to and from the built-in numbers.
#pragma once

#include <ndkeep/element/float16.hpp>
#include <ndkeep/version.hpp>

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace ndkeep::inline NDKEEP_ABI {

/// A number with the range of a float and 8 significant bits. It converts to float and double exactly. It converts from
/// any number by rounding to nearest, ties to even; a long double is rounded to double first. Arithmetic is done in
/// float.
///
/// NumPy has no such dtype. Python's ml_dtypes adds one, which np.save writes as `<V2`, two bytes of any meaning, and
/// so does `save`. `load<bfloat16>` and `map<bfloat16>` read that, and the descr 'bfloat16' that other programs write.
/// NumPy ignores the byte order of bytes, also in `>V2`, so the bytes are those of this machine's order.
class bfloat16 {
  public:
    bfloat16() = default;

    /// Rounds any number to nearest, ties to even.
    template <class Number>
        requires std::is_arithmetic_v<Number>
    constexpr bfloat16(Number value) noexcept  // NOLINT: implicit, as between the built-in numbers
        : bits_(detail::rounded_bits<8, 7>(static_cast<double>(value))) {}

    constexpr operator float() const noexcept { return widened(); }  // NOLINT: implicit

    /// The number with these 16 bits.
    [[nodiscard]] static constexpr bfloat16 from_bits(std::uint16_t bits) noexcept {
        bfloat16 value = 0;
        value.bits_ = bits;
        return value;
    }
    /// The 16 bits of the number.
    [[nodiscard]] constexpr std::uint16_t bits() const noexcept { return bits_; }

    constexpr bfloat16& operator+=(float other) noexcept { return *this = bfloat16(widened() + other); }
    constexpr bfloat16& operator-=(float other) noexcept { return *this = bfloat16(widened() - other); }
    constexpr bfloat16& operator*=(float other) noexcept { return *this = bfloat16(widened() * other); }
    constexpr bfloat16& operator/=(float other) noexcept { return *this = bfloat16(widened() / other); }

  private:
    [[nodiscard]] constexpr float widened() const noexcept { return std::bit_cast<float>(std::uint32_t{bits_} << 16); }

    std::uint16_t bits_;
};

static_assert(sizeof(bfloat16) == 2 && std::is_trivially_copyable_v<bfloat16>);

}  // namespace ndkeep

template <>
class std::numeric_limits<ndkeep::bfloat16> : public ndkeep::detail::two_byte_limits<ndkeep::bfloat16, 8, 128> {};
