// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/database/detail/stored_array.hpp>: changes on top of those of other writers.
#pragma once

#include <ndkeep/database/detail/stored_array.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/npy/detail/inspect.hpp>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE void stored_array::map_grown_file() {
    const std::uint64_t end = page_end(source_.size(), page_);
    if (end <= file_mapped_)
        return;
    pages_.place(source_, file_mapped_, end - file_mapped_);
    for (auto held = held_.lower_bound(file_mapped_); held != held_.end(); ++held)
        std::memcpy(pages_.data() + held->first, held->second.bytes.data(), held->second.bytes.size());
    file_mapped_ = end;
    mapped_ = std::max(mapped_, end);
    size_ = std::max(size_, source_.size());
}

NDKEEP_INLINE std::vector<stored_array::own_change> stored_array::take_out() {
    const auto pages = changed_pages();
    std::vector<own_change> changes;
    const std::uint64_t first = committed_info_.data_offset, end = data_end(committed_info_);
    for (const auto& run : pages) {
        const page_run where{std::max(run.first, first), std::min(run.last, end)};
        if (where.first < where.last)
            changes.push_back({where, {pages_.data() + where.first, pages_.data() + where.last}});
    }
    pages_.discard(0, mapped_);
    for (const auto& [at, held] : held_)
        std::memcpy(pages_.data() + at, held.bytes.data(), held.bytes.size());
    return changes;
}

NDKEEP_INLINE void stored_array::put_back(const std::vector<own_change>& changes) {
    for (const auto& change : changes)
        std::memcpy(pages_.data() + change.where.first, change.bytes.data(), change.bytes.size());
}

NDKEEP_INLINE std::string stored_array::collision(std::span<const other_change> others) {
    if (others.empty())
        return {};
    if (is_new)
        return "the array itself";
    const auto state = save();
    const auto own = take_out();
    const auto first = committed_info_.data_offset;
    const std::uint64_t former_end = data_end(committed_info_), own_end = data_end(info_);
    std::optional<page_run> both;
    const auto note = [&](std::uint64_t from, std::uint64_t to) {
        both = {std::min(both ? both->first : from, from), std::max(both ? both->last : to, to)};
    };
    bool others_reshape = false;
    std::uint64_t others_end = former_end;
    for (const auto& other : others) {
        auto images = other.images;
        others_reshape = others_reshape || other.change->end != former_end;
        others_end = other.change->end;
        for (const auto& image : other.change->images) {
            const auto bytes = images.first(static_cast<std::size_t>(image.last - image.first));
            images = images.subspan(bytes.size());
            // Rows that this transaction has removed.
            if (own_end < former_end && image.last > own_end && image.first < former_end)
                note(std::max(image.first, own_end), std::min(image.last, former_end));
            // Both lists are ascending, so only the changes that meet the image are looked at.
            for (auto change =
                     std::upper_bound(own.begin(), own.end(), image.first,
                                      [](std::uint64_t at, const own_change&each) { return at < each.where.last; });
                 change != own.end() && change->where.first < image.last; ++change) {
                const auto& where = change->where;
                for (std::uint64_t at = page_begin(std::max(where.first, image.first), page_);
                     at < std::min(where.last, image.last); at += page_) {
                    const std::uint64_t from = std::max({at, where.first, image.first}),
                                        to = std::min({at + page_, where.last, image.last});
                    const auto length = static_cast<std::size_t>(to - from);
                    // A page can be in both lists for its header, or for the rows behind the former end.
                    if (std::memcmp(change->bytes.data() + (from - where.first), pages_.data() + from, length) != 0 &&
                        std::memcmp(bytes.data() + (from - image.first), pages_.data() + from, length) != 0)
                        note(from, to);
                }
            }
        }
    }
    // Rows that another writer has removed.
    for (const auto& change : own)
        if (others_end < former_end && change.where.last > others_end)
            note(std::max(change.where.first, others_end), change.where.last);
    restore(state);
    if (both) {
        const std::uint64_t row = std::max<std::uint64_t>(row_bytes(committed_info_), 1);
        return "rows " + std::to_string((both->first - first) / row) + " to " +
               std::to_string((both->last - first + row - 1) / row);
    }
    const bool both_grow = own_end > former_end && others_end > former_end;
    // Checked before anything is rebased: an error in between would lose rows.
    if (both_grow)
        check_reservation(others_end + (own_end - former_end));
    return others_reshape && info_ != committed_info_ && !both_grow ? "the shape" : "";
}

NDKEEP_INLINE void stored_array::rebase(std::span<const other_change> others) {
    if (others.empty())
        return;
    const auto former = committed_info_;
    const auto mine = info_;
    const std::uint64_t former_end = data_end(former), own_end = data_end(mine);
    std::vector<std::byte> added;
    if (own_end > former_end)
        added.assign(pages_.data() + former_end, pages_.data() + own_end);
    // Only bytes that differ count: the rest of a page may be changed by the others.
    auto own = take_out();
    std::vector<own_change> differing;
    for (const auto& change : own)
        for (std::size_t at = 0; at < change.bytes.size();) {
            const auto length = static_cast<std::size_t>(
                std::min<std::uint64_t>(page_begin(change.where.first + at, page_) + page_, change.where.last) -
                (change.where.first + at));
            const std::byte* const bytes = change.bytes.data() + at;
            if (std::memcmp(bytes, pages_.data() + change.where.first + at, length) != 0)
                differing.push_back(
                    {{change.where.first + at, change.where.first + at + length}, {bytes, bytes + length}});
            at += length;
        }
    if (mapped_ > file_mapped_)
        pages_.place_zeros(file_mapped_, mapped_ - file_mapped_);
    map_grown_file();
    size_ = source_.size();
    // The rows that this transaction has added are no part of a commit.
    reach_ = committed_reach_;
    for (const auto& other : others)
        lay(*other.commit, *other.change, other.images);
    read_header();
    for (const auto& other : others)
        if (other.change->sidecar)
            sidecar = other.change->sidecar;
    put_back(differing);
    auto next = committed_info_;
    if (own_end > former_end) {
        next.shape[growing_axis(next)] += mine.shape[growing_axis(mine)] - former.shape[growing_axis(former)];
        const std::uint64_t from = data_end(committed_info_), end = data_end(next);
        map_to(end);
        std::memcpy(pages_.data() + from, added.data(), added.size());
        size_ = std::max(size_, end);
        reach_ = std::max(reach_, end);
    } else if (own_end < former_end) {
        next = mine;
    }
    set_shape(std::move(next));
}

}  // namespace ndkeep::detail
