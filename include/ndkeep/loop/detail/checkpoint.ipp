// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/loop/detail/checkpoint.hpp>.
//
// How a commit replaces the checkpoint. NAME exists at every instant once it was committed: a loop without NAME starts
// from the beginning, and would process rows twice. Before step 1, the loop syncs the commits of its source.
//   1. Write the new checkpoint under a temporary name, and sync it: after the rename no part of it may be missing.
//   2. Link NAME to NAME.previous, through a temporary name: renaming NAME itself would leave a moment without NAME.
//   3. Rename the new checkpoint to NAME. This is the commit point.
//   4. Sync the directory: otherwise a power cut may bring the old checkpoint back.
// Without `.sync`, nothing is synced, and only a kill of the process is survived.
#pragma once

#include <ndkeep/loop/detail/checkpoint.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/npz/detail/member_writer.hpp>
#include <ndkeep/npz/detail/packed.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/os/replace.hpp>
#include <ndkeep/text/json/print.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <exception>
#include <iostream>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE checkpoint_file::checkpoint_file(const std::filesystem::path& path, std::string loop, durability wanted,
                                               reporter report)
    : path_(resolved(path)), loop_(std::move(loop)), durability_(wanted), report_(std::move(report)),
      lock_(locked(path_)) {
    check_former();
}

NDKEEP_INLINE checkpoint_file::~checkpoint_file() {
    // In a forked child, the lock still belongs to the parent.
    if (owner_.is_this())
        lock_.unlock();
}

NDKEEP_INLINE std::shared_ptr<const loop_snapshot> checkpoint_file::newest() {
    std::optional<finding> damage;
    // Only damage leads to NAME.previous. Without NAME the user wants a fresh start.
    auto snapshot = read(path_, damage);
    is_damaged_ = damage.has_value();
    if (is_damaged_) {
        std::optional<finding> also;
        snapshot = read(former(), also);
        if (snapshot == nullptr)
            std::rethrow_exception(damage->cause);
        report(*damage);
    }
    generation_ = snapshot == nullptr ? 0 : snapshot->generation();
    return snapshot;
}

NDKEEP_INLINE bool checkpoint_file::commit(packed_states&& states, const loop_position& at) {
    owner_.check(path_);  // a forked child shares the lock with its parent, and must not commit
    in_document(path_, [&] { add_state_member(states, loop_, generation_ + 1, at); });
    const auto pieces = states.arrays.finish();
    replacement next(path_);  // step 1
    growing_file out(next.content());
    // Disk space is reserved first, so that a full disk is reported before the work. Small files do not need it.
    constexpr std::uint64_t worth_it = std::uint64_t{1} << 20;
    if (states.arrays.size() >= worth_it)
        out.expect(states.arrays.size());
    for (const auto& piece : pieces)
        out.add(piece);
    out.finish();
    next.seal(durability_);
    // Step 2. A damaged NAME must not replace NAME.previous, which is the only valid checkpoint then.
    if (!is_damaged_)
        next.keep_former_as(former());
    next.commit(durability_);  // steps 3 and 4
    is_damaged_ = false;
    ++generation_;
    return true;
}

NDKEEP_INLINE file checkpoint_file::locked(const std::filesystem::path& path) {
    if (!path.has_filename() || path.filename() == "." || path.filename() == "..")
        throw io_error(path, "cannot keep a checkpoint", std::make_error_code(std::errc::is_a_directory));
    // The lock is on a separate file, because every commit replaces NAME and so the file that a lock would be on. It is
    // never removed: a process could lock the removed file while another creates and locks a new one.
    std::filesystem::path name = path;
    name += ".lock";
    const auto refuse = [&](const std::error_code& why) {
        throw io_error(path, "cannot lock: " + quoted(name.filename().native()) + " is " + kind_and_owner(name), why);
    };
    for (;;) {
        std::optional<file> held = file::create_exclusive(name);
        if (!held)
            held = file::open_leftover(name);
        if (!held && errno == ENOENT)  // another program removed it between the two calls
            continue;
        if (!held)
            refuse(last_error());
        if (!S_ISREG(held->status().st_mode))
            refuse(std::make_error_code(std::errc::not_supported));
        held->call(path);  // errors name the checkpoint
        if (held->try_lock())
            return std::move(*held);
        throw conflict_error({.file = path,
                              .field = "loop",
                              .found = "already open",
                              .hint = "only one loop at a time can use this checkpoint"});
    }
}

NDKEEP_INLINE void checkpoint_file::check_former() const {
    const auto name = former();
    if (!identity_of(name))
        return;
    const auto present = file::open_if_regular(name);
    std::array<std::byte, 4> begin = {};
    const std::size_t length = present ? present->read_some(0, begin) : begin.size();
    const auto text = as_text({begin.data(), length});
    // A checkpoint is a zip archive. Without `.sync`, a power cut may have left it empty or full of zeros.
    if (present && (text == "PK\x03\x04" || text.find_first_not_of('\0') == std::string_view::npos))
        return;
    throw conflict_error({.file = name,
                          .field = "file",
                          .expected = "a checkpoint of a loop",
                          .found = "of another kind",
                          .hint = "it was not replaced; move it away"});
}

NDKEEP_INLINE std::filesystem::path checkpoint_file::former() const {
    auto name = path_;
    name += ".previous";
    return name;
}

NDKEEP_INLINE std::shared_ptr<const loop_snapshot> checkpoint_file::read(const std::filesystem::path& name,
                                                                         std::optional<finding>& damage) const {
    std::vector<std::byte> bytes;
    try {
        const file source = file::open(name);
        bytes.resize(static_cast<std::size_t>(source.size()));
        source.read(0, bytes);
    } catch (const io_error& problem) {
        if (problem.code() == std::errc::no_such_file_or_directory)
            return nullptr;
        throw;
    } catch (const format_error& problem) {
        damage = found(problem);
        return nullptr;
    }
    // mismatch_error is not damage and passes: the file of another loop or version is intact, and falling back to
    // NAME.previous would lead to overwriting it.
    try {
        auto snapshot = std::make_shared<const loop_snapshot>(std::move(bytes), name, loop_);
        snapshot->check_committed();
        return snapshot;
    } catch (const format_error& problem) {
        damage = found(problem);
    } catch (const checksum_error& problem) {
        damage = found(problem);
    }
    return nullptr;
}

NDKEEP_INLINE void checkpoint_file::report(const finding& damage) const {
    if (report_)
        return report_(damage);
    std::cerr << damage.message << "; going on from " << escaped(former().string()) << '\n';
}

}  // namespace ndkeep::detail
