// SPDX-License-Identifier: BSD-3-Clause
// Directories of this machine as a place: files that come whole or not at all, names that lead nowhere, locks.
#include "support/faults.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/chunks.hpp>

#include <array>
#include <set>
#include <thread>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace store_directory_tests {

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

directory opened(const fs::path& path) { return std::move(*directory::open(path)); }

bool put(directory& to, const std::string& name, std::string_view text, bool durable = false) {
    const std::array<std::span<const std::byte>, 2> parts = {detail::bytes_of(text.substr(0, text.size() / 2)),
                                                             detail::bytes_of(text.substr(text.size() / 2))};
    return to.put(name, parts, durable);
}

/// A dataset of two commits, and the name of its first chunk.
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

TEST_CASE("put creates a file whole, under a name that was free", "[store]") {
    for (const bool durable : {false, true}) {
        const temp_dir dir;
        auto there = opened(dir.path());

        CHECK(put(there, "a", "first text", durable));
        CHECK_FALSE(put(there, "a", "other", durable));
        CHECK(put(there, "empty", "", durable));

        CHECK(read_text(dir / "a") == "first text");
        CHECK(read_text(dir / "empty").empty());
        CHECK(dir.files() == 2);
    }
}

TEST_CASE("put takes no name that a link, a pipe or a directory has", "[store]") {
    const temp_dir dir;
    auto there = opened(dir.path());
    fs::create_directory(dir / "folder");
    fs::create_symlink(dir / "nowhere", dir / "link");
    REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);

    for (const std::string name : {"folder", "link", "pipe"})
        CHECK_FALSE(put(there, name, "text"));

    CHECK(dir.files() == 3);
    CHECK_FALSE(fs::exists(dir / "nowhere"));
}

TEST_CASE("of many that put one name at once, one does", "[store][threads]") {
    const temp_dir dir;
    for (int turn = 0; turn < 50; ++turn) {
        const auto name = "n" + std::to_string(turn);
        std::atomic<int> done = 0;
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&, i] {
                auto there = opened(dir.path());
                done += put(there, name, std::string(1000, static_cast<char>('a' + i))) ? 1 : 0;
            });
        for (auto& thread : threads)
            thread.join();

        CHECK(done == 1);
        const auto text = read_text(dir / name);
        CHECK(text == std::string(1000, text.front()));
    }
    CHECK(dir.files() == 50);
}

TEST_CASE("a writer that is killed leaves no name behind", "[store][fault]") {
    const temp_dir dir;
    const auto end = faults::in_child([&]() -> std::string {
        std::thread([&] {
            for (int i = 0;; ++i) {
                auto there = opened(dir.path());
                (void)put(there, std::to_string(i), std::string(100'000, 'x'));
            }
        }).detach();
        ::usleep(20'000);
        faults::session::die();
    });

    CHECK(end.killed);
    for (const auto& entry : fs::directory_iterator(dir.path())) {
        CHECK(entry.file_size() == 100'000);
        CHECK(entry.path().filename().string().front() != '.');
    }
}

TEST_CASE("only regular files are opened, and links are not followed", "[store][error]") {
    const temp_dir dir;
    auto there = opened(dir.path());
    REQUIRE(put(there, "file", "text"));
    fs::create_directory(dir / "folder");
    fs::create_symlink("file", dir / "link");
    fs::create_symlink("missing", dir / "dangling");
    REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    const auto socket_path = (dir / "socket").string();
    REQUIRE(socket_path.size() < sizeof address.sun_path);
    std::copy(socket_path.begin(), socket_path.end(), address.sun_path);
    REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);

    for (const std::string name : {"folder", "link", "dangling", "pipe", "socket", ".", "..", "file/"}) {
        CAPTURE(name);
        CHECK_THROWS_AS(there.open_file(name), io_error);
    }
    const auto problem = thrown<io_error>([&] { (void)there.open_file("pipe"); });
    CHECK(problem.file() == dir / "pipe");
    CHECK_FALSE(there.open_file("missing").has_value());
    CHECK(there.open_file("file")->size() == 4);
    ::close(socket);
}

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
            save_chunked(path, vector(xt::arange<double>(3)));  // which has no loops any more
            (void)prune_chunked(path, {.keep = 1});
        } catch (const format_error&) {
            // As good.
        }

        CHECK(fs::exists(victim));
        fs::remove_all(path);
        (void)saved(dir);
    }
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
            return "skipped";  // what is above the directory is closed to that user
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

// Locks -------------------------------------------------------------------------------------------------------------

namespace {

struct lock_dir {
    lock_dir() { write_text(dir / "lock", ""); }
    [[nodiscard]] byte_locks open(file::access wanted = file::access::read_write) const {
        return byte_locks(file::open(dir / "lock", wanted));
    }
    temp_dir dir;
};

}  // namespace

TEST_CASE("shared locks go together, exclusive ones with none", "[store]") {
    const lock_dir of;
    auto one = of.open(), other = of.open();

    CHECK(one.lock_shared(17));
    CHECK(other.lock_shared(17));
    CHECK_FALSE(other.lock(17));
    CHECK(other.lock(18));
    CHECK_FALSE(one.lock_shared(18));
    CHECK_FALSE(one.lock(0, 30));
    other.unlock(18);
    other.unlock(17);
    CHECK(one.lock(0, 30));
    CHECK_FALSE(other.lock_shared(29));
    CHECK(other.lock_shared(30));
    CHECK(one.lock_shared(detail::lock_writing));
    CHECK(other.lock(detail::lock_writing + 1));
}

TEST_CASE("a lock that cannot become exclusive stays shared", "[store]") {
    const lock_dir of;
    auto one = of.open(), other = of.open(), third = of.open();
    REQUIRE(one.lock_shared(5));
    REQUIRE(other.lock_shared(5));

    CHECK_FALSE(one.lock(5));

    other.unlock(5);
    CHECK_FALSE(third.lock(5));  // one's
    CHECK(one.lock(5));
    CHECK(one.lock_shared(5));
    CHECK(third.lock_shared(5));
}

TEST_CASE("the lowest number that somebody else holds is found", "[store]") {
    const lock_dir of;
    auto own = of.open(), one = of.open(), other = of.open(file::access::read);
    CHECK_FALSE(own.held_below(100).has_value());
    REQUIRE(own.lock_shared(3));
    REQUIRE(one.lock_shared(50));
    REQUIRE(other.lock_shared(20));
    REQUIRE(other.lock_shared(21));
    REQUIRE(one.lock_shared(20));

    CHECK(own.held_below(100) == 20);
    CHECK(own.held_below(21) == 20);
    CHECK_FALSE(own.held_below(20).has_value());
    CHECK_FALSE(own.held_below(0).has_value());
    CHECK(one.held_below(100) == 3);
    CHECK(own.lock(0, 20));
    CHECK_FALSE(own.lock(0, 21));
}

TEST_CASE("locks are released with what holds them, and by nothing else", "[store]") {
    const lock_dir of;
    auto other = of.open();
    {
        auto held = of.open();
        REQUIRE(held.lock(1));
        { const auto unrelated = file::open(of.dir / "lock"); }  // as POSIX locks would be
        CHECK_FALSE(other.lock_shared(1));
        auto moved = std::move(held);
        CHECK_FALSE(other.lock_shared(1));
    }
    CHECK(other.lock(1));
    const auto end = faults::in_child([&]() -> std::string {
        auto held = of.open();
        if (!held.lock(2) || held.lock(1))
            return "not as in another process";
        faults::session::die();
    });
    CHECK(end.killed);
    CHECK(other.lock(2));
}

TEST_CASE("who waits for a lock gets it, or hears that it was not released", "[store][threads]") {
    const lock_dir of;
    auto own = of.open();
    auto held = std::make_unique<byte_locks>(of.open());
    REQUIRE(held->lock(7));
    const auto begin = std::chrono::steady_clock::now();
    CHECK_FALSE(own.lock_within(7, std::chrono::milliseconds(30)));
    CHECK(std::chrono::steady_clock::now() - begin >= std::chrono::milliseconds(30));

    std::thread releases([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        held.reset();
    });
    CHECK(own.lock_within(7, std::chrono::seconds(20)));
    releases.join();
}

TEST_CASE("locks of nobody are always granted", "[store]") {
    byte_locks none;
    CHECK_FALSE(none.is_open());
    CHECK(none.lock(0, 100));
    CHECK(none.lock_shared(5));
    CHECK_FALSE(none.held_below(100).has_value());
    CHECK(none.lock_within(5, std::chrono::milliseconds(0)));
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

}  // namespace store_directory_tests
