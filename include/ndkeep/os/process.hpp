// SPDX-License-Identifier: BSD-3-Clause
// Which process an object belongs to: after a fork, the copy in the child must not act for it.
#pragma once

#include <ndkeep/error.hpp>

#include <unistd.h>  // getpid

namespace ndkeep {

/// The process that made an object which removes, renames or releases something. A fork copies such objects, and the
/// copy's destructor must leave alone what the original still uses.
class owning_process {
  public:
    [[nodiscard]] bool is_this() const noexcept { return id_ == ::getpid(); }

    /// @throws conflict_error  this is a forked child
    void check(const std::filesystem::path& file) const {
        if (!is_this())
            throw conflict_error({.file = file,
                                  .field = "writer",
                                  .expected = "used by the process that opened it",
                                  .found = "used by a forked child",
                                  .hint = "open it in the child"});
    }

  private:
    ::pid_t id_ = ::getpid();
};

}  // namespace ndkeep
