// SPDX-License-Identifier: BSD-3-Clause
// Files that a writer has put and no commit names yet.
#pragma once

#include <ndkeep/os/names.hpp>
#include <ndkeep/store/place.hpp>
#include <ndkeep/store/table.hpp>
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

/// New files under names of one writer's own.
///
/// The destructor leaves them; whoever owns this removes or releases them, in the process that put them.
class staged_files {
  public:
    /// @param dataset  whose files they are; see is_staged_name
    staged_files(place& where, std::string_view dataset)
        : place_(where), writer_(writer_word(random_bits(), dataset)) {}

    /// Puts a file under a new name, and returns it. Several threads may do so.
    /// @param row  at which its rows begin: decoration, for people who look at the directory
    [[nodiscard]] std::string put(place::parts bytes, std::uint64_t row, std::string_view ending = ".npy");

    /// Makes those of the files durable that are wanted; the others have failed to be put, or were merged away since.
    void sync(const std::set<std::string>& wanted);
    /// @throws conflict_error  it has been swept
    void sync(const std::string& name);
    /// Where nothing is synced: whether they are still there.
    /// @throws conflict_error  one has been swept
    void check(const std::set<std::string>& wanted);
    /// Makes the names durable, if there are new ones.
    void sync_names();
    /// Whether a sync has failed: the bytes may be gone, and another sync would not say so.
    [[nodiscard]] bool has_failed() const noexcept { return failed_; }

    [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }

    /// From now on they are nobody's here.
    std::vector<std::string> release() noexcept;
    /// Removes all of them, as far as they can be removed; others will be swept.
    void remove() noexcept;

  private:
    [[noreturn]] void missing(const std::string& name) const;

    void forget(const std::string& name);

    /// Noted before the file is there, so that it is removed also where nobody heard that it was put.
    [[nodiscard]] std::string new_name(std::uint64_t row, std::string_view ending);

    /// A sync that fails is never to be believed when it is tried again.
    template <class Sync>
    void once(Sync&& sync) {
        failed_ = true;
        sync();
        failed_ = false;
    }

    place& place_;
    std::string writer_;
    std::mutex mutex_;  // of what follows
    std::uint64_t counter_ = 0;
    std::vector<std::string> names_;
    std::size_t synced_ = 0;  // of the names, those before
    std::atomic<bool> names_unsynced_ = false;
    bool failed_ = false;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/store/staged_files.ipp>
#endif
