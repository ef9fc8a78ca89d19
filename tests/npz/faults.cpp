// SPDX-License-Identifier: BSD-3-Clause
// Every verb that writes an archive, with a kill or failure at each of its file calls.
#include "support/faulty_calls.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/npz.hpp>

#include <chrono>
#include <numeric>
#include <random>
#include <set>
#include <thread>

#include <sched.h>
#include <sys/mount.h>

namespace npz_faults_tests {

using namespace ndkeep;

namespace {

namespace fs = std::filesystem;
using array = xt::xtensor<double, 1>;

array some_values(std::size_t count, double seed) {
    auto made = array::from_shape({count});
    std::iota(made.data(), made.data() + count, seed);
    return made;
}

/// A reader's view of the archive: the bytes of every member in order, and the metadata.
struct state {
    std::optional<std::vector<std::pair<std::string, std::string>>> members;
    std::string metadata;
    std::string comment;

    friend bool operator==(const state&, const state&) = default;
};

std::ostream& operator<<(std::ostream& out, const state& is) {
    if (!is.members)
        return out << "no file";
    for (const auto& [name, bytes] : *is.members)
        out << name << ' ' << bytes.size() << ' ' << crc32(std::as_bytes(std::span(bytes))) << ", ";
    return out << is.metadata;
}

state found_in(const fs::path& file) {
    state found;
    if (!fs::exists(file) || fs::file_size(file) == 0)
        return found;
    const npz_reader in(file);
    found.members.emplace();
    for (const auto& name : in.names())
        found.members->emplace_back(name, in.text(name));
    found.metadata = in.metadata().dump();
    found.comment = detail::archive(file, {}).directory().comment;
    return found;
}

std::string all_findings(const fs::path& file) {
    std::string wrong;
    for (const auto& each : findings_npz(file))
        wrong += each.message + '\n';
    return wrong;
}

using step = std::function<void(const fs::path&)>;

struct scenario {
    std::string name;
    step before;
    step act;  // idempotent: a second call changes nothing
    bool in_place = false;
};

/// The calls and results of a scenario without faults.
struct play {
    state old;
    state made;
    std::vector<faults::call> calls;
    std::size_t commit = 0;  // index of the call that makes the new state visible
};

play played(const scenario& scene) {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    scene.before(file);
    play all;
    all.old = found_in(file);
    all.calls = faults::calls_of([&] { scene.act(file); });
    all.made = found_in(file);
    for (std::size_t i = 0; i < all.calls.size(); ++i)
        if (all.calls[i].name == "rename" || scene.in_place)
            all.commit = i;
    return all;
}

/// Cuts off what a killed writer left behind the archive. Until then no reader takes it for an archive.
void restore(const fs::path& file) {
    if (caught<format_error>([&] { (void)found_in(file); }))
        CHECK(restore_npz(file) > 0);
    CHECK(bytes_behind_npz(file) == 0);
}

/// Checks that a reader finds the old or the new state, and that verification finds no problem.
void check_state(const play& all, const fs::path& file) {
    const state found = found_in(file);
    CHECK((found == all.old || found == all.made));
    if (found.members)
        CHECK(all_findings(file) == "");
}

/// Checks that the same call now succeeds and removes what the faulty one left.
void check_again(const scenario& scene, const play& all, const temp_dir& dir, const fs::path& file) {
    scene.act(file);
    CHECK(found_in(file) == all.made);
    CHECK(all_findings(file) == "");
    CHECK(dir.hidden_files() == std::set<std::string>{});
}

void check_kills(const scenario& scene) {
    const play all = played(scene);
    REQUIRE(all.calls.size() > 2);
    REQUIRE(!(all.old == all.made));
    for (const auto how : {faults::effect::kill, faults::effect::kill_halfway})
        for (std::size_t at = 0; at < all.calls.size(); ++at) {
            const auto& call = all.calls[at];
            const bool moves_bytes = call.name == "pwrite" || call.name == "copy_file_range";
            if (how == faults::effect::kill_halfway && !moves_bytes)
                continue;
            CAPTURE(scene.name, at, call.name, call.path, call.offset, call.length);
            const temp_dir dir;
            const auto file = dir / "a.npz";
            scene.before(file);

            REQUIRE(faults::killed({.what = how, .at = at}, [&] { scene.act(file); }));

            for (const auto& name : dir.hidden_files())
                CHECK((name == ".a.npz.ndk" || name == ".target.npz.ndk"));
            if (scene.in_place)
                restore(file);
            check_state(all, file);
            check_again(scene, all, dir, file);
        }
}

void check_failures(const scenario& scene) {
    const play all = played(scene);
    for (const int code : {ENOSPC, EIO})
        for (std::size_t at = 0; at < all.calls.size(); ++at) {
            const auto& call = all.calls[at];
            CAPTURE(scene.name, at, call.name, call.path, call.offset, code);
            const temp_dir dir;
            const auto file = dir / "a.npz";
            scene.before(file);
            const auto former = read_text(file);

            const auto problem = caught<io_error>([&] {
                const faults::session armed(
                    {.what = faults::effect::fail, .at = at, .code = code, .disk_full = code == ENOSPC});
                scene.act(file);
            });

            // A lock file that cannot be removed is left to the next writer.
            const bool unlocks = scene.in_place && call.name == "unlink";
            CHECK((problem || call.name == "fchown" || unlocks));
            if (problem) {
                const auto named = problem->file().filename().string();
                CHECK((named == "a.npz" || named == "target.npz" || problem->file() == dir.path()));
                CHECK(problem->code().value() == code);
                CHECK(std::string_view(problem->what()).find(".ndk") == std::string_view::npos);
                if (at <= all.commit)
                    CHECK((read_text(file) == former));
            }
            check_state(all, file);
            CHECK((unlocks || dir.hidden_files() == std::set<std::string>{}));
            check_again(scene, all, dir, file);
        }
}

// Scenarios ----------------------------------------------------------------------------------------------------------

void nothing(const fs::path&) {}

/// Three arrays: one compressed, and one larger than the write buffer.
step saved(double seed, const npz_options& options = {}) {
    return [=](const fs::path& file) {
        save_npz(file,
                 {{"a", some_values(50, seed)},
                  {"b", some_values(33'000, seed)},
                  {"c", some_values(3'000, seed), {.compress = true}}},
                 options);
    };
}

step saved_large(double seed) {
    return [=](const fs::path& file) { save_npz(file, {{"large", some_values(150'000, seed)}}); };
}

npz_options with_meta(int run, bool sync = false) {
    return {.meta = {{"run", run}}, .sum = checksum::crc32, .sync = sync};
}

step with_prefix_and_comment(const step& first) {
    return [=](const fs::path& file) {
        first(file);
        auto text = "#!/bin/sh\n" + read_text(file);
        text[text.size() - 2] = 7;
        write_text(file, text + "comment");
    };
}

step appended(const npz_writer_options& options = {}) {
    return [=](const fs::path& file) {
        auto append = options;
        append.append = true;
        npz_writer out(file, append);
        out.add("d", some_values(33'000, 900));
        out.add("b", some_values(60, 901));
        out.set_metadata({{"run", 9}});
        out.commit();
    };
}

std::vector<scenario> saves() {
    return {
        {"new", nothing, saved(100)},
        {"new, synced", nothing, saved(100, with_meta(2, true))},
        {"new, compressed", nothing, saved(100, {.compress = true, .run = {.threads = 1}})},
        {"over another", saved(0, with_meta(1)), saved(100, with_meta(2))},
        {"over another, synced", saved(0, with_meta(1)), saved(100, with_meta(2, true))},
        {"with room taken before", saved(0), saved_large(100)},
        {"through a link",
         [](const fs::path& file) {
             saved(0)(file.parent_path() / "target.npz");
             fs::create_symlink("target.npz", file);
         },
         saved(100)},
        {"a reserved name", [](const fs::path& file) { write_text(file, ""); }, saved(100)},
    };
}

std::vector<scenario> appends() {
    return {
        {"to members", saved(0, with_meta(1)), appended()},
        {"to members, synced", saved(0, with_meta(1)), appended({.sync = true})},
        {"to members, compressed", saved(0),
         appended({.compress = true, .sum = checksum::crc32, .run = {.threads = 1}})},
        {"to a large one", saved_large(0), appended()},
        {"with a prefix and a comment", with_prefix_and_comment(saved(0)), appended()},
        {"to nothing", nothing, appended()},
    };
}

std::vector<scenario> growths() {
    return {
        {"to members", saved(0, with_meta(1)), appended({.in_place = true}), true},
        {"to members, synced", saved(0, with_meta(1)), appended({.in_place = true, .sync = true}), true},
        {"to members, compressed", saved(0),
         appended({.in_place = true, .compress = true, .sum = checksum::crc32, .run = {.threads = 1}}), true},
        {"to an archive that grew before",
         [](const fs::path& file) {
             saved(0)(file);
             appended({.in_place = true})(file);
         },
         [](const fs::path& file) {
             npz_writer out(file, {.append = true, .in_place = true});
             out.add("e", some_values(40'000, 7));
             out.commit();
         },
         true},
    };
}

}  // namespace

TEST_CASE("the calls that write an archive are seen", "[npz][fault]") {
    const temp_dir dir;
    const auto names_of_calls = [&](const step& act) {
        std::string names;
        for (const auto& call : faults::calls_of([&] { act(dir / "a.npz"); }))
            names += call.name + ' ';
        return names;
    };

    CHECK(names_of_calls([](const fs::path& file) {
              save_npz(file, {{"a", 1.5}}, {.sync = true});
          }) == "create pwrite ftruncate fsync rename fsync ");
    const auto append = names_of_calls(appended());
    CHECK(append.find("copy_file_range") != std::string::npos);
    CHECK(append.ends_with("rename "));
    const auto growth = names_of_calls(appended({.in_place = true, .sync = true}));
    CHECK(growth.find("copy_file_range") == std::string::npos);
    CHECK(growth.ends_with("fsync pwrite ftruncate fsync unlink "));
}

// Killed -------------------------------------------------------------------------------------------------------------

TEST_CASE("a kill at any call of save_npz leaves the old archive or the new one", "[npz][fault]") {
    for (const auto& scene : saves())
        check_kills(scene);
}

TEST_CASE("a kill at any call of an appending writer leaves the old archive or the longer one", "[npz][fault][slow]") {
    for (const auto& scene : appends())
        check_kills(scene);
}

TEST_CASE("a kill at any call of a writer in place leaves what restore_npz makes the old archive", "[npz][fault]") {
    for (const auto& scene : growths())
        check_kills(scene);
}

TEST_CASE("kill -9 at any time leaves an archive of whole appends", "[npz][fault]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    save_npz(file, {{"base", some_values(1000, 0)}}, {.meta = {{"rounds", 0}}, .sum = checksum::crc32c});
    std::mt19937 random(12345);
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1000);
    const auto latest = until + std::chrono::seconds(20);
    int most = 0;
    // A slow machine gets more time, until a child has reached a commit.
    while (std::chrono::steady_clock::now() < (most > 0 ? until : latest)) {
        const pid_t child = ::fork();
        if (child == 0) {
            for (int round = 1;; ++round) {
                npz_writer out(file, {.append = true, .sum = checksum::crc32c, .run = {.threads = 1}});
                out.add("first", some_values(5000, round), {.compress = round % 2 == 0});
                out.add("second", some_values(50, round));
                out.set_metadata({{"rounds", round}});
                out.commit();
            }
        }
        std::this_thread::sleep_for(std::chrono::microseconds(500 + random() % 20'000));
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);

        const npz_reader in(file);
        const int rounds = in.metadata()["rounds"].get<int>();
        most = std::max(most, rounds);
        CHECK((in.load<double, 1>("base") == some_values(1000, 0)));
        if (rounds > 0) {
            CHECK(in.load<double, 1>("first")(0) == rounds);
            CHECK(in.load<double, 1>("second")(0) == rounds);
        }
        REQUIRE(all_findings(file) == "");
    }

    CHECK(most > 0);
    save_npz(file, {{"a", 1.5}});
    CHECK(dir.files() == 1);
}

// Failing ------------------------------------------------------------------------------------------------------------

TEST_CASE("a call that fails makes save_npz throw and leaves the old archive", "[npz][fault][error]") {
    for (const auto& scene : saves())
        check_failures(scene);
}

TEST_CASE("a call that fails makes an appending writer throw and leaves the old archive", "[npz][fault][error][slow]") {
    for (const auto& scene : appends())
        check_failures(scene);
}

TEST_CASE("a call that fails makes a writer in place throw and leaves the old archive", "[npz][fault][error][slow]") {
    for (const auto& scene : growths())
        check_failures(scene);
}

TEST_CASE("a write that moves half and then fails leaves the old archive", "[npz][fault][error]") {
    for (const auto& scene : {saves()[3], appends()[0]}) {
        const play all = played(scene);
        for (std::size_t at = 0; at < all.calls.size(); ++at) {
            const auto& call = all.calls[at];
            if ((call.name != "pwrite" && call.name != "copy_file_range") || call.length < 2)
                continue;
            CAPTURE(scene.name, at, call.name, call.offset, call.length);
            const temp_dir dir;
            const auto file = dir / "a.npz";
            scene.before(file);
            const auto former = read_text(file);

            const auto problem = caught<io_error>([&] {
                const faults::session armed({.what = faults::effect::halve_then_fail, .at = at, .code = ENOSPC});
                scene.act(file);
            });

            REQUIRE(problem);
            CHECK(problem->code().value() == ENOSPC);
            CHECK((read_text(file) == former));
            CHECK(dir.hidden_files() == std::set<std::string>{});
            check_again(scene, all, dir, file);
        }
    }
}

TEST_CASE("calls that are interrupted, or move only a part, are made again", "[npz][fault]") {
    const std::set<std::string> never_interrupted = {"rename", "unlink", "fsync", "fchmod", "fchown", "mmap"};
    const step act = [](const fs::path& file) {
        saved(0, with_meta(1))(file);
        appended()(file);
        (void)npz_reader(file).load_any("d");
    };
    for (const auto kind : {faults::kind::changes, faults::kind::reads}) {
        const temp_dir first;
        const auto calls = faults::calls_of([&] { act(first / "a.npz"); }, kind);
        const auto wanted = found_in(first / "a.npz");
        REQUIRE(calls.size() > 5);
        for (const auto what : {faults::effect::fail, faults::effect::halve})
            for (std::size_t at = 0; at < calls.size(); ++at) {
                CAPTURE(at, calls[at].name, what == faults::effect::halve);
                if (what == faults::effect::fail && never_interrupted.contains(calls[at].name))
                    continue;
                const temp_dir dir;

                {
                    const faults::session armed({.what = what, .at = at, .code = EINTR, .counted = kind});
                    CHECK_NOTHROW(act(dir / "a.npz"));
                }

                CHECK(found_in(dir / "a.npz") == wanted);
                CHECK(dir.files() == 1);
            }
    }
}

TEST_CASE("where the system cannot copy between files, an append reads and writes", "[npz][fault]") {
    const auto scene = appends()[0];
    const play all = played(scene);
    for (const int code : {EXDEV, ENOSYS, EINVAL, EOPNOTSUPP})
        for (const auto what : {faults::effect::fail, faults::effect::halve_then_fail})
            for (std::size_t at = 0; at < all.calls.size(); ++at) {
                if (all.calls[at].name != "copy_file_range")
                    continue;
                CAPTURE(code, at, what == faults::effect::fail);
                const temp_dir dir;
                const auto file = dir / "a.npz";
                scene.before(file);

                {
                    const faults::session armed({.what = what, .at = at, .code = code});
                    CHECK_NOTHROW(scene.act(file));
                }

                CHECK(found_in(file) == all.made);
                CHECK(all_findings(file) == "");
            }
}

TEST_CASE("an error that only close reports makes save_npz throw and leaves the old archive", "[npz][fault][error]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    saved(0)(file);
    const auto former = read_text(file);
    const auto act = saved(100);

    const auto problem = caught<io_error>([&] {
        const faults::session armed({.what = faults::effect::fail, .code = EDQUOT, .counted = faults::kind::closes});
        act(file);
    });

    REQUIRE(problem);
    CHECK(problem->code().value() == EDQUOT);
    CHECK(problem->file() == file);
    CHECK((read_text(file) == former));
    CHECK(dir.files() == 1);
}

TEST_CASE("a read that fails is an error that names the archive", "[npz][fault][error]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    saved(0, with_meta(1))(file);
    const step act = [](const fs::path& from) {
        const npz_reader in(from);
        (void)in.load<double, 1>("a");
        (void)in.load_any("c");
        (void)in.map<double, 1>("b");
        (void)in.metadata();
    };
    const auto calls = faults::calls_of([&] { act(file); }, faults::kind::reads);
    REQUIRE(calls.size() >= 10);
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

TEST_CASE("a read that fails in an append leaves the old archive", "[npz][fault][error]") {
    const auto scene = appends()[0];
    const temp_dir first;
    scene.before(first / "a.npz");
    const auto calls = faults::calls_of([&] { scene.act(first / "a.npz"); }, faults::kind::reads);
    const auto made = found_in(first / "a.npz");
    for (std::size_t at = 0; at < calls.size(); ++at) {
        CAPTURE(at, calls[at].name);
        const temp_dir dir;
        const auto file = dir / "a.npz";
        scene.before(file);
        const auto former = read_text(file);

        const auto problem = caught<io_error>([&] {
            const faults::session armed(
                {.what = faults::effect::fail, .at = at, .code = EIO, .counted = faults::kind::reads});
            scene.act(file);
        });

        if (problem)
            CHECK((read_text(file) == former));
        else
            CHECK((calls[at].name == "fcntl" && found_in(file) == made));  // succeeds without a lock
        CHECK(dir.hidden_files() == std::set<std::string>{});
    }
}

// Orders -------------------------------------------------------------------------------------------------------------

TEST_CASE("save_npz syncs the archive before it is named, and the name after", "[npz][fault]") {
    const temp_dir dir;
    saved(0)(dir / "a.npz");

    const auto calls = faults::calls_of([&] { saved(100, with_meta(1, true))(dir / "a.npz"); });

    REQUIRE(calls.size() > 3);
    const auto last = calls.end();
    CHECK((last - 3)->name == "fsync");
    CHECK((last - 3)->path == dir / ".a.npz.ndk");
    CHECK((last - 2)->name == "rename");
    CHECK((last - 1)->name == "fsync");
    CHECK((last - 1)->path == dir.path());
    for (auto call = calls.begin(); call != last - 3; ++call)
        CHECK(call->name != "fsync");
}

// Several at once ----------------------------------------------------------------------------------------------------

TEST_CASE("several processes that append to one archive lose no member", "[npz][fault]") {
    constexpr int processes = 3;
    constexpr int rounds = 15;
    const temp_dir dir;
    const auto file = dir / "a.npz";
    std::vector<pid_t> children;
    for (int number = 0; number < processes; ++number) {
        const pid_t child = ::fork();
        if (child == 0) {
            try {
                for (int round = 0; round < rounds; ++round) {
                    npz_writer out(file, {.append = true, .run = {.threads = 1}});
                    out.add(std::to_string(number) + '_' + std::to_string(round), some_values(100, round));
                    out.commit();
                }
            } catch (const std::exception&) {
                ::_exit(1);
            }
            ::_exit(0);
        }
        children.push_back(child);
    }
    for (const pid_t child : children) {
        int status = -1;
        ::waitpid(child, &status, 0);
        CHECK(status == 0);
    }

    const npz_reader in(file);
    CHECK(in.names().size() == processes * rounds);
    for (int number = 0; number < processes; ++number)
        for (int round = 0; round < rounds; ++round)
            CHECK(in.load<double, 1>(std::to_string(number) + '_' + std::to_string(round))(0) == round);
    CHECK(all_findings(file) == "");
    CHECK(dir.files() == 1);
}

// A disk that is really full -----------------------------------------------------------------------------------------

TEST_CASE("a full disk is an error that names the archive and leaves it as it was", "[npz][fault][error]") {
    const temp_dir dir;
    constexpr std::string_view cannot = "no file system of its own";
    const auto on_a_full_disk = [](const fs::path& file) -> std::string {
        save_npz(file, {{"a", some_values(1000, 0)}}, {.meta = {{"run", 7}}});
        const auto former = read_text(file);
        const auto random = [] {
            std::mt19937_64 bits(7);
            std::vector<std::uint64_t> values(20'000);
            std::generate(values.begin(), values.end(), std::ref(bits));
            return values;
        }();
        for (const bool append : {false, true})
            for (const bool compress : {false, true}) {
                const auto problem = caught<io_error>([&] {
                    npz_writer out(file, {.append = append, .compress = compress});
                    out.add("b", random);
                    out.commit();
                });
                if (!problem)
                    return "did not throw";
                if (problem->file() != file || problem->code().value() != ENOSPC)
                    return problem->what();
                if (read_text(file) != former)
                    return "changed the archive";
                if (names_in(file.parent_path()).size() != 1)
                    return "left something";
            }
        npz_writer out(file, {.append = true});
        out.add("b", some_values(100, 0));
        out.commit();
        return npz_reader(file).names().size() == 2 ? "" : "no append afterwards";
    };

    const auto end = faults::in_child([&]() -> std::string {
        if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("none", dir.path().c_str(), "tmpfs", 0, "size=64k") != 0)
            return std::string(cannot);
        return on_a_full_disk(dir / "a.npz");
    });

    if (end.said == cannot)
        WARN("not the superuser: a full disk is not tried");
    else
        CHECK(end.said == "");
}

}  // namespace npz_faults_tests
