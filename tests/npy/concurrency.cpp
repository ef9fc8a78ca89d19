// SPDX-License-Identifier: BSD-3-Clause
// Concurrent threads and processes that use the same file.
#include "npy/rows.hpp"
#include "support/faults.hpp"

#include <array>
#include <atomic>
#include <future>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

namespace added_rows::concurrency_tests {

namespace {

/// Runs `act(0)`, `act(1)`, … each in a thread, and rethrows an exception.
template <class Act>
void in_threads(int count, const Act& act) {
    std::vector<std::future<void>> running;
    for (int i = 0; i < count; ++i)
        running.push_back(std::async(std::launch::async, [&act, i] { act(i); }));
    for (auto& each : running)
        each.get();
}

/// Whether the lock on the file itself is held; all names of the file share this lock.
bool is_locked(const fs::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
    const bool is_free = ::flock(descriptor, LOCK_EX | LOCK_NB) == 0;
    ::close(descriptor);
    return !is_free;
}

}  // namespace

TEST_CASE("a reader beside an appender sees only shapes that were written", "[npy][append][threads]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    const auto start = [&](std::size_t rows) {
        save(file, xt::xtensor<std::int32_t, 1>(xt::ones<std::int32_t>({rows})));
    };
    start(9'990);
    std::atomic<bool> done = false;
    std::atomic<std::size_t> wrong = 0;
    std::atomic<std::size_t> seen = 0;

    in_threads(3, [&](int who) {
        try {
            for (int round = 0; who == 0 && round < 30; ++round) {
                for (int i = 0; i < 19; ++i)
                    append(file, xt::xtensor<std::int32_t, 1>{1}, {.sync = false});
                start(9'990);
            }
            while (who != 0 && !done) {
                const std::size_t rows = who == 1 ? inspect(file).shape[0] : load<std::int32_t, 1>(file).size();
                wrong += rows < 9'990 || rows > 10'009;
                ++seen;
            }
        } catch (...) {
            done = true;  // otherwise the other threads would wait without end
            throw;
        }
        done = done || who == 0;
    });

    CHECK(wrong == 0);
    CHECK(seen > 30);
}

TEST_CASE("two processes that append lose no row", "[npy][append]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    constexpr int each = 60;
    std::vector<pid_t> children;
    for (const std::int64_t who : {1, 2}) {
        children.push_back(::fork());
        if (children.back() == 0) {
            try {
                for (int i = 0; i < each; ++i)
                    append(file, xt::xtensor<std::int64_t, 2>{{who, i}}, {.sync = false});
                ::_exit(0);
            } catch (...) {
                ::_exit(1);
            }
        }
    }
    for (const pid_t child : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        CHECK(status == 0);
    }

    const auto rows = load<std::int64_t, 2>(file);
    REQUIRE(rows.shape(0) == 2 * each);
    std::array<std::int64_t, 3> next = {};
    for (std::size_t i = 0; i < rows.shape(0); ++i)
        CHECK(rows(i, 1) == next[static_cast<std::size_t>(rows(i, 0))]++);
    CHECK(dir.files() == 1);
}

TEST_CASE("two processes that append through two names of one file lose no row", "[npy][append]") {
    const temp_dir dir;
    const std::array<fs::path, 2> names = {dir / "a.npy", dir / "b.npy"};
    save(names[0], xt::xtensor<std::int64_t, 2>(xt::zeros<std::int64_t>({0, 2})));
    fs::create_hard_link(names[0], names[1]);
    constexpr int each = 200;

    std::vector<pid_t> children;
    for (const std::int64_t who : {0, 1}) {
        children.push_back(::fork());
        if (children.back() == 0) {
            try {
                for (int i = 0; i < each; ++i)
                    append(names[static_cast<std::size_t>(who)], xt::xtensor<std::int64_t, 2>{{who, i}},
                           {.sync = false});
                ::_exit(0);
            } catch (...) {
                ::_exit(1);
            }
        }
    }
    for (const pid_t child : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        CHECK(status == 0);
    }

    CHECK(fs::equivalent(names[0], names[1]));
    const auto rows = load<std::int64_t, 2>(names[0]);
    REQUIRE(rows.shape(0) == 2 * each);
    std::array<std::int64_t, 2> next = {};
    for (std::size_t i = 0; i < rows.shape(0); ++i)
        CHECK(rows(i, 1) == next[static_cast<std::size_t>(rows(i, 0))]++);
    CHECK(dir.files() == 2);
}

TEST_CASE("append unlocks the file although a child has a copy of the descriptor", "[npy][append]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, matrix(xt::zeros<double>({2, 2})));
    if (faults::calls_of([&] { append(file, matrix(xt::zeros<double>({1, 2}))); }).empty())
        return;  // this program was built without faulty_calls.hpp, so no call can be intercepted
    std::array<int, 2> ends = {};
    REQUIRE(::pipe(ends.data()) == 0);
    pid_t child = -1;
    bool was_locked = false;

    {
        const faults::session armed({.what = faults::effect::meanwhile,
                                     .at = 1,  // call 0 made the lock's file; call 1 writes the rows
                                     .meanwhile = [&] {
                                         was_locked = is_locked(file);
                                         child = ::fork();
                                         if (child != 0)
                                             return;
                                         ::close(ends[1]);
                                         char byte = 0;
                                         [[maybe_unused]] const auto end = ::read(ends[0], &byte, 1);
                                         ::_exit(0);
                                     }});
        append(file, matrix(xt::zeros<double>({1, 2})));
    }
    const bool is_free = !is_locked(file);
    ::close(ends[1]);  // lets the child end
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);

    CHECK(was_locked);
    CHECK(is_free);
}

TEST_CASE("an append that throws unlocks the file", "[npy][append]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, matrix(xt::zeros<double>({2, 2})));

    CHECK_THROWS_AS(append(file, matrix(xt::zeros<double>({1, 3}))), mismatch_error);

    CHECK_FALSE(is_locked(file));
}

TEST_CASE("threads that append, with a sidecar, lose no row and no sum", "[npy][append][threads]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, xt::xtensor<std::int64_t, 1>{0}, {.meta = {{"a", 1}}, .statistics = true});

    in_threads(3, [&](int) {
        for (int i = 0; i < 20; ++i)
            append(file, xt::xtensor<std::int64_t, 1>{1}, {.sync = false});
    });

    CHECK(xt::sum(load<std::int64_t, 1>(file))() == 60);
    CHECK(metadata(file) == json{{"a", 1}});
    verify(file);
    CHECK(dir.files() == 2);
}

TEST_CASE("threads that save one name leave the array of one of them", "[npy][save][threads]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";

    in_threads(3, [&](int who) {
        for (int i = 0; i < 40; ++i)
            save(file, matrix(xt::ones<double>({who + 1, 50}) * who), {.meta = {{"who", who}}});
    });

    const auto array = load<double, 2>(file);
    const int who = metadata(file)["who"].get<int>();
    CHECK(array.shape(0) == static_cast<std::size_t>(who) + 1);
    CHECK((array == who * xt::ones<double>({who + 1, 50})));
    verify(file);
    CHECK(dir.files() == 2);
}

}  // namespace added_rows::concurrency_tests
