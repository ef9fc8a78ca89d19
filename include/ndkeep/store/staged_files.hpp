// SPDX-License-Identifier: BSD-3-Clause
// Files that a writer has put and no commit names yet.
#pragma once

#include <ndkeep/store/table.hpp>

#include <atomic>
#include <mutex>
#include <set>

namespace ndkeep::detail {

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
    [[nodiscard]] std::string put(place::parts bytes, std::uint64_t row, std::string_view ending = ".npy") {
        for (;;) {
            std::string name = new_name(row, ending);
            const bool is_new = place_.put("chunks/" + name, bytes, false);
            names_unsynced_ = true;
            if (is_new)
                return name;
            forget(name);  // another writer's
        }
    }

    /// Makes those of the files durable that are wanted; the others have failed to be put, or were merged away since.
    void sync(const std::set<std::string>& wanted) {
        for (; synced_ < names_.size(); ++synced_)
            if (wanted.count(names_[synced_]) != 0)
                sync(names_[synced_]);
    }
    /// @throws conflict_error  it has been swept
    void sync(const std::string& name) {
        once([&] {
            try {
                place_.sync("chunks/" + name);
            } catch (const io_error& problem) {
                if (problem.code() != std::errc::no_such_file_or_directory)
                    throw;
                failed_ = false;  // the disk is not to blame
                missing(name);
            }
        });
    }
    /// Where nothing is synced: whether they are still there.
    /// @throws conflict_error  one has been swept
    void check(const std::set<std::string>& wanted) {
        for (; synced_ < names_.size(); ++synced_)
            if (wanted.count(names_[synced_]) != 0 && !place_.size("chunks/" + names_[synced_]))
                missing(names_[synced_]);
    }
    /// Makes the names durable, if there are new ones.
    void sync_names() {
        if (names_unsynced_)
            once([&] { place_.sync_names("chunks"); });
        names_unsynced_ = false;
    }
    /// Whether a sync has failed: the bytes may be gone, and another sync would not say so.
    [[nodiscard]] bool has_failed() const noexcept { return failed_; }

    [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }

    /// From now on they are nobody's here.
    std::vector<std::string> release() noexcept {
        synced_ = 0;
        return std::exchange(names_, {});
    }
    /// Removes all of them, as far as they can be removed; others will be swept.
    void remove() noexcept {
        for (const auto& name : release()) {
            try {
                place_.remove("chunks/" + name);
            } catch (...) {
                // It will be swept.
            }
        }
    }

  private:
    [[noreturn]] void missing(const std::string& name) const {
        throw conflict_error({.file = place_.called("chunks/" + name),
                              .field = "staged file",
                              .expected = "present",
                              .found = "removed by another program"});
    }

    void forget(const std::string& name) {
        const std::scoped_lock lock(mutex_);
        std::erase(names_, name);
    }

    /// Noted before the file is there, so that it is removed also where nobody heard that it was put.
    [[nodiscard]] std::string new_name(std::uint64_t row, std::string_view ending) {
        const std::scoped_lock lock(mutex_);
        std::string digits = std::to_string(row);
        constexpr std::size_t width = 12;
        digits.insert(0, width - std::min(width, digits.size()), '0');
        names_.push_back(digits + '-' + writer_ + '-' + std::to_string(counter_++) + std::string(ending));
        return names_.back();
    }

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
