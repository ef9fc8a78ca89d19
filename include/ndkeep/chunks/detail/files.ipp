// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/files.hpp>.
#pragma once

#include <ndkeep/chunks/detail/files.hpp>

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/chunks/detail/file.hpp>
#include <ndkeep/chunks/detail/keys.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/store/layout.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Memory for bytes of a chunk.
[[nodiscard]] NDKEEP_INLINE buffer room_for(const place& where, const std::string& name, std::uint64_t nbytes) {
    return allocated_for(where.called(name), nbytes, [&] { return buffer(static_cast<std::size_t>(nbytes)); });
}

/// Reads rows `from` to `to` of a chunk, counted from its first row, after checking the chunk.
///
/// The rows will be written to a new file, which gets a new checksum: without the check, damaged bytes would become
/// valid.
/// @throws format_error    the file is missing or truncated
/// @throws checksum_error  the bytes have changed
NDKEEP_INLINE void read_checked(place& where, const chunk_state& state, const chunk_entry& entry, std::uint64_t from,
                                std::uint64_t to, std::byte* out) {
    const auto row_bytes = static_cast<std::size_t>(state.row_bytes());
    const std::string name = chunk_path(entry.file);
    const std::span<std::byte> part(out, static_cast<std::size_t>(to - from) * row_bytes);
    // The checksum covers the chunk as a whole: to check a part of it, all of it is read.
    buffer whole;
    std::span<std::byte> all = part;
    if (part.size() != entry.nbytes) {
        whole = room_for(where, name, entry.nbytes);
        all = whole.bytes();
    }
    if (!where.get_range(name, entry.offset, all))
        throw format_error({.file = where.called(name), .field = "chunk", .found = "missing"});
    if (state.sum != checksum::none && !entry.sum.empty())
        if (const auto found = checksums_of(all, state.sum).begin()->second; found != entry.sum)
            throw checksum_error({.file = where.called(name),
                                  .field = std::string(checksum_name(state.sum)),
                                  .expected = entry.sum,
                                  .found = found,
                                  .hint = "the data is not what was written"});
    if (whole.size() != 0)
        std::memcpy(out, whole.data() + static_cast<std::size_t>(from) * row_bytes, part.size());
}

NDKEEP_INLINE chunk_entry chunk_files::put(std::uint64_t first_row, std::span<const std::byte> bytes) {
    const std::uint64_t rows = bytes.size() / state().row_bytes();
    const std::string header = chunk_header(state(), first_row, rows);
    chunk_entry entry{.rows = rows, .nbytes = bytes.size(), .offset = header.size()};
    if (state().sum != checksum::none)
        entry.sum = checksums_of(bytes, state().sum).begin()->second;
    const auto keys = keys_of(state(), bytes.data(), static_cast<std::size_t>(rows));
    (void)with_number(keys.type, [&](auto number) { find_extremes<decltype(number)>(keys, entry.min, entry.max); });
    const std::array<std::span<const std::byte>, 2> parts = {detail::bytes_of(header), bytes};
    entry.file = transaction_.stage(parts, first_row);
    return entry;
}

NDKEEP_INLINE buffer chunk_files::rows(std::uint64_t first, std::uint64_t last) const {
    const std::uint64_t row_bytes = state().row_bytes();
    buffer bytes = room_for(where(), chunks_folder, (last - first) * row_bytes);
    auto [at, entries] = state().between(first, last);
    for (const auto& entry : entries) {
        const std::uint64_t from = std::max(at, first), to = std::min(at + entry.rows, last);
        std::byte* const target = bytes.data() + (from - first) * row_bytes;
        if (entry.file.empty())
            std::memset(target, 0, static_cast<std::size_t>((to - from) * row_bytes));
        else
            read_checked(where(), state(), entry, from - at, to - at, target);
        at += entry.rows;
    }
    return bytes;
}

NDKEEP_INLINE void chunk_files::read(const chunk_state& of, const chunk_entry& entry,
                                     std::vector<std::byte>& out) const {
    allocated_for(where().called(chunk_path(entry.file)), entry.nbytes,
                  [&] { out.resize(static_cast<std::size_t>(entry.nbytes)); });
    if (entry.file.empty())
        std::fill(out.begin(), out.end(), std::byte());
    else
        read_checked(where(), of, entry, 0, entry.rows, out.data());
}

NDKEEP_INLINE chunk_entry chunk_files::moved(const moved_file& file) {
    const auto& entry = file.entry;
    const std::uint64_t row_bytes = entry.nbytes / entry.rows;
    if (!is_placed(entry) || place_of(file.from_row, row_bytes) == place_of(file.to_row, row_bytes))
        return entry;
    // Left as it is, the chunk could not be mapped at its new place, and every map_chunked would copy it.
    const buffer bytes = room_for(where(), chunk_path(entry.file), entry.nbytes);
    if (!where().get_range(chunk_path(entry.file), entry.offset, bytes.bytes()))
        throw conflict_error({.file = where().called(chunk_path(entry.file)),
                              .found = "removed by a sweep; discard this transaction and try again"});
    return put(file.to_row, bytes.bytes());
}

}  // namespace ndkeep::detail
