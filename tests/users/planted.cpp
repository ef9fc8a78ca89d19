// SPDX-License-Identifier: BSD-3-Clause
// Foreign files, links, pipes and folders under the names that the library creates or opens. None is written, followed,
// removed or waited for; a call succeeds or is rejected.
#include "users/users.hpp"

#include <ndkeep/tree.hpp>

namespace users::planted_tests {

namespace {

enum class kind { file, link, dangling_link, pipe, folder };

void plant(kind what, const fs::path& name, const fs::path& precious) {
    switch (what) {
    case kind::file:
        return write_text(name, "somebody's");
    case kind::link:
        return fs::create_symlink(precious, name);
    case kind::dangling_link:
        return fs::create_symlink(precious.string() + ".none", name);
    case kind::pipe:
        REQUIRE(::mkfifo(name.c_str(), 0600) == 0);
        return;
    case kind::folder:
        fs::create_directory(name);
        return write_text(name / "kept", "somebody's");
    }
}

bool is_still_planted(kind what, const fs::path& name, const fs::path& precious) {
    const auto status = fs::symlink_status(name);
    switch (what) {
    case kind::file:
        return fs::is_regular_file(status) && read_text(name) == "somebody's";
    case kind::link:
        return fs::is_symlink(status) && fs::read_symlink(name) == precious;
    case kind::dangling_link:
        return fs::is_symlink(status) && !fs::exists(precious.string() + ".none");
    case kind::pipe:
        return fs::is_fifo(status);
    case kind::folder:
        return fs::is_directory(status) && read_text(name / "kept") == "somebody's";
    }
    return false;
}

constexpr kind all_kinds[] = {kind::file, kind::link, kind::dangling_link, kind::pipe, kind::folder};

struct verb {
    std::string name;
    std::function<void(const fs::path& file)> act;
};

const std::vector<verb>& verbs() {
    static const std::vector<verb> all = {
        {"save", [](const fs::path& file) { nk::save(file, numbers(5, 3)); }},
        {"save with a sidecar",
         [](const fs::path& file) {
             nk::save(file, numbers(5, 3), {.meta = {{"a", 1}}});
         }},
        {"append", [](const fs::path& file) { nk::append(file, numbers(5, 3)); }},
        {"create", [](const fs::path& file) { (void)nk::create<double>(file, {3}, {.replace = true}); }},
        {"describe",
         [](const fs::path& file) {
             nk::describe(file, {.meta = {{"a", 1}}});
         }},
        {"save_npz",
         [](const fs::path& file) {
             nk::save_npz(file, {{"x", numbers(5, 3)}});
         }},
        {"save_tree",
         [](const fs::path& file) {
             nk::save_tree(file, {{"x", numbers(5, 3)}});
         }},
        {"a loop",
         [](const fs::path& file) {
             nk::stateful_loop loop(file, {.sync = false});
             auto& total = loop.bind<double>("total");
             const auto source = numbers(0, 4);
             for (auto chunk : loop.over(source, {.rows = 2}))
                 total += xt::sum(chunk)();
         }},
    };
    return all;
}

/// Names next to a file t that writers use.
const std::vector<std::string>& names_beside() {
    static const std::vector<std::string> all = {".t.ndk",     ".t.json.ndk", "t.json",  ".t.prv",
                                                 "t.previous", "t.lock",      ".t.ndk.0"};
    return all;
}

/// Runs `act` with a time limit. Returns "refused" for an error of the library, and the message of any other error.
std::string done_or_refused(const std::function<void()>& act, uid_t user) {
    return users::as_user(user, [&]() -> std::string {
        ::alarm(60);
        try {
            act();
        } catch (const nk::error&) {
            return "refused";
        }
        return {};
    });
}

/// Whether a writer of the same user creates such a file itself, and so may remove it as the leftover of a killed one.
bool is_own_leftover(const std::string& name, kind what) {
    const bool is_temporary = name.starts_with('.');
    return is_temporary && (what == kind::file || name == ".t.prv");
}

/// Whether the planted file blocks this verb. Otherwise the verb must succeed.
bool is_in_the_way(const std::string& verb, const std::string& name, kind what) {
    if (name == ".t.ndk" || name == ".t.json.ndk")
        return what != kind::file && (name == ".t.ndk" || verb == "save with a sidecar" || verb == "describe");
    if (name == "t.json")
        return verb == "save with a sidecar" || verb == "describe";
    return verb == "a loop" && name != ".t.ndk.0";
}

}  // namespace

TEST_CASE("what is planted beside a file is left alone", "[users]") {
    for (const auto& act : verbs())
        for (const auto& name : names_beside())
            for (const kind what : all_kinds) {
                CAPTURE(act.name, name, static_cast<int>(what));
                const temp_dir dir;
                write_text(dir / "precious", "kept");
                const auto file = dir / "t";
                if (act.name.starts_with("a") || act.name == "describe")
                    nk::save(file, numbers(0, 2));
                if (act.name == "a loop")
                    fs::remove(file);
                plant(what, dir / name, dir / "precious");

                const auto said = done_or_refused([&] { act.act(file); }, ::geteuid());

                CHECK((said.empty() || (said == "refused" && is_in_the_way(act.name, name, what))));
                CHECK(read_text(dir / "precious") == "kept");
                CHECK_FALSE(fs::exists(dir / "precious.none"));
                if (!is_own_leftover(name, what))
                    CHECK(is_still_planted(what, dir / name, dir / "precious"));
            }
}

TEST_CASE("what another user has planted in a sticky directory is left alone", "[users]") {
    if (!users::are_here())
        return;
    for (const auto& act : verbs())
        for (const auto& name : names_beside())
            for (const kind what : all_kinds) {
                CAPTURE(act.name, name, static_cast<int>(what));
                const users::shared_dir dir(true);
                if (!dir.is_open_to(users::nobody))
                    return;
                write_text(dir / "precious", "kept");
                ::chmod((dir / "precious").c_str(), 0666);
                const auto file = dir / "t";
                if (act.name.starts_with("a") || act.name == "describe") {
                    nk::save(file, numbers(0, 2));
                    ::chmod(file.c_str(), 0666);
                }
                if (act.name == "a loop")
                    fs::remove(file);
                plant(what, dir / name, dir / "precious");

                const auto said = done_or_refused([&] { act.act(file); }, users::nobody);
                CHECK((said.empty() || said == "refused"));

                CHECK(read_text(dir / "precious") == "kept");
                CHECK_FALSE(fs::exists(dir / "precious.none"));
                CHECK(is_still_planted(what, dir / name, dir / "precious"));
            }
}

TEST_CASE("what is planted in the place of a dataset's folders and files is left alone", "[users]") {
    for (const std::string name : {"commits", "chunks", "lock", "commits/00000000000000000000.json",
                                   "commits/00000000000000000002.json", "chunks/2024.npy"})
        for (const kind what : all_kinds)
            for (const bool is_new : {true, false}) {
                CAPTURE(name, static_cast<int>(what), is_new);
                const temp_dir dir;
                write_text(dir / "precious", "kept");
                const auto path = dir / "a";
                if (is_new)
                    fs::create_directories((path / name).parent_path());
                else
                    nk::save_chunked(path, numbers(0, 4), {.rows_per_chunk = 2, .commit = {.sync = false}});
                if (!is_new && !name.ends_with("json"))
                    fs::remove_all(path / name);
                plant(what, path / name, dir / "precious");

                for (const auto& act : std::vector<std::function<void()>>{
                         [&] {
                             nk::save_chunked(path, numbers(7, 4), {.rows_per_chunk = 2, .commit = {.sync = false}});
                         },
                         [&] {
                             nk::chunk_writer<double, 1> to(path, {.rows_per_chunk = 2, .commit = {.sync = false}});
                             to.append(numbers(9, 3));
                             (void)to.commit();
                         },
                         [&] { nk::compact_chunked(path, {.rows_per_chunk = 4, .commit = {.sync = false}}); },
                         [&] { (void)nk::prune_chunked(path); },
                         [&] { nk::verify_chunked(path); },
                     }) {
                    const auto said = done_or_refused(act, ::geteuid());
                    CHECK((said.empty() || said == "refused"));
                }

                CHECK(read_text(dir / "precious") == "kept");
                CHECK_FALSE(fs::exists(dir / "precious.none"));
                // After the first commit, the name of record 0 belongs to the library, and a sweep removes it.
                if (is_new || name != "commits/00000000000000000000.json")
                    CHECK(is_still_planted(what, path / name, dir / "precious"));
            }
}

TEST_CASE("a first commit into a folder with other things in it is refused, and changes nothing", "[users][error]") {
    const std::set<std::string> names = {
        "0.npy", "10.npy", "2024.npy", "cafe.npy", "77.npz", "20240101-12.npy", "000000000000-5f3a91c4d2e07b16-3.npy"};
    for (const std::string folder : {"chunks", "commits", "."}) {
        CAPTURE(folder);
        const temp_dir dir;
        const auto path = dir / "data";
        fs::create_directories(path / folder);
        for (const auto& name : names)
            write_text(path / folder / name, "my own");
        const auto listed = [&] {
            std::set<std::string> all;
            for (const auto& entry : fs::recursive_directory_iterator(path))
                all.insert(entry.path().lexically_relative(path).string());
            return all;
        };
        const auto before = listed();

        const auto e = thrown<nk::io_error>([&] { nk::save_chunked(path, numbers(0, 4)); });

        CHECK(e.file() == path);
        CHECK(e.code() == std::errc::directory_not_empty);
        CHECK(std::string(e.what()).find("and 6 more") != std::string::npos);
        CHECK_THROWS_AS((nk::chunk_writer<double, 1>(path)), nk::io_error);
        CHECK(listed() == before);
    }
}

TEST_CASE("a sweep removes what writers of the dataset have left, and nothing else", "[users]") {
    const temp_dir dir;
    const auto path = dir / "a";
    const nk::chunk_writer_options twos{.rows_per_chunk = 2, .commit = {.sync = false, .keep = 2}};
    nk::save_chunked(path, numbers(0, 4), {.rows_per_chunk = 2, .commit = {.sync = false}});
    nk::save_chunked(dir / "b", numbers(0, 4), {.rows_per_chunk = 2, .commit = {.sync = false}});
    std::set<std::string> others = {"0.npy",  "10.npy", "2024.npy",        "cafe.npy",
                                    "77.npz", "x.txt",  "20240101-12.npy", "000000000000-5f3a91c4d2e07b16-3.npy"};
    for (const auto& name : others)
        write_text(path / "chunks" / name, "my own");
    // Chunks of another dataset that were copied here.
    for (const auto& entry : fs::directory_iterator(dir / "b" / "chunks")) {
        others.insert(entry.path().filename().string());
        fs::copy_file(entry.path(), path / "chunks" / entry.path().filename());
    }
    const auto leave_orphan = [&] {
        const auto end = faults::in_child([&]() -> std::string {
            nk::chunk_writer<double, 1> to(path, twos);
            to.append(numbers(50, 6));
            faults::session::die();
        });
        REQUIRE(end.killed);
    };
    const auto check = [&](const char* after) {
        CAPTURE(after);
        for (const auto& name : others)
            CHECK(fs::exists(path / "chunks" / name));
        std::size_t files = 0;
        for ([[maybe_unused]] const auto& entry : fs::directory_iterator(path / "chunks"))
            ++files;
        nk::verify_chunked(path);
        return files - others.size();
    };

    leave_orphan();
    CHECK(check("a kill") == 2 + 3);
    {
        nk::chunk_writer<double, 1> to(path, twos);
        to.append(numbers(4, 2));
        (void)to.commit();
    }
    CHECK(check("an append") == 3);
    leave_orphan();
    nk::compact_chunked(path, {.rows_per_chunk = 6, .commit = {.sync = false}});
    CHECK(check("a compaction") == 4);
    leave_orphan();
    {
        nk::chunk_writer<double, 1> to(path, twos);
        to.set_metadata({{"a", 1}});
        (void)to.commit();
    }
    CHECK(check("metadata, which prunes too") == 1);
    (void)nk::prune_chunked(path);
    CHECK(check("a prune") == 1);
    CHECK((nk::load_chunked<double, 1>(path) == numbers(0, 6)));
}

TEST_CASE("what a writer killed before the first commit has left is in nobody's way, and swept", "[users]") {
    const temp_dir dir;
    const auto path = dir / "a";
    for (int kills = 0; kills < 3; ++kills) {
        const auto end = faults::in_child([&]() -> std::string {
            nk::chunk_writer<double, 1> to(path, {.rows_per_chunk = 2, .commit = {.sync = kills == 1}});
            to.append(numbers(50, 6));
            faults::session::die();
        });
        REQUIRE(end.killed);
    }

    nk::save_chunked(path, numbers(0, 4), {.rows_per_chunk = 4, .commit = {.sync = false}});

    std::size_t files = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(path / "chunks"))
        ++files;
    CHECK(files == 1);
    CHECK_FALSE(fs::exists(path / "commits" / nk::detail::record_name(0)));
    CHECK((nk::load_chunked<double, 1>(path) == numbers(0, 4)));
}

TEST_CASE("a dataset whose folder is a link into another one is refused", "[users][error]") {
    for (const std::string folder : {"chunks", "commits"}) {
        const temp_dir dir;
        const auto good = dir / "good", evil = dir / "evil";
        nk::save_chunked(good, numbers(0, 40), {.rows_per_chunk = 4, .commit = {.sync = false}});
        fs::create_directory(evil);
        fs::create_directory_symlink("../good/" + folder, evil / folder);

        CHECK(thrown<nk::io_error>([&] { nk::save_chunked(evil, numbers(0, 1)); }).file() == evil / folder);
        CHECK_THROWS_AS((nk::chunk_writer<double, 1>(evil)), nk::io_error);
        CHECK_THROWS_AS((nk::load_chunked<double, 1>(evil)), nk::io_error);
        CHECK_THROWS_AS(nk::compact_chunked(evil), nk::io_error);
        CHECK_THROWS_AS(nk::prune_chunked(evil), nk::io_error);
        CHECK_THROWS_AS(nk::recover_chunked(evil), nk::io_error);

        nk::verify_chunked(good);
        CHECK((nk::load_chunked<double, 1>(good) == numbers(0, 40)));
    }
}

TEST_CASE("a link to a dataset is a name of it", "[users]") {
    const temp_dir dir;
    nk::save_chunked(dir / "a", numbers(0, 4), {.commit = {.sync = false}});
    fs::create_directory_symlink("a", dir / "b");

    nk::save_chunked(dir / "b", numbers(5, 4), {.commit = {.sync = false}});

    CHECK((nk::load_chunked<double, 1>(dir / "a") == numbers(5, 4)));
}

TEST_CASE("chunked arrays are written where there is no /proc", "[users]") {
    if (!users::are_here())
        return;
    for (const uid_t user : {users::superuser, users::nobody}) {
        const users::shared_dir dir;
        const auto end = faults::in_child([&]() -> std::string {
            if (::chroot(dir.path().c_str()) != 0 || ::chdir("/") != 0)
                return "no other root";
            users::become(user);
            nk::save_chunked("a", numbers(0, 9), {.rows_per_chunk = 2, .commit = {.sync = true}});
            nk::chunk_writer<double, 1> to("a", {.rows_per_chunk = 2});
            to.append(numbers(9, 2));
            (void)to.commit();
            nk::save("t.npy", numbers(0, 3));
            nk::append("t.npy", numbers(3, 1));
            nk::verify_chunked("a");
            return nk::load<double, 1>("t.npy") == numbers(0, 4) ? "" : "other rows";
        });
        CHECK(end.said == "");
        CHECK((nk::load_chunked<double, 1>(dir / "a") == numbers(0, 11)));
        for (const char* const folder : {"commits", "chunks"})
            for (const auto& entry : fs::directory_iterator(dir / "a" / folder))
                CHECK(entry.path().filename().string().front() != '.');
    }
}

}  // namespace users::planted_tests
