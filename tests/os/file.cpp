// SPDX-License-Identifier: BSD-3-Clause
#include "support/sanitized.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/os/file.hpp>

#include <array>
#include <cstring>

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace bytes_file_tests {

using namespace ndkeep;

namespace {

namespace fs = std::filesystem;

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string text_of(const file& source, std::uint64_t offset, std::size_t length) {
    std::string text(length, '\0');
    source.read(offset, std::as_writable_bytes(std::span(text)));
    return text;
}

std::size_t open_descriptors() {
    const fs::directory_iterator entries("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

}  // namespace

TEST_CASE("what is written at an offset is read there", "[bytes][file]") {
    const temp_dir dir;
    auto made = file::create_exclusive(dir / "a");
    REQUIRE(made);

    made->write(0, bytes_of("0123456789"));
    made->write(4, bytes_of("efgh"));

    CHECK(text_of(*made, 0, 10) == "0123efgh89");
    CHECK(text_of(*made, 7, 3) == "h89");
    CHECK(made->size() == 10);
    CHECK(read_text(dir / "a") == "0123efgh89");
}

TEST_CASE("a write far behind the end leaves zeros between", "[bytes][file]") {
    const temp_dir dir;
    auto made = file::create_exclusive(dir / "a");
    REQUIRE(made);

    made->write(std::uint64_t{5} << 30, bytes_of("x"));

    CHECK(made->size() == (std::uint64_t{5} << 30) + 1);
    CHECK(text_of(*made, (std::uint64_t{5} << 30) - 1, 2) == std::string("\0x", 2));
}

TEST_CASE("reading behind the end is an error that says how much is missing", "[bytes][file][error]") {
    const temp_dir dir;
    write_text(dir / "a", "0123456789");
    const auto opened = file::open(dir / "a");

    const auto e = thrown<format_error>([&] { (void)text_of(opened, 8, 4); });

    CHECK(e.file() == dir / "a");
    CHECK(e.expected() == "at least 12 bytes");
    CHECK(e.found() == "10 bytes");
}

TEST_CASE("read_some reads what is there", "[bytes][file]") {
    const temp_dir dir;
    write_text(dir / "a", "0123456789");
    const auto opened = file::open(dir / "a");
    std::array<std::byte, 4> out = {};

    CHECK(opened.read_some(0, out) == 4);
    CHECK(opened.read_some(8, out) == 2);
    CHECK(opened.read_some(10, out) == 0);
    CHECK(opened.read_some(1000, out) == 0);
}

TEST_CASE("a file that is not there is an error with its code", "[bytes][file][error]") {
    const temp_dir dir;

    const auto e = thrown<io_error>([&] { (void)file::open(dir / "none"); });

    CHECK(e.file() == dir / "none");
    CHECK(e.code() == std::errc::no_such_file_or_directory);
}

TEST_CASE("directories, pipes, sockets and devices are refused at once", "[bytes][file][error]") {
    const temp_dir dir;
    fs::create_directory(dir / "directory");
    REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    const auto path = (dir / "socket").string();
    REQUIRE(path.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);

    CHECK(thrown<io_error>([&] { (void)file::open(dir / "directory"); }).code() == std::errc::is_a_directory);
    CHECK(thrown<io_error>([&] { (void)file::open(dir / "pipe"); }).file() == dir / "pipe");
    CHECK_THROWS_AS((void)file::open(dir / "pipe", file::access::read_write), io_error);
    CHECK_THROWS_AS((void)file::open(dir / "socket"), io_error);
    CHECK_THROWS_AS((void)file::open("/dev/null"), io_error);
    CHECK_THROWS_AS((void)file::open("/dev/zero", file::access::read_write), io_error);
    ::close(socket);
}

TEST_CASE("an exclusive creation takes no name that is there, not even a dangling link", "[bytes][file]") {
    const temp_dir dir;
    write_text(dir / "file", "kept");
    fs::create_directory(dir / "directory");
    fs::create_symlink("nowhere", dir / "link");

    CHECK_FALSE(file::create_exclusive(dir / "file"));
    CHECK_FALSE(file::create_exclusive(dir / "directory"));
    CHECK_FALSE(file::create_exclusive(dir / "link"));
    CHECK(read_text(dir / "file") == "kept");
    CHECK_FALSE(fs::exists(dir / "nowhere"));
}

TEST_CASE("a new file has the mode of the umask", "[bytes][file]") {
    const temp_dir dir;
    const mode_t former = ::umask(027);

    const auto made = file::create_exclusive(dir / "a");

    ::umask(former);
    REQUIRE(made);
    CHECK((made->status().st_mode & 07777) == 0640);
}

TEST_CASE("a file open for reading cannot be written", "[bytes][file][error]") {
    const temp_dir dir;
    write_text(dir / "a", "kept");
    auto opened = file::open(dir / "a");

    const auto e = thrown<io_error>([&] { opened.write(0, bytes_of("lost")); });

    CHECK(e.file() == dir / "a");
    CHECK(read_text(dir / "a") == "kept");
}

TEST_CASE("resize cuts, and extends by zeros", "[bytes][file]") {
    const temp_dir dir;
    write_text(dir / "a", "0123456789");
    auto opened = file::open(dir / "a", file::access::read_write);

    opened.resize(4);
    opened.resize(6);

    CHECK(read_text(dir / "a") == std::string("0123\0\0", 6));
}

TEST_CASE("reserve takes room and changes no byte", "[bytes][file]") {
    const temp_dir dir;
    write_text(dir / "a", "0123");
    auto opened = file::open(dir / "a", file::access::read_write);

    if (opened.reserve(1 << 20)) {
        CHECK(opened.status().st_blocks * 512 >= (1 << 20));
        CHECK(opened.size() == 1 << 20);
    }
    CHECK(text_of(opened, 0, 4) == "0123");
    CHECK(opened.reserve(0));
}

TEST_CASE("reserve of more than there is is an error, and names the file", "[bytes][file][error]") {
    const temp_dir dir;
    auto made = file::create_exclusive(dir / "a");
    REQUIRE(made);

    const auto e = thrown<io_error>([&] { (void)made->reserve(std::uint64_t{1} << 62); });

    CHECK(e.file() == dir / "a");
}

TEST_CASE("errors name the file as it is called", "[bytes][file][error]") {
    const temp_dir dir;
    write_text(dir / "a", "0123");
    auto opened = file::open(dir / "a");

    opened.call("what people know");

    CHECK(thrown<io_error>([&] { opened.write(0, bytes_of("x")); }).file() == "what people know");
}

TEST_CASE("a file moved from holds nothing, one moved to is closed before", "[bytes][file]") {
    const temp_dir dir;
    write_text(dir / "a", "a");
    write_text(dir / "b", "b");
    const auto before = open_descriptors();
    {
        auto a = file::open(dir / "a");
        auto b = file::open(dir / "b");

        a = std::move(b);

        CHECK(open_descriptors() == before + 1);
        CHECK_FALSE(b.is_open());
        CHECK(text_of(a, 0, 1) == "b");
        CHECK(a.path() == dir / "b");
    }
    CHECK(open_descriptors() == before);
}

TEST_CASE("thousands of opens, good and bad, leak no descriptor", "[bytes][file]") {
    const temp_dir dir;
    write_text(dir / "a", "0123456789");
    fs::create_directory(dir / "directory");
    const auto before = open_descriptors();

    for (int i = 0; i < 1100; ++i) {
        (void)file::open(dir / "a").size();
        CHECK_THROWS_AS((void)file::open(dir / "directory"), io_error);
        CHECK_THROWS_AS((void)file::open(dir / "none"), io_error);
        file::open(dir / "a").settle();
        sync_directory(dir.path());
    }

    CHECK(open_descriptors() == before);
}

TEST_CASE("descriptors are not handed to other programs", "[bytes][file]") {
    const temp_dir dir;
    write_text(dir / "a", "0123456789");
    const auto opened = file::open(dir / "a");
    const auto made = file::create_exclusive(dir / "b");

    CHECK((::fcntl(opened.descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((::fcntl(made->descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("no more descriptors is an error, not a crash", "[bytes][file][error]") {
    if (is_sanitized)
        return;  // sanitizers need descriptors themselves, to look at an exception
    const temp_dir dir;
    write_text(dir / "a", "0123456789");
    rlimit former = {};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &former) == 0);
    const rlimit none{0, former.rlim_max};

    ::setrlimit(RLIMIT_NOFILE, &none);
    std::optional<io_error> problem;
    try {
        (void)file::open(dir / "a");
    } catch (const io_error& e) {
        problem = e;
    }
    ::setrlimit(RLIMIT_NOFILE, &former);

    REQUIRE(problem);
    CHECK(problem->code() == std::errc::too_many_files_open);
    CHECK(problem->file() == dir / "a");
}

TEST_CASE("the stamp changes with content and length", "[bytes][file]") {
    const temp_dir dir;
    write_text(dir / "a", "0123");
    const auto opened = file::open(dir / "a", file::access::read_write);
    const auto first = opened.stamp();

    fs::last_write_time(dir / "a", fs::last_write_time(dir / "a") + std::chrono::nanoseconds(1000));
    const auto second = opened.stamp();

    CHECK(first.size == 4);
    CHECK(second.mtime_ns == first.mtime_ns + 1000);
    CHECK(first != second);
}

TEST_CASE("names_in lists all but the directory itself", "[bytes][file]") {
    const temp_dir dir;
    write_text(dir / "a", "");
    write_text(dir / ".hidden", "");
    fs::create_directory(dir / "inner");

    auto names = names_in(dir.path());
    std::sort(names.begin(), names.end());

    CHECK(names == std::vector<std::string>{".hidden", "a", "inner"});
    CHECK(thrown<io_error>([&] { (void)names_in(dir / "none"); }).file() == dir / "none");
}

}  // namespace bytes_file_tests
