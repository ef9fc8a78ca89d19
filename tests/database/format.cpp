// SPDX-License-Identifier: BSD-3-Clause
// The files of a database are those that include/ndkeep/database/README.md describes.
#include "support/catch.hpp"
#include "support/python.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/database.hpp>

#include <cstring>
#include <span>

#include <unistd.h>

namespace database_format_tests {

using namespace ndkeep;

namespace {

namespace fs = std::filesystem;

/// Reads what a page of a format says, number by number.
class byte_reader {
  public:
    explicit byte_reader(std::string bytes) : bytes_(std::move(bytes)) {}

    void go_to(std::size_t at) { at_ = at; }
    [[nodiscard]] std::size_t at() const { return at_; }
    [[nodiscard]] std::string bytes(std::size_t count) {
        REQUIRE(count <= bytes_.size() - at_);
        at_ += count;
        return bytes_.substr(at_ - count, count);
    }
    [[nodiscard]] std::uint64_t number(std::size_t length = 8) {
        std::uint64_t value = 0;
        const auto digits = bytes(length);
        for (std::size_t i = 0; i < length; ++i)
            value |= std::uint64_t{static_cast<unsigned char>(digits[i])} << 8 * i;
        return value;
    }
    [[nodiscard]] std::string text() { return bytes(static_cast<std::size_t>(number())); }

  private:
    std::string bytes_;
    std::size_t at_ = 0;
};

[[nodiscard]] std::uint32_t sum_of(const std::string& bytes) {
    return crc32c(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

/// The blocks of a kind in the page of the format, in one text.
[[nodiscard]] std::string blocks_of_page(const std::string& kind) {
    const auto page = read_text(fs::path(NDKEEP_SOURCE_DIR) / "include/ndkeep/database/README.md");
    const std::string begin = "\n```" + kind + '\n', end = "\n```\n";
    std::string blocks;
    for (auto at = page.find(begin); at != std::string::npos; at = page.find(begin, at)) {
        at += begin.size();
        blocks += page.substr(at, page.find(end, at) + 1 - at);
    }
    return blocks;
}

}  // namespace

TEST_CASE("the log has the bytes that the page of the format describes", "[database]") {
    const temp_dir dir;
    database lab(dir / "lab");
    auto a = lab.create<std::int64_t>("A", {10});
    lab.metadata("A")["units"] = "m";
    a(7) = 22;
    lab.commit();
    a.append(std::vector<std::int64_t>{1, 2});
    lab.commit();

    byte_reader log(read_text(dir / "lab/.ndkeep/log-0000000000000001"));
    CHECK(log.bytes(8) == "NDKDLOG1");
    const auto salt = log.bytes(8);
    CHECK(log.number() == 1);
    log.go_to(0);
    const auto begin = log.bytes(24);
    CHECK(log.number(4) == sum_of(begin));
    CHECK(log.bytes(512 - 28) == std::string(512 - 28, '\0'));

    for (const std::uint64_t commit : {std::uint64_t{1}, std::uint64_t{2}}) {
        INFO(commit);
        const auto start = log.at();
        CHECK(log.bytes(8) == "NKDDREC1");
        CHECK(log.number() == commit);
        const auto table_size = static_cast<std::size_t>(log.number()),
                   payload_size = static_cast<std::size_t>(log.number());
        const auto sum_of_table = log.number(4), sum_of_payload = log.number(4);
        log.go_to(start);
        const auto header = log.bytes(40);
        CHECK(log.number(4) == sum_of(salt + header));
        CHECK(sum_of_table == sum_of(salt + log.bytes(table_size)));
        const auto payload = log.bytes(payload_size);
        CHECK(sum_of_payload == sum_of(salt + payload));
        const auto end = log.at();

        log.go_to(start + 44);
        CHECK(log.number() == commit);
        REQUIRE(log.number() == 1);  // arrays
        CHECK(log.text() == "A");
        struct stat status = {};
        REQUIRE(::stat((dir / "lab/A.npy").c_str(), &status) == 0);
        CHECK(log.number() == status.st_ino);
        CHECK(log.number() == 2);  // the sidecar changes
        CHECK(log.text().starts_with("new-") == (commit == 1));
        const std::uint64_t data_end = 4096 + 8 * (commit == 1 ? 10 : 12);
        CHECK(log.number() == data_end);
        CHECK(log.number() == 4096 + 8 * 10);  // the tail
        CHECK(log.number() == data_end);
        CHECK(log.number() == (commit == 1 ? 0 : sum_of(std::string("\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0", 16))));
        CHECK(log.text().find("\"units\": \"m\"") != std::string::npos);
        std::uint64_t images = 0;
        for (auto left = log.number(); left != 0; --left) {
            const auto first = log.number(), last = log.number();
            CHECK(first % 4096 == 0);
            images += last - first;
        }
        CHECK(images == payload_size);
        CHECK(log.number() == 0);  // documents
        CHECK(log.at() == start + 44 + table_size);
        CHECK(payload.starts_with("\x93NUMPY"));
        log.go_to((end + 511) / 512 * 512);
    }
}

TEST_CASE("the control file has the numbers that the page of the format describes", "[database]") {
    const temp_dir dir;
    database lab(dir / "lab");
    auto a = lab.create<std::int64_t>("A", {10});
    lab.commit();
    const database_snapshot reader(dir / "lab");
    a(0) = 1;
    lab.commit();

    const auto bytes = read_text(dir / "lab/.ndkeep/control");
    CHECK(bytes.size() == 65536);
    byte_reader control(bytes);
    CHECK(control.bytes(8) == std::string("NDKDB1\0\0", 8));
    control.go_to(16);
    struct stat status = {};
    REQUIRE(::stat((dir / "lab/.ndkeep/control").c_str(), &status) == 0);
    CHECK(control.number() == status.st_ino);
    CHECK(control.number() == 2);  // committed
    CHECK(control.number() == 1);  // applying
    CHECK(control.number() == 1);  // applied
    CHECK(control.number() == 0);  // committing
    CHECK(control.number() == static_cast<std::uint64_t>(::getpid()));
    control.go_to(4096);
    CHECK(control.number() == 2);  // the reader of slot 0 holds commit 1
    CHECK(control.number() == 0);
}

TEST_CASE("the page's Python reads arrays of one commit, and waits for the writer", "[database]") {
    const temp_dir dir;
    const auto script = blocks_of_page("python");
    REQUIRE(script.find("np.load") != std::string::npos);
    database lab(dir / "lab");
    for (const char* const name : {"A", "B"}) {
        auto array = lab.create<std::int64_t>(name, {10});
        array = xt::arange<std::int64_t>(10);
    }
    lab.commit();

    check_in_python(
        dir,
        "import fcntl\ntry:\n    fcntl.lockf(open('lab/.ndkeep/lock', 'r+b'), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 0)\n"
        "    locked = True\nexcept OSError:\n    locked = False\nassert not locked\n");
    lab.close();
    check_in_python(dir, script + "assert (a == np.arange(10)).all() and (b == a).all()\n");
}

}  // namespace database_format_tests
