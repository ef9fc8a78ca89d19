// SPDX-License-Identifier: BSD-3-Clause
// The lock that serialises the writers of one file name.
//
// The lock is a file `.NAME.ndk` in the same directory. It cannot be NAME itself, which may not exist yet, and which
// every commit replaces by another inode.
//
// 1. Create `.NAME.ndk` exclusively and lock it with flock(2). That needs no write access, so it works between users as
//    well. The process that created the file may write new content into it and rename it to NAME.
// 2. If the name exists, open it without following links and wait for its lock. Then check that the name still leads to
//    the locked inode: the former holder may have renamed it to NAME, or removed it. If it does not, start again. If
//    this user cannot open the file, wait until it changes or disappears.
// 3. A file that is now locked under its name was left by a killed writer. Remove it and start again. Do not reuse it:
//    it may be a second name of the finished file, and it may have the mode of another file.
// 4. If the file belongs to another user, keep it and use it as the lock only. New content goes to another name.
// 5. If the lock cannot be obtained, throw: nothing is written without it.
#pragma once

#include <ndkeep/os/file.hpp>
#include <ndkeep/os/locks/lease.hpp>
#include <ndkeep/os/process.hpp>
#include <ndkeep/version.hpp>

#include <chrono>
#include <filesystem>
#include <optional>
#include <system_error>

#include <sys/stat.h>

namespace ndkeep::inline NDKEEP_ABI {

/// Removes a file. Does nothing if it is absent.
/// @throws io_error  it cannot be removed
void remove_file(const std::filesystem::path& path);

/// How long a writer waits for another user to release the lock; and how long for a change of a lock file that it
/// cannot open. Without limits, one user could block another's writers forever.
inline constexpr std::chrono::seconds patience_with_others{30}, patience_with_closed_locks{5};

/// Whether a file that this user may not write is replaced all the same, where the directory permits it.
enum class read_only_files { refuse, replace };

/// The option `.replace_read_only` of many calls.
[[nodiscard]] constexpr read_only_files read_only_files_of(bool replace) noexcept {
    return replace ? read_only_files::replace : read_only_files::refuse;
}

/// Checks that this user may write the file `path`; nothing is checked if it is absent.
/// @throws io_error  it is write-protected, and `wanted` is `refuse`
void check_writable(const std::filesystem::path& path, read_only_files wanted);

/// The lock of one file name, held until destruction.
///
/// Concurrent writers of one name are serialised, also between users. A lock file that a killed writer left is removed
/// by the next writer of the same user. A copy in a forked child does not hold the lock and does not release it. A
/// second lock of the same name in one thread deadlocks.
class writer_lock {
  public:
    /// Waits for the lock: without limit if the lock file belongs to this user, otherwise for `patience_with_others`.
    /// @param target  the file to write. Symbolic links are followed; it need not exist
    /// @throws io_error  the directory is not writable; `target` exists and is not a regular file; the name of the lock
    ///                   is taken by something else; another user did not release the lock in time; or `target` is
    ///                   write-protected, and `wanted` is `refuse`
    /// @throws conflict_error  the directory is a database that is open for writing
    /// @param like  a file whose mode and owner `target` gets if it exists; empty: `target` keeps its own
    explicit writer_lock(const std::filesystem::path& target, read_only_files wanted = read_only_files::refuse,
                         const std::filesystem::path& like = {});
    writer_lock(writer_lock&&) noexcept = default;
    writer_lock& operator=(writer_lock&&) = delete;
    ~writer_lock() { release(); }

    /// Releases the lock before the destruction.
    void release() noexcept;

    /// The path of the file to write, with symbolic links resolved.
    [[nodiscard]] const std::filesystem::path& target() const noexcept { return target_; }
    /// Whether the file existed when the lock was taken.
    [[nodiscard]] bool target_exists() const noexcept { return former_.has_value(); }
    /// Whether the file existed and was empty: a name that `next_name` has reserved.
    [[nodiscard]] bool target_is_reserved() const noexcept { return former_ && former_->st_size == 0; }
    /// Checks that this is not a copy in a forked child.
    /// @throws conflict_error  it is
    void check_process() const { owner_.check(target_); }
    /// Whether this is not a copy in a forked child.
    [[nodiscard]] bool is_of_this_process() const noexcept { return owner_.is_this(); }

    /// The status of the file when the lock was taken; nullopt if it did not exist.
    [[nodiscard]] const std::optional<struct stat>& former() const noexcept { return former_; }
    /// The status of the file whose mode and owner the new file gets; nullopt: those that the system gives to new
    /// files.
    [[nodiscard]] const std::optional<struct stat>& model() const noexcept { return model_; }
    /// The path of that file.
    [[nodiscard]] const std::filesystem::path& model_path() const noexcept { return like_exists_ ? like_ : target_; }
    /// The lock file, and its path. If it is not borrowed, its holder may write new content into it, rename it to the
    /// target and move it out.
    [[nodiscard]] file& held() noexcept { return beside_; }
    [[nodiscard]] const file& held() const noexcept { return beside_; }
    [[nodiscard]] const std::filesystem::path& held_as() const noexcept { return name_; }
    /// Whether the lock file belongs to another user: do not write into it, do not rename it.
    [[nodiscard]] bool is_borrowed() const noexcept { return is_borrowed_; }

    /// Whether `name` leads to the file that is open as `held`: same inode on the same device, links not followed.
    [[nodiscard]] static bool is_named(const file& held, const std::filesystem::path& name) noexcept;

  private:
    /// Runs steps 1 to 5.
    void acquire();

    /// Locks a file that was just created (step 1). Returns false if another writer was faster and locked or removed
    /// it.
    [[nodiscard]] bool lock_fresh();

    /// Waits for a lock file that this user cannot open, so that its lock cannot be tested (step 2). A working writer
    /// changes the file or gives it up; a killed one does neither.
    /// @throws io_error  it did not change within `patience_with_closed_locks`
    void wait_for_change() const;

    /// Waits for the lock of an existing lock file (step 2). Returns false if the name no longer leads to this file.
    [[nodiscard]] bool wait_for_lock();

    /// Runs steps 3 and 4. Returns false if the lock file is kept.
    [[nodiscard]] bool remove_leftover();

    /// Throws the error of step 5, which names what has the name of the lock.
    [[noreturn]] void refuse(const std::error_code& why) const;

    /// Reads the status of the target again.
    void look_at_target();

    /// @throws io_error  the target exists, and is not a regular file or is write-protected
    void check_former() const;

    detail::shared_lease lease_;         // declared first: no file is locked while a database writes
    file beside_;                        // the lock file
    std::filesystem::path name_;         // the path of `beside_`
    bool is_borrowed_ = false;           // `beside_` belongs to another user
    std::optional<struct stat> former_;  // status of the target; declared before `target_`, whose initialiser sets it
    std::filesystem::path target_;
    std::filesystem::path like_;
    bool like_exists_ = false;
    std::optional<struct stat> model_;
    read_only_files wanted_;
    owning_process owner_;
};

namespace detail {

/// Holds the lock of an open file, which all its hard links share. `writer_lock` is the lock of one name. Writers that
/// change a file in place need both.
class file_lock {
  public:
    /// Waits for `patience_with_others`.
    /// @param held  outlives the lock
    /// @throws io_error  another process keeps the file locked
    explicit file_lock(const file& held);
    file_lock(const file_lock&) = delete;
    file_lock& operator=(const file_lock&) = delete;
    ~file_lock();

  private:
    const file& held_;
    owning_process owner_;
};

/// The lock of the name of a file that grows in place; nullopt if the directory is not writable and the file is. The
/// lock of the file must do then: no rename by this user is possible, but the owner of the directory may replace the
/// file meanwhile.
[[nodiscard]] std::optional<writer_lock> lock_to_grow(const std::filesystem::path& path);

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/os/locks/writer_lock.ipp>
#endif
