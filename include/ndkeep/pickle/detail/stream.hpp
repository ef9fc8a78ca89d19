// SPDX-License-Identifier: BSD-3-Clause
// The bytes of a pickle, read once and in order. Long strings and arrays are passed over, and stay where they are.
#pragma once

#include <ndkeep/bytes/source.hpp>
#include <ndkeep/pickle/detail/values.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

class pickle_stream {
  public:
    /// Refers to the source.
    /// @param size, begin  of the source, and where the pickle begins
    pickle_stream(const core::byte_source& from, std::uint64_t size, std::uint64_t begin)
        : from_(from), size_(size), window_begin_(begin) {}

    /// Of the next byte in the source.
    [[nodiscard]] std::uint64_t position() const noexcept { return window_begin_ + at_; }
    [[nodiscard]] std::uint64_t left() const noexcept { return size_ - position(); }

    [[nodiscard]] std::uint8_t byte() {
        if (at_ == window_.size())
            fill(1);
        return static_cast<std::uint8_t>(window_[at_++]);
    }
    /// A number of `Bytes` bytes, at most 8, the lowest first.
    template <unsigned Bytes>
    [[nodiscard]] std::uint64_t number() {
        const auto* const bytes = view(Bytes).data();
        std::uint64_t value = 0;
        for (unsigned i = 0; i < Bytes; ++i)
            value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
        return value;
    }
    /// The next bytes. They are valid until the next call.
    [[nodiscard]] std::string_view view(std::size_t bytes) {
        if (window_.size() - at_ < bytes)
            fill(bytes);
        at_ += bytes;
        return {reinterpret_cast<const char*>(window_.data()) + (at_ - bytes), bytes};
    }
    /// The bytes up to the end of the line, without it.
    [[nodiscard]] std::string line();
    /// The next bytes, kept in the pool, or passed over if they are many.
    [[nodiscard]] pickled_range take(std::uint64_t bytes, pickled_values& into);

    /// @throws format_error  there are fewer bytes
    void expect(std::uint64_t bytes) const;

  private:
    /// Makes at least `least` bytes available in the window.
    void fill(std::size_t least);

    const core::byte_source& from_;
    std::uint64_t size_;
    std::uint64_t window_begin_;
    std::size_t at_ = 0;
    std::vector<std::byte> window_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/pickle/detail/stream.ipp>
#endif
