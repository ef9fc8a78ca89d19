// SPDX-License-Identifier: BSD-3-Clause
// Local directories as a place: other kinds of files under names that records or readers use.
#include "support/faults.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/chunks.hpp>

#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <sys/stat.h>

namespace store_place_tests {

using namespace ndkeep;

namespace {

namespace fs = std::filesystem;
using vector = xt::xtensor<double, 1>;

std::set<std::string> listing(const fs::path& folder) {
    std::set<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        names.insert(entry.path().string() + ' ' + std::to_string(entry.is_regular_file() ? entry.file_size() : 0));
    return names;
}

/// A dataset with two commits, and the name of its first chunk.
fs::path saved(const temp_dir& dir) {
    const auto path = dir / "readings";
    chunk_writer<double, 1> to(path, {.rows_per_chunk = 4});
    to.append(vector(xt::arange<double>(6)));
    (void)to.commit();
    to.append(vector(xt::arange<double>(2)));
    (void)to.commit();
    return path;
}

fs::path first_chunk(const fs::path& path) {
    std::set<fs::path> all;
    for (const auto& entry : fs::directory_iterator(path / "chunks"))
        all.insert(entry.path());
    return *all.begin();
}

}  // namespace

TEST_CASE("a chunk that is no file of its own is refused", "[store][error]") {
    const temp_dir dir;
    const auto path = saved(dir);
    const auto chunk = first_chunk(path);
    const auto elsewhere = dir / "elsewhere.npy";
    fs::rename(chunk, elsewhere);

    fs::create_symlink(elsewhere, chunk);
    CHECK_THROWS_AS((load_chunked<double, 1>(path)), io_error);
    CHECK_THROWS_AS((map_chunked<double, 1>(path)), io_error);
    fs::remove(chunk);
    REQUIRE(::mkfifo(chunk.c_str(), 0600) == 0);
    CHECK_THROWS_AS((load_chunked<double, 1>(path)), io_error);
    CHECK_THROWS_AS((map_chunked<double, 1>(path)), io_error);
    fs::remove(chunk);
    fs::create_directory(chunk);
    CHECK_THROWS_AS((load_chunked<double, 1>(path)), io_error);
    fs::remove(chunk);
    CHECK_THROWS_AS((load_chunked<double, 1>(path)), format_error);

    fs::rename(elsewhere, chunk);
    CHECK((load_chunked<double, 1>(path).size() == 8));
}

TEST_CASE("a record that is no file of its own is refused", "[store][error]") {
    const temp_dir dir;
    const auto path = saved(dir);
    const auto record = path / "commits" / detail::record_name(2);
    fs::rename(record, dir / "elsewhere.json");

    fs::create_symlink(dir / "elsewhere.json", record);
    CHECK_THROWS_AS((load_chunked<double, 1>(path)), io_error);
    fs::remove(record);
    REQUIRE(::mkfifo(record.c_str(), 0600) == 0);
    CHECK_THROWS_AS((load_chunked<double, 1>(path)), io_error);
}

TEST_CASE("what a record calls a file of a loop cannot be removed from elsewhere", "[store][error]") {
    const temp_dir dir;
    const auto path = saved(dir);
    const auto victim = dir / "victim";
    for (const std::string& name : {std::string("../../victim"), victim.string()}) {
        CAPTURE(name);
        write_text(victim, "precious");
        const auto record = path / "commits" / detail::record_name(2);
        auto text = read_text(record);
        const auto at = text.find("\"loops\": {");
        text = text.substr(0, at) + R"("loops": {"L": {"states": {"file": ")" + name + "\"}}}" +
               text.substr(text.find(", \"metadata\""));
        text.erase(text.rfind(",\"crc32c\""));
        const auto sum = detail::hex_text(crc32c(detail::bytes_of(text)));
        fs::remove(record);
        write_text(record, text + ",\"crc32c\":\"" + sum + "\"}");
        try {
            save_chunked(path, vector(xt::arange<double>(3)));  // the new commit has no loops
            (void)prune_chunked(path, {.keep = 1});
        } catch (const format_error&) {
            // An error is a correct result too.
        }

        CHECK(fs::exists(victim));
        fs::remove_all(path);
        (void)saved(dir);
    }
}

TEST_CASE("a place is named as its user named it, without a slash at the end", "[store][error]") {
    const temp_dir dir;
    save_chunked(dir / "a", vector(xt::arange<double>(3)));

    CHECK(local_place(dir / "a", local_place::access::read).path() == dir / "a");
    CHECK(local_place(dir / "a/", local_place::access::read).path() == dir / "a");
    CHECK(local_place("/", local_place::access::read).path() == "/");
    const auto e = thrown<mismatch_error>([&] { (void)load_chunked<double, 1>(dir / "a", {.max_bytes = 8}); });
    CHECK(e.file() == dir / "a");
}

TEST_CASE("readers create nothing", "[store]") {
    const temp_dir dir;
    const auto path = saved(dir);
    const auto before = listing(dir.path());

    (void)load_chunked<double, 1>(path);
    (void)load_chunked_any(path);
    (void)map_chunked<double, 1>(path);
    (void)inspect_chunked(path);
    verify_chunked(path);
    CHECK_THROWS_AS((load_chunked<double, 1>(dir / "missing")), io_error);
    CHECK(listing(dir.path()) == before);

    fs::remove(path / "lock");
    const auto without_lock = listing(dir.path());
    (void)load_chunked<double, 1>(path);
    CHECK_THROWS_AS((chunk_reader<double, 1>(path, {.at_commit = 9})), conflict_error);
    CHECK(listing(dir.path()) == without_lock);

    fs::create_directory(dir / "nothing in it");
    CHECK_THROWS_AS((load_chunked<double, 1>(dir / "nothing in it")), io_error);
    CHECK_THROWS_AS(prune_chunked(dir / "missing", {}), io_error);
    CHECK_THROWS_AS(compact_chunked(dir / "missing"), io_error);
    CHECK_THROWS_AS(recover_chunked(dir / "missing"), io_error);
    CHECK_FALSE(fs::exists(dir / "missing"));
    CHECK(fs::is_empty(dir / "nothing in it"));
}

TEST_CASE("a directory that may only be read is read", "[store]") {
    const temp_dir dir;
    const auto path = saved(dir);
    fs::permissions(dir.path(), fs::perms(0755));
    for (const auto& folder : {path, path / "commits", path / "chunks"})
        fs::permissions(folder, fs::perms(0555));
    for (const auto& entry : fs::recursive_directory_iterator(path))
        if (entry.is_regular_file())
            fs::permissions(entry.path(), fs::perms(0444));
    const auto before = listing(dir.path());

    const auto end = faults::in_child([&]() -> std::string {
        if (::getuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0))
            return "skipped";
        if (::access(path.c_str(), R_OK | X_OK) != 0)
            return "skipped";  // the parent directories are closed to that user
        if (load_chunked<double, 1>(path).size() != 8 || map_chunked<double, 1>(path).size() != 8)
            return "other rows";
        if (chunk_reader<double, 1>(path, {.at_commit = 1}).rows() != 6)
            return "other rows before";
        verify_chunked(path);
        try {
            chunk_writer<double, 1> to(path);
            to.append(vector(xt::arange<double>(2)));
            (void)to.commit();
            return "written";
        } catch (const io_error& problem) {
            return problem.code() == std::errc::permission_denied ? "" : problem.what();
        }
    });

    if (end.said == "skipped")
        WARN("there is no other user who can look at it: a read-only directory is not tried");
    else
        CHECK(end.said == "");
    CHECK(listing(dir.path()) == before);
    for (const auto& folder : {path, path / "commits", path / "chunks"})
        fs::permissions(folder, fs::perms(0755));
}

TEST_CASE("a place stays the directory that it was opened in", "[store]") {
    const temp_dir dir;
    (void)saved(dir);
    const auto end = faults::in_child([&]() -> std::string {
        fs::current_path(dir.path());
        local_place where("readings", local_place::access::write);
        fs::create_directory(dir / "other");
        fs::current_path(dir / "other");
        if (where.list("commits").size() != 2)
            return "lists another";
        return where.size("commits/" + detail::record_name(1)) ? "" : "opens another";
    });
    CHECK(end.said == "");

    local_place where(dir / "readings", local_place::access::write);
    fs::rename(dir / "readings", dir / "moved");
    CHECK(where.size("commits/" + detail::record_name(1)).has_value());
    CHECK_NOTHROW(where.list("commits"));
}

TEST_CASE("two that write in one directory are both there", "[store][threads]") {
    const temp_dir dir;
    const auto path = dir / "readings";
    constexpr int commits = 40;
    std::vector<std::string> problems(3);
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i)
        threads.emplace_back([&, i] {
            try {
                chunk_writer<double, 1> to(path, {.rows_per_chunk = 8, .commit = {.sync = false, .keep = 5}});
                for (int j = 0; j < commits; ++j) {
                    to.append(vector{1000.0 * i + j});
                    (void)to.commit();
                }
            } catch (const std::exception& problem) {
                problems[static_cast<std::size_t>(i)] = problem.what();
            }
        });
    for (auto& thread : threads)
        thread.join();

    CHECK(problems == std::vector<std::string>(3));
    const auto rows = load_chunked<double, 1>(path);
    CHECK(std::set<double>(rows.begin(), rows.end()).size() == 3 * commits);
    CHECK(rows.size() == 3 * commits);
    verify_chunked(path);
}

}  // namespace store_place_tests
