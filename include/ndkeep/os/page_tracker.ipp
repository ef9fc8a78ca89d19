// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/os/page_tracker.hpp>.
#pragma once

#include <ndkeep/os/page_tracker.hpp>

#include <ndkeep/os/mapping.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string_view>

#include <sys/ioctl.h>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

// PAGEMAP_SCAN as in Documentation/admin-guide/mm/pagemap.rst of Linux. The headers of older systems lack it.
struct page_region {
    std::uint64_t start, end, categories;
};
struct page_scan {
    std::uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
    std::uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
inline constexpr std::uint64_t page_is_file = 4, page_is_present = 8, page_is_swapped = 16;

}  // namespace detail

NDKEEP_INLINE void add_run(std::vector<page_run>& runs, page_run next) {
    if (next.first == next.last)
        return;
    if (!runs.empty() && runs.back().last == next.first)
        runs.back().last = next.last;
    else
        runs.push_back(next);
}

NDKEEP_INLINE std::vector<page_run> joined(std::vector<page_run> runs) {
    std::sort(runs.begin(), runs.end(), [](const page_run& a, const page_run& b) { return a.first < b.first; });
    std::vector<page_run> all;
    for (const auto& run : runs)
        if (!all.empty() && run.first <= all.back().last)
            all.back().last = std::max(all.back().last, run.last);
        else
            all.push_back(run);
    return all;
}

NDKEEP_INLINE bool contains_page(const std::vector<page_run>& runs, std::uint64_t first) {
    const auto after = std::upper_bound(runs.begin(), runs.end(), first,
                                        [](std::uint64_t at, const page_run& run) { return at < run.first; });
    return after != runs.begin() && first < std::prev(after)->last;
}

NDKEEP_INLINE std::string_view page_tracker::name(method how) noexcept {
    return how == method::scan ? "scan" : how == method::pagemap ? "pagemap" : "compare";
}

NDKEEP_INLINE std::vector<page_run> page_tracker::scanned(std::span<const std::byte> memory, const file& behind) {
    std::vector<page_run> runs;
#if defined(__linux__)
    const file self = file::open("/proc/self/pagemap");
    const auto begin = reinterpret_cast<std::uintptr_t>(memory.data());
    std::array<detail::page_region, 512> found;
    detail::page_scan question = {};
    question.size = sizeof question;
    question.end = begin + memory.size();
    question.vec = reinterpret_cast<std::uintptr_t>(found.data());
    question.vec_len = found.size();
    // (present or swapped) and not of a file.
    question.category_inverted = question.category_mask = detail::page_is_file;
    question.category_anyof_mask = detail::page_is_present | detail::page_is_swapped;
    question.return_mask = question.category_anyof_mask;
    for (question.start = begin; question.start < question.end;) {
        const auto count =
            detail::retried([&] { return ::ioctl(self.descriptor(), _IOWR('f', 16, detail::page_scan), &question); });
        if (count < 0)
            behind.fail("cannot ask for changed pages of");
        for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
            add_run(runs, {found[i].start - begin, found[i].end - begin});
        // `walk_end` may be an address in between although the scan is complete.
        if (static_cast<std::size_t>(count) < found.size())
            break;
        question.start = found[static_cast<std::size_t>(count) - 1].end;
    }
#else
    (void)memory;
    errno = ENOTTY;
    behind.fail("cannot ask for changed pages of");
#endif
    return runs;
}

NDKEEP_INLINE std::vector<page_run> page_tracker::from_pagemap(std::span<const std::byte> memory, const file& behind) {
    std::vector<page_run> runs;
    const std::uint64_t page = mapping::page_size();
    const file self = file::open("/proc/self/pagemap");
    std::vector<std::uint64_t> words(std::min<std::size_t>(memory.size() / page, 65536));
    const std::uint64_t first = reinterpret_cast<std::uintptr_t>(memory.data()) / page;
    for (std::uint64_t at = 0; at < memory.size() / page;) {
        const auto some = static_cast<std::size_t>(std::min<std::uint64_t>(words.size(), memory.size() / page - at));
        const auto read =
            self.read_some((first + at) * sizeof(std::uint64_t), std::as_writable_bytes(std::span(words).first(some)));
        if (read != some * sizeof(std::uint64_t)) {
            errno = EIO;
            behind.fail("cannot ask for changed pages of");
        }
        for (std::size_t i = 0; i < some; ++i) {
            const bool in_memory = (words[i] >> 63 & 1) != 0 || (words[i] >> 62 & 1) != 0;
            const bool of_file = (words[i] >> 61 & 1) != 0;
            if (in_memory && !of_file)
                add_run(runs, {(at + i) * page, (at + i + 1) * page});
        }
        at += some;
    }
    return runs;
}

NDKEEP_INLINE std::vector<page_run> page_tracker::compared(std::span<const std::byte> memory, const file& behind,
                                                           std::uint64_t offset) {
    std::vector<page_run> runs;
    const std::size_t page = mapping::page_size();
    std::vector<std::byte> block(std::min<std::size_t>(memory.size(), std::size_t{1} << 20));
    for (std::size_t at = 0; at < memory.size();) {
        const std::size_t some = std::min(block.size(), memory.size() - at);
        const std::size_t read = behind.read_some(offset + at, std::span(block).first(some));
        std::fill(block.begin() + static_cast<std::ptrdiff_t>(read), block.end(), std::byte{0});
        for (std::size_t i = 0; i < some; i += page)
            if (std::memcmp(memory.data() + at + i, block.data() + i, std::min(page, some - i)) != 0)
                add_run(runs, {at + i, at + i + page});
        at += some;
    }
    return runs;
}

NDKEEP_INLINE std::vector<page_run> page_tracker::ask(std::span<const std::byte> memory, const file& behind,
                                                      std::uint64_t offset) const {
    switch (how_) {
    case method::scan:
        return scanned(memory, behind);
    case method::pagemap:
        return from_pagemap(memory, behind);
    case method::compare:
        break;
    }
    return compared(memory, behind, offset);
}

NDKEEP_INLINE std::vector<page_run> page_tracker::stored_into(std::span<const std::byte> memory, const file& behind,
                                                              std::uint64_t offset) const {
    try {
        return ask(memory, behind, offset);
    } catch (const io_error&) {
        if (how_ == method::compare)
            throw;
        return compared(memory, behind, offset);
    }
}

NDKEEP_INLINE bool page_tracker::works(const file& scratch) const {
    const std::uint64_t page = mapping::page_size();
    if (scratch.size() < 4 * page)
        return false;
    try {
        address_range range(4 * page, 4 * page, scratch.path());
        range.place(scratch, 0, 4 * page);
        // Page 0 is read, page 1 stored into, page 2 stored into and dropped, page 3 not touched.
        volatile std::byte* const memory = range.data();
        (void)memory[0];
        memory[page] = static_cast<std::byte>(~static_cast<unsigned>(memory[page]));
        memory[2 * page] = static_cast<std::byte>(~static_cast<unsigned>(memory[2 * page]));
        range.discard(2 * page, page);
        return ask({range.data(), static_cast<std::size_t>(4 * page)}, scratch, 0) ==
               std::vector<page_run>{{page, 2 * page}};
    } catch (const error&) {
        return false;
    }
}

NDKEEP_INLINE page_tracker page_tracker::for_files_like(const file& scratch) {
    constexpr std::array all = {method::scan, method::pagemap, method::compare};
    if (const char* const wanted = std::getenv("NDKEEP_PAGE_TRACKER"); wanted != nullptr && *wanted != '\0') {
        for (const method how : all)
            if (name(how) == wanted && page_tracker(how).works(scratch))
                return page_tracker(how);
        throw mismatch_error({.field = "NDKEEP_PAGE_TRACKER",
                              .expected = "scan, pagemap or compare, and one that works here",
                              .found = quoted(std::string_view(wanted))});
    }
    for (const method how : all)
        if (page_tracker(how).works(scratch))
            return page_tracker(how);
    return page_tracker(method::compare);
}

}  // namespace ndkeep
