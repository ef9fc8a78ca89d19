// SPDX-License-Identifier: BSD-3-Clause
// What tests run beside themselves: stores that misbehave, a proxy that harms requests, gateways and writers to kill.
#pragma once

#include "s3/bucket.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/s3/detail/http.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

namespace s3test {

/// Waits until `is_so`, at most for a minute.
inline void wait_until(const std::function<bool()>& is_so) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!is_so()) {
        if (std::chrono::steady_clock::now() > end)
            throw std::runtime_error("a minute has passed");
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
}

/// A process that runs a function. It is killed at the end of the test.
class child {
  public:
    explicit child(const std::function<void()>& act) : id_(::fork()) {
        if (id_ < 0)
            throw std::runtime_error("no process");
        if (id_ != 0)
            return;
#if defined(__linux__)
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that is killed leaves nothing behind
#endif
        try {
            act();
            ::_exit(0);
        } catch (const std::exception& problem) {
            std::fputs((std::string(problem.what()) + '\n').c_str(), stderr);
        }
        ::_exit(1);
    }
    child(const child&) = delete;
    child& operator=(const child&) = delete;
    ~child() { kill(); }

    void kill() {
        if (!status_) {
            ::kill(id_, SIGKILL);
            (void)wait();
        }
    }
    [[nodiscard]] bool has_ended() {
        int status = 0;
        if (!status_ && ::waitpid(id_, &status, WNOHANG) == id_)
            status_ = status;
        return status_.has_value();
    }
    /// Waits for its end. True if the function returned.
    bool wait() {
        int status = 0;
        if (!status_ && ::waitpid(id_, &status, 0) == id_)
            status_ = status;
        return status_ == 0;
    }

  private:
    pid_t id_;
    std::optional<int> status_;
};

/// A pipe from a child: numbers of 8 bytes.
class pipe_of_numbers {
  public:
    pipe_of_numbers() {
        if (::pipe(ends_) != 0)
            throw std::runtime_error("no pipe");
    }
    pipe_of_numbers(const pipe_of_numbers&) = delete;
    pipe_of_numbers& operator=(const pipe_of_numbers&) = delete;
    ~pipe_of_numbers() {
        close_writing();
        ::close(ends_[0]);
    }

    void write(std::uint64_t number) {
        if (::write(ends_[1], &number, sizeof number) != sizeof number)
            throw std::runtime_error("nobody reads the pipe");
    }
    void close_writing() {
        if (ends_[1] >= 0)
            ::close(std::exchange(ends_[1], -1));
    }
    /// nullopt at the end.
    [[nodiscard]] std::optional<std::uint64_t> read() {
        std::uint64_t number = 0;
        return ::read(ends_[0], &number, sizeof number) == sizeof number ? std::optional(number) : std::nullopt;
    }

  private:
    int ends_[2] = {-1, -1};
};

/// A command of the shell that runs until the end of the test.
class program {
  public:
    explicit program(const std::string& command) : output_(::dup(STDOUT_FILENO)), process_([&] { exec(command); }) {}
    /// Reads the port that it prints as its first line.
    [[nodiscard]] static std::pair<std::unique_ptr<program>, std::string> with_port(const std::string& command) {
        int ends[2] = {};
        if (::pipe(ends) != 0)
            throw std::runtime_error("no pipe");
        auto made = std::make_unique<program>(command, ends[1]);
        ::close(ends[1]);
        std::string port;
        for (char each = 0; ::read(ends[0], &each, 1) == 1 && each != '\n';)
            port += each;
        ::close(ends[0]);
        if (port.empty())
            throw std::runtime_error("it does not start: " + command);
        return {std::move(made), port};
    }
    program(const std::string& command, int output) : output_(::dup(output)), process_([&] { exec(command); }) {}
    program(const program&) = delete;
    program& operator=(const program&) = delete;
    ~program() { ::close(output_); }

  private:
    void exec(const std::string& command) const {
        ::dup2(output_, STDOUT_FILENO);
        for (int descriptor = 3; descriptor < 256; ++descriptor)
            ::close(descriptor);
        ::execl("/bin/sh", "sh", "-c", ("exec " + command).c_str(), static_cast<char*>(nullptr));
        ::_exit(127);
    }

    int output_;
    child process_;
};

/// Sends a request that is not signed, and returns the text of its answer; nullopt if there is none.
[[nodiscard]] inline std::optional<std::string> ask(const std::string& method, const std::string& url) {
    ndkeep::detail::http_client http({});
    std::string text;
    const auto answer =
        http.send({.method = method,
                   .url = url,
                   .receive = [&](const ndkeep::detail::http_answer&, std::span<const std::byte> bytes) {
                       text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                       return true;
                   }});
    return answer.status == 0 ? std::nullopt : std::optional(answer.is_success() ? text : answer.text);
}

/// The small store of server.py, with options of its command line.
class server {
  public:
    explicit server(const std::string& options = {}) {
        std::tie(program_, port_) = program::with_port(variable("NDKEEP_S3_SERVER") + ' ' + options);
    }
    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + port_; }
    [[nodiscard]] const std::string& port() const { return port_; }
    /// How many keys of roles it has given.
    [[nodiscard]] int roles() const { return std::stoi(ask("GET", url() + "/.roles").value()); }

  private:
    std::unique_ptr<program> program_;
    std::string port_;
};

/// The proxy of proxy.py: the one that NDKEEP_S3_PROXY names, or another one in front of a port.
class proxy {
  public:
    proxy() : url_(variable("NDKEEP_S3_PROXY")) {}
    explicit proxy(const std::string& port) {
        std::string own;
        std::tie(program_, own) = program::with_port("python3 '" NDKEEP_SOURCE_DIR "/tests/s3/proxy.py' " + port);
        url_ = "http://127.0.0.1:" + own;
    }

    [[nodiscard]] const std::string& url() const { return url_; }
    /// Harms request `at` from now on, see proxy.py. A request that is held goes on.
    void harm(std::size_t at, const std::string& what) {
        const auto query = "/.proxy?at=" + std::to_string(at) + "&what=";
        REQUIRE(ask("PUT", url_ + query + ndkeep::detail::percent_encoded(what, false)));
    }
    void rest() { harm(1'000'000'000, ""); }
    /// The number of requests since `harm`.
    [[nodiscard]] std::size_t seen() const { return std::stoul(ask("GET", url_ + "/.proxy").value()); }

  private:
    std::unique_ptr<program> program_;
    std::string url_;
};

/// The port of the store.
[[nodiscard]] inline std::string port_of_store() {
    const auto endpoint = variable("NDKEEP_S3_ENDPOINT");
    return endpoint.substr(endpoint.rfind(':') + 1);
}

/// A port on which nobody listens.
[[nodiscard]] inline std::string free_port() {
    std::random_device random;
    for (;;) {
        // Below the ports that the system gives to connections.
        const auto port = static_cast<std::uint16_t>(20'000 + random() % 12'000);
        const int one = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        const bool is_free = ::bind(one, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
        ::close(one);
        if (is_free)
            return std::to_string(port);
    }
}

/// Another gateway to the store, which can be killed.
class gateway {
  public:
    gateway() : port_(free_port()) { start(); }
    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + port_; }
    [[nodiscard]] const std::string& port() const { return port_; }
    [[nodiscard]] static bool is_known() { return !variable("NDKEEP_S3_GATEWAY").empty(); }
    void kill() { program_.reset(); }
    /// Returns when it answers.
    void start() {
        program_.emplace(variable("NDKEEP_S3_GATEWAY") + ' ' + port_);
        wait_until([&] { return ask("GET", url()).has_value(); });
    }

  private:
    std::string port_;
    std::optional<program> program_;
};

/// A variable of the environment has another value, or none, as long as this object lives.
class with_variable {
  public:
    with_variable(std::string name, const std::optional<std::string>& value) : name_(std::move(name)) {
        if (const char* const now = std::getenv(name_.c_str()))
            former_ = now;
        set(value);
    }
    with_variable(const with_variable&) = delete;
    with_variable& operator=(const with_variable&) = delete;
    ~with_variable() { set(former_); }

  private:
    void set(const std::optional<std::string>& value) const {
        if (value)
            ::setenv(name_.c_str(), value->c_str(), 1);
        else
            ::unsetenv(name_.c_str());
    }

    std::string name_;
    std::optional<std::string> former_;
};

/// first, first + 1, …
[[nodiscard]] inline xt::xtensor<double, 1> counting(std::size_t first, std::size_t end) {
    return xt::arange(static_cast<double>(first), static_cast<double>(end));
}

/// Whether two arrays have the same rows. Catch2 cannot compare arrays.
template <class A, class B>
[[nodiscard]] bool same(const A& a, const B& b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
}

}  // namespace s3test
