// SPDX-License-Identifier: BSD-3-Clause
// One member of an npz archive: its bytes, expanded and checked, and the array that it holds.
#pragma once

#include <ndkeep/array/reader.hpp>
#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/bytes/deflate.hpp>
#include <ndkeep/bytes/source.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/zip/records.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/npy/load.hpp>
#include <ndkeep/npz/core/archive.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/version.hpp>
#include <ndkeep/work/progress.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::core {

/// The uncompressed bytes of one member.
///
/// A stored member, and a compressed one that was expanded into memory, can be read at any offset and by several
/// threads. Other compressed members are streams: each byte can be read once, in order.
class member_bytes {
  public:
    /// The largest member, in bytes, that is expanded into memory. Expanding at once is faster, but larger members
    /// would take too much memory.
    static constexpr std::uint64_t largest_whole = std::uint64_t{1} << 30;

    /// @param whole_up_to  a compressed member of up to this many bytes is expanded into memory, if that is faster
    /// @throws format_error  encrypted, an unsupported method, false sizes, or a corrupt stream
    member_bytes(const archive& from, const zip_entry& entry, std::uint64_t whole_up_to, const run_options& run = {});
    member_bytes(const member_bytes&) = delete;
    member_bytes& operator=(const member_bytes&) = delete;

    [[nodiscard]] std::uint64_t size() const noexcept { return entry_.size; }
    [[nodiscard]] bool is_stored() const noexcept { return entry_.method == zip_stored; }
    /// Whether each byte can be read only once, and in order.
    [[nodiscard]] bool is_stream() const noexcept { return stream_.has_value(); }
    /// Offset in the archive of the member's stored or compressed bytes.
    [[nodiscard]] std::uint64_t begin() const noexcept { return begin_; }

    /// The bytes to read; refers to this object.
    [[nodiscard]] byte_source source();

    /// Checks the end of the stream and the CRC-32. Call it when all bytes have been read.
    /// @param crc  of all bytes
    /// @throws format_error    there are more bytes
    /// @throws checksum_error  the bytes are not those that were stored
    void finish(std::uint32_t crc);

  private:
    /// Whether the list of pieces agrees with the sizes of the member.
    [[nodiscard]] bool are_pieces_likely() const;

    void expand_whole(bool in_pieces, const run_options& run);

    /// Expands the pieces in parallel. False if the list is wrong: then the stream must be expanded as one.
    [[nodiscard]] bool expand_pieces(const run_options& run);

    /// Reads the next compressed bytes, if `rest_` is empty and more remain.
    void fetch();

    /// Expands the next bytes of the stream into `out`.
    void read_on(std::span<std::byte> out);

    byte_source archive_;
    const std::filesystem::path& path_;
    const zip_entry& entry_;
    std::uint64_t begin_ = 0;
    buffer whole_;  // all bytes, if expanded into memory
    // The members below are used only by a stream.
    std::optional<inflater> stream_;
    std::vector<std::byte> compressed_;
    std::span<const std::byte> rest_;  // the part of `compressed_` that is not expanded yet
    std::uint64_t left_;               // compressed bytes not read yet
};

/// Whether the bytes begin with the magic of an npy file.
[[nodiscard]] bool begins_as_array(const byte_source& source, std::uint64_t size);

/// The header of an array member, and the CRC-32 of the header's bytes.
struct member_header {
    array_info info;
    std::uint32_t crc = 0;
};

/// Reads the bytes of the header of an array member of `size` bytes.
/// @throws format_error  not an array, or a false header length
[[nodiscard]] std::vector<std::byte> read_member_header_bytes(const byte_source& source, std::uint64_t size,
                                                              const limits& limit);

/// Parses the header of an array member of `size` bytes.
/// @param header  from `read_member_header_bytes`
/// @param file    named in errors
/// @throws format_error  not an array, or its data does not fit into the member
[[nodiscard]] member_header parse_member_header(std::span<const std::byte> header, std::uint64_t size,
                                                const std::filesystem::path& file, const limits& limit);

/// Reads and parses the header of an array member of `size` bytes.
/// @throws format_error  as `read_member_header_bytes` and `parse_member_header`
[[nodiscard]] member_header read_member_header(const byte_source& source, std::uint64_t size, const limits& limit);

/// Rejects `load_options::array` other than 0: an archive has members with names instead of numbered arrays.
/// @param file  named in the error
/// @throws mismatch_error
void check_first_array(const load_options& options, const std::filesystem::path& file);

/// Reads all bytes of a member and checks its CRC-32.
/// @throws format_error, checksum_error
[[nodiscard]] std::vector<std::byte> read_member_bytes(const archive& from, const zip_entry& entry);

}  // namespace ndkeep::core

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Reads an array from a member, and checks the CRC-32 of the complete member.
/// @param elements  called with the source, the header and the CRC-32 so far; reads all elements and updates the CRC-32
/// @throws format_error, mismatch_error, checksum_error
template <class Elements>
auto read_member(const archive& from, const zip_entry& entry, const load_options& options, Elements&& elements) {
    return in_member(without_npy(entry.name), [&] {
        return while_unchanged(from, [&] {
            member_bytes bytes(from, entry, member_bytes::largest_whole, options.run);
            const byte_source source = bytes.source();
            auto [info, crc] = read_member_header(source, bytes.size(), options.limit);
            run_options run = options.run;
            // A stream can be read only in order.
            if (bytes.is_stream())
                run.threads = 1;
            auto array = elements(source, info, run, crc);
            // The CRC-32 covers the complete member, so bytes after the data are read too.
            std::vector<std::byte> behind;
            for (std::uint64_t at = info.data_offset + info.nbytes(); at < bytes.size(); at += behind.size()) {
                constexpr std::uint64_t block = std::uint64_t{1} << 20;
                behind.resize(static_cast<std::size_t>(std::min(block, bytes.size() - at)));
                source.read(at, behind);
                crc = crc32({behind.data(), behind.size()}, crc);
            }
            bytes.finish(crc);
            return array;
        });
    });
}

/// Maps the data of a stored array member in place, and returns it with the header.
/// @throws mismatch_error  compressed, or not aligned; another dtype, byte order, struct layout or order
/// @throws format_error    not an array, or false sizes
[[nodiscard]] std::pair<mapping, array_info> map_member(const archive& from, const zip_entry& entry,
                                                        const limits& limit, const dtype& wanted, std::size_t alignment,
                                                        map_mode mode, order wanted_order);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npz/detail/member.ipp>
#endif
