// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/memory_place.hpp>.
#pragma once

#include <ndkeep/chunks/memory_place.hpp>

#include <ndkeep/error.hpp>

#include <algorithm>
#include <system_error>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE memory_place::memory_place(std::filesystem::path shown) : path_(std::move(shown)) {}

NDKEEP_INLINE std::optional<std::vector<std::byte>> memory_place::get(const std::string& name, std::uint64_t most) {
    const auto found = find(name);
    if (found == nullptr)
        return std::nullopt;
    if (found->size() > most)
        throw format_error({.file = called(name),
                            .field = "length",
                            .expected = "at most " + counted(most, "byte"),
                            .found = counted(found->size(), "byte")});
    return *found;
}

NDKEEP_INLINE bool memory_place::get_range(const std::string& name, std::uint64_t offset, std::span<std::byte> out) {
    const auto found = find(name);
    if (found == nullptr)
        return false;
    // Subtracted, because the sum of two numbers of a damaged record could overflow.
    if (offset > found->size() || out.size() > found->size() - offset)
        throw format_error({.file = called(name),
                            .field = "length",
                            .expected = counted(out.size(), "byte") + " from byte " + std::to_string(offset),
                            .found = counted(found->size(), "byte")});
    std::copy_n(found->begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    return true;
}

NDKEEP_INLINE std::optional<std::uint64_t> memory_place::size(const std::string& name) {
    const auto found = find(name);
    return found == nullptr ? std::nullopt : std::optional<std::uint64_t>(found->size());
}

NDKEEP_INLINE bool memory_place::put(const std::string& name, parts bytes, durability wanted) {
    (void)wanted;
    std::vector<std::byte> whole;
    for (const auto part : bytes)
        whole.insert(whole.end(), part.begin(), part.end());
    auto shared = std::make_shared<const std::vector<std::byte>>(std::move(whole));
    // The bytes are complete before the lock is taken, so the name gets all of them at once.
    const std::scoped_lock lock(mutex_);
    return bytes_.try_emplace(name, std::move(shared)).second;
}

NDKEEP_INLINE std::vector<std::string> memory_place::list(const std::string& folder) {
    const std::string prefix = folder + '/';
    std::vector<std::string> names;
    const std::scoped_lock lock(mutex_);
    for (auto at = bytes_.lower_bound(prefix); at != bytes_.end() && at->first.starts_with(prefix); ++at)
        names.push_back(at->first.substr(prefix.size()));
    return names;
}

NDKEEP_INLINE void memory_place::remove(const std::string& name) {
    const std::scoped_lock lock(mutex_);
    bytes_.erase(name);
}

NDKEEP_INLINE void memory_place::sync(const std::string& name) {
    if (find(name) == nullptr)
        throw io_error(called(name), "cannot sync", std::make_error_code(std::errc::no_such_file_or_directory));
}

NDKEEP_INLINE void memory_place::sync_names(const std::string& folder) { (void)folder; }

NDKEEP_INLINE void memory_place::begin_turn(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    if (turn_ended_.wait_for(lock, patience, [&] { return !turn_of_; }))
        turn_of_ = std::this_thread::get_id();
}

NDKEEP_INLINE void memory_place::end_turn() noexcept {
    {
        const std::scoped_lock lock(mutex_);
        // A writer whose patience ended commits without a turn, and must not end that of another one.
        if (turn_of_ != std::this_thread::get_id())
            return;
        turn_of_.reset();
    }
    turn_ended_.notify_one();
}

NDKEEP_INLINE memory_place::shared_bytes memory_place::find(const std::string& name) const {
    const std::scoped_lock lock(mutex_);
    const auto at = bytes_.find(name);
    return at == bytes_.end() ? nullptr : at->second;
}

}  // namespace ndkeep
