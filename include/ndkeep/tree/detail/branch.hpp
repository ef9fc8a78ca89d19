// SPDX-License-Identifier: BSD-3-Clause
// The children of a list or a dictionary, and iteration over keys and values.
#pragma once

#include <ndkeep/version.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

inline constexpr std::size_t no_place = static_cast<std::size_t>(-1);

/// Children in order of insertion. Those of a dictionary have their keys in a second vector.
template <class Tree>
struct tree_branch {
    explicit tree_branch(bool dictionary) : is_dictionary(dictionary) {}

    /// The position of a key, or `no_place`. Logarithmic beyond `few` keys.
    [[nodiscard]] std::size_t find(std::string_view key) const noexcept {
        if (sorted != nullptr) {
            const auto found = sorted->find(key);
            return found == sorted->end() ? no_place : found->at;
        }
        const auto found = std::find(keys.begin(), keys.end(), key);
        return found == keys.end() ? no_place : static_cast<std::size_t>(found - keys.begin());
    }

    /// Adds a new key with null. An exception leaves the dictionary as it was.
    /// @param key  must be absent
    Tree& add(std::string_view key) {
        values.emplace_back();
        try {
            keys.emplace_back(key);
            if (sorted != nullptr)
                sorted->insert({keys.size() - 1});
            else if (keys.size() > few)
                sort();
        } catch (...) {
            // Keys and values must have equal lengths: each is found by the position of the other.
            values.pop_back();
            keys.resize(values.size());
            throw;
        }
        return values.back();
    }

    void erase(std::size_t at) {
        if (sorted != nullptr) {
            sorted->erase(sorted->find(std::string_view(keys[at])));
            // Positions change, but not the order of the keys, so the set remains sorted. Nothing is compared until
            // `keys` has the new positions too.
            for (const place& other : *sorted)
                other.at -= other.at > at;
        }
        keys.erase(keys.begin() + static_cast<std::ptrdiff_t>(at));
        values.erase(values.begin() + static_cast<std::ptrdiff_t>(at));
    }

    /// Builds the index of keys.
    void sort() {
        auto all = std::make_unique<places>(by_key{&keys});
        for (std::size_t at = 0; at < keys.size(); ++at)
            all->insert({at});
        sorted = std::move(all);
    }

    /// A position in `keys`; mutable, because `erase` shifts positions inside the set.
    struct place {
        mutable std::size_t at;
    };
    /// Orders positions by their keys, so that the set does not store a second copy of them.
    struct by_key {
        using is_transparent = void;
        const std::vector<std::string>* keys;

        [[nodiscard]] std::string_view text(std::string_view key) const noexcept { return key; }
        [[nodiscard]] std::string_view text(const place& of) const noexcept { return (*keys)[of.at]; }
        template <class A, class B>
        [[nodiscard]] bool operator()(const A& a, const B& b) const noexcept {
            return text(a) < text(b);
        }
    };
    // Not a hash table: a hostile file could have keys that all collide, which makes each search linear.
    using places = std::set<place, by_key>;

    static constexpr std::size_t few = 16;  // up to so many keys, a linear search is as fast

    bool is_dictionary;
    std::vector<Tree> values;
    std::vector<std::string> keys;
    std::unique_ptr<places> sorted;  // the index; only beyond `few` keys
    tree_branch* next = nullptr;     // used only by ~tree: the branch to destroy next
};

}  // namespace ndkeep::detail

namespace ndkeep::inline NDKEEP_ABI {

/// The keys and values of a dictionary, for a range-based for loop.
template <class Tree>
class tree_items {
  public:
    struct pair {
        pair(const std::string& of, Tree& at) : key(of), value(at) {}

        const std::string& key;
        Tree& value;
    };

    class iterator {
      public:
        using iterator_category = std::input_iterator_tag;
        using value_type = pair;
        using difference_type = std::ptrdiff_t;
        using reference = pair&;
        using pointer = void;

        iterator() = default;
        iterator(const std::string* key, Tree* value) : key_(key), value_(value) {}
        iterator(const iterator& other) : key_(other.key_), value_(other.value_) {}
        iterator& operator=(const iterator& other) {
            key_ = other.key_;
            value_ = other.value_;
            return *this;
        }
        ~iterator() = default;

        /// A pair stored in this iterator, valid until it moves on. An lvalue, so that both `auto&` and `const auto&`
        /// bind to it.
        [[nodiscard]] pair& operator*() const { return now_.emplace(*key_, *value_); }
        iterator& operator++() {
            ++key_;
            ++value_;
            return *this;
        }
        iterator operator++(int) {
            const iterator before = *this;
            ++*this;
            return before;
        }
        [[nodiscard]] friend bool operator==(const iterator& a, const iterator& b) { return a.key_ == b.key_; }

      private:
        const std::string* key_ = nullptr;
        Tree* value_ = nullptr;
        mutable std::optional<pair> now_;
    };

    tree_items(const std::string* keys, Tree* values, std::size_t size) : keys_(keys), values_(values), size_(size) {}

    [[nodiscard]] iterator begin() const { return {keys_, values_}; }
    [[nodiscard]] iterator end() const { return {keys_ + size_, values_ + size_}; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

  private:
    const std::string* keys_;
    Tree* values_;
    std::size_t size_;
};

}  // namespace ndkeep
