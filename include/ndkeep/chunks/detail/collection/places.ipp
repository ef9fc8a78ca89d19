// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/collection/places.hpp>.
#pragma once

#include <ndkeep/chunks/detail/collection/places.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/store/commit.hpp>
#include <ndkeep/store/log.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/store/upkeep.hpp>
#include <ndkeep/work/parallel.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <iterator>
#include <optional>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// A name in a tree of places.
[[nodiscard]] NDKEEP_INLINE std::string name_in_tree(const key_texts& key) {
    std::string name;
    for (const auto& text : key)
        name += (name.empty() ? "" : "/") + text;
    return name;
}

/// The newest state; nullopt if there is none.
/// @throws checksum_error, format_error  its record is damaged
[[nodiscard]] NDKEEP_INLINE std::optional<chunk_state> newest_state(place& where) {
    commit_log log(where);
    for (;;) {
        const auto newest = log.newest_number();
        if (!newest)
            return std::nullopt;
        // Gone: others have committed and pruned since.
        if (auto state = log.read(*newest))
            return state;
    }
}

/// Removes what a removed array has left, as far as its age permits.
NDKEEP_INLINE void tidy_removed(place& where) {
    commit_log log(where);
    (void)prune(log, 1);
    sweep_abandoned(where);
}

NDKEEP_INLINE key_places::key_places(std::shared_ptr<place_tree> tree, key_form form)
    : key_store(tree->path(), std::move(form)), tree_(std::move(tree)) {}

NDKEEP_INLINE std::shared_ptr<place> key_places::place_of(const key_texts& key) const {
    check_key_texts(form_, key, root_);
    return tree_->place_at(name_in_tree(key));
}

NDKEEP_INLINE dataset_location key_places::location(const key_texts& key) const { return place_of(key); }

NDKEEP_INLINE std::vector<key_texts> key_places::candidates(const key_texts& prefix) const {
    check_key_texts(form_, prefix, root_);
    std::vector<key_texts> found = {prefix};
    for (std::size_t depth = prefix.size(); depth < form_.fields.size(); ++depth) {
        std::vector<std::vector<std::string>> names(found.size());
        parallel_for(found.size(), run_options{.threads = threads_for_network},
                     [&](std::size_t i) { names[i] = sorted_fields(tree_->folders(name_in_tree(found[i])), depth); });
        std::vector<key_texts> deeper;
        for (std::size_t i = 0; i < found.size(); ++i)
            for (auto& name : names[i]) {
                deeper.push_back(found[i]);
                deeper.back().push_back(std::move(name));
            }
        found = std::move(deeper);
    }
    return found;
}

NDKEEP_INLINE std::vector<key_texts> key_places::keys(const key_texts& prefix) const {
    auto found = candidates(prefix);
    std::vector<unsigned char> is_key(found.size());
    parallel_for(found.size(), run_options{.threads = threads_for_network},
                 [&](std::size_t i) { is_key[i] = contains(found[i]) ? 1 : 0; });
    std::vector<key_texts> all;
    for (std::size_t i = 0; i < found.size(); ++i)
        if (is_key[i] != 0)
            all.push_back(std::move(found[i]));
    return all;
}

NDKEEP_INLINE bool key_places::contains(const key_texts& key) const {
    try {
        const auto state = newest_state(*place_of(key));
        return state && !state->is_absent();
    } catch (const checksum_error&) {
        return true;  // the array is damaged, and not absent
    } catch (const format_error&) {
        return true;
    }
}

NDKEEP_INLINE std::string key_places::identity(const key_texts& key) const {
    (void)key;
    return {};
}

NDKEEP_INLINE byte_locks key_places::kept_for_writer(const key_texts& key, durability wanted) const {
    (void)wanted;
    check_key_texts(form_, key, root_);
    return {};
}

NDKEEP_INLINE bool key_places::remove(const key_texts& key) const {
    const auto where = place_of(key);
    const auto state = newest_state(*where);
    if (!state || state->is_absent())
        return false;
    transaction removal(*where, {});
    if (removal.base().is_absent())
        return false;
    removal.edit({.what = chunk_edit::kind::replace_all, .anew = std::make_shared<chunk_state>()});
    (void)removal.commit();
    // What readers may still use stays, until `tidy` finds it old enough.
    try {
        tidy_removed(*where);
    } catch (const error&) {
        // The array is removed. `tidy` tries again.
    }
    return true;
}

NDKEEP_INLINE void key_places::tidy() const {
    const auto all = candidates({});
    std::vector<std::exception_ptr> errors(all.size());
    parallel_for(all.size(), run_options{.threads = threads_for_network}, [&](std::size_t i) {
        try {
            const auto where = place_of(all[i]);
            const auto state = newest_state(*where);
            if (state && state->is_absent())
                tidy_removed(*where);
        } catch (const checksum_error&) {
            // A damaged array is none that was removed.
        } catch (const format_error&) {
        } catch (const io_error&) {
            errors[i] = std::current_exception();
        }
    });
    for (const auto& each : errors)
        if (each)
            std::rethrow_exception(each);
}

}  // namespace ndkeep::detail
