// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/database/detail/control.hpp>.
#pragma once

#include <ndkeep/database/detail/control.hpp>

#include <ndkeep/database/detail/record.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/sidecar.hpp>

#include <algorithm>
#include <array>
#include <ctime>
#include <string_view>
#include <system_error>

namespace ndkeep::inline NDKEEP_ABI::detail {

// Layout of the control file: 10 numbers, the name of the host in 64 bytes, and the slots of the readers at 4096. A
// slot has the reader's commit plus 1, because commit 0 exists and 0 must mean a free slot.
inline constexpr std::uint64_t control_magic = 0x3142444b444e;  // "NDKDB1"
inline constexpr std::size_t control_numbers = 10, host_length = 64;
inline constexpr std::uint64_t slots_at = 4096, control_size = 65536;
static_assert(slots_at + 8 * reader_slots <= control_size);

NDKEEP_INLINE bool control_words::are_of_this_run(const file& control) const {
    return boot != 0 && boot == boot_identity() && identity == control.status().st_ino;
}

NDKEEP_INLINE bool control_words::are_exact(const file& control) const {
    return are_of_this_run(control) && committing == 0 && applying == applied;
}

NDKEEP_INLINE reader_hold::~reader_hold() { of_->give_up(slot_); }

[[nodiscard]] NDKEEP_INLINE file opened_shared(directory& hidden, std::string_view name) {
    hidden.create_shared_file(std::string(name));
    auto opened = hidden.open_file(std::string(name), file::access::read_write);
    if (!opened)
        throw io_error(hidden.path() / name, "cannot open", std::make_error_code(std::errc::no_such_file_or_directory));
    return *std::move(opened);
}

NDKEEP_INLINE control_file::control_file(directory& hidden)
    : words_(opened_shared(hidden, control_name)), locks_(opened_shared(hidden, locks_name)) {
    if (words_.size_at_opening() < control_size)
        words_.resize(control_size);
}

NDKEEP_INLINE control_file::locked::locked(control_file& of) : of_(of), alone_(of.alone_) {
    constexpr std::chrono::seconds patience{30};
    of.owner_.check(of.words_.path());
    if (!of.locks_.lock_within(control_byte, patience))
        throw io_error(of.words_.path(), "cannot lock", last_error());
}

NDKEEP_INLINE control_words control_file::read() const {
    std::array<std::byte, control_numbers* 8 + host_length> bytes = {};
    words_.read(0, bytes);
    const auto number = [&](std::size_t at) { return number_at(bytes.data() + 8 * at, 8); };
    if (number(0) != control_magic)
        return {};
    const std::string_view host(reinterpret_cast<const char*>(bytes.data()) + control_numbers * 8, host_length);
    return {number(1), number(2), number(3), number(4), number(5),
            number(6), number(7), number(8), number(9), std::string(host.substr(0, host.find('\0')))};
}

NDKEEP_INLINE void control_file::write(const control_words& words) {
    std::array<std::byte, control_numbers* 8 + host_length> bytes = {};
    std::byte* at = bytes.data();
    for (const std::uint64_t each : {control_magic, words.boot, words.identity, words.committed, words.applying,
                                     words.applied, words.committing, words.holder, words.since, words.unapplied_at}) {
        put_number(at, each, 8);
        at += 8;
    }
    const auto host = bytes_of(words.host);
    std::copy_n(host.begin(), std::min(host.size(), host_length - 1), bytes.begin() + control_numbers * 8);
    // One write: a process killed in the middle of several could leave numbers that do not fit each other.
    words_.write(0, bytes);
}

NDKEEP_INLINE void control_file::stamp(control_words& words) const {
    words.boot = boot_identity();
    words.identity = words_.status().st_ino;
}

NDKEEP_INLINE bool control_file::take_lease(std::chrono::milliseconds patience) {
    return locks_.lock_within(lease_byte, patience);
}

NDKEEP_INLINE std::uint64_t control_file::slot_value(std::size_t slot) const {
    std::array<std::byte, 8> bytes;
    words_.read(slots_at + 8 * slot, bytes);
    return number_at(bytes.data(), 8);
}

NDKEEP_INLINE void control_file::set_slot(std::size_t slot, std::uint64_t value) {
    std::array<std::byte, 8> bytes;
    put_number(bytes.data(), value, 8);
    words_.write(slots_at + 8 * slot, bytes);
}

NDKEEP_INLINE std::shared_ptr<reader_hold> control_file::hold(std::uint64_t commit) {
    for (std::size_t slot = 0; slot < reader_slots; ++slot) {
        if (own_slots_[slot] || !locks_.lock(first_slot_byte + slot))
            continue;
        // Made before the slot is noted, so that a lack of memory leaves the slot free.
        auto made = std::make_shared<reader_hold>(shared_from_this(), slot, commit);
        own_slots_[slot] = true;
        set_slot(slot, commit + 1);
        return made;
    }
    throw conflict_error({.file = words_.path(),
                          .field = "readers",
                          .expected = "at most " + std::to_string(reader_slots),
                          .found = "all slots taken"});
}

NDKEEP_INLINE std::optional<std::uint64_t> control_file::oldest_held(const reader_hold* except) const {
    std::optional<std::uint64_t> oldest;
    const auto look = [&](std::size_t slot) {
        const std::uint64_t value = slot_value(slot);
        if (value != 0)
            oldest = std::min(oldest.value_or(value - 1), value - 1);
    };
    for (std::size_t slot = 0; slot < reader_slots; ++slot)
        if (own_slots_[slot] && (except == nullptr || except->slot() != slot))
            look(slot);
    // Usually there is no other reader, and this is one system call.
    for (std::uint64_t at = first_slot_byte;;) {
        const auto held = locks_.held_between(at, first_slot_byte + reader_slots);
        if (!held)
            return oldest;
        look(static_cast<std::size_t>(*held - first_slot_byte));
        at = *held + 1;
    }
}

NDKEEP_INLINE void control_file::give_up(std::size_t slot) noexcept {
    // In a forked child, the slot belongs to the parent.
    if (!owner_.is_this())
        return;
    try {
        const std::lock_guard<std::mutex> alone(alone_);
        set_slot(slot, 0);
        own_slots_[slot] = false;
    } catch (const error&) {
        // The lock is what counts: without it, the number means nothing.
    }
    locks_.unlock(first_slot_byte + slot);
}

NDKEEP_INLINE void control_file::release_lease() noexcept {
    try {
        const locked alone(*this);
        auto words = read();
        words.holder = words.since = 0;
        write(words);
    } catch (const error&) {
        // The lock is what counts.
    }
    locks_.unlock(lease_byte);
}

NDKEEP_INLINE std::string holder_text(const control_words& words) {
    if (words.holder == 0)
        return "a program that saves, appends to or maps one of its files";
    std::string text = "process " + std::to_string(words.holder);
    if (!words.host.empty())
        text += " on " + words.host;
    return text + " since " + time_text(static_cast<std::time_t>(words.since));
}

}  // namespace ndkeep::detail
