// SPDX-License-Identifier: BSD-3-Clause
// in_step: several chunked arrays, ordered by the same key, read together and cut at common keys.
#pragma once

#include <ndkeep/array/mapped.hpp>
#include <ndkeep/chunks/detail/in_step/participant.hpp>
#include <ndkeep/chunks/detail/in_step/plan.hpp>
#include <ndkeep/chunks/detail/in_step/reading.hpp>
#include <ndkeep/chunks/options.hpp>
#include <ndkeep/chunks/reader.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// The rows of one array in one item of `in_step`: a read-only array, `step_rows<mapped<const T, N>>`.
///
/// It refers to a mapped chunk where its rows lie in one chunk, and is a copy otherwise. It stays valid after the item.
// The array must be the only template argument: otherwise xtensor does not treat a derived class as an expression.
template <class Array>
class step_rows : public Array {
  public:
    step_rows() = default;
    /// For authors of tools.
    step_rows(Array rows, std::size_t warm_up) : Array(std::move(rows)), warm_up_(warm_up) {}

    /// How many of the rows, the first ones, lie before the range. They have been, or would be, part of earlier items.
    [[nodiscard]] std::size_t warm_up() const noexcept { return warm_up_; }

  private:
    std::size_t warm_up_ = 0;
};

/// One item of `in_step`: for each array the rows of the same range of keys, in a std::tuple or, of a list of arrays,
/// a std::vector.
template <class Parts>
class step : public Parts {
  public:
    /// For authors of tools.
    step(Parts parts, const detail::step_place& at) : Parts(std::move(parts)), at_(at) {}

    /// The rows of array `I`, of a std::tuple. `auto [t, q] = item` calls it.
    // A member, because argument-dependent lookup would also find xtensor's get, which takes any template for a tuple.
    template <std::size_t I>
    [[nodiscard]] decltype(auto) get() & {
        return std::get<I>(static_cast<Parts&>(*this));
    }
    template <std::size_t I>
    [[nodiscard]] decltype(auto) get() const& {
        return std::get<I>(static_cast<const Parts&>(*this));
    }
    template <std::size_t I>
    [[nodiscard]] decltype(auto) get() && {
        return std::get<I>(static_cast<Parts&&>(*this));
    }

    /// The least key of its rows, without those of the warm-up. Of items that `late_rows::again` gives again, the key
    /// that ended the item before: the changed keys are in [`from()`, `to()`) also where rows were erased.
    [[nodiscard]] const statistics::number& from() const noexcept { return at_.from; }
    /// The key that ends it, and which no row of it has; nullopt: above all keys.
    [[nodiscard]] const std::optional<statistics::number>& to() const noexcept { return at_.to; }
    /// The number of items before.
    [[nodiscard]] std::uint64_t index() const noexcept { return at_.index; }
    /// Whether it is the first item. It has the warm-up, unless it has only late rows.
    [[nodiscard]] bool is_first() const noexcept { return at_.index == 0; }
    /// Whether no item follows.
    [[nodiscard]] bool is_last() const noexcept { return at_.is_last; }
    /// Whether its keys lie below the mark where the pass began. With `late_rows::aside` it has only late rows, with
    /// `late_rows::again` all rows of its keys, most of which an earlier pass has given.
    [[nodiscard]] bool is_late() const noexcept { return at_.is_late; }

  private:
    detail::step_place at_;
};

}  // namespace ndkeep

/// `auto [t, q] = item` takes the rows of each array.
template <class... Rows>
struct std::tuple_size<ndkeep::step<std::tuple<Rows...>>> : std::tuple_size<std::tuple<Rows...>> {};
template <std::size_t I, class... Rows>
struct std::tuple_element<I, ndkeep::step<std::tuple<Rows...>>> : std::tuple_element<I, std::tuple<Rows...>> {};

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

template <step_reader Reader>
using rows_of_reader = step_rows<typename std::remove_cvref_t<Reader>::chunk>;

[[nodiscard]] step_limits limits_of(const in_step_options& options);

/// @throws mismatch_error  rows below `.from` have changed, and `.late` does not accept it
[[nodiscard]] std::unique_ptr<step_reading> begin_in_step(const std::vector<step_participant>& of,
                                                          const in_step_options& options);

struct step_access;

/// @throws mismatch_error  no participant, or some that cannot be read in step
void check_participants(const std::vector<step_participant>& of);

/// The rows of participant `i` in the current item.
template <class Array>
[[nodiscard]] step_rows<Array> take_rows(std::type_identity<step_rows<Array>>, step_reading& from, std::size_t i) {
    return {Array(from.rows(i), from.shape(i)), static_cast<std::size_t>(from.warm_up(i))};
}

/// The current item.
template <class Parts>
struct item_in_step;
template <class... Rows>
struct item_in_step<std::tuple<Rows...>> {
    [[nodiscard]] static std::tuple<Rows...> take(step_reading& from) {
        return [&from]<std::size_t... I>(std::index_sequence<I...>) {
            return std::tuple<Rows...>(take_rows(std::type_identity<Rows>(), from, I)...);
        }
        (std::index_sequence_for<Rows...>());
    }
};
template <class Rows>
struct item_in_step<std::vector<Rows>> {
    [[nodiscard]] static std::vector<Rows> take(step_reading& from) {
        std::vector<Rows> parts;
        for (std::size_t i = 0; i < from.size(); ++i)
            parts.push_back(take_rows(std::type_identity<Rows>(), from, i));
        return parts;
    }
};

template <class Parts>
[[nodiscard]] step<Parts> take_item(step_reading& from) {
    return {item_in_step<Parts>::take(from), from.place()};
}

}  // namespace detail

/// What `in_step` returns: a range of `step`, for a range-based for, and a source of a `stateful_loop`.
///
/// It refers to the readers, which must outlive it. Each `begin` starts from the beginning, and ends a pass before.
template <class Parts>
class [[nodiscard]] steps {
  public:
    using parts = Parts;       ///< std::tuple or std::vector of `step_rows`
    using item = step<Parts>;  ///< what an iterator returns

    /// An input iterator: dereference it once per item.
    class iterator {
      public:
        using iterator_category = std::input_iterator_tag;
        using iterator_concept = std::input_iterator_tag;
        using value_type = item;
        using difference_type = std::ptrdiff_t;
        using pointer = void;
        using reference = item;

        iterator() = default;
        explicit iterator(detail::step_reading* of) : of_(of) { ++*this; }
        [[nodiscard]] item operator*() const { return detail::take_item<Parts>(*of_); }
        iterator& operator++() {
            if (!of_->next())
                of_ = nullptr;
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const iterator& at, std::default_sentinel_t) { return at.of_ == nullptr; }

      private:
        detail::step_reading* of_ = nullptr;
    };

    /// Begins a pass. If `.from` is a mark, each array must have as many rows below it as before, unless `.late`
    /// accepts changes; the key of the mark, given as a number, is not checked so.
    /// @throws mismatch_error  rows below the mark have changed, and `.late` does not accept it or cannot find them,
    ///                         because a commit of the mark is pruned; a bound does not fit the keys; or `.warm_up` has
    ///                         not one count for each array
    [[nodiscard]] iterator begin() {
        reading_ = detail::begin_in_step(of_, options_);
        return iterator(reading_.get());
    }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

    /// The key up to which all rows have been given, those of the current item included. nullopt before the first item
    /// of a range without a begin.
    ///
    /// After the last item it is the end of the range, or the next key above the last row if that is less. While late
    /// rows are given, it is the mark where the pass began, and its `late` says which of them have been given.
    [[nodiscard]] std::optional<step_mark> watermark() const {
        return reading_ == nullptr ? std::nullopt : reading_->mark();
    }

  private:
    friend struct detail::step_access;

    steps(std::vector<detail::step_participant> of, const in_step_options& options)
        : of_(std::move(of)), options_(options) {
        detail::check_participants(of_);
    }

    std::vector<detail::step_participant> of_;
    in_step_options options_;
    std::unique_ptr<detail::step_reading> reading_;
};

namespace detail {

/// Makes a range in step, and shows to a loop what it is made of.
struct step_access {
    template <class Parts>
    [[nodiscard]] static steps<Parts> make(std::vector<step_participant> of, const in_step_options& options) {
        return {std::move(of), options};
    }
    template <class Parts>
    [[nodiscard]] static const std::vector<step_participant>& participants(const steps<Parts>& of) noexcept {
        return of.of_;
    }
    template <class Parts>
    [[nodiscard]] static const in_step_options& options(const steps<Parts>& of) noexcept {
        return of.options_;
    }
};

/// @tparam Readers  as they were passed: lvalue references
template <step_reader... Readers>
[[nodiscard]] auto steps_over(const in_step_options& options, const std::remove_reference_t<Readers>&... readers) {
    static_assert((std::is_lvalue_reference_v<Readers> && ...), "in_step refers to its readers: give them names");
    return step_access::make<std::tuple<rows_of_reader<Readers>...>>({participant_of(readers)...}, options);
}

}  // namespace detail

/// Reads arrays that are ordered by the same key together, cut at common keys:
///
///     for (auto [t, q] : in_step(trades, quotes, {.from = t0, .to = t1, .warm_up = {0, 100}}))
///         join(t, q);
///
/// Every item has, of each array, the rows of the same range of keys. All items together have the rows of each array in
/// [`.from`, `.to`), once and in order. Equal keys are never in two items. An array without rows in the range is empty
/// in each item; if no array has any, there is no item.
///
/// An item ends where a chunk of any array begins, except the first chunk of that array in the range. If the key there
/// is also the last one of the chunk before, the item goes on with that chunk; only before a third chunk it ends before
/// the equal keys instead. So rows that lie in one chunk are not copied, and at most two chunks of each array are held,
/// one of them read ahead; more only if more than two chunks have the same key.
///
/// The arrays are chunk_readers with names: the range refers to them.
/// @throws mismatch_error  an array has no order, its order has another name, or its keys do not compare with those of
///                         the first: another unit of time, or another kind of number
template <detail::step_reader A, detail::step_reader B>
[[nodiscard]] auto in_step(A&& a, B&& b, const in_step_options& options = {}) {
    return detail::steps_over<A, B>(options, a, b);
}
/// The same of three arrays, of four, or of one.
template <detail::step_reader A, detail::step_reader B, detail::step_reader C>
[[nodiscard]] auto in_step(A&& a, B&& b, C&& c, const in_step_options& options = {}) {
    return detail::steps_over<A, B, C>(options, a, b, c);
}
template <detail::step_reader A, detail::step_reader B, detail::step_reader C, detail::step_reader D>
[[nodiscard]] auto in_step(A&& a, B&& b, C&& c, D&& d, const in_step_options& options = {}) {
    return detail::steps_over<A, B, C, D>(options, a, b, c, d);
}
template <detail::step_reader A>
[[nodiscard]] auto in_step(A&& a, const in_step_options& options = {}) {
    return detail::steps_over<A>(options, a);
}
/// The same of any number of arrays: `in_step(std::tie(trades, quotes, news))`.
template <detail::step_reader... Readers>
[[nodiscard]] auto in_step(const std::tuple<Readers&...>& readers, const in_step_options& options = {}) {
    return std::apply([&](Readers&... each) { return detail::steps_over<Readers&...>(options, each...); }, readers);
}
/// The same of a list of arrays of one type. An item is a std::vector of their rows.
template <detail::step_reader Reader, std::size_t Extent>
[[nodiscard]] auto in_step(std::span<Reader, Extent> readers, const in_step_options& options = {}) {
    std::vector<detail::step_participant> participants;
    for (const auto& reader : readers)
        participants.push_back(detail::participant_of(reader));
    return detail::step_access::make<std::vector<detail::rows_of_reader<Reader>>>(std::move(participants), options);
}
template <element T, std::size_t N>
[[nodiscard]] auto in_step(const std::vector<chunk_reader<T, N>>& readers, const in_step_options& options = {}) {
    return in_step(std::span(readers), options);
}
template <element T, std::size_t N>
void in_step(const std::vector<chunk_reader<T, N>>&& readers, const in_step_options& options = {}) = delete;

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/in_step.ipp>
#endif
