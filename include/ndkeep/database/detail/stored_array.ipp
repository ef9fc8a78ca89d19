// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/database/detail/stored_array.hpp>.
#pragma once

#include <ndkeep/database/detail/stored_array.hpp>

#include <ndkeep/array/blocks.hpp>
#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/npy/detail/inspect.hpp>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>

namespace ndkeep::inline NDKEEP_ABI::detail {

[[nodiscard]] NDKEEP_INLINE std::uint64_t page_begin(std::uint64_t at, std::uint64_t page) { return at / page * page; }
[[nodiscard]] NDKEEP_INLINE std::uint64_t page_end(std::uint64_t at, std::uint64_t page) {
    return (at + page - 1) / page * page;
}

NDKEEP_INLINE stored_array::stored_array(std::string name, file source, page_tracker tracker, std::uint64_t reserve,
                                         tail_place tails)
    : name_(std::move(name)), source_(std::move(source)), tracker_(tracker), tails_(tails),
      pages_(std::max(reserve, source_.size()), source_.size(), source_.path()), page_(mapping::page_size()) {
    stamp();
    size_ = source_.size();
    mapped_ = file_mapped_ = page_end(size_, page_);
    pages_.place(source_, 0, size_);
}

NDKEEP_INLINE void stored_array::lay(const logged_commit& commit, const array_change& change,
                                     std::span<const std::byte> images) {
    for (const auto& image : change.images) {
        // An image ends within a page only where the file ended at that time.
        if (image.first % page_ != 0 || (image.last % page_ != 0 && &image != &change.images.back()))
            throw mismatched(path(), "page size of the log", "at least " + counted(page_, "byte"), "a smaller one",
                             "open the database once on the machine that wrote it");
        if (image.last > size_)
            throw malformed(path(), "length", "at least " + counted(image.last, "byte"), counted(size_, "byte"),
                            "commit " + std::to_string(commit.record.number) + " of the log changes them");
        for (std::uint64_t at = image.first; at < image.last; at = page_begin(at, page_) + page_) {
            const auto length = static_cast<std::size_t>(std::min(page_begin(at, page_) + page_, image.last) - at);
            const auto bytes = images.first(length);
            images = images.subspan(length);
            std::memcpy(pages_.data() + at, bytes.data(), length);
            held_[at] = {commit.record.number, bytes, commit.payload.owner};
        }
        // The file must stay as long, because the image is read again until it is applied.
        reach_ = std::max(reach_, image.last);
    }
    reach_ = std::max({reach_, change.end, change.tail.last});
}

NDKEEP_INLINE void stored_array::read_header() {
    const std::span<const std::byte> bytes(pages_.data(), static_cast<std::size_t>(size_));
    const auto begin =
        parse_preamble(bytes.first(std::min<std::size_t>(bytes.size(), longest_preamble)), path(), size_);
    info_ = parse_header(bytes.first(static_cast<std::size_t>(begin.data_offset())), path());
    committed_info_ = info_;
    if (end_of(info_) > size_)
        throw malformed(path(), "data", counted(info_.nbytes(), "byte"), counted(size_ - info_.data_offset, "byte"),
                        "the file is cut short");
    // The header in the file may be older than the commits laid over it, and have more rows.
    std::uint64_t end_in_file = 0;
    if (!held_.empty()) {
        try {
            std::vector<std::byte> first(static_cast<std::size_t>(info_.data_offset));
            source_.read(0, first);
            end_in_file = end_of(parse_header(first, path()));
        } catch (const format_error&) {
            // A new file, whose header is in the log only.
        }
    }
    committed_reach_ = reach_ = std::max({reach_, end_of(info_), end_in_file});
}

NDKEEP_INLINE void stored_array::create(const array_info& info) {
    info_ = info;
    const std::uint64_t end = end_of(info_);
    check_reservation(end);
    source_.resize(end);
    size_ = end;
    pages_.place(source_, 0, end);
    mapped_ = file_mapped_ = page_end(end, page_);
    committed_reach_ = reach_ = end;
    is_new = true;
    stamp();
}

NDKEEP_INLINE std::uint64_t stored_array::end_of(const array_info& info) const { return data_end(info); }

NDKEEP_INLINE std::vector<page_run> stored_array::stored_into(std::uint64_t first, std::uint64_t last) const {
    auto runs = tracker_.stored_into({pages_.data() + first, static_cast<std::size_t>(page_end(last, page_) - first)},
                                     source_, first);
    for (auto& run : runs)
        run = {run.first + first, run.last + first};
    return runs;
}

NDKEEP_INLINE void stored_array::check_reservation(std::uint64_t end) const {
    if (end > pages_.size())
        throw mismatched(path(), "size of the file",
                         "at most " + counted(pages_.size(), "byte") + " of reserved addresses", counted(end, "byte"),
                         "open the database with a larger .reserve");
}

NDKEEP_INLINE void stored_array::map_to(std::uint64_t end) {
    end = page_end(end, page_);
    if (end <= mapped_)
        return;
    if (tails_ == tail_place::file) {
        pages_.place(source_, mapped_, end - mapped_);
        file_mapped_ = end;
    } else {
        pages_.place_zeros(mapped_, end - mapped_);
    }
    mapped_ = end;
}

NDKEEP_INLINE void stored_array::cut_spare_bytes() {
    if (tails_ == tail_place::memory || size_ == reach_)
        return;
    if (begins_array(source_, reach_, size_))
        throw mismatched(path(), "data", "the last bytes of the file", "followed by a second array",
                         "new rows would overwrite it");
    source_.resize(reach_);
    size_ = reach_;
    stamp();
}

NDKEEP_INLINE void stored_array::clear(std::uint64_t first, std::uint64_t last) {
    while (first < last) {
        const auto some = static_cast<std::size_t>(std::min(page_begin(first, page_) + page_, last) - first);
        std::byte* const bytes = pages_.data() + first;
        // A store would copy the page, so bytes that are zero already are left alone.
        if (std::any_of(bytes, bytes + some, [](std::byte each) { return each != std::byte{0}; }))
            std::memset(bytes, 0, some);
        first += some;
    }
}

NDKEEP_INLINE void stored_array::set_shape(array_info info) {
    info_ = std::move(info);
    for (array_handle* const handle : handles_)
        handle->reshape();
}

NDKEEP_INLINE void stored_array::cut_tail(std::uint64_t reach) noexcept {
    reach_ = reach;
    if (tails_ == tail_place::memory || size_ <= reach || reach < committed_reach_)
        return;
    try {
        source_.resize(reach);
        size_ = reach;
        stamp();
    } catch (const error&) {
        // The bytes stay behind the data, where nobody reads them, and are cut before the next rows are written.
    }
}

/// The array with another extent of its slowest axis, if its header has room for that.
[[nodiscard]] NDKEEP_INLINE array_info resized(const array_info& info, std::size_t extent,
                                               const std::filesystem::path& path) {
    if (info.shape.empty())
        throw mismatched(path, "shape", "at least 1 dimension", shape_text(info.shape));
    array_info next = info;
    next.shape[growing_axis(info)] = extent;
    (void)checked_nbytes(next.type, next.shape, path);
    if (least_header_length(next, next.version) > next.data_offset)
        throw mismatched(path, "header", "room for the shape " + shape_text(next.shape),
                         counted(next.data_offset, "byte"), "copy the array to a new one, whose header has room");
    return next;
}

NDKEEP_INLINE void stored_array::append(const array_view& rows) {
    const std::size_t axis = info_.shape.empty() ? 0 : growing_axis(info_);
    bool same = !info_.shape.empty() && rows.shape().size() == info_.shape.size();
    for (std::size_t i = 0; same && i < info_.shape.size(); ++i)
        same = i == axis || rows.shape()[i] == info_.shape[i];
    if (!same)
        throw mismatched(path(), "shape of the appended rows",
                         info_.shape.empty() ? "at least 1 dimension"
                                             : shape_text(info_.shape) + " except along axis " + std::to_string(axis),
                         shape_text(rows.shape()));
    const conversion convert(rows.type(), info_.type, path());
    auto next = resized(info_, info_.shape[axis] + rows.shape()[axis], path());
    const std::uint64_t from = end_of(info_), end = end_of(next);
    if (from == end)
        return set_shape(std::move(next));
    check_reservation(end);
    cut_spare_bytes();
    // Bytes behind the shape are invisible until the end, so rows may be a view of this array, or fail to be computed.
    // Below `direct`, a former commit may still have its bytes in the file, so rows go to the memory.
    const std::uint64_t former_reach = reach_;
    const std::uint64_t direct = tails_ == tail_place::memory ? end : std::max(from, std::min(end, reach_));
    std::uint32_t sum = tail_sum_;
    try {
        if (tails_ == tail_place::memory)
            map_to(end);
        std::uint64_t at = from;
        constexpr std::size_t most = std::size_t{1} << 20;
        buffer converted(convert.is_identity() ? 0 : most + convert.to_size());
        for_each_block(rows.in_order(order_of(info_)), most, [&](std::span<const std::byte> bytes, std::size_t count) {
            if (!convert.is_identity()) {
                if (converted.size() < count * convert.to_size())
                    converted = buffer(count * convert.to_size());
                convert.run(converted.data(), bytes.data(), count);
                bytes = std::span<const std::byte>(converted.bytes()).first(count * convert.to_size());
            }
            const auto to_memory =
                static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), direct - std::min(direct, at)));
            std::copy_n(bytes.data(), to_memory, pages_.data() + at);
            const auto rest = bytes.subspan(to_memory);
            source_.write(at + to_memory, rest);
            if (!rest.empty())
                sum = crc32c(rest, sum);
            at += bytes.size();
        });
        if (tails_ == tail_place::file && end > direct) {
            size_ = end;
            map_to(end);
            // The first page may have been copied before, and then does not show what was written to the file.
            std::vector<std::byte> head(static_cast<std::size_t>(std::min(page_end(direct, page_), end) - direct));
            source_.read(direct, head);
            if (std::memcmp(pages_.data() + direct, head.data(), head.size()) != 0)
                std::memcpy(pages_.data() + direct, head.data(), head.size());
            stamp();
        }
    } catch (...) {
        size_ = tails_ == tail_place::file ? std::max(size_, end) : size_;
        cut_tail(former_reach);
        throw;
    }
    tail_sum_ = sum;
    if (tails_ == tail_place::memory)
        size_ = std::max(size_, end);
    reach_ = std::max(reach_, end);
    set_shape(std::move(next));
}

NDKEEP_INLINE void stored_array::resize(const std::vector<std::size_t>& shape) {
    const std::size_t axis = info_.shape.empty() ? 0 : growing_axis(info_);
    bool same = shape.size() == info_.shape.size();
    for (std::size_t i = 0; same && i < shape.size(); ++i)
        same = i == axis || shape[i] == info_.shape[i];
    if (!same)
        throw mismatched(path(), "new shape",
                         info_.shape.empty() ? "()"
                                             : shape_text(info_.shape) + " except along axis " + std::to_string(axis),
                         shape_text(shape), "only the slowest axis can be resized");
    if (shape == info_.shape)
        return;
    auto next = resized(info_, shape[axis], path());
    const std::uint64_t from = end_of(info_), end = end_of(next);
    if (end > from) {
        check_reservation(end);
        cut_spare_bytes();
        if (end > reach_) {
            if (tails_ == tail_place::file)
                source_.resize(end);
            map_to(end);
            size_ = end;
            stamp();
        }
        clear(from, std::min(end, page_end(reach_, page_)));
        if (end > reach_)
            tail_sum_counts_ = false;
        reach_ = std::max(reach_, end);
    }
    set_shape(std::move(next));
}

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

/// The same runs in ascending order, without overlaps.
[[nodiscard]] NDKEEP_INLINE std::vector<page_run> joined(std::vector<page_run> runs) {
    std::sort(runs.begin(), runs.end(), [](const page_run& a, const page_run& b) { return a.first < b.first; });
    std::vector<page_run> all;
    for (const auto& run : runs)
        if (!all.empty() && run.first <= all.back().last)
            all.back().last = std::max(all.back().last, run.last);
        else
            all.push_back(run);
    return all;
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

NDKEEP_INLINE void stored_array::settle_tail(array_changes& changed) {
    if (changed.tail.first == changed.tail.last)
        return;
    if (tails_ == tail_place::memory) {
        // The log has the rows. The file gets their room, so that readers can lay them over it.
        changed.tail = {};
        if (source_.size() < size_)
            source_.resize(size_);
        return;
    }
    for (const auto& run : changed.tail_pages)
        source_.write(run.first, {pages_.data() + run.first, static_cast<std::size_t>(run.last - run.first)});
    if (!changed.tail_pages.empty() || !tail_sum_counts_ ||
        (!changed.images.empty() && changed.images.back().last > changed.tail.first))
        tail_sum_ = crc32c(
            {pages_.data() + changed.tail.first, static_cast<std::size_t>(changed.tail.last - changed.tail.first)});
    changed.tail_sum = tail_sum_;
    stamp();
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

/// Whether a page is in one of these runs, which are ascending.
[[nodiscard]] NDKEEP_INLINE bool contains_page(const std::vector<page_run>& runs, std::uint64_t first) {
    const auto after = std::upper_bound(runs.begin(), runs.end(), first,
                                        [](std::uint64_t at, const page_run& run) { return at < run.first; });
    return after != runs.begin() && first < std::prev(after)->last;
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
    const std::uint64_t first = committed_info_.data_offset, end = end_of(committed_info_);
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
    const std::uint64_t former_end = end_of(committed_info_), own_end = end_of(info_);
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
            for (const auto& change : own)
                for (std::uint64_t at = page_begin(std::max(change.where.first, image.first), page_);
                     at < std::min(change.where.last, image.last); at += page_) {
                    const std::uint64_t from = std::max({at, change.where.first, image.first}),
                                        to = std::min({at + page_, change.where.last, image.last});
                    const auto length = static_cast<std::size_t>(to - from);
                    // A page can be in both lists for its header, or for the rows behind the former end.
                    if (std::memcmp(change.bytes.data() + (from - change.where.first), pages_.data() + from, length) !=
                            0 &&
                        std::memcmp(bytes.data() + (from - image.first), pages_.data() + from, length) != 0)
                        note(from, to);
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
    return others_reshape && info_ != committed_info_ && !both_grow ? "the shape" : "";
}

NDKEEP_INLINE void stored_array::rebase(std::span<const other_change> others) {
    if (others.empty())
        return;
    const auto former = committed_info_;
    const auto mine = info_;
    const std::uint64_t former_end = end_of(former), own_end = end_of(mine);
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
        const std::uint64_t from = end_of(committed_info_), end = end_of(next);
        check_reservation(end);
        map_to(end);
        std::memcpy(pages_.data() + from, added.data(), added.size());
        size_ = std::max(size_, end);
        reach_ = std::max(reach_, end);
    } else if (own_end < former_end) {
        next = mine;
    }
    set_shape(std::move(next));
}

NDKEEP_INLINE void stored_array::abort() {
    restore({.info = committed_info_, .runs = {}, .bytes = {}, .reach = committed_reach_});
}

NDKEEP_INLINE stored_array::saved stored_array::save() const {
    auto runs = stored_into(0, size_);
    runs.insert(runs.end(), spilled_.begin(), spilled_.end());
    // Held pages too: one that was changed back to what the file has does not look changed where bytes are compared.
    for (const auto& [first, held] : held_)
        runs.push_back({first, first + page_});
    saved state{.info = info_,
                .runs = joined(std::move(runs)),
                .bytes = {},
                .reach = reach_,
                .is_removed = is_removed,
                .metadata = metadata};
    std::uint64_t bytes = 0;
    for (const auto& run : state.runs)
        bytes += run.last - run.first;
    state.bytes.reserve(static_cast<std::size_t>(bytes));
    for (const auto& run : state.runs)
        state.bytes.insert(state.bytes.end(), pages_.data() + run.first, pages_.data() + run.last);
    return state;
}

NDKEEP_INLINE void stored_array::restore(const saved& state) {
    map_spilled_blocks_of_file();
    pages_.discard(0, mapped_);
    // The held images first: the saved pages may be newer.
    for (const auto& [first, held] : held_)
        std::memcpy(pages_.data() + first, held.bytes.data(), held.bytes.size());
    std::size_t at = 0;
    for (const auto& run : state.runs) {
        const auto length = static_cast<std::size_t>(run.last - run.first);
        std::memcpy(pages_.data() + run.first, state.bytes.data() + at, length);
        at += length;
    }
    // Spare bytes that were behind the data before the transaction are not its own.
    if (reach_ != state.reach)
        cut_tail(state.reach);
    tail_sum_ = 0;
    tail_sum_counts_ = reach_ == committed_reach_;
    is_removed = state.is_removed;
    metadata = state.metadata;
    if (!metadata && !committed_metadata.is_null())
        metadata = committed_metadata;
    set_shape(state.info);
}

NDKEEP_INLINE std::uint64_t stored_array::dirty_bytes() const {
    std::uint64_t bytes = 0;
    for (const auto& run : stored_into(0, size_))
        bytes += run.last - run.first;
    return bytes;
}

NDKEEP_INLINE void stored_array::spill(const std::function<file()>& shadow) {
    // Blocks, because the system limits the number of mappings: a terabyte has half a million blocks of 2 MiB.
    constexpr std::uint64_t block = std::uint64_t{2} << 20;
    if (tails_ == tail_place::memory)
        return;
    std::vector<page_run> blocks;
    for (const auto& run : stored_into(0, size_))
        for (std::uint64_t first = run.first / block * block; first < run.last; first += block)
            if (blocks.empty() || blocks.back().first != first)
                blocks.push_back({first, std::min(first + block, page_end(size_, page_))});
    if (blocks.empty())
        return;
    if (!shadow_.is_open())
        shadow_ = shadow();
    if (shadow_.size() < mapped_)
        shadow_.resize(mapped_);
    for (const auto& each : blocks)
        shadow_.write(each.first, {pages_.data() + each.first, static_cast<std::size_t>(each.last - each.first)});
    for (const auto& each : blocks)
        pages_.place(shadow_, each.first, each.last - each.first);
    spilled_.insert(spilled_.end(), blocks.begin(), blocks.end());
    spilled_ = joined(std::move(spilled_));
}

NDKEEP_INLINE void stored_array::map_spilled_blocks_of_file() {
    for (const auto& each : spilled_)
        pages_.place(source_, each.first, each.last - each.first);
    spilled_.clear();
    shadow_ = {};
}

NDKEEP_INLINE bool stored_array::is_foreign(const std::optional<struct stat>& named) const {
    const auto now = source_.status();
    return !named || named->st_ino != now.st_ino || named->st_dev != now.st_dev || stamp_of(now) != stamp_of(stamp_);
}

}  // namespace ndkeep::detail
