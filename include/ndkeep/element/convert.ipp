// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/element/convert.hpp>.
#pragma once

#include <ndkeep/element/convert.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/format/time_unit.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

template <class Word>
[[nodiscard]] constexpr Word reversed_bytes(Word word) noexcept {
    if constexpr (sizeof(Word) == 2)
        return __builtin_bswap16(word);
    else if constexpr (sizeof(Word) == 4)
        return __builtin_bswap32(word);
    else
        return __builtin_bswap64(word);
}

/// Reverses numbers one by one. Copies them through memcpy, because they need not be aligned.
template <class Word>
void swap_words(std::byte* to, const std::byte* from, std::size_t count) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        Word word;
        std::memcpy(&word, from + i * sizeof(Word), sizeof(Word));
        word = reversed_bytes(word);
        std::memcpy(to + i * sizeof(Word), &word, sizeof(Word));
    }
}

#if defined(__x86_64__)

using swapped_block [[gnu::vector_size(32)]] = unsigned char;

/// The same for all complete blocks of 32 bytes; the caller reverses the numbers that remain. The one instruction is
/// written in assembly, as in the checksums, because <immintrin.h> takes long to compile.
/// @return count of reversed numbers
template <class Word>
[[gnu::target("avx2")]] std::size_t swap_blocks(std::byte* to, const std::byte* from, std::size_t count) noexcept {
    constexpr std::size_t width = sizeof(Word), numbers = sizeof(swapped_block) / width;
    // The positions repeat after 16: vpshufb shuffles each half of 16 bytes separately.
    swapped_block order = {};
    for (std::size_t i = 0; i < sizeof order; ++i)
        order[i] = static_cast<unsigned char>(i % 16 / width * width + (width - 1 - i % width));
    const std::size_t blocks = count / numbers;
    for (std::size_t i = 0; i < blocks; ++i) {
        swapped_block block, swapped;
        std::memcpy(&block, from + i * sizeof block, sizeof block);
        __asm__("vpshufb %2, %1, %0" : "=x"(swapped) : "x"(block), "x"(order));
        std::memcpy(to + i * sizeof block, &swapped, sizeof block);
    }
    return blocks * numbers;
}

template <class Word>
void swap_numbers(std::byte* to, const std::byte* from, std::size_t count) noexcept {
    constexpr std::size_t worth_it = 64;
    std::size_t done = 0;
    if (count >= worth_it && __builtin_cpu_supports("avx2"))
        done = swap_blocks<Word>(to, from, count);
    swap_words<Word>(to + done * sizeof(Word), from + done * sizeof(Word), count - done);
}

#else

template <class Word>
void swap_numbers(std::byte* to, const std::byte* from, std::size_t count) noexcept {
    swap_words<Word>(to, from, count);
}

#endif

}  // namespace detail

namespace core {

NDKEEP_INLINE void swap_bytes(std::byte* to, const std::byte* from, std::size_t count, std::size_t width) noexcept {
    switch (width) {
    case 2:
        return detail::swap_numbers<std::uint16_t>(to, from, count);
    case 4:
        return detail::swap_numbers<std::uint32_t>(to, from, count);
    case 8:
        return detail::swap_numbers<std::uint64_t>(to, from, count);
    default:
        for (std::size_t i = 0; i < count; ++i) {
            std::memmove(to + i * width, from + i * width, width);  // not memcpy: `to` may equal `from`
            std::reverse(to + i * width, to + (i + 1) * width);
        }
    }
}

NDKEEP_INLINE std::size_t swap_width(const dtype& type) noexcept {
    if (type.order() == byte_order::none)
        return 1;
    if (type.kind() == 'U')
        return 4;
    return static_cast<std::size_t>(type.size()) / (type.is_complex() ? 2 : 1);
}

NDKEEP_INLINE bool same_time_unit(const dtype& a, const dtype& b) {
    const auto leads_to = [](std::string_view unit, std::int64_t multiple, const dtype& finer) {
        while (unit != finer.unit()) {
            const time_unit* const coarse = find_unit(unit);
            const std::int64_t factor = coarse == nullptr ? 0 : exact_parts(*coarse);
            // A multiple that would overflow exceeds every other multiple, so the units differ.
            if (factor == 0 || multiple > std::numeric_limits<std::int64_t>::max() / factor)
                return false;
            unit = coarse->finer[0];
            multiple *= factor;
        }
        return multiple == finer.multiple();
    };
    return leads_to(a.unit(), a.multiple(), b) || leads_to(b.unit(), b.multiple(), a);
}

}  // namespace core

NDKEEP_INLINE conversion::conversion(const dtype& from, const dtype& to, const std::filesystem::path& file,
                                     std::string_view hint)
    : from_size_(static_cast<std::size_t>(from.size())), to_size_(static_cast<std::size_t>(to.size())) {
    if (from.is_struct() != to.is_struct())
        refuse(from, to, "dtype", file, hint);
    add(from, to, 0, 0, "", file, hint);
    has_gaps_ = to.is_struct() && covered_ != to_size_;
    merge();
}

NDKEEP_INLINE bool conversion::is_identity() const noexcept {
    return from_size_ == to_size_ &&
           std::all_of(moves_.begin(), moves_.end(), [](const move& m) { return m.from == m.to && m.width == 1; });
}

NDKEEP_INLINE bool conversion::keeps_places() const noexcept {
    return from_size_ == to_size_ &&
           std::all_of(moves_.begin(), moves_.end(), [](const move& m) { return m.from == m.to; });
}

NDKEEP_INLINE void conversion::run(std::byte* to, const std::byte* from, std::size_t count) const {
    if (count == 0)
        return;  // `to` and `from` may be null
    // A single move of all bytes, as of every plain dtype: one call converts all elements.
    if (moves_.size() == 1 && moves_[0].bytes == from_size_ && from_size_ == to_size_) {
        const move& whole = moves_[0];
        if (whole.width == 1)
            std::memmove(to, from, count * to_size_);
        else
            detail::swap_bytes(to, from, count * (whole.bytes / whole.width), whole.width);
        return;
    }
    // Not in place: that would clear the fields before they are converted.
    if (has_gaps_ && to != from)
        std::memset(to, 0, count * to_size_);
    for (std::size_t i = 0; i < count; ++i, from += from_size_, to += to_size_)
        for (const move& m : moves_) {
            // memmove, as source and target are the same bytes in place.
            if (m.width == 1)
                std::memmove(to + m.to, from + m.from, m.bytes);
            else
                detail::swap_bytes(to + m.to, from + m.from, m.bytes / m.width, m.width);
        }
}

NDKEEP_INLINE void conversion::refuse(const dtype& from, const dtype& to, std::string field,
                                      const std::filesystem::path& file, std::string_view hint) {
    const auto text = [](const dtype& type) { return type.is_struct() ? type.descr() : ndkeep::quoted(type.str()); };
    throw mismatch_error({.file = file,
                          .field = std::move(field),
                          .expected = text(to),
                          .found = text(from),
                          .hint = std::string(hint)});
}

NDKEEP_INLINE void conversion::add(const dtype& from, const dtype& to, std::size_t from_at, std::size_t to_at,
                                   const std::string& path, const std::filesystem::path& file, std::string_view hint) {
    const auto name = [&](const std::string& field) {
        return "field " + ndkeep::quoted(path.empty() ? field : path + '.' + field);
    };
    if (from.is_struct() != to.is_struct())
        refuse(from, to, path.empty() ? "dtype" : "field " + ndkeep::quoted(path), file, hint);
    if (!to.is_struct()) {
        // A bfloat16 is stored as two bytes without a name, so each converts to the other.
        const auto stored_kind = [](const dtype& type) { return type.kind() == 'E' ? 'V' : type.kind(); };
        // Bytes without a meaning can be taken as unsigned integers: so do types that only other programs know.
        const bool are_bits = from.kind() == 'V' && to.kind() == 'u';
        if ((stored_kind(from) != stored_kind(to) && !are_bits) || from.size() != to.size() ||
            (to.is_time() && !detail::same_time_unit(from, to)))
            refuse(from, to, path.empty() ? "dtype" : "field " + ndkeep::quoted(path), file, hint);
        const auto bytes = static_cast<std::size_t>(to.size());
        const bool swapped = from.order() != to.order() && from.order() != byte_order::none;
        if (bytes != 0)
            moves_.push_back({from_at, to_at, bytes, swapped ? detail::swap_width(to) : 1});
        covered_ += bytes;
        return;
    }
    // A field that `to` lacks is an error: its values would be lost without notice.
    for (const auto& field : from.fields())
        if (to.find(field.name) == nullptr)
            throw mismatch_error({.file = file,
                                  .field = name(field.name),
                                  .expected = "absent",
                                  .found = "present",
                                  .hint = std::string(hint)});
    for (const auto& field : to.fields()) {
        const auto* source = from.find(field.name);
        if (source == nullptr)
            throw mismatch_error({.file = file,
                                  .field = name(field.name),
                                  .expected = field.type.descr(),
                                  .found = "missing",
                                  .hint = std::string(hint)});
        if (source->shape != field.shape)
            throw mismatch_error({.file = file,
                                  .field = name(field.name) + " shape",
                                  .expected = shape_text(field.shape),
                                  .found = shape_text(source->shape),
                                  .hint = std::string(hint)});
        const std::string inner = path.empty() ? field.name : path + '.' + field.name;
        for (std::size_t i = 0; i < field.count(); ++i)
            add(source->type, field.type, from_at + source->offset + i * static_cast<std::size_t>(source->type.size()),
                to_at + field.offset + i * static_cast<std::size_t>(field.type.size()), inner, file, hint);
        if (field.count() == 0)  // no bytes to move, but the dtypes must agree
            (void)conversion(source->type, field.type, file, hint);
    }
}

NDKEEP_INLINE void conversion::merge() {
    std::vector<move> merged;
    for (const move& next : moves_) {
        if (!merged.empty()) {
            move& last = merged.back();
            if (last.width == next.width && last.from + last.bytes == next.from && last.to + last.bytes == next.to) {
                last.bytes += next.bytes;
                continue;
            }
        }
        merged.push_back(next);
    }
    moves_ = std::move(merged);
}

}  // namespace ndkeep
