// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/tree/tree.hpp>. Trees are copied, compared and destroyed without recursion, so that no depth
// overflows the stack.
#pragma once

#include <ndkeep/tree/tree.hpp>

#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/tree/detail/access.hpp>
#include <ndkeep/tree/detail/branch.hpp>
#include <ndkeep/tree/detail/print.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

NDKEEP_INLINE tree tree_access::of_leaf(std::shared_ptr<const tree_leaf> leaf) {
    tree out;
    out.content_ = std::move(leaf);
    return out;
}

NDKEEP_INLINE tree tree_access::of_list(std::vector<tree> values) {
    tree out;
    out.make_branch(false).values = std::move(values);
    return out;
}

NDKEEP_INLINE tree tree_access::of_dictionary(std::vector<std::string> keys, std::vector<tree> values,
                                              const std::function<void(const std::string& key)>& repeated) {
    tree out;
    auto& made = out.make_branch(true);
    made.keys = std::move(keys);
    made.values = std::move(values);
    auto& all = made.keys;
    if (all.size() > tree::branch::few)
        made.index = std::make_unique<key_index>(all, 0);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (kept != i)
            all[kept] = std::move(all[i]);
        const auto place =
            made.index != nullptr
                ? made.index->add(kept)
                : static_cast<std::size_t>(
                      std::find(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all[kept]) - all.begin());
        if (place != kept)
            repeated(all[kept]);
        if (place != i)
            made.values[place] = std::move(made.values[i]);
        kept += place == kept ? 1 : 0;
    }
    all.resize(kept);
    made.values.resize(kept);
    return out;
}

/// Whether an integer and a real number are equal, exactly. Converting the integer would round it: 2^53 + 1 is not a
/// double.
template <class Integer>
[[nodiscard]] bool equal_numbers(Integer integer, double number) {
    // The largest integer, 2^n - 1, is not a double either. Its upper bound 2^n is, and is computed without rounding.
    // The range is checked first, because converting a number beyond it is undefined.
    constexpr auto least = static_cast<double>(std::numeric_limits<Integer>::min());
    constexpr auto beyond = 2 * static_cast<double>(std::numeric_limits<Integer>::max() / 2 + 1);
    return number >= least && number < beyond && static_cast<Integer>(number) == integer &&
           std::trunc(number) == number;
}

}  // namespace detail

NDKEEP_INLINE void tree::copy_but_children(const tree& other) {
    if (const auto* const text = std::get_if<detail::text_value>(&other.content_))
        content_.emplace<detail::text_value>(text->view());
    else if (const auto* const leaf = std::get_if<leaf_pointer>(&other.content_))
        content_ = *leaf;
    else if (const auto* const flag = std::get_if<bool>(&other.content_))
        content_.emplace<bool>(*flag);
    else if (const auto* const integer = std::get_if<std::int64_t>(&other.content_))
        content_.emplace<std::int64_t>(*integer);
    else if (const auto* const large = std::get_if<std::uint64_t>(&other.content_))
        content_.emplace<std::uint64_t>(*large);
    else if (const auto* const floating = std::get_if<double>(&other.content_))
        content_.emplace<double>(*floating);
}

NDKEEP_INLINE tree::tree(const tree& other) {
    copy_but_children(other);
    std::vector<std::pair<const tree*, tree*>> waiting;
    if (other.as_branch() != nullptr)
        waiting.emplace_back(&other, this);
    while (!waiting.empty()) {
        const auto [from, to] = waiting.back();
        waiting.pop_back();
        const branch& old = *from->as_branch();
        branch& copy = to->make_branch(old.is_dictionary);
        copy.values.resize(old.values.size());
        copy.keys = old.keys;
        if (old.index != nullptr)
            copy.index = std::make_unique<detail::key_index>(copy.keys, copy.keys.size());
        for (std::size_t i = 0; i < old.values.size(); ++i) {
            copy.values[i].copy_but_children(old.values[i]);
            if (old.values[i].as_branch() != nullptr)
                waiting.emplace_back(&old.values[i], &copy.values[i]);
        }
    }
}

NDKEEP_INLINE tree::~tree() {
    const auto take_from = [](tree& from) -> branch* {
        auto* const pointer = std::get_if<branch_pointer>(&from.content_);
        return pointer == nullptr ? nullptr : pointer->release();
    };
    // Branches are linked through `next`, because a destructor must not allocate: that could throw.
    for (branch* waiting = take_from(*this); waiting != nullptr;) {
        const branch_pointer current(std::exchange(waiting, waiting->next));
        for (tree& child : current->values)
            if (branch* const inner = take_from(child))
                inner->next = std::exchange(waiting, inner);
    }
}

NDKEEP_INLINE bool tree::equals(const tree& that) const {
    std::vector<std::pair<const tree*, const tree*>> waiting;
    const auto equal = [&waiting](const tree& x, const tree& y) {
        const auto* const in_x = x.as_branch();
        const auto* const in_y = y.as_branch();
        if (in_x == nullptr || in_y == nullptr)
            return in_x == in_y && x.equals_but_children(y);
        if (in_x->is_dictionary != in_y->is_dictionary || in_x->values.size() != in_y->values.size())
            return false;
        // The same branch is equal to itself, because NaN equals NaN here.
        if (in_x != in_y)
            waiting.emplace_back(&x, &y);
        return true;
    };
    if (!equal(*this, that))
        return false;
    while (!waiting.empty()) {
        const auto& left = *waiting.back().first->as_branch();
        const auto& right = *waiting.back().second->as_branch();
        waiting.pop_back();
        for (std::size_t i = 0; i < left.values.size(); ++i) {
            // Equal dictionaries mostly have the same order. Otherwise the key is searched.
            const bool in_place = !left.is_dictionary || left.keys[i] == right.keys[i];
            const std::size_t other = in_place ? i : right.find(left.keys[i]);
            if (other == detail::no_place || !equal(left.values[i], right.values[other]))
                return false;
        }
    }
    return true;
}

NDKEEP_INLINE bool tree::equals_but_children(const tree& other) const {
    // Numbers first, because an integer can be equal to a real number.
    const auto* const number = std::get_if<double>(&content_);
    const auto* const other_number = std::get_if<double>(&other.content_);
    if (number != nullptr && other_number != nullptr)
        return detail::is_nan(*number) || detail::is_nan(*other_number)
                   ? detail::is_nan(*number) && detail::is_nan(*other_number)
                   : *number == *other_number;
    if (other_number != nullptr)  // swapped, so that the real number is on the left
        return other.equals_but_children(*this);
    if (number != nullptr) {
        if (const auto* const integer = std::get_if<std::int64_t>(&other.content_))
            return detail::equal_numbers(*integer, *number);
        const auto* const large = std::get_if<std::uint64_t>(&other.content_);
        return large != nullptr && detail::equal_numbers(*large, *number);
    }
    if (content_.index() != other.content_.index())
        return false;
    if (is_string())
        return detail::tree_access::text(*this) == detail::tree_access::text(other);
    if (is_array())
        return detail::equal_leaves(*leaf(), *other.leaf());
    return content_ == other.content_;
}

NDKEEP_INLINE tree::branch& tree::make_branch(bool is_dictionary) {
    return *content_.emplace<branch_pointer>(std::make_unique<branch>(is_dictionary));
}

NDKEEP_INLINE tree_kind tree::kind() const noexcept {
    constexpr std::array<tree_kind, 8> kinds = {tree_kind::null,    tree_kind::boolean,     tree_kind::integer,
                                                tree_kind::integer, tree_kind::real_number, tree_kind::string,
                                                tree_kind::list,    tree_kind::array};
    const auto* const inner = as_branch();
    return inner != nullptr && inner->is_dictionary ? tree_kind::dictionary : kinds[content_.index()];
}

NDKEEP_INLINE void tree::refuse(std::string expected, std::string hint) const {
    throw mismatch_error({.field = "value",
                          .expected = std::move(expected),
                          .found = std::string(detail::kind_text(kind())),
                          .hint = std::move(hint)});
}

NDKEEP_INLINE void tree::refuse_scalar(std::string expected) const {
    refuse(std::move(expected), is_array() ? "as<T, N>() returns it" : "");
}

NDKEEP_INLINE const std::vector<tree>& tree::values() const {
    static const std::vector<tree> none;
    const auto* const inner = as_branch();
    if (inner == nullptr && !is_null())
        refuse("a list or a dictionary", "");
    return inner == nullptr ? none : inner->values;
}

NDKEEP_INLINE const std::string* tree::keys() const {
    if (!is_dictionary() && !is_null())
        refuse("a dictionary", "items() are pairs of key and value");
    const auto* const inner = as_branch();
    return inner == nullptr ? nullptr : inner->keys.data();
}

NDKEEP_INLINE tree_items<const tree> tree::items() const& { return {keys(), begin(), size()}; }

NDKEEP_INLINE tree_items<tree> tree::items() & { return {keys(), begin(), size()}; }

NDKEEP_INLINE const tree* tree::find(std::string_view key) const noexcept {
    const auto* const inner = as_branch();
    const std::size_t at = inner == nullptr ? detail::no_place : inner->find(key);
    return at == detail::no_place ? nullptr : &inner->values[at];
}

NDKEEP_INLINE const tree& tree::at(std::string_view key) const& {
    if (!is_dictionary())
        refuse("a dictionary", "key " + ndkeep::quoted(key));
    if (const tree* const found = find(key))
        return *found;
    constexpr std::size_t most = 8;
    std::string expected;
    const auto& keys = as_branch()->keys;
    for (std::size_t i = 0; i < std::min(most, keys.size()); ++i)
        expected += (i == 0 ? "one of " : ", ") + ndkeep::quoted(keys[i]);
    throw mismatch_error({.field = "key " + ndkeep::quoted(key),
                          .expected = expected + (keys.size() > most ? ", …" : ""),
                          .found = "missing",
                          .hint = keys.empty() ? "the dictionary is empty" : ""});
}

NDKEEP_INLINE const tree& tree::at_index(std::uint64_t index, bool is_signed) const {
    const auto* const inner = as_branch();
    if (inner != nullptr && !inner->is_dictionary && index < inner->values.size())
        return inner->values[index];
    const auto text = is_signed ? std::to_string(static_cast<std::int64_t>(index)) : std::to_string(index);
    if (!is_list())
        refuse("a list", "index " + text);
    throw mismatch_error({.field = "index", .expected = "less than " + std::to_string(size()), .found = text});
}

NDKEEP_INLINE tree& tree::operator[](std::string_view key) & {
    if (is_null())
        make_branch(true);
    if (!is_dictionary())
        refuse("a dictionary", "key " + ndkeep::quoted(key));
    tree* const found = find(key);
    return found != nullptr ? *found : as_branch()->add(key);
}

NDKEEP_INLINE void tree::push_back(tree value) {
    if (is_null())
        make_branch(false);
    if (!is_list())
        refuse("a list", "push_back");
    as_branch()->values.push_back(std::move(value));
}

NDKEEP_INLINE bool tree::erase(std::string_view key) {
    if (!is_dictionary() && !is_null())
        refuse("a dictionary", "key " + ndkeep::quoted(key));
    const std::size_t at = is_null() ? detail::no_place : as_branch()->find(key);
    if (at != detail::no_place)
        as_branch()->erase(at);
    return at != detail::no_place;
}

NDKEEP_INLINE const tree::leaf_pointer& tree::leaf() const {
    const auto* const pointer = std::get_if<leaf_pointer>(&content_);
    if (pointer == nullptr)
        refuse("an array", is_null() || as_branch() != nullptr ? "" : "get<T>() returns it");
    return *pointer;
}

NDKEEP_INLINE std::uint64_t tree::integer_between(std::int64_t least, std::uint64_t most) const {
    const auto* const integer = std::get_if<std::int64_t>(&content_);
    const auto* const large = std::get_if<std::uint64_t>(&content_);
    const std::uint64_t bits = integer != nullptr ? static_cast<std::uint64_t>(*integer)
                               : large != nullptr ? *large
                                                  : 0;
    const bool is_negative = integer != nullptr && *integer < 0;
    if (is_integer() && (is_negative ? *integer >= least : bits <= most))
        return bits;
    std::string expected = "an integer from " + std::to_string(least) + " to " + std::to_string(most);
    if (!is_integer())
        refuse_scalar(std::move(expected));
    throw mismatch_error({.field = "value",
                          .expected = std::move(expected),
                          .found = integer != nullptr ? std::to_string(*integer) : std::to_string(bits)});
}

NDKEEP_INLINE double tree::double_number() const {
    if (const auto* const integer = std::get_if<std::int64_t>(&content_))
        return static_cast<double>(*integer);
    if (const auto* const large = std::get_if<std::uint64_t>(&content_))
        return static_cast<double>(*large);
    if (!is_real())
        refuse_scalar("a number");
    return std::get<double>(content_);
}

NDKEEP_INLINE float tree::float_number() const {
    const double number = double_number();
    if (!detail::is_finite(number) || std::abs(number) <= std::numeric_limits<float>::max())
        return static_cast<float>(number);
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    throw mismatch_error({.field = "value",
                          .expected = "a number that float holds",
                          .found = std::string(digits.data(), end),
                          .hint = "get<double>"});
}

// Exchanged, because moving the variant would leave a null pointer of the old kind, and not null.
NDKEEP_INLINE tree::tree(tree&& other) noexcept : content_(std::exchange(other.content_, {})) {}

NDKEEP_INLINE tree& tree::operator=(tree other) noexcept {
    content_.swap(other.content_);
    return *this;
}

NDKEEP_INLINE tree* tree::find(std::string_view key) noexcept {
    return const_cast<tree*>(std::as_const(*this).find(key));
}

NDKEEP_INLINE const tree::branch* tree::as_branch() const noexcept {
    const auto* const pointer = std::get_if<branch_pointer>(&content_);
    return pointer == nullptr ? nullptr : pointer->get();
}

}  // namespace ndkeep
