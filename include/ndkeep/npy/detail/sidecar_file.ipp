// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/npy/core/sidecar_file.hpp>.
#pragma once

#include <ndkeep/npy/core/sidecar_file.hpp>

#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/os/replace.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Opens a sidecar; nullopt if absent, or if another program's file has the name.
///
/// The first 4096 bytes decide, so that a sidecar that is too long to be read can still be replaced and removed.
/// @throws io_error  a regular file that cannot be read: whether it is a sidecar is unknown
[[nodiscard]] NDKEEP_INLINE std::optional<file> open_sidecar(const std::filesystem::path& path) {
    auto source = file::open_if_regular(path);
    if (!source)
        return std::nullopt;
    std::array<std::byte, 4096> begin;
    const std::size_t length = source->read_some(0, begin);
    return begins_sidecar(as_text({begin.data(), length})) ? std::move(source) : std::nullopt;
}

/// Removes the temporary file of a killed sidecar writer. Errors are ignored: the next writer tries again.
NDKEEP_INLINE void sweep_sidecar(const std::filesystem::path& file) noexcept {
    try {
        const auto path = sidecar_path(file);
        if (is_file(beside(path)))
            // Taking and releasing the lock removes a leftover, under the rules of that lock.
            const writer_lock swept(path);
    } catch (...) {
    }
}

NDKEEP_INLINE std::vector<description> candidates(const sidecar& both, const array_info& info,
                                                  const file_stamp& stamp) {
    std::vector<description> fitting;
    const auto consider = [&](const description& said) {
        // A description with a stamp and no sum applies only to the file with that stamp. A save writes it as
        // `previous` if the file that it replaced had no sidecar.
        const bool other_file = said.stamp && said.sums.empty() && said.stamp != stamp;
        if (said.fits(info) && !other_file)
            fitting.push_back(said);
    };
    consider(both.current);
    if (both.previous)
        consider(*both.previous);
    // `current` comes first, unless only `previous` has the file's stamp: a writer was killed before its rename.
    if (fitting.size() == 2 && fitting[1].stamp == stamp && fitting[0].stamp != stamp)
        std::swap(fitting[0], fitting[1]);
    return fitting;
}

NDKEEP_INLINE bool stamp_decides(const std::vector<description>& fitting, const file_stamp& stamp) {
    return fitting.front().stamp == stamp && (fitting.size() == 1 || fitting[1].stamp != stamp);
}

NDKEEP_INLINE bool agrees(const description& said, const checksums& computed) {
    return std::all_of(said.sums.begin(), said.sums.end(), [&](const auto& stored) {
        const auto at = computed.find(stored.first);
        return at == computed.end() || at->second == stored.second;
    });
}

NDKEEP_INLINE belief belief_in(const opened_array& array, const sidecar& both, const file_stamp& stamp,
                               const run_options& run) {
    const auto fitting = candidates(both, array.info, stamp);
    if (fitting.empty())
        return {};
    if (stamp_decides(fitting, stamp) || kinds_of(fitting.front().sums) == checksum::none)
        return {.said = fitting.front()};
    // No stamp decides: the file was copied, rewritten, or saved twice within one clock tick. Compare the sums.
    checksum kinds = checksum::none;
    for (const auto& said : fitting)
        kinds |= kinds_of(said.sums);
    check_data(array);
    digest computed(array.info.type, kinds, false);
    digest_data(array, computed, "check", run);
    const auto sums = computed.sums();
    for (const auto& said : fitting)
        if (agrees(said, sums))
            return {.said = said, .by_sums = kinds_of(said.sums) != checksum::none};
    return {};
}

NDKEEP_INLINE std::optional<description> former_description(const std::filesystem::path& file) {
    try {
        const auto array = open_header(file, {.header_characters = longest_header});
        const auto both = read_sidecar(file);
        const auto fitting = both ? candidates(*both, array.info, array.source.stamp()) : std::vector<description>();
        // Readers check a description before they use it, so a single one that fits the header is carried over without
        // reading the data. If two fit, only one is right, and only that one may be kept.
        auto former = fitting.size() == 1 ? fitting.front() : both ? believed(array, *both) : std::nullopt;
        if (!former) {
            // A description with only a stamp. Until the rename, it keeps readers from taking the new description for
            // one of the old data.
            former = described(array.info);
            former->stamp = array.source.stamp();
        }
        return former;
    } catch (const error&) {
        return std::nullopt;  // no file, or an unreadable one: nothing to describe
    }
}

/// Writes or replaces a sidecar atomically.
/// @param like  the file whose mode and owner it gets; empty: it keeps its own
NDKEEP_INLINE void replace_sidecar(const std::filesystem::path& path, const sidecar& both, durability wanted,
                                   read_only_files if_read_only, const std::filesystem::path& like) {
    const auto text = sidecar_text(both);
    const auto refuse = [&](const char* found) {
        throw conflict_error({.file = path,
                              .field = "file",
                              .expected = "an ndkeep sidecar",
                              .found = found,
                              .hint = "it was not replaced; move it away"});
    };
    if (is_link(path))
        refuse("a symbolic link");  // its target is not a sidecar of ours
    replacement next(writer_lock(path, if_read_only, like));
    if (next.target() != path)
        refuse("a symbolic link");  // created since the check above
    if (next.target_exists() && !next.target_is_reserved() && !is_sidecar(path))
        refuse("of another kind");
    next.content().write(0, bytes_of(text));
    next.commit(wanted);
}

/// Whether a file may change again without a new stamp: its last change is not older than the coarsest tick of file
/// systems, 2 seconds.
[[nodiscard]] NDKEEP_INLINE bool is_recent(const file_stamp& stamp) {
    using namespace std::chrono;
    const auto age = system_clock::now().time_since_epoch() - nanoseconds(stamp.mtime_ns);
    return age <= seconds(2);
}

NDKEEP_INLINE void remember(const opened_array& array, const std::filesystem::path& file, const sidecar& both,
                            const description& said, const file_stamp& stamp) noexcept {
    try {
        const auto path = sidecar_path(file);
        const auto parent = file.parent_path();
        // Where a writer is at work, or a killed one has left its lock, nothing is remembered. So a reader waits only
        // for a writer that begins between this look and the lock, a few microseconds later.
        // Only the owner may replace the file, which would otherwise get another owner.
        if (!is_writable(parent.empty() ? "." : parent) || !is_own_file(path) || is_file(beside(file)) ||
            is_file(beside(path)) || is_recent(stamp))
            return;
        const writer_lock lock(file, read_only_files::replace);
        // Again under the lock: a writer may have changed the array or its sidecar meanwhile.
        const auto same_file = open_header(file, {.header_characters = longest_header});
        const auto again = read_sidecar(file);
        if (array.source.stamp() != stamp || same_file.source.stamp() != stamp || same_file.header != array.header ||
            !again || sidecar_text(*again) != sidecar_text(both))
            return;
        auto confirmed = said;
        confirmed.stamp = stamp;
        replace_sidecar(path, {confirmed, {}}, durability_of(false), read_only_files::refuse, {});
    } catch (...) {
        // The caller has what it asked for. The next reader compares the sums again.
    }
}

NDKEEP_INLINE void drop_claims(const opened_array& array, const std::filesystem::path& path) {
    const auto claiming = [&]() -> std::optional<description> {
        const auto both = read_sidecar(path);
        const auto said = both ? believed(array, *both) : std::nullopt;
        const bool claims = said && (both->previous || !said->sums.empty() || said->statistics || said->stamp);
        return claims ? said : std::nullopt;
    };
    // Asked first without the lock: most files have no sidecar, and then nothing is locked or written.
    if (!claiming())
        return;
    const writer_lock lock(path);
    auto said = claiming();  // again under the lock: another writer may have changed it
    if (!said)
        return;
    said->sums.clear();
    said->statistics.reset();
    said->stamp.reset();
    // Durable: stores into the mapping may reach the disk at any time, and no false sum may be on the disk by then.
    write_sidecar(path, {*said, {}}, durability::on_disk);
}

}  // namespace ndkeep::detail

namespace ndkeep::inline NDKEEP_ABI::core {

NDKEEP_INLINE void digest_data(const opened_array& array, digest& into, std::string_view phase,
                               const run_options& run) {
    const auto item = static_cast<std::size_t>(array.info.type.size());
    const auto count = static_cast<std::size_t>(array.info.size());
    if (item == 0 || count == 0)
        return into.update({}, count);
    detail::digest_pieces(into, count, item, run, {.phase = std::string(phase), .file = array.source.path()},
                          [&](std::size_t first, std::size_t some, digest& part) {
                              // Small blocks, so that the bytes are still in the cache when they are digested.
                              const std::size_t most = std::max<std::size_t>(1, (std::size_t{256} << 10) / item);
                              const buffer bytes(std::min(some, most) * item);
                              for (const std::size_t end = first + some; first < end; first += most) {
                                  const std::size_t now = std::min(most, end - first);
                                  const auto block = bytes.bytes().first(now * item);
                                  array.source.read(array.info.data_offset + first * item, block);
                                  part.update(block, now);
                              }
                          });
}

NDKEEP_INLINE bool is_sidecar(const std::filesystem::path& path) { return detail::open_sidecar(path).has_value(); }

NDKEEP_INLINE std::optional<std::string> sidecar_on_disk(const std::filesystem::path& path) {
    const auto opened = detail::open_sidecar(path);
    if (!opened)
        return std::nullopt;
    const file& source = *opened;
    const std::uint64_t size = source.size();
    // Checked before the text is allocated.
    if (size > detail::longest_sidecar)
        throw format_error({.file = path,
                            .field = "length",
                            .expected = "at most " + counted(detail::longest_sidecar, "byte"),
                            .found = counted(size, "byte")});
    std::string text(static_cast<std::size_t>(size), '\0');
    source.read(0, {reinterpret_cast<std::byte*>(text.data()), text.size()});
    return text;
}

NDKEEP_INLINE std::optional<sidecar> read_sidecar(const std::filesystem::path& file) {
    const auto path = sidecar_path(file);
    const auto text = sidecar_on_disk(path);
    if (!text)
        return std::nullopt;
    return parse_sidecar(*text, path);
}

NDKEEP_INLINE void write_sidecar(const std::filesystem::path& file, const sidecar& both, durability wanted,
                                 read_only_files if_read_only) {
    detail::replace_sidecar(sidecar_path(file), both, wanted, if_read_only, file);
}

NDKEEP_INLINE void remove_sidecar(const std::filesystem::path& file) {
    const auto path = sidecar_path(file);
    if (!is_sidecar(path))
        return detail::sweep_sidecar(file);
    const writer_lock lock(path);  // the lock that a writer of the sidecar holds
    // Asked again: it may have been replaced or removed before the lock was taken.
    if (is_sidecar(path))
        remove_file(path);
}

NDKEEP_INLINE std::optional<description> believed(const opened_array& array, const sidecar& both,
                                                  const run_options& run) {
    return detail::belief_in(array, both, array.source.stamp(), run).said;
}

NDKEEP_INLINE former_sidecar::former_sidecar(const std::filesystem::path& file, read_only_files wanted)
    : file_(file), is_present_(is_sidecar(sidecar_path(file))), read_only_(wanted) {
    if (is_present_)
        check_writable(sidecar_path(file), read_only_);
    // In a sticky directory the removal would fail after the commit. Reported now, while nothing has changed.
    if (is_present_ && detail::is_kept_by_directory(sidecar_path(file)))
        throw io_error(sidecar_path(file), "cannot remove: " + detail::kind_and_owner(sidecar_path(file)),
                       std::make_error_code(std::errc::operation_not_permitted));
}

NDKEEP_INLINE void former_sidecar::hold() {
    if (is_present_)
        lock_.emplace(sidecar_path(file_), read_only_);
}

NDKEEP_INLINE void former_sidecar::disown(const array_info& next, const file_stamp& stamp, durability wanted) {
    if (is_present_)
        replace_claims(next, stamp, wanted);
    hold();
}

NDKEEP_INLINE void former_sidecar::remove() {
    if (!is_present_)
        return detail::sweep_sidecar(file_);
    try {
        remove_file(sidecar_path(file_));
    } catch (const io_error& problem) {
        throw io_error(sidecar_path(file_), "the array is saved, but its former sidecar cannot be removed",
                       problem.code());
    }
    // Released only now, so that no other writer's new sidecar was removed.
    lock_.reset();
}

NDKEEP_INLINE void former_sidecar::replace_claims(const array_info& next, const file_stamp& stamp,
                                                  durability wanted) const {
    const auto both = sidecar_that_parses();
    if (!both)
        return;  // no reader uses a sidecar that does not parse
    const auto fitting = detail::candidates(*both, next, stamp);
    // No stamp hides the difference: a reader must compare sums, and finds that these are not of the new array.
    const bool sums_decide = std::none_of(fitting.begin(), fitting.end(), [&](const description& said) {
        return said.stamp == stamp || kinds_of(said.sums) == checksum::none;
    });
    if (sums_decide)
        return;
    auto former = detail::former_description(file_);
    if (former && kinds_of(former->sums) != checksum::none) {
        // The former file and the new one have the same stamp: both were written within one clock tick. Without the
        // stamp, readers compare the sum.
        former->stamp.reset();
        return write_sidecar(file_, {*former, {}}, wanted, read_only_);
    }
    // Without a sum, only stamps can tell the two arrays apart. So the new array gets a description with its stamp.
    auto said = described(next);
    said.stamp = stamp;
    write_sidecar(file_, {said, former ? *former : both->current}, wanted, read_only_);
}

NDKEEP_INLINE std::optional<sidecar> former_sidecar::sidecar_that_parses() const {
    try {
        return read_sidecar(file_);
    } catch (const format_error&) {
        return std::nullopt;  // damaged or too long
    }
}

}  // namespace ndkeep::core
