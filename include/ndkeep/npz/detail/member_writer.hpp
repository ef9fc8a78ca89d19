// SPDX-License-Identifier: BSD-3-Clause
// Writing the members of a zip archive: stored, or compressed in parallel pieces.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/bytes/deflate.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/zip/records.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/work/progress.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Whether members are compressed, and how hard: `true`, `false` or `deflate_level(9)`.
class compression {
  public:
    /// `true` is level 6, as in NumPy; `false` stores the bytes unchanged.
    constexpr compression(std::same_as<bool> auto on)  // NOLINT: implicit
        : level_(on ? default_deflate_level : none) {}

    /// Whether members are compressed.
    [[nodiscard]] constexpr bool on() const noexcept { return level_ != none; }
    /// The level of deflate; -1 if members are stored.
    [[nodiscard]] constexpr int level() const noexcept { return level_; }

    friend constexpr compression deflate_level(int level);

  private:
    static constexpr int none = -1;
    struct exactly {
        int level;
    };
    explicit constexpr compression(exactly wanted) : level_(wanted.level) {}

    int level_;
};

/// Compression with deflate at a level from 1 (fastest) to 9 (smallest). 0 writes deflate streams without compression.
/// `true` is level 6, as in NumPy.
/// @throws mismatch_error  another level
[[nodiscard]] constexpr compression deflate_level(int level) {
    if (level < 0 || level > 9)
        throw mismatch_error({.field = "deflate level", .expected = "0 to 9", .found = std::to_string(level)});
    return compression(compression::exactly{level});
}

namespace detail {

/// Appends to a file. Small writes are gathered in memory, where `put` can still change them.
class growing_file {
  public:
    /// @param begin  the length of the file, which is kept
    explicit growing_file(file& out, std::uint64_t begin = 0) : out_(out), written_(begin) {}

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return out_.path(); }
    [[nodiscard]] std::uint64_t end() const noexcept { return written_ + gathered_.size(); }

    void add(std::span<const std::byte> bytes);

    /// Appends zeros, to be overwritten later by `put`.
    void skip(std::uint64_t count) { add(std::vector<std::byte>(static_cast<std::size_t>(count))); }

    /// Overwrites bytes that were appended before.
    void put(std::uint64_t offset, std::span<const std::byte> bytes);

    /// Reserves disk space for `more` bytes, so that a full disk is reported before the work begins.
    /// @throws io_error  disk full
    void expect(std::uint64_t more) { (void)out_.reserve(end() + more); }

    /// Appends `length` bytes of another file.
    void copy(const file& from, std::uint64_t offset, std::uint64_t length);

    /// Writes what is gathered.
    void flush();

    /// Writes what is gathered, and sets the length of the file.
    void finish();

  private:
    file& out_;
    std::uint64_t written_;
    std::vector<std::byte> gathered_;
};

/// A member that is being written.
struct new_member {
    zip_entry entry;
    bool is_64 = false;            // the local header has 64-bit sizes: APPNOTE 4.5.3
    std::uint64_t extra_size = 0;  // bytes of extra fields in the local header
};

/// Writes members contiguously. After an exception from `store` or `compress`, the file is unusable.
class member_writer {
  public:
    /// @param begin  where the first member begins
    member_writer(file& out, const run_options& run, std::uint64_t begin = 0) : out_(out, begin), run_(run) {}

    /// Receives every block of elements before it is written.
    using watcher = std::function<void(std::span<const std::byte> elements)>;

    /// Writes a stored member: `header`, then `elements` in the order that the header states.
    void store(new_member& member, std::string_view header, const array_view& elements, const watcher& seen,
               progress_meter& meter);

    /// Compresses a member. It may be written only by a later call or by `finish`, so `member` must not move until
    /// then. The elements are needed only during this call.
    void compress(new_member& member, int level, std::string_view header, const array_view& elements,
                  const watcher& seen, progress_meter& meter);

    /// Copies a member of another archive without expanding it.
    void keep(new_member& member, const file& from, std::uint64_t data_offset);

    /// Compresses and writes all pieces that are still waiting.
    void finish(progress_meter& meter) { write_pieces(meter); }

    [[nodiscard]] growing_file& out() noexcept { return out_; }

  private:
    /// A part of a member, compressed independently of the others.
    struct piece {
        new_member* member = nullptr;
        int level = 0;
        bool is_last = false;
        std::span<const std::byte> raw = {};
        std::vector<std::byte> kept = {};  // the memory of `raw`, unless that is the caller's
        std::vector<std::byte> compressed = {};
        std::uint32_t crc = 0;
    };

    /// How many pieces are compressed together.
    [[nodiscard]] std::size_t batch() const;

    void begin(new_member& member, std::uint64_t size, bool aligned);

    /// Leaves space for the local header at the end of the file.
    void reserve(new_member& member, bool aligned);

    void add(new_member& member, std::span<const std::byte> bytes);

    /// Writes the local header, now that sizes and CRC-32 are known.
    void end(const new_member& member);

    void write_pieces(progress_meter& meter) { write_pieces(meter, pieces_.size()); }

    /// Compresses the first `count` pieces in parallel, and writes them in order.
    void write_pieces(progress_meter& meter, std::size_t count);

    growing_file out_;
    const run_options& run_;
    run_options quiet_ = run_.without_progress();
    std::vector<piece> pieces_;
    std::size_t waiting_bytes_ = 0;
};

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npz/detail/member_writer.ipp>
#endif
