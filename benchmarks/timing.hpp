// SPDX-License-Identifier: BSD-3-Clause
// Shared parts of all benchmarks: a clock, measurement in turns, output for run.sh, and floors for file operations.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
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

inline volatile double sink = 0;  // receives results, so that the compiler cannot remove their computation

/// Prints one line of columns. The name is a verb, or "verb:peer" for what it is compared with.
inline void report(const std::string& verb, std::size_t bytes, double time) {
    std::printf("%s\t%zu\t%.9f\n", verb.c_str(), bytes, time);
}

inline void require(bool held) {
    if (!held) {
        std::perror("benchmark");
        std::exit(1);
    }
}

/// Fresh memory, on huge pages if the system has them.
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

/// Makes the machine keep this much memory available. Hosts of virtual machines reclaim memory that is unused for
/// seconds, and need time to return it.
inline void warm_memory(std::size_t bytes) {
    const fresh_memory memory(bytes);
    for (std::size_t at = 0; at < bytes; at += 4096)
        memory.data()[at] = 1;
}

/// A memory counter of this process in MiB: "RssAnon" is private memory, "RssFile" mapped files, "VmHWM" the peak.
[[nodiscard]] inline std::size_t memory(const std::string& kind) {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;)
        if (word == kind + ':') {
            std::size_t kib = 0;
            status >> kib;
            return kib / 1024;
        }
    return 0;
}

/// Setup and cleanup around each call, which are not measured, and the number of calls per measurement.
struct around {
    std::function<void()> before = [] {};
    std::function<void()> after = [] {};
    int times = 1;
    double steps = 1;  // number of steps in one call; the reported time is that of one step
};

/// Measures several functions in turns: A B C, then B C A, then C A B, so that each runs after each other one.
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

/// Writes a file with the fewest system calls.
/// @param flags  for open, such as O_TRUNC
inline void write_file(const std::string& path, const void* data, std::size_t bytes, int flags = O_TRUNC) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | flags, 0666);
    require(file >= 0);
    write_all(file, data, bytes);
    require(::close(file) == 0);
}

/// Writes a file and syncs it, so that writing back its pages does not disturb later measurements.
inline void settle(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY);
    require(file >= 0 && ::fsync(file) == 0 && ::close(file) == 0);
}

/// The fastest sum with one thread: eight accumulators, so that additions do not wait for each other.
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

/// Arguments of every benchmark: a folder to write into, and the array sizes.
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
