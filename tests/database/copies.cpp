// SPDX-License-Identifier: BSD-3-Clause
// A database whose files are older than its control file, as a power cut leaves it, and a copy.
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/database.hpp>
#include <ndkeep/npy.hpp>

namespace database_copies_tests {

using namespace ndkeep;

namespace {

namespace fs = std::filesystem;

/// A copy of a database with its log, in which the file of array A is the one before the last commit.
void copy_with_older_file(const temp_dir& dir) {
    database lab(dir / "lab");
    auto a = lab.create<std::int64_t>("A", {10});
    lab.commit();
    const auto before = read_text(dir / "lab/A.npy");
    a(7) = 22;
    lab.commit();
    fs::copy(dir / "lab", dir / "copy", fs::copy_options::recursive);
    write_text(dir / "copy/A.npy", before);
}

}  // namespace

TEST_CASE("the log of a copy is applied from the beginning", "[database]") {
    const temp_dir dir;
    copy_with_older_file(dir);

    database copy(dir / "copy");

    CHECK(copy.last_commit() == 2);
    CHECK(copy.open<std::int64_t, 1>("A")(7) == 22);
    CHECK(load<std::int64_t>(dir / "copy/A.npy")(7) == 22);
}

TEST_CASE("a snapshot of a copy applies its log first", "[database]") {
    const temp_dir dir;
    copy_with_older_file(dir);

    const database_snapshot now(dir / "copy");

    CHECK(now.commit() == 2);
    CHECK(now.map<std::int64_t, 1>("A")(7) == 22);
}

TEST_CASE("a writer that is refused does not vouch for the files of a copy", "[database]") {
    const temp_dir dir;
    copy_with_older_file(dir);
    auto log = read_text(dir / "copy/.ndkeep/log-0000000000000001");
    const auto sound = log;
    log[600] ^= 1;
    write_text(dir / "copy/.ndkeep/log-0000000000000001", log);
    CHECK_THROWS_AS(database(dir / "copy"), format_error);
    write_text(dir / "copy/.ndkeep/log-0000000000000001", sound);

    const database copy(dir / "copy");

    CHECK(load<std::int64_t>(dir / "copy/A.npy")(7) == 22);
}

}  // namespace database_copies_tests
