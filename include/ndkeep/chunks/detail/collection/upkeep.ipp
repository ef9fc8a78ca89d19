// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/collection/upkeep.hpp>.
#pragma once

#include <ndkeep/chunks/detail/collection/upkeep.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/work/parallel.hpp>

#include <algorithm>
#include <exception>
#include <functional>
#include <iterator>
#include <limits>
#include <numeric>
#include <optional>
#include <system_error>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Calls `use` for the array of each key, in parallel, and counts each as one item of progress. An error ends the work
/// on its own array only; a stopped call ends all. If another process has removed the array meanwhile, its files are
/// missing by right: `use` is called again if it was also created again.
/// @param use  takes the index of the key, its location, and the options of a part of the call; returns whether the
///             array is well
/// @returns the errors, one for each key; nullptr if it has none, or if the array was removed meanwhile
NDKEEP_INLINE std::vector<std::exception_ptr>
for_each_key(const key_store& of, const std::vector<key_texts>& keys, const char* phase, const run_options& run,
             const std::function<bool(std::size_t, const dataset_location&, const run_options&)>& use) {
    std::vector<std::exception_ptr> errors(keys.size());
    // Threads that are more than the arrays work within them.
    auto part = run.without_progress();
    const auto threads = threads_for(std::numeric_limits<std::size_t>::max(), run);
    part.threads = std::max(1U, threads / threads_for(keys.size(), run));
    progress_meter meter(run, {.phase = phase, .items_total = keys.size(), .file = of.root()});
    constexpr int most_tries = 10;
    parallel_for(keys.size(), meter, [&](std::size_t i) {
        const auto where = of.location(keys[i]);
        for (int tries = 0; tries < most_tries; ++tries) {
            const auto before = of.identity(keys[i]);
            errors[i] = nullptr;
            try {
                if (use(i, where, part))
                    return;
            } catch (const io_error& problem) {
                if (problem.code() == std::errc::operation_canceled)
                    throw;
                errors[i] = std::current_exception();
            } catch (const error&) {
                errors[i] = std::current_exception();
            }
            if (!of.contains(keys[i])) {
                errors[i] = nullptr;
                return;
            }
            if (before == of.identity(keys[i]))
                return;
        }
    });
    meter.finish();
    return errors;
}

NDKEEP_INLINE void throw_first_of(const std::vector<std::exception_ptr>& errors) {
    for (const auto& each : errors)
        if (each)
            std::rethrow_exception(each);
}

NDKEEP_INLINE std::vector<inspected_key> inspect_keys(const key_store& of, const run_options& run) {
    const auto keys = of.keys({});
    std::vector<std::optional<chunked_info>> infos(keys.size());
    const auto errors = for_each_key(of, keys, "inspect", run, [&](std::size_t i, const auto& where, const auto& part) {
        infos[i] = inspect_chunked(where, {.run = part});
        return true;
    });
    std::vector<inspected_key> all;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (infos[i])
            all.push_back({keys[i], std::move(*infos[i]), {}});
        if (!errors[i])
            continue;
        try {
            std::rethrow_exception(errors[i]);
        } catch (const std::exception& problem) {
            all.push_back({keys[i], {}, problem.what()});
        }
    }
    return all;
}

NDKEEP_INLINE std::vector<finding> findings_of_keys(const key_store& of, const run_options& run) {
    const auto keys = of.keys({});
    std::vector<std::vector<finding>> found(keys.size());
    (void)for_each_key(of, keys, "verify", run, [&](std::size_t i, const auto& where, const auto& part) {
        found[i] = findings_chunked(where, {.run = part});
        if (!found[i].empty() && !of.contains(keys[i]))
            found[i].clear();
        return found[i].empty();
    });
    std::vector<finding> all;
    for (auto& some : found)
        std::move(some.begin(), some.end(), std::back_inserter(all));
    return all;
}

NDKEEP_INLINE void compact_keys(const key_store& of, const compact_options& options) {
    throw_first_of(
        for_each_key(of, of.keys({}), "compact", options.run, [&](std::size_t, const auto& where, const auto& part) {
            compact_chunked(where, {.rows_per_chunk = options.rows_per_chunk, .commit = options.commit, .run = part});
            return true;
        }));
}

NDKEEP_INLINE std::size_t prune_keys(const key_store& of, const prune_options& options, const run_options& run) {
    if (options.keep == 0)
        throw mismatched(of.root(), "keep", "at least 1", "0");
    std::exception_ptr problem;
    try {
        of.tidy();
    } catch (const io_error&) {
        problem = std::current_exception();
    }
    const auto keys = of.keys({});
    std::vector<std::size_t> removed(keys.size());
    throw_first_of(for_each_key(of, keys, "prune", run, [&](std::size_t i, const auto& where, const auto&) {
        removed[i] = prune_chunked(where, options);
        return true;
    }));
    if (problem)
        std::rethrow_exception(problem);
    return std::accumulate(removed.begin(), removed.end(), std::size_t{0});
}

}  // namespace detail

}  // namespace ndkeep
