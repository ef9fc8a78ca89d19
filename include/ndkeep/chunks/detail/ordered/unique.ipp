// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/ordered/unique.hpp>.
#pragma once

#include <ndkeep/chunks/detail/ordered/unique.hpp>

#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/element/bfloat16.hpp>
#include <ndkeep/element/dispatch.hpp>
#include <ndkeep/element/float16.hpp>
#include <ndkeep/error.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <type_traits>
#include <unordered_set>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE compared_values::compared_values(const chunk_state& state, const std::vector<std::string>& fields,
                                               const std::filesystem::path& called) {
    const auto is_key = [&](const std::string& name) {
        return name == state.order_by || (!name.empty() && name == state.then_by);
    };
    for (const auto& name : fields) {
        const auto* const field = state.type.is_struct() ? state.type.find(name) : nullptr;
        if (field == nullptr && !(name.empty() && !state.type.is_struct()))
            throw mismatched(called, "unique_by",
                             state.type.is_struct() ? "fields of " + state.type.descr()
                                                    : "\"\", the numbers themselves",
                             ndkeep::quoted(name));
        // Only rows with equal keys are compared.
        if (field != nullptr && !is_key(name))
            add(field->type, field->offset, field->count());
    }
    if (fields.empty())
        for (const auto& field : state.type.fields())
            if (!is_key(field.name))
                add(field.type, field.offset, field.count());
}

/// Adds a floating-point number as bytes that are equal for equal numbers.
template <class Number>
void add_equal_bytes(const std::byte* at, bool is_swapped, std::string& to) {
    std::array<std::byte, sizeof(Number)> bytes;
    std::memcpy(bytes.data(), at, sizeof(Number));
    if (is_swapped)
        std::reverse(bytes.begin(), bytes.end());
    Number number;
    std::memcpy(&number, bytes.data(), sizeof number);
    // The long double of x86 has 80 bits and six bytes of padding.
    constexpr bool is_padded = std::numeric_limits<Number>::digits == 64;
    constexpr std::size_t size = is_padded ? 10 : sizeof(Number);
    bool is_no_number = false;
    if constexpr (std::is_floating_point_v<Number>)
        is_no_number = is_nan(number);
    else
        is_no_number = is_nan(static_cast<float>(number));
    if (is_no_number) {
        to.append(size, '\xff');
        return;
    }
    // Of -0.0, only the sign is set. Decided by bits: -ffast-math would leave out a comparison with 0.
    constexpr std::byte sign{0x80};
    std::byte& top = bytes[std::endian::native == std::endian::little ? size - 1 : 0];
    const auto is_zero = [](std::byte each) { return each == std::byte{}; };
    if (top == sign && std::count_if(bytes.begin(), bytes.begin() + size, is_zero) == size - 1)
        top = std::byte{};
    to.append(reinterpret_cast<const char*>(bytes.data()), size);
}

NDKEEP_INLINE void compared_values::add(const dtype& type, std::uint64_t offset, std::uint64_t count) {
    bool is_added = false;
    (void)core::with_element_type(type, [&]<class T>(std::type_identity<T>) {
        if constexpr (std::is_floating_point_v<T> || std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>) {
            add_numbers(type, offset, count, &add_equal_bytes<T>);
            is_added = true;
        } else if constexpr (!std::is_integral_v<T>) {  // complex
            add_numbers(type, offset, 2 * count, &add_equal_bytes<typename T::value_type>);
            is_added = true;
        }
    });
    if (is_added)
        return;
    if (!type.is_struct()) {
        values_.push_back({.offset = offset, .size = count * type.size()});
        return;
    }
    for (std::uint64_t i = 0; i < count; ++i)
        for (const auto& field : type.fields())
            add(field.type, offset + i * type.size() + field.offset, field.count());
}

NDKEEP_INLINE void compared_values::add_numbers(const dtype& type, std::uint64_t offset, std::uint64_t count,
                                                number_bytes add_to) {
    const std::uint64_t size = type.is_complex() ? type.size() / 2 : type.size();
    for (std::uint64_t i = 0; i < count; ++i)
        values_.push_back(
            {.offset = offset + i * size, .size = size, .add_to = add_to, .is_swapped = !type.is_native()});
}

NDKEEP_INLINE std::string compared_values::of(const std::byte* row) const {
    std::string out;
    for (const auto& each : values_) {
        const std::byte* const at = row + each.offset;
        if (each.add_to != nullptr)
            each.add_to(at, each.is_swapped, out);
        else
            out.append(reinterpret_cast<const char*>(at), static_cast<std::size_t>(each.size));
    }
    return out;
}

NDKEEP_INLINE void unique_rows::add(std::span<const std::byte> block, const row_codes& codes, std::size_t from,
                                    std::size_t to, bool is_given) {
    if (values_ == nullptr) {
        to_.add(block, codes, from, to);
        return;
    }
    while (from < to) {
        const std::size_t some = std::min(to - from, most_);
        const auto rows = block.subspan(from * row_bytes_, some * row_bytes_);
        held_.insert(held_.end(), rows.begin(), rows.end());
        codes_.append(codes, from, from + some);
        given_.insert(given_.end(), some, is_given);
        from += some;
        // A group that fills all that is held is not searched again for its begin.
        if (codes_.size() < most_ || codes_.equal(0, codes_, codes_.size() - 1))
            continue;
        std::size_t last = codes_.size() - 1;
        while (last > 0 && codes_.equal(last - 1, codes_, codes_.size() - 1))
            --last;
        pass_on(last);
    }
}

NDKEEP_INLINE void unique_rows::pass_on(std::size_t count) {
    std::vector<std::uint8_t> repeated(count);
    for (std::size_t i = 0, end = 0; i < count; i = end) {
        end = i + 1;
        bool has_given = given_[i] != 0;
        for (; end < count && codes_.equal(i, codes_, end); ++end)
            has_given = has_given || given_[end] != 0;
        if (end - i > 1 && has_given)
            mark_repeated(i, end, repeated);
    }
    for (std::size_t i = 0, end = 0; i < count; i = end) {
        end = i + 1;
        while (end < count && repeated[end] == repeated[i])
            ++end;
        if (repeated[i] == 0)
            to_.add(held_, codes_, i, end);
    }
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(count * row_bytes_));
    codes_.drop(count);
    given_.erase(given_.begin(), given_.begin() + static_cast<std::ptrdiff_t>(count));
}

NDKEEP_INLINE void unique_rows::mark_repeated(std::size_t begin, std::size_t end,
                                              std::vector<std::uint8_t>& repeated) const {
    std::unordered_set<std::string> later;
    for (std::size_t i = end; i-- > begin;)
        repeated[i] =
            values_->is_the_key() ? i + 1 < end : !later.insert(values_->of(held_.data() + i * row_bytes_)).second;
}

}  // namespace ndkeep::detail
