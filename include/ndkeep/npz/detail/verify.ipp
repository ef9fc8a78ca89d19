// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/npz/verify.hpp>.
#pragma once

#include <ndkeep/npz/verify.hpp>

#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/bytes/source.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/zip/directory.hpp>
#include <ndkeep/npz/core/member.hpp>
#include <ndkeep/npz/detail/metadata.hpp>
#include <ndkeep/npz/detail/verify.hpp>
#include <ndkeep/work/parallel.hpp>

#include <algorithm>

namespace ndkeep::inline NDKEEP_ABI {

namespace core {

NDKEEP_INLINE std::size_t element_alignment(const dtype& type) {
    // The C++ type of a struct is unknown here, so the largest fundamental alignment is assumed.
    return type.is_struct() ? alignof(std::max_align_t) : std::max<std::size_t>(1, swap_width(type));
}

}  // namespace core

namespace detail {

/// Reads the header of a member. If the dtype is not supported, `out` gets what the header states otherwise.
/// @throws format_error  as `read_member_header`
[[nodiscard]] NDKEEP_INLINE array_info read_described_header(member_bytes& member, const limits& limit,
                                                             npz_member& out) {
    const byte_source source = member.source();
    const auto header = read_member_header_bytes(source, member.size(), limit);
    try {
        return parse_member_header(header, member.size(), source.path(), limit).info;
    } catch (const format_error& problem) {
        if (problem.field() == "descr")
            out.unsupported = parse_header_facts(header, source.path(), limit);
        throw;
    }
}

NDKEEP_INLINE npz_member described_member(const archive& from, const zip_entry& entry, const limits& limit) {
    npz_member out;
    out.name = without_npy(entry.name);
    out.stored_name = entry.name;
    out.nbytes = entry.size;
    out.compressed_nbytes = entry.compressed;
    out.crc32 = entry.crc32;
    out.method = (entry.flags & zip_flag_encrypted) != 0 ? "encrypted" : zip_method_name(entry.method);
    out.shadowed = from.is_shadowed(entry);
    try {
        in_member(out.name, [&] {
            return while_unchanged(from, [&] {
                {
                    member_bytes bytes(from, entry, 0);
                    out.offset = bytes.begin();
                    if (!begins_as_array(bytes.source(), entry.size))
                        return;
                }
                // A new object, because a stream cannot go back to its start.
                member_bytes bytes(from, entry, 0);
                const auto info = read_described_header(bytes, limit, out);
                out.trailing = entry.size - info.data_offset - info.nbytes();
                if (bytes.is_stored())
                    out.offset += info.data_offset;
                out.mappable = bytes.is_stored() && info.type.is_native() &&
                               (info.nbytes() == 0 || out.offset % element_alignment(info.type) == 0);
                out.array = info;
            });
        });
    } catch (const error& problem) {
        out.problem = problem.what();
    }
    return out;
}

NDKEEP_INLINE void find_in_member(const archive& from, const zip_entry& entry, const checksums* said,
                                  const limits& limit, progress_meter& meter, std::vector<finding>& all) {
    const auto name = without_npy(entry.name);
    // If the member cannot be found or its method is not supported, the other checks would report the same again.
    if (!passes(all, [&] { while_unchanged(from, [&] { const member_bytes readable(from, entry, 0); }); }))
        return;
    array_info info;
    bool is_array = false;
    (void)passes(all, [&] {
        in_member(name, [&] {
            while_unchanged(from, [&] {
                if (!entry.name.ends_with(npy_suffix)) {
                    member_bytes bytes(from, entry, 0);
                    if (!begins_as_array(bytes.source(), entry.size))
                        return;
                }
                member_bytes bytes(from, entry, 0);
                info = read_member_header(bytes.source(), entry.size, limit).info;
                is_array = true;
            });
        });
    });
    (void)passes(all, [&] {
        in_member(name, [&] {
            while_unchanged(from, [&] {
                // Members are verified in parallel. Larger ones are streamed, so that a thread needs at most 64 MiB for
                // one. One thread for each member, because the others are busy with other members.
                constexpr std::uint64_t largest_whole = std::uint64_t{64} << 20;
                member_bytes bytes(from, entry, largest_whole, {.threads = 1});
                const byte_source source = bytes.source();
                running_checksums computed(is_array && said != nullptr ? kinds_of(*said) : checksum::none);
                const std::uint64_t data_end = info.data_offset + info.nbytes();
                std::vector<std::byte> block;
                std::uint32_t crc = 0;
                for (std::uint64_t at = 0; at < bytes.size(); at += block.size()) {
                    constexpr std::uint64_t most = std::uint64_t{1} << 20;
                    // Blocks end where the array's data begins and ends: its sums cover the data only.
                    const std::uint64_t stop = at < info.data_offset ? info.data_offset
                                               : at < data_end       ? data_end
                                                                     : bytes.size();
                    block.resize(static_cast<std::size_t>(std::min(most, stop - at)));
                    source.read(at, block);
                    if (meter.stopped())
                        throw meter.canceled();
                    meter.add(0, block.size());
                    crc = crc32({block.data(), block.size()}, crc);
                    if (at >= info.data_offset && at < data_end)
                        computed.update({block.data(), block.size()});
                }
                bytes.finish(crc);
                for (const auto& [kind, sum] : computed.values())
                    if (const auto& stored = said->find(kind)->second; stored != sum)
                        throw checksum_error({.file = from.path(),
                                              .field = member_field(name) + ": " + kind,
                                              .expected = stored,
                                              .found = sum,
                                              .hint = "the data is not what was described"});
            });
        });
    });
}

}  // namespace detail

NDKEEP_INLINE std::vector<npz_member> inspect_npz(const std::filesystem::path& file, const limits& limit) {
    const detail::archive from(file, limit);
    std::vector<npz_member> all;
    for (const auto& entry : from.entries())
        all.push_back(detail::described_member(from, entry, limit));
    return all;
}

NDKEEP_INLINE std::vector<finding> findings_npz(const std::filesystem::path& file, const verify_options& options) {
    std::vector<finding> all;
    detail::archive from;
    if (!detail::passes(all, [&] { from = detail::archive(file, options.limit); }))
        return all;
    detail::npz_metadata said;
    const auto* const metadata = from.find_exact(detail::metadata_member);
    std::vector<finding> in_metadata;
    // Without readable metadata, the members are still checked against their CRC-32.
    (void)detail::passes(in_metadata, [&] { said = detail::read_npz_metadata(from, options.limit); });

    const auto& entries = from.entries();
    std::vector<std::vector<finding>> found(entries.size());
    progress totals{.phase = "verify", .items_total = entries.size(), .file = file};
    for (const auto& entry : entries)
        totals.bytes_total += entry.size;
    progress_meter meter(options.run, totals);
    parallel_for(entries.size(), meter, [&](std::size_t i) {
        const auto& entry = entries[i];
        const auto sums = said.sums.find(std::string(detail::without_npy(entry.name)));
        const bool has_sums =
            sums != said.sums.end() && entry.name.ends_with(detail::npy_suffix) && !from.is_shadowed(entry);
        detail::find_in_member(from, entry, has_sums ? &sums->second : nullptr, options.limit, meter, found[i]);
        // Damaged bytes also spoil the JSON. Only the cause is reported.
        if (&entry == metadata && found[i].empty())
            found[i] = in_metadata;
    });
    meter.finish();
    // One list a member, joined in the order of the directory: the result does not depend on the threads.
    for (auto& some : found)
        all.insert(all.end(), some.begin(), some.end());
    for (const auto& [name, sums] : said.sums)
        if (from.find(name) == nullptr)
            all.push_back(detail::found(mismatch_error({.file = file,
                                                        .field = detail::member_field(name),
                                                        .expected = "a member, as the metadata says",
                                                        .found = "missing"})));
    return all;
}

NDKEEP_INLINE void verify_npz(const std::filesystem::path& file, const verify_options& options) {
    detail::throw_first(findings_npz(file, options));
}

}  // namespace ndkeep
