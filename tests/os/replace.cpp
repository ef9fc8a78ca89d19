// SPDX-License-Identifier: BSD-3-Clause
#include "support/faulty_calls.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/os/names.hpp>
#include <ndkeep/os/replace.hpp>

#include <chrono>
#include <future>
#include <thread>
#include <utility>

namespace bytes_replace_tests {

using namespace ndkeep;

namespace {

namespace fs = std::filesystem;

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

void replace_by(const fs::path& path, std::string_view text) {
    replacement next(path);
    next.content().write(0, bytes_of(text));
    next.commit(durability::when_convenient);
}

unsigned mode_of(const fs::path& path) {
    struct stat status = {};
    ::stat(path.c_str(), &status);
    return status.st_mode & 07777;
}

}  // namespace

TEST_CASE("a replacement is seen at commit, whole", "[bytes][replace]") {
    const temp_dir dir;
    write_text(dir / "t", "old");

    replacement next(dir / "t");
    next.content().write(0, bytes_of("new text"));
    CHECK(read_text(dir / "t") == "old");
    const auto stamp = next.seal(durability::on_disk);
    const auto done = next.commit(durability::on_disk);

    CHECK(read_text(dir / "t") == "new text");
    CHECK(file::open(dir / "t").stamp() == stamp);
    CHECK(done.size() == 8);
    CHECK(dir.files() == 1);
}

TEST_CASE("a replacement that is dropped leaves nothing", "[bytes][replace]") {
    const temp_dir dir;
    write_text(dir / "t", "old");

    {
        replacement next(dir / "t");
        next.content().write(0, bytes_of("new text"));
    }

    CHECK(read_text(dir / "t") == "old");
    CHECK(dir.files() == 1);
}

TEST_CASE("commit_new refuses a name that was taken meanwhile", "[bytes][replace][error]") {
    const temp_dir dir;
    {
        replacement next(dir / "t");
        write_text(dir / "t", "first");

        const auto e = thrown<io_error>([&] { next.commit_new(durability::when_convenient); });

        CHECK(e.code() == std::errc::file_exists);
        CHECK(e.file() == dir / "t");
    }
    CHECK(read_text(dir / "t") == "first");
    CHECK(dir.files() == 1);
}

TEST_CASE("commit_new by link refuses a name that is taken, and leaves one name", "[bytes][replace]") {
    const temp_dir dir;
    const auto by_link = [&](const fs::path& path) {
        replacement next(path);
        const faults::session armed({.what = faults::effect::fail, .at = 0, .code = EINVAL});
        next.commit_new(durability::when_convenient);
    };

    by_link(dir / "t");

    CHECK_THROWS_AS(by_link(dir / "t"), io_error);
    CHECK(dir.files() == 1);
    CHECK(fs::hard_link_count(dir / "t") == 1);
}

TEST_CASE("what a kill leaves as a second name of a finished file is not written into", "[bytes][replace]") {
    const temp_dir dir;
    write_text(dir / "t", "finished");
    fs::create_hard_link(dir / "t", dir / ".t.ndk");
    fs::create_hard_link(dir / "t", dir / "another");

    replace_by(dir / "t", "new");

    CHECK(read_text(dir / "t") == "new");
    CHECK(read_text(dir / "another") == "finished");
    CHECK(dir.files() == 2);
}

// Links --------------------------------------------------------------------------------------------------------------

TEST_CASE("links are followed and stay links", "[bytes][replace]") {
    const temp_dir dir;
    fs::create_directory(dir / "there");
    write_text(dir / "there" / "target", "old");
    fs::create_symlink("there/target", dir / "inner");
    fs::create_symlink(dir / "inner", dir / "outer");

    replace_by(dir / "outer", "new");

    CHECK(fs::is_symlink(dir / "outer"));
    CHECK(fs::is_symlink(dir / "inner"));
    CHECK(read_text(dir / "there" / "target") == "new");
    CHECK(dir.files() == 3);
}

TEST_CASE("a dangling link has its target created", "[bytes][replace]") {
    const temp_dir dir;
    fs::create_symlink("target", dir / "link");

    replace_by(dir / "link", "new");

    CHECK(fs::is_symlink(dir / "link"));
    CHECK(read_text(dir / "target") == "new");
}

TEST_CASE("links in a circle are an error", "[bytes][replace][error]") {
    const temp_dir dir;
    fs::create_symlink("b", dir / "a");
    fs::create_symlink("a", dir / "b");

    const auto e = thrown<io_error>([&] { replace_by(dir / "a", "new"); });

    CHECK(e.code() == std::errc::too_many_symbolic_link_levels);
    CHECK(dir.files() == 2);
}

TEST_CASE("two names of one file by link wait for each other", "[bytes][replace]") {
    const temp_dir dir;
    write_text(dir / "t", "old");
    fs::create_symlink("t", dir / "link");

    CHECK(writer_lock(dir / "link").target() == dir / "t");
}

// Modes --------------------------------------------------------------------------------------------------------------

TEST_CASE("the mode of what is replaced stays, whatever the umask", "[bytes][replace]") {
    const temp_dir dir;
    write_text(dir / "t", "old");
    fs::permissions(dir / "t", fs::perms{0604});
    const mode_t former = ::umask(077);

    replace_by(dir / "t", "new");

    ::umask(former);
    CHECK(mode_of(dir / "t") == 0604);
}

TEST_CASE("the lock of a private file is not the file with the content", "[bytes][replace]") {
    const temp_dir dir;
    write_text(dir / "t", "old");
    fs::permissions(dir / "t", fs::perms{0600});
    const mode_t former = ::umask(022);
    {
        replacement next(dir / "t");
        next.content().write(0, bytes_of("new"));
        CHECK(read_text(dir / ".t.ndk").empty());
        CHECK((next.content().status().st_mode & 0777) == 0600);
        next.commit(durability::when_convenient);
    }
    ::umask(former);
    CHECK(read_text(dir / "t") == "new");
    CHECK(dir.files() == 1);
}

TEST_CASE("at no instant can others open the file that gets the content of a private one", "[bytes][replace]") {
    const temp_dir dir;
    // Who may only write could keep the file open, and write after it was published.
    const auto [mask, mode] = GENERATE(std::pair<mode_t, unsigned>{022, 0640}, std::pair<mode_t, unsigned>{002, 0644});
    const mode_t former = ::umask(mask);
    std::size_t call = 0;
    for (bool killed = true; killed; ++call) {
        CAPTURE(call);
        for (const auto& entry : fs::directory_iterator(dir.path()))
            fs::remove(entry.path());
        write_text(dir / "t", "old");
        fs::permissions(dir / "t", fs::perms{mode});
        killed = faults::killed({.what = faults::effect::kill, .at = call}, [&] { replace_by(dir / "t", "new"); });
        for (const auto& entry : fs::directory_iterator(dir.path())) {
            CAPTURE(entry.path());
            // The lock is open to all, and never has content.
            const bool is_lock = entry.path().filename() == ".t.ndk" && entry.file_size() == 0;
            CHECK((is_lock || (mode_of(entry.path()) & ~mode) == 0));
        }
    }
    ::umask(former);
    CHECK(call > 4);
}

TEST_CASE("a new file has the mode of the umask, also over what a killed writer left", "[bytes][replace]") {
    const temp_dir dir;
    write_text(dir / ".b.ndk", "left");
    fs::permissions(dir / ".b.ndk", fs::perms{0600});
    const mode_t former = ::umask(022);

    replace_by(dir / "a", "new");
    replace_by(dir / "b", "new");

    ::umask(former);
    CHECK(mode_of(dir / "a") == 0644);
    CHECK(mode_of(dir / "b") == 0644);
    CHECK(dir.files() == 2);
}

TEST_CASE("the superuser keeps the owner of what is replaced", "[bytes][replace]") {
    if (::geteuid() != 0)
        return;
    const temp_dir dir;
    write_text(dir / "t", "old");
    REQUIRE(::chown((dir / "t").c_str(), 12345, 54321) == 0);

    replace_by(dir / "t", "new");

    const auto status = file::open(dir / "t").status();
    CHECK(status.st_uid == 12345);
    CHECK(status.st_gid == 54321);
}

// Names --------------------------------------------------------------------------------------------------------------

TEST_CASE("names of 255 bytes are replaced, and locked by a hash", "[bytes][replace]") {
    const temp_dir dir;
    for (const std::size_t length : {249U, 250U, 251U, 255U}) {
        CAPTURE(length);
        const auto path = dir / std::string(length, 'n');

        replace_by(path, "new");
        replace_by(path, "newer");

        CHECK(read_text(path) == "newer");
        CHECK(detail::beside(path).filename().string().size() <= 255);
        CHECK(detail::beside(path).filename().string().front() == '.');
    }
    CHECK(detail::beside(std::string(254, 'n') + 'a') != detail::beside(std::string(254, 'n') + 'b'));
    CHECK(dir.files() == 4);
}

TEST_CASE("a path without a directory is replaced where the program is", "[bytes][replace]") {
    const temp_dir dir;
    const auto former = fs::current_path();
    fs::current_path(dir.path());

    replacement next("t");
    next.content().write(0, bytes_of("new"));
    next.commit(durability::on_disk);

    fs::current_path(former);
    CHECK(read_text(dir / "t") == "new");
}

TEST_CASE("directories, pipes and devices are not replaced", "[bytes][replace][error]") {
    const temp_dir dir;
    fs::create_directory(dir / "directory");
    REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
    fs::create_symlink("/dev/null", dir / "device");

    CHECK(thrown<io_error>([&] { replace_by(dir / "directory", "x"); }).code() == std::errc::is_a_directory);
    CHECK(thrown<io_error>([&] { replace_by(dir / "directory/", "x"); }).code() == std::errc::is_a_directory);
    CHECK(thrown<io_error>([&] { replace_by(dir / "pipe", "x"); }).file() == dir / "pipe");
    CHECK_THROWS_AS(replace_by("", "x"), io_error);
    CHECK(thrown<io_error>([&] { replace_by(dir / "device", "x"); }).file() == "/dev/null");
    CHECK(dir.files() == 3);
}

TEST_CASE("a directory that is not there or may not be written is an error that names the file",
          "[bytes][replace][error]") {
    const temp_dir dir;

    const auto none = thrown<io_error>([&] { replace_by(dir / "none" / "t", "x"); });
    CHECK(none.file() == dir / "none" / "t");
    CHECK(none.code() == std::errc::no_such_file_or_directory);

    if (::geteuid() == 0)
        return;  // root is never denied
    fs::create_directory(dir / "locked");
    write_text(dir / "locked" / "t", "old");
    fs::permissions(dir / "locked", fs::perms::owner_read | fs::perms::owner_exec);
    const auto forbidden = thrown<io_error>([&] { replace_by(dir / "locked" / "t", "x"); });
    fs::permissions(dir / "locked", fs::perms::owner_all);
    CHECK(forbidden.file() == dir / "locked" / "t");
    CHECK(forbidden.code() == std::errc::permission_denied);
    CHECK(read_text(dir / "locked" / "t") == "old");
}

TEST_CASE("a directory without write permission is an error for the superuser's child too", "[bytes][replace][error]") {
    if (::geteuid() != 0)
        return;
    const temp_dir dir;
    fs::create_directory(dir / "locked");
    write_text(dir / "locked" / "t", "old");
    fs::permissions(dir.path(), fs::perms{0755});
    fs::permissions(dir / "locked", fs::perms{0555});

    const auto end = faults::in_child([&]() -> std::string {
        if (::setgid(65534) != 0 || ::setuid(65534) != 0)
            return "still the superuser";
        const auto e = thrown<io_error>([&] { replace_by(dir / "locked" / "t", "x"); });
        return e.file() == dir / "locked" / "t" && e.code() == std::errc::permission_denied ? "" : e.what();
    });

    CHECK(end.said == "");
    CHECK(read_text(dir / "locked" / "t") == "old");
}

// The temporary name is taken ----------------------------------------------------------------------------------------

TEST_CASE("a lock that cannot be had is an error that says why, and nothing is written", "[bytes][replace][error]") {
    const temp_dir dir;
    write_text(dir / "t", "old");
    write_text(dir / "precious", "kept");
    const auto lock = dir / ".t.ndk";
    std::string what;
    SECTION("a directory") {
        fs::create_directory(lock);
        write_text(lock / "kept", "kept");
        what = "a directory of user ";
    }
    SECTION("a link to a file") {
        fs::create_symlink("precious", lock);
        what = "a symbolic link of user ";
    }
    SECTION("a link to nothing") {
        fs::create_symlink("nowhere", lock);
        what = "a symbolic link of user ";
    }
    SECTION("a pipe") {
        REQUIRE(::mkfifo(lock.c_str(), 0600) == 0);
        what = "a pipe of user ";
    }
    const auto files = dir.files();

    for (const bool only_lock : {true, false}) {
        const auto e = thrown<io_error>([&] {
            if (only_lock)
                (void)writer_lock(dir / "t");
            else
                replace_by(dir / "t", "new");
        });
        CHECK(e.file() == dir / "t");
        CHECK(e.found().starts_with("cannot lock: '.t.ndk' is " + what + std::to_string(::geteuid())));
    }

    CHECK(read_text(dir / "t") == "old");
    CHECK(read_text(dir / "precious") == "kept");
    CHECK_FALSE(fs::exists(dir / "nowhere"));
    CHECK((!fs::is_directory(lock) || read_text(lock / "kept") == "kept"));
    CHECK(dir.files() == files);
}

TEST_CASE("a file system that cannot lock is an error, and nothing is written", "[bytes][replace][error]") {
    const temp_dir dir;
    write_text(dir / "t", "old");
    const auto refused = [&] {
        const faults::session armed({.what = faults::effect::fail, .code = ENOLCK, .counted = faults::kind::locks});
        replace_by(dir / "t", "new");
    };

    CHECK(thrown<io_error>(refused).code() == std::errc::no_lock_available);
    write_text(dir / ".t.ndk", "left");
    CHECK(thrown<io_error>(refused).code() == std::errc::no_lock_available);

    CHECK(read_text(dir / "t") == "old");
    CHECK(dir.files() == 2);
}

TEST_CASE("a name that was lost meanwhile is neither renamed nor removed", "[bytes][replace][error]") {
    const temp_dir dir;
    write_text(dir / "t", "old");
    for (const bool taken : {false, true}) {
        replacement next(dir / "t");
        next.content().write(0, bytes_of("new"));
        fs::remove(dir / ".t.ndk");
        if (taken)
            write_text(dir / ".t.ndk", "half of");

        CHECK(thrown<io_error>([&] { next.commit(durability::when_convenient); }).file() == dir / "t");
        CHECK(thrown<io_error>([&] { next.commit_new(durability::when_convenient); }).file() == dir / "t");
        CHECK(read_text(dir / "t") == "old");
        CHECK(fs::exists(dir / ".t.ndk") == taken);
    }
    CHECK(read_text(dir / ".t.ndk") == "half of");
}

TEST_CASE("another user's file under the temporary name is left alone", "[bytes][replace]") {
    if (::geteuid() != 0)
        return;
    const temp_dir dir;
    write_text(dir / ".t.ndk", "theirs");
    REQUIRE(::chown((dir / ".t.ndk").c_str(), 12345, 12345) == 0);
    write_text(dir / ".t.ndk.0", "left by a killed writer");
    write_text(dir / ".t.0.ndk", "the lock of t.0");

    replace_by(dir / "t", "new");
    replace_by(dir / "t", "newer");

    CHECK(read_text(dir / "t") == "newer");
    CHECK(read_text(dir / ".t.ndk") == "theirs");
    CHECK(read_text(dir / ".t.0.ndk") == "the lock of t.0");
    CHECK(dir.files() == 3);
}

TEST_CASE("another user's second name of the target is removed", "[bytes][replace]") {
    if (::geteuid() != 0)
        return;
    const temp_dir dir;
    write_text(dir / "t", "old");
    REQUIRE(::chown((dir / "t").c_str(), 12345, 12345) == 0);
    fs::create_hard_link(dir / "t", dir / ".t.ndk");

    replace_by(dir / "t", "new");

    CHECK(read_text(dir / "t") == "new");
    CHECK(dir.files() == 1);
}

TEST_CASE("what a killed writer left is taken over", "[bytes][replace]") {
    const temp_dir dir;
    write_text(dir / ".t.ndk", "a longer text than the new one");

    replace_by(dir / "t", "new");

    CHECK(read_text(dir / "t") == "new");
    CHECK(dir.files() == 1);
}

// Waiting for each other ---------------------------------------------------------------------------------------------

TEST_CASE("writers of one name wait for each other", "[bytes][replace]") {
    const temp_dir dir;
    std::optional<writer_lock> first(std::in_place, dir / "t");

    auto second = std::async(std::launch::async, [&] { replace_by(dir / "t", "second"); });
    CHECK(second.wait_for(std::chrono::milliseconds(50)) == std::future_status::timeout);
    {
        replacement next(std::move(*first));
        next.content().write(0, bytes_of("first"));
        const auto still_locked = next.commit(durability::when_convenient);
        CHECK(read_text(dir / "t") == "first");
    }
    second.get();

    CHECK(read_text(dir / "t") == "second");
    CHECK(dir.files() == 1);
}

TEST_CASE("a writer of another name does not wait", "[bytes][replace]") {
    const temp_dir dir;
    const writer_lock first(dir / "t");

    replace_by(dir / "u", "new");

    CHECK(read_text(dir / "u") == "new");
}

TEST_CASE("increments by many writers are all there", "[bytes][replace]") {
    const temp_dir dir;
    write_text(dir / "t", "");
    const auto add = [&] {
        for (int i = 0; i < 25; ++i) {
            writer_lock lock(dir / "t");
            const auto former = read_text(dir / "t");
            replacement next(std::move(lock));
            next.content().write(0, bytes_of(former + '1'));
            next.commit(durability::when_convenient);
        }
    };
    std::vector<std::thread> writers;
    for (int i = 0; i < 4; ++i)
        writers.emplace_back(add);
    for (auto& writer : writers)
        writer.join();

    CHECK(read_text(dir / "t") == std::string(100, '1'));
    CHECK(dir.files() == 1);
}

TEST_CASE("a killed holder of the lock lets the next one in", "[bytes][replace]") {
    const temp_dir dir;

    const auto end = faults::in_child([&]() -> std::string {
        const writer_lock held(dir / "t");
        faults::session::die();
    });
    REQUIRE(end.killed);
    CHECK(dir.files() == 1);

    replace_by(dir / "t", "new");
    CHECK(read_text(dir / "t") == "new");
    CHECK(dir.files() == 1);
}

TEST_CASE("a directory sync that the file system does not have is no error", "[bytes][replace]") {
    const temp_dir dir;

    const faults::session unable({.what = faults::effect::fail, .code = EINVAL});
    CHECK_NOTHROW(sync_directory(dir.path()));
    const faults::session broken({.what = faults::effect::fail, .code = EIO});
    CHECK_THROWS_AS(sync_directory(dir.path()), io_error);
}

TEST_CASE("remove_file takes a file away, and none calmly", "[bytes][replace]") {
    const temp_dir dir;
    write_text(dir / "t", "x");

    remove_file(dir / "t");
    remove_file(dir / "t");

    CHECK(dir.files() == 0);
    fs::create_directory(dir / "d");
    CHECK(thrown<io_error>([&] { remove_file(dir / "d"); }).file() == dir / "d");
}

}  // namespace bytes_replace_tests
