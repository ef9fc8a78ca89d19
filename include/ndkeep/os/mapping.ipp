// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/os/mapping.hpp>.
#pragma once

#include <ndkeep/os/mapping.hpp>

#include <algorithm>
#include <cerrno>
#include <limits>

#include <sys/mman.h>
#include <unistd.h>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE mapping& mapping::operator=(mapping&& other) noexcept {
    mapping old(std::move(*this));  // unmaps the former range at the end of the function
    range_ = std::exchange(other.range_, {});
    taken_ = std::exchange(other.taken_, {});
    mode_ = other.mode_;
    path_ = std::move(other.path_);
    kept_ = std::move(other.kept_);
    return *this;
}

NDKEEP_INLINE mapping::~mapping() {
    if (range_.mapped != 0)
        ::munmap(range_.begin, range_.mapped);
}

NDKEEP_INLINE mapping mapping::open(const file& source, std::uint64_t offset, std::uint64_t length, map_mode mode) {
    // Asked again, because the file may have shrunk since it was opened, and access beyond its end raises SIGBUS.
    // Compared by subtraction, because the sum of two numbers of a damaged file can overflow.
    const std::uint64_t size = source.size();
    if (offset > size || length > size - offset)
        throw format_error({.file = source.path(),
                            .field = "length",
                            .expected = "at least " + counted(offset + length, "byte"),
                            .found = counted(size, "byte")});
    mapping opened;
    opened.mode_ = mode;
    opened.path_ = source.path();
    if (length == 0)
        return opened;  // mmap rejects a length of 0
    const int protection = mode == map_mode::read_only ? PROT_READ : PROT_READ | PROT_WRITE;
    const int sharing = mode == map_mode::copy_on_write ? MAP_PRIVATE : MAP_SHARED;
    // mmap takes only multiples of the page size. The mapping begins at the page and the data `lead` bytes later.
    opened.range_.lead = static_cast<std::size_t>(offset % page_size());
    opened.place(static_cast<std::size_t>(length), protection, sharing, source.descriptor(), offset);
    return opened;
}

NDKEEP_INLINE mapping mapping::copy(const file& source, std::uint64_t offset, std::uint64_t length, map_mode mode) {
    mapping opened = zeros(length, source.path());
    source.read(offset, {opened.data(), opened.range_.length});
    opened.mode_ = mode;
    // A stray store must crash here as it does in a mapping of the file.
    if (mode == map_mode::read_only && length != 0 &&
        ::mprotect(opened.range_.begin, opened.range_.mapped, PROT_READ) != 0)
        throw io_error(source.path(), "cannot protect a copy of", detail::last_error());
    return opened;
}

NDKEEP_INLINE mapping mapping::zeros(std::uint64_t length, const std::filesystem::path& called) {
    mapping opened;
    opened.mode_ = map_mode::copy_on_write;
    opened.path_ = called;
    if (length != 0)
        opened.place(static_cast<std::size_t>(length), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return opened;
}

NDKEEP_INLINE mapping mapping::of(std::span<const std::byte> memory, const std::filesystem::path& called) {
    mapping opened;
    opened.path_ = called;
    opened.range_.begin = const_cast<std::byte*>(memory.data());  // never stored into: the mode is read_only
    opened.range_.length = memory.size();
    return opened;
}

NDKEEP_INLINE mapping mapping::reserved(std::uint64_t lead, std::uint64_t length, const std::filesystem::path& called) {
    mapping opened;
    opened.mode_ = map_mode::copy_on_write;
    opened.path_ = called;
    opened.range_.lead = static_cast<std::size_t>(lead);
    // Most of the range will be replaced by files. MAP_NORESERVE keeps its size from counting as committed memory.
    int sharing = MAP_PRIVATE | MAP_ANONYMOUS;
#if defined(MAP_NORESERVE)
    sharing |= MAP_NORESERVE;
#endif
    if (length != 0)
        opened.place_on_huge_page(static_cast<std::size_t>(length), sharing, lead);
    return opened;
}

NDKEEP_INLINE void mapping::take(const file& source, std::uint64_t file_offset, std::uint64_t at,
                                 std::uint64_t length) {
    // Only full pages may be dropped later. The last, partial page may also get the begin of the next file by a store,
    // and that is not in this file.
    const std::size_t begin_page = range_.lead + static_cast<std::size_t>(at);
    taken_.push_back({begin_page, begin_page + static_cast<std::size_t>(length / page_size() * page_size())});
    // MAP_FIXED replaces the reserved pages in one step, so no other thread can map something in between. Writable and
    // private until `protect`, because the last page may still be stored into.
    int sharing = MAP_PRIVATE | MAP_FIXED;
#if defined(MAP_NORESERVE)
    sharing |= MAP_NORESERVE;
#endif
    void* const begin = data() + at;
    if (::mmap(begin, static_cast<std::size_t>(length), PROT_READ | PROT_WRITE, sharing, source.descriptor(),
               static_cast<off_t>(file_offset)) == MAP_FAILED)
        throw io_error(source.path(), "cannot map", detail::last_error());
}

NDKEEP_INLINE void mapping::protect() {
    if (range_.begin != nullptr && ::mprotect(range_.begin, range_.mapped, PROT_READ) != 0)
        fail("cannot protect");
    mode_ = map_mode::read_only;
}

NDKEEP_INLINE mapping mapping::part(std::size_t offset, std::size_t length) && {
    // Begin and size of the mapping stay: munmap needs them.
    mapping narrowed(std::move(*this));
    narrowed.range_.lead += std::min(offset, narrowed.range_.length);
    narrowed.range_.length = std::min(length, narrowed.range_.length - std::min(offset, narrowed.range_.length));
    return narrowed;
}

NDKEEP_INLINE std::byte* mapping::data() const noexcept {
    return range_.begin == nullptr ? nullptr : static_cast<std::byte*>(range_.begin) + range_.lead;
}

NDKEEP_INLINE void mapping::flush() const {
    // A mapping of no bytes has nothing to write.
    if (range_.begin == nullptr && mode_ != map_mode::copy_on_write)
        return;
    if (mode_ != map_mode::read_write)
        throw mismatch_error({.file = path_,
                              .field = "mapping",
                              .expected = "read_write",
                              .found = mode_ == map_mode::read_only ? "read-only" : "copy_on_write",
                              .hint = "save writes it to a file"});
    if (::msync(range_.begin, range_.mapped, MS_SYNC) != 0)
        fail("cannot flush");
}

NDKEEP_INLINE void mapping::advise(advice what, std::size_t offset, std::size_t length) const {
    offset = std::min(offset, range_.length);
    length = std::min(length, range_.length - offset);
    if (length == 0 || range_.mapped == 0)
        return;  // nothing to advise on, or memory of the caller
    std::size_t first = range_.lead + offset;
    std::size_t last = first + length;
    if (what == advice::drop) {
        // Only full pages, because the neighbours may be in use. The first and the last page of the range count as
        // full: their other bytes are not used.
        first = offset == 0 ? 0 : (first + page_size() - 1) / page_size() * page_size();
        last = offset + length == range_.length ? range_.mapped : last / page_size() * page_size();
        return drop(first, last);
    }
    // All other hints are harmless for the neighbours, and the system wants the begin of a page.
    first = first / page_size() * page_size();
    if (what != advice::will_need || !looks_resident(first, last))
        advise_pages(what, first, last);
}

NDKEEP_INLINE std::size_t mapping::page_size() noexcept {
    static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return size;
}

NDKEEP_INLINE void mapping::place(std::size_t length, int protection, int sharing, int descriptor,
                                  std::uint64_t offset) {
    range_.mapped = range_.lead + length;
    void* const begin =
        ::mmap(nullptr, range_.mapped, protection, sharing, descriptor, static_cast<off_t>(offset - range_.lead));
    if (begin == MAP_FAILED) {
        range_.mapped = 0;  // the destructor has nothing to unmap
        fail("cannot map");
    }
    range_.begin = begin;
    range_.length = length;
    range_.anonymous = descriptor < 0;
}

NDKEEP_INLINE void mapping::place_on_huge_page(std::size_t length, int sharing, std::uint64_t lead) {
    constexpr std::size_t huge = std::size_t{2} << 20;  // of x86-64, and of AArch64 with pages of 4 KiB
    const auto whole_pages = [](std::size_t bytes) { return (bytes + page_size() - 1) / page_size() * page_size(); };
    // mmap promises no more than page alignment. Map one huge page more than needed, then unmap what is before and
    // after the aligned part.
    const std::size_t spare = length < huge ? 0 : huge;
    place(length + spare, PROT_READ | PROT_WRITE, sharing, -1, lead);
    if (spare == 0)
        return;
    auto* const begin = static_cast<std::byte*>(range_.begin);
    const std::size_t before = (huge - reinterpret_cast<std::uintptr_t>(begin) % huge) % huge;
    const std::size_t kept = whole_pages(range_.lead + length), after = whole_pages(range_.mapped) - before - kept;
    if (before != 0)
        ::munmap(begin, before);
    if (after != 0)
        ::munmap(begin + before + kept, after);
    range_.begin = begin + before;
    range_.length = length;
    range_.mapped = range_.lead + length;
}

NDKEEP_INLINE void mapping::drop(std::size_t first, std::size_t last) const {
    // MADV_DONTNEED would discard the stores into a private copy. Stores into a shared mapping are in the page cache.
    if (mode_ == map_mode::copy_on_write)
        return;
    if (!range_.anonymous)
        return advise_pages(advice::drop, first, last);
    auto page = std::upper_bound(taken_.begin(), taken_.end(), first,
                                 [](std::size_t wanted, const pages& each) { return wanted < each.last; });
    for (; page != taken_.end() && page->first < last; ++page)
        advise_pages(advice::drop, std::max(first, page->first), std::min(last, page->last));
}

NDKEEP_INLINE bool mapping::looks_resident(std::size_t first, std::size_t last) const {
    constexpr std::size_t worth_asking = std::size_t{1} << 20;  // below, the question saves too little
    if (last - first < worth_asking)
        return false;
    const std::size_t count = (last - first + page_size() - 1) / page_size();
    // A wrong answer costs time only: the pages are then read on first access.
    for (const std::size_t page : {std::size_t{0}, count / 3, count / 3 * 2, count - 1}) {
        unsigned char is_there = 0;
        if (::mincore(static_cast<std::byte*>(range_.begin) + first + page * page_size(), 1, &is_there) != 0 ||
            (is_there & 1) == 0)
            return false;
    }
    return true;
}

NDKEEP_INLINE void mapping::advise_pages(advice what, std::size_t first, std::size_t last) const {
    // EINVAL: the system does not support this hint. EAGAIN: it is short of resources. Neither changes any byte.
    if (first < last &&
        ::madvise(static_cast<std::byte*>(range_.begin) + first, last - first, system_advice(what)) != 0 &&
        errno != EINVAL && errno != EAGAIN)
        fail("cannot advise");
}

NDKEEP_INLINE int mapping::system_advice(advice what) noexcept {
    switch (what) {
    case advice::sequential:
        return MADV_SEQUENTIAL;
    case advice::random:
        return MADV_RANDOM;
    case advice::will_need:
        return MADV_WILLNEED;
    case advice::drop:
        return MADV_DONTNEED;
    case advice::normal:
        break;
    }
    return MADV_NORMAL;
}

NDKEEP_INLINE address_range::address_range(std::uint64_t wanted, std::uint64_t least, std::filesystem::path called)
    : path_(std::move(called)) {
    int sharing = MAP_PRIVATE | MAP_ANONYMOUS;
#if defined(MAP_NORESERVE)
    sharing |= MAP_NORESERVE;
#endif
    const std::uint64_t page = mapping::page_size();
    const auto whole = [&](std::uint64_t bytes) { return (std::max(bytes, page) + page - 1) / page * page; };
    // PROT_NONE, because such pages do not count as committed memory where overcommitting is forbidden.
    for (std::uint64_t tried = whole(wanted);; tried = std::max(whole(tried / 2), whole(least))) {
        const bool fits = tried <= std::numeric_limits<std::size_t>::max() / 2;
        void* const begin =
            fits ? ::mmap(nullptr, static_cast<std::size_t>(tried), PROT_NONE, sharing, -1, 0) : MAP_FAILED;
        if (begin != MAP_FAILED) {
            begin_ = static_cast<std::byte*>(begin);
            size_ = static_cast<std::size_t>(tried);
            return;
        }
        if (tried <= whole(least)) {
            if (!fits)
                errno = ENOMEM;
            fail("cannot reserve " + counted(tried, "byte") + " of addresses for");
        }
    }
}

NDKEEP_INLINE address_range& address_range::operator=(address_range&& other) noexcept {
    address_range old(std::move(*this));
    begin_ = std::exchange(other.begin_, nullptr);
    size_ = std::exchange(other.size_, 0);
    path_ = std::move(other.path_);
    return *this;
}

NDKEEP_INLINE address_range::~address_range() {
    if (begin_ != nullptr)
        ::munmap(begin_, size_);
}

NDKEEP_INLINE void address_range::place(std::uint64_t at, std::uint64_t length, int protection, int sharing,
                                        int descriptor) {
    if (length == 0)
        return;
    // MAP_FIXED replaces the pages in one step, so no other thread can map something in between.
    sharing |= MAP_FIXED;
#if defined(MAP_NORESERVE)
    sharing |= MAP_NORESERVE;
#endif
    if (::mmap(begin_ + at, static_cast<std::size_t>(length), protection, sharing, descriptor,
               descriptor < 0 ? 0 : static_cast<off_t>(at)) == MAP_FAILED)
        fail("cannot map");
}

NDKEEP_INLINE void address_range::place(const file& source, std::uint64_t at, std::uint64_t length) {
    place(at, length, PROT_READ | PROT_WRITE, MAP_PRIVATE, source.descriptor());
}

NDKEEP_INLINE void address_range::place_zeros(std::uint64_t at, std::uint64_t length) {
    place(at, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

NDKEEP_INLINE void address_range::discard(std::uint64_t at, std::uint64_t length) {
    if (length != 0 && ::madvise(begin_ + at, static_cast<std::size_t>(length), MADV_DONTNEED) != 0)
        fail("cannot discard changes of");
}

NDKEEP_INLINE void prefer_huge_pages(std::span<std::byte> memory) noexcept {
#if defined(MADV_HUGEPAGE)
    constexpr std::size_t worth_it = std::size_t{4} << 20;  // less may not hold an aligned huge page of 2 MiB
    if (memory.size() < worth_it)
        return;
    const std::size_t page = mapping::page_size();
    // Only pages inside the memory: the others belong to the allocator too.
    const auto begin = (reinterpret_cast<std::uintptr_t>(memory.data()) + page - 1) / page * page;
    const auto end = reinterpret_cast<std::uintptr_t>(memory.data() + memory.size()) / page * page;
    ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#else
    (void)memory;
#endif
}

}  // namespace ndkeep
