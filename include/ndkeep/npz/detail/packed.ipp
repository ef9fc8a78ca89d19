// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/npz/detail/packed.hpp>.
#pragma once

#include <ndkeep/npz/detail/packed.hpp>

#include <ndkeep/array/blocks.hpp>
#include <ndkeep/bytes/crc.hpp>

#include <algorithm>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE void packed_archive::add_array(std::string_view name, const array_info& info,
                                             std::span<const piece> pieces) {
    std::vector<piece> all = {keep(header_bytes(info))};
    all.insert(all.end(), pieces.begin(), pieces.end());
    add(name, all);
}

NDKEEP_INLINE void packed_archive::add_array(std::string_view name, const array_view& array) {
    const array_info info = info_of(array);
    const array_view ordered = array.in_order(order_of(info));
    if (ordered.contiguous() != nullptr) {
        views_.push_back(ordered);
        const piece data(ordered.contiguous(), ordered.nbytes());
        return add_array(name, info, {&data, 1});
    }
    // The CRC-32 in the local header precedes the data, so elements must be computed before they are passed on.
    std::string made(ordered.nbytes(), '\0');
    for_each_block(ordered, made.size(), [at = made.data()](piece block, std::size_t) mutable {
        at = std::copy_n(reinterpret_cast<const char*>(block.data()), block.size(), at);
    });
    const piece data = keep(std::move(made));
    add_array(name, info, {&data, 1});
}

NDKEEP_INLINE void packed_archive::add_text(std::string_view name, std::string text) {
    const piece data = keep(std::move(text));
    add(name, {&data, 1});
}

NDKEEP_INLINE std::span<const packed_archive::piece> packed_archive::finish() {
    const std::uint64_t begin = size_;
    for (const zip_entry& entry : entries_)
        append(keep(zip_entry_text(entry)));
    append(keep(zip_end_text(entries_.size(), begin, size_ - begin, {})));
    return pieces_;
}

NDKEEP_INLINE void packed_archive::append(piece bytes) {
    if (!bytes.empty())
        pieces_.push_back(bytes);
    size_ += bytes.size();
}

NDKEEP_INLINE void packed_archive::add(std::string_view name, std::span<const piece> content) {
    zip_entry& entry = entries_.emplace_back();
    entry.name = entry.raw_name = name;
    entry.flags = zip_flag_utf8;
    for (const piece& each : content) {
        entry.crc32 = crc32(each, entry.crc32);
        entry.size += each.size();
    }
    entry.compressed = entry.size;
    entry.header_offset = size_;
    const bool is_64 = zip_needs_64(entry.size);
    append(keep(zip_local_text(entry, is_64, zip_extra_size(size_, name.size(), is_64, true))));
    for (const piece& each : content)
        append(each);
}

}  // namespace ndkeep::detail
