// SPDX-License-Identifier: BSD-3-Clause
// Fault scenarios of the verbs that write, and checks of the files after a fault in each file call.
#pragma once

#include "support/faults.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/npy.hpp>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace fault_scenarios {

using namespace ndkeep;

namespace fs = std::filesystem;
using matrix = xt::xtensor<double, 2>;

/// Rows wide enough that a write can be cut in the middle, with values that depend on `seed`.
inline matrix some_rows(std::size_t rows, double seed) {
    matrix made = matrix::from_shape({rows, 50});
    for (std::size_t i = 0; i < made.size(); ++i)
        made.data()[i] = seed + 0.5 * static_cast<double>(i);
    return made;
}

/// A reader's view of the file: the bytes of the array, and its description.
struct state {
    std::optional<std::vector<std::size_t>> shape;
    std::string bytes;
    std::string metadata;

    friend bool operator==(const state&, const state&) = default;
};

inline std::ostream& operator<<(std::ostream& out, const state& is) {
    return out << (is.shape ? shape_text(*is.shape) : "no file") << ' ' << is.metadata;
}

inline constexpr std::string_view stale = "stale";

inline state found_in(const fs::path& file) {
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
    step again = {};         // the call after the fault; `act` if not given
    bool grows = false;      // `again` adds rows to the existing ones
    bool may_stale = false;  // a stale sidecar is removed only after the new data is in place
};

/// The calls and results of a scenario without faults.
struct play {
    state old;
    state made;
    std::vector<faults::call> calls;
    std::size_t commit = 0;  // index of the call that makes the new state visible
};

inline play played(const scenario& scene) {
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

/// The problems that verification finds, except bytes after the data: a killed append leaves some, and so does
/// `recover`.
inline std::string problems_of(const fs::path& file) {
    std::string text;
    for (const auto& each : findings(file))
        if (!each.found.starts_with("followed by "))
            text += each.message + '\n';
    return text;
}

/// Checks that a reader finds the old or the new state, and that verification finds no problem.
inline void check_state(const scenario& scene, const play& all, const fs::path& file) {
    const state found = found_in(file);
    if (scene.may_stale && found.metadata == stale) {
        CHECK(found.bytes == all.made.bytes);
        return;
    }
    CHECK((found == all.old || found == all.made));
    if (found.shape)
        CHECK(problems_of(file) == "");
}

/// Checks that the next call of the verb succeeds and removes what the faulty one left.
inline void check_next(const scenario& scene, const play& all, const temp_dir& dir, const fs::path& file) {
    const state found = found_in(file);
    const auto made_by = scene.again ? scene.again : scene.act;
    made_by(file);
    const state next = found_in(file);
    if (scene.grows)
        CHECK((next.bytes.size() > found.bytes.size() && next.bytes.starts_with(found.bytes)));
    else
        CHECK(next.bytes == all.made.bytes);
    CHECK(next.metadata == all.made.metadata);
    CHECK(problems_of(file) == "");
    CHECK(dir.hidden_files() == std::set<std::string>{});
}

inline void check_kills(const scenario& scene) {
    const play all = played(scene);
    REQUIRE(all.calls.size() > 2);
    REQUIRE(all.old != all.made);
    for (const auto how : {faults::effect::kill, faults::effect::kill_halfway})
        for (std::size_t at = 0; at < all.calls.size(); ++at) {
            const auto& call = all.calls[at];
            // A write within one sector is atomic.
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

inline void check_failures(const scenario& scene) {
    const play all = played(scene);
    for (const int code : {ENOSPC, EIO})
        for (std::size_t at = 0; at < all.calls.size(); ++at) {
            const auto& call = all.calls[at];
            CAPTURE(scene.name, at, call.name, call.path, call.offset, code);
            const temp_dir dir;
            const auto file = dir / "t.npy";
            scene.before(file);
            const auto former = read_text(file);
            // Bytes after the data belong to nobody and may change.
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
                // Only a failed fsync or unlink may be reported after the commit point.
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

/// The index of the first call with this name on this file.
inline std::size_t number_of(const std::vector<faults::call>& calls, std::string_view name, std::string_view file) {
    std::size_t number = 0;
    while (number < calls.size() &&
           (calls[number].name != name || (!file.empty() && fs::path(calls[number].path).filename() != file)))
        ++number;
    return number;
}

// Scenarios ----------------------------------------------------------------------------------------------------------

inline const json old_meta = {{"units", "kelvin"}};
inline const json new_meta = {{"units", "celsius"}};

inline step saved(std::size_t rows, double seed, save_options options = {}) {
    return [=](const fs::path& file) { save(file, some_rows(rows, seed), options); };
}

inline step appended(append_options options = {}) {
    return [=](const fs::path& file) { append(file, some_rows(3, 900), options); };
}

/// Saves with a header that has no room for a second digit, as other programs write it.
inline step saved_tight(std::size_t rows, double seed, const json& meta = nullptr) {
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

inline void add_bytes(const fs::path& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary | std::ios::app) << bytes;
}

/// Adds two rows and a part of a third after the data that the header counts.
inline step unfinished(const step& first) {
    return [=](const fs::path& file) {
        first(file);
        const auto more = some_rows(2, 70);
        add_bytes(file, std::string(reinterpret_cast<const char*>(more.data()), more.size() * 8) + "part");
    };
}

/// With a sidecar that has metadata and no checksums.
inline step without_claims(const step& first) {
    return [=](const fs::path& file) {
        first(file);
        (void)map<double>(file, read_write);
    };
}

inline void nothing(const fs::path&) {}

inline std::vector<scenario> saves_over() {
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

inline std::vector<scenario> saves_with_sidecar() {
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

inline std::vector<scenario> saves_new() {
    return {
        {"plain", nothing, saved(8, 100)},
        {"synced", nothing, saved(8, 100, {.sync = true})},
        {"with sidecar", nothing, saved(8, 100, {.meta = new_meta, .statistics = true})},
    };
}

inline std::vector<scenario> appends() {
    const save_options described{.meta = old_meta, .sum = checksum::crc32 | checksum::md5, .statistics = true};
    return {
        {"in place", saved(8, 0), appended(), {}, true},
        {"in place, not synced", saved(8, 0), appended({.sync = false}), {}, true},
        {"in place, with sidecar", saved(8, 0, described), appended(), {}, true},
        {"behind leavings", unfinished(saved(8, 0, described)), appended(), {}, true},
        {"to nothing", nothing, appended(), {}, true},
    };
}

inline std::vector<scenario> appends_that_rewrite() {
    return {
        {"plain", saved_tight(8, 0), appended(), {}, true},
        {"with sidecar", saved_tight(8, 0, old_meta), appended(), {}, true},
    };
}

inline std::vector<scenario> describes() {
    const step tell = [](const fs::path& file) {
        describe(file, {.meta = new_meta, .sum = checksum::crc32, .statistics = true, .sync = true});
    };
    return {
        {"for the first time", saved(8, 0), tell},
        {"again", saved(8, 0, {.meta = old_meta}), tell},
    };
}

inline std::vector<scenario> creates() {
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

inline std::vector<scenario> recovers() {
    const step mend = [](const fs::path& file) { (void)recover(file); };
    return {
        {"plain", unfinished(saved(8, 0)), mend},
        {"with sidecar", unfinished(saved(8, 0, {.meta = old_meta, .statistics = true})), mend},
        {"header too tight", unfinished(saved_tight(8, 0)), mend},
        {"header too tight, with sidecar", unfinished(saved_tight(8, 0, old_meta)), mend},
    };
}

/// The calls of `act` on t.npy, as "name path" without the folder.
inline std::vector<std::string> call_list(const temp_dir& dir, const std::vector<faults::call>& calls) {
    std::vector<std::string> list;
    for (const auto& call : calls)
        list.push_back(call.path == dir.path() ? call.name + " ."
                                               : call.name + ' ' + fs::path(call.path).filename().string());
    return list;
}

}  // namespace fault_scenarios
