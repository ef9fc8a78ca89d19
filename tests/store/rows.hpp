// SPDX-License-Identifier: BSD-3-Clause
// Rows in memory, and helpers for tests of the store.
#pragma once

#include "support/memory_place.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/store/upkeep.hpp>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace store_rows {

using namespace ndkeep;

using vector = xt::xtensor<double, 1>;
using writer = chunk_writer<double, 1>;
using reader = chunk_reader<double, 1>;

inline vector rows_from(double first, std::size_t count) {
    vector made = vector::from_shape({count});
    for (std::size_t i = 0; i < count; ++i)
        made(i) = first + static_cast<double>(i);
    return made;
}

using numbers = std::vector<double>;

inline numbers rows_in(const std::shared_ptr<memory::content>& all,
                       std::optional<std::uint64_t> commit = std::nullopt) {
    const reader from(memory::opened(all), {.at_commit = commit});
    const auto rows = from.rows(0, from.rows());
    return {rows.begin(), rows.end()};
}

inline chunk_writer_options fours() { return {.rows_per_chunk = 4}; }

/// Three commits of 6, 4 and 1 rows: 0, 1, 2, …
inline std::shared_ptr<memory::content> eleven_rows() {
    auto all = memory::empty();
    writer to(memory::opened(all), fours());
    double next = 0;
    for (const std::size_t count : {6U, 4U, 1U}) {
        to.append(rows_from(next, count));
        (void)to.commit();
        next += static_cast<double>(count);
    }
    return all;
}

inline std::uint64_t newest(const std::shared_ptr<memory::content>& all) {
    return reader(memory::opened(all)).commit();
}

inline std::string record_of(std::uint64_t number) { return "commits/" + detail::record_name(number); }

/// Adds a file that a killed writer of the dataset could have left.
inline void leave_file(const std::shared_ptr<memory::content>& all) {
    memory::place where(all);
    detail::commit_log log(where);
    const auto dataset = detail::open_state(log).state.dataset;
    all->set("chunks/000000000000-" + detail::writer_word(7, dataset) + "-0.npy", "left by somebody");
}

/// Whether there is a commit; record 0, the dataset's id, does not count.
inline bool has_commits(const std::shared_ptr<memory::content>& all) {
    memory::place where(all);
    return !detail::commit_log(where).numbers().empty();
}

/// Files that any record names.
inline std::set<std::string> named_files(const std::shared_ptr<memory::content>& all) {
    memory::place where(all);
    detail::commit_log log(where);
    std::set<std::string> names;
    for (const auto number : log.numbers())
        detail::add_names(*log.read(number), names);
    return names;
}

/// Every kind of fault at operation `at`.
inline std::vector<memory::fault> faults_at(std::size_t at) {
    return {{at, EIO, false}, {at, ENOSPC, false}, {at, EIO, true}};
}

inline std::optional<memory::fault> fails_at_record(const memory::call& made, const memory::fault& fault) {
    return made.what == "put" && made.name.starts_with("commits/") ? std::optional(fault) : std::nullopt;
}

inline std::ptrdiff_t times(const numbers& rows, double wanted) { return std::count(rows.begin(), rows.end(), wanted); }

inline void append_and_commit(const std::shared_ptr<memory::content>& all, double row, std::uint64_t keep = 100) {
    writer other(memory::opened(all), {.rows_per_chunk = 4, .commit = {.keep = keep}});
    other.append(rows_from(row, 1));
    (void)other.commit();
}

}  // namespace store_rows
