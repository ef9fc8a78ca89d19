// SPDX-License-Identifier: BSD-3-Clause
// Options of a loop, its passes and its buffers.
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

/// How often position and states are committed: after a number of chunks, after a time, or `at_end` only. The last
/// chunk of a pass is always committed.
class cadence {
  public:
    /// After this number of chunks.
    /// @throws mismatch_error  less than 1
    constexpr cadence(std::integral auto chunks)  // NOLINT: implicit
        : chunks_(static_cast<std::uint64_t>(chunks)) {
        if (chunks < 1)
            throw mismatch_error({.field = "every", .expected = "at least 1 chunk", .found = std::to_string(chunks)});
    }
    /// After this time, as in `.every = std::chrono::seconds(10)`.
    /// @throws mismatch_error  a negative time, or NaN
    template <class Rep, class Period>
    constexpr cadence(std::chrono::duration<Rep, Period> time) {  // NOLINT: implicit
        const double seconds = std::chrono::duration<double>(time).count();
        if (!(seconds >= 0))
            throw mismatch_error({.field = "every", .expected = "at least 0 seconds", .found = "a negative time"});
        constexpr double for_ever = 1e9;  // seconds, 32 years; nanoseconds overflow 64 bits at 9.2e9
        time_ = std::chrono::duration_cast<std::chrono::nanoseconds>(
            std::chrono::duration<double>(std::min(seconds, for_ever)));
    }

    /// Whether a commit is due.
    /// @param chunks  processed since the last commit
    /// @param since   time of the last commit
    [[nodiscard]] bool is_due(std::uint64_t chunks, std::chrono::steady_clock::time_point since) const;

  private:
    std::uint64_t chunks_ = 0;  // 0: time_ decides
    std::chrono::nanoseconds time_ = {};
};

/// Commits only when the pass ends or is stopped.
inline constexpr cadence at_end = std::numeric_limits<std::uint64_t>::max();

/// Options of a `stateful_loop`.
struct loop_options {
    cadence every = 1;  ///< chunks, a duration, or at_end
    bool sync = true;   ///< checkpoints survive a power cut; a pass into a sink follows the `.commit` of its writer
    /// Name of the loop, stored in its checkpoints; empty: the file name. A name that is not UTF-8 is escaped.
    std::string name = {};
    /// Called if the checkpoint is damaged and the previous one is used. Empty: a line on standard error reports it.
    std::function<void(const finding&)> report = {};
};

/// Options of a pass over chunks.
///
/// `.run.stop`, and a progress function that returns `flow::stop`, end the pass after the current chunk, with a commit.
/// Progress counts rows.
struct over_options {
    std::uint64_t warm_up = 0;    ///< rows to show again before the first new one, marked by `is_warm_up()`
    std::uint64_t first_row = 0;  ///< first row of a pass without a checkpoint
    bool verify = false;          ///< check the checksum of each chunk; of files without one, the header
    /// Of a list of files: those that are processed may be deleted, from the disk and from the list. They are not
    /// available for a warm-up.
    bool allow_deleted = false;
    run_options run = {};
};

/// Options of a pass over one array, in blocks of rows.
struct block_options {
    std::uint64_t rows = 0;       ///< rows of a block; 0: as many as fit into 16 MiB
    std::uint64_t warm_up = 0;    ///< rows to show again before the first new one, marked by `is_warm_up()`
    std::uint64_t first_row = 0;  ///< first row of a pass without a checkpoint
    run_options run = {};
};

/// Options of a buffer.
struct loop_buffer_options {
    std::uint64_t limit_bytes = std::uint64_t{300} << 20;  ///< bytes of collected rows, 300 MiB by default
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/loop/detail/options.ipp>
#endif
