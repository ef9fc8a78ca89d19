// SPDX-License-Identifier: BSD-3-Clause
// The redo log of a database: commits that the npy files may not have yet.
//
// A segment is a file `log-FIRST`. It begins with a header of 512 bytes: magic, a random salt, the number of its first
// commit, a CRC-32C. Records follow, each at a multiple of 512 bytes, so that a torn write never touches the record
// before it:
//   8 bytes  magic      8 bytes  number of the commit    8 bytes  bytes of the table     8 bytes  bytes of the payload
//   4 bytes  CRC-32C of the table    4 bytes  of the payload    4 bytes  of these 40 bytes
//   table (see record.hpp), then the payload: the bytes of all images
// Every CRC starts with the salt. Elements of an array can therefore not look like a record, whatever they are.
//
// The header of a record is written last, and one sync follows. A record counts if all three sums are right and its
// number is that of the record before it plus 1.
#pragma once

#include <ndkeep/database/detail/record.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/os/directory.hpp>
#include <ndkeep/os/durability.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Records begin at multiples of this number of bytes, which a disk writes completely or not at all.
inline constexpr std::uint64_t log_sector = 512;

/// One file of the log.
struct log_segment {
    file source;
    std::uint64_t first = 0;  ///< number of its first commit
    std::uint64_t salt = 0;
};

/// Bytes with what keeps them.
struct kept_bytes {
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;
};

/// A record with its place in the log.
struct logged_commit {
    commit_record record;
    kept_bytes payload;
    std::uint64_t end = 0;  ///< where the next record begins

    /// The bytes of the images of array number `array`, one image after the other.
    [[nodiscard]] std::span<const std::byte> images_of(std::size_t array) const;
};

/// What reading a log found.
struct log_chain {
    std::vector<logged_commit> commits;  ///< ascending, without a gap
    std::shared_ptr<log_segment> last;   ///< the segment where the next record goes; null: make a new one
    std::uint64_t end = 0;               ///< where in it
    std::uint64_t lost_up_to = 0;        ///< the last commit behind a damaged record; 0 if there is none
};

/// Reads all records after commit `base`.
/// @param wanted  `read_write` to append records to the last segment
/// @param hint    where the record after `base` probably begins, which saves looking at those before it; 0: unknown
/// @throws io_error      a segment cannot be read
/// @throws format_error  a record with right sums cannot be understood
[[nodiscard]] log_chain read_log(const directory& hidden, std::uint64_t base, file::access wanted,
                                 std::uint64_t hint = 0);

/// The error of a log that ends before a commit that was made.
/// @param wanted  the last commit that was made
/// @param last    the last commit that is there and sound
[[nodiscard]] format_error damaged_log(const directory& hidden, std::uint64_t wanted, std::uint64_t last);

/// The file names of all segments, ascending.
[[nodiscard]] std::vector<std::string> segments_in(const directory& hidden);

/// Overwrites what stands behind the last sound record. Otherwise a new record of the same length could make records
/// behind it count again.
void clear_from(log_segment& of, std::uint64_t first);

/// Creates the segment whose first commit is `first`, and makes its name durable.
[[nodiscard]] std::shared_ptr<log_segment> create_segment(directory& hidden, std::uint64_t first, durability wanted);

/// Writes a part of a segment again. After a failed sync, the system takes bytes for written that the disk does not
/// have, and the next sync would skip them.
void write_again(log_segment& of, std::uint64_t first, std::uint64_t last);

/// Writes a record at byte `at` and syncs it: the commit point. If anything before the sync fails, no record is there.
/// @param images  the memory of all images, in the order of the table
class log_write {
  public:
    /// Reserves disk space for the record.
    /// @throws io_error  the disk is full
    log_write(log_segment& into, std::uint64_t at, const commit_record& record);

    /// Writes the record, all but the sync.
    /// @throws io_error
    void write(std::span<const std::span<const std::byte>> images);

    /// Makes the record invalid again, because its commit has failed.
    /// @throws io_error
    void withdraw();

    /// Where the next record begins.
    [[nodiscard]] std::uint64_t end() const noexcept { return end_; }

    /// The payload that was written: mapped, or a copy if it is small. The system limits the number of mappings.
    [[nodiscard]] kept_bytes payload() const;

  private:
    log_segment& into_;
    std::uint64_t at_;
    std::uint64_t number_;
    std::vector<std::byte> table_;
    std::uint64_t payload_size_;
    std::uint64_t end_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/database/detail/log.ipp>
#endif
