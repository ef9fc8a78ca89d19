// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/npz/recover.hpp>.
#pragma once

#include <ndkeep/npz/recover.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/format/zip/directory.hpp>
#include <ndkeep/format/zip/scan.hpp>
#include <ndkeep/npz/core/archive.hpp>
#include <ndkeep/npz/detail/member_writer.hpp>
#include <ndkeep/npz/detail/verify.hpp>
#include <ndkeep/os/durability.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/locks/writer_lock.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/os/replace.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// An archive with the members that a search finds.
struct searched_archive {
    archive from;
    bool may_lack_members = false;
};

[[nodiscard]] NDKEEP_INLINE searched_archive search_archive(const std::filesystem::path& path,
                                                            const npz_recover_options& options) {
    auto opened = file::open(path);
    // Before the search, which finds members of the file as it is now.
    const auto stamp = opened.stamp();
    progress_meter meter(options.run, {.phase = "recover", .bytes_total = stamp.size, .file = path});
    auto found = find_zip_members(opened, stamp.size, options.limit, meter);
    meter.finish();
    return {archive(std::move(opened), stamp, std::move(found.directory)), found.may_lack_members};
}

/// Where the last complete archive ends.
[[nodiscard]] NDKEEP_INLINE std::uint64_t end_of_archive(const file& opened, const npz_recover_options& options) {
    const std::uint64_t size = opened.size();
    try {
        (void)read_zip_directory(opened, size, options.limit);
        return size;
    } catch (const format_error&) {
        progress_meter meter(options.run, {.phase = "recover", .bytes_total = size, .file = opened.path()});
        const auto end = last_zip_end(opened, size, options.limit, meter);
        meter.finish();
        if (!end)
            throw;
        return *end;
    }
}

}  // namespace detail

NDKEEP_INLINE npz_remains recoverable_members(const std::filesystem::path& file, const npz_recover_options& options) {
    const auto [from, may_lack_members] = detail::search_archive(file, options);
    npz_remains all{.may_lack_members = may_lack_members};
    for (const auto& entry : from.entries())
        all.members.push_back(detail::described_member(from, entry, options.limit));
    return all;
}

NDKEEP_INLINE npz_recovery recover_npz(const std::filesystem::path& file, const std::filesystem::path& to,
                                       const npz_recover_options& options) {
    detail::check_other_file(file, to);
    const auto [from, may_lack_members] = detail::search_archive(file, options);
    replacement next(to, read_only_files_of(options.run.replace_read_only));
    detail::member_writer out(next.content(), options.run);
    std::string directory;
    for (const auto& entry : from.entries()) {
        detail::new_member member{.entry = entry};
        // The new local header has the sizes and the CRC-32, and the data descriptor is not copied: APPNOTE 4.3.9.
        member.entry.flags &= static_cast<std::uint16_t>(~detail::zip_flag_descriptor);
        out.keep(member, from.source(), detail::zip_data_offset(from.bytes(), entry));
        directory += detail::zip_entry_text(member.entry);
    }
    const std::uint64_t begin = out.out().end();
    out.out().add(detail::bytes_of(directory));
    out.out().add(detail::bytes_of(detail::zip_end_text(from.entries().size(), begin, directory.size(), {})));
    out.out().finish();
    // The copied bytes may not be those that were checked.
    if (from.has_changed())
        throw conflict_error({.file = file, .field = "data", .found = "changed by another program during the call"});
    next.commit(durability_of(options.sync));
    return {from.entries().size(), may_lack_members};
}

NDKEEP_INLINE std::uint64_t bytes_behind_npz(const std::filesystem::path& file, const npz_recover_options& options) {
    const auto opened = ndkeep::file::open(file);
    const std::uint64_t size = opened.size();
    return size - std::min(size, detail::end_of_archive(opened, options));
}

NDKEEP_INLINE std::uint64_t restore_npz(const std::filesystem::path& file, const npz_recover_options& options) {
    const auto lock = detail::lock_to_grow(file);
    auto opened = ndkeep::file::open(lock ? lock->target() : detail::resolved(file), ndkeep::file::access::read_write);
    const detail::file_lock alone(opened);
    opened.call(file);
    const std::uint64_t end = detail::end_of_archive(opened, options);
    const std::uint64_t behind = opened.size() - end;
    if (behind == 0)
        return 0;
    opened.resize(end);
    if (durability_of(options.sync) == durability::on_disk)
        opened.sync();
    return behind;
}

}  // namespace ndkeep
