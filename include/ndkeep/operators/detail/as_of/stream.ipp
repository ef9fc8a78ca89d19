// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/operators/detail/as_of/stream.hpp>.
#pragma once

#include <ndkeep/operators/detail/as_of/stream.hpp>

#include <ndkeep/array/any.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/operators/detail/as_of/groups.hpp>
#include <ndkeep/operators/detail/state.hpp>

#include <algorithm>
#include <cstring>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE row_memory row_queue::rows(std::size_t from, std::size_t to) const {
    row_memory rows{.side = side_, .type = type_};
    rows.data = data() + from * item_;
    rows.step = static_cast<std::ptrdiff_t>(item_);
    rows.count = to - from;
    rows.first = static_cast<std::size_t>(total_) - size() + from;
    return rows;
}

NDKEEP_INLINE void row_queue::add(const array_view& rows) {
    if (rows.shape().size() != 1)
        throw mismatch_error({.field = side_ + " shape", .expected = "1 dimension", .found = shape_text(rows.shape())});
    if (rows.type() != type_)
        throw mismatch_error(
            {.field = side_ + " dtype", .expected = dtype_text(type_), .found = dtype_text(rows.type())});
    const std::size_t before = bytes_.size();
    bytes_.resize(before + rows.nbytes());
    rows.fill(0, rows.size(), bytes_.data() + before);
    total_ += rows.size();
}

NDKEEP_INLINE void row_queue::take_back(std::size_t count) {
    bytes_.resize(bytes_.size() - count * item_);
    total_ -= count;
}

NDKEEP_INLINE void row_queue::drop(std::size_t count) {
    first_ += count;
    // Each row is moved at most once for each row that is dropped.
    if (first_ >= size()) {
        bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(first_ * item_));
        first_ = 0;
    }
}

NDKEEP_INLINE void row_queue::move_row(std::size_t from, std::size_t to) {
    if (from != to)
        std::memcpy(bytes_.data() + (first_ + to) * item_, data() + from * item_, item_);
}

NDKEEP_INLINE void row_queue::restore(const array_view& rows, std::uint64_t total) {
    const conversion convert(rows.type(), type_);
    const any_array stored(rows);
    std::vector<std::byte> bytes(stored.size() * item_);
    convert.run(bytes.data(), stored.bytes().data(), stored.size());
    bytes_ = std::move(bytes);
    first_ = 0;
    total_ = total;
}

NDKEEP_INLINE as_of_stream::as_of_stream(const dtype& left, const dtype& right, const as_of_options& options,
                                         std::size_t window)
    : options_(options), window_(window), left_(left, "left"), right_(right, "right") {
    // Without rows, this checks the fields and their types.
    form_ = sides_of(left_.rows(0, 0), right_.rows(0, 0), options.on, options.by).form;
    rule_ = {options.direction, limit_of(options.tolerance, form_), options.exact};
}

NDKEEP_INLINE side_keys as_of_stream::keys(const row_queue& rows, std::size_t from, std::size_t to) const {
    return keys_in(key_rows(rows.rows(from, to), options_.on), form_);
}

NDKEEP_INLINE void as_of_stream::check_order(const row_queue& rows, std::size_t from) const {
    const std::size_t begin = from == 0 ? 0 : from - 1;
    const auto added = keys(rows, begin, rows.size());
    with_key(form_, [&]<class Number>(Number) {
        for (std::size_t i = from - begin; i < added.count; ++i)
            if (form_.is_missing(added.at<Number>(i)) || (i != 0 && added.at<Number>(i) < added.at<Number>(i - 1)))
                refuse_key<Number>(added, form_, i, i == 0 ? 0 : i - 1, "all rows of a stream are in order");
    });
}

NDKEEP_INLINE void as_of_stream::check_late(std::size_t from) const {
    if (emitted_ == 0 || from == right_.size())
        return;
    const auto last = keys(left_, 0, 1), added = keys(right_, from, from + 1);
    with_key(form_, [&]<class Number>(Number) {
        const auto emitted = last.at<Number>(0), key = added.at<Number>(0);
        if (key < emitted || (options_.exact && key == emitted && options_.direction != forward))
            throw mismatch_error({.field = "right row " + std::to_string(added.first),
                                  .expected = "above " + form_.text(emitted) + ", the last left key that was joined",
                                  .found = "key " + form_.text(key)});
    });
}

NDKEEP_INLINE std::size_t as_of_stream::push(const array_view& left, const array_view& right, bool complete) {
    const std::size_t lefts = left_.size(), rights = right_.size();
    left_.add(left);
    try {
        right_.add(right);
        check_order(left_, lefts);
        check_order(right_, rights);
        check_late(rights);
    } catch (...) {
        left_.take_back(left_.size() - lefts);
        right_.take_back(right_.size() - rights);
        throw;
    }
    return find(complete && options_.direction == backward);
}

NDKEEP_INLINE std::size_t as_of_stream::finish() { return find(true); }

NDKEEP_INLINE std::size_t as_of_stream::find(bool all) {
    return with_key(form_, [&]<class Number>(Number) {
        found_ = options_.direction == backward ? find_backward<Number>(all) : find_ahead<Number>(all);
        return found_;
    });
}

/// The number of keys that are below a key, or with `equal` not above it, of keys in order.
template <class Number>
[[nodiscard]] std::size_t keys_before(const side_keys& keys, Number key, bool equal) {
    std::size_t low = 0, high = keys.count;
    while (low < high) {
        const std::size_t middle = low + (high - low) / 2;
        const auto here = keys.at<Number>(middle);
        if (equal ? !(key < here) : here < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

template <class Number>
std::size_t as_of_stream::find_backward(bool all) {
    const auto left = keys(left_, emitted_, left_.size()), right = keys(right_, 0, right_.size());
    std::size_t count = left.count;
    // Right rows that may still come have the last right key or a greater one.
    if (!all)
        count = right.count == 0 ? 0 : keys_before(left, right.at<Number>(right.count - 1), !options_.exact);
    if (count != 0)
        find_rows(count, keys_before(right, left.at<Number>(count - 1), true));
    return count;
}

template <class Number>
std::size_t as_of_stream::find_ahead(bool all) {
    const auto left = keys(left_, emitted_, left_.size()), right = keys(right_, 0, right_.size());
    if (all || right.count == 0 || left.count == 0) {
        const std::size_t count = all ? left.count : 0;
        if (count != 0)
            find_rows(count, right.count);
        return count;
    }
    auto sides = sides_of(left_.rows(emitted_, left_.size()), right_.rows(0, right_.size()), options_.on, options_.by);
    std::vector<std::int64_t> ahead(left.count), behind;
    match_rows(sides, {forward, {}, options_.exact}, ahead.data());
    if (options_.direction == nearest) {
        behind.resize(left.count);
        match_rows(sides, {backward, {}, options_.exact}, behind.data());
    }
    const auto last = right.at<Number>(right.count - 1);
    const auto is_decided = [&](std::size_t i) {
        const auto key = left.at<Number>(i);
        if (options_.direction == forward && ahead[i] >= 0)
            return true;
        // Rows that may still come are at least as far away as the last right key. One as near as the row behind loses.
        if (!(key < last))
            return false;
        if (ahead[i] >= 0 || (rule_.limit.is_limited && !rule_.limit.allows(key, last)))
            return true;
        return options_.direction == nearest && behind[i] >= 0 &&
               !is_farther<Number>(right.at<Number>(static_cast<std::size_t>(behind[i])), key, key, last);
    };
    std::size_t count = 0;
    while (count < left.count && is_decided(count))
        ++count;
    if (count != 0)
        find_rows(count, right.count);
    return count;
}

NDKEEP_INLINE void as_of_stream::find_rows(std::size_t count, std::size_t end) {
    auto sides = sides_of(left_.rows(emitted_, emitted_ + count), right_.rows(0, end), options_.on, options_.by);
    std::vector<std::int64_t> rows(count);
    match_rows(sides, rule_, rows.data());
    if (window_ == 0) {
        rows_ = std::move(rows);
        return;
    }
    const right_rows right{end, std::move(sides.groups.right), sides.groups.table.size()};
    rows_.resize(count * window_);
    fill_windows(rows.data(), count, window_, right, rows_.data());
}

NDKEEP_INLINE void as_of_stream::take(std::byte* left, std::byte* right, bool* found, const std::byte* fill) {
    if (found_ == 0)
        return;
    const auto item = static_cast<std::size_t>(right_.type().size());
    const auto lefts = left_.rows(emitted_, emitted_ + found_);
    std::memcpy(left, lefts.data, found_ * static_cast<std::size_t>(left_.type().size()));
    for (const std::int64_t row : rows_) {
        const bool is_found = row >= 0;
        std::memcpy(right, is_found ? right_.data() + static_cast<std::size_t>(row) * item : fill, item);
        right += item;
        *found++ = is_found;
    }
    // The last of them stays, as the row that was emitted last.
    left_.drop(emitted_ + found_ - 1);
    emitted_ = 1;
    found_ = 0;
    rows_.clear();
    forget();
}

NDKEEP_INLINE void as_of_stream::forget() {
    // The first left key that may still come is not below this one.
    const auto left = keys(left_, left_.size() > 1 ? 1 : 0, left_.size());
    const auto right = keys(right_, 0, right_.size());
    const std::size_t past =
        with_key(form_, [&]<class Number>(Number) { return keys_before(right, left.at<Number>(0), false); });
    const std::size_t kept = std::max<std::size_t>(window_, 1);
    if (options_.by.empty()) {
        right_.drop(past - std::min(past, kept));
        return;
    }
    auto groups = groups_of(left_.rows(0, 0), right_.rows(0, past), options_.by);
    groups.read_all(0, past);
    std::vector<std::size_t> seen(groups.table.size());
    std::size_t to = past;
    for (std::size_t i = past; i-- > 0;)
        if (seen[groups.right.data[i]]++ < kept)
            right_.move_row(i, --to);
    right_.drop(to);
}

NDKEEP_INLINE std::string as_of_stream::text() const {
    std::string text = "on " + ndkeep::quoted(options_.on.empty() ? "time" : options_.on);
    for (const auto& name : options_.by)
        text += (&name == options_.by.data() ? ", by " : " and ") + ndkeep::quoted(name);
    text += options_.direction == backward ? ", backward" : options_.direction == forward ? ", forward" : ", nearest";
    text += options_.exact ? ", exact" : ", not exact";
    if (rule_.limit.is_limited)
        text += ", tolerance " + (form_.number == 'i' || form_.number == 'u' ? std::to_string(rule_.limit.whole)
                                                                             : form_.text(rule_.limit.real));
    return text + ", window " + std::to_string(window_);
}

NDKEEP_INLINE void as_of_stream::restore(const std::string& text, const array_view& left, std::uint64_t left_total,
                                         bool has_emitted, const array_view& right, std::uint64_t right_total) {
    check_stored_options("join", this->text(), text);
    row_queue lefts(left_.type(), "left"), rights(right_.type(), "right");
    lefts.restore(left, left_total);
    rights.restore(right, right_total);
    if ((has_emitted && lefts.size() == 0) || lefts.total() < lefts.size() || rights.total() < rights.size())
        throw mismatch_error({.field = "rows of the join", .expected = "as they were stored", .found = "fewer"});
    left_ = std::move(lefts);
    right_ = std::move(rights);
    emitted_ = has_emitted ? 1 : 0;
    found_ = 0;
    rows_.clear();
}

}  // namespace ndkeep::detail
