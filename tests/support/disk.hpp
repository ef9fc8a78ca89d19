// SPDX-License-Identifier: BSD-3-Clause
// A disk under recorded file calls: the states in which a power cut may leave the files.
//
// A file keeps what was synced. Of later writes each sector of 512 bytes has any prefix of those that touch it, and the
// file has any of the sizes since the sync. The entries of a directory have any prefix of their changes since its last
// sync, as a journal has; a rename between two directories is in both or in none. A failed sync loses what it should
// have written, and later syncs do not bring it back.
#pragma once

#include "support/faults.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace disks {

namespace fs = std::filesystem;

/// A recorded change, see `faults::change`, or a note with a number in `offset`. Paths are relative to the root.
struct event {
    std::string name;
    std::string path;
    std::string from = {};
    std::uint64_t inode = 0;
    std::uint64_t offset = 0;
    std::string bytes = {};
};

/// Writes the changes below a directory to a trace. Several processes can continue one trace, one after the other.
class recorder {
  public:
    recorder(const fs::path& trace, const fs::path& root)
        : root_(fs::canonical(root).string() + '/'),
          // Direct calls, which nobody intercepts.
          descriptor_(static_cast<int>(
              ::syscall(SYS_openat, AT_FDCWD, trace.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666))),
          hears_([this](const faults::change& made) {
              write({made.name, below_root(made.path), below_root(made.from), made.inode, made.offset,
                     std::string(reinterpret_cast<const char*>(made.bytes.data()), made.bytes.size())});
          }) {}
    recorder(const recorder&) = delete;
    recorder& operator=(const recorder&) = delete;
    ~recorder() { ::syscall(SYS_close, descriptor_); }

    void note(std::string name, std::uint64_t number) {
        write({.name = std::move(name), .path = {}, .offset = number});
    }

  private:
    [[nodiscard]] std::string below_root(const std::string& path) const {
        return path.starts_with(root_)                     ? path.substr(root_.size())
               : path == root_.substr(0, root_.size() - 1) ? ""
                                                           : path;
    }

    void write(const event& made) const {
        std::ostringstream text;
        text << made.name << '\n'
             << made.path << '\n'
             << made.from << '\n'
             << made.inode << ' ' << made.offset << ' ' << made.bytes.size() << '\n'
             << made.bytes;
        const auto all = text.str();
        if (::syscall(SYS_write, descriptor_, all.data(), all.size()) != static_cast<long>(all.size()))
            throw std::runtime_error("cannot write the trace");
    }

    std::string root_;
    int descriptor_;
    faults::witness hears_;
};

inline std::vector<event> events_of(const fs::path& trace) {
    std::ifstream in(trace, std::ios::binary);
    std::vector<event> events;
    for (event next; std::getline(in, next.name);) {
        std::size_t length = 0;
        std::getline(in, next.path);
        std::getline(in, next.from);
        in >> next.inode >> next.offset >> length;
        in.get();
        next.bytes.resize(length);
        in.read(next.bytes.data(), static_cast<std::streamsize>(length));
        events.push_back(next);
    }
    return events;
}

class disk {
  public:
    disk() = default;
    /// A disk that has all files below a directory, synced.
    explicit disk(const fs::path& root) {
        for (const auto& entry : fs::recursive_directory_iterator(root)) {
            const auto path = fs::relative(entry.path(), root).string();
            if (entry.is_directory()) {
                former_.folders.insert(path);
                continue;
            }
            std::ifstream in(entry.path(), std::ios::binary);
            former_.files[path] = ++last_;
            files_[last_].durable.assign(std::istreambuf_iterator<char>(in), {});
            struct stat status = {};
            if (::stat(entry.path().c_str(), &status) == 0)
                numbers_[status.st_ino] = last_;
        }
    }

    void apply(const event& made) {
        if (made.name == "create") {
            numbers_[made.inode] = ++last_;
            files_[last_] = {};
        }
        if (made.name == "create" || made.name == "mkdir" || made.name == "unlink" || made.name == "rename")
            names_.push_back({made.name, made.path, made.from, made.name == "create" ? last_ : 0});
        else if (made.name == "pwrite" || made.name == "ftruncate")
            files_[numbers_.at(made.inode)].pending.push_back({made.offset, made.bytes, made.name == "ftruncate"});
        else if (made.name == "sync")
            files_[numbers_.at(made.inode)].sync();
        else if (made.name == "failed sync")
            files_[numbers_.at(made.inode)].pending.clear();
        else if (made.name == "sync of a directory")
            sync_names(made.path);
    }

    /// Writes a state that a power cut may leave into an empty directory.
    void leave_in(const fs::path& root, std::mt19937& random) const {
        const auto left = names_left(random);
        const auto has_folder = [&](const std::string& path) { return path.empty() || left.folders.contains(path); };
        for (const auto& folder : left.folders)  // parents are sorted before what is in them
            if (has_folder(folder_of(folder)))
                fs::create_directory(root / folder);
        for (const auto& [path, number] : left.files)
            if (has_folder(folder_of(path)))
                std::ofstream(root / path, std::ios::binary) << files_.at(number).left(random);
    }

  private:
    struct operation {
        std::uint64_t offset;  // the new size for a truncation
        std::string bytes;
        bool is_truncation;

        void apply_to(std::string& content) const {
            if (is_truncation)
                content.resize(offset);
            else
                write(content, 0, bytes.size());
        }
        void write(std::string& content, std::size_t first, std::size_t last) const {
            content.resize(std::max<std::size_t>(content.size(), offset + last));
            std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(first),
                      bytes.begin() + static_cast<std::ptrdiff_t>(last),
                      content.begin() + static_cast<std::ptrdiff_t>(offset + first));
        }
        [[nodiscard]] std::uint64_t size_after(std::uint64_t size) const {
            return is_truncation ? offset : std::max<std::uint64_t>(size, offset + bytes.size());
        }
    };

    struct content {
        std::string durable = {};
        std::vector<operation> pending = {};  // since the last sync

        void sync() {
            for (const auto& each : pending)
                each.apply_to(durable);
            pending.clear();
        }

        [[nodiscard]] std::string left(std::mt19937& random) const {
            std::string result = durable;
            std::uint64_t memory_size = durable.size(), size = durable.size();
            const auto sizes = std::uniform_int_distribution<std::size_t>(0, pending.size())(random);
            std::discrete_distribution<int> fifth({2, 1, 1, 1, 2});
            std::bernoulli_distribution is_kept(fifth(random) / 4.0);
            std::set<std::uint64_t> lost;  // sectors
            for (std::size_t i = 0; i < pending.size(); ++i) {
                const auto& each = pending[i];
                memory_size = each.size_after(memory_size);
                if (i < sizes)
                    size = memory_size;
                if (each.is_truncation) {
                    if (i < sizes)
                        result.resize(std::min<std::size_t>(result.size(), each.offset));
                    continue;
                }
                constexpr std::uint64_t sector = 512;
                const std::uint64_t end = each.offset + each.bytes.size();
                for (std::uint64_t at = each.offset; at < end; at = at / sector * sector + sector)
                    if (!lost.contains(at / sector)) {
                        if (is_kept(random))
                            each.write(result, at - each.offset,
                                       std::min(at / sector * sector + sector, end) - each.offset);
                        else
                            lost.insert(at / sector);
                    }
            }
            result.resize(size);
            return result;
        }
    };

    struct name_change {
        std::string name, path, from;
        std::uint64_t number;  // of a created file

        [[nodiscard]] std::set<std::string> folders() const {
            return name == "rename" ? std::set{folder_of(path), folder_of(from)} : std::set{folder_of(path)};
        }
    };

    struct tree {
        std::set<std::string> folders;
        std::map<std::string, std::uint64_t> files;
    };

    [[nodiscard]] static std::string folder_of(const std::string& path) {
        return fs::path(path).parent_path().string();
    }

    void sync_names(const std::string& folder) {
        durable_names_[folder] = names_.size();
        // A rename takes all earlier changes of its other directory with it.
        for (std::size_t i = names_.size(); i-- > 0;) {
            const auto both = names_[i].folders();
            if (std::any_of(both.begin(), both.end(), [&](const auto& each) { return durable_of(each) > i; }))
                for (const auto& each : both)
                    durable_names_[each] = std::max(durable_of(each), i + 1);
        }
    }

    [[nodiscard]] std::size_t durable_of(const std::string& folder) const {
        const auto found = durable_names_.find(folder);
        return found == durable_names_.end() ? 0 : found->second;
    }

    [[nodiscard]] tree names_left(std::mt19937& random) const {
        std::map<std::string, std::size_t> ends;  // of what is kept, by folder
        for (const auto& change : names_)
            for (const auto& folder : change.folders())
                ends.emplace(folder, 0);
        for (auto& [folder, end] : ends) {
            const std::size_t least = durable_of(folder);
            const int how = std::uniform_int_distribution(0, 2)(random);
            end = how == 0   ? least
                  : how == 1 ? names_.size()
                             : std::uniform_int_distribution(least, names_.size())(random);
        }
        for (bool goes_on = true; goes_on;) {
            goes_on = false;
            for (std::size_t i = 0; i < names_.size(); ++i) {
                const auto both = names_[i].folders();
                const auto kept =
                    std::count_if(both.begin(), both.end(), [&](const auto& each) { return ends[each] > i; });
                if (kept == 0 || static_cast<std::size_t>(kept) == both.size())
                    continue;
                for (const auto& each : both)
                    ends[each] = std::min(ends[each], i);
                goes_on = true;
            }
        }
        tree left = former_;
        for (std::size_t i = 0; i < names_.size(); ++i) {
            const auto& change = names_[i];
            if (ends[folder_of(change.path)] <= i)
                continue;
            if (change.name == "mkdir") {
                left.folders.insert(change.path);
            } else if (change.name == "create") {
                left.files[change.path] = change.number;
            } else if (change.name == "unlink") {
                left.files.erase(change.path);
            } else {
                left.files[change.path] = left.files.at(change.from);
                left.files.erase(change.from);
            }
        }
        return left;
    }

    tree former_;
    std::map<std::uint64_t, content> files_;          // by number, which no file gets a second time
    std::map<std::uint64_t, std::uint64_t> numbers_;  // by inode
    std::uint64_t last_ = 0;
    std::vector<name_change> names_;
    std::map<std::string, std::size_t> durable_names_;  // how many of the changes a folder has for certain
};

}  // namespace disks
