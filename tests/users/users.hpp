// SPDX-License-Identifier: BSD-3-Clause
// Helpers for tests with several users: the complete library, rows that count up, and processes of several users that
// acknowledge their work and are killed.
#pragma once

#include "support/faults.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/loop.hpp>
#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <thread>

#include <grp.h>
#include <sys/stat.h>

namespace users {

namespace nk = ndkeep;
namespace fs = std::filesystem;
using vector = xt::xtensor<double, 1>;

/// first, first + 1, …
[[nodiscard]] inline vector numbers(double first, std::size_t count) {
    vector made = vector::from_shape({count});
    for (std::size_t i = 0; i < count; ++i)
        made(i) = first + static_cast<double>(i);
    return made;
}

inline constexpr uid_t superuser = 0, nobody = 65534, somebody = 12345;

/// Only the superuser can act as several users.
[[nodiscard]] inline bool are_here() {
    if (::geteuid() == superuser)
        return true;
    WARN("only the superuser can become another user: not tried");
    return false;
}

/// Turns this process into one of another user.
inline void become(uid_t user) {
    if (user != ::geteuid() && (::setgroups(0, nullptr) != 0 || ::setgid(user) != 0 || ::setuid(user) != 0))
        throw std::runtime_error("cannot become user " + std::to_string(user));
}

/// A directory in which everybody may write; with `sticky`, only owners remove files.
class shared_dir {
  public:
    explicit shared_dir(bool sticky = false) {
        ::umask(022);
        // Its parents may be closed to other users.
        ::chmod(top_.path().c_str(), 0755);
        std::filesystem::create_directory(top_ / "shared");
        ::chmod((top_ / "shared").c_str(), sticky ? 01777 : 0777);
    }
    [[nodiscard]] std::filesystem::path operator/(const std::filesystem::path& name) const {
        return top_ / "shared" / name;
    }
    [[nodiscard]] std::filesystem::path path() const { return top_ / "shared"; }
    /// Whether the other user can reach the directory. If the temporary folder is closed, it cannot.
    [[nodiscard]] bool is_open_to(uid_t user) const {
        const auto end = faults::in_child([&]() -> std::string {
            become(user);
            return ::access((top_ / "shared").c_str(), R_OK | W_OK | X_OK) == 0 ? "" : "closed";
        });
        if (!end.said.empty())
            WARN("other users cannot come to the temporary files: not tried");
        return end.said.empty();
    }

  private:
    temp_dir top_;
};

/// Runs `act` as another user. Returns an empty text or an error message.
template <class Act>
[[nodiscard]] std::string as_user(uid_t user, Act&& act) {
    const auto end = faults::in_child([&]() -> std::string {
        become(user);
        return act();
    });
    return end.killed ? "was killed" : end.said;
}

/// The work of one process: numbers from 0 on, each acknowledged after it is done.
using numbered_act = std::function<void(std::int64_t number)>;

/// A process that does 0, 1, 2, … and continues after its last acknowledged number when it is killed and restarted.
class worker {
  public:
    worker(uid_t user, mode_t mask, std::int64_t end, std::function<numbered_act()> begin)
        : user_(user), mask_(mask), end_(end), begin_(std::move(begin)) {}

    void start() {
        int ends[2] = {};
        if (::pipe(ends) != 0)
            throw std::runtime_error("no pipe");
        const pid_t child = ::fork();
        if (child < 0)
            throw std::runtime_error("no process");
        if (child == 0) {
            ::close(ends[0]);
            std::string problem;
            try {
                become(user_);
                ::umask(mask_);
                const auto act = begin_();
                for (auto number = acknowledged_; number < end_; ++number) {
                    act(number);
                    tell(ends[1], std::to_string(number + 1));
                }
            } catch (const std::exception& error) {
                tell(ends[1], error.what());
            }
            ::_exit(0);
        }
        ::close(ends[1]);
        child_ = child;
        says_ = ends[0];
    }
    /// Kills the process if it has not finished, and reads its acknowledgements.
    void stop(bool kills) {
        if (kills)
            ::kill(child_, SIGKILL);
        std::string said;
        char text[4096];
        for (ssize_t length = 0; (length = ::read(says_, text, sizeof text)) > 0;)
            said.append(text, static_cast<std::size_t>(length));
        ::close(says_);
        ::waitpid(child_, nullptr, 0);
        for (std::size_t at = 0, line = 0; (line = said.find('\n', at)) != std::string::npos; at = line + 1) {
            const auto word = said.substr(at, line - at);
            if (word.find_first_not_of("0123456789") == std::string::npos)
                acknowledged_ = std::stoll(word);
            else
                problem_ = word;
        }
    }

    [[nodiscard]] bool is_done() const { return acknowledged_ >= end_ || !problem_.empty(); }
    [[nodiscard]] std::int64_t acknowledged() const { return acknowledged_; }
    [[nodiscard]] const std::string& problem() const { return problem_; }

  private:
    static void tell(int pipe, const std::string& word) {
        const auto line = word + '\n';
        [[maybe_unused]] const auto written = ::write(pipe, line.data(), line.size());
    }

    uid_t user_;
    mode_t mask_;
    std::int64_t end_;
    std::function<numbered_act()> begin_;
    std::int64_t acknowledged_ = 0;
    std::string problem_;
    pid_t child_ = 0;
    int says_ = -1;
};

/// Runs all workers at once. They are killed `kills` times at any instant and restarted. A killed worker repeats its
/// unacknowledged number, which may then be done twice, but acknowledged numbers are done.
inline void work(std::vector<worker>& all, int kills) {
    std::minstd_rand random(7);
    for (int round = 0; round <= kills; ++round) {
        std::vector<worker*> started;
        for (auto& each : all)
            if (!each.is_done())
                started.push_back(&each);
        for (auto* each : started)
            each->start();
        const bool is_last = round == kills;
        if (!is_last)
            std::this_thread::sleep_for(std::chrono::microseconds(3000 + random() % 40'000));
        for (auto* each : started)
            each->stop(!is_last);
    }
    for (const auto& each : all) {
        CHECK(each.problem() == "");
        CHECK(each.is_done());
    }
}

/// Checks that every acknowledged number is present, and twice only if a kill came between the act and its
/// acknowledgement.
inline void check_done(const std::map<std::pair<std::int64_t, std::int64_t>, int>& times,
                       const std::vector<worker>& all, int kills) {
    int twice = 0;
    for (std::size_t who = 0; who < all.size(); ++who)
        for (std::int64_t number = 0; number < all[who].acknowledged(); ++number) {
            const auto at = times.find({static_cast<std::int64_t>(who), number});
            if (at == times.end())
                FAIL_CHECK("worker " << who << ": " << number << " was acknowledged and is lost");
            else
                twice += at->second > 1;
        }
    CHECK(twice <= kills * static_cast<int>(all.size()));
}

}  // namespace users
