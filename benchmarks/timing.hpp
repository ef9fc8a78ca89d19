// SPDX-License-Identifier: BSD-3-Clause
// What all benchmarks have in common: a clock, lines for run.sh to put together, and what any program has to do.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace timing {

inline volatile double sink = 0;  // takes what is computed, so that it is

/// The mean of several calls, where one is too short for the clock.
template <class Call>
double seconds(Call&& call, int times = 1) {
    ::sync();  // so that nobody's pages are still on their way to the disk meanwhile
    using clock = std::chrono::steady_clock;
    const auto begin = clock::now();
    for (int i = 0; i < times; ++i)
        call();
    return std::chrono::duration<double>(clock::now() - begin).count() / times;
}

/// The same with something to be done before each call, which does not count.
template <class Before, class Call>
double seconds_after(Before&& before, Call&& call, int times) {
    ::sync();
    using clock = std::chrono::steady_clock;
    clock::duration all{};
    for (int i = 0; i < times; ++i) {
        before();
        const auto begin = clock::now();
        call();
        all += clock::now() - begin;
    }
    return std::chrono::duration<double>(all).count() / times;
}

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

}  // namespace timing
