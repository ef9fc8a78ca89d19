// SPDX-License-Identifier: BSD-3-Clause
// Replacing a file whole: written beside under one locked name, then renamed, so the final name never holds a part.
#pragma once

#include <ndkeep/os/file.hpp>
#include <ndkeep/os/writer_lock.hpp>
#include <ndkeep/version.hpp>

#include <filesystem>

namespace ndkeep::inline NDKEEP_ABI {

/// A new content for one file name, written beside it and put in its place by `commit()`.
///
/// Destroyed without commit, nothing has happened; killed at any instant, the name holds the old or the new content.
class replacement : public writer_lock {
  public:
    explicit replacement(const std::filesystem::path& target) : replacement(writer_lock(target)) {}
    /// Goes on under a lock that is already held.
    explicit replacement(writer_lock&& lock);
    replacement(replacement&&) noexcept = default;
    ~replacement();

    /// The file to write into; empty at first.
    [[nodiscard]] file& content() noexcept { return is_borrowed_ ? content_ : beside_; }

    /// Ends the writing: late write errors are reported, and with `durable` it waits for the disk. The stamp it returns
    /// is the one the file will have under its final name.
    file_stamp seal(bool durable);

    /// Gives the content that is there now a second name, in place of what has that name. The file itself stays where
    /// it is, and at every instant both names hold a whole one. To be followed by `commit`.
    void keep_former_as(const std::filesystem::path& name);

    /// Puts the new content under the final name: the commit point. With `durable`, it also survives a power cut.
    /// Returns the file, still open.
    /// @throws io_error  nothing has changed; or, where it says so, the new content is visible and not durable yet
    file commit(bool durable);

    /// The same where the name must still be free.
    /// @throws io_error  with `std::errc::file_exists`: somebody else was first
    file commit_new(bool durable);

  private:
    /// Content beside a lock that belongs to another user. A file of this user under its name was left by a killed
    /// writer, because the lock is held.
    void create_content();

    /// Everything that can be refused while nothing has changed.
    void prepare(bool durable);

    void copy_to(const std::filesystem::path& name);

    [[nodiscard]] file committed(bool durable);

    void sync_target_directory() const;

    std::filesystem::path written_as_;
    file content_;  // if the lock is borrowed
    bool sealed_ = false;
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/os/replace.ipp>
#endif
