// SPDX-License-Identifier: BSD-3-Clause
// The children of a list or a dictionary.
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

/// Children in their order; those of a dictionary have their keys beside them.
template <class Tree>
struct tree_branch {
    explicit tree_branch(bool dictionary) : is_dictionary(dictionary) {}

    /// Where the key stands, or `no_place`. Logarithmic.
    [[nodiscard]] std::size_t find(std::string_view key) const noexcept {
        if (sorted != nullptr) {
            const auto found = sorted->find(key);
            return found == sorted->end() ? no_place : found->at;
        }
        const auto found = std::find(keys.begin(), keys.end(), key);
        return found == keys.end() ? no_place : static_cast<std::size_t>(found - keys.begin());
    }

    /// Adds a key that is not there yet, with null.
    Tree& add(std::string_view key) {
        values.emplace_back();
        try {
            keys.emplace_back(key);
            if (sorted != nullptr)
                sorted->insert({keys.size() - 1});
            else if (keys.size() > few)
                sort();
        } catch (...) {
            values.pop_back();
            keys.resize(values.size());
            throw;
        }
        return values.back();
    }

    void erase(std::size_t at) {
        if (sorted != nullptr) {
            sorted->erase(sorted->find(std::string_view(keys[at])));
            // The order stays, so the set need not know.
            for (const place& other : *sorted)
                other.at -= other.at > at;
        }
        keys.erase(keys.begin() + static_cast<std::ptrdiff_t>(at));
        values.erase(values.begin() + static_cast<std::ptrdiff_t>(at));
    }

    void sort() {
        auto all = std::make_unique<places>(by_key{&keys});
        for (std::size_t at = 0; at < keys.size(); ++at)
            all->insert({at});
        sorted = std::move(all);
    }

    struct place {
        mutable std::size_t at;
    };
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
    // Not a hash table: whoever writes a file chooses its keys, and could choose those that collide.
    using places = std::set<place, by_key>;

    static constexpr std::size_t few = 16;  // keys that are found as fast by looking at each

    bool is_dictionary;
    std::vector<Tree> values;
    std::vector<std::string> keys;
    std::unique_ptr<places> sorted;  // beyond few keys
    tree_branch* next = nullptr;     // to be destroyed after this one
};

}  // namespace ndkeep::detail

namespace ndkeep::inline NDKEEP_ABI {

/// The pairs of a dictionary, for a loop.
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

        /// A pair that is this iterator's own, until it moves on: `auto&` and `const auto&` both take it.
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
