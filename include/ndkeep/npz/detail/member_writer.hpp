// SPDX-License-Identifier: BSD-3-Clause
// Members on their way into an archive: stored as they come, or cut into pieces that are compressed in parallel.
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
    constexpr compression(std::same_as<bool> auto on)  // NOLINT: implicit
        : level_(on ? default_deflate_level : none) {}

    [[nodiscard]] constexpr bool on() const noexcept { return level_ != none; }
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

/// Compression from 0 (not at all, but in deflate's form) over 1 (fastest) to 9 (smallest). `true` is 6, NumPy's own.
/// @throws mismatch_error  another level
[[nodiscard]] constexpr compression deflate_level(int level) {
    if (level < 0 || level > 9)
        throw mismatch_error({.field = "deflate level", .expected = "0 to 9", .found = std::to_string(level)});
    return compression(compression::exactly{level});
}

namespace detail {

/// Bytes at the end of a file that grows: small ones are gathered, and may still be changed before they are written.
class growing_file {
  public:
    explicit growing_file(file& out) : out_(out) {}

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return out_.path(); }
    [[nodiscard]] std::uint64_t end() const noexcept { return written_ + gathered_.size(); }

    void add(std::span<const std::byte> bytes);

    /// Bytes that are filled in later.
    void skip(std::uint64_t count) { add(std::vector<std::byte>(static_cast<std::size_t>(count))); }

    /// Writes over what is there.
    void put(std::uint64_t offset, std::span<const std::byte> bytes);

    /// Takes the room for what is to come, so that a full disk is heard of before the work.
    void expect(std::uint64_t more) { (void)out_.reserve(end() + more); }

    void copy(const file& from, std::uint64_t offset, std::uint64_t length);

    /// The file ends here.
    void finish();

  private:
    void flush();

    file& out_;
    std::uint64_t written_ = 0;
    std::vector<std::byte> gathered_;
};

/// One member while it is written.
struct new_member {
    zip_entry entry;
    bool is_64 = false;
    std::uint64_t extra_size = 0;
};

/// Writes members one behind the other. After an exception of `store` or `compress` the file is good for nothing.
class member_writer {
  public:
    member_writer(file& out, const run_options& run) : out_(out), run_(run) {}

    /// Called with every block of elements on its way.
    using watcher = std::function<void(std::span<const std::byte> elements)>;

    /// @param elements  behind `header`; its order is that of the header
    void store(new_member& member, std::string_view header, const array_view& elements, const watcher& seen,
               progress_meter& meter);

    /// The member must stay where it is until `finish`, the elements only during this call.
    void compress(new_member& member, int level, std::string_view header, const array_view& elements,
                  const watcher& seen, progress_meter& meter);

    /// A member of another archive, as it is.
    void keep(new_member& member, const file& from, std::uint64_t data_offset);

    /// Writes what is still waiting.
    void finish(progress_meter& meter) { write_pieces(meter); }

    [[nodiscard]] growing_file& out() noexcept { return out_; }

  private:
    struct piece {
        new_member* member = nullptr;
        int level = 0;
        bool is_last = false;
        std::span<const std::byte> raw = {};
        std::vector<std::byte> kept = {};  // where `raw` lies, unless it is the caller's
        std::vector<std::byte> compressed = {};
        std::uint32_t crc = 0;
    };

    [[nodiscard]] std::size_t batch() const;

    void begin(new_member& member, std::uint64_t size, bool aligned);

    void reserve(new_member& member, bool aligned);

    void add(new_member& member, std::span<const std::byte> bytes);

    void end(const new_member& member);

    void write_pieces(progress_meter& meter) { write_pieces(meter, pieces_.size()); }

    void write_pieces(progress_meter& meter, std::size_t count);

    growing_file out_;
    const run_options& run_;
    run_options quiet_{.threads = run_.threads, .progress = {}, .stop = run_.stop};
    std::vector<piece> pieces_;
    std::size_t waiting_bytes_ = 0;
};

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npz/detail/member_writer.ipp>
#endif
