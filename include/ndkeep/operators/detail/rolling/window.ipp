// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/operators/detail/rolling/window.hpp>.
#pragma once

#include <ndkeep/operators/detail/rolling/window.hpp>

#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/bytes/float_environment.hpp>
#include <ndkeep/element/dispatch.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/operators/detail/rolling/statistics.hpp>
#include <ndkeep/os/mapping.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Values that are read together.
inline constexpr std::size_t window_block = 2048;

template <class Function>
void rolling_window::with_statistic(const Function& function) {
    switch (options_.of) {
    case rolled::sum:
        return function(window_sum());
    case rolled::mean:
        return function(window_mean());
    case rolled::min:
        return function(window_extreme<true>());
    case rolled::max:
        return function(window_extreme<false>());
    case rolled::std:
        return function(window_spread());
    }
}

NDKEEP_INLINE rolling_window::rolling_window(const dtype& type, const rolling_options& options)
    : type_(type), options_(options), positions_(1) {
    const bool is_span = options_.span.has_value();
    if ((options_.rows != 0) == is_span)
        throw mismatch_error({.field = "window", .expected = "rows or a span", .found = is_span ? "both" : "none"});
    if (is_span && options_.span->kind() != rule_kind::width)
        throw mismatch_error({.field = "span of the window",
                              .expected = "a number or a duration of fixed length",
                              .found = options_.span->kind() == rule_kind::edges ? "edges" : "months of the calendar"});
    least_count_ = std::max<std::uint64_t>(1, options_.min_rows.value_or(is_span ? 1 : options_.rows));
    if (!is_span && least_count_ > options_.rows)
        throw mismatch_error({.field = "least number of values",
                              .expected = "at most " + counted(options_.rows, "row"),
                              .found = std::to_string(least_count_)});
    static constexpr std::array<const char*, 5> words = {"sum", "mean", "min", "max", "std"};
    text_ = type_.str() + ' ' + words[static_cast<std::size_t>(options_.of)] + " of " +
            (is_span ? "a span of " + number_text(options_.span->width()) + ' ' + options_.span->type().str()
                     : counted(options_.rows, "row")) +
            ", at least " + std::to_string(least_count_);
    if (options_.of == rolled::std)
        text_ += ", ddof " + std::to_string(options_.ddof);
    with_statistic([this]<class Statistic>(Statistic) { turn<Statistic>(0); });
}

NDKEEP_INLINE void rolling_window::set_keys(const dtype& type) {
    if (key_text_.empty() || codes_.field().name.empty()) {
        codes_ = key_codes({.type = type, .offset = 0, .name = "keys"});
        const bins width(*options_.span, codes_, bin_edge::left, std::nullopt, "span of the window");
        span_ = static_cast<std::int64_t>(width.width());
        real_span_ = width.real_width();
    }
    if (!key_text_.empty() && key_text_ != type.str())
        throw mismatch_error(
            {.field = "dtype of the keys", .expected = ndkeep::quoted(key_text_), .found = ndkeep::quoted(type.str())});
    key_text_ = type.str();
}

NDKEEP_INLINE std::int64_t rolling_window::bound_of(std::int64_t key) const {
    if (codes_.is_floating())
        return codes_.code_of(codes_.real_of(key) - real_span_);
    std::int64_t bound = 0;
    // Nothing is below the least number.
    if (__builtin_sub_overflow(key, span_, &bound) || bound < codes_.least())
        return std::numeric_limits<std::int64_t>::min();
    return bound;
}

template <class Statistic>
void rolling_window::turn(std::size_t end) {
    auto& at = positions_[0];
    tails_begin_ = static_cast<std::size_t>(at.begin);
    at.turn = end;
    heads_begin_ = heads_end_ = end;
    window_sums<double> older;
    Statistic::begin(older);
    newer_ = older;
    std::size_t left = end - tails_begin_;
    tails_.reserve(left + 1);
    tails_.put<Statistic>(left, older);
    const double* const values = values_.data();
    if (nan_end_ <= tails_begin_) {
        heads_.reserve(window_block);
        const std::size_t both = add_both<Statistic>(values + end, std::min({left, values_.size() - end, window_block}),
                                                     tails_, left, heads_, older, newer_);
        heads_end_ += both;
        left -= both;
    }
    while (left-- > 0) {
        if (const double value = values[tails_begin_ + left]; !is_nan(value))
            Statistic::add(older, value);
        tails_.put<Statistic>(left, older);
    }
}

template <class Statistic>
void rolling_window::add_heads(std::size_t first, std::size_t count) {
    heads_.reserve(window_block);
    heads_begin_ = first;
    heads_end_ = first + count;
    // A variable of its own: the compiler must assume that the columns are part of the object.
    window_sums<double> newer = newer_;
    for (std::size_t i = 0; i < count; ++i) {
        if (const double value = values_[first + i]; !is_nan(value))
            Statistic::add(newer, value);
        heads_.put<Statistic>(i, newer);
    }
    newer_ = newer;
}

NDKEEP_INLINE std::size_t rolling_window::rows_before_turn(std::size_t first, std::size_t most) {
    auto& at = positions_[0];
    const std::size_t count = std::min(values_.size() - first, most);
    if (!options_.span) {
        const std::uint64_t held = first - at.begin;
        is_regular_ = held == options_.rows;
        const auto some = static_cast<std::size_t>(
            std::min<std::uint64_t>(count, is_regular_ ? at.turn - at.begin : options_.rows - held));
        if (is_regular_) {
            begins_[0] = static_cast<std::size_t>(at.begin + 1);
            at.begin += some;
        } else {
            std::fill_n(begins_.begin(), some, static_cast<std::size_t>(at.begin));
        }
        return some;
    }
    // The keys ascend: if the first one less the span is a key, all are.
    const std::int64_t least = keys_[first];
    const bool is_plain = !codes_.is_floating() && bound_of(least) != std::numeric_limits<std::int64_t>::min();
    return is_plain ? begins_of(first, count, [span = span_](std::int64_t key) { return key - span; })
                    : begins_of(first, count, [this](std::int64_t key) { return bound_of(key); });
}

template <class Bound>
std::size_t rolling_window::begins_of(std::size_t first, std::size_t count, const Bound& bound_at) {
    auto& at = positions_[0];
    // In variables of their own: the compiler must assume that a store changes what is in memory.
    std::size_t begin = static_cast<std::size_t>(at.begin), irregular = 0;
    const auto turned = static_cast<std::size_t>(at.turn);
    const std::int64_t* const keys = keys_.data();
    std::size_t* const begins = begins_.data();
    std::size_t i = 0;
    for (; i < count; ++i) {
        const std::int64_t bound = bound_at(keys[first + i]);
        while (begin < turned && keys[begin] <= bound)
            ++begin;
        if (begin == turned && turned < first + i && keys[begin] <= bound)
            break;
        begins[i] = begin;
        irregular |= (begin - i) ^ begins[0];
    }
    at.begin = begin;
    is_regular_ = irregular == 0;
    return i;
}

template <class Statistic>
void rolling_window::add(std::size_t first, double* results) {
    begins_.resize(window_block);
    for (std::size_t i = first; i < values_.size();) {
        const std::size_t count = rows_before_turn(i, heads_end_ > i ? heads_end_ - i : window_block);
        if (count == 0) {
            turn<Statistic>(i);
            continue;
        }
        if (heads_end_ <= i)
            add_heads<Statistic>(i, count);
        const window_columns* older = &tails_;
        std::size_t first_older = begins_[0] - tails_begin_;
        if (!is_regular_) {
            older_block_.reserve(window_block);
            for (std::size_t j = 0; j < count; ++j)
                older_block_.copy<Statistic>(j, tails_, begins_[j] - tails_begin_);
            older = &older_block_;
            first_older = 0;
        }
        combine<Statistic>(*older, first_older, heads_, i - heads_begin_, count, static_cast<double>(least_count_),
                           static_cast<double>(options_.ddof), results + (i - first));
        i += count;
    }
}

NDKEEP_INLINE void rolling_window::drop_values() {
    auto& at = positions_[0];
    const auto gone = static_cast<std::size_t>(at.begin);
    if (gone < 4096 || gone < values_.size() / 2)
        return;
    const auto end = static_cast<std::ptrdiff_t>(gone);
    values_.erase(values_.begin(), values_.begin() + end);
    if (options_.span)
        keys_.erase(keys_.begin(), keys_.begin() + end);
    nan_end_ -= std::min(nan_end_, gone);
    tails_begin_ -= gone;
    heads_begin_ = heads_end_ = values_.size();
    at.turn -= gone;
    at.begin = 0;
}

NDKEEP_INLINE void rolling_window::read_values(const row_memory& values, std::size_t first, std::size_t count) {
    const std::size_t begin = values_.size();
    values_.resize(begin + count);
    double* const out = values_.data() + begin;
    const std::byte* at = values.at(first);
    (void)core::with_element_type(type_, [&]<class T>(std::type_identity<T>) {
        if constexpr (std::is_convertible_v<T, double>) {
            const auto read = [&](std::ptrdiff_t step) {
                for (std::size_t i = 0; i < count; ++i, at += step) {
                    T value;
                    std::memcpy(&value, at, sizeof(T));
                    out[i] = static_cast<double>(value) + 0.0;  // -0.0 becomes 0.0
                }
            };
            // With a step that is known, compilers use vectors.
            if (values.step == static_cast<std::ptrdiff_t>(sizeof(T)))
                read(sizeof(T));
            else
                read(values.step);
        }
    });
    note_nan(begin);
}

NDKEEP_INLINE void rolling_window::note_nan(std::size_t from) {
    if (!has_nan(values_.data() + from, values_.size() - from))
        return;
    nan_end_ = values_.size();
    while (!is_nan(values_[nan_end_ - 1]))
        --nan_end_;
}

NDKEEP_INLINE void rolling_window::read_keys(const row_memory& keys, std::size_t first, std::size_t count) {
    auto& at = positions_[0];
    const std::size_t begin = keys_.size();
    keys_.resize(begin + count);
    std::int64_t before = at.has_key != 0 ? at.last_key : codes_.least();
    if (!codes_.read(keys.at(first), keys.step, count, before, keys_.data() + begin)) {
        std::size_t i = 0;
        for (; keys_[begin + i] >= before && keys_[begin + i] <= codes_.greatest(); ++i)
            before = keys_[begin + i];
        throw mismatch_error({.field = "key of row " + std::to_string(at.rows + i),
                              .expected = i == 0 && at.has_key == 0 ? "a key" : "not below " + codes_.text_of(before),
                              .found = codes_.text_of(keys_[begin + i])});
    }
    at.last_key = keys_.back();
    at.has_key = 1;
}

NDKEEP_INLINE void rolling_window::push(const array_view& values, const array_view* keys, double* results) {
    const default_arithmetic to_nearest;
    const auto refuse = [](std::string field, std::string expected, std::string found) {
        throw mismatch_error({.field = std::move(field), .expected = std::move(expected), .found = std::move(found)});
    };
    if (values.type() != type_)
        refuse("dtype of the values", ndkeep::quoted(type_.str()), ndkeep::quoted(values.type().str()));
    if (values.shape().size() != 1)
        refuse("shape of the values", "1 dimension", shape_text(values.shape()));
    if ((keys != nullptr) != options_.span.has_value())
        refuse("keys", options_.span ? "one for each value" : "none, because the window is of rows",
               keys == nullptr ? "none" : "some");
    if (keys != nullptr) {
        if (keys->shape() != values.shape())
            refuse("shape of the keys", shape_text(values.shape()), shape_text(keys->shape()));
        set_keys(keys->type());
    }
    auto& at = positions_[0];
    const row_memory rows = memory_of(values, "values"),
                     rows_of_keys = keys == nullptr ? row_memory() : memory_of(*keys, "keys");
    prefer_huge_pages({reinterpret_cast<std::byte*>(results), values.size() * sizeof(double)});
    for (std::size_t done = 0; done < values.size();) {
        const std::size_t some = std::min(values.size() - done, window_block), first = values_.size();
        if (keys != nullptr)
            read_keys(rows_of_keys, done, some);
        read_values(rows, done, some);
        with_statistic([&]<class Statistic>(Statistic) { add<Statistic>(first, results + done); });
        drop_values();
        at.rows += some;
        done += some;
    }
}

template <class Statistic>
void rolling_window::restore_parts() {
    const auto end = static_cast<std::size_t>(positions_[0].turn);
    turn<Statistic>(end);
    heads_begin_ = heads_end_ = values_.size();
    Statistic::begin(newer_ = {});
    for (std::size_t i = end; i < values_.size(); ++i)
        if (const double value = values_[i]; !is_nan(value))
            Statistic::add(newer_, value);
}

NDKEEP_INLINE void rolling_window::restore() {
    const default_arithmetic to_nearest;
    const bool fits = positions_.size() == 1 && positions_[0].begin <= positions_[0].turn &&
                      positions_[0].turn <= values_.size() && keys_.size() == (options_.span ? values_.size() : 0);
    if (!fits)
        refuse_state("window");
    codes_ = {};
    if (options_.span && !key_text_.empty())
        set_keys(dtype::parse(key_text_));
    nan_end_ = 0;
    note_nan(0);
    with_statistic([this]<class Statistic>(Statistic) { restore_parts<Statistic>(); });
}

}  // namespace ndkeep::detail
