// SPDX-License-Identifier: BSD-3-Clause
// Memory mappings: of a file, of zeros, and of parts of many files in one address range. The only caller of mmap.
#pragma once

#include <ndkeep/error.hpp>
#include <ndkeep/os/file.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// What a store into a mapping does. `read_only`: it crashes the program. `read_write`: it changes the file.
/// `copy_on_write`: it changes only the memory of this process.
enum class map_mode { read_only, read_write, copy_on_write };

/// A hint to the system about the use of mapped bytes. `sequential`: read far ahead. `random`: do not read ahead.
/// `will_need`: start reading now. `drop`: release the memory. No hint loses a store: the file keeps those of
/// `read_write`, and the memory of a private copy is not released.
enum class advice { normal, sequential, random, will_need, drop };

/// A mapped address range, unmapped at destruction. The file may be closed, renamed or removed meanwhile.
///
/// If another program truncates the file while it is mapped, access beyond the new end raises SIGBUS. Sizes are checked
/// only when the mapping is made.
class mapping {
  public:
    mapping() = default;
    mapping(mapping&& other) noexcept
        : range_(std::exchange(other.range_, {})), taken_(std::exchange(other.taken_, {})), mode_(other.mode_),
          path_(std::move(other.path_)), kept_(std::move(other.kept_)) {}
    mapping& operator=(mapping&& other) noexcept;
    ~mapping();

    /// Maps `length` bytes from `offset`, which need not be a multiple of the page size.
    /// @throws format_error  the file ends before `offset + length`
    /// @throws io_error      the system refuses, for example `read_write` of a file open for reading
    [[nodiscard]] static mapping open(const file& source, std::uint64_t offset, std::uint64_t length, map_mode mode);

    /// Reads the same range into memory, where a mapping would not have the alignment that elements need.
    /// @param mode  `read_only` or `copy_on_write`; a copy cannot change the file
    /// @throws format_error  the file ends before `offset + length`
    [[nodiscard]] static mapping copy(const file& source, std::uint64_t offset, std::uint64_t length, map_mode mode);

    /// Zero-filled memory without a file, `copy_on_write`.
    /// @param called  the path that errors show
    [[nodiscard]] static mapping zeros(std::uint64_t length, const std::filesystem::path& called);

    /// A `read_only` view of memory that the caller owns. The memory must outlive this object, which does not unmap it.
    [[nodiscard]] static mapping of(std::span<const std::byte> memory, const std::filesystem::path& called);

    /// Reserves an address range of `length` zero bytes that begins `lead` bytes after the begin of a page. Fill it by
    /// `take` and by stores, then call `protect`. Pages use no memory until they are stored into.
    [[nodiscard]] static mapping reserved(std::uint64_t lead, std::uint64_t length,
                                          const std::filesystem::path& called);

    /// Maps a part of a file into a reserved range. Calls must come in ascending order of `at`.
    ///
    /// The mapping is private. The rest of the last page may be filled by stores, which do not change the file.
    /// @param at  where in this range, in bytes from `data()`; a page must begin there, and at `file_offset` too
    /// @throws io_error  the system refuses; the range is then incomplete and must be discarded
    void take(const file& source, std::uint64_t file_offset, std::uint64_t at, std::uint64_t length);

    /// Makes the range `read_only`: later stores crash.
    void protect();

    /// Narrows this mapping to a part of it. All of the range stays mapped. Offset and length are in bytes of this
    /// range, and are cut to its size.
    [[nodiscard]] mapping part(std::size_t offset, std::size_t length) &&;

    /// Keeps an object alive until the range is unmapped, for example what holds back changes of the file.
    void keep(std::shared_ptr<const void> owner) { kept_ = std::move(owner); }

    [[nodiscard]] std::byte* data() const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return range_.length; }
    [[nodiscard]] map_mode mode() const noexcept { return mode_; }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

    /// Returns when every store has reached the disk.
    /// @throws io_error        the system reports a failed write
    /// @throws mismatch_error  the mapping is not `read_write`, so its stores cannot reach a file
    void flush() const;

    /// Gives the system a hint about a part of the range, which it may ignore. Offset and length are in bytes of this
    /// range, and are cut to its size.
    /// @throws io_error  an error other than an unsupported hint
    void advise(advice what, std::size_t offset, std::size_t length) const;
    void advise(advice what) const { advise(what, 0, range_.length); }

    [[nodiscard]] static std::size_t page_size() noexcept;

  private:
    /// Calls mmap and sets `range_`. `range_.lead` must be set: the mapping begins that many bytes before `offset`.
    void place(std::size_t length, int protection, int sharing, int descriptor, std::uint64_t offset);

    /// The same for memory without a file, with the begin at a multiple of the huge page size. Files mapped into it at
    /// matching offsets can then use huge pages, if the system supports huge pages of files.
    void place_on_huge_page(std::size_t length, int sharing, std::uint64_t lead);

    /// Releases pages of [first, last) that the system can read again from a file. In a reserved range these are the
    /// pages put in by `take`; all others have the only copy of their content.
    void drop(std::size_t first, std::size_t last) const;

    /// Whether a range seems to be in memory, judged by four of its pages. A needless `will_need` costs a tenth of the
    /// time of reading the range: 120 us for 16 MiB. Asking about four pages costs 3 us.
    [[nodiscard]] bool looks_resident(std::size_t first, std::size_t last) const;

    /// Passes a hint on to the system. An unsupported one is ignored.
    void advise_pages(advice what, std::size_t first, std::size_t last) const;

    [[nodiscard]] static int system_advice(advice what) noexcept;

    [[noreturn]] void fail(std::string_view what) const { throw io_error(path_, what, detail::last_error()); }

    struct range {
        void* begin = nullptr;   // start of a page, unless the caller owns the memory
        std::size_t mapped = 0;  // bytes to unmap from `begin`; 0 if the caller owns the memory
        std::size_t lead = 0;    // bytes from `begin` to the data
        std::size_t length = 0;  // bytes of data
        bool anonymous = false;  // mapped without a file
    };
    /// Full pages of a file inside an anonymous range, in bytes from its begin.
    struct pages {
        std::size_t first = 0, last = 0;
    };
    range range_;
    std::vector<pages> taken_;  // ascending, so that `drop` can search it
    map_mode mode_ = map_mode::read_only;
    std::filesystem::path path_;
    std::shared_ptr<const void> kept_;
};

/// A reserved range of addresses, into which parts of files are mapped later. It never moves, and is unmapped at
/// destruction. Every mapping in it is private: a store changes the memory of this process, not the file.
///
/// Access where nothing is mapped crashes. Offsets and lengths are in bytes from `data()`, and multiples of the page
/// size except where a file ends.
class address_range {
  public:
    address_range() = default;
    /// Reserves `wanted` bytes. If the system has too few free addresses, half of it, and so on down to `least`.
    /// Reserved addresses use no memory.
    /// @param called  the path that errors show
    /// @throws io_error  there are not even `least` bytes of free addresses
    address_range(std::uint64_t wanted, std::uint64_t least, std::filesystem::path called);
    address_range(address_range&& other) noexcept
        : begin_(std::exchange(other.begin_, nullptr)), size_(std::exchange(other.size_, 0)),
          path_(std::move(other.path_)) {}
    address_range& operator=(address_range&& other) noexcept;
    ~address_range();

    [[nodiscard]] std::byte* data() const noexcept { return begin_; }
    /// Bytes reserved.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// Maps `length` bytes of a file from byte `at`, at the same offset of the range. What was there is unmapped.
    /// @throws io_error  the system refuses; what was mapped there before is then undefined
    void place(const file& source, std::uint64_t at, std::uint64_t length);
    /// Maps zeros, which use memory once they are stored into.
    void place_zeros(std::uint64_t at, std::uint64_t length);
    /// Drops the private copies of pages: they show the file again, or zeros.
    void discard(std::uint64_t at, std::uint64_t length);

  private:
    /// Maps at a fixed address inside the range.
    void place(std::uint64_t at, std::uint64_t length, int protection, int sharing, int descriptor);

    [[noreturn]] void fail(std::string_view what) const { throw io_error(path_, what, detail::last_error()); }

    std::byte* begin_ = nullptr;
    std::size_t size_ = 0;
    std::filesystem::path path_;
};

/// Asks for huge pages for memory that is about to be filled, which saves page faults. The system may ignore it.
void prefer_huge_pages(std::span<std::byte> memory) noexcept;

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/os/mapping.ipp>
#endif
