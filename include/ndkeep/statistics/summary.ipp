// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/statistics/summary.hpp>.
#pragma once

#include <ndkeep/statistics/summary.hpp>

#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/element/strided.hpp>

#include <complex>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Elements of one block. It is small enough for the second pass to find it in the cache, and large enough for the cost
/// of merging blocks to be negligible.
inline constexpr std::size_t summary_block = 8192;

template <class T>
[[nodiscard]] statistics summary_of_numbers(const T* values, std::size_t count) {
    // The vector loops work on doubles. A double does not hold every 64-bit integer and long double exactly.
    if constexpr (std::numeric_limits<T>::digits > std::numeric_limits<double>::digits) {
        return summary_one_by_one(values, count);
    } else {
        summed_numbers sums;
#if defined(__x86_64__)
        if (__builtin_cpu_supports("avx2"))
            sum_widely(values, count, sums);
        else
#endif
            sum_plainly(values, count, sums);
        statistics found;
        found.count = count;
        found.nan = sums.nan;
        if (sums.nan == count)
            return found;
        found.min = exact_number(static_cast<T>(sums.low));
        found.max = exact_number(static_cast<T>(sums.high));
        found.mean = sums.mean;
        found.std = std::sqrt(sums.squares / static_cast<double>(count - sums.nan));
        return found;
    }
}

template <class T>
[[nodiscard]] statistics summary_of_complex(const std::complex<T>* values, std::size_t count) {
    statistics found;
    found.count = count;
    double real = 0;
    double imaginary = 0;
    const auto missing = [&](std::size_t i) { return is_nan(values[i].real()) || is_nan(values[i].imag()); };
    for (std::size_t i = 0; i < count; ++i) {
        if (missing(i)) {
            ++found.nan;
            continue;
        }
        real += static_cast<double>(values[i].real());
        imaginary += static_cast<double>(values[i].imag());
    }
    if (found.nan == count)
        return found;
    const auto some = static_cast<double>(count - found.nan);
    found.mean = real / some;
    found.mean_imaginary = imaginary / some;
    double squares = 0;
    for (std::size_t i = 0; i < count; ++i)
        if (!missing(i)) {
            const double x = static_cast<double>(values[i].real()) - *found.mean;
            const double y = static_cast<double>(values[i].imag()) - *found.mean_imaginary;
            squares += x * x + y * y;
        }
    found.std = std::sqrt(squares / some);
    return found;
}

[[nodiscard]] NDKEEP_INLINE statistics summary_of_dates(const std::int64_t* values, std::size_t count) {
    // NaT, which NumPy stores as the smallest number.
    constexpr std::int64_t missing = std::numeric_limits<std::int64_t>::min();
    statistics found;
    found.count = count;
    for (std::size_t i = 0; i < count; ++i) {
        if (values[i] == missing) {
            ++found.nan;
            continue;
        }
        if (!found.min || values[i] < std::get<std::int64_t>(*found.min))
            found.min = values[i];
        if (!found.max || values[i] > std::get<std::int64_t>(*found.max))
            found.max = values[i];
    }
    return found;
}

/// @param elements  aligned, contiguous, in native byte order
/// @param count     at most `summary_block`
[[nodiscard]] NDKEEP_INLINE statistics summary_of_block(const dtype& type, const std::byte* elements,
                                                        std::size_t count) {
    const auto as = [&]<class T>(std::type_identity<T>) { return reinterpret_cast<const T*>(elements); };
    const auto numbers = [&]<class T>(std::type_identity<T> of) { return summary_of_numbers(as(of), count); };
    switch (type.kind()) {
    case 'b': {
        // A file may store any byte as a bool; all but 0 are true.
        std::array<std::uint8_t, summary_block> flags;
        for (std::size_t i = 0; i < count; ++i)
            flags[i] = elements[i] != std::byte{0};
        return summary_of_numbers(flags.data(), count);
    }
    case 'i':
        switch (type.size()) {
        case 1:
            return numbers(std::type_identity<std::int8_t>());
        case 2:
            return numbers(std::type_identity<std::int16_t>());
        case 4:
            return numbers(std::type_identity<std::int32_t>());
        default:
            return numbers(std::type_identity<std::int64_t>());
        }
    case 'u':
        switch (type.size()) {
        case 1:
            return numbers(std::type_identity<std::uint8_t>());
        case 2:
            return numbers(std::type_identity<std::uint16_t>());
        case 4:
            return numbers(std::type_identity<std::uint32_t>());
        default:
            return numbers(std::type_identity<std::uint64_t>());
        }
    case 'f':
        switch (type.size()) {
        case 2: {
            std::array<float, summary_block> wide;
            std::copy_n(as(std::type_identity<float16>()), count, wide.begin());
            return summary_of_numbers(wide.data(), count);
        }
        case 4:
            return numbers(std::type_identity<float>());
        case 8:
            return numbers(std::type_identity<double>());
        default:
            return numbers(std::type_identity<long double>());
        }
    case 'E': {
        std::array<float, summary_block> wide;
        std::copy_n(as(std::type_identity<bfloat16>()), count, wide.begin());
        return summary_of_numbers(wide.data(), count);
    }
    case 'c':
        return type.size() == 8    ? summary_of_complex(as(std::type_identity<std::complex<float>>()), count)
               : type.size() == 16 ? summary_of_complex(as(std::type_identity<std::complex<double>>()), count)
                                   : summary_of_complex(as(std::type_identity<std::complex<long double>>()), count);
    case 'M':
    case 'm':
        return summary_of_dates(as(std::type_identity<std::int64_t>()), count);
    default: {
        statistics found;
        found.count = count;
        return found;
    }
    }
}

}  // namespace detail

NDKEEP_INLINE running_statistics::running_statistics(const dtype& type) : type_(type) {
    for (const auto& field : type.fields()) {
        found_.fields.emplace_back(field.name, statistics{});
        inner_.emplace_back(field.type);
    }
}

NDKEEP_INLINE void running_statistics::update(const std::byte* elements, std::size_t count) {
    if (type_.is_struct())
        update_fields(elements, count);
    else
        update_values(elements, static_cast<std::ptrdiff_t>(type_.size()), count);
}

NDKEEP_INLINE std::size_t running_statistics::width() const {
    std::size_t sum = 1;
    for (const auto& field : inner_)
        sum += field.width();
    return sum;
}

NDKEEP_INLINE void running_statistics::append(const running_statistics& later) {
    found_ = found_.count == 0 ? later.found_ : detail::merged(found_, later.found_);
    for (std::size_t i = 0; i < inner_.size(); ++i)
        inner_[i].append(later.inner_[i]);
}

NDKEEP_INLINE statistics running_statistics::values() const {
    statistics found = found_;
    for (std::size_t i = 0; i < inner_.size(); ++i)
        found.fields[i].second = inner_[i].values();
    return found;
}

NDKEEP_INLINE void running_statistics::update_fields(const std::byte* elements, std::size_t count) {
    found_.count += count;
    const auto item = static_cast<std::size_t>(type_.size());
    // A tiny file can claim 2^62 elements of 0 bytes, which must not be looped over. No elements have no address
    // either.
    if (item == 0 || count == 0)
        return;
    for (std::size_t i = 0; i < inner_.size(); ++i) {
        const auto& field = type_.fields()[i];
        const auto many = static_cast<std::size_t>(field.count());
        const std::byte* const first = elements + field.offset;
        // The usual field: one call for all elements instead of one for each.
        if (many == 1 && !field.type.is_struct()) {
            inner_[i].update_values(first, static_cast<std::ptrdiff_t>(item), count);
            continue;
        }
        for (std::size_t j = 0; j < count; ++j)
            inner_[i].update(first + j * item, many);
    }
}

NDKEEP_INLINE void running_statistics::update_values(const std::byte* elements, std::ptrdiff_t step,
                                                     std::size_t count) {
    const auto item = static_cast<std::size_t>(type_.size());
    const bool counts_only = type_.kind() == 'S' || type_.kind() == 'U' || type_.kind() == 'V';
    if (counts_only) {
        found_.count += count;
        return;
    }
    // Copies of elements that are strided, misaligned or in the other byte order. Short pieces need no allocation.
    alignas(16) std::array<std::byte, 4096> few;
    detail::buffer many;
    while (count > 0) {
        const std::size_t some = std::min(count, detail::summary_block);
        // 16 bytes are the largest alignment of an element, that of a long double.
        const bool ready = step == static_cast<std::ptrdiff_t>(item) && type_.is_native() &&
                           reinterpret_cast<std::uintptr_t>(elements) % 16 == 0;
        const std::byte* block = elements;
        if (!ready) {
            // The first block is the largest, so one allocation is enough.
            if (some * item > few.size() && many.size() == 0)
                many = detail::buffer(some * item);
            std::byte* const copy = some * item > few.size() ? many.data() : few.data();
            detail::copy_run(copy, static_cast<std::ptrdiff_t>(item), elements, step, some, item);
            if (!type_.is_native())
                detail::swap_bytes(copy, copy, some * (item / detail::swap_width(type_)), detail::swap_width(type_));
            block = copy;
        }
        const auto found = detail::summary_of_block(type_, block, some);
        found_ = found_.count == 0 ? found : detail::merged(found_, found);
        elements += step * static_cast<std::ptrdiff_t>(some);
        count -= some;
    }
}

}  // namespace ndkeep
