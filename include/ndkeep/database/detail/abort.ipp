// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/database/detail/session.hpp>: aborts, savepoints and closing.
#pragma once

#include <ndkeep/database/detail/session.hpp>

#include <ndkeep/database/detail/layout.hpp>
#include <ndkeep/error.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE void database_session::abort() {
    check();
    for (auto each = arrays_.begin(); each != arrays_.end();) {
        auto& array = *each->second;
        if (array.is_new) {
            drop_new_file(array);
            each = arrays_.erase(each);
            continue;
        }
        array.abort();
        ++each;
    }
    for (const auto& array : dropped_) {
        array->abort();
        arrays_[array->name()] = array;
    }
    dropped_.clear();
    removed_.clear();
    documents_.clear();
    savepoints_.clear();
    if (options_.optimistic)
        advance();
    else
        apply_what_may_be();
}

NDKEEP_INLINE std::shared_ptr<const saved_transaction> database_session::save() {
    spill();
    auto state = std::make_shared<saved_transaction>();
    static std::atomic<std::uint64_t> made{0};
    state->number = ++made;
    state->arrays = arrays_;
    state->dropped = dropped_;
    state->removed = removed_;
    state->documents = documents_;
    for (const auto& [name, array] : arrays_)
        state->states.emplace(name, array->save());
    savepoints_.push_back(state->number);
    return state;
}

NDKEEP_INLINE void database_session::abort(const saved_transaction& state) {
    check();
    const auto found = std::find(savepoints_.begin(), savepoints_.end(), state.number);
    if (found == savepoints_.end())
        throw conflict_error({.file = path(),
                              .field = "savepoint",
                              .expected = "of the present transaction",
                              .found = "one that a commit or an abort has ended, or of another database"});
    for (const auto& [name, array] : arrays_)
        if (!state.arrays.contains(name) || state.arrays.find(name)->second != array) {
            if (array->is_new)
                drop_new_file(*array);
            else
                array->abort();
        }
    // Arrays opened since stay open.
    auto arrays = state.arrays;
    for (const auto& array : dropped_)
        if (!std::count(state.dropped.begin(), state.dropped.end(), array) && !arrays.contains(array->name())) {
            array->abort();
            arrays.emplace(array->name(), array);
        }
    for (const auto& [name, array] : arrays_)
        if (!array->is_new && !array->is_removed && !state.removed.contains(name))
            arrays.emplace(name, array);
    for (const auto& [name, array] : state.arrays)
        array->restore(state.states.find(name)->second);
    arrays_ = std::move(arrays);
    dropped_ = state.dropped;
    removed_ = state.removed;
    documents_ = state.documents;
    savepoints_.erase(found + 1, savepoints_.end());
}

NDKEEP_INLINE void database_session::close() {
    if (is_closed_)
        return;
    check();
    is_closed_ = true;
    for (const auto& [name, array] : arrays_)
        if (array->is_new)
            drop_new_file(*array);
        else
            array->abort();
    arrays_.clear();
    base_.reset();
    if (options_.optimistic && !(has_lease_ = control_->take_lease(std::chrono::milliseconds(0))))
        return;  // another writer is at work, and applies what is left
    try {
        // A damaged log is reported by the next opening.
        if (!options_.optimistic || has_whole_log()) {
            apply_what_may_be();
            if (unapplied_.empty())
                retire();
        }
    } catch (...) {
        end({});
        throw;
    }
    release_lease();
}

}  // namespace ndkeep::detail
