// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/npz/writer.hpp>.
//
// The order of writing. A kill before step 6 leaves the old file, or none if there was none.
//
// 1. Lock the name before the old archive is read. Otherwise two writers that append could lose each other's members.
// 2. With `.append`, open the old archive and check every member that may be kept.
// 3. Write the new members to a file next to the old one.
// 4. In `commit`: write the metadata, which needs the sums of all new members, and then all waiting pieces.
// 5. Copy the members that are kept, and write the directory and the end record.
// 6. Rename the new file over the name: the commit point.
//
// With `.in_place`, steps 3 to 5 write behind the old archive, whose bytes stay, and nothing is copied or renamed. The
// commit point is the last byte of the end record. Until then no end record is at the end of the file, and no reader
// can open it; after a kill, `restore_npz` finds the end record of the old archive. With `.sync`, the members wait for
// the disk before the directory is written. Otherwise a power cut could keep the directory and lose the members.
#pragma once

#include <ndkeep/npz/writer.hpp>

#include <ndkeep/array/blocks.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/zip/directory.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/npz/detail/metadata.hpp>
#include <ndkeep/os/durability.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/locks/writer_lock.hpp>
#include <ndkeep/text/json/print.hpp>
#include <ndkeep/text/unicode.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE void npz_writer::add_text(std::string_view name, std::string_view text,
                                        const npz_member_options& options) {
    add_bytes(name, detail::bytes_of(text), options);
}

namespace detail {

[[nodiscard]] NDKEEP_INLINE former_archive former_archive_of(const npz_writer_options& options) {
    if (!options.append)
        return former_archive::replaced;
    return options.in_place ? former_archive::grown : former_archive::copied;
}

}  // namespace detail

NDKEEP_INLINE npz_writer::npz_writer(const std::filesystem::path& file, const npz_writer_options& options)
    : npz_writer(file, options, {}) {}

NDKEEP_INLINE npz_writer::npz_writer(const std::filesystem::path& file, const npz_writer_options& options,
                                     const progress& totals)
    : options_(options),
      meter_(options_.run,
             {.phase = "save", .items_total = totals.items_total, .bytes_total = totals.bytes_total, .file = file}),
      output_(file, detail::former_archive_of(options_), read_only_files_of(options_.run.replace_read_only)),
      out_(output_.content(), options_.run, output_.begin()) {
    // `output_` holds the lock already: step 1.
    keep_old();
}

NDKEEP_INLINE void npz_writer::keep_old() {
    const auto& old = output_.old();
    comment_ = old.directory().comment;
    if (!output_.grows()) {
        // Bytes before the first member are kept: a self-extracting archive has its program there.
        std::uint64_t begin = old.directory().offset;
        for (const auto& entry : old.entries())
            begin = std::min(begin, entry.header_offset);
        if (begin != 0)
            out_.out().copy(old.source(), 0, begin);
    }
    for (const auto& entry : old.entries()) {
        if (old.is_shadowed(entry))
            continue;
        if (!output_.grows())
            check_copyable(entry);
        places_.emplace(entry.name, records_.size());
        records_.push_back({.old = &entry});
    }
}

NDKEEP_INLINE void npz_writer::check_copyable(const detail::zip_entry& entry) const {
    if ((entry.flags & detail::zip_flag_encrypted) != 0)
        throw format_error({.file = output_.target(),
                            .field = detail::member_field(entry.name),
                            .expected = "not encrypted",
                            .found = "encrypted",
                            .hint = "it cannot be kept"});
    // Checks the local header now, so that a false one is reported before any work is done, and not by `commit`.
    (void)detail::zip_data_offset(output_.old().bytes(), entry);
}

NDKEEP_INLINE void npz_writer::check_usable() const {
    // A forked child has a copy of this object, but not the lock.
    output_.check_process();
    if (done_ || failed_)
        throw mismatch_error({.file = output_.target(),
                              .field = "archive",
                              .expected = "open for writing",
                              .found = done_ ? "committed" : "incomplete after an error"});
}

NDKEEP_INLINE detail::new_member& npz_writer::begin(std::string name, compression method) {
    check_usable();
    const auto refuse = [&](std::string expected, std::string found) {
        throw detail::mismatched(output_.target(), detail::member_field(name), std::move(expected), std::move(found));
    };
    // The length has 16 bits: APPNOTE 4.4.10.
    constexpr std::size_t longest_name = 0xffff;
    if (name.size() > longest_name)
        refuse("a name of at most " + counted(longest_name, "byte"), "a name of " + counted(name.size(), "byte"));
    if (!detail::is_utf8(name))
        refuse("a name in UTF-8", "a name in another encoding");
    if (name.find('\0') != std::string::npos)
        refuse("a name without zero bytes", "a name with a zero byte");  // Python's zipfile would cut it there
    const auto [place, is_new] = places_.emplace(name, records_.size());
    if (is_new)
        records_.emplace_back();
    record& there = records_[place->second];
    if (there.added != nullptr)
        refuse("added once", "added twice");
    detail::new_member& member = added_.emplace_back();
    there.added = &member;
    // ASCII names need no UTF-8 flag (APPNOTE 4.4.4, bit 11), and every tool reads them.
    const bool ascii =
        std::all_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 128; });
    member.entry.flags = ascii ? 0 : detail::zip_flag_utf8;
    member.entry.method = method.on() ? detail::zip_deflated : detail::zip_stored;
    member.entry.raw_name = name;
    member.entry.name = std::move(name);
    return member;
}

NDKEEP_INLINE void npz_writer::write(detail::new_member& member, compression method, std::string_view header,
                                     const array_view& elements, const detail::member_writer::watcher& seen) {
    failed_ = true;  // until the member is complete
    if (method.on())
        out_.compress(member, method.level(), header, elements, seen, meter_);
    else
        out_.store(member, header, elements, seen, meter_);
    failed_ = false;
}

NDKEEP_INLINE void npz_writer::add(std::string_view name, const array_view& array, const npz_member_options& options) {
    check_usable();
    const auto info = detail::info_of(array);
    const std::string header = header_bytes(info);
    const compression method = options.compress.value_or(options_.compress);
    auto& member = begin(std::string(name) + std::string(detail::npy_suffix), method);
    running_checksums sums(options_.sum);
    write(member, method, header, array.in_order(order_of(info)),
          [&](std::span<const std::byte> bytes) { sums.update(bytes); });
    if (options_.sum != checksum::none)
        sums_[std::string(name)] = sums.values();
}

NDKEEP_INLINE void npz_writer::add_bytes(std::string_view name, std::span<const std::byte> bytes,
                                         const npz_member_options& options) {
    const compression method = options.compress.value_or(options_.compress);
    auto& member = begin(std::string(name), method);
    write(member, method, {}, array_view(dtype_of<std::uint8_t>(), {bytes.size()}, bytes.data()),
          [](std::span<const std::byte>) {});
}

NDKEEP_INLINE void npz_writer::set_metadata(const json& meta) {
    check_usable();
    detail::check_npz_metadata(meta, output_.target());
    // Serialised only to report now, and not in `commit`, values that JSON cannot hold.
    (void)detail::in_document(output_.target(), [&] {
        return detail::npz_metadata_text({.user = meta.is_null() ? json(json::value_t::object) : meta});
    });
    metadata_ = meta;
    metadata_given_ = true;
}

NDKEEP_INLINE void npz_writer::write_metadata() {
    const auto* const there = output_.old().find_exact(detail::metadata_member);
    // Old metadata must be rewritten if it may hold sums of a member that is replaced: they would be false.
    const bool replaces =
        std::any_of(records_.begin(), records_.end(), [](const record& each) { return each.old && each.added; });
    if (!metadata_given_ && sums_.empty() && !(there != nullptr && replaces))
        return;
    detail::npz_metadata said;
    try {
        said = detail::read_npz_metadata(output_.old(), detail::old_limits(output_.old().source()));
    } catch (const format_error&) {
        if (metadata_given_ || !sums_.empty())
            throw;
        return;  // another program's metadata, which has no sums of ours
    }
    if (metadata_given_)
        said.user = metadata_.is_null() ? json(json::value_t::object) : metadata_;
    for (const auto& each : records_)
        if (each.added != nullptr && each.added->entry.name.ends_with(detail::npy_suffix))
            said.sums.erase(std::string(detail::without_npy(each.added->entry.name)));
    said.sums.insert(sums_.begin(), sums_.end());
    // Nothing to store. An old metadata member is dropped.
    if (said.user.empty() && said.sums.empty()) {
        if (there != nullptr)
            records_[places_.find(detail::metadata_member)->second].old = nullptr;
        return;
    }
    // Not compressed: `old_limits` depends on it.
    add_text(detail::metadata_member, detail::npz_metadata_text(said), {.compress = false});
}

NDKEEP_INLINE void npz_writer::write_kept() {
    for (record& each : records_) {
        if (each.old == nullptr || each.added != nullptr)
            continue;
        auto& member = added_.emplace_back();
        member.entry = *each.old;
        if (output_.grows()) {
            each.added = &member;
            continue;
        }
        const auto data_offset = detail::zip_data_offset(output_.old().bytes(), *each.old);
        // The new local header has the sizes and the CRC-32, and the data descriptor is not copied: APPNOTE 4.3.9.
        member.entry.flags &= static_cast<std::uint16_t>(~detail::zip_flag_descriptor);
        each.added = &member;
        out_.keep(member, output_.old().source(), data_offset);
        meter_.add(1, member.entry.compressed);
        meter_.report();
    }
}

NDKEEP_INLINE void npz_writer::write_directory() {
    const std::uint64_t begin = out_.out().end();
    std::uint64_t count = 0;
    for (const record& each : records_) {
        if (each.added == nullptr)
            continue;
        out_.out().add(detail::bytes_of(detail::zip_entry_text(each.added->entry)));
        ++count;
    }
    const auto end = detail::zip_end_text(count, begin, out_.out().end() - begin, comment_);
    out_.out().add(detail::bytes_of(end));
    out_.out().finish();
}

NDKEEP_INLINE void npz_writer::commit() {
    check_usable();
    write_metadata();
    // After a failure below, the unfinished file must not be committed by a second call.
    failed_ = true;
    out_.finish(meter_);
    write_kept();
    if (output_.grows() && options_.sync) {
        out_.out().flush();
        output_.content().sync();
    }
    write_directory();
    meter_.finish();
    output_.commit(durability_of(options_.sync));
    failed_ = false;
    done_ = true;
}

NDKEEP_INLINE void save_npz(const std::filesystem::path& file, const std::vector<npz_item>& items,
                            const npz_options& options) {
    progress totals;
    for (const npz_item& item : items) {
        totals.items_total += item.array.size();
        totals.bytes_total += item.array.nbytes();
    }
    npz_writer archive(
        file,
        {.append = false, .compress = options.compress, .sum = options.sum, .sync = options.sync, .run = options.run},
        totals);
    archive.set_metadata(options.meta);
    for (const npz_item& item : items)
        archive.add(item.name, item.array, item.options);
    archive.commit();
}

NDKEEP_INLINE void save_npz(const std::filesystem::path& file, std::initializer_list<npz_item> items,
                            const npz_options& options) {
    save_npz(file, std::vector<npz_item>(items), options);
}

}  // namespace ndkeep
