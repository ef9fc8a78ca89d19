// SPDX-License-Identifier: BSD-3-Clause
// Sources of a loop that the user provides: ranges of arrays, and functions that return the next array.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/loop/detail/core.hpp>
#include <ndkeep/loop/options.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/text/hex.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/text/json/print.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

template <class A>
concept array_with_shape = requires(const A& array) {
    { *std::begin(array.shape()) } -> std::convertible_to<std::size_t>;
};
template <class A>
concept array_with_size = !has_axes<A> && requires(const A& array) {
    { std::size(array) } -> std::convertible_to<std::size_t>;
    std::data(array);
};

/// A type with countable rows: it has an array_adapter, a shape, or a size and data. Text is excluded.
template <class A>
concept rows_array =
    !std::convertible_to<const A&, std::string_view> && (adapted<A> || array_with_shape<A> || array_with_size<A>);

/// The first extent of a shape.
/// @throws mismatch_error  a scalar
template <class Shape>
[[nodiscard]] std::uint64_t rows_of_shape(const Shape& shape) {
    if (std::begin(shape) == std::end(shape))
        throw mismatch_error({.field = "shape", .expected = "at least 1 dimension", .found = "()"});
    return static_cast<std::uint64_t>(*std::begin(shape));
}

template <rows_array A>
[[nodiscard]] std::uint64_t rows_of_array(const A& array) {
    if constexpr (adapted<A>) {
        return rows_of_shape(array_view(array).shape());
    } else if constexpr (requires { array.shape(); }) {
        return rows_of_shape(array.shape());
    } else {
        return std::size(array);
    }
}

/// Extends a hash by the number of rows of an array, and by its first and last 64 bytes. Hashing all bytes could take
/// as long as the body. The hash is not collision-resistant: it detects a different source, not an attack.
template <rows_array A>
[[nodiscard]] std::uint64_t hash_of_array(const A& array, std::uint64_t before) {
    before = hash_of(std::to_string(rows_of_array(array)) + ' ', before);
    constexpr std::size_t most = 64;
    [[maybe_unused]] const auto hash_ends = [&](std::string_view bytes) {
        before = hash_of(bytes.substr(0, most), before);
        before = hash_of(bytes.substr(bytes.size() - std::min(most, bytes.size())), before);
    };
    if constexpr (adapted<A>) {
        const array_view view(array);
        if (view.contiguous() != nullptr)
            hash_ends({reinterpret_cast<const char*>(view.contiguous()), view.nbytes()});
    } else if constexpr (requires {
                             array.data();
                             array.size();
                         }) {
        if constexpr (std::is_trivially_copyable_v<std::remove_cvref_t<decltype(*array.data())>>)
            hash_ends({reinterpret_cast<const char*>(array.data()), array.size() * sizeof(*array.data())});
    }
    return before;
}

/// A function that returns an optional or pointer to the next array, empty at the end: `f()`, or `f(row)` for the array
/// that begins at a row.
template <class F, class... Row>
concept gives_arrays = std::invocable<F&, Row...> && requires(F& function, Row... row) {
    requires rows_array<std::remove_cvref_t<decltype(*function(row...))>>;
    static_cast<bool>(function(row...));
};
template <class F>
concept array_function = gives_arrays<F> || gives_arrays<F, std::uint64_t>;

template <class R>
concept array_range = !expression<R> && requires(R & range) {
    std::begin(range) != std::end(range);
    requires rows_array<std::remove_cvref_t<decltype(*std::begin(range))>>;
};

/// Common base of ranges and functions. They have no checksums, no known total of rows, and nothing to sync.
class feed_base {
  public:
    feed_base(std::string_view kind, const over_options& options);

    [[nodiscard]] json identity() const;
    [[nodiscard]] static std::optional<std::uint64_t> total_rows() { return std::nullopt; }
    [[nodiscard]] static std::function<void()> durable() { return nullptr; }
    void done() noexcept {}
    void return_to_begin() noexcept {}

  protected:
    [[noreturn]] static void refuse(const char* what, const char* why);

  private:
    std::string_view kind_;
};

/// Reads from a function. `f(row)` returns the array that begins at `row`; `f()` returns the next array, and cannot go
/// back.
template <array_function F>
class function_feed : public feed_base {
    static constexpr bool by_row = gives_arrays<F, std::uint64_t>;
    using result =
        typename std::conditional_t<by_row, std::invoke_result<F&, std::uint64_t>, std::invoke_result<F&>>::type;

  public:
    using item = std::remove_cvref_t<decltype(*std::declval<result&>())>;
    static constexpr std::string_view kind = by_row ? "function of a row" : "function";

    template <class G>
    function_feed(G&& function, const over_options& options)
        : feed_base(kind, options), function_(std::forward<G>(function)) {
        if (!by_row && options.warm_up != 0)
            refuse(".warm_up", "only a function of a row can go back");
        if (!by_row && options.first_row != 0)
            refuse(".first_row", "only a function of a row can start there");
    }

    void start(std::uint64_t row) { at_ = row; }
    void resume(const object_reader&, std::uint64_t rows) { at_ = rows; }
    [[nodiscard]] std::uint64_t back(std::uint64_t wanted) {
        const std::uint64_t gone = std::min(wanted, at_);
        at_ -= gone;
        return gone;
    }
    [[nodiscard]] bool next(std::uint64_t most, chunk_at_hand& chunk) {
        current_.reset();
        if constexpr (by_row) {
            auto given = function_(at_);
            if (!given)
                return false;
            current_.emplace(*std::move(given));
        } else {
            auto given = function_();
            if (!given)
                return false;
            current_.emplace(*std::move(given));
        }
        chunk.rows = rows_of_array(*current_);
        // A function decides where its chunks end, so that a warm-up cannot be cut at the committed position.
        if (chunk.rows > most)
            throw mismatch_error(
                {.field = "rows of a chunk",
                 .expected = "at most " + std::to_string(most) + " before row " + std::to_string(at_ + most),
                 .found = std::to_string(chunk.rows),
                 .hint = "the warm-up must end where the pass begins"});
        at_ += chunk.rows;
        return true;
    }
    [[nodiscard]] item take() { return *std::move(current_); }

  private:
    F function_;
    std::uint64_t at_ = 0;
    std::optional<item> current_;
};

/// Reads from a range, item by item.
template <class R>
class range_feed : public feed_base {
    using iterator = decltype(std::begin(std::declval<R&>()));
    using sentinel = decltype(std::end(std::declval<R&>()));
    using reference = decltype(*std::declval<iterator&>());
    static constexpr bool refers = std::is_lvalue_reference_v<reference>;

  public:
    using item = reference;
    static constexpr std::string_view kind = "range";

    range_feed(R& range, const over_options& options) : feed_base(kind, options), range_(&range) {
        if (options.warm_up != 0)
            refuse(".warm_up", "a range cannot go back");
        if (options.first_row != 0)
            refuse(".first_row", "a range starts at its beginning");
    }

    void start(std::uint64_t) { restart(); }
    void resume(const object_reader&, std::uint64_t) { restart(); }
    /// Skips the items that were committed, if the range is the one that was left. Its address was compared before, but
    /// another range may have the same address: the items are compared by hash, and if they differ, the range is
    /// processed from its beginning.
    void skip(const object_reader& said) {
        if constexpr (std::forward_iterator<iterator>) {
            const std::uint64_t items = said.count("items");
            // Nobody sees these items, but `next` hashes them.
            for (chunk_at_hand passed; items_ < items && next(0, passed);) {
            }
            if (items_ != items || hexadecimal(hash_) != said.text("passed"))
                restart();
        }
    }
    [[nodiscard]] json identity() const {
        json said = feed_base::identity();
        members_of(said)["items"] = items_;
        members_of(said)["passed"] = hexadecimal(hash_);
        return said;
    }
    /// The address of the range. nullptr for input ranges: their items are consumed, so that nothing has to be skipped.
    [[nodiscard]] const void* identifies() const noexcept { return std::forward_iterator<iterator> ? range_ : nullptr; }
    [[nodiscard]] static std::uint64_t back(std::uint64_t) { return 0; }
    [[nodiscard]] bool next(std::uint64_t, chunk_at_hand& chunk) {
        const sentinel end = std::end(*range_);
        // The iterator is advanced as late as possible: advancing an input range may wait for its next item.
        if (!at_)
            at_.emplace(std::begin(*range_));
        else if (*at_ != end)
            ++*at_;
        if (!(*at_ != end))
            return false;
        if constexpr (refers) {
            chunk.rows = rows_of_array(**at_);
            hash_ = hash_of_array(**at_, hash_);
        } else {
            current_.emplace(**at_);
            chunk.rows = rows_of_array(*current_);
            hash_ = hash_of_array(*current_, hash_);
        }
        ++items_;
        // Looking ahead in an input range would consume an item.
        if constexpr (std::forward_iterator<iterator>) {
            auto behind = *at_;
            chunk.is_last = !(++behind != end);
        }
        return true;
    }
    [[nodiscard]] item take() {
        if constexpr (refers)
            return **at_;
        else
            return *std::move(current_);
    }

  private:
    void restart() {
        at_.reset();
        items_ = 0;
        hash_ = hash_of("");
    }

    struct none {};
    R* range_;
    std::uint64_t items_ = 0;  // number of items shown
    std::uint64_t hash_ = hash_of("");
    std::optional<iterator> at_;
    std::optional<std::conditional_t<refers, none, std::remove_cvref_t<reference>>> current_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/loop/detail/source/feed.ipp>
#endif
