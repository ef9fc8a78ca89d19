// SPDX-License-Identifier: BSD-3-Clause
// Faults in all verbs: interrupted or failing file calls, failing reads, and a full disk.
#include "npy/faults.hpp"
#include "support/faulty_calls.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

namespace fault_scenarios::faults_tests {

TEST_CASE("the calls of the library are seen", "[npy][fault]") {
    const temp_dir dir;

    const auto calls = faults::calls_of([&] { save(dir / "t.npy", some_rows(2, 0), {.sync = true}); });
    std::string names;
    for (const auto& call : calls)
        names += call.name + ' ';

    CHECK(names == "create pwrite fsync rename fsync ");
}

TEST_CASE("two kills between sidecar and data, and a copy in between, keep the metadata", "[npy][fault]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, some_rows(8, 0), {.meta = old_meta});
    const auto killed_before_data = [&](double seed) {
        const auto over = saved(8, seed, {.meta = new_meta});
        const temp_dir other;
        save(other / "t.npy", some_rows(8, 0), {.meta = old_meta});
        const auto calls = faults::calls_of([&] { over(other / "t.npy"); });
        std::size_t last_rename = 0;
        for (std::size_t i = 0; i < calls.size(); ++i)
            if (calls[i].name == "rename")
                last_rename = i;
        return faults::killed({.what = faults::effect::kill, .at = last_rename}, [&] { over(file); });
    };

    REQUIRE(killed_before_data(100));
    fs::last_write_time(file, fs::last_write_time(file) + std::chrono::hours(1));  // as a copied file may have
    REQUIRE(killed_before_data(200));

    CHECK(metadata(file) == old_meta);
}

TEST_CASE("kill -9 at any time leaves one of the arrays that were saved", "[npy][fault]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, some_rows(2, 0), {.meta = {{"rows", 2}}});
    std::mt19937 random(12345);
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1000);
    std::size_t rows_seen = 0;
    // A slow machine gets more time, until a child has reached an append.
    const auto latest = until + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < (rows_seen > 2 ? until : latest)) {
        const pid_t child = ::fork();
        if (child == 0) {
            for (std::size_t round = 1;; ++round) {
                save(file, some_rows(2, static_cast<double>(round)), {.meta = {{"seed", round}}, .statistics = true});
                for (int i = 0; i < 5; ++i)
                    append(file, some_rows(1, static_cast<double>(round)), {.sync = false});
            }
        }
        std::this_thread::sleep_for(std::chrono::microseconds(500 + random() % 20000));
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);

        const auto array = load<double, 2>(file);
        rows_seen = std::max(rows_seen, array.shape(0));
        CHECK(array.shape(1) == 50);
        const auto said = metadata(file);
        if (said.contains("seed"))
            CHECK(said["seed"].get<double>() == array(0, 0));
        for (std::size_t row = 2; row < array.shape(0); ++row)
            REQUIRE(array(row, 0) == array(0, 0));
        // Only of a row that a killed append has written, and that no header counts.
        for (const auto& each : findings(file))
            REQUIRE(each.message.find("data is followed by") != std::string::npos);
    }

    CHECK(rows_seen > 2);
    save(file, some_rows(2, 0), {.meta = old_meta});
    CHECK(dir.files() == 2);
}

TEST_CASE("a call that fails makes describe, create and recover throw and changes nothing", "[npy][fault][error]") {
    for (const auto& scenes : {describes(), creates(), recovers()})
        for (const auto& scene : scenes)
            check_failures(scene);
}

TEST_CASE("a sidecar that cannot be read is an error that names it, before anything is replaced",
          "[npy][fault][error]") {
    const std::vector<std::pair<std::string, step>> acts = {
        {"save", saved(8, 100)},
        {"save with sidecar", saved(8, 100, {.meta = new_meta})},
        {"create",
         [](const fs::path& file) {
             (void)create<double>(file, {8, 50}, {.replace = true});
         }},
        {"create_raw",
         [](const fs::path& file) {
             (void)create_raw<double>(file, {8, 50}, {.replace = true});
         }},
        {"append", [](const fs::path& file) { append(file, some_rows(3, 900)); }},
        {"map read_write", [](const fs::path& file) { (void)map<double>(file, read_write); }},
        {"describe", [](const fs::path& file) { describe(file, {.sum = checksum::md5}); }},
        {"recover",
         [](const fs::path& file) {
             add_bytes(file, std::string(400, 'x'));
             (void)recover(file);
         }},
        {"metadata", [](const fs::path& file) { (void)metadata(file); }},
        {"verify", [](const fs::path& file) { verify(file); }},
    };
    for (const auto& [name, act] : acts) {
        CAPTURE(name);
        const temp_dir dir;
        const auto file = dir / "t.npy";
        save(file, some_rows(8, 0), {.meta = old_meta});
        const auto former = read_text(file);
        const auto said = read_text(sidecar_path(file));
        const temp_dir other;
        save(other / "t.npy", some_rows(8, 0), {.meta = old_meta});
        const auto calls = faults::calls_of([&act = act, &other] { act(other / "t.npy"); }, faults::kind::reads);
        const auto at = number_of(calls, "open", "t.npy.json");
        REQUIRE(at < calls.size());

        const auto problem = caught<io_error>([&act = act, &file, at] {
            const faults::session armed({.what = faults::effect::fail,
                                         .at = at,
                                         .code = EACCES,
                                         .counted = faults::kind::reads,
                                         .times = 1000});
            act(file);
        });

        REQUIRE(problem);
        CHECK(problem->file() == sidecar_path(file));
        CHECK(problem->code().value() == EACCES);
        CHECK((read_text(file).substr(0, former.size()) == former));
        CHECK(read_text(sidecar_path(file)) == said);
        CHECK(dir.files() == 2);
    }
}

TEST_CASE("an error after the commit point says that the array is saved", "[npy][fault][error]") {
    const std::vector<std::pair<std::string, step>> acts = {
        {"save", saved(8, 100)},
        {"create",
         [](const fs::path& file) {
             (void)create<double>(file, {8, 50}, {.replace = true});
         }},
    };
    for (const auto& [name, act] : acts) {
        CAPTURE(name);
        const temp_dir dir;
        const auto file = dir / "t.npy";
        const auto before = without_claims(saved(8, 0, {.meta = old_meta}));
        before(file);
        const temp_dir other;
        before(other / "t.npy");
        const auto calls = faults::calls_of([&act = act, &other] { act(other / "t.npy"); });
        const auto at = number_of(calls, "unlink", "t.npy.json");
        REQUIRE(at < calls.size());
        const auto wanted = load_any(other / "t.npy");

        const auto problem = caught<io_error>([&act = act, &file, at] {
            const faults::session armed({.what = faults::effect::fail, .at = at, .code = EACCES});
            act(file);
        });

        REQUIRE(problem);
        CHECK(problem->file() == sidecar_path(file));
        CHECK(problem->code().value() == EACCES);
        CHECK(std::string_view(problem->what()).find("the array is saved") != std::string_view::npos);
        CHECK((read_text(file) == read_text(other / "t.npy")));
        CHECK(found_in(file).metadata != old_meta.dump());
    }
}

TEST_CASE("a read that fails in save or create leaves the old array, or the error says that the new one is saved",
          "[npy][fault][error]") {
    for (const auto& scenes : {saves_over(), saves_with_sidecar(), creates()})
        for (const auto& scene : scenes) {
            const play all = played(scene);
            const auto calls = [&] {
                const temp_dir other;
                scene.before(other / "t.npy");
                return faults::calls_of([&] { scene.act(other / "t.npy"); }, faults::kind::reads);
            }();
            for (std::size_t at = 0; at < calls.size(); ++at) {
                CAPTURE(scene.name, at, calls[at].name, calls[at].path);
                const temp_dir dir;
                const auto file = dir / "t.npy";
                scene.before(file);

                const auto problem = caught<error>([&] {
                    const faults::session armed(
                        {.what = faults::effect::fail, .at = at, .code = EIO, .counted = faults::kind::reads});
                    scene.act(file);
                });

                const state found = found_in(file);
                const bool tells = problem && std::string_view(problem->what()).find("is saved") != std::string::npos;
                check_state(scene, all, file);
                // An error with the folder's path is a failed sync of the folder: the data is complete, but may not
                // survive a power cut.
                if (!problem || problem->file() != dir.path())
                    CHECK((found.bytes == (problem && !tells ? all.old.bytes : all.made.bytes)));
                check_next(scene, all, dir, file);
            }
        }
}

TEST_CASE("calls that are interrupted, or move only a part, are made again", "[npy][fault]") {
    const std::set<std::string> never_interrupted = {"rename", "unlink", "fsync", "fchmod", "fchown", "mmap"};
    auto wanted = matrix::from_shape({11, 50});
    xt::view(wanted, xt::range(0, 8)) = some_rows(8, 0);
    xt::view(wanted, xt::range(8, 11)) = some_rows(3, 200);
    const step act = [](const fs::path& file) {
        save(file, some_rows(5, 0));
        save(file, some_rows(8, 0), {.meta = old_meta});
        append(file, some_rows(3, 200), {.sync = false});
        (void)create<double>(file.parent_path() / "z.npy", {4}, {.replace = true, .reserve = true});
        (void)load_any(file);
    };
    for (const auto kind : {faults::kind::changes, faults::kind::reads}) {
        const temp_dir first;
        const auto calls = faults::calls_of([&] { act(first / "t.npy"); }, kind);
        REQUIRE(calls.size() > 5);
        for (const auto what : {faults::effect::fail, faults::effect::halve})
            for (std::size_t at = 0; at < calls.size(); ++at) {
                CAPTURE(at, calls[at].name, what == faults::effect::halve);
                if (what == faults::effect::fail && never_interrupted.contains(calls[at].name))
                    continue;
                const temp_dir dir;

                {
                    const faults::session armed({.what = what, .at = at, .code = EINTR, .counted = kind});
                    CHECK_NOTHROW(act(dir / "t.npy"));
                }

                CHECK((load<double, 2>(dir / "t.npy") == wanted));
                CHECK(metadata(dir / "t.npy") == old_meta);
                CHECK(findings(dir / "t.npy").empty());
                CHECK(dir.files() == 3);
            }
    }
}

TEST_CASE("a read that fails is an error that names the file", "[npy][fault][error]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, some_rows(8, 0));
    const step act = [](const fs::path& from) {
        (void)load<double, 2>(from);
        (void)map<double, 2>(from);
    };
    const auto calls = faults::calls_of([&] { act(file); }, faults::kind::reads);
    REQUIRE(calls.size() >= 7);
    for (std::size_t at = 0; at < calls.size(); ++at) {
        CAPTURE(at, calls[at].name);

        const auto problem = caught<io_error>([&] {
            const faults::session armed(
                {.what = faults::effect::fail, .at = at, .code = EIO, .counted = faults::kind::reads});
            act(file);
        });

        REQUIRE(problem);
        CHECK(problem->file() == file);
        CHECK(problem->code().value() == EIO);
    }
}

// A disk that is really full ------------------------------------------------------------------------------------------

namespace {

/// Runs on a full disk and checks all that must hold. Returns what is wrong.
std::string on_a_full_disk(const fs::path& folder, std::size_t room) {
    const auto file = folder / "t.npy";
    save(file, some_rows(8, 0), {.meta = old_meta});
    const auto former = read_text(file);
    const std::size_t rows = room / 400 + 1;
    std::vector<std::pair<std::string, step>> acts = {
        {"save", saved(rows, 100)},
        {"save with sidecar", saved(rows, 100, {.meta = new_meta})},
        {"append", [&](const fs::path& to) { append(to, some_rows(rows, 100)); }},
        {"create",
         [&](const fs::path& to) {
             (void)create<double>(to, {rows, 50}, {.replace = true, .reserve = true});
         }},
    };
    for (const auto& each : acts) {
        const auto& name = each.first;
        const auto problem = caught<io_error>([&] { each.second(file); });
        if (!problem)
            return name + " did not throw";
        if (problem->file() != file)
            return name + " names " + problem->file().string();
        if (problem->code().value() != ENOSPC && problem->code().value() != EFBIG)
            return name + ": " + problem->what();
        if (read_text(file) != former)
            return name + " changed the file";
        if (metadata(file) != old_meta || !findings(file).empty())
            return name + " changed what is said of it";
        if (names_in(folder).size() != 2)
            return name + " left something";
    }
    append(file, some_rows(3, 9));
    return load<double, 2>(file).shape(0) == 11 ? "" : "no append afterwards";
}

}  // namespace

TEST_CASE("a file size limit is an error that names the file and leaves it as it was", "[npy][fault][error]") {
    const temp_dir dir;

    const auto end = faults::in_child([&] {
        const rlimit most{65536, 65536};
        ::setrlimit(RLIMIT_FSIZE, &most);
        std::signal(SIGXFSZ, SIG_IGN);
        return on_a_full_disk(dir.path(), 65536);
    });

    CHECK(end.said == "");
}

TEST_CASE("a full disk is an error that names the file and leaves it as it was", "[npy][fault][error]") {
    const temp_dir dir;
    constexpr std::string_view cannot = "no file system of its own";

    const auto end = faults::in_child([&]() -> std::string {
        if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("none", dir.path().c_str(), "tmpfs", 0, "size=64k") != 0)
            return std::string(cannot);
        return on_a_full_disk(dir.path(), 65536);
    });

    if (end.said == cannot)
        WARN("not the superuser: a full disk is not tried");
    else
        CHECK(end.said == "");
}

}  // namespace fault_scenarios::faults_tests
