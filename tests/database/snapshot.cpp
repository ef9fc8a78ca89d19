// SPDX-License-Identifier: BSD-3-Clause
// Snapshots: one commit for as long as it is held, beside writers.
#include "support/catch.hpp"
#include "support/faults.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/database.hpp>
#include <ndkeep/npy.hpp>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

using namespace ndkeep;

namespace snapshot_tests {

using numbers = xt::xtensor<std::int64_t, 1>;

template <class Array>
std::uint32_t sum_of(const Array& array) {
    return crc32c(std::as_bytes(std::span(array.data(), array.size())));
}

/// Whether the log of a database is there.
bool has_log(const std::filesystem::path& lab) {
    for (const auto& entry : std::filesystem::directory_iterator(lab / ".ndkeep"))
        if (entry.path().filename().string().starts_with("log-"))
            return true;
    return false;
}

/// Runs `act` in a child, and returns its number.
template <class Act>
pid_t in_child(Act&& act) {
    const pid_t child = ::fork();
    if (child == 0) {
        int result = 1;
        try {
            result = act() ? 0 : 2;
        } catch (...) {
        }
        ::_exit(result);
    }
    REQUIRE(child > 0);
    return child;
}

int result_of(pid_t child) {
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return status;
}

TEST_CASE("a snapshot returns the same bytes while a hundred transactions commit", "[database]") {
    temp_dir dir;
    database lab(dir / "lab");
    auto a = lab.create<std::int64_t>("a", {100'000});
    std::iota(a.begin(), a.end(), 0);
    lab.metadata("a")["step"] = 0;
    lab.commit();

    const database_snapshot first(dir / "lab");
    const auto seen = first.map<std::int64_t, 1>("a");
    const auto sum = sum_of(seen);
    std::mt19937 random(7);
    for (int step = 1; step <= 100; ++step) {
        for (int i = 0; i < 20; ++i)
            a(random() % a.size()) = step;
        if (step % 10 == 0)
            a.append(numbers{step, step});
        if (step % 25 == 0)
            a.resize({a.size() - 1000});
        lab.metadata("a")["step"] = step;
        lab.commit();
    }

    CHECK(sum_of(seen) == sum);
    CHECK(sum_of(first.map<std::int64_t, 1>("a")) == sum);
    CHECK(first.metadata("a")["step"] == 0);
    const database_snapshot last(dir / "lab");
    CHECK(last.commit() == 101);
    CHECK(last.metadata("a")["step"] == 100);
    CHECK((last.map<std::int64_t, 1>("a") == a));
}

TEST_CASE("an array of a snapshot keeps its commit after the snapshot is refreshed or gone", "[database]") {
    temp_dir dir;
    database lab(dir / "lab");
    auto a = lab.create<std::int64_t>("a", {3});
    a.fill(1);
    lab.commit();

    mapped<const std::int64_t, 1> seen;
    {
        database_snapshot now(dir / "lab");
        seen = now.map<std::int64_t, 1>("a");
        a.fill(2);
        lab.commit();
        now.refresh();
        CHECK(now.map<std::int64_t, 1>("a")(0) == 2);
    }
    a.fill(3);
    lab.commit();

    CHECK(seen(0) == 1);
    CHECK(load<std::int64_t, 1>(dir / "lab" / "a.npy")(0) == 1);
    seen = {};
    lab.commit();
    CHECK(load<std::int64_t, 1>(dir / "lab" / "a.npy")(0) == 3);
}

TEST_CASE("a snapshot has the names of its commit", "[database]") {
    temp_dir dir;
    database lab(dir / "lab");
    auto a = lab.create<double>("a", {2});
    a.fill(1);
    lab.commit();
    database_snapshot before(dir / "lab");

    lab.remove("a");
    auto b = lab.create<double>("b", {3});
    b.fill(2);
    lab.commit();
    auto again = lab.create<float>("a", {1});
    again.fill(4);
    lab.commit();

    CHECK(before.names() == std::vector<std::string>{"a"});
    CHECK(before.map<double, 1>("a")(1) == 1);
    CHECK(thrown<io_error>([&] { (void)before.inspect("b"); }).code() == std::errc::no_such_file_or_directory);
    const database_snapshot after(dir / "lab");
    CHECK(after.names() == std::vector<std::string>{"a", "b"});
    CHECK(after.map<float, 1>("a")(0) == 4);
    CHECK(after.map<double, 1>("b")(2) == 2);
    before.refresh();
    CHECK(before.map<float, 1>("a")(0) == 4);
    CHECK(thrown<mismatch_error>([&] { (void)before.map<double>("a"); }).field() == "dtype");
}

TEST_CASE("rows that a commit cuts off stay readable in a snapshot", "[database]") {
    temp_dir dir;
    database lab(dir / "lab");
    auto a = lab.create<std::int64_t>("a", {10});
    std::iota(a.begin(), a.end(), 0);
    lab.commit();
    const database_snapshot before(dir / "lab");
    const auto seen = before.map<std::int64_t, 1>("a");

    a.resize({2});
    lab.commit();
    a.append(numbers{-1, -2, -3});
    lab.commit();

    CHECK((seen == xt::arange<std::int64_t>(10)));
    CHECK((a == numbers({0, 1, -1, -2, -3})));
    CHECK((database_snapshot(dir / "lab").map<std::int64_t, 1>("a") == a));
}

TEST_CASE("a commit that a snapshot holds back survives the writer", "[database]") {
    temp_dir dir;
    auto seen = [&] {
        database lab(dir / "lab");
        auto a = lab.create<std::int64_t>("a", {4});
        a.fill(1);
        lab.commit();
        auto held = database_snapshot(dir / "lab").map<std::int64_t, 1>("a");
        a(1) = 2;
        auto b = lab.create<std::int64_t>("b", {2});
        b.fill(7);
        lab.metadata("a")["unit"] = "s";
        lab.commit();
        return held;
    }();
    CHECK(has_log(dir / "lab"));
    CHECK(load<std::int64_t, 1>(dir / "lab" / "a.npy")(1) == 1);

    {
        database lab(dir / "lab");
        auto a = lab.open<std::int64_t, 1>("a");
        CHECK(a(1) == 2);
        CHECK(lab.open<std::int64_t, 1>("b")(1) == 7);
        CHECK(lab.metadata("a")["unit"] == "s");
        a(2) = 3;
        lab.commit();
        CHECK(seen(1) == 1);
        seen = {};
        lab.commit();
    }

    CHECK((load<std::int64_t, 1>(dir / "lab" / "a.npy") == numbers({1, 2, 3, 1})));
    CHECK(load<std::int64_t, 1>(dir / "lab" / "b.npy")(0) == 7);
    CHECK_FALSE(has_log(dir / "lab"));
}

TEST_CASE("a killed reader holds nothing back", "[database]") {
    temp_dir dir;
    database lab(dir / "lab");
    auto a = lab.create<std::int64_t>("a", {4});
    lab.commit();
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t reader = in_child([&] {
        const database_snapshot now(dir / "lab");
        const auto seen = now.map<std::int64_t, 1>("a");
        (void)!::write(ready[1], "r", 1);
        ::pause();
        return seen(0) == 0;
    });
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    ::close(ready[0]);
    ::close(ready[1]);
    a.fill(5);
    lab.commit();
    CHECK(load<std::int64_t, 1>(dir / "lab" / "a.npy")(0) == 0);

    ::kill(reader, SIGKILL);
    (void)result_of(reader);
    lab.commit();

    CHECK(load<std::int64_t, 1>(dir / "lab" / "a.npy")(0) == 5);
}

TEST_CASE("readers in other processes see one commit at a time", "[database]") {
    temp_dir dir;
    {
        database lab(dir / "lab");
        (void)lab.create<std::int64_t>("a", {5000});
        (void)lab.create<std::int64_t>("b", {3000});
        lab.metadata("a")["x"] = 0;
        lab.commit();
    }
    const auto read = [&](unsigned seed) {
        std::mt19937 random(seed);
        database_snapshot now(dir / "lab");
        for (int round = 0; round < 60; ++round) {
            const auto a = now.map<std::int64_t, 1>("a"), b = now.map<std::int64_t, 1>("b");
            const auto x = now.metadata("a")["x"].get<std::int64_t>();
            for (unsigned i = 0; i <= random() % 3; ++i) {
                const auto is_x = [&](std::int64_t each) { return each == x; };
                if (!std::all_of(a.begin(), a.end(), is_x) || !std::all_of(b.begin(), b.end(), is_x))
                    return false;
                ::usleep(static_cast<useconds_t>(random() % 2000));
            }
            now.refresh();
        }
        return true;
    };
    std::vector<pid_t> readers;
    for (unsigned seed = 0; seed < 4; ++seed)
        readers.push_back(in_child([&] { return read(seed); }));
    const pid_t killed = in_child([&] {
        while (read(99)) {
        }
        return false;
    });

    database lab(dir / "lab");
    auto a = lab.open<std::int64_t, 1>("a"), b = lab.open<std::int64_t, 1>("b");
    std::int64_t x = 0;
    for (std::size_t done = 0; done < readers.size();) {
        ++x;
        a.fill(x);
        b.fill(x);
        if (x % 7 == 0) {
            const numbers more = xt::ones<std::int64_t>({100}) * x;
            a.append(more);
        }
        if (x % 50 == 0)
            a.resize({4000});
        lab.metadata("a")["x"] = x;
        lab.commit();
        if (x == 20)
            ::kill(killed, SIGKILL);
        int status = 0;
        if (::waitpid(readers[done], &status, WNOHANG) == readers[done]) {
            CHECK(status == 0);
            ++done;
        }
    }
    ::kill(killed, SIGKILL);
    (void)result_of(killed);
    lab.close();

    CHECK(load<std::int64_t, 1>(dir / "lab" / "b.npy")(2999) == x);
}

TEST_CASE("a snapshot of a directory that is no database is an error", "[database][error]") {
    temp_dir dir;

    CHECK(thrown<io_error>([&] { database_snapshot(dir / "absent"); }).code() == std::errc::no_such_file_or_directory);
    CHECK(std::string(thrown<io_error>([&] { database_snapshot(dir.path()); }).what()).find("is no database") !=
          std::string::npos);
}

TEST_CASE("a snapshot after a kill at any call of a commit has all of it or nothing", "[database][fault]") {
    int completed = 0;
    for (std::size_t at = 0;; ++at) {
        temp_dir dir;
        {
            database lab(dir / "lab");
            (void)lab.create<std::int64_t>("a", {3});
            (void)lab.create<std::int64_t>("b", {600});
            lab.commit();
        }
        const bool killed = faults::killed({.what = faults::effect::kill, .at = at}, [&] {
            database lab(dir / "lab");
            lab.open<std::int64_t, 1>("a").fill(4);
            lab.open<std::int64_t, 1>("b").fill(4);
            lab.commit();
        });

        const database_snapshot now(dir / "lab");
        const auto a = now.map<std::int64_t, 1>("a"), b = now.map<std::int64_t, 1>("b");
        const auto is_all = [&](const auto& array, std::int64_t value) {
            return std::all_of(array.begin(), array.end(), [&](std::int64_t each) { return each == value; });
        };
        INFO("killed at " << at);
        REQUIRE((is_all(a, 4) ? is_all(b, 4) : is_all(a, 0) && is_all(b, 0)));
        if (!killed) {
            CHECK(is_all(a, 4));
            break;
        }
        completed += is_all(a, 4);
    }
    CHECK(completed > 0);
}

}  // namespace snapshot_tests
