// SPDX-License-Identifier: BSD-3-Clause
// progress_bar: draws progress as a line on the terminal.
#pragma once

#include <ndkeep/os/file.hpp>
#include <ndkeep/version.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstdint>
#include <string>

namespace ndkeep::inline NDKEEP_ABI {

/// Draws progress on standard error if that is a terminal: `.run = {.progress = progress_bar()}`.
///
///     save readings  [#########.....................]  31 %  1.2 of 3.9 GB  0.3 GB/s  0:04, 0:09 left
class progress_bar {
  public:
    /// A bar on standard error.
    /// @param wanted  false: draws nothing
    explicit progress_bar(bool wanted = errors_go_to_terminal()) : wanted_(wanted) {}

    /// Draws the bar.
    /// @return always `flow::go`
    flow operator()(const progress& now) const;

    /// The text that is drawn, without the end of the line.
    [[nodiscard]] static std::string line(const progress& now);

  private:
    /// 12 tenths are "1.2".
    [[nodiscard]] static std::string tenths(std::uint64_t count);
    /// In units of 10^9 bytes, rounded to one decimal: "3.9"
    [[nodiscard]] static std::string gigabytes(std::uint64_t bytes);
    /// "999", "1.0 k", "2.5 M"
    [[nodiscard]] static std::string counted(std::uint64_t count);
    /// Minutes and seconds: "0:04"
    [[nodiscard]] static std::string minutes(double seconds);

    bool wanted_;
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/work/progress_bar.ipp>
#endif
