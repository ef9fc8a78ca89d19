// SPDX-License-Identifier: BSD-3-Clause
// The process that owns an object, so that a copy in a forked child does not act for its parent; and its machine.
#pragma once

#include <ndkeep/version.hpp>

#include <cstdint>
#include <filesystem>
#include <string>

#include <unistd.h>

namespace ndkeep::inline NDKEEP_ABI {

/// Remembers the process that made an object. Objects that remove, rename or unlock files have one as a member.
///
/// A fork copies such an object. The destructor of the copy must not remove what the parent still uses.
class owning_process {
  public:
    /// False in a forked child.
    [[nodiscard]] bool is_this() const noexcept { return id_ == ::getpid(); }

    /// Checks that this is not a forked child.
    /// @param file  the path that errors show
    /// @throws conflict_error  this is a forked child
    void check(const std::filesystem::path& file) const;

    [[nodiscard]] ::pid_t id() const noexcept { return id_; }

  private:
    ::pid_t id_ = ::getpid();
};

namespace core {

/// The name of this machine; empty if the system does not tell.
[[nodiscard]] std::string host_name();

/// Bytes of memory that this process may use: of the machine, or of its control group.
[[nodiscard]] std::uint64_t memory_limit();

/// Bytes of addresses that this process may use, as `ulimit -v` shows.
[[nodiscard]] std::uint64_t address_limit() noexcept;

/// A number that changes when the system is started again; 0 if it does not tell.
[[nodiscard]] std::uint64_t boot_identity();

}  // namespace core

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/os/process.ipp>
#endif
