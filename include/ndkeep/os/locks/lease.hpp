// SPDX-License-Identifier: BSD-3-Clause
// The lease of the writers of a directory that is a database. Writers of single files share it, a database has it
// alone.
#pragma once

#include <ndkeep/os/locks/byte_locks.hpp>
#include <ndkeep/version.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI {

namespace core {

/// Whether the directory of a file is a database, with a folder `.ndkeep`.
[[nodiscard]] bool is_in_database(const std::filesystem::path& file) noexcept;

}  // namespace core

namespace detail {

// Names in the directory of a database, and the byte of the lock file that is the lease.
inline constexpr std::string_view database_folder = ".ndkeep", locks_name = "lock", segment_prefix = "log-";
inline constexpr std::uint64_t lease_byte = 0;

/// The lease of the database in whose directory a file is, shared, until destruction. Nothing if it is no database.
class shared_lease {
  public:
    shared_lease() = default;
    /// @throws conflict_error  a database has the directory open for writing, or has commits that are not in its files
    explicit shared_lease(const std::filesystem::path& file);

  private:
    std::optional<byte_locks> held_;
};

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/os/locks/lease.ipp>
#endif
