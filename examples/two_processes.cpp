// SPDX-License-Identifier: BSD-3-Clause
// Two processes work on one database: a second writer is refused or waits, and a reader holds one commit meanwhile.
#include <ndkeep/database.hpp>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include <sys/wait.h>
#include <unistd.h>

namespace fs = std::filesystem;
namespace nk = ndkeep;
using namespace std::chrono_literals;

namespace {

/// A pipe between two processes. Each `notify` ends one `wait`.
class signal_to {
  public:
    signal_to() {
        if (::pipe(ends_) != 0)
            throw std::system_error(errno, std::generic_category(), "pipe");
    }
    signal_to(const signal_to&) = delete;
    signal_to& operator=(const signal_to&) = delete;
    ~signal_to() {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    void notify() const { (void)!::write(ends_[1], "x", 1); }
    void wait() const {
        char received = 0;
        (void)!::read(ends_[0], &received, 1);
    }

  private:
    int ends_[2] = {};
};

void print(const char* who, const nk::database& lab, const nk::database_array<std::int64_t, 1>& counts) {
    std::printf("%s sees commit %llu: %lld rows, the last is %lld\n", who,
                static_cast<unsigned long long>(lab.last_commit()), static_cast<long long>(counts.size()),
                static_cast<long long>(counts(counts.size() - 1)));
    std::fflush(stdout);
}

/// Adds one row to both arrays. Every other process sees both, or neither.
void add_row(nk::database& lab, std::int64_t value) {
    auto counts = lab.open<std::int64_t, 1>("counts");
    auto halves = lab.open<double, 1>("halves");
    counts.append(std::vector<std::int64_t>{value});
    halves.append(std::vector<double>{static_cast<double>(value) / 2});
    lab.commit();
}

/// The first writer. It has the database until it closes it.
void first_writer(const signal_to& to_second, const signal_to& from_second) {
    nk::database lab("lab");
    (void)lab.create<std::int64_t>("counts", {1});
    (void)lab.create<double>("halves", {1});
    lab.commit();
    to_second.notify();
    from_second.wait();  // the second writer has been refused, and is about to wait
    add_row(lab, 1);
    print("the first writer", lab, lab.open<std::int64_t, 1>("counts"));
    lab.close();
}

void second_writer(const signal_to& to_first, const signal_to& from_first) {
    from_first.wait();
    nk::database_snapshot reader("lab");  // commit 1, whatever others commit
    const auto held = reader.map<std::int64_t, 1>("counts");
    try {
        const nk::database refused("lab");
    } catch (const nk::conflict_error& problem) {
        std::printf("%s\n", problem.what());
        std::fflush(stdout);
    }
    to_first.notify();
    nk::database lab("lab", {.wait = 60s});
    add_row(lab, 2);
    print("the second writer", lab, lab.open<std::int64_t, 1>("counts"));

    std::printf("the reader still sees commit %llu: %zu row\n", static_cast<unsigned long long>(reader.commit()),
                held.size());
    reader.refresh();  // `held` keeps its bytes
    std::printf("after a refresh commit %llu: %zu rows; what it had mapped has %zu row\n",
                static_cast<unsigned long long>(reader.commit()), reader.map<std::int64_t, 1>("counts").size(),
                held.size());
}

}  // namespace

int main() {
    fs::remove_all("lab");
    const signal_to first, second;
    const pid_t child = ::fork();
    if (child == 0) {
        first_writer(second, first);
        ::_exit(0);
    }
    second_writer(first, second);
    ::waitpid(child, nullptr, 0);
    // What `held` has kept back stands in the log. The next opening brings it to the npy files.
    const nk::database lab("lab");
}
