// SPDX-License-Identifier: BSD-3-Clause
// Faults on purpose: one file call of this thread fails, moves half of its bytes, or is where the process is killed.
//
// One source of a test program includes faulty_calls.hpp, which puts itself before the calls of the C library.
#pragma once

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/syscall.h>  // the calls themselves, behind the names that are taken
#include <sys/wait.h>
#include <unistd.h>

namespace faults {

/// Calls that change files, calls that do not, close, of which only the error matters, and locks of whole files.
enum class kind : unsigned { changes = 1, reads = 2, closes = 4, locks = 8 };

/// A call that was about to be made.
struct call {
    std::string name;
    std::string path;  // where it has two, the second
    std::int64_t offset = 0;
    std::size_t length = 0;
};

/// `halve_then_fail` is a write that moves half of its bytes and cannot move the rest; `meanwhile` is another program
/// that is faster.
enum class effect { none, kill, kill_halfway, fail, halve, halve_then_fail, meanwhile };

/// What happens to call number `at`, counted from 0 among those of one kind.
struct plan {
    effect what = effect::none;
    std::size_t at = 0;
    int code = 0;            // errno of `fail`
    bool disk_full = false;  // what takes room fails from then on
    kind counted = kind::changes;
    std::function<void()> meanwhile = {};
    std::size_t times = 1;  // so many calls, one after the other, `fail`
};

/// The calls of one thread while it has a plan.
class session {
  public:
    explicit session(const plan& wanted) : wanted_(wanted), outer_(std::exchange(current(), this)) {}
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session() { current() = outer_; }

    [[nodiscard]] const std::vector<call>& calls() const noexcept { return calls_; }

    /// What is to happen to the call that is about to be made; kills where that is it.
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

/// The calls that `act` makes, undisturbed.
template <class Act>
[[nodiscard]] std::vector<call> calls_of(Act&& act, kind counted = kind::changes) {
    const session watch({.counted = counted});
    act();
    return watch.calls();
}

/// How a child ended: killed, or with what it said. Saying nothing is saying that all is well.
struct ending {
    bool killed = false;
    std::string said;
};

/// Runs `act`, which returns text, in a child process.
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

/// Runs `act` in a child and kills it as planned; false when it came to its end.
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
