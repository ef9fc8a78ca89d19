// SPDX-License-Identifier: BSD-3-Clause
// Replacements of the C library's file calls, with the faults of faults.hpp. Exactly one source of a program includes
// it. Linux only.
#pragma once

#include "support/faults.hpp"

#include <algorithm>
#include <cstdarg>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#if defined(__SANITIZE_ADDRESS__)
#define NDKEEP_TESTS_ADDRESSES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NDKEEP_TESTS_ADDRESSES 1
#endif
#endif
#if defined(NDKEEP_TESTS_ADDRESSES)
#include <sanitizer/asan_interface.h>
#endif

// Separate C++ names avoid conflicts with the declarations of the C functions in system headers.
extern "C" {
int faulty_open(const char* path, int flags, ...) __asm__("open");
int faulty_openat(int directory, const char* path, int flags, ...) __asm__("openat");
int faulty_linkat(int from_directory, const char* from, int to_directory, const char* to, int flags) __asm__("linkat");
int faulty_unlinkat(int directory, const char* path, int flags) __asm__("unlinkat");
int faulty_mkdir(const char* path, mode_t mode) __asm__("mkdir");
int faulty_mkdirat(int directory, const char* path, mode_t mode) __asm__("mkdirat");
int faulty_close(int descriptor) __asm__("close");
ssize_t faulty_pread(int descriptor, void* out, std::size_t length, off_t offset) __asm__("pread");
ssize_t faulty_pwrite(int descriptor, const void* bytes, std::size_t length, off_t offset) __asm__("pwrite");
ssize_t faulty_copy_file_range(int from, off_t* from_offset, int to, off_t* to_offset, std::size_t length,
                               unsigned flags) __asm__("copy_file_range");
int faulty_ftruncate(int descriptor, off_t length) __asm__("ftruncate");
int faulty_fallocate(int descriptor, int mode, off_t offset, off_t length) __asm__("fallocate");
int faulty_fsync(int descriptor) __asm__("fsync");
int faulty_fdatasync(int descriptor) __asm__("fdatasync");
int faulty_fchmod(int descriptor, mode_t mode) __asm__("fchmod");
int faulty_fchown(int descriptor, uid_t owner, gid_t group) __asm__("fchown");
int faulty_rename(const char* from, const char* to) __asm__("rename");
int faulty_renameat(int from_directory, const char* from, int to_directory, const char* to) __asm__("renameat");
int faulty_renameat2(int from_directory, const char* from, int to_directory, const char* to,
                     unsigned flags) __asm__("renameat2");
int faulty_link(const char* from, const char* to) __asm__("link");
int faulty_unlink(const char* path) __asm__("unlink");
int faulty_fcntl(int descriptor, int command, ...) __asm__("fcntl");
int faulty_flock(int descriptor, int operation) __asm__("flock");
void* faulty_mmap(void* wanted, std::size_t length, int protection, int flags, int descriptor,
                  off_t offset) __asm__("mmap");
int faulty_msync(void* begin, std::size_t length, int flags) __asm__("msync");
}

namespace faults {

template <class... Argument>
[[nodiscard]] auto system_call(long number, Argument... arguments) {
    return ::syscall(number, arguments...);
}

[[nodiscard]] inline std::string path_of(int descriptor) {
    char path[4096];
    const auto length = ::readlink(("/proc/self/fd/" + std::to_string(descriptor)).c_str(), path, sizeof path);
    return {path, static_cast<std::size_t>(std::max<ssize_t>(0, length))};
}

/// Checks the buffer of a call, because the sanitizer's own checks are bypassed by these replacements.
inline void look_at(const void* bytes, std::size_t length) {
#if defined(NDKEEP_TESTS_ADDRESSES)
    if (length != 0 && __asan_region_is_poisoned(const_cast<void*>(bytes), length) != nullptr)
        __builtin_trap();
#else
    (void)bytes;
    (void)length;
#endif
}

/// Whether a write makes the file longer. Otherwise it needs no disk space.
[[nodiscard]] inline bool lengthens(int descriptor, std::size_t length, off_t offset) {
    struct stat status = {};
    return ::fstat(descriptor, &status) != 0 || offset + static_cast<off_t>(length) > status.st_size;
}

/// The absolute path of an entry of an open directory.
[[nodiscard]] inline std::string path_in(int directory, const char* name) {
    return directory == AT_FDCWD || *name == '/' ? name : path_of(directory) + '/' + name;
}

/// Tells the witness about a call that has succeeded, with the identity of the file behind a descriptor.
inline void note(std::string name, int descriptor, std::uint64_t offset = 0, std::span<const std::byte> bytes = {}) {
    struct stat status = {};
    if (!witness::is_listening() || ::fstat(descriptor, &status) != 0)
        return;
    if (S_ISDIR(status.st_mode))
        name += " of a directory";
    witness::tell({std::move(name), path_of(descriptor), {}, status.st_ino, offset, bytes});
}

/// The same for a call that changes names.
inline void note_name(std::string name, const std::string& path, std::string from = {}) {
    struct stat status = {};
    if (witness::is_listening())
        witness::tell(
            {std::move(name), path, std::move(from), ::lstat(path.c_str(), &status) == 0 ? status.st_ino : 0, 0, {}});
}

[[nodiscard]] inline std::size_t half(std::size_t length) { return std::max<std::size_t>(1, length / 2); }

}  // namespace faults

int faulty_open(const char* path, int flags, ...) {
    std::va_list rest;
    va_start(rest, flags);
    const unsigned mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, unsigned) : 0;
    va_end(rest);
    const bool creates = (flags & O_CREAT) != 0;
    const auto what = creates ? faults::kind::changes : faults::kind::reads;
    if (faults::session::before(what, creates, {creates ? "create" : "open", path}) == faults::effect::fail)
        return -1;
    return static_cast<int>(faults::system_call(SYS_openat, AT_FDCWD, path, flags, mode));
}

int faulty_openat(int directory, const char* path, int flags, ...) {
    std::va_list rest;
    va_start(rest, flags);
    const bool creates = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
    const unsigned mode = creates ? va_arg(rest, unsigned) : 0;
    va_end(rest);
    const auto what = creates ? faults::kind::changes : faults::kind::reads;
    if (faults::session::before(what, creates, {creates ? "create" : "open", path}) == faults::effect::fail)
        return -1;
    const auto opened = static_cast<int>(faults::system_call(SYS_openat, directory, path, flags, mode));
    if (opened >= 0 && (flags & O_CREAT) != 0)
        faults::note("create", opened);
    return opened;
}

int faulty_linkat(int from_directory, const char* from, int to_directory, const char* to, int flags) {
    if (faults::session::before(faults::kind::changes, true, {"link", to}) == faults::effect::fail)
        return -1;
    return static_cast<int>(faults::system_call(SYS_linkat, from_directory, from, to_directory, to, flags));
}

int faulty_unlinkat(int directory, const char* path, int flags) {
    if (faults::session::before(faults::kind::changes, false, {"unlink", path}) == faults::effect::fail)
        return -1;
    const auto result = static_cast<int>(faults::system_call(SYS_unlinkat, directory, path, flags));
    if (result == 0)
        faults::note_name("unlink", faults::path_in(directory, path));
    return result;
}

int faulty_mkdir(const char* path, mode_t mode) { return faulty_mkdirat(AT_FDCWD, path, mode); }

int faulty_mkdirat(int directory, const char* path, mode_t mode) {
    if (faults::session::before(faults::kind::changes, true, {"mkdir", path}) == faults::effect::fail)
        return -1;
    const auto result = static_cast<int>(faults::system_call(SYS_mkdirat, directory, path, mode));
    if (result == 0)
        faults::note_name("mkdir", faults::path_in(directory, path));
    return result;
}

int faulty_close(int descriptor) {
    const auto effect = faults::session::before(faults::kind::closes, false, {"close", {}});
    const int failure = errno;
    const auto result = static_cast<int>(faults::system_call(SYS_close, descriptor));
    if (effect != faults::effect::fail)
        return result;
    errno = failure;
    return -1;
}

ssize_t faulty_pread(int descriptor, void* out, std::size_t length, off_t offset) {
    faults::look_at(out, length);
    const auto effect = faults::session::before(faults::kind::reads, false, {"pread", {}, offset, length});
    if (effect == faults::effect::fail)
        return -1;
    if (effect == faults::effect::halve)
        length = faults::half(length);
    return faults::system_call(SYS_pread64, descriptor, out, length, offset);
}

ssize_t faulty_pwrite(int descriptor, const void* bytes, std::size_t length, off_t offset) {
    faults::look_at(bytes, length);
    const auto effect = faults::session::before(faults::kind::changes, faults::lengthens(descriptor, length, offset),
                                                {"pwrite", faults::path_of(descriptor), offset, length});
    if (effect == faults::effect::fail)
        return -1;
    const auto written = faults::system_call(
        SYS_pwrite64, descriptor, bytes,
        effect == faults::effect::halve || effect == faults::effect::kill_halfway ? faults::half(length) : length,
        offset);
    if (written > 0)
        faults::note("pwrite", descriptor, static_cast<std::uint64_t>(offset),
                     {static_cast<const std::byte*>(bytes), static_cast<std::size_t>(written)});
    if (effect == faults::effect::kill_halfway)
        faults::session::die();
    return written;
}

ssize_t faulty_copy_file_range(int from, off_t* from_offset, int to, off_t* to_offset, std::size_t length,
                               unsigned flags) {
    const auto effect = faults::session::before(faults::kind::changes, faults::lengthens(to, length, *to_offset),
                                                {"copy_file_range", faults::path_of(to), *to_offset, length});
    if (effect == faults::effect::fail)
        return -1;
    const auto copied = faults::system_call(
        SYS_copy_file_range, from, from_offset, to, to_offset,
        effect == faults::effect::halve || effect == faults::effect::kill_halfway ? faults::half(length) : length,
        flags);
    if (effect == faults::effect::kill_halfway)
        faults::session::die();
    return copied;
}

int faulty_ftruncate(int descriptor, off_t length) {
    if (faults::session::before(faults::kind::changes, false, {"ftruncate", faults::path_of(descriptor), length}) ==
        faults::effect::fail)
        return -1;
    const auto result = static_cast<int>(faults::system_call(SYS_ftruncate, descriptor, length));
    if (result == 0)
        faults::note("ftruncate", descriptor, static_cast<std::uint64_t>(length));
    return result;
}

int faulty_fallocate(int descriptor, int mode, off_t offset, off_t length) {
    if (faults::session::before(faults::kind::changes, true, {"fallocate", faults::path_of(descriptor), length}) ==
        faults::effect::fail)
        return -1;
    return static_cast<int>(faults::system_call(SYS_fallocate, descriptor, mode, offset, length));
}

int faulty_fsync(int descriptor) {
    if (faults::session::before(faults::kind::changes, false, {"fsync", faults::path_of(descriptor)}) ==
        faults::effect::fail) {
        faults::note("failed sync", descriptor);
        return -1;
    }
    faults::note("sync", descriptor);
    // Skips the sync, because no power is cut here and waiting for the disk would take most of the time.
    return faults::system_call(SYS_fcntl, descriptor, F_GETFD, 0) < 0 ? -1 : 0;
}

int faulty_fdatasync(int descriptor) {
    if (faults::session::before(faults::kind::changes, false, {"fdatasync", faults::path_of(descriptor)}) ==
        faults::effect::fail) {
        faults::note("failed sync", descriptor);
        return -1;
    }
    faults::note("sync", descriptor);
    return faults::system_call(SYS_fcntl, descriptor, F_GETFD, 0) < 0 ? -1 : 0;
}

int faulty_fchmod(int descriptor, mode_t mode) {
    if (faults::session::before(faults::kind::changes, false, {"fchmod", faults::path_of(descriptor)}) ==
        faults::effect::fail)
        return -1;
    return static_cast<int>(faults::system_call(SYS_fchmod, descriptor, mode));
}

int faulty_fchown(int descriptor, uid_t owner, gid_t group) {
    if (faults::session::before(faults::kind::changes, false, {"fchown", faults::path_of(descriptor)}) ==
        faults::effect::fail)
        return -1;
    return static_cast<int>(faults::system_call(SYS_fchown, descriptor, owner, group));
}

int faulty_rename(const char* from, const char* to) {
    if (faults::session::before(faults::kind::changes, false, {"rename", to}) == faults::effect::fail)
        return -1;
    return static_cast<int>(faults::system_call(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int faulty_renameat(int from_directory, const char* from, int to_directory, const char* to) {
    if (faults::session::before(faults::kind::changes, false, {"rename", to}) == faults::effect::fail)
        return -1;
    const auto result = static_cast<int>(faults::system_call(SYS_renameat2, from_directory, from, to_directory, to, 0));
    if (result == 0)
        faults::note_name("rename", faults::path_in(to_directory, to), faults::path_in(from_directory, from));
    return result;
}

int faulty_renameat2(int from_directory, const char* from, int to_directory, const char* to, unsigned flags) {
    if (faults::session::before(faults::kind::changes, false, {"renameat2", to}) == faults::effect::fail)
        return -1;
    return static_cast<int>(faults::system_call(SYS_renameat2, from_directory, from, to_directory, to, flags));
}

int faulty_link(const char* from, const char* to) {
    if (faults::session::before(faults::kind::changes, true, {"link", to}) == faults::effect::fail)
        return -1;
    return static_cast<int>(faults::system_call(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int faulty_unlink(const char* path) {
    if (faults::session::before(faults::kind::changes, false, {"unlink", path}) == faults::effect::fail)
        return -1;
    return static_cast<int>(faults::system_call(SYS_unlinkat, AT_FDCWD, path, 0));
}

int faulty_fcntl(int descriptor, int command, ...) {
    std::va_list rest;
    va_start(rest, command);
    void* const argument = va_arg(rest, void*);  // numbers are passed in the same way
    va_end(rest);
    if (faults::session::before(faults::kind::reads, false, {"fcntl", {}, command}) == faults::effect::fail)
        return -1;
    return static_cast<int>(faults::system_call(SYS_fcntl, descriptor, command, argument));
}

int faulty_flock(int descriptor, int operation) {
    if (operation != LOCK_UN &&
        faults::session::before(faults::kind::locks, false, {"flock", {}, operation}) == faults::effect::fail)
        return -1;
    return static_cast<int>(faults::system_call(SYS_flock, descriptor, operation));
}

void* faulty_mmap(void* wanted, std::size_t length, int protection, int flags, int descriptor, off_t offset) {
    if (descriptor >= 0 &&
        faults::session::before(faults::kind::reads, false, {"mmap", {}, offset, length}) == faults::effect::fail)
        return MAP_FAILED;
    return reinterpret_cast<void*>(
        faults::system_call(SYS_mmap, wanted, length, protection, flags, descriptor, offset));
}

int faulty_msync(void* begin, std::size_t length, int flags) {
    if (faults::session::before(faults::kind::changes, false, {"msync", {}, 0, length}) == faults::effect::fail)
        return -1;
    return static_cast<int>(faults::system_call(SYS_msync, begin, length, flags));
}
