// SPDX-License-Identifier: BSD-3-Clause
// The control file of a database and its locks: who writes, what is committed and applied, and what readers hold.
//
// All numbers of the file are little-endian, 8 bytes each. They change under the lock of `control_byte`, which is held
// for microseconds. Locks die with their owner, so a killed process leaves numbers but holds nothing back.
#pragma once

#include <ndkeep/database/detail/layout.hpp>
#include <ndkeep/os/directory.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/locks/byte_locks.hpp>
#include <ndkeep/os/process.hpp>
#include <ndkeep/version.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// What the control file says. Commits count from 1; 0 means none.
struct control_words {
    std::uint64_t boot = 0;          ///< identifies the run of the system in which these were written
    std::uint64_t identity = 0;      ///< the inode of the control file: a copy of the folder has another one
    std::uint64_t committed = 0;     ///< the last commit
    std::uint64_t applying = 0;      ///< the last commit that the files may have in part
    std::uint64_t applied = 0;       ///< the last commit that the files have
    std::uint64_t committing = 0;    ///< the commit that is being written; 0 if none
    std::uint64_t holder = 0;        ///< the process that writes
    std::uint64_t since = 0;         ///< since when, in seconds since 1970
    std::uint64_t unapplied_at = 0;  ///< byte of the log where the first commit that is not applied begins; a hint
    std::string host = {};           ///< on which machine; at most 63 bytes

    /// Whether these words were written in this run of the system, and to this file. Not after a power cut or a copy.
    [[nodiscard]] bool are_of_this_run(const file& control) const;
    /// Whether the files are in the state that these words say. Not after a power cut, a killed commit, or a copy.
    [[nodiscard]] bool are_exact(const file& control) const;
};

class control_file;

/// A reader's hold on one commit, until destruction: no later commit is applied to the files.
class reader_hold {
  public:
    reader_hold(std::shared_ptr<control_file> of, std::size_t slot, std::uint64_t commit)
        : of_(std::move(of)), slot_(slot), commit_(commit) {}
    reader_hold(const reader_hold&) = delete;
    reader_hold& operator=(const reader_hold&) = delete;
    ~reader_hold();

    [[nodiscard]] std::uint64_t commit() const noexcept { return commit_; }
    [[nodiscard]] std::size_t slot() const noexcept { return slot_; }

  private:
    std::shared_ptr<control_file> of_;
    std::size_t slot_;
    std::uint64_t commit_;
};

/// The control file and the lock file of a database, open. Each object has locks of its own, also in one process.
class control_file : public std::enable_shared_from_this<control_file> {
  public:
    /// Opens both files, and creates them if absent.
    /// @throws io_error  they cannot be opened for writing
    explicit control_file(directory& hidden);

    /// The file itself, for tests of what the system can do with files of this kind.
    [[nodiscard]] const file& scratch() const noexcept { return words_; }

    /// Holds the control lock, until destruction. It excludes other threads as well.
    class locked {
      public:
        /// @throws io_error  another process keeps it for 30 seconds
        explicit locked(control_file& of);
        locked(const locked&) = delete;
        locked& operator=(const locked&) = delete;
        ~locked() { of_.locks_.unlock(control_byte); }

      private:
        control_file& of_;
        std::lock_guard<std::mutex> alone_;
    };

    [[nodiscard]] control_words read() const;
    void write(const control_words& words);
    /// Notes in the words that they are of this run of the system and of this file. Call it when the files are what
    /// they say: before that, a killed process must leave the former note.
    void stamp(control_words& words) const;
    /// Makes the words durable.
    void sync() { words_.sync(); }

    /// Takes the lease of the only writer. Returns false if another object has it after `patience`.
    [[nodiscard]] bool take_lease(std::chrono::milliseconds patience);
    void release_lease() noexcept;
    /// Whether another object holds the lease.
    [[nodiscard]] bool lease_is_held() const { return locks_.held_between(lease_byte, lease_byte + 1).has_value(); }

    /// Registers a reader of a commit. Call it under the control lock.
    /// @throws conflict_error  all slots are taken
    [[nodiscard]] std::shared_ptr<reader_hold> hold(std::uint64_t commit);

    /// The oldest commit that a living reader holds, `except` one; nullopt if there is no other. Call it under the
    /// control lock.
    [[nodiscard]] std::optional<std::uint64_t> oldest_held(const reader_hold* except = nullptr) const;

  private:
    friend class reader_hold;

    [[nodiscard]] std::uint64_t slot_value(std::size_t slot) const;
    void set_slot(std::size_t slot, std::uint64_t value);
    void give_up(std::size_t slot) noexcept;

    file words_;
    byte_locks locks_;
    std::mutex alone_;
    // Locks of one object do not exclude each other, so its own slots are noted here.
    std::vector<bool> own_slots_ = std::vector<bool>(reader_slots);
    owning_process owner_;
};

/// Who holds the lease, for errors: "process 4711 on host since 2026-05-01T12:00:00Z".
[[nodiscard]] std::string holder_text(const control_words& words);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/database/detail/control.ipp>
#endif
