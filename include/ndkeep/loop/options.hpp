// SPDX-License-Identifier: BSD-3-Clause
// How a loop runs: when it commits, where a pass begins, and what it is told.
#pragma once

#include <ndkeep/error.hpp>
#include <ndkeep/format/finding.hpp>
#include <ndkeep/work/progress.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>

namespace ndkeep::inline NDKEEP_ABI {

/// How often position and states are committed: every so many chunks, after so much time, or `at_end` only. The last
/// chunk of a pass is always committed.
class cadence {
  public:
    /// @throws mismatch_error  less than 1
    constexpr cadence(std::integral auto chunks)  // NOLINT: implicit
        : chunks_(static_cast<std::uint64_t>(chunks)) {
        if (chunks < 1)
            throw mismatch_error({.field = "every", .expected = "at least 1 chunk", .found = std::to_string(chunks)});
    }
    /// @throws mismatch_error  less than nothing
    template <class Rep, class Period>
    constexpr cadence(std::chrono::duration<Rep, Period> time) {  // NOLINT: implicit
        const double seconds = std::chrono::duration<double>(time).count();
        if (!(seconds >= 0))
            throw mismatch_error({.field = "every", .expected = "a time", .found = "less than none"});
        constexpr double for_ever = 1e9;  // of which nanoseconds can still be counted
        time_ = std::chrono::duration_cast<std::chrono::nanoseconds>(
            std::chrono::duration<double>(std::min(seconds, for_ever)));
    }

    /// Whether it is time, so long after the last commit.
    [[nodiscard]] bool is_due(std::uint64_t chunks, std::chrono::steady_clock::time_point since) const;

  private:
    std::uint64_t chunks_ = 0;  // 0: by time
    std::chrono::nanoseconds time_ = {};
};

/// Only once the pass has come to its end, or is stopped.
inline constexpr cadence at_end = std::numeric_limits<std::uint64_t>::max();

struct loop_options {
    cadence every = 1;  ///< chunks, a duration, or at_end
    bool sync = true;   ///< checkpoints survive a power cut; not of a pass into a sink, which has its own rules
    /// Of the loop, which its checkpoints carry; empty: the name of the file. A name that is not UTF-8 is escaped.
    std::string name = {};
    /// Hears what could be passed over: a damaged checkpoint for which the one before was taken. Empty: a line on
    /// standard error says so.
    std::function<void(const finding&)> report = {};
};

/// How a pass over chunks goes.
///
/// `.run.stop` and a progress function that answers `flow::stop` end the pass after the chunk at hand, with a commit.
/// Progress counts rows.
struct over_options {
    std::uint64_t warm_up = 0;    ///< rows before the first one that are shown again, marked by `is_warm_up()`
    std::uint64_t first_row = 0;  ///< at which a pass that has no checkpoint begins
    bool verify = false;          ///< look at each chunk's checksum as it passes; of files without one, at the header
    run_options run = {};
};

/// How a pass over one array goes, in blocks.
struct block_options {
    std::uint64_t rows = 0;  ///< of a block; 0: as many as 16 MiB hold
    std::uint64_t warm_up = 0;
    std::uint64_t first_row = 0;
    run_options run = {};
};

struct loop_buffer_options {
    std::uint64_t limit_bytes = std::uint64_t{300} << 20;  ///< of rows that are held; 300 MiB
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/loop/detail/options.ipp>
#endif
