// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/store/upkeep.hpp>.
#pragma once

#include <ndkeep/store/upkeep.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/store/place.hpp>
#include <ndkeep/store/record.hpp>
#include <ndkeep/store/table.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <system_error>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE void add_loop_names(const chunk_state& state, std::set<std::string>& names) {
    for (const auto& file : loop_files(state.loops))
        names.insert(file);
}

NDKEEP_INLINE void add_names(const chunk_state& state, std::set<std::string>& names) {
    add_loop_names(state, names);
    for (const auto& item : state.items) {
        if (item.table != nullptr)
            names.insert(item.table->file);
        for (std::size_t i = 0; i < item.count(); ++i)
            if (!item.at(i).file.empty())
                names.insert(item.at(i).file);
    }
}

NDKEEP_INLINE void sweep_listed(commit_log& log, const std::vector<std::string>& listed,
                                const std::vector<std::string>& own, const chunk_state& made, const byte_locks& locks) {
    std::set<std::string> named(own.begin(), own.end());
    add_names(made, named);
    try {
        std::set<std::uint64_t> known;
        const auto records = log.where().list("commits");
        for (const auto& name : records)
            if (const auto number = record_number(name))
                if (const auto state = log.read(*number)) {
                    add_names(*state, named);
                    known.insert(*number);
                }
        for (auto held = locks.held_below(lock_writing); held; held = locks.held_between(*held + 1, lock_writing))
            if (known.count(*held) == 0)
                return;
        for (const auto& name : listed)
            if (is_staged_name(name, made.dataset) && named.count(name) == 0)
                log.where().remove("chunks/" + name);
        // And records that were written and never named.
        for (const auto& name : records)
            if (const auto number = record_number(named_by_temporary(name)); number && *number <= made.number)
                log.where().remove("commits/" + name);
        if (std::find(records.begin(), records.end(), record_name(0)) != records.end())
            log.where().remove(dataset_name());
    } catch (const error&) {
        // The commit stands. A record that cannot be read names files that nobody knows: nothing is removed then.
    }
}

NDKEEP_INLINE std::size_t prune(commit_log& log, std::uint64_t keep) {
    place& where = log.where();
    const auto newest = log.newest_number();
    const auto numbers = log.numbers();
    if (!newest || numbers.empty() || *newest < keep)
        return 0;
    std::uint64_t floor = *newest - keep + 1;
    const byte_locks readers = where.locks_of_readers();
    floor = readers.held_below(floor).value_or(floor);
    if (floor <= numbers.front())
        return 0;

    // Only records on the way down from the newest give up their files: others never counted, and theirs may be at the
    // top again under another number.
    std::set<std::string> kept;
    std::map<std::uint64_t, std::set<std::string>> given_up;  // by commit
    std::string wanted;
    std::vector<std::uint64_t> skipped;
    const auto is_skipped = [&](std::uint64_t number) {
        return std::find(skipped.begin(), skipped.end(), number) != skipped.end();
    };
    for (std::uint64_t number = *newest; number >= numbers.front() && number > 0; --number) {
        if (is_skipped(number))
            continue;
        std::optional<chunk_state> state;
        try {
            state = log.read(number);
        } catch (const checksum_error&) {
            if (number >= floor)
                throw;
            break;
        }
        if (!state || (!wanted.empty() && state->id != wanted))
            break;
        wanted = state->parent;
        if (number == *newest)
            skipped = state->skips;
        add_names(*state, number >= floor ? kept : given_up[number]);
    }
    // What stands at or above the floor is kept, on the path or not.
    for (const std::uint64_t number : numbers)
        if (number >= floor && !is_skipped(number))
            if (const auto state = log.read(number))
                add_names(*state, kept);

    std::size_t removed = 0;
    for (const std::uint64_t number : numbers)
        if (number < floor) {
            where.remove("commits/" + record_name(number));
            ++removed;
        }
    where.sync_names("commits");
    // A commit that somebody began to read meanwhile has lost its record. Its files stay until a sweep finds no reader.
    const std::uint64_t unread = readers.held_below(floor).value_or(floor);
    for (auto at = given_up.lower_bound(unread); at != given_up.end(); ++at)
        kept.insert(at->second.begin(), at->second.end());
    given_up.erase(given_up.lower_bound(unread), given_up.end());
    for (const auto& [number, names] : given_up)
        for (const auto& name : names)
            if (kept.insert(name).second)  // each once
                where.remove("chunks/" + name);
    return removed;
}

NDKEEP_INLINE std::vector<std::uint64_t> recover(commit_log& log) {
    place& where = log.where();
    const commit_turn turn(where, usual_patience);
    constexpr int most_tries = 16;
    for (int tries = 0; tries < most_tries; ++tries) {
        const auto newest = log.newest_number();
        std::vector<std::uint64_t> damaged;
        std::optional<chunk_state> valid;
        for (std::uint64_t number = newest.value_or(0); number > 0 && !valid; --number) {
            try {
                valid = log.read(number);
                if (!valid)
                    break;  // pruned
            } catch (const checksum_error&) {
                damaged.push_back(number);
            }
        }
        if (damaged.empty() && valid)
            return {};
        if (!valid)
            throw io_error(where.called("commits"), "no commit can be read",
                           std::make_error_code(std::errc::no_such_file_or_directory));
        chunk_state next = *valid;
        next.parent = valid->id;
        next.id = random_identity();
        next.number = *newest + 1;
        next.skips.insert(next.skips.end(), damaged.begin(), damaged.end());
        next.created = now_text();
        const auto text = record_text(next);
        const auto bytes = bytes_of(text);
        if (where.put("commits/" + record_name(next.number), {&bytes, 1}, true)) {
            where.sync_names("commits");
            return damaged;
        }
    }
    throw conflict_error({.file = where.called("commits"), .field = "commits", .found = "changing all the time"});
}

}  // namespace ndkeep::detail
