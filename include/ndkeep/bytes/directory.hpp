// SPDX-License-Identifier: BSD-3-Clause
// A directory held open, whose files come into being whole.
#pragma once

#include <ndkeep/bytes/names.hpp>

#include <dirent.h>  // fdopendir: std::filesystem lists by path only

namespace ndkeep {

/// A directory, held open: what is called a name here is one without a slash, and links are never followed.
class directory {
  public:
    directory() = default;
    directory(directory&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}
    directory& operator=(directory&& other) noexcept {
        directory old(std::move(*this));
        descriptor_ = std::exchange(other.descriptor_, -1);
        path_ = std::move(other.path_);
        return *this;
    }
    ~directory() {
        if (descriptor_ >= 0)
            ::close(descriptor_);
    }

    /// Nothing where there is none.
    /// @throws io_error  it may not be opened, or is no directory
    [[nodiscard]] static std::optional<directory> open(const std::filesystem::path& path) {
        const auto named = path.empty() ? std::filesystem::path(".") : path;
        const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
        const int descriptor = detail::retried([&] { return ::open(named.c_str(), flags); });
        if (descriptor < 0 && errno == ENOENT)
            return std::nullopt;
        if (descriptor < 0)
            throw io_error(path, "cannot open", detail::last_error());
        return directory(descriptor, path);
    }

    /// Makes it if it is not there; its parent must be.
    /// @param is_new  becomes true if it was made
    [[nodiscard]] static directory create(const std::filesystem::path& path, bool& is_new) {
        if (::mkdir(path.c_str(), 0777) == 0)
            is_new = true;
        else if (errno != EEXIST)
            throw io_error(path, "cannot create", detail::last_error());
        if (auto opened = open(path))
            return std::move(*opened);
        throw io_error(path, "cannot open", std::make_error_code(std::errc::no_such_file_or_directory));
    }

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }

    /// A regular file; nothing where there is none.
    /// @throws io_error  a link, a pipe, a directory; or it may not be opened
    [[nodiscard]] std::optional<file> open_file(const std::string& name,
                                                file::access wanted = file::access::read) const {
        check_name(name);
        const int flags = (wanted == file::access::read ? O_RDONLY : O_RDWR) | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
        const int descriptor = detail::retried([&] { return ::openat(descriptor_, name.c_str(), flags); });
        if (descriptor < 0 && errno == ENOENT)
            return std::nullopt;
        if (descriptor < 0)
            throw io_error(path_ / name, "cannot open", detail::last_error());
        file opened(descriptor, path_ / name);
        opened.check_regular();
        return opened;
    }

    /// Creates a file whole under a name that must be free: at every instant it is there with all of its bytes, or not.
    /// False where the name is taken.
    /// @param durable  the bytes are on the disk before they have the name; the name itself needs `sync()`
    [[nodiscard]] bool put(const std::string& name, std::span<const std::span<const std::byte>> parts, bool durable) {
        check_name(name);
        std::string temporary;
        file made = unnamed_file(name, temporary);
        const auto forget = [&] {
            if (!temporary.empty())
                ::unlinkat(descriptor_, temporary.c_str(), 0);
        };
        bool linked = false;
        try {
            std::uint64_t size = 0, offset = 0;
            for (const auto part : parts)
                size += part.size();
            // A full disk is heard of before the work, and the blocks come in one piece.
            constexpr std::uint64_t worth_it = std::uint64_t{1} << 20;
            if (size >= worth_it)
                (void)made.reserve(size);
            for (const auto part : parts) {
                made.write(offset, part);
                offset += part.size();
            }
            if (durable)
                made.sync();
            else
                made.settle();
            linked = link_to(made, temporary, name);
        } catch (...) {
            forget();
            throw;
        }
        forget();
        return linked;
    }

    /// The names in it, in no order.
    [[nodiscard]] std::vector<std::string> names() const {
        // By the descriptor: the path may lead elsewhere by now.
        const int again =
            detail::retried([&] { return ::openat(descriptor_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
        DIR* const listing = again < 0 ? nullptr : ::fdopendir(again);
        if (listing == nullptr) {
            const auto why = detail::last_error();
            if (again >= 0)
                ::close(again);
            throw io_error(path_, "cannot list", why);
        }
        struct closed {
            ~closed() { ::closedir(listing); }
            DIR* listing;
        };
        const closed at_the_end{listing};
        std::vector<std::string> all;
        errno = 0;
        while (const dirent* const entry = ::readdir(listing)) {
            const std::string_view name = entry->d_name;
            if (name != "." && name != "..")
                all.emplace_back(name);
            errno = 0;
        }
        if (errno != 0)
            throw io_error(path_, "cannot list", detail::last_error());
        return all;
    }

    /// Removes a file that need not be there.
    void remove(const std::string& name) {
        check_name(name);
        if (::unlinkat(descriptor_, name.c_str(), 0) != 0 && errno != ENOENT)
            throw io_error(path_ / name, "cannot remove", detail::last_error());
    }

    /// Makes the names in it durable.
    void sync() const {
        // File systems without directory syncs say so with EINVAL, read-only ones with EROFS: nothing to wait for then.
        if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != EROFS)
            throw io_error(path_, "cannot sync", detail::last_error());
    }

  private:
    directory(int descriptor, std::filesystem::path path) : descriptor_(descriptor), path_(std::move(path)) {}

    /// Nothing leads out of the directory.
    void check_name(const std::string& name) const {
        if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos ||
            name.find('\0') != std::string::npos)
            throw io_error(path_, "cannot use " + ndkeep::quoted(name) + " as a name",
                           std::make_error_code(std::errc::invalid_argument));
    }

    /// A file without a name, or where there is no such thing with one that nobody else has.
    [[nodiscard]] file unnamed_file(const std::string& name, std::string& temporary) {
#if defined(O_TMPFILE)
        const int unnamed =
            detail::retried([&] { return ::openat(descriptor_, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666); });
        if (unnamed >= 0)
            return {unnamed, path_ / name};
        if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL)
            throw io_error(path_ / name, "cannot create", detail::last_error());
#endif
        return named_file(name, temporary);
    }

    [[nodiscard]] file named_file(const std::string& name, std::string& temporary) {
        for (;;) {
            temporary = ".ndk-" + detail::hexadecimal(detail::random_bits()) + ".ndk";
            const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
            const int descriptor =
                detail::retried([&] { return ::openat(descriptor_, temporary.c_str(), flags, 0666); });
            if (descriptor >= 0)
                return {descriptor, path_ / name};
            if (errno != EEXIST) {
                temporary.clear();
                throw io_error(path_ / name, "cannot create", detail::last_error());
            }
        }
    }

    /// False where the name is taken.
    [[nodiscard]] bool link_to(const file& made, const std::string& temporary, const std::string& name) {
        int status = -1;
        if (temporary.empty()) {
            const std::string unnamed = "/proc/self/fd/" + std::to_string(made.descriptor());
            status = ::linkat(AT_FDCWD, unnamed.c_str(), descriptor_, name.c_str(), AT_SYMLINK_FOLLOW);
        } else {
            status = ::linkat(descriptor_, temporary.c_str(), descriptor_, name.c_str(), 0);
        }
        if (status == 0)
            return true;
        if (errno == EEXIST)
            return false;
        throw io_error(path_ / name, "cannot create exclusively", detail::last_error());
    }

    int descriptor_ = -1;
    std::filesystem::path path_;
};

}  // namespace ndkeep
