// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/loop/detail/checkpoint.hpp>.
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

NDKEEP_INLINE checkpoint_file::checkpoint_file(const std::filesystem::path& path, std::string loop, bool sync,
                                               reporter report)
    : path_(resolved(path)), loop_(std::move(loop)), sync_(sync), report_(std::move(report)), lock_(locked(path_)) {
    check_former();
}

NDKEEP_INLINE checkpoint_file::~checkpoint_file() {
    if (owner_.is_this())
        lock_.unlock();
}

NDKEEP_INLINE std::shared_ptr<const loop_snapshot> checkpoint_file::newest() {
    std::optional<finding> damage;
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
    owner_.check(path_);
    in_document(path_, [&] { add_state_member(states, loop_, generation_ + 1, at); });
    const auto pieces = states.arrays.finish();
    replacement next(path_);
    growing_file out(next.content());
    constexpr std::uint64_t worth_it = std::uint64_t{1} << 20;
    if (states.arrays.size() >= worth_it)
        out.expect(states.arrays.size());
    for (const auto& piece : pieces)
        out.add(piece);
    out.finish();
    next.seal(sync_);
    // A damaged one is not worth keeping, and what is kept is.
    if (!is_damaged_)
        next.keep_former_as(former());
    next.commit(sync_);
    is_damaged_ = false;
    ++generation_;
    return true;
}

NDKEEP_INLINE file checkpoint_file::locked(const std::filesystem::path& path) {
    if (!path.has_filename() || path.filename() == "." || path.filename() == "..")
        throw io_error(path, "cannot keep a checkpoint", std::make_error_code(std::errc::is_a_directory));
    std::filesystem::path name = path;
    name += ".lock";
    const auto refuse = [&](const std::error_code& why) {
        throw io_error(path, "cannot lock: " + quoted(name.filename().native()) + " is " + kind_and_owner(name), why);
    };
    for (;;) {
        std::optional<file> held = file::create_exclusive(name);
        if (!held)
            held = file::open_leftover(name);
        if (!held && errno == ENOENT)
            continue;
        if (!held)
            refuse(last_error());
        if (!S_ISREG(held->status().st_mode))
            refuse(std::make_error_code(std::errc::not_supported));
        held->call(path);
        if (held->try_lock())
            return std::move(*held);
        throw conflict_error({.file = path,
                              .field = "loop",
                              .expected = "free",
                              .found = "in use",
                              .hint = "one process at a time runs it"});
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
    // A power cut may have left nothing of it, or zeros.
    if (present && (text == "PK\x03\x04" || text.find_first_not_of('\0') == std::string_view::npos))
        return;
    throw conflict_error({.file = name,
                          .field = "content",
                          .expected = "a checkpoint of a loop",
                          .found = "something else",
                          .hint = "it is not replaced; move it away"});
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
