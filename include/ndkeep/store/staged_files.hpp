// SPDX-License-Identifier: BSD-3-Clause
// Staged files: files in `chunks` that one writer has put and no commit names yet.
#pragma once

#include <ndkeep/os/names.hpp>
#include <ndkeep/store/layout.hpp>
#include <ndkeep/store/place.hpp>
#include <ndkeep/version.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The staged files of one writer, under names that no other writer uses.
///
/// The destructor leaves the files, because only the owner knows whether a record names them. The owner calls `remove`
/// or `release`, and `remove` only in the process that put the files.
class staged_files {
  public:
    /// @param dataset  id of the dataset, which the names depend on; see is_staged_name
    /// @throws io_error  no random bits
    staged_files(place& where, std::string_view dataset)
        : place_(where), writer_(writer_word(random_bits(), dataset)) {}

    /// Puts a file under a new name, and returns the name. The file is not durable before `sync`. Several threads may
    /// call it.
    /// @param row  its first row, for the name only
    /// @throws io_error  the file cannot be put; it may exist nevertheless, and stays in `names()`
    [[nodiscard]] std::string put(place::parts bytes, std::uint64_t row, std::string_view ending = ".npy");

    /// Makes the files in `wanted` durable that were staged since the last call. Other staged files are left out: their
    /// put has failed, so they may be absent, or a merge has replaced them.
    void sync(const std::set<std::string>& wanted);
    /// Makes one file durable.
    /// @throws conflict_error  the file was swept
    /// @throws io_error        the sync has failed: `has_failed()` is true from now on
    void sync(const std::string& name);
    /// Checks that the files in `wanted` are present: for commits without sync, where no sync would notice.
    /// @throws conflict_error  a file was swept
    void check(const std::set<std::string>& wanted);
    /// Makes the names durable, if there are new ones since the last call.
    /// @throws io_error  the sync has failed: `has_failed()` is true from now on
    void sync_names();
    /// Whether a sync has failed. The bytes may be lost, and another sync may succeed all the same, so the files cannot
    /// be committed any more.
    [[nodiscard]] bool has_failed() const noexcept { return failed_; }

    /// The names put so far, also those whose put has failed or is running.
    [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }

    /// Gives up the files without removing them, and returns their names.
    std::vector<std::string> release() noexcept;
    /// Removes the files. Errors are ignored: what is left is an orphan, which a sweep removes.
    void remove() noexcept;

  private:
    /// @throws conflict_error  always: the file was removed by another program
    [[noreturn]] void missing(const std::string& name) const;

    /// Drops a name that another writer's file has.
    void forget(const std::string& name);

    /// Makes a name. It is recorded before the put, so that the file is removed even if the put's outcome is unknown.
    [[nodiscard]] std::string new_name(std::uint64_t row, std::string_view ending);

    /// Runs a sync that must not be tried again. After a failed fsync, the kernel may have dropped the unwritten bytes,
    /// and the next fsync succeeds without them.
    template <class Sync>
    void once(Sync&& sync) {
        failed_ = true;
        sync();
        failed_ = false;
    }

    place& place_;
    std::string writer_;
    std::mutex mutex_;  // guards the counter and the names while several threads put
    std::uint64_t counter_ = 0;
    std::vector<std::string> names_;
    std::size_t synced_ = 0;  // names below this index were synced or checked, or are not wanted
    std::atomic<bool> names_unsynced_ = false;
    bool failed_ = false;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/store/staged_files.ipp>
#endif
