// SPDX-License-Identifier: BSD-3-Clause
// alongside: work in another thread while the caller continues.
#pragma once

#include <ndkeep/version.hpp>
#include <ndkeep/work/progress.hpp>

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Runs work in another thread while the caller continues. If the system gives no thread, `finish` runs the work. The
/// destructor waits for a thread to end and discards its exception; without a thread and `finish`, the work never runs.
class alongside {
  public:
    explicit alongside(std::function<void()> work);
    alongside(const alongside&) = delete;
    alongside& operator=(const alongside&) = delete;
    ~alongside();

    /// Waits for the end of the work and reports progress meanwhile. Rethrows the exception of the work.
    /// @throws io_error  operation_canceled; the work is still running then, and the destructor waits for it
    void finish(progress_meter& meter);

  private:
    void run() noexcept;

    std::function<void()> work_;
    std::exception_ptr failure_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_done_ = false;
    std::thread thread_;  // last, because it uses the other members
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/work/alongside.ipp>
#endif
