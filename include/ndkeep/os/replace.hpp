// SPDX-License-Identifier: BSD-3-Clause
// Atomic replacement of a file: new content in a locked temporary file, put in place by a rename.
//
// 1. Take the lock of `.NAME.ndk` (see writer_lock.hpp). The locked file also receives the new content. If it belongs
//    to another user, or more users may read it than may read NAME, the content goes to `.NAME.ndk.USER` instead.
//    Copy owner, mode and extended attributes of NAME to the file with the content.
// 2. Write the content. With `durable`, sync it: otherwise NAME could be an empty or partial file after a power cut.
// 3. Check that the temporary name still leads to the file that was written.
// 4. Rename it to NAME: the commit point. Readers see the old or the new content, never a part.
// 5. With `durable`, sync the directory: until then, a power cut can bring the old content back.
#pragma once

#include <ndkeep/os/durability.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/locks/writer_lock.hpp>
#include <ndkeep/version.hpp>

#include <filesystem>

namespace ndkeep::inline NDKEEP_ABI {

/// New content for a file, written to a temporary file in the same directory and put in place by `commit()`.
///
/// Destruction without `commit()` leaves the file as it was. If the process is killed at any instant, the name leads to
/// the complete old or the complete new content. The new file gets the mode of the old one, its owner and its extended
/// attributes as far as permitted. A second hard link of the old file keeps the old content.
class replacement {
  public:
    /// Waits for the lock as `writer_lock` does, and throws the same errors.
    explicit replacement(const std::filesystem::path& target, read_only_files wanted = read_only_files::refuse)
        : replacement(writer_lock(target, wanted)) {}
    /// Takes over a lock that is already held.
    /// @throws io_error  the file for the new content cannot be created, or does not get the mode of the old one
    explicit replacement(writer_lock&& lock);
    replacement(replacement&&) noexcept = default;
    ~replacement();

    /// As of `writer_lock`.
    [[nodiscard]] const std::filesystem::path& target() const noexcept { return lock_.target(); }
    [[nodiscard]] bool target_exists() const noexcept { return lock_.target_exists(); }
    [[nodiscard]] bool target_is_reserved() const noexcept { return lock_.target_is_reserved(); }
    void check_process() const { lock_.check_process(); }

    /// The file to write the new content into. Empty at first, open for reading and writing.
    [[nodiscard]] file& content() noexcept { return is_separate_ ? content_ : lock_.held(); }

    /// Ends the writing and reports late write errors. With `durable`, waits until the content is on the disk. Returns
    /// the stamp, which the file keeps under its final name.
    /// @throws io_error        the content was not written in full
    /// @throws conflict_error  this is a copy in a forked child
    file_stamp seal(durability wanted);

    /// Keeps the present file under a second name, and replaces what has that name. Call it right before `commit`.
    /// Nothing happens if the file is absent or an empty reservation.
    ///
    /// The present file keeps its own name too. At every instant, each of the two names leads to a complete file or is
    /// as it was before.
    /// @throws io_error        the present file is as it was; the other name has its old or its new content
    /// @throws conflict_error  this is a copy in a forked child
    void keep_former_as(const std::filesystem::path& name);

    /// Renames the new content to the final name, which is the commit point. Calls `seal` first if the caller has not.
    /// Returns the file, still open and no longer locked.
    /// @param durable  also syncs the directory, so that the new content survives a power cut
    /// @throws io_error        the file is unchanged; or, if the error says so, the new content is visible but may not
    ///                         survive a power cut
    /// @throws conflict_error  this is a copy in a forked child
    file commit(durability wanted);

    /// The same, but the name must not exist yet.
    /// @throws io_error  as `commit`; with `std::errc::file_exists` if another program created the name first
    file commit_new(durability wanted);

  private:
    /// Gives a file owner, if permitted, and mode of another.
    static void give(const file& to, const struct stat& model);

    /// Whether the content must not be written into the lock file, which is created with the mode of the umask.
    /// Restricting it afterwards is too late: another user could have opened it before, and read all that follows.
    [[nodiscard]] bool must_be_separate() const;

    /// Creates a separate file for the content, which only this user may read. The lock is held, so a file of this user
    /// that already has this name was left by a killed writer, and is removed.
    void create_content();

    /// Gives the content file owner and mode of the model, and the extended attributes of the former file.
    void copy_attributes();

    /// Does everything that can fail before the commit point (steps 2 and 3).
    void prepare(durability wanted);

    /// Copies the present file where hard links are not supported.
    void copy_to(const std::filesystem::path& name);

    /// Does what follows the commit point: unlocks, and syncs the directory (step 5).
    [[nodiscard]] file committed(durability wanted);

    /// @throws io_error  the rename failed; says why
    [[noreturn]] void fail_to_rename() const;

    /// @throws io_error  says that the new content is visible, because the rename has already happened
    void sync_target_directory() const;

    writer_lock lock_;                  // declared first, so that it is released last
    std::filesystem::path written_as_;  // the temporary name of `content()`
    file content_;                      // open only if the content is not in the lock file
    bool is_separate_ = false;          // the content is, or was, in `content_`
    bool sealed_ = false;
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/os/replace.ipp>
#endif
