// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/npy/save.hpp>.
//
// The order of a save. A kill at any step leaves the old array or the new one, and no wrong description for it.
//
// 1. Lock the name. Write header and data to a file next to it, and compute sums and statistics on the way.
// 2. Seal that file: late write errors are reported, and with `.sync` its bytes are on the disk. Take its stamp.
// 3. With a sidecar: replace it by one that describes the new array and, as `previous`, the present one. A reader takes
//    the description that fits the file. Without: disown and lock the present sidecar.
// 4. Rename the new file over the name: the only commit point.
// 5. Without a sidecar: remove the former one, which described the file until step 4.
//
// If the sidecar were written after the rename, a kill in between would lose the metadata of the new array.
#pragma once

#include <ndkeep/npy/save.hpp>

#include <ndkeep/array/blocks.hpp>
#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/npy/core/sidecar_file.hpp>
#include <ndkeep/npy/detail/save.hpp>
#include <ndkeep/os/durability.hpp>
#include <ndkeep/os/replace.hpp>
#include <ndkeep/work/alongside.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace core {

NDKEEP_INLINE void write_elements(file& out, std::uint64_t offset, const array_view& array, digest& seen,
                                  const run_options& run) {
    progress_meter meter(
        run, {.phase = "save", .items_total = array.size(), .bytes_total = array.nbytes(), .file = out.path()});
    const auto write = [&](std::span<const std::byte> bytes, std::size_t count) {
        out.write(offset, bytes);
        offset += bytes.size();
        meter.add(count, bytes.size());
        meter.report();
    };
    constexpr std::size_t in_cache = std::size_t{1} << 20, in_large_pieces = std::size_t{64} << 20;
    const bool is_made = array.contiguous() == nullptr;
    if (!is_made && !seen.wants_bytes()) {
        for_each_block(array, in_large_pieces, write);
    } else if (!is_made && array.nbytes() > in_large_pieces / 16 && detail::threads_for(2, run) > 1) {
        // Large calls write fastest, and the digest needs small blocks. So a second thread digests the same memory.
        std::atomic<bool> given_up = false;
        detail::alongside looked_at([&] {
            for_each_block(array, in_cache, [&](std::span<const std::byte> bytes, std::size_t count) {
                if (!given_up)
                    seen.update(bytes, count);
            });
        });
        try {
            for_each_block(array, in_large_pieces, write);
            looked_at.finish(meter);
        } catch (...) {
            // The destructor of `looked_at` waits for its thread, which then skips the rest of its work.
            given_up = true;
            throw;
        }
    } else {
        // Elements that were just computed or digested should still be in the cache when they are written.
        for_each_block(array, in_cache, [&](std::span<const std::byte> bytes, std::size_t count) {
            seen.update(bytes, count);
            write(bytes, count);
        });
    }
    meter.finish();
}

}  // namespace core

namespace detail {

/// Writes header and data into an empty file. (step 1)
NDKEEP_INLINE void write_array(file& out, const array_view& array, const array_info& info, digest& seen,
                               const run_options& run) {
    const std::string header = header_bytes(info);
    const auto text = bytes_of(header);
    const std::size_t nbytes = array.nbytes();
    // A small array is copied after its header, which saves a system call.
    constexpr std::size_t one_call = std::size_t{64} << 10;
    if (nbytes <= one_call) {
        progress_meter meter(run,
                             {.phase = "save", .items_total = array.size(), .bytes_total = nbytes, .file = out.path()});
        const buffer whole(text.size() + nbytes);
        std::copy(text.begin(), text.end(), whole.data());
        // The header length is a multiple of 64, so the data is aligned and elements can be evaluated in place.
        array.fill(0, array.size(), whole.data() + text.size());
        seen.update(whole.bytes().subspan(text.size()), array.size());
        out.write(0, whole.bytes());
        meter.add(array.size(), nbytes);
        return meter.finish();
    }
    // A full disk is reported before the work begins, and the file system can allocate contiguous blocks.
    (void)out.reserve(text.size() + nbytes);
    out.write(0, text);
    write_elements(out, text.size(), array, seen, run);
}

NDKEEP_INLINE void save_under(writer_lock&& lock, const array_view& array, const save_options& options) {
    replacement next(std::move(lock));
    const auto target = next.target();
    // Invalid metadata and obstacles to removing the former sidecar are reported before the array is written.
    const json metadata = kept_metadata(options.meta, target);
    std::optional<former_sidecar> former;
    if (!options.has_sidecar())
        former.emplace(target, read_only_files_of(options.run.replace_read_only));
    const auto info = info_of(array);
    // A sidecar needs a sum: without one, a reader cannot recognise the data of a copied file, whose stamp differs.
    const checksum sums = options.has_sidecar() && options.sum == checksum::none ? checksum::crc32c : options.sum;
    digest seen(info.type, sums, options.statistics);
    write_array(next.content(), array.in_order(order_of(info)), info, seen, options.run);
    // Step 2.
    const auto stamp = next.seal(durability_of(options.sync));
    // Step 3.
    if (options.has_sidecar()) {
        sidecar both{described(info), former_description(target)};
        both.current.sums = seen.sums();
        both.current.statistics = seen.values();
        both.current.metadata = metadata;
        both.current.stamp = stamp;
        write_sidecar(target, both, durability_of(options.sync), read_only_files_of(options.run.replace_read_only));
    } else {
        former->disown(info, stamp, durability_of(options.sync));
    }
    // Steps 4 and 5.
    next.commit(durability_of(options.sync));
    if (former)
        former->remove();
}

}  // namespace detail

NDKEEP_INLINE void save(const std::filesystem::path& file, const array_view& array, const save_options& options) {
    detail::save_under(writer_lock(file, read_only_files_of(options.run.replace_read_only)), array, options);
}

NDKEEP_INLINE std::vector<std::byte> save_bytes(const array_view& array) {
    const auto info = detail::info_of(array);
    const std::string header = header_bytes(info);
    const auto text = detail::bytes_of(header);
    std::vector<std::byte> out;
    out.reserve(text.size() + array.nbytes());
    out.insert(out.end(), text.begin(), text.end());
    // Elements of a contiguous array are copied directly; a vector of full length would be filled with zeros before.
    constexpr std::size_t in_cache = std::size_t{1} << 20;
    core::for_each_block(array.in_order(order_of(info)), in_cache, [&](std::span<const std::byte> bytes, std::size_t) {
        out.insert(out.end(), bytes.begin(), bytes.end());
    });
    return out;
}

}  // namespace ndkeep
