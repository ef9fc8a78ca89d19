// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/os/replace.hpp>.
#pragma once

#include <ndkeep/os/replace.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/os/process.hpp>

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE replacement::replacement(writer_lock&& lock) : lock_(std::move(lock)), written_as_(lock_.held_as()) {
    is_separate_ = must_be_separate();
    if (is_separate_)
        create_content();
    try {
        copy_attributes();
    } catch (...) {
        // The destructor does not run.
        if (is_separate_)
            ::unlink(written_as_.c_str());
        throw;
    }
}

NDKEEP_INLINE replacement::~replacement() {
    // Only a separate content file: `lock_` removes the lock file. After a commit, `content_` is not open. If the
    // name leads to another file by now, that file belongs to another writer.
    if (content_.is_open() && lock_.is_of_this_process() && writer_lock::is_named(content_, written_as_))
        ::unlink(written_as_.c_str());
}

NDKEEP_INLINE file_stamp replacement::seal(durability wanted) {
    check_process();
    if (wanted == durability::on_disk)
        content().sync();
    else
        content().settle();
    sealed_ = true;
    return content().stamp();
}

NDKEEP_INLINE void replacement::keep_former_as(const std::filesystem::path& name) {
    check_process();
    if (!target_exists() || target_is_reserved())
        return;
    // Link and rename, so that the target has its name at every instant. If it were renamed away first, a kill would
    // leave no file under its name.
    const std::filesystem::path link = detail::beside(target(), ".prv");
    // One that a killed process left would make `link` fail.
    remove_file(link);
    if (::link(target().c_str(), link.c_str()) != 0) {
        if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK)
            throw io_error(target(), "cannot keep the former content of", detail::last_error());
        copy_to(link);  // the file system has no hard links
    }
    if (::rename(link.c_str(), name.c_str()) != 0)
        throw io_error(name, "cannot replace", detail::last_error());
    // After a kill between this function and `commit`, both names lead to one inode, and the rename then does nothing
    // (POSIX, rename). The link would stay.
    remove_file(link);
}

NDKEEP_INLINE file replacement::commit(durability wanted) {
    prepare(wanted);
    // step 4
    if (::rename(written_as_.c_str(), target().c_str()) != 0)
        fail_to_rename();
    return committed(wanted);
}

NDKEEP_INLINE file replacement::commit_new(durability wanted) {
    prepare(wanted);
    // Plain rename would replace a file that another program created since the last check. One call must do both.
#if defined(RENAME_NOREPLACE)
    if (::renameat2(AT_FDCWD, written_as_.c_str(), AT_FDCWD, target().c_str(), RENAME_NOREPLACE) == 0)
        return committed(wanted);
    if (errno != EINVAL && errno != ENOSYS)
        throw io_error(target(), "cannot create", detail::last_error());
#endif
    // The file system does not know the flag. A link also fails if the name exists. A kill before the unlink leaves a
    // second name of the finished file, which the next writer removes without writing into it.
    if (::link(written_as_.c_str(), target().c_str()) != 0)
        throw io_error(target(), "cannot create", detail::last_error());
    ::unlink(written_as_.c_str());
    return committed(wanted);
}

NDKEEP_INLINE void replacement::copy_attributes() {
    if (target_exists())
        detail::copy_extended_attributes(target(), content());
    // After the access control list, whose mask is the part of the mode that is about the group.
    if (const auto& model = lock_.model()) {
        detail::copy_access_list(lock_.model_path(), content());
        give(content(), *model);
    }
}

NDKEEP_INLINE void replacement::give(const file& to, const struct stat& model) {
    const auto status = to.status();
    const bool has_owner = status.st_uid == model.st_uid && status.st_gid == model.st_gid;
    // The owner first, because a change of owner clears the set-user-ID bits. As a rule only the superuser may change
    // it. For others a refusal is no error: the new file is theirs.
    if (!has_owner) {
        [[maybe_unused]] const int refused = ::fchown(to.descriptor(), model.st_uid, model.st_gid);
    }
    constexpr mode_t bits = 07777;
    if ((!has_owner || (status.st_mode & bits) != (model.st_mode & bits)) &&
        ::fchmod(to.descriptor(), model.st_mode & bits) != 0)
        to.fail("cannot set the mode of");
}

NDKEEP_INLINE void replacement::fail_to_rename() const {
    const auto why = detail::last_error();
    if (why == std::errc::device_or_resource_busy)
        throw io_error(target(), "cannot replace: it is a mount point, whose name no other file can take", why);
    throw io_error(target(), "cannot replace", why);
}

NDKEEP_INLINE bool replacement::must_be_separate() const {
    const auto& model = lock_.model();
    if (lock_.is_borrowed() || !model)
        return lock_.is_borrowed();
    const auto status = lock_.held().status();
    constexpr mode_t permissions = 0666, others = 0004;
    const bool same_owner = status.st_uid == model->st_uid && status.st_gid == model->st_gid;
    // What a directory gives to its files by default, the mode does not show in full.
    return (status.st_mode & permissions & ~model->st_mode) != 0 ||
           ((model->st_mode & others) == 0 && (!same_owner || detail::has_access_list(lock_.held())));
}

NDKEEP_INLINE void replacement::create_content() {
    written_as_ = detail::beside_of_user(target());
    // Mode and owner are set before anything is written.
    constexpr mode_t of_owner = 0600;
    const mode_t mode = lock_.model() ? of_owner : file::default_mode;
    auto fresh = file::create_exclusive(written_as_, target(), mode);
    // Removed and created again, not truncated: it may be a second name of a finished file.
    if (!fresh && detail::is_own_file(written_as_)) {
        remove_file(written_as_);
        fresh = file::create_exclusive(written_as_, target(), mode);
    }
    if (!fresh)
        throw io_error(written_as_, "cannot create", std::make_error_code(std::errc::file_exists));
    content_ = std::move(*fresh);
}

NDKEEP_INLINE void replacement::prepare(durability wanted) {
    check_process();
    if (!sealed_)
        seal(wanted);
    // Step 3. If another program removed the name meanwhile, a second writer may have created it again. The rename
    // would then publish the unfinished content of that writer.
    if (!writer_lock::is_named(content(), written_as_))
        throw io_error(target(),
                       "cannot replace: " + quoted(written_as_.filename().native()) +
                           " was removed or replaced by another program",
                       std::make_error_code(std::errc::no_such_file_or_directory));
}

NDKEEP_INLINE void replacement::copy_to(const std::filesystem::path& name) {
    auto copy = file::create_exclusive(name, name, 0600);
    if (!copy)
        throw io_error(name, "cannot create", std::make_error_code(std::errc::file_exists));
    const file from = file::open(target());
    copy->copy(from, 0, 0, from.size());
    give(*copy, from.status());
    // Before the rename, so that a power cut cannot leave an empty or partial copy under the second name.
    copy->sync();
}

NDKEEP_INLINE file replacement::committed(durability wanted) {
    file done = std::move(content());  // so that the destructor has nothing to remove
    // The inode is the target now. A child that was forked meanwhile has a copy of the descriptor, which would keep the
    // lock without this call.
    done.unlock();
    // A separate lock file still has its name: the next writer need not wait until this object is destroyed.
    if (is_separate_)
        lock_.release();
    if (wanted == durability::on_disk)
        sync_target_directory();
    return done;
}

NDKEEP_INLINE void replacement::sync_target_directory() const {
    const auto directory = target().parent_path();
    try {
        sync_directory(directory);
    } catch (const io_error& problem) {
        throw io_error(directory.empty() ? "." : directory, "cannot sync the directory", problem.code(),
                       quoted(target().filename().native()) +
                           " has its new content, which may not survive a power cut");
    }
}

}  // namespace ndkeep
