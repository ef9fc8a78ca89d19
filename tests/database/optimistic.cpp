// SPDX-License-Identifier: BSD-3-Clause
// Several writers of one database.
#include "support/catch.hpp"
#include "support/faults.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/database.hpp>
#include <ndkeep/npy.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

using namespace ndkeep;
using namespace std::chrono_literals;

namespace optimistic_tests {

namespace fs = std::filesystem;
using numbers = xt::xtensor<std::int64_t, 1>;
constexpr database_options several{.optimistic = true};

/// Two writers of a database with an array "a" of 1 Mi elements.
struct two_writers {
    two_writers() {
        database lab(dir / "lab");
        (void)lab.create<std::int64_t>("a", {1 << 20});
        lab.metadata("a")["unit"] = "m";
        lab.commit();
    }
    [[nodiscard]] numbers in_file() const {
        { const database closed(dir / "lab"); }
        return load<std::int64_t, 1>(dir / "lab" / "a.npy");
    }

    temp_dir dir;
};

TEST_CASE("a second writer is refused at once and told who writes", "[database][error]") {
    temp_dir dir;
    const database lab(dir / "lab");

    const auto e = thrown<conflict_error>([&] { database(dir / "lab"); });

    CHECK(e.found().find("process " + std::to_string(::getpid())) == 0);
    CHECK(e.found().find(" since 20") != std::string::npos);
}

TEST_CASE("a second writer waits for the first", "[database]") {
    temp_dir dir;
    auto first = std::make_unique<database>(dir / "lab");
    std::thread ending([&] {
        std::this_thread::sleep_for(50ms);
        first.reset();
    });

    const database second(dir / "lab", {.wait = 30s});

    ending.join();
    CHECK(second.last_commit() == 0);
}

TEST_CASE("writers that change rows far apart both commit", "[database]") {
    two_writers scene;
    {
        database x(scene.dir / "lab", several), y(scene.dir / "lab", several);
        auto ax = x.open<std::int64_t, 1>("a"), ay = y.open<std::int64_t, 1>("a");
        const auto* const before = ay.data();

        ax(0) = 1;
        ay(131072) = 2;
        x.commit();
        y.commit();

        CHECK(ay(0) == 1);
        CHECK(ay.data() == before);
        CHECK(ax(131072) == 0);
        x.abort();
        CHECK(ax(131072) == 2);
    }
    const auto all = scene.in_file();
    CHECK(all(0) == 1);
    CHECK(all(131072) == 2);
}

TEST_CASE("writers that change the same rows collide, and a second try succeeds", "[database]") {
    two_writers scene;
    {
        database x(scene.dir / "lab", several), y(scene.dir / "lab", several);
        auto ax = x.open<std::int64_t, 1>("a"), ay = y.open<std::int64_t, 1>("a");
        ax(600) = 1;
        ay(600) = 2;
        ay(900'000) = 3;
        x.commit();

        const auto e = thrown<conflict_error>([&] { y.commit(); });
        CHECK(e.file() == scene.dir / "lab" / "a.npy");
        CHECK(e.found() == "another writer changed the same rows 512 to 1024 in commit 2");
        CHECK(ay(600) == 2);
        CHECK(ay(900'000) == 3);
        y.abort();
        CHECK(ay(600) == 1);
        CHECK(ay(900'000) == 0);
        ay(600) = 2;
        y.commit();
    }
    CHECK(scene.in_file()(600) == 2);
}

TEST_CASE("rows that several writers append stand one behind the other", "[database]") {
    two_writers scene;
    const std::size_t rows = 1 << 20;
    {
        database x(scene.dir / "lab", several), y(scene.dir / "lab", several);
        auto ax = x.open<std::int64_t, 1>("a"), ay = y.open<std::int64_t, 1>("a");
        ax.append(numbers{1, 2, 3});
        ay.append(numbers{4, 5});
        ay(7) = 70;
        x.commit();
        y.commit();
        CHECK(ay.size() == rows + 5);
        CHECK(ay(rows) == 1);
        CHECK(ay(rows + 4) == 5);
        ax.append(numbers{6});
        x.commit();
        CHECK(ax.size() == rows + 6);
        CHECK(ax(7) == 70);
    }
    const auto all = scene.in_file();
    CHECK((xt::view(all, xt::range(rows, rows + 6)) == numbers({1, 2, 3, 4, 5, 6})));
    CHECK(all(7) == 70);
}

TEST_CASE("rows can be appended while another writer stores into the array", "[database]") {
    two_writers scene;
    const std::size_t rows = 1 << 20;
    database x(scene.dir / "lab", several), y(scene.dir / "lab", several);
    auto ax = x.open<std::int64_t, 1>("a"), ay = y.open<std::int64_t, 1>("a");
    ay(7) = 70;
    y.commit();
    ax.append(numbers{1});
    x.commit();
    ay.append(numbers{2});
    y.commit();

    x.close();
    y.close();
    const auto all = scene.in_file();
    CHECK(all.size() == rows + 2);
    CHECK(all(7) == 70);
    CHECK(all(rows) == 1);
    CHECK(all(rows + 1) == 2);
}

TEST_CASE("writers collide over shapes, metadata, names and removed arrays", "[database]") {
    two_writers scene;
    database x(scene.dir / "lab", several), y(scene.dir / "lab", several);
    auto ax = x.open<std::int64_t, 1>("a"), ay = y.open<std::int64_t, 1>("a");
    const auto collides = [&] {
        const std::string text = thrown<conflict_error>([&] { y.commit(); }).found();
        y.abort();
        return text;
    };

    ax.resize({100});
    ay(200) = 1;
    x.commit();
    CHECK(collides() == "another writer changed the same rows 100 to 512 in commit 2");
    CHECK(ay.size() == 100);

    ax.append(numbers{1});
    ay.resize({50});
    x.commit();
    CHECK(collides().find("in commit 3") != std::string::npos);

    x.metadata("a")["unit"] = "km";
    y.metadata("a")["unit"] = "mm";
    x.commit();
    CHECK(collides() == "another writer changed the metadata in commit 4");
    CHECK(y.metadata("a")["unit"] == "km");

    (void)x.create<double>("b", {1});
    (void)y.create<double>("b", {1});
    x.commit();
    CHECK(collides() == "another writer changed the array itself in commit 5");
    CHECK(y.names() == std::vector<std::string>{"a", "b"});

    ax(0) = 1;
    y.remove("a");
    x.commit();
    CHECK(collides() == "another writer changed the removed array in commit 6");

    x.remove("a");
    ay = y.open<std::int64_t, 1>("a");
    ay(0) = 9;
    x.commit();
    CHECK(collides() == "another writer changed the array itself in commit 7");
    CHECK(y.names() == std::vector<std::string>{"b"});
}

TEST_CASE("the last writer that closes an optimistic database applies the commits of all", "[database]") {
    two_writers scene;
    {
        database y(scene.dir / "lab", several);
        auto ay = y.open<std::int64_t, 1>("a");
        ay(1) = 1;
        y.commit();
        {
            database x(scene.dir / "lab", several);
            auto ax = x.open<std::int64_t, 1>("a");
            ax(2) = 2;
            x.commit();
            ax(2) = 3;
            x.commit();
        }
        CHECK(load<std::int64_t, 1>(scene.dir / "lab" / "a.npy")(2) == 0);
    }

    CHECK(load<std::int64_t, 1>(scene.dir / "lab" / "a.npy")(2) == 3);
    CHECK_FALSE(std::filesystem::exists(scene.dir / "lab" / ".ndkeep" / "log-0000000000000002"));
    append(scene.dir / "lab" / "a.npy", numbers{7});
}

TEST_CASE("the log of several writers is removed only after the files of all are synced", "[database][fault]") {
    two_writers scene;
    database y(scene.dir / "lab", several);
    auto large = y.create<char>("large", {std::size_t{70} << 20});
    {
        database x(scene.dir / "lab", several);
        auto ax = x.open<std::int64_t, 1>("a");
        ax(0) = 1;
        x.commit();
    }
    large.fill('x');

    std::vector<std::string> calls;
    {
        const faults::witness listening([&](const faults::change& made) {
            calls.push_back(made.name + ' ' + fs::path(made.path).filename().string());
        });
        y.commit();
    }

    const auto at = [&](const std::string& call) { return std::find(calls.begin(), calls.end(), call); };
    const auto removed = std::find_if(calls.begin(), calls.end(),
                                      [](const std::string& call) { return call.starts_with("unlink log-"); });
    REQUIRE(removed != calls.end());
    CHECK(at("sync a.npy") < removed);
    CHECK(at("sync large.npy") < removed);
}

TEST_CASE("a reference to metadata stays valid when another writer changes the array", "[database]") {
    two_writers scene;
    database x(scene.dir / "lab", several), y(scene.dir / "lab", several);
    auto& metadata = y.metadata("a");
    CHECK(metadata["unit"] == "m");

    x.metadata("a")["unit"] = "km";
    x.commit();
    y.abort();

    CHECK(metadata["unit"] == "km");
}

TEST_CASE("optimistic writers in several processes lose no increment", "[database]") {
    temp_dir dir;
    constexpr int writers = 3, increments = 40;
    {
        database lab(dir / "lab");
        (void)lab.create<std::int64_t>("counter", {1});
        (void)lab.create<std::int64_t>("log", {0});
        lab.commit();
    }
    std::vector<pid_t> children;
    for (int writer = 0; writer < writers; ++writer) {
        const pid_t child = ::fork();
        if (child == 0) {
            int result = 1;
            try {
                database lab(dir / "lab", several);
                auto counter = lab.open<std::int64_t, 1>("counter"), log = lab.open<std::int64_t, 1>("log");
                for (int i = 0; i < increments;) {
                    try {
                        counter(0) += 1;
                        log.append(numbers{writer});
                        lab.commit();
                        ++i;
                    } catch (const conflict_error&) {
                        lab.abort();
                    }
                }
                result = 0;
            } catch (const std::exception& problem) {
                std::cerr << problem.what() << "\n";
            }
            ::_exit(result);
        }
        REQUIRE(child > 0);
        children.push_back(child);
    }
    for (const pid_t child : children) {
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(status == 0);
    }

    database lab(dir / "lab");

    CHECK(lab.open<std::int64_t, 1>("counter")(0) == writers * increments);
    const auto log = lab.open<std::int64_t, 1>("log");
    CHECK(log.size() == writers * increments);
    for (int writer = 0; writer < writers; ++writer)
        CHECK(std::count(log.begin(), log.end(), writer) == increments);
    verify_database(dir / "lab");
}

TEST_CASE("a database is refused while one of its files is mapped for writing", "[database][error]") {
    temp_dir dir;
    { const database lab(dir / "lab"); }
    auto stored = create<double>(dir / "lab" / "a.npy", {3});
    stored(1) = 4;

    CHECK(thrown<conflict_error>([&] { database(dir / "lab"); }).found() ==
          "a program that saves, appends to or maps one of its files");
    { const auto closed = std::move(stored); }

    CHECK(database(dir / "lab").open<double, 1>("a")(1) == 4);
}

TEST_CASE("plain verbs refuse the files of an open database", "[database][error]") {
    temp_dir dir;
    {
        database lab(dir / "lab");
        auto a = lab.create<std::int64_t>("a", {3});
        lab.commit();
        const auto file = dir / "lab" / "a.npy";

        CHECK(thrown<conflict_error>([&] { save(file, numbers{1}); }).file() == file);
        CHECK(thrown<conflict_error>([&] { append(file, numbers{1}); }).file() == file);
        CHECK(thrown<conflict_error>([&] { describe(file, {.statistics = true}); }).expected() == "no open database");
        CHECK(thrown<conflict_error>([&] { (void)map<std::int64_t>(file, read_write); }).file() == file);
        CHECK(load<std::int64_t, 1>(file).size() == 3);
        const auto held = database_snapshot(dir / "lab").map<std::int64_t, 1>("a");
        a(0) = 1;
        lab.commit();
        lab.close();
        CHECK(thrown<conflict_error>([&] { save(file, numbers{1}); }).found() ==
              "a database with commits that its files may not have");
    }
    { const database applied(dir / "lab"); }

    append(dir / "lab" / "a.npy", numbers{8});
    save(dir / "lab" / "b.npy", numbers{9});

    database lab(dir / "lab");
    CHECK((lab.open<std::int64_t, 1>("a") == numbers({1, 0, 0, 8})));
    CHECK(lab.open<std::int64_t, 1>("b")(0) == 9);
}

}  // namespace optimistic_tests
