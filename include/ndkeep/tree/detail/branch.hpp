// SPDX-License-Identifier: BSD-3-Clause
// The children of a list or a dictionary, and iteration over keys and values.
#pragma once

#include <ndkeep/tree/detail/key_index.hpp>
#include <ndkeep/version.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Children in order of insertion. Those of a dictionary have their keys in a second vector.
template <class Tree>
struct tree_branch {
    explicit tree_branch(bool dictionary) : is_dictionary(dictionary) {}

    /// The position of a key, or `no_place`. Linear up to `few` keys, then by an index.
    [[nodiscard]] std::size_t find(std::string_view key) const noexcept {
        if (index != nullptr)
            return index->find(key);
        const auto found = std::find(keys.begin(), keys.end(), key);
        return found == keys.end() ? no_place : static_cast<std::size_t>(found - keys.begin());
    }

    /// Adds a new key with null. An exception leaves the dictionary as it was.
    /// @param key  must be absent
    Tree& add(std::string_view key) {
        values.emplace_back();
        try {
            keys.emplace_back(key);
            if (index != nullptr)
                (void)index->add(keys.size() - 1);
            else if (keys.size() > few)
                index = std::make_unique<key_index>(keys, keys.size());
        } catch (...) {
            // Keys and values must have equal lengths: each is found by the position of the other.
            values.pop_back();
            keys.resize(values.size());
            throw;
        }
        return values.back();
    }

    void erase(std::size_t at) {
        if (index != nullptr)
            index->erase(at);
        keys.erase(keys.begin() + static_cast<std::ptrdiff_t>(at));
        values.erase(values.begin() + static_cast<std::ptrdiff_t>(at));
    }

    static constexpr std::size_t few = 16;  // up to so many keys, a linear search is as fast

    bool is_dictionary;
    std::vector<Tree> values;
    std::vector<std::string> keys;
    std::unique_ptr<key_index> index;  // only beyond `few` keys
    tree_branch* next = nullptr;       // used only by ~tree: the branch to destroy next
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
