// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/database/detail/session.hpp>: transactions on top of commits of other writers.
#pragma once

#include <ndkeep/database/detail/session.hpp>

#include <ndkeep/database/detail/layout.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/sidecar.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE std::vector<other_change> database_session::changes_of(const std::vector<logged_commit>& commits,
                                                                     std::string_view name) {
    std::vector<other_change> changes;
    for (const auto& commit : commits)
        for (std::size_t i = 0; i < commit.record.arrays.size(); ++i)
            if (commit.record.arrays[i].name == name)
                changes.push_back({&commit, &commit.record.arrays[i], commit.images_of(i)});
    return changes;
}

NDKEEP_INLINE void database_session::check_collisions(const std::vector<logged_commit>& others) {
    const auto collide = [&](const std::filesystem::path& file, const std::string& what, std::uint64_t commit) {
        throw conflict_error({.file = file,
                              .found = "another writer changed " + what + " in commit " + std::to_string(commit),
                              .hint = "abort this transaction and try again"});
    };
    for (const auto& commit : others) {
        for (const auto& change : commit.record.arrays) {
            const auto file = path() / file_name_of(change.name);
            const auto number = commit.record.number;
            if (removed_.contains(change.name))
                collide(file, "the removed array", number);
            const auto found = arrays_.find(change.name);
            if (found == arrays_.end())
                continue;
            auto& array = *found->second;
            const bool replaces = change.removed || !change.made_as.empty();
            const bool has_metadata = array.metadata && *array.metadata != array.committed_metadata;
            if (replaces && (array.is_new || array.changes().any() || has_metadata))
                collide(file, "the array itself", number);
            if (has_metadata && change.sidecar &&
                (change.sidecar->empty()
                     ? json(json::value_t::object)
                     : parse_sidecar(*change.sidecar, file).current.metadata) != array.committed_metadata)
                collide(file, "the metadata", number);
        }
        for (const auto& document : commit.record.documents)
            if (documents_.contains(document.name))
                collide(hidden_.path() / document.name, "the document", commit.record.number);
    }
    for (const auto& [name, array] : arrays_) {
        const auto changes = changes_of(others, name);
        if (changes.empty() || changes.back().change->removed || !changes.back().change->made_as.empty())
            continue;
        if (const auto what = array->collision(changes); !what.empty())
            collide(array->path(), what == "the shape" ? what : "the same " + what,
                    changes.back().commit->record.number);
    }
}

NDKEEP_INLINE void database_session::rebase(std::vector<logged_commit> others) {
    for (auto each = arrays_.begin(); each != arrays_.end();) {
        auto& [name, array] = *each;
        const auto changes = changes_of(others, name);
        if (std::any_of(changes.begin(), changes.end(), [](const other_change& other) {
                return other.change->removed || !other.change->made_as.empty();
            })) {
            // Its containers keep the elements of the array that was. A new one is opened by its name.
            array->is_removed = true;
            each = arrays_.erase(each);
            continue;
        }
        array->rebase(changes);
        // Assigned, because the user may hold a reference to it.
        if (!changes.empty() && array->metadata && *array->metadata == array->committed_metadata)
            *array->metadata = array->committed_metadata = stored_metadata(*array);
        ++each;
    }
    for (auto& commit : others) {
        committed_ = commit.record.number;
        unapplied_.push_back(std::move(commit));
    }
}

NDKEEP_INLINE void database_session::catch_up() {
    take_lease();
    try {
        const auto words = control_->read();
        std::erase_if(unapplied_, [&](const logged_commit& each) { return each.record.number <= words.applied; });
        for (const auto& [name, array] : arrays_)
            array->applied(words.applied);
        auto chain = read_log(hidden_, committed_, file::access::read_write, log_end_);
        segment_ = std::move(chain.last);
        log_end_ = chain.end;
        const std::uint64_t last = chain.commits.empty() ? committed_ : chain.commits.back().record.number;
        if (words.committed > last)
            throw damaged_log(hidden_, words.committed, last);
        if (chain.commits.empty())
            return;
        // The last one may be of a writer that was killed before its sync.
        if (is_durable()) {
            if (words.committing != 0)
                write_again(*segment_, log_sector, log_end_);
            synced([&] { segment_->source.sync_data(); });
        }
        check_collisions(chain.commits);
        rebase(std::move(chain.commits));
    } catch (...) {
        release_lease();
        throw;
    }
}

NDKEEP_INLINE bool database_session::has_whole_log() {
    const auto words = control_->read();
    auto chain = read_log(hidden_, words.applied, file::access::read_write, words.unapplied_at);
    const std::uint64_t last = chain.commits.empty() ? words.applied : chain.commits.back().record.number;
    if (chain.lost_up_to != 0 || last != words.committed || words.committing != 0)
        return false;
    // Others may have applied commits since this session looked. To apply older ones again would take theirs back.
    unapplied_ = std::move(chain.commits);
    segment_ = std::move(chain.last);
    log_end_ = chain.end;
    committed_ = last;
    return true;
}

NDKEEP_INLINE void database_session::advance() {
    std::shared_ptr<reader_hold> next;
    std::uint64_t applied = 0;
    {
        const control_file::locked alone(*control_);
        const auto words = control_->read();
        next = control_->hold(words.committed);
        applied = words.applied;
    }
    if (next->commit() > committed_) {
        auto chain = read_log(hidden_, committed_, file::access::read, log_end_);
        std::erase_if(chain.commits, [&](const auto& each) { return each.record.number > next->commit(); });
        if (chain.commits.empty() || chain.commits.back().record.number != next->commit())
            throw damaged_log(hidden_, next->commit(),
                              chain.commits.empty() ? committed_ : chain.commits.back().record.number);
        log_end_ = chain.commits.back().end;
        rebase(std::move(chain.commits));
    }
    base_ = std::move(next);
    std::erase_if(unapplied_, [&](const logged_commit& each) { return each.record.number <= applied; });
    for (const auto& [name, array] : arrays_)
        array->applied(applied);
}

}  // namespace ndkeep::detail
