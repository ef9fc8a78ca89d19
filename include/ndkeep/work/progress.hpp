// SPDX-License-Identifier: BSD-3-Clause
// How a long call runs: how far it has come, who hears of it, and how it is stopped.
#pragma once

#include <ndkeep/error.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace ndkeep::inline NDKEEP_ABI {

/// How far a long call has come. A total of 0 is not known.
struct progress {
    std::string phase = {};  ///< what is under way: "save", "verify"
    std::uint64_t items = 0;
    std::uint64_t items_total = 0;
    std::uint64_t bytes = 0;
    std::uint64_t bytes_total = 0;
    std::chrono::steady_clock::duration elapsed = {};
    std::filesystem::path file = {};
};

/// What a progress function answers.
enum class flow { go, stop };

/// How a long call runs.
///
/// `progress` is called from the thread that made the call: at the beginning, every 100 ms at most, and when all is
/// done. What it throws ends the call. `stop` may be set by any thread or a signal handler. A call that is stopped
/// throws `io_error` with `std::errc::operation_canceled`.
struct run_options {
    unsigned threads = 0;  ///< 0: as many as there are cores
    std::function<flow(const ndkeep::progress&)> progress = {};
    const std::atomic<bool>* stop = nullptr;
};

/// Tells the progress of one call. Made, asked to report and finished in the calling thread; any thread may `add`.
class progress_meter {
  public:
    enum class first_report { now, later };

    /// @param run    kept by reference
    /// @param begin  phase, totals and file of every report
    /// @throws io_error  operation_canceled; not where the first report comes later
    explicit progress_meter(const run_options& run, progress begin = {}, first_report when = first_report::now);

    void add(std::uint64_t items, std::uint64_t bytes = 0) noexcept;

    [[nodiscard]] bool stopped() const noexcept;

    /// Calls the progress function if 100 ms have passed since it was called last.
    ///
    /// @throws io_error  operation_canceled
    void report();

    /// The same, but false where the call is to end.
    [[nodiscard]] bool goes_on();

    /// The last call of the progress function.
    ///
    /// @throws io_error  operation_canceled
    void finish() { tell(std::chrono::steady_clock::now()); }

    [[nodiscard]] const run_options& run() const noexcept { return run_; }

    static constexpr std::chrono::milliseconds interval{100};

    [[nodiscard]] io_error canceled() const;

    /// Calls the progress function now; false where it asks to stop.
    [[nodiscard]] bool is_told() { return is_told(std::chrono::steady_clock::now()); }

  private:
    void tell(std::chrono::steady_clock::time_point now);

    /// False where the progress function asks to stop.
    [[nodiscard]] bool is_told(std::chrono::steady_clock::time_point now);

    const run_options& run_;
    progress told_;
    std::atomic<std::uint64_t> items_ = 0;
    std::atomic<std::uint64_t> bytes_ = 0;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point last_ = begin_;
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/work/progress.ipp>
#endif
