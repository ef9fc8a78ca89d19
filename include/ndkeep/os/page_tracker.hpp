// SPDX-License-Identifier: BSD-3-Clause
// Which pages of a private mapping were stored into: asked of the system, or found by comparison with the file.
//
// A store into a private mapping makes the system copy the page. Three ways to find the copies, all exact:
//   scan      the ioctl PAGEMAP_SCAN of Linux 6.7 and later, which skips unmapped parts
//   pagemap   /proc/self/pagemap, 8 bytes for each page: bit 63 present, 62 swapped out, 61 page of a file or shared. A
//             copy is (present or swapped) and not of a file. "Present" alone misses what was swapped out
//   compare   compares every mapped byte with the file, on any system; a store of the same value is then no change
// The first of them that passes a test on scratch memory is used. NDKEEP_PAGE_TRACKER=scan|pagemap|compare selects one.
#pragma once

#include <ndkeep/os/file.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Bytes `first` to `last` - 1, both multiples of the page size.
struct page_run {
    std::uint64_t first = 0, last = 0;
    friend bool operator==(const page_run&, const page_run&) = default;
};

/// Adds a run to an ascending list. Joins it to the last one if they touch.
void add_run(std::vector<page_run>& runs, page_run next);

/// The same runs in ascending order, without overlaps.
[[nodiscard]] std::vector<page_run> joined(std::vector<page_run> runs);

/// Whether a page is in one of these runs, which are ascending.
[[nodiscard]] bool contains_page(const std::vector<page_run>& runs, std::uint64_t first);

/// The begin of the page of byte `at`; and the first begin of a page from there on.
[[nodiscard]] constexpr std::uint64_t page_begin(std::uint64_t at, std::uint64_t page) { return at / page * page; }
[[nodiscard]] constexpr std::uint64_t page_end(std::uint64_t at, std::uint64_t page) {
    return (at + page - 1) / page * page;
}

/// Finds the pages of private mappings that were stored into.
class page_tracker {
  public:
    /// See the top of this file.
    enum class method { scan, pagemap, compare };

    /// @param how  must work here
    explicit page_tracker(method how) noexcept : how_(how) {}

    /// The first method that works, or the one that NDKEEP_PAGE_TRACKER names.
    /// @param scratch  an open file of at least 4 pages, whose content does not matter and is not changed
    /// @throws mismatch_error  the variable names no method, or one that does not work here
    [[nodiscard]] static page_tracker for_files_like(const file& scratch);

    [[nodiscard]] method how() const noexcept { return how_; }
    /// "scan", "pagemap" or "compare".
    [[nodiscard]] static std::string_view name(method how) noexcept;

    /// The pages that were stored into, ascending. If the system stops to answer, for example because the process gave
    /// up rights, the bytes are compared.
    /// @param memory  begins at a page; privately mapped, from byte `offset` of `behind` and from zeros after the end
    ///                of that file
    /// @throws io_error  the file cannot be read
    [[nodiscard]] std::vector<page_run> stored_into(std::span<const std::byte> memory, const file& behind,
                                                    std::uint64_t offset) const;

  private:
    /// Whether the method finds exactly the pages that were stored into in a mapping of `scratch`.
    [[nodiscard]] bool works(const file& scratch) const;

    [[nodiscard]] std::vector<page_run> ask(std::span<const std::byte> memory, const file& behind,
                                            std::uint64_t offset) const;
    [[nodiscard]] static std::vector<page_run> scanned(std::span<const std::byte> memory, const file& behind);
    [[nodiscard]] static std::vector<page_run> from_pagemap(std::span<const std::byte> memory, const file& behind);
    [[nodiscard]] static std::vector<page_run> compared(std::span<const std::byte> memory, const file& behind,
                                                        std::uint64_t offset);

    method how_;
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/os/page_tracker.ipp>
#endif
