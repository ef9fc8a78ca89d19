// SPDX-License-Identifier: BSD-3-Clause
// run_options of a long call: threads, progress reports and cancellation; progress_meter, which reports.
#pragma once

#include <ndkeep/error.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace ndkeep::inline NDKEEP_ABI {

/// How far a long call has come. A total of 0 means that it is not known.
struct progress {
    std::string phase = {};                            ///< what the call is doing: "save", "verify"
    std::uint64_t items = 0;                           ///< done so far: elements, chunks, members or rows
    std::uint64_t items_total = 0;                     ///< 0: unknown
    std::uint64_t bytes = 0;                           ///< done so far
    std::uint64_t bytes_total = 0;                     ///< 0: unknown
    std::chrono::steady_clock::duration elapsed = {};  ///< since the call began
    std::filesystem::path file = {};                   ///< the file that the call works on
};

/// What a progress function returns: whether the call continues.
enum class flow { go, stop };

/// Options of a long call.
///
/// `progress` is called in the thread that made the call: at the beginning, then at most every 100 ms, and at the end.
/// An exception that it throws ends the call. Any thread or signal handler may set `stop`. A call that is stopped
/// throws `io_error` with `std::errc::operation_canceled`.
struct run_options {
    unsigned threads = 0;  ///< 0: one for each core; for arrays in a bucket, at least 8
    std::function<flow(const ndkeep::progress&)> progress = {};  ///< called at most every 100 ms
    const std::atomic<bool>* stop = nullptr;                     ///< set it to true to end the call
    /// Replace a file that this user may not write, if the directory permits it. Calls that replace no file ignore it.
    bool replace_read_only = false;

    /// These options for a part of a call whose progress the call itself reports. It does not copy the function.
    [[nodiscard]] run_options without_progress() const {
        return {.threads = threads, .progress = {}, .stop = stop, .replace_read_only = replace_read_only};
    }
};

/// Counts and reports the progress of one call. Any thread may call `add` and `stopped`; everything else belongs to the
/// calling thread.
class progress_meter {
  public:
    /// Whether the constructor reports.
    enum class first_report { now, later };

    /// Begins to measure a call.
    /// @param run    kept by reference; must outlive the meter
    /// @param begin  phase, totals and file of every report
    /// @throws io_error  operation_canceled; only if the first report is now
    explicit progress_meter(const run_options& run, progress begin = {}, first_report when = first_report::now);

    /// Counts work that is done.
    void add(std::uint64_t items, std::uint64_t bytes = 0) noexcept;

    /// Whether the call must end.
    [[nodiscard]] bool stopped() const noexcept;

    /// Calls the progress function if at least 100 ms have passed since its last call.
    ///
    /// @throws io_error  operation_canceled
    void report();

    /// The same, but returns false if the call must end.
    [[nodiscard]] bool goes_on();

    /// Calls the progress function for the last time.
    ///
    /// @throws io_error  operation_canceled
    void finish() { tell(std::chrono::steady_clock::now()); }

    /// The options that the meter was made with.
    [[nodiscard]] const run_options& run() const noexcept { return run_; }

    static constexpr std::chrono::milliseconds interval{100};  ///< between two reports

    /// The error of a stopped call.
    [[nodiscard]] io_error canceled() const;

    /// Calls the progress function now. False if it asks to stop.
    [[nodiscard]] bool is_told() { return is_told(std::chrono::steady_clock::now()); }

  private:
    /// Calls the progress function.
    /// @throws io_error  operation_canceled
    void tell(std::chrono::steady_clock::time_point now);

    /// Calls the progress function. False if it asks to stop.
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
