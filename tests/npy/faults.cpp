// SPDX-License-Identifier: BSD-3-Clause
// Every verb that writes, killed and failed at each of its file calls.
#include "support/faulty_calls.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/npy.hpp>

#include <chrono>
#include <random>
#include <set>
#include <thread>

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

namespace npy_faults_tests {

using namespace ndkeep;

namespace {

namespace fs = std::filesystem;
using matrix = xt::xtensor<double, 2>;

/// Rows wide enough for a write of them to be cut in the middle, and different for each `seed`.
matrix some_rows(std::size_t rows, double seed) {
    matrix made = matrix::from_shape({rows, 50});
    for (std::size_t i = 0; i < made.size(); ++i)
        made.data()[i] = seed + 0.5 * static_cast<double>(i);
    return made;
}

/// What a reader finds: the array, byte for byte, and what is said of it.
struct state {
    std::optional<std::vector<std::size_t>> shape;
    std::string bytes;
    std::string metadata;

    friend bool operator==(const state&, const state&) = default;
};

std::ostream& operator<<(std::ostream& out, const state& is) {
    return out << (is.shape ? shape_text(*is.shape) : "no file") << ' ' << is.metadata;
}

constexpr std::string_view stale = "stale";

state found_in(const fs::path& file) {
    state found;
    if (!fs::exists(file) || fs::file_size(file) == 0)
        return found;
    const auto array = load_any(file);
    found.shape = array.shape();
    found.bytes.assign(reinterpret_cast<const char*>(array.bytes().data()), array.bytes().size());
    try {
        found.metadata = metadata(file).dump();
    } catch (const mismatch_error&) {
        found.metadata = stale;
    }
    return found;
}

using step = std::function<void(const fs::path&)>;

struct scenario {
    std::string name;
    step before;
    step act;
    step again = {};         // after the fault; `act` itself if not given
    bool grows = false;      // `again` adds to what is there
    bool may_stale = false;  // a sidecar that is to go goes after the data has come
};

/// A scenario played without faults.
struct play {
    state old;
    state made;
    std::vector<faults::call> calls;
    std::size_t commit = 0;  // number of the call that makes the new state visible
};

play played(const scenario& scene) {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    scene.before(file);
    play all;
    all.old = found_in(file);
    all.calls = faults::calls_of([&] { scene.act(file); });
    all.made = found_in(file);
    const auto is_header = [](const faults::call& each) {
        return each.name == "pwrite" && each.offset > 0 && each.offset < 128 && each.path.ends_with("/t.npy");
    };
    const auto is_rename = [](std::string_view name, const faults::call& each) {
        return each.name.starts_with("rename") && each.path.ends_with(name);
    };
    for (std::size_t i = 0; i < all.calls.size(); ++i)
        if (is_header(all.calls[i]) || is_rename("/t.npy", all.calls[i]) || is_rename("/target.npy", all.calls[i]))
            all.commit = i;
    for (std::size_t i = 0; all.commit == 0 && i < all.calls.size(); ++i)
        if (is_rename("/t.npy.json", all.calls[i]))
            all.commit = i;
    return all;
}

/// Whether a reader finds one of the two states, and all of it checks.
void check_state(const scenario& scene, const play& all, const fs::path& file) {
    const state found = found_in(file);
    if (scene.may_stale && found.metadata == stale) {
        CHECK(found.bytes == all.made.bytes);
        return;
    }
    CHECK((found == all.old || found == all.made));
    if (found.shape) {
        std::string wrong;
        for (const auto& each : findings(file))
            wrong += each.message + '\n';
        CHECK(wrong == "");
    }
}

/// Whether the next call of the same verb works, and clears what the one before left.
void check_next(const scenario& scene, const play& all, const temp_dir& dir, const fs::path& file) {
    const state found = found_in(file);
    const auto made_by = scene.again ? scene.again : scene.act;
    made_by(file);
    const state next = found_in(file);
    if (scene.grows)
        CHECK((next.bytes.size() > found.bytes.size() && next.bytes.starts_with(found.bytes)));
    else
        CHECK(next.bytes == all.made.bytes);
    CHECK(next.metadata == all.made.metadata);
    CHECK(findings(file).empty());
    CHECK(dir.hidden_files() == std::set<std::string>{});
}

void check_kills(const scenario& scene) {
    const play all = played(scene);
    REQUIRE(all.calls.size() > 2);
    REQUIRE(all.old != all.made);
    for (const auto how : {faults::effect::kill, faults::effect::kill_halfway})
        for (std::size_t at = 0; at < all.calls.size(); ++at) {
            const auto& call = all.calls[at];
            // A write within a sector is whole or not at all.
            if (how == faults::effect::kill_halfway && (call.name != "pwrite" || call.length <= 512))
                continue;
            CAPTURE(scene.name, at, call.name, call.path, call.offset, call.length);
            const temp_dir dir;
            const auto file = dir / "t.npy";
            scene.before(file);

            REQUIRE(faults::killed({.what = how, .at = at}, [&] { scene.act(file); }));

            for (const auto& name : dir.hidden_files())
                CHECK((name == ".t.npy.ndk" || name == ".t.npy.json.ndk" || name == ".target.npy.ndk"));
            check_state(scene, all, file);
            check_next(scene, all, dir, file);
        }
}

void check_failures(const scenario& scene) {
    const play all = played(scene);
    for (const int code : {ENOSPC, EIO})
        for (std::size_t at = 0; at < all.calls.size(); ++at) {
            const auto& call = all.calls[at];
            CAPTURE(scene.name, at, call.name, call.path, call.offset, code);
            const temp_dir dir;
            const auto file = dir / "t.npy";
            scene.before(file);
            const auto former = read_text(file);
            // What lies behind the data is nobody's.
            const auto whole = all.old.shape ? inspect(file).data_offset + all.old.bytes.size() : 0;

            const auto problem = caught<io_error>([&] {
                const faults::session armed(
                    {.what = faults::effect::fail, .at = at, .code = code, .disk_full = code == ENOSPC});
                scene.act(file);
            });

            if (problem) {
                const auto named = problem->file().filename().string();
                CHECK((named == "t.npy" || named == "t.npy.json" || named == "target.npy" ||
                       problem->file() == dir.path()));
                CHECK(problem->code().value() == code);
                CHECK(std::string_view(problem->what()).find(".ndk") == std::string_view::npos);
                // Only a sync, or a file that will not go, may be told after the fact.
                const bool told_late = call.name == "fsync" || call.name == "unlink";
                if (at <= all.commit || !told_late) {
                    const auto now = read_text(file);
                    CHECK(now.size() == former.size());
                    CHECK((now.substr(0, whole) == former.substr(0, whole)));
                }
            }
            check_state(scene, all, file);
            if (call.name != "unlink")
                CHECK(dir.hidden_files() == std::set<std::string>{});
            if (!problem)
                CHECK(found_in(file) == all.made);
            check_next(scene, all, dir, file);
        }
}

/// The first call of that name on that file.
std::size_t number_of(const std::vector<faults::call>& calls, std::string_view name, std::string_view file) {
    std::size_t number = 0;
    while (number < calls.size() &&
           (calls[number].name != name || (!file.empty() && fs::path(calls[number].path).filename() != file)))
        ++number;
    return number;
}

// What is played -----------------------------------------------------------------------------------------------------

const json old_meta = {{"units", "kelvin"}};
const json new_meta = {{"units", "celsius"}};

step saved(std::size_t rows, double seed, save_options options = {}) {
    return [=](const fs::path& file) { save(file, some_rows(rows, seed), options); };
}

step appended(append_options options = {}) {
    return [=](const fs::path& file) { append(file, some_rows(3, 900), options); };
}

/// A header without room for a second digit, as other programs write them.
step saved_tight(std::size_t rows, double seed, const json& meta = nullptr) {
    return [=](const fs::path& file) {
        const auto array = some_rows(rows, seed);
        array_info info{.type = dtype::plain('f', 8), .shape = {rows, 50}};
        auto text = header_bytes(info, {.version = 1, .length = least_header_length(info, 1)});
        text.append(reinterpret_cast<const char*>(array.data()), array.size() * 8);
        write_text(file, text);
        if (!meta.is_null())
            describe(file, {.meta = meta, .statistics = true});
    };
}

void add_bytes(const fs::path& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary | std::ios::app) << bytes;
}

/// Two rows and a part behind what the header says.
step unfinished(const step& first) {
    return [=](const fs::path& file) {
        first(file);
        const auto more = some_rows(2, 70);
        add_bytes(file, std::string(reinterpret_cast<const char*>(more.data()), more.size() * 8) + "part");
    };
}

/// With a sidecar that has metadata and no sums.
step without_claims(const step& first) {
    return [=](const fs::path& file) {
        first(file);
        (void)map<double>(file, read_write);
    };
}

void nothing(const fs::path&) {}

std::vector<scenario> saves_over() {
    return {
        {"same shape", saved(8, 0), saved(8, 100)},
        {"same shape, synced", saved(8, 0), saved(8, 100, {.sync = true})},
        {"another shape", saved(8, 0), saved(5, 100)},
        {"through a link",
         [](const fs::path& file) {
             save(file.parent_path() / "target.npy", some_rows(8, 0));
             fs::create_symlink("target.npy", file);
         },
         saved(8, 100)},
        {"a reserved name", [](const fs::path& file) { write_text(file, ""); }, saved(8, 100)},
    };
}

std::vector<scenario> saves_with_sidecar() {
    const save_options old_one{.meta = old_meta, .sum = checksum::crc32, .statistics = true};
    const save_options new_one{.meta = new_meta, .sum = checksum::crc32c | checksum::md5};
    auto synced = new_one;
    synced.sync = true;
    return {
        {"same shape", saved(8, 0, old_one), saved(8, 100, new_one)},
        {"same shape, synced", saved(8, 0, old_one), saved(8, 100, synced)},
        {"another shape", saved(8, 0, old_one), saved(5, 100, new_one)},
        {"over a file without", saved(8, 0), saved(8, 100, new_one)},
        {"taking it away", saved(8, 0, old_one), saved(8, 100), {}, false, true},
        {"taking one away that has no sums", without_claims(saved(8, 0, old_one)), saved(8, 100), {}, false, true},
    };
}

std::vector<scenario> saves_new() {
    return {
        {"plain", nothing, saved(8, 100)},
        {"synced", nothing, saved(8, 100, {.sync = true})},
        {"with sidecar", nothing, saved(8, 100, {.meta = new_meta, .statistics = true})},
    };
}

std::vector<scenario> appends() {
    const save_options described{.meta = old_meta, .sum = checksum::crc32 | checksum::md5, .statistics = true};
    return {
        {"in place", saved(8, 0), appended(), {}, true},
        {"in place, not synced", saved(8, 0), appended({.sync = false}), {}, true},
        {"in place, with sidecar", saved(8, 0, described), appended(), {}, true},
        {"behind leavings", unfinished(saved(8, 0, described)), appended(), {}, true},
        {"to nothing", nothing, appended(), {}, true},
    };
}

std::vector<scenario> appends_that_rewrite() {
    return {
        {"plain", saved_tight(8, 0), appended(), {}, true},
        {"with sidecar", saved_tight(8, 0, old_meta), appended(), {}, true},
    };
}

std::vector<scenario> describes() {
    const step tell = [](const fs::path& file) {
        describe(file, {.meta = new_meta, .sum = checksum::crc32, .statistics = true, .sync = true});
    };
    return {
        {"for the first time", saved(8, 0), tell},
        {"again", saved(8, 0, {.meta = old_meta}), tell},
    };
}

std::vector<scenario> creates() {
    const auto zeros = [](create_options options) -> step {
        return [=](const fs::path& file) { (void)create<double>(file, {6, 50}, options); };
    };
    const step again = zeros({.replace = true});
    return {
        {"new", nothing, zeros({}), again},
        {"new, with its room", nothing, zeros({.reserve = true}), again},
        {"over another", saved(8, 0), again},
        {"over one with sidecar", saved(6, 0, {.meta = old_meta}), again, {}, false, true},
        {"over one with sidecar without sums", without_claims(saved(6, 0, {.meta = old_meta})), again, {}, false, true},
    };
}

std::vector<scenario> recovers() {
    const step mend = [](const fs::path& file) { (void)recover(file); };
    return {
        {"plain", unfinished(saved(8, 0)), mend},
        {"with sidecar", unfinished(saved(8, 0, {.meta = old_meta, .statistics = true})), mend},
        {"header too tight", unfinished(saved_tight(8, 0)), mend},
        {"header too tight, with sidecar", unfinished(saved_tight(8, 0, old_meta)), mend},
    };
}

}  // namespace

TEST_CASE("the calls of the library are seen", "[npy][fault]") {
    const temp_dir dir;

    const auto calls = faults::calls_of([&] { save(dir / "t.npy", some_rows(2, 0), {.sync = true}); });
    std::string names;
    for (const auto& call : calls)
        names += call.name + ' ';

    CHECK(names == "create pwrite fsync rename fsync ");
}

// Killed -------------------------------------------------------------------------------------------------------------

TEST_CASE("a kill at any call of save over a file leaves the old array or the new one", "[npy][fault]") {
    for (const auto& scene : saves_over())
        check_kills(scene);
}

TEST_CASE("a kill at any call of save with a sidecar leaves the metadata that belongs to the array", "[npy][fault]") {
    for (const auto& scene : saves_with_sidecar())
        check_kills(scene);
}

TEST_CASE("a kill at any call of a first save leaves no file or a whole one", "[npy][fault]") {
    for (const auto& scene : saves_new())
        check_kills(scene);
}

TEST_CASE("a kill at any call of append leaves the old array or the longer one", "[npy][fault]") {
    for (const auto& scene : appends())
        check_kills(scene);
}

TEST_CASE("a kill at any call of an append that rewrites leaves the old array or the longer one", "[npy][fault]") {
    for (const auto& scene : appends_that_rewrite())
        check_kills(scene);
}

TEST_CASE("a kill at any call of describe leaves the old sidecar or the new one", "[npy][fault]") {
    for (const auto& scene : describes())
        check_kills(scene);
}

TEST_CASE("a kill at any call of create leaves no file, the old one or zeros", "[npy][fault]") {
    for (const auto& scene : creates())
        check_kills(scene);
}

TEST_CASE("a kill at any call of recover leaves the file as it was or mended, with its metadata", "[npy][fault]") {
    for (const auto& scene : recovers())
        check_kills(scene);
}

TEST_CASE("a kill while map read_write takes claims out of the sidecar keeps the metadata", "[npy][fault]") {
    const auto make = saved(8, 0, {.meta = old_meta, .sum = checksum::crc32, .statistics = true});
    const step open = [](const fs::path& file) { (void)map<double>(file, read_write); };
    const temp_dir first;
    make(first / "t.npy");
    const auto calls = faults::calls_of([&] { open(first / "t.npy"); });
    REQUIRE(calls.size() > 2);
    for (std::size_t at = 0; at < calls.size(); ++at) {
        CAPTURE(at, calls[at].name);
        const temp_dir dir;
        make(dir / "t.npy");

        REQUIRE(faults::killed({.what = faults::effect::kill, .at = at}, [&] { open(dir / "t.npy"); }));

        CHECK(metadata(dir / "t.npy") == old_meta);
        CHECK(findings(dir / "t.npy").empty());
    }
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
    fs::last_write_time(file, fs::last_write_time(file) + std::chrono::hours(1));  // as a copy has
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
    // A slow machine gets more time, until one child has come as far as an append.
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
        REQUIRE(findings(file).empty());
    }

    CHECK(rows_seen > 2);
    save(file, some_rows(2, 0), {.meta = old_meta});
    CHECK(dir.files() == 2);
}

// Failing ------------------------------------------------------------------------------------------------------------

TEST_CASE("a call that fails makes save throw and leaves the old array", "[npy][fault][error]") {
    for (const auto& scene : saves_over())
        check_failures(scene);
    for (const auto& scene : saves_new())
        check_failures(scene);
}

TEST_CASE("a call that fails makes save with a sidecar throw and leaves array and metadata", "[npy][fault][error]") {
    for (const auto& scene : saves_with_sidecar())
        check_failures(scene);
}

TEST_CASE("an append that throws has added nothing", "[npy][fault][error]") {
    for (const auto& scene : appends())
        check_failures(scene);
    for (const auto& scene : appends_that_rewrite())
        check_failures(scene);
}

TEST_CASE("a call that fails makes describe, create and recover throw and changes nothing", "[npy][fault][error]") {
    for (const auto& scenes : {describes(), creates(), recovers()})
        for (const auto& scene : scenes)
            check_failures(scene);
}

TEST_CASE("a file that cannot be mapped has not replaced another", "[npy][fault][error]") {
    const std::vector<std::pair<std::string, step>> acts = {
        {"create", [](const fs::path& file) { (void)create<double>(file, {600}, {.replace = true}); }},
        {"create_raw", [](const fs::path& file) { (void)create_raw<double>(file, {600}, {.replace = true}); }},
        {"create new", [](const fs::path& file) { (void)create<double>(file.parent_path() / "new.npy", {600}); }},
    };
    for (const auto& [name, act] : acts) {
        CAPTURE(name);
        const temp_dir dir;
        const auto file = dir / "t.npy";
        save(file, some_rows(8, 0), {.meta = old_meta});
        const auto former = read_text(file);
        const temp_dir other;
        save(other / "t.npy", some_rows(8, 0), {.meta = old_meta});
        const auto calls = faults::calls_of([&act = act, &other] { act(other / "t.npy"); }, faults::kind::reads);
        const auto at = number_of(calls, "mmap", "");
        REQUIRE(at < calls.size());

        const auto problem = caught<io_error>([&act = act, &file, at] {
            const faults::session armed(
                {.what = faults::effect::fail, .at = at, .code = ENOMEM, .counted = faults::kind::reads});
            act(file);
        });

        REQUIRE(problem);
        CHECK(problem->code().value() == ENOMEM);
        CHECK(problem->file().extension() == ".npy");
        CHECK((read_text(file) == former));
        CHECK(metadata(file) == old_meta);
        CHECK(findings(file).empty());
        CHECK(dir.files() == 2);
    }
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
                // An error that names the folder is about a name that may not survive a power cut.
                if (!problem || problem->file() != dir.path())
                    CHECK((found.bytes == (problem && !tells ? all.old.bytes : all.made.bytes)));
                check_next(scene, all, dir, file);
            }
        }
}

TEST_CASE("an append whose header cannot be put back leaves an array, and says so", "[npy][fault][error]") {
    auto scenes = appends();
    for (auto& scene : recovers())
        scenes.push_back(std::move(scene));
    for (const auto& scene : scenes) {
        const play all = played(scene);
        for (const std::size_t times : {1U, 2U, 3U, 4U, 1000U})
            for (std::size_t at = 0; at < all.calls.size(); ++at) {
                const auto& call = all.calls[at];
                CAPTURE(scene.name, at, times, call.name, call.path, call.offset);
                const temp_dir dir;
                const auto file = dir / "t.npy";
                scene.before(file);

                const auto problem = caught<io_error>([&] {
                    const faults::session armed({.what = faults::effect::fail, .at = at, .code = EIO, .times = times});
                    scene.act(file);
                });

                check_state(scene, all, file);
                const bool is_unknown =
                    problem && std::string_view(problem->what()).find("unknown") != std::string::npos;
                const bool told_late = at > all.commit && (call.name == "fsync" || call.name == "unlink");
                if (problem && !is_unknown && !told_late)
                    CHECK(found_in(file) == all.old);
                if (!problem)
                    CHECK(found_in(file) == all.made);
                check_next(scene, all, dir, file);
            }
    }
}

TEST_CASE("a header that is written in part is put back", "[npy][fault][error]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, some_rows(7, 0));
    const auto former = read_text(file);
    const auto number_of_header = [&] {
        const temp_dir other;
        save(other / "t.npy", some_rows(7, 0));
        const auto calls = faults::calls_of([&] { append(other / "t.npy", some_rows(3, 9)); });
        std::size_t number = 0;
        while (calls[number].name != "pwrite" || calls[number].offset >= 128)
            ++number;
        return number;
    }();

    const auto problem = caught<io_error>([&] {
        const faults::session armed({.what = faults::effect::halve_then_fail, .at = number_of_header, .code = EIO});
        append(file, some_rows(3, 9));
    });

    REQUIRE(problem);
    CHECK(found_in(file).shape == std::vector<std::size_t>{7, 50});
    CHECK((read_text(file) == former));
}

TEST_CASE("an error that only close reports makes save throw and leaves the old array", "[npy][fault][error]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, some_rows(8, 0));
    const auto former = read_text(file);
    const auto act = saved(8, 100);

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

TEST_CASE("a header that is read torn is read again", "[npy][fault]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, xt::xtensor<std::uint8_t, 1>(xt::ones<std::uint8_t>({10'000})));
    const auto text = read_text(file);
    const auto put_shape = [&](std::string_view shape) {
        std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
        out.seekp(static_cast<std::streamoff>(text.find("(10000,)")));
        out << shape;
    };
    put_shape("(1009,) ");  // between (9999,) and (10000,): it parses

    const faults::session armed({.what = faults::effect::meanwhile,
                                 .at = 2,  // open, pread, and now the second pread
                                 .counted = faults::kind::reads,
                                 .meanwhile = [&] { put_shape("(10000,)"); }});
    const auto info = inspect(file);

    CHECK(info.shape == std::vector<std::size_t>{10'000});
    CHECK((read_text(file) == text));
}

TEST_CASE("a flush that fails is an error that names the file", "[npy][fault][error]") {
    const temp_dir dir;
    auto live = create<double>(dir / "t.npy", {8});

    const auto problem = caught<io_error>([&] {
        const faults::session armed({.what = faults::effect::fail, .code = EIO});
        live.flush();
    });

    REQUIRE(problem);
    CHECK(problem->file() == dir / "t.npy");
}

TEST_CASE("without locks save works and leaves nothing", "[npy][fault]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    for (int times = 0; times < 2; ++times) {
        const faults::session armed({.what = faults::effect::fail, .code = ENOLCK, .counted = faults::kind::reads});
        save(file, some_rows(8, times));
    }

    CHECK((load<double, 2>(file) == some_rows(8, 1)));
    CHECK(dir.files() == 1);
}

TEST_CASE("where renameat2 is missing create links, and still refuses a name that is taken", "[npy][fault]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    const auto calls = faults::calls_of([&] { (void)create<double>(dir / "other.npy", {4}); });
    const auto at = static_cast<std::size_t>(
        std::find_if(calls.begin(), calls.end(), [](const auto& call) { return call.name == "renameat2"; }) -
        calls.begin());
    REQUIRE(at < calls.size());

    const faults::session armed({.what = faults::effect::fail, .at = at, .code = EINVAL});
    (void)create<double>(file, {4});

    CHECK((load<double>(file) == xt::zeros<double>({4})));
    CHECK(dir.files() == 2);
}

// Orders -------------------------------------------------------------------------------------------------------------

namespace {

/// The calls of an act on t.npy, as "name path" with the folder left out.
std::vector<std::string> call_list(const temp_dir& dir, const std::vector<faults::call>& calls) {
    std::vector<std::string> list;
    for (const auto& call : calls)
        list.push_back(call.path == dir.path() ? call.name + " ."
                                               : call.name + ' ' + fs::path(call.path).filename().string());
    return list;
}

}  // namespace

TEST_CASE("save syncs data, sidecar and directory in the order that a power cut demands", "[npy][fault]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";

    const auto calls = faults::calls_of([&] { save(file, some_rows(8, 0), {.meta = old_meta, .sync = true}); });

    CHECK(call_list(dir, calls) == std::vector<std::string>{"create .t.npy.ndk", "pwrite .t.npy.ndk",
                                                            "fsync .t.npy.ndk", "create .t.npy.json.ndk",
                                                            "pwrite .t.npy.json.ndk", "fsync .t.npy.json.ndk",
                                                            "rename t.npy.json", "fsync .", "rename t.npy", "fsync ."});
}

TEST_CASE("append puts rows on the disk before the header counts them", "[npy][fault]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, some_rows(8, 0));

    const auto calls = faults::calls_of([&] { append(file, some_rows(3, 9)); });

    CHECK(call_list(dir, calls) == std::vector<std::string>{"create .t.npy.ndk", "pwrite t.npy", "fsync t.npy",
                                                            "pwrite t.npy", "fsync t.npy", "unlink .t.npy.ndk"});
    CHECK(calls[1].offset == 128 + 8 * 400);
    CHECK(calls[3].offset < 128);
}

TEST_CASE("create is durable when it returns, since stores are flushed under its name", "[npy][fault]") {
    const temp_dir dir;

    const auto calls = faults::calls_of([&] { (void)create<double>(dir / "t.npy", {8}); });

    CHECK(call_list(dir, calls) == std::vector<std::string>{"create .t.npy.ndk", "pwrite .t.npy.ndk",
                                                            "ftruncate .t.npy.ndk", "fsync .t.npy.ndk",
                                                            "renameat2 t.npy", "fsync ."});
}

TEST_CASE("a growing digit is one small write within a sector", "[npy][fault]") {
    for (const std::size_t rows : {9U, 99U, 9'999U, 99'999U}) {
        CAPTURE(rows);
        const temp_dir dir;
        const auto file = dir / "t.npy";
        const auto before = xt::xtensor<std::uint8_t, 1>(xt::ones<std::uint8_t>({rows}));
        save(file, before);

        const auto calls = faults::calls_of([&] { append(file, xt::xtensor<std::uint8_t, 1>{7}); });

        std::vector<faults::call> header;
        for (const auto& call : calls)
            if (call.name == "pwrite" && call.offset < 128)
                header.push_back(call);
        REQUIRE(header.size() == 1);
        CHECK(header[0].length <= 12);
        CHECK(load<std::uint8_t, 1>(file).size() == rows + 1);
        CHECK(load<std::uint8_t, 1>(file)(rows) == 7);
    }
}

// A disk that is really full -----------------------------------------------------------------------------------------

namespace {

/// Everything that must be right where there is no more room; says what is wrong.
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

}  // namespace npy_faults_tests
