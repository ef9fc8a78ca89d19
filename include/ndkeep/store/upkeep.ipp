// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/store/upkeep.hpp>.
#pragma once

#include <ndkeep/store/upkeep.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/store/layout.hpp>
#include <ndkeep/store/place.hpp>
#include <ndkeep/store/record/record.hpp>
#include <ndkeep/store/record/table.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <system_error>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE void add_note_files(const chunk_state& state, std::set<std::string>& names) {
    for (const auto& [name, note] : state.notes)
        names.insert(note.files.begin(), note.files.end());
}

NDKEEP_INLINE void add_names(const chunk_state& state, std::set<std::string>& names) {
    add_note_files(state, names);
    for (const auto& item : state.items) {
        if (item.table != nullptr)
            names.insert(item.table->file);
        for (std::size_t i = 0; i < item.count(); ++i)
            if (!item.at(i).file.empty())
                names.insert(item.at(i).file);
    }
}

NDKEEP_INLINE std::vector<std::string> orphans_among(commit_log& log, const std::vector<std::string>& listed) {
    std::set<std::string> named;
    std::string dataset;
    for (const auto number : log.numbers())
        if (const auto state = log.read(number)) {
            add_names(*state, named);
            dataset = state->dataset;
        }
    std::vector<std::string> orphans;
    for (const auto& name : listed)
        if (is_staged_name(name, dataset) && named.count(name) == 0)
            orphans.push_back(name);
    return orphans;
}

NDKEEP_INLINE void sweep_listed(commit_log& log, const std::vector<std::string>& listed,
                                const std::vector<std::string>& own, const chunk_state& made, const byte_locks& locks) {
    std::set<std::string> named(own.begin(), own.end());
    add_names(made, named);
    try {
        // Every present record is read: files of older commits are on the list too. Records that are pruned meanwhile
        // do no harm, because `own` and `made` are named already.
        std::set<std::uint64_t> known;
        const auto records = log.where().list(commits_folder);
        for (const auto& name : records)
            if (const auto number = record_number(name))
                if (const auto state = log.read(*number)) {
                    add_names(*state, named);
                    known.insert(*number);
                }
        // After the records were read. A reader locks a commit before it reads the record, so if the record was pruned
        // before it was read here, the lock is visible now.
        for (auto held = locks.held_below(lock_writing); held; held = locks.held_between(*held + 1, lock_writing))
            if (known.count(*held) == 0)
                return;
        for (const auto& name : listed)
            // Only names of this dataset's writers: a file that a user has put into the folder is never removed.
            if (is_staged_name(name, made.dataset) && named.count(name) == 0)
                log.where().remove(chunk_path(name));
        // Temporary records of killed writers. A higher number may belong to a put that is running.
        for (const auto& name : records)
            if (const auto number = record_number(named_by_temporary(name)); number && *number <= made.number)
                log.where().remove(commit_path(name));
        // Left if the first writer was killed after its first record, which holds the id now.
        if (std::find(records.begin(), records.end(), record_name(0)) != records.end())
            log.where().remove(drawn_id_path());
    } catch (const error&) {
        // The commit has succeeded, so errors are ignored. If a record cannot be read, its files are unknown, and
        // nothing is removed.
    }
}

NDKEEP_INLINE std::size_t prune(commit_log& log, std::uint64_t keep) {
    place& where = log.where();
    if (keep == 0)
        throw mismatch_error({.file = where.path(), .field = "keep", .expected = "at least 1", .found = "0"});
    // The newest first: all records below it were present before the listing began, so the listing cannot miss them. A
    // missed record would stay below removed ones, and step 7 of a commit would draw a wrong conclusion from it.
    const auto newest = log.newest_number();
    const auto numbers = log.numbers();
    if (!newest || numbers.empty() || *newest < keep)
        return 0;
    std::uint64_t floor = *newest - keep + 1;
    // Step 1. It only asks, so a reader that opens a commit at this moment is not kept waiting.
    const byte_locks readers = where.locks_of_readers();
    floor = readers.held_below(floor).value_or(floor);
    if (floor <= numbers.front())
        return 0;
    // Record n has replaced record n - 1. Later records were put later.
    const auto candidates = std::lower_bound(numbers.begin(), numbers.end(), floor + 1);
    const auto recent = std::partition_point(numbers.begin() + 1, candidates, [&](std::uint64_t number) {
        return where.was_put_long_ago(record_path(number));
    });
    floor = std::min(floor, *(recent - 1));
    if (floor <= numbers.front())
        return 0;

    // Step 2. Only records on the path of parents from the newest one give up their files. A displaced record never
    // counted, and its writer may be committing the same files again under a higher number.
    std::set<std::string> kept;
    std::map<std::uint64_t, std::set<std::string>> given_up;  // by commit
    std::string wanted;
    std::set<std::uint64_t> on_path;
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
            // The files of a damaged record are unknown. If it is to be kept, nothing can be removed. Below the floor,
            // the path ends here: the files of older records stay, and become orphans.
            if (number >= floor)
                throw;
            break;
        }
        // A hole, or a displaced record: another prune has removed the rest of the path.
        if (!state || (!wanted.empty() && state->id != wanted))
            break;
        wanted = state->parent;
        // Records that the newest one skips are not on the path, and cannot be read.
        if (number == *newest)
            skipped = state->skips;
        add_names(*state, number >= floor ? kept : given_up[number]);
        on_path.insert(number);
    }
    // Every record at or above the floor keeps its files, on the path or not.
    for (const std::uint64_t number : numbers)
        if (number >= floor && !is_skipped(number) && on_path.count(number) == 0)
            if (const auto state = log.read(number))
                add_names(*state, kept);

    // Step 3. `numbers` is sorted; the order of a listing would not be ascending.
    std::size_t removed = 0;
    for (const std::uint64_t number : numbers)
        if (number < floor) {
            where.remove(record_path(number));
            ++removed;
        }
    // Step 4.
    where.sync_names(commits_folder);
    // Step 5. A commit that a reader has opened since step 1 has lost its record. Its files stay until a sweep finds no
    // reader. Only the oldest of such commits is known, so the files of all newer ones stay too.
    const std::uint64_t unread = readers.held_below(floor).value_or(floor);
    for (auto at = given_up.lower_bound(unread); at != given_up.end(); ++at)
        kept.insert(at->second.begin(), at->second.end());
    given_up.erase(given_up.lower_bound(unread), given_up.end());
    // Step 6.
    for (const auto& [number, names] : given_up)
        for (const auto& name : names)
            if (kept.insert(name).second)  // each once
                where.remove(chunk_path(name));
    return removed;
}

NDKEEP_INLINE std::vector<std::uint64_t> recover(commit_log& log) {
    place& where = log.where();
    // Only to avoid a commit between the search and the put, which would need another try.
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
                    break;  // pruned, and all older ones with it
            } catch (const checksum_error&) {
                // Only a wrong checksum is damage. A record of an unknown version is sound, and its error ends the
                // search.
                damaged.push_back(number);
            }
        }
        if (damaged.empty() && valid)
            return {};
        if (!valid)
            throw io_error(where.called(commits_folder), "no commit can be read",
                           std::make_error_code(std::errc::no_such_file_or_directory));
        chunk_state next = *valid;
        // The damaged records stay. Only `prune` may free a number, because step 7 of a commit relies on its order.
        next.parent = valid->id;
        next.id = random_identity();
        next.number = *newest + 1;
        next.skips.insert(next.skips.end(), damaged.begin(), damaged.end());
        next.created = now_text();
        const auto text = record_text(next);
        const auto bytes = bytes_of(text);
        // Always durable, whatever the dataset's writers do: this is called after something has been lost.
        if (where.put(record_path(next.number), {&bytes, 1}, durability::on_disk)) {
            where.sync_names(commits_folder);
            return damaged;
        }
    }
    throw conflict_error(
        {.file = where.path(),
         .found = "other writers committed first in each of " + std::to_string(most_tries) + " tries; try again"});
}

}  // namespace ndkeep::detail
