// SPDX-License-Identifier: BSD-3-Clause
// Which process an object belongs to: after a fork, the copy in the child must not act for it.
#pragma once

#include <ndkeep/version.hpp>

#include <filesystem>

#include <unistd.h>

namespace ndkeep::inline NDKEEP_ABI {

/// The process that made an object which removes, renames or releases something. A fork copies such objects, and the
/// copy's destructor must leave alone what the original still uses.
class owning_process {
  public:
    [[nodiscard]] bool is_this() const noexcept { return id_ == ::getpid(); }

    /// @throws conflict_error  this is a forked child
    void check(const std::filesystem::path& file) const;

  private:
    ::pid_t id_ = ::getpid();
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/os/process.ipp>
#endif
