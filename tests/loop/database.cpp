// SPDX-License-Identifier: BSD-3-Clause
// Loops that change the arrays of a database: each chunk exactly once, after kills, breaks and exceptions too.
#include "loop/loop.hpp"

#include <ndkeep/database.hpp>

#include <csignal>
#include <cstdint>
#include <stdexcept>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace loop_database_tests {

namespace nk = ndkeep;
using namespace looptest;

namespace {

/// Adds each number from 1 to `rows` to a histogram by its last digit, and appends it to a list.
void count_digits(const temp_dir& dir, std::size_t rows, const std::function<void(std::int64_t)>& after_row = {}) {
    const auto source = counting(1, rows);
    nk::database lab(dir / "lab");
    if (!lab.contains("digits")) {
        (void)lab.create<std::int64_t>("digits", {10});
        (void)lab.create<std::int64_t>("list", {0});
        lab.commit();
    }
    auto digits = lab.open<std::int64_t, 1>("digits"), list = lab.open<std::int64_t, 1>("list");
    nk::stateful_loop loop(dir / "digits.state", quick());
    auto& sum = loop.bind<std::int64_t>("sum");
    for (const auto& chunk : loop.over(source, {.rows = 3}).into(lab)) {
        for (const auto value : chunk) {
            digits(value % 10) += 1;
            list.append(ints{value});
            sum += value;
            if (after_row)
                after_row(value);
        }
        lab.metadata("list")["sum"] = sum;
    }
}

void check_counted(const temp_dir& dir, std::int64_t rows) {
    { const nk::database applied(dir / "lab"); }
    const auto digits = nk::load<std::int64_t, 1>(dir / "lab" / "digits.npy");
    const auto list = nk::load<std::int64_t, 1>(dir / "lab" / "list.npy");
    REQUIRE(list.size() == static_cast<std::size_t>(rows));
    std::int64_t counts[10] = {};
    for (std::int64_t i = 1; i <= rows; ++i) {
        CHECK(list(i - 1) == i);
        ++counts[i % 10];
    }
    for (std::size_t i = 0; i < 10; ++i)
        CHECK(digits(i) == counts[i]);
    CHECK(nk::metadata(dir / "lab" / "list.npy")["sum"] == rows * (rows + 1) / 2);
}

}  // namespace

TEST_CASE("a pass changes the arrays of a database, and the next pass goes on", "[loop][database]") {
    const temp_dir dir;
    count_digits(dir, 10);
    check_counted(dir, 10);
    count_digits(dir, 10);
    check_counted(dir, 10);
    count_digits(dir, 25);
    check_counted(dir, 25);
    CHECK_FALSE(std::filesystem::exists(dir / "digits.state"));
}

TEST_CASE("a body that throws is undone in every array of the database", "[loop][database]") {
    const temp_dir dir;
    CHECK_THROWS_AS(count_digits(dir, 20,
                                 [](std::int64_t value) {
                                     if (value == 11)
                                         throw std::runtime_error("stop");
                                 }),
                    std::runtime_error);
    check_counted(dir, 9);
    count_digits(dir, 20);
    check_counted(dir, 20);
}

TEST_CASE("a loop into a database that is killed at any row counts every row once", "[loop][database]") {
    const temp_dir dir;
    for (std::int64_t killed = 1; killed < 20; killed += 4) {
        const pid_t child = ::fork();
        if (child == 0) {
            count_digits(dir, 20, [&](std::int64_t value) {
                if (value == killed)
                    ::kill(::getpid(), SIGKILL);
            });
            ::_exit(0);
        }
        REQUIRE(child > 0);
        REQUIRE(::waitpid(child, nullptr, 0) == child);
    }
    count_digits(dir, 20);
    check_counted(dir, 20);
}

TEST_CASE("states of any length are kept in a database", "[loop][database]") {
    const temp_dir dir;
    const auto source = counting(1, 4);
    constexpr std::size_t numbers = std::size_t{9} << 20;  // 72 MiB
    for (int pass = 1; pass <= 2; ++pass) {
        nk::database lab(dir / "lab");
        nk::stateful_loop loop(dir / "large.state", quick());
        auto& state = loop.bind<xt::xtensor<double, 1>>("state", xt::zeros<double>({numbers}));
        for (const auto& chunk : loop.over(source, {.rows = 2}).into(lab)) {
            state(numbers - 1) += static_cast<double>(chunk.size());
            loop.stop();
        }
        CHECK(state(numbers - 1) == 2 * pass);
    }
}

TEST_CASE("a pass refuses a database with changes that are not committed", "[loop][database][error]") {
    const temp_dir dir;
    const auto source = counting(1, 3);
    nk::database lab(dir / "lab");
    auto a = lab.create<double>("a", {2});
    nk::stateful_loop loop(dir / "a.state", quick());

    CHECK(thrown<nk::mismatch_error>([&] {
              for (const auto& chunk : loop.over(source, {.rows = 3}).into(lab))
                  (void)chunk;
          }).found() == "a database with uncommitted changes");
}

}  // namespace loop_database_tests
