// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/database/detail/stored_array.hpp>: mapping, appending and resizing.
#pragma once

#include <ndkeep/database/detail/stored_array.hpp>

#include <ndkeep/array/blocks.hpp>
#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/bytes/source.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/npy/detail/grow.hpp>
#include <ndkeep/npy/detail/inspect.hpp>

#include <algorithm>
#include <cstring>
#include <string>

namespace ndkeep::inline NDKEEP_ABI::detail {

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
    const byte_source memory(std::span<const std::byte>(pages_.data(), static_cast<std::size_t>(size_)), path());
    std::vector<std::byte> header;
    committed_info_ = info_ = header_at(memory, 0, size_, {}, header);
    check_data(memory, info_, size_);
    // The header in the file may be older than the commits laid over it, and have more rows.
    std::uint64_t end_in_file = 0;
    if (!held_.empty()) {
        try {
            std::vector<std::byte> first(static_cast<std::size_t>(info_.data_offset));
            source_.read(0, first);
            end_in_file = data_end(parse_header(first, path()));
        } catch (const format_error&) {
            // A new file, whose header is in the log only.
        }
    }
    committed_reach_ = reach_ = std::max({reach_, data_end(info_), end_in_file});
}

NDKEEP_INLINE void stored_array::create(const array_info& info) {
    info_ = info;
    const std::uint64_t end = data_end(info_);
    check_reservation(end);
    source_.resize(end);
    size_ = end;
    pages_.place(source_, 0, end);
    mapped_ = file_mapped_ = page_end(end, page_);
    committed_reach_ = reach_ = end;
    is_new = true;
    stamp();
}

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
    check_no_second_array(source_, reach_, size_);
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
    check_rows(info_, rows, path());
    const conversion convert(rows.type(), info_.type, path());
    const std::size_t axis = growing_axis(info_);
    auto next = resized(info_, info_.shape[axis] + rows.shape()[axis], path());
    const std::uint64_t from = data_end(info_), end = data_end(next);
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
            if (!head.empty() && std::memcmp(pages_.data() + direct, head.data(), head.size()) != 0)
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
    const std::uint64_t from = data_end(info_), end = data_end(next);
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

NDKEEP_INLINE std::uint64_t stored_array::dirty_bytes() const {
    std::uint64_t bytes = 0;
    for (const auto& run : stored_into(0, size_))
        bytes += run.last - run.first;
    return bytes;
}

NDKEEP_INLINE bool stored_array::has_committed_header() const {
    try {
        std::vector<std::byte> header(static_cast<std::size_t>(committed_info_.data_offset));
        source_.read(0, header);
        return parse_header(header, path()) == committed_info_;
    } catch (const format_error&) {
        return false;
    }
}

NDKEEP_INLINE bool stored_array::is_foreign(const std::optional<struct stat>& named) const {
    const auto now = source_.status();
    return !named || named->st_ino != now.st_ino || named->st_dev != now.st_dev || stamp_of(now) != stamp_of(stamp_);
}

}  // namespace ndkeep::detail
