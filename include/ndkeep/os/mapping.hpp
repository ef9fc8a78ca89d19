// SPDX-License-Identifier: BSD-3-Clause
// One mapped address range of a file. Every mapping call to the operating system is here.
#pragma once

#include <ndkeep/error.hpp>
#include <ndkeep/os/file.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// What stores into a mapping do: nothing may store, they reach the file, or they stay in this process.
enum class map_mode { read_only, read_write, copy_on_write };

/// What a pass over mapped bytes tells the system: read ahead far (`sequential`), not at all (`random`), now
/// (`will_need`), or give the memory back (`drop`; stores that reached a file stay, those of a private copy are kept).
enum class advice { normal, sequential, random, will_need, drop };

/// A range of a file as memory, unmapped at destruction. The file may be closed meanwhile.
///
/// A file that another program cuts while it is mapped gives SIGBUS on access: sizes are checked only at open.
class mapping {
  public:
    mapping() = default;
    mapping(mapping&& other) noexcept
        : range_(std::exchange(other.range_, {})), taken_(std::exchange(other.taken_, {})), mode_(other.mode_),
          path_(std::move(other.path_)) {}
    mapping& operator=(mapping&& other) noexcept;
    ~mapping();

    /// Maps `length` bytes from `offset`, which need not be a multiple of the page.
    /// @throws format_error  the file ends before `offset + length`
    [[nodiscard]] static mapping open(const file& source, std::uint64_t offset, std::uint64_t length, map_mode mode);

    /// A private copy of the same range, for bytes that no page-wise mapping can align.
    /// @param mode  `read_only` or `copy_on_write`: nothing of a copy can reach the file
    [[nodiscard]] static mapping copy(const file& source, std::uint64_t offset, std::uint64_t length, map_mode mode);

    /// Memory of no file, copy_on_write.
    /// @param called  what errors name
    [[nodiscard]] static mapping zeros(std::uint64_t length, const std::filesystem::path& called);

    /// Memory that somebody else holds, and for as long as this is used: read_only.
    [[nodiscard]] static mapping of(std::span<const std::byte> memory, const std::filesystem::path& called);

    /// An address range of zeros, `length` bytes long, that begins `lead` bytes behind a page: to be filled by `take`
    /// and closed by `protect`. Takes no memory before.
    [[nodiscard]] static mapping reserved(std::uint64_t lead, std::uint64_t length,
                                          const std::filesystem::path& called);

    /// Puts pages of a file into the range; `at` counts from its data, and falls on a page. Whatever shares the last
    /// page may be written into memory afterwards, and never reaches the file.
    void take(const file& source, std::uint64_t file_offset, std::uint64_t at, std::uint64_t length);

    /// From now on nothing may store into the range.
    void protect();

    /// A part of it, which keeps the whole range alive. Offsets and lengths are bytes of this range.
    [[nodiscard]] mapping part(std::size_t offset, std::size_t length) &&;

    [[nodiscard]] std::byte* data() const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return range_.length; }
    [[nodiscard]] map_mode mode() const noexcept { return mode_; }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

    /// Returns when every store has reached the disk.
    /// @throws mismatch_error  the mapping is a private copy, which no file will ever hold
    void flush() const;

    /// Tells the system what comes; a wish that it may ignore. Offsets and lengths are bytes of this range.
    void advise(advice what, std::size_t offset, std::size_t length) const;
    void advise(advice what) const { advise(what, 0, range_.length); }

    [[nodiscard]] static std::size_t page_size() noexcept;

  private:
    void place(std::size_t length, int protection, int sharing, int descriptor, std::uint64_t offset);

    /// Files that are put in at the right distance then come in huge pages, where the system has them of files.
    void place_on_huge_page(std::size_t length, int sharing, std::uint64_t lead);

    /// Of memory whose stores are nowhere else, nothing is dropped but pages that were taken from files.
    void drop(std::size_t first, std::size_t last) const;

    /// Whether a range seems to be in memory, by some of its pages. Asking the system to fetch what is there takes it
    /// as long as a tenth of reading it: 120 us for 16 MiB; asking about four pages takes 3 us.
    [[nodiscard]] bool looks_resident(std::size_t first, std::size_t last) const;

    void advise_pages(advice what, std::size_t first, std::size_t last) const;

    [[nodiscard]] static int system_advice(advice what) noexcept;

    [[noreturn]] void fail(std::string_view what) const { throw io_error(path_, what, detail::last_error()); }

    struct range {
        void* begin = nullptr;   // at a page
        std::size_t mapped = 0;  // bytes from there; 0 where it is somebody else's
        std::size_t lead = 0;    // bytes between the page and what was asked for
        std::size_t length = 0;  // bytes asked for
        bool anonymous = false;
    };
    /// Whole pages of a file within an anonymous range, counted in bytes from its begin, ascending.
    struct pages {
        std::size_t first = 0, last = 0;
    };
    range range_;
    std::vector<pages> taken_;
    map_mode mode_ = map_mode::read_only;
    std::filesystem::path path_;
};

/// Asks for huge pages under memory that is about to be filled: fewer page faults, a wish only.
void prefer_huge_pages(std::span<std::byte> memory) noexcept;

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/os/mapping.ipp>
#endif
