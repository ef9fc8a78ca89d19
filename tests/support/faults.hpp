// SPDX-License-Identifier: BSD-3-Clause
// Fault injection: one file call of this thread fails, moves half of its bytes, or kills the process.
//
// One source of a test program includes faulty_calls.hpp, which intercepts the calls of the C library. A witness can
// record what the calls of a database change: not all calls report to it.
#pragma once

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/syscall.h>  // direct system calls, because the C functions are intercepted
#include <sys/wait.h>
#include <unistd.h>

namespace faults {

/// Kinds of calls: those that change files, those that only read, close (only its error matters), and file locks.
enum class kind : unsigned { changes = 1, reads = 2, closes = 4, locks = 8 };

/// An intercepted call.
struct call {
    std::string name;
    std::string path;  // the second one if the call has two
    std::int64_t offset = 0;
    std::size_t length = 0;
};

/// `halve_then_fail`: a write moves half of its bytes, and the write of the rest fails. `meanwhile`: other code runs
/// before the call, as a faster program would.
enum class effect { none, kill, kill_halfway, fail, halve, halve_then_fail, meanwhile };

/// The fault for call number `at`, counted from 0 among calls of one kind.
struct plan {
    effect what = effect::none;
    std::size_t at = 0;
    int code = 0;            // errno of `fail`
    bool disk_full = false;  // later calls that need disk space fail too
    kind counted = kind::changes;
    std::function<void()> meanwhile = {};
    std::size_t times = 1;  // number of consecutive calls that fail
};

/// Intercepts the calls of one thread while it exists.
class session {
  public:
    explicit session(const plan& wanted) : wanted_(wanted), outer_(std::exchange(current(), this)) {}
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session() { current() = outer_; }

    [[nodiscard]] const std::vector<call>& calls() const noexcept { return calls_; }

    /// The effect on the intercepted call. Kills the process if that is the plan.
    static effect before(kind what, bool takes_room, call made) {
        session* const now = current();
        if (now == nullptr || now->wanted_.counted != what)
            return effect::none;
        const std::size_t number = now->calls_.size();
        now->calls_.push_back(std::move(made));
        const auto& wanted = now->wanted_;
        if (wanted.what == effect::halve_then_fail)
            return number == wanted.at ? effect::halve : number == wanted.at + 1 ? now->failed() : effect::none;
        const bool fails_again = wanted.what == effect::fail && number > wanted.at && number - wanted.at < wanted.times;
        if (number != wanted.at && !fails_again && !(wanted.disk_full && takes_room && number > wanted.at))
            return effect::none;
        if (wanted.what == effect::kill)
            die();
        if (wanted.what == effect::meanwhile)
            wanted.meanwhile();
        return wanted.what == effect::fail ? now->failed() : wanted.what;
    }

    [[noreturn]] static void die() {
        ::syscall(SYS_kill, ::getpid(), SIGKILL);
        std::abort();
    }

  private:
    [[nodiscard]] effect failed() const {
        errno = wanted_.code;
        return effect::fail;
    }

    static session*& current() {
        static thread_local session* now = nullptr;
        return now;
    }

    plan wanted_;
    std::vector<call> calls_;
    session* outer_;
};

/// What a call has changed, or a sync that was asked for.
struct change {
    std::string name;  // "create", "mkdir", "pwrite", "ftruncate", "rename", "unlink", "sync", "failed sync"
    std::string path;
    std::string from = {};  // the former path of a rename
    std::uint64_t inode = 0;
    std::uint64_t offset = 0;  // of a write; the new size for ftruncate
    std::span<const std::byte> bytes = {};
};

/// Hears of every change that this thread makes while it exists, right after it.
class witness {
  public:
    using listener = std::function<void(const change&)>;
    explicit witness(listener told) : told_(std::move(told)), outer_(std::exchange(current(), this)) {}
    witness(const witness&) = delete;
    witness& operator=(const witness&) = delete;
    ~witness() { current() = outer_; }

    [[nodiscard]] static bool is_listening() { return current() != nullptr; }
    static void tell(const change& made) { current()->told_(made); }

  private:
    static witness*& current() {
        static thread_local witness* now = nullptr;
        return now;
    }

    listener told_;
    witness* outer_;
};

/// The calls that `act` makes, without a fault.
template <class Act>
[[nodiscard]] std::vector<call> calls_of(Act&& act, kind counted = kind::changes) {
    const session watch({.counted = counted});
    act();
    return watch.calls();
}

/// How a child process ended: killed, or with a text. An empty text means success.
struct ending {
    bool killed = false;
    std::string said;
};

/// Runs `act`, which returns a text, in a child process.
template <class Act>
[[nodiscard]] ending in_child(Act&& act) {
    int ends[2] = {};
    if (::pipe(ends) != 0)
        return {.said = "no pipe"};
    const pid_t child = ::fork();
    if (child == 0) {
        std::string said;
        try {
            said = act();
        } catch (const std::exception& error) {
            said = std::string("threw ") + error.what();
        }
        [[maybe_unused]] const auto written = ::write(ends[1], said.data(), said.size());
        ::_exit(0);
    }
    ::close(ends[1]);
    ending end;
    char text[512];
    for (ssize_t length = 0; (length = ::read(ends[0], text, sizeof text)) > 0;)
        end.said.append(text, static_cast<std::size_t>(length));
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    end.killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (!end.killed && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
        end.said += " ended with status " + std::to_string(status);
    return end;
}

/// Runs `act` in a child and kills it as planned; false if the child finished.
template <class Act>
[[nodiscard]] bool killed(const plan& wanted, Act&& act) {
    return in_child([&]() -> std::string {
               const session armed(wanted);
               act();
               return {};
           })
        .killed;
}

}  // namespace faults
