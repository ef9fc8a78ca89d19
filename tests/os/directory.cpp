// SPDX-License-Identifier: BSD-3-Clause
// Directories of the local machine: atomic file creation, and dangling names.
#include "support/faults.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/os/directory.hpp>

#include <array>
#include <atomic>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace os_directory_tests {

using namespace ndkeep;

namespace {

namespace fs = std::filesystem;

directory opened(const fs::path& path) { return std::move(*directory::open(path)); }

bool put(directory& to, const std::string& name, std::string_view text,
         durability wanted = durability::when_convenient) {
    const std::array<std::span<const std::byte>, 2> parts = {detail::bytes_of(text.substr(0, text.size() / 2)),
                                                             detail::bytes_of(text.substr(text.size() / 2))};
    return to.put(name, parts, wanted);
}

}  // namespace

TEST_CASE("put creates a file whole, under a name that was free", "[store]") {
    for (const auto wanted : {durability::when_convenient, durability::on_disk}) {
        const temp_dir dir;
        auto there = opened(dir.path());

        CHECK(put(there, "a", "first text", wanted));
        CHECK_FALSE(put(there, "a", "other", wanted));
        CHECK(put(there, "empty", "", wanted));

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

TEST_CASE("remove_folder removes empty directories only", "[store]") {
    const temp_dir dir;
    auto there = opened(dir.path());
    fs::create_directories(dir / "full" / "inner");
    fs::create_directory(dir / "empty");
    fs::create_directory_symlink(dir / "full", dir / "link");
    write_text(dir / "file", "text");

    CHECK(there.remove_folder("empty"));
    CHECK(there.remove_folder("absent"));
    CHECK_FALSE(there.remove_folder("full"));
    CHECK_FALSE(there.remove_folder("link"));
    CHECK_FALSE(there.remove_folder("file"));

    CHECK_FALSE(fs::exists(dir / "empty"));
    CHECK(dir.files() == 3);
}

TEST_CASE("remove_tree removes all that is in a directory, and no target of a link", "[store]") {
    const temp_dir dir;
    auto there = opened(dir.path());
    fs::create_directories(dir / "a" / "b" / "c");
    fs::create_directory(dir / "kept");
    write_text(dir / "kept" / "file", "text");
    write_text(dir / "a" / "b" / "file", "text");
    fs::create_directory_symlink(dir / "kept", dir / "a" / "link");

    there.remove_tree("a");
    there.remove_tree("absent");

    CHECK_FALSE(fs::exists(dir / "a"));
    CHECK(read_text(dir / "kept" / "file") == "text");
}

TEST_CASE("a directory knows whether a path leads to it", "[store]") {
    const temp_dir dir;
    fs::create_directory(dir / "a");
    fs::create_directory_symlink(dir / "a", dir / "link");
    const auto there = opened(dir / "a");
    CHECK(there.is_at(dir / "a"));
    CHECK(there.is_at(dir / "link"));

    fs::rename(dir / "a", dir / "b");
    CHECK_FALSE(there.is_at(dir / "a"));
    CHECK(there.is_at(dir / "b"));

    fs::create_directory(dir / "a");
    CHECK_FALSE(there.is_at(dir / "a"));
}

}  // namespace os_directory_tests
