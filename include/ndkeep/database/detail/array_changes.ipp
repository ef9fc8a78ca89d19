// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/database/detail/stored_array.hpp>: what a transaction has changed, and what becomes of it.
#pragma once

#include <ndkeep/database/detail/stored_array.hpp>

#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/os/mapping.hpp>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE array_changes stored_array::changes() {
    array_changes found;
    found.tail = {committed_reach_, reach_};
    found.is_reshaped = is_new || info_ != committed_info_;
    // Also after a commit that failed: it has left the header of another shape in the memory.
    if (found.is_reshaped || has_new_header_) {
        has_new_header_ = true;
        const std::string text = header_bytes(info_, {.version = info_.version, .length = info_.data_offset});
        if (std::memcmp(pages_.data(), text.data(), text.size()) != 0)
            std::memcpy(pages_.data(), text.data(), text.size());
    }
    for (const auto& run : changed_pages()) {
        const std::uint64_t tail_begin =
            tails_ == tail_place::file ? std::clamp(page_end(committed_reach_, page_), run.first, run.last) : run.last;
        add_run(found.images, {run.first, tail_begin});
        add_run(found.tail_pages, {tail_begin, run.last});
    }
    return found;
}

NDKEEP_INLINE std::vector<page_run> stored_array::changed_pages() const {
    std::vector<page_run> pages;
    // Pages of the log that the file does not have look changed. And a page that was changed back to what the file has
    // does not look changed where bytes are compared, so both lists are needed.
    auto runs = stored_into(0, size_);
    // Of a block in the shadow file, all pages that differ from the file count.
    for (const auto& block : spilled_)
        for (const auto& run :
             page_tracker(page_tracker::method::compare)
                 .stored_into({pages_.data() + block.first, static_cast<std::size_t>(block.last - block.first)},
                              source_, block.first))
            runs.push_back({block.first + run.first, block.first + run.last});
    if (!spilled_.empty())
        runs = joined(std::move(runs));
    const auto add_page = [&](std::uint64_t first) {
        // Spare bytes behind `reach_` may be cut from the file before the image is applied.
        const std::uint64_t last = std::min(first + page_, reach_);
        if (first >= last)
            return;
        if (const auto held = held_.find(first);
            held != held_.end() && held->second.bytes.size() == last - first &&
            std::memcmp(held->second.bytes.data(), pages_.data() + first, held->second.bytes.size()) == 0)
            return;
        add_run(pages, {first, last});
    };
    auto held = held_.begin();
    for (const auto& run : runs)
        for (std::uint64_t first = run.first; first < run.last; first += page_) {
            for (; held != held_.end() && held->first < first; ++held)
                add_page(held->first);
            if (held != held_.end() && held->first == first)
                ++held;
            add_page(first);
        }
    for (; held != held_.end(); ++held)
        add_page(held->first);
    return pages;
}

NDKEEP_INLINE void stored_array::settle_tail(array_changes& changed, bool keep_former) {
    if (changed.tail.first == changed.tail.last)
        return;
    if (tails_ == tail_place::memory) {
        // The log has the rows. The file gets their room, so that readers can lay them over it.
        changed.tail = {};
        if (source_.size() < size_)
            source_.resize(size_);
        return;
    }
    for (const auto& run : changed.tail_pages) {
        const auto length = static_cast<std::size_t>(run.last - run.first);
        if (keep_former) {
            const std::size_t before = changed.former_tail.size();
            changed.former_tail.resize(before + length);
            source_.read(run.first, std::span(changed.former_tail).last(length));
        }
        source_.write(run.first, {pages_.data() + run.first, length});
    }
    if (!changed.tail_pages.empty() || !tail_sum_counts_ ||
        (!changed.images.empty() && changed.images.back().last > changed.tail.first))
        tail_sum_ = crc32c(
            {pages_.data() + changed.tail.first, static_cast<std::size_t>(changed.tail.last - changed.tail.first)});
    changed.tail_sum = tail_sum_;
    stamp();
}

NDKEEP_INLINE void stored_array::unsettle_tail(const array_changes& changed) noexcept {
    std::span<const std::byte> former = changed.former_tail;
    try {
        for (const auto& run : changed.tail_pages) {
            const auto length = static_cast<std::size_t>(run.last - run.first);
            if (former.size() < length)
                break;
            source_.write(run.first, former.first(length));
            former = former.subspan(length);
        }
    } catch (const error&) {
        // A savepoint then shows the rows of the failed commit. Nothing of it is committed.
    }
}

NDKEEP_INLINE void stored_array::reserve_holes(const array_changes& changed) {
    // A file without holes needs no question for each run.
    const auto status = source_.status();
    if (static_cast<std::uint64_t>(status.st_blocks) * 512 >= static_cast<std::uint64_t>(status.st_size))
        return;
    for (const auto& run : changed.images)
        if (!source_.reserve(run.first, run.last - run.first))
            break;
    stamp();
}

NDKEEP_INLINE void stored_array::add_images(const array_changes& changed,
                                            std::vector<std::span<const std::byte>>& to) const {
    for (const auto& run : changed.images)
        to.emplace_back(pages_.data() + run.first, static_cast<std::size_t>(run.last - run.first));
}

NDKEEP_INLINE void stored_array::committed(const array_changes& changed, const logged_commit& commit,
                                           std::span<const std::byte> images) {
    for (const auto& run : changed.images)
        for (std::uint64_t first = run.first; first < run.last; first += page_) {
            const auto length = static_cast<std::size_t>(std::min(page_, run.last - first));
            held_[first] = {commit.record.number, images.first(length), commit.payload.owner};
            images = images.subspan(length);
        }
    discard(changed.tail_pages);
    if (tails_ == tail_place::memory)
        map_grown_file();
    committed_info_ = info_;
    committed_reach_ = reach_;
    has_new_header_ = false;
    tail_sum_ = 0;
    tail_sum_counts_ = true;
    is_new = false;
    if (metadata)
        committed_metadata = *metadata;
}

NDKEEP_INLINE void stored_array::discard(const std::vector<page_run>& runs) {
    for (const auto& run : runs)
        if (spilled_.empty()) {
            pages_.discard(run.first, page_end(run.last, page_) - run.first);
        } else {
            // A page of a spilled block would show the shadow file, and not the array.
            for (std::uint64_t first = run.first; first < run.last; first += page_)
                if (!contains_page(spilled_, first))
                    pages_.discard(first, page_);
        }
}

NDKEEP_INLINE void stored_array::applied(std::uint64_t number) {
    std::vector<page_run> equal;
    for (auto held = held_.begin(); held != held_.end();) {
        if (held->second.number > number) {
            ++held;
            continue;
        }
        const auto& bytes = held->second.bytes;
        // A page that differs was stored into during the commit. It stays, as a change of the next transaction.
        const bool is_whole = tails_ == tail_place::file || bytes.size() == std::min(page_, size_ - held->first);
        if (is_whole && std::memcmp(bytes.data(), pages_.data() + held->first, bytes.size()) == 0)
            add_run(equal, {held->first, held->first + page_});
        held = held_.erase(held);
    }
    if (held_.empty() && !spilled_.empty()) {
        // What was stored since is private to this process, and stays.
        std::vector<own_change> kept;
        for (const auto& block : spilled_)
            for (const auto& run : stored_into(block.first, block.last))
                for (std::uint64_t first = run.first; first < run.last; first += page_)
                    if (!contains_page(equal, first))
                        kept.push_back(
                            {{first, first + page_}, {pages_.data() + first, pages_.data() + first + page_}});
        map_spilled_blocks_of_file();
        put_back(kept);
    }
    discard(equal);
    stamp();
}

}  // namespace ndkeep::detail
