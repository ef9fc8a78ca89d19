// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/store/cached_place.hpp>.
#pragma once

#include <ndkeep/store/cached_place.hpp>

#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/store/layout.hpp>
#include <ndkeep/text/hex.hpp>

#include <algorithm>
#include <string_view>
#include <system_error>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

inline constexpr std::string_view sum_ending = ".sum";

/// What NAME.sum holds: the sum and the size of NAME.
[[nodiscard]] inline std::string sum_text(std::uint32_t sum, std::uint64_t size) {
    std::string text;
    append_hex(text, sum, 8);
    return text + ' ' + std::to_string(size) + '\n';
}

/// Whether this is the name of a copy, "HASH-NAME", or of one that is being fetched. Users may keep other files beside.
[[nodiscard]] inline bool is_copy(std::string_view name) {
    if (const auto meant = named_by_temporary(name); !meant.empty())
        name = meant;
    constexpr std::size_t digits = 16;
    return name.size() > digits && are_hex_digits(name.substr(0, digits)) && name[digits] == '-' &&
           is_chunk_name(name.substr(digits + 1));
}

}  // namespace detail

NDKEEP_INLINE cached_place::cached_place(std::shared_ptr<place> inner, const cache_options& options)
    : inner_(std::move(inner)), most_(options.bytes) {
    bool is_new = false;
    folder_ = directory::create(options.path, is_new);
    const auto shown = inner_->path().string();
    prefix_ = core::hexadecimal(std::uint64_t{crc32c(core::bytes_of(shown))} << 32 | shown.size()) + '-';
}

NDKEEP_INLINE std::optional<std::string> cached_place::copy_of(const std::string& name) const {
    constexpr std::string_view chunks = "chunks/";
    if (!name.starts_with(chunks) || name.find('/', chunks.size()) != std::string::npos)
        return std::nullopt;
    return prefix_ + name.substr(chunks.size());
}

NDKEEP_INLINE bool cached_place::is_sound(const file& found, const std::string& copy) const {
    const auto sum = folder_.open_file(copy + std::string(detail::sum_ending));
    std::vector<std::byte> text(64), block(std::size_t{1} << 20);
    text.resize(sum ? sum->read_some(0, text) : 0);
    std::uint32_t crc = 0;
    std::uint64_t at = 0;
    for (std::size_t some = block.size(); some == block.size(); at += some) {
        some = found.read_some(at, block);
        crc = crc32c(std::span<const std::byte>(block).first(some), crc);
    }
    const auto wanted = detail::sum_text(crc, at);
    return core::as_text(text) == wanted;
}

NDKEEP_INLINE std::optional<file> cached_place::opened(const std::string& copy) {
    try {
        return opened_if_sound(copy);
    } catch (const io_error&) {
        return std::nullopt;  // another user's, or the disk is damaged: the chunk is fetched
    }
}

NDKEEP_INLINE std::optional<file> cached_place::opened_if_sound(const std::string& copy) {
    auto found = folder_.open_file(copy);
    if (!found)
        return std::nullopt;
    const auto is_checked = [&] {
        const std::lock_guard<std::mutex> alone(mutex_);
        return checked_.contains(copy);
    };
    if (!is_checked()) {
        if (!is_sound(*found, copy))
            return std::nullopt;
        const std::lock_guard<std::mutex> alone(mutex_);
        checked_.insert(copy);
    }
    found->touch();
    return found;
}

NDKEEP_INLINE void cached_place::make_room(std::uint64_t bytes) {
    struct entry {
        std::int64_t used;
        std::uint64_t size;
        std::string name;
    };
    const auto long_ago = std::chrono::duration_cast<std::chrono::nanoseconds>(
                              (std::chrono::system_clock::now() - std::chrono::hours(1)).time_since_epoch())
                              .count();
    std::vector<entry> all;
    std::uint64_t total = 0;
    for (const auto& name : folder_.names())
        if (detail::is_copy(name))
            if (const auto status = folder_.status_of(name); status && S_ISREG(status->st_mode)) {
                const auto stamp = detail::stamp_of(*status);
                total += stamp.size;
                // What is being fetched is not removed.
                if (detail::named_by_temporary(name).empty() || stamp.mtime_ns < long_ago)
                    all.push_back({stamp.mtime_ns, stamp.size, name});
            }
    if (total + bytes <= most_)
        return;
    std::sort(all.begin(), all.end(), [](const entry& a, const entry& b) { return a.used < b.used; });
    for (const auto& each : all) {
        if (total + bytes <= most_)
            return;
        try {
            folder_.remove(each.name);
            folder_.remove(each.name + std::string(detail::sum_ending));
        } catch (const io_error&) {
            continue;  // another user's
        }
        const std::lock_guard<std::mutex> alone(mutex_);
        checked_.erase(each.name);
        total -= each.size;
    }
}

NDKEEP_INLINE std::optional<std::string> cached_place::copied(const std::string& name, std::uint64_t size,
                                                              file& into) const {
    std::vector<std::byte> block(static_cast<std::size_t>(std::min<std::uint64_t>(size, std::uint64_t{16} << 20)));
    std::uint32_t crc = 0;
    for (std::uint64_t at = 0; at < size; at += block.size()) {
        block.resize(static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), size - at)));
        if (!inner_->get_range(name, at, block))
            return std::nullopt;
        try {
            into.write(at, block);
        } catch (const io_error&) {
            return std::nullopt;  // the disk is full
        }
        crc = crc32c(block, crc);
    }
    return detail::sum_text(crc, size);
}

NDKEEP_INLINE std::optional<file> cached_place::fetched(const std::string& name, const std::string& copy) {
    const auto size = inner_->size(name);
    if (!size)
        return std::nullopt;
    const std::string temporary = detail::temporary_name(copy);
    const auto remove = [&] {
        try {
            folder_.remove(temporary);
        } catch (const io_error&) {
            // It counts as a copy that is not used, and makes room for others.
        }
    };
    std::optional<file> made;
    try {
        make_room(*size);
        made = folder_.create_file(temporary);
    } catch (const io_error&) {
        return std::nullopt;
    }
    try {
        const auto sum = copied(name, *size, *made);
        if (!sum) {
            remove();
            return std::nullopt;
        }
        try {
            const auto bytes = core::bytes_of(*sum);
            const auto sum_name = copy + std::string(detail::sum_ending);
            folder_.remove(sum_name);
            (void)folder_.put(sum_name, {&bytes, 1}, durability::when_convenient);
            folder_.rename(temporary, folder_, copy);
            made = folder_.open_file(copy);
        } catch (const io_error&) {
            remove();
            return std::nullopt;
        }
    } catch (...) {
        remove();
        throw;
    }
    const std::lock_guard<std::mutex> alone(mutex_);
    checked_.insert(copy);
    return made;
}

NDKEEP_INLINE std::optional<file> cached_place::open(const std::string& name) {
    const auto copy = copy_of(name);
    if (!copy)
        return inner_->open(name);
    // Of several threads that want one chunk, the first checks or fetches it. Other chunks come at the same time.
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return !busy_.contains(*copy); });
    busy_.insert(*copy);
    lock.unlock();
    const auto done = [&] {
        const std::lock_guard<std::mutex> alone(mutex_);
        busy_.erase(*copy);
        changed_.notify_all();
    };
    try {
        auto found = opened(*copy);
        if (!found)
            found = fetched(name, *copy);
        done();
        if (found)
            found->call(called(name));
        return found;
    } catch (...) {
        done();
        throw;
    }
}

NDKEEP_INLINE bool cached_place::get_range(const std::string& name, std::uint64_t offset, std::span<std::byte> out) {
    if (const auto copy = copy_of(name))
        if (const auto found = opened(*copy)) {
            found->read(offset, out);
            return true;
        }
    return inner_->get_range(name, offset, out);
}

NDKEEP_INLINE std::optional<std::uint64_t> cached_place::size(const std::string& name) {
    if (const auto copy = copy_of(name))
        if (const auto found = opened(*copy))
            return found->size_at_opening();
    return inner_->size(name);
}

}  // namespace ndkeep
