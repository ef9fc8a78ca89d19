// SPDX-License-Identifier: BSD-3-Clause
// One member of an archive: its bytes, expanded and checked, and the array that they are.
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

/// The bytes of one member, as they were before they were put into the archive.
///
/// Those of a stored member, and of a compressed one that was expanded as a whole, are read anywhere and by several
/// threads; others in their order only.
class member_bytes {
  public:
    /// Beyond that, the memory is worth more than the time that expanding as a whole saves.
    static constexpr std::uint64_t largest_whole = std::uint64_t{1} << 30;

    /// @param whole_up_to  bytes of a compressed member that is expanded as a whole, if that is quicker
    member_bytes(const archive& from, const zip_entry& entry, std::uint64_t whole_up_to, const run_options& run = {});
    member_bytes(const member_bytes&) = delete;
    member_bytes& operator=(const member_bytes&) = delete;

    [[nodiscard]] std::uint64_t size() const noexcept { return entry_.size; }
    [[nodiscard]] bool is_stored() const noexcept { return entry_.method == zip_stored; }
    /// Whether bytes are to be read in their order, each once.
    [[nodiscard]] bool is_stream() const noexcept { return stream_.has_value(); }
    /// Of a stored member, where it begins in the archive.
    [[nodiscard]] std::uint64_t begin() const noexcept { return begin_; }

    [[nodiscard]] byte_source source();

    /// To be called when all bytes have been read.
    /// @param crc  of all of them
    /// @throws format_error    there are more
    /// @throws checksum_error  they are not those that were put in
    void finish(std::uint32_t crc);

  private:
    /// Whether the list of pieces can be true.
    [[nodiscard]] bool are_pieces_likely() const;

    void expand_whole(bool in_pieces, const run_options& run);

    /// False if the list was wrong after all: the stream itself decides then.
    [[nodiscard]] bool expand_pieces(const run_options& run);

    /// More compressed bytes, if there are any and none at hand.
    void fetch();

    void read_on(std::span<std::byte> out);

    byte_source archive_;
    const std::filesystem::path& path_;
    const zip_entry& entry_;
    std::uint64_t begin_ = 0;
    buffer whole_;
    // Or:
    std::optional<inflater> stream_;
    std::vector<std::byte> compressed_;
    std::span<const std::byte> rest_;  // of `compressed_`, yet to be expanded
    std::uint64_t left_;               // compressed bytes yet to be read
};

/// Whether the bytes begin as an npy file does.
[[nodiscard]] bool begins_as_array(const byte_source& source, std::uint64_t size);

/// The header of a member that is an array, and its checksum so far.
struct member_header {
    array_info info;
    std::uint32_t crc = 0;
};

/// Reads the header of a member of `size` bytes that is an array.
/// @throws format_error  it is none, or its data does not fit into the member
[[nodiscard]] member_header read_member_header(const byte_source& source, std::uint64_t size, const limits& limit);

/// All bytes of a member, checked.
[[nodiscard]] std::vector<std::byte> read_member_bytes(const archive& from, const zip_entry& entry);

}  // namespace ndkeep::core

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Reads an array out of a member, and whatever is behind it, and checks the sum of all.
/// @param elements  called with the source, the header and the sum so far: reads all elements and carries on the sum
template <class Elements>
auto read_member(const archive& from, const zip_entry& entry, const load_options& options, Elements&& elements) {
    return in_member(without_npy(entry.name), [&] {
        member_bytes bytes(from, entry, member_bytes::largest_whole, options.run);
        const byte_source source = bytes.source();
        auto [info, crc] = read_member_header(source, bytes.size(), options.limit);
        run_options run = options.run;
        if (bytes.is_stream())
            run.threads = 1;
        auto array = elements(source, info, run, crc);
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
}

/// The data of a stored member that is an array, where it lies, and its header.
/// @throws mismatch_error  compressed, or not aligned; another dtype or order
[[nodiscard]] std::pair<mapping, array_info> map_member(const archive& from, const zip_entry& entry,
                                                        const limits& limit, const dtype& wanted, std::size_t alignment,
                                                        map_mode mode, bool column_major_wanted);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npz/detail/member.ipp>
#endif
