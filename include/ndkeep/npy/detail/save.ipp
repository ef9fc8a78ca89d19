// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/npy/save.hpp>.
#pragma once

#include <ndkeep/npy/save.hpp>

#include <ndkeep/array/blocks.hpp>
#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/npy/core/sidecar_file.hpp>
#include <ndkeep/npy/detail/save.hpp>
#include <ndkeep/os/replace.hpp>
#include <ndkeep/work/parallel.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>

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
            given_up = true;
            throw;
        }
    } else {
        // What is made or looked at first should still be in the cache when it is written.
        for_each_block(array, in_cache, [&](std::span<const std::byte> bytes, std::size_t count) {
            seen.update(bytes, count);
            write(bytes, count);
        });
    }
    meter.finish();
}

}  // namespace core

namespace detail {

/// Header and data into an empty file.
NDKEEP_INLINE void write_array(file& out, const array_view& array, const array_info& info, digest& seen,
                               const run_options& run) {
    const std::string header = header_bytes(info);
    const auto text = bytes_of(header);
    const std::size_t nbytes = array.nbytes();
    constexpr std::size_t one_call = std::size_t{64} << 10;
    if (nbytes <= one_call) {
        progress_meter meter(run,
                             {.phase = "save", .items_total = array.size(), .bytes_total = nbytes, .file = out.path()});
        const buffer whole(text.size() + nbytes);
        std::copy(text.begin(), text.end(), whole.data());
        // The data starts at a multiple of 64, which is alignment enough to make elements in place.
        array.fill(0, array.size(), whole.data() + text.size());
        seen.update(whole.bytes().subspan(text.size()), array.size());
        out.write(0, whole.bytes());
        meter.add(array.size(), nbytes);
        return meter.finish();
    }
    // A full disk is heard of before the work begins, and the blocks come in one piece.
    (void)out.reserve(text.size() + nbytes);
    out.write(0, text);
    write_elements(out, text.size(), array, seen, run);
}

NDKEEP_INLINE void save_under(writer_lock&& lock, const array_view& array, const save_options& options) {
    replacement next(std::move(lock));
    const auto target = next.target();
    const json metadata = kept_metadata(options.meta, target);
    std::optional<former_sidecar> former;
    if (!options.has_sidecar())
        former.emplace(target);
    const auto info = info_of(array);
    const checksum sums = options.has_sidecar() && options.sum == checksum::none ? checksum::crc32c : options.sum;
    digest seen(info.type, sums, options.statistics);
    write_array(next.content(), array.in_order(info.column_major), info, seen, options.run);
    const auto stamp = next.seal(options.sync);
    if (options.has_sidecar()) {
        sidecar both{described(info), former_description(target)};
        both.current.sums = seen.sums();
        both.current.statistics = seen.values();
        both.current.metadata = metadata;
        both.current.stamp = stamp;
        write_sidecar(target, both, options.sync);
    } else {
        former->disown(info, stamp, options.sync);
    }
    next.commit(options.sync);
    if (former)
        former->remove();
}

}  // namespace detail

NDKEEP_INLINE void save(const std::filesystem::path& file, const array_view& array, const save_options& options) {
    detail::save_under(writer_lock(file), array, options);
}

}  // namespace ndkeep
