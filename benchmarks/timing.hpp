// SPDX-License-Identifier: BSD-3-Clause
// What all benchmarks have in common: a clock, turns, lines for run.sh to put together, and what any program has to do.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace timing {

inline volatile double sink = 0;  // takes what is computed, so that it is

/// One line, in columns: a verb, or what it is compared with as "verb:peer".
inline void report(const std::string& verb, std::size_t bytes, double time) {
    std::printf("%s\t%zu\t%.9f\n", verb.c_str(), bytes, time);
}

inline void require(bool held) {
    if (!held) {
        std::perror("benchmark");
        std::exit(1);
    }
}

/// Memory that nobody has touched, of large pages where the system has them.
class fresh_memory {
  public:
    explicit fresh_memory(std::size_t bytes, bool huge = true)
        : bytes_(bytes), at_(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
        require(at_ != MAP_FAILED);
        if (huge)
            ::madvise(at_, bytes_, MADV_HUGEPAGE);
    }
    fresh_memory(const fresh_memory&) = delete;
    fresh_memory& operator=(const fresh_memory&) = delete;
    ~fresh_memory() { ::munmap(at_, bytes_); }
    [[nodiscard]] char* data() const { return static_cast<char*>(at_); }

  private:
    std::size_t bytes_;
    void* at_;
};

/// Has the machine hold so much memory ready: hosts of virtual machines take back what nobody has used for seconds, and
/// take their time to give it again.
inline void warm_memory(std::size_t bytes) {
    const fresh_memory memory(bytes);
    for (std::size_t at = 0; at < bytes; at += 4096)
        memory.data()[at] = 1;
}

/// What is done around each call and does not count, and how many calls make up one that the clock can tell.
struct around {
    std::function<void()> before = [] {};
    std::function<void()> after = [] {};
    int times = 1;
    double steps = 1;  // of which each call consists: what is told is the time of one
};

/// A few things that are timed in turns: A B C, then B C A, then C A B, so that each comes after each.
class turns {
  public:
    explicit turns(std::size_t bytes) : bytes_(bytes) {}

    void add(const std::string& verb, std::function<void()> call, around given = {}) {
        all_.push_back({verb, std::move(call), std::move(given)});
    }

    void run(std::size_t rounds = 3) const {
        for (std::size_t round = 0; round < rounds; ++round)
            for (std::size_t i = 0; i < all_.size(); ++i) {
                const auto& [verb, call, given] = all_[(i + round) % all_.size()];
                if (bytes_ > 1'000'000)
                    warm_memory(2 * bytes_);
                using clock = std::chrono::steady_clock;
                clock::duration spent{};
                for (int time = 0; time < given.times; ++time) {
                    given.before();
                    const auto begin = clock::now();
                    call();
                    spent += clock::now() - begin;
                    given.after();
                }
                report(verb, bytes_, std::chrono::duration<double>(spent).count() / given.times / given.steps);
            }
    }

  private:
    struct turn {
        std::string verb;
        std::function<void()> call;
        around given;
    };
    std::size_t bytes_;
    std::vector<turn> all_;
};

inline void write_all(int file, const void* data, std::size_t bytes) {
    for (std::size_t done = 0; done < bytes;) {
        const auto some = ::write(file, static_cast<const char*>(data) + done, bytes - done);
        require(some > 0);
        done += static_cast<std::size_t>(some);
    }
}

inline void read_all(int file, void* out, std::size_t bytes, std::size_t offset) {
    for (std::size_t done = 0; done < bytes;) {
        const auto some =
            ::pread(file, static_cast<char*>(out) + done, bytes - done, static_cast<off_t>(offset + done));
        require(some > 0);
        done += static_cast<std::size_t>(some);
    }
}

/// Writes a file as simply as it can be done.
/// @param flags  of open, as O_TRUNC
inline void write_file(const std::string& path, const void* data, std::size_t bytes, int flags = O_TRUNC) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | flags, 0666);
    require(file >= 0);
    write_all(file, data, bytes);
    require(::close(file) == 0);
}

/// Puts a file on the disk and waits for it, so that none of its pages are still on their way later.
inline void settle(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY);
    require(file >= 0 && ::fsync(file) == 0 && ::close(file) == 0);
}

/// As fast as one thread can add: eight sums, so that none waits for the last addition.
inline double sum_of(const double* values, std::size_t count) {
    double sums[8] = {};
    std::size_t i = 0;
    for (; i + 8 <= count; i += 8)
        for (std::size_t j = 0; j < 8; ++j)
            sums[j] += values[i + j];
    double sum = 0;
    for (; i < count; ++i)
        sum += values[i];
    for (const double part : sums)
        sum += part;
    return sum;
}

/// The arguments of each program: a folder to write into, and the size of the arrays.
struct task {
    std::string folder;
    std::size_t bytes;
};

inline task task_of(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: %s FOLDER BYTES\n", argv[0]);
        std::exit(2);
    }
    return {argv[1], static_cast<std::size_t>(std::strtoull(argv[2], nullptr, 10))};
}

}  // namespace timing
