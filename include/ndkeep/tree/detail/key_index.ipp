// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/tree/detail/key_index.hpp>.
#pragma once

#include <ndkeep/tree/detail/key_index.hpp>

#include <ndkeep/os/mapping.hpp>

#include <algorithm>
#include <bit>
#include <functional>
#include <limits>
#include <set>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Orders positions by their keys, so that a set does not store a second copy of them.
struct places_by_key {
    struct place {
        mutable std::size_t at;  // `erase` shifts it inside the set
    };
    using is_transparent = void;
    const std::vector<std::string>* keys;

    [[nodiscard]] std::string_view text(std::string_view key) const noexcept { return key; }
    [[nodiscard]] std::string_view text(const place& of) const noexcept { return (*keys)[of.at]; }
    template <class A, class B>
    [[nodiscard]] bool operator()(const A& a, const B& b) const noexcept {
        return text(a) < text(b);
    }
};

class key_index::sorted_places : public std::set<places_by_key::place, places_by_key> {
  public:
    using std::set<places_by_key::place, places_by_key>::set;
};

[[nodiscard]] inline std::uint64_t hash_of_key(std::string_view key) noexcept {
    // Multiplied, because the table uses the upper half, and some libraries' hashes have 32 bits.
    return std::uint64_t{std::hash<std::string_view>()(key)} * 0x9e3779b97f4a7c15U;
}

NDKEEP_INLINE key_index::key_index(const std::vector<std::string>& keys, std::size_t count) : keys_(keys) {
    make_table(count, std::max(count, keys.size()));
}

NDKEEP_INLINE key_index::~key_index() = default;

NDKEEP_INLINE std::size_t key_index::slot_of(std::string_view key, std::uint64_t hash) const noexcept {
    constexpr std::size_t most = 256;
    const std::size_t mask = slots_.size() - 1;
    auto at = static_cast<std::size_t>(hash >> 32) & mask;
    for (std::size_t passed = 0; passed < most; ++passed, at = (at + 1) & mask) {
        const slot& here = slots_[at];
        if (here.place == 0 || (here.hash == static_cast<std::uint32_t>(hash) && keys_[here.place - 1] == key))
            return at;
    }
    return too_far;
}

NDKEEP_INLINE void key_index::make_table(std::size_t count, std::size_t room) {
    // A slot has 32 bits for the position, and its place comes from 32 bits of the hash.
    if (room > std::numeric_limits<std::uint32_t>::max() / 4)
        return sort(count);
    std::vector<slot> wider;
    const auto size = std::bit_ceil(2 * (room + 1));
    wider.reserve(size);
    prefer_huge_pages({reinterpret_cast<std::byte*>(wider.data()), size * sizeof(slot)});
    wider.resize(size);
    auto old = std::exchange(slots_, std::move(wider));
    for (std::size_t at = 0; at < count; ++at) {
        const auto hash = hash_of_key(keys_[at]);
        const auto found = slot_of(keys_[at], hash);
        if (found == too_far) {
            slots_.swap(old);
            return sort(count);
        }
        slots_[found] = {static_cast<std::uint32_t>(at + 1), static_cast<std::uint32_t>(hash)};
    }
    used_ = count;
}

NDKEEP_INLINE void key_index::sort(std::size_t count) {
    auto all = std::make_unique<sorted_places>(places_by_key{&keys_});
    for (std::size_t at = 0; at < count; ++at)
        all->insert({at});
    sorted_ = std::move(all);
    slots_ = {};
}

NDKEEP_INLINE std::size_t key_index::find(std::string_view key) const noexcept {
    if (sorted_ != nullptr) {
        const auto found = sorted_->find(key);
        return found == sorted_->end() ? no_place : found->at;
    }
    const auto at = slot_of(key, hash_of_key(key));
    return at == too_far || slots_[at].place == 0 ? no_place : slots_[at].place - 1;
}

NDKEEP_INLINE std::size_t key_index::add(std::size_t at) {
    if (sorted_ == nullptr && 2 * (used_ + 1) > slots_.size())
        make_table(used_, used_ + 1);
    if (sorted_ == nullptr) {
        const auto hash = hash_of_key(keys_[at]);
        const auto found = slot_of(keys_[at], hash);
        if (found != too_far) {
            if (slots_[found].place != 0)
                return slots_[found].place - 1;
            slots_[found] = {static_cast<std::uint32_t>(at + 1), static_cast<std::uint32_t>(hash)};
            ++used_;
            return at;
        }
        // All keys of the table are at positions before this one.
        sort(at);
    }
    return sorted_->insert({at}).first->at;
}

NDKEEP_INLINE void key_index::erase(std::size_t at) noexcept {
    if (sorted_ != nullptr) {
        sorted_->erase(sorted_->find(std::string_view(keys_[at])));
        // Positions change, but not the order of the keys, so that the set remains sorted.
        for (const auto& other : *sorted_)
            other.at -= other.at > at;
        return;
    }
    // Slots behind the free one move forward, unless a search for them begins behind it.
    const std::size_t mask = slots_.size() - 1;
    auto free = slot_of(keys_[at], hash_of_key(keys_[at]));
    for (auto next = (free + 1) & mask; slots_[next].place != 0; next = (next + 1) & mask) {
        const auto begin = static_cast<std::size_t>(hash_of_key(keys_[slots_[next].place - 1]) >> 32) & mask;
        if (((next - begin) & mask) >= ((next - free) & mask))
            slots_[std::exchange(free, next)] = slots_[next];
    }
    slots_[free] = {};
    --used_;
    for (slot& each : slots_)
        each.place -= each.place > at + 1 ? 1 : 0;
}

}  // namespace ndkeep::detail
