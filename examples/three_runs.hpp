// SPDX-License-Identifier: BSD-3-Clause
// One result made three times: at once in memory, in a batch that is killed, and behind a live feed. The parts that
// bars and departure_weather share.
#pragma once

#include <ndkeep/chunks.hpp>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

/// A pass of a loop, from arrays in one folder to arrays in another.
struct pass {
    std::filesystem::path from, to;
    bool is_closed = true;                        // no more rows will come
    std::optional<std::uint64_t> killed_in = {};  // the item in which the process is killed
};

/// Kills the process in the wanted item. What it has done since the last commit is lost, and repeated by the next pass.
inline void kill_in(const std::optional<std::uint64_t>& wanted, std::uint64_t item) {
    if (wanted == item)
        (void)std::raise(SIGKILL);
}

/// Runs a pass in a child process, because SIGKILL ends the process that receives it.
inline bool is_killed(void (&run)(const pass&), const pass& now) {
    const pid_t child = fork();
    if (child == 0) {
        run(now);
        _exit(0);
    }
    int status = 0;
    return waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/// Appends the rows before `until` that the array does not have yet.
template <class Row, class Time>
void deliver(const std::vector<Row>& all, const Time& until, const std::filesystem::path& to) {
    ndkeep::chunk_writer<Row, 1> sink(to, {.rows_per_chunk = 3000, .order_by = "time"});
    const auto next = all.begin() + static_cast<std::ptrdiff_t>(sink.rows());
    const auto end = std::find_if(next, all.end(), [&until](const Row& row) { return row.time >= until; });
    sink.append(std::vector<Row>(next, end));
    sink.commit();
}

/// The number of committed rows of an array.
inline unsigned long long committed(const std::filesystem::path& array) {
    return ndkeep::inspect_chunked(array).shape[0];
}

/// Whether an array has the same bytes in each folder.
inline bool is_same_in(const std::vector<std::filesystem::path>& folders, const std::string& name) {
    const auto first = ndkeep::load_chunked_any(folders.front() / name);
    return std::all_of(folders.begin() + 1, folders.end(), [&](const std::filesystem::path& folder) {
        const auto other = ndkeep::load_chunked_any(folder / name);
        return other.type() == first.type() && std::ranges::equal(other.bytes(), first.bytes());
    });
}
