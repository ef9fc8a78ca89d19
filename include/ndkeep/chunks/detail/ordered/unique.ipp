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

NDKEEP_INLINE bool compared_values::equal(const std::byte* a, const std::byte* b) const {
    for (const auto& each : values_) {
        const std::byte *const x = a + each.offset, *const y = b + each.offset;
        if (std::memcmp(x, y, static_cast<std::size_t>(each.size)) == 0)
            continue;
        if (each.add_to == nullptr)
            return false;
        // Numbers can be equal although their bytes differ.
        std::string of_x, of_y;
        each.add_to(x, each.is_swapped, of_x);
        each.add_to(y, each.is_swapped, of_y);
        if (of_x != of_y)
            return false;
    }
    return true;
}

NDKEEP_INLINE void unique_rows::add(std::span<const std::byte> block, const row_codes& codes, std::size_t from,
                                    std::size_t to, bool is_given) {
    if (values_ == nullptr) {
        to_.add(block, codes, from, to);
        return;
    }
    if (from == to)
        return;
    std::size_t same = from;
    while (same < to && holds_key(codes, same))
        ++same;
    if (same > from) {
        detach();
        hold({block, &codes, from, same, is_given});
        if (same == to)
            return;
    }
    finish();
    std::size_t last = to - 1;
    while (last > same && codes.equal(last - 1, codes, last))
        --last;
    if (last > same) {
        if (!is_given)
            to_.add(block, codes, same, last);
        else
            pass_on({block, &codes, same, last, true});
    }
    last_ = {block, &codes, last, to, is_given};
}

/// Copies rows of two sources in the order of their keys, of equal keys the present one first.
/// @tparam Bytes   of a row; 0: `row_bytes`
/// @tparam Unique  stops before rows with equal keys, if one of them is given
/// @returns the number of rows
template <std::size_t Bytes, bool Unique>
[[nodiscard]] std::size_t alternate(unique_rows::source& present, unique_rows::source& given, std::size_t row_bytes,
                                    std::byte* out, std::size_t most) {
    // So many adjacent rows are a long run.
    constexpr std::size_t many = 32;
    const std::size_t size = Bytes == 0 ? row_bytes : Bytes;
    const auto &olds = *present.codes, &news = *given.codes;
    std::size_t old = present.next, next = given.next, count = 0, alone = 0;
    bool was_given = false;
    while (count < most && alone < many && old < present.end && next < given.end) {
        const bool is_given = news.less(next, olds, old);
        if constexpr (Unique)
            if (is_given ? next + 1 < given.end && news.equal(next, news, next + 1) : news.equal(next, olds, old))
                break;
        const std::byte* const row = is_given ? given.block.data() + next * size : present.block.data() + old * size;
        std::memcpy(out + count * size, row, size);
        next += is_given;
        old += !is_given;
        ++count;
        alone = is_given == was_given ? alone + 1 : 0;
        was_given = is_given;
    }
    present.next = old;
    given.next = next;
    return count;
}

template <bool Unique>
[[nodiscard]] std::size_t alternate(unique_rows::source& present, unique_rows::source& given, std::size_t row_bytes,
                                    std::byte* out, std::size_t most) {
    // A size that the compiler knows makes the copy two or three instructions.
    switch (row_bytes) {
    case 8:
        return alternate<8, Unique>(present, given, row_bytes, out, most);
    case 16:
        return alternate<16, Unique>(present, given, row_bytes, out, most);
    case 24:
        return alternate<24, Unique>(present, given, row_bytes, out, most);
    case 32:
        return alternate<32, Unique>(present, given, row_bytes, out, most);
    default:
        return alternate<0, Unique>(present, given, row_bytes, out, most);
    }
}

NDKEEP_INLINE void unique_rows::add_alternating(source& present, source& given) {
    constexpr std::uint64_t block = 256;
    const auto most = static_cast<std::size_t>(std::min(block, to_.room()));
    if (most == 0 || present.next == present.end || given.next == given.end)
        return;
    if (values_ == nullptr) {
        to_.add_written(most, [&](std::byte* out) { return alternate<false>(present, given, row_bytes_, out, most); });
        return;
    }
    if (holds_key(*present.codes, present.next) || holds_key(*given.codes, given.next))
        return;
    finish();
    to_.add_written(most, [&](std::byte* out) { return alternate<true>(present, given, row_bytes_, out, most); });
}

NDKEEP_INLINE void unique_rows::detach() {
    if (last_.codes != nullptr)
        hold(std::exchange(last_, {}));
}

NDKEEP_INLINE void unique_rows::hold(const run& rows) {
    const auto bytes = rows.block.subspan(rows.from * row_bytes_, (rows.to - rows.from) * row_bytes_);
    held_.insert(held_.end(), bytes.begin(), bytes.end());
    codes_.append(*rows.codes, rows.from, rows.to);
    has_given_ = has_given_ || rows.is_given;
}

NDKEEP_INLINE void unique_rows::finish() {
    if (codes_.size() == 0) {
        if (last_.codes != nullptr)
            pass_on_key(std::exchange(last_, {}));
        return;
    }
    detach();
    pass_on_key({held_, &codes_, 0, codes_.size(), has_given_});
    held_.clear();
    codes_.drop(codes_.size());
    has_given_ = false;
}

NDKEEP_INLINE void unique_rows::pass_on(const run& rows) {
    const auto& codes = *rows.codes;
    std::size_t begin = rows.from;  // of rows that are not passed on yet
    for (std::size_t i = rows.from, end = i; i < rows.to; i = end) {
        for (end = i + 1; end < rows.to && codes.equal(i, codes, end);)
            ++end;
        if (end - i == 1)
            continue;
        to_.add(rows.block, codes, begin, i);
        pass_on_key({rows.block, rows.codes, i, end, true});
        begin = end;
    }
    to_.add(rows.block, codes, begin, rows.to);
}

NDKEEP_INLINE void unique_rows::pass_on_key(const run& rows) {
    const std::size_t count = rows.to - rows.from;
    if (count == 1 || !rows.is_given)
        return to_.add(rows.block, *rows.codes, rows.from, rows.to);
    if (values_->is_the_key())
        return to_.add(rows.block, *rows.codes, rows.to - 1, rows.to);
    const auto row = [&](std::size_t i) { return rows.block.data() + i * row_bytes_; };
    // So few rows are compared with each other; more are looked up.
    constexpr std::size_t few = 8;
    if (count <= few) {
        for (std::size_t i = rows.from; i < rows.to; ++i) {
            std::size_t later = i + 1;
            while (later < rows.to && !values_->equal(row(i), row(later)))
                ++later;
            if (later == rows.to)
                to_.add(rows.block, *rows.codes, i, i + 1);
        }
        return;
    }
    std::vector<std::uint8_t> repeated(count);
    std::unordered_set<std::string> later;
    for (std::size_t i = count; i-- > 0;)
        repeated[i] = !later.insert(values_->of(row(rows.from + i))).second;
    for (std::size_t i = 0, end = 0; i < count; i = end) {
        for (end = i + 1; end < count && repeated[end] == repeated[i];)
            ++end;
        if (repeated[i] == 0)
            to_.add(rows.block, *rows.codes, rows.from + i, rows.from + end);
    }
}

}  // namespace ndkeep::detail
