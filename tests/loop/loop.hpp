// SPDX-License-Identifier: BSD-3-Clause
// Helpers for tests of loops: chunks, and sources made of them.
#pragma once

#include "support/temp_dir.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/loop.hpp>
#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>

#include <cstring>
#include <numeric>
#include <string>
#include <vector>

namespace looptest {

namespace nk = ndkeep;

using ints = xt::xtensor<std::int64_t, 1>;

/// Checkpoints without syncs, for speed: these tests do not simulate power cuts.
inline constexpr nk::commit_rules unsynced{.sync = false};
[[nodiscard]] inline nk::loop_options quick(nk::cadence every = 1) { return {.every = every, .sync = false}; }

/// first, first + 1, …
[[nodiscard]] inline ints counting(std::int64_t first, std::size_t count) {
    ints all(std::array<std::size_t, 1>{count});
    std::iota(all.begin(), all.end(), first);
    return all;
}

/// Arrays of these lengths. The numbers count from 1 and continue from one array to the next.
[[nodiscard]] inline std::vector<ints> chunks_of(const std::vector<std::size_t>& lengths) {
    std::vector<ints> all;
    std::int64_t next = 1;
    for (const std::size_t length : lengths) {
        all.push_back(counting(next, length));
        next += static_cast<std::int64_t>(length);
    }
    return all;
}

/// A chunked array made of these chunks.
inline void save_chunks(const std::filesystem::path& path, const std::vector<ints>& chunks) {
    nk::chunk_writer<std::int64_t, 1> writer(path, {.rows_per_chunk = 1'000'000, .commit = unsynced});
    for (const ints& each : chunks) {
        writer.append(each);
        writer.commit();
    }
}

[[nodiscard]] inline std::int64_t sum_of(const auto& array) {
    return std::accumulate(array.begin(), array.end(), std::int64_t{0});
}

template <class A>
[[nodiscard]] std::vector<std::int64_t> listed(const A& array) {
    return {array.begin(), array.end()};
}

}  // namespace looptest
