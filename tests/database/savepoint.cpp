// SPDX-License-Identifier: BSD-3-Clause
// Savepoints: back to a state within a transaction.
#include "database/foreign.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/database.hpp>
#include <ndkeep/npy.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace database_savepoint_tests {

namespace nk = ndkeep;
using names = std::vector<std::string>;

TEST_CASE("an abort to a savepoint keeps what was changed before it", "[database][savepoint]") {
    const temp_dir dir;
    nk::database lab(dir / "lab");
    auto a = lab.create<std::int64_t>("A", {10});
    (void)lab.commit();
    a(0) = 1;
    const auto mark = lab.savepoint();
    a(0) = 2;
    a(9) = 3;
    a.append(xt::xtensor<std::int64_t, 1>{4, 5});

    lab.abort(mark);

    CHECK(a.size() == 10);
    CHECK(a(0) == 1);
    CHECK(a(9) == 0);
    (void)lab.commit();
    CHECK((nk::load<std::int64_t, 1>(dir / "lab/A.npy") == xt::xtensor<std::int64_t, 1>{1, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
}

TEST_CASE("a savepoint can be used again, and those inside it end", "[database][savepoint]") {
    const temp_dir dir;
    nk::database lab(dir / "lab");
    auto a = lab.create<std::int64_t>("A", {1});
    const auto outer = lab.savepoint();
    a(0) = 1;
    const auto inner = lab.savepoint();
    a(0) = 2;

    lab.abort(inner);
    CHECK(a(0) == 1);
    lab.abort(outer);
    CHECK(a(0) == 0);
    const auto later = lab.savepoint();

    CHECK(thrown<nk::conflict_error>([&] { lab.abort(inner); }).field() == "savepoint");
    a(0) = 3;
    lab.abort(later);
    lab.abort(outer);
    CHECK(a(0) == 0);
}

TEST_CASE("a commit and an abort end every savepoint", "[database][savepoint]") {
    const temp_dir dir;
    nk::database lab(dir / "lab");
    auto a = lab.create<std::int64_t>("A", {1});
    const auto before_commit = lab.savepoint();
    (void)lab.commit();
    const auto before_abort = lab.savepoint();
    a(0) = 1;
    lab.abort();

    CHECK_THROWS_AS(lab.abort(before_commit), nk::conflict_error);
    CHECK_THROWS_AS(lab.abort(before_abort), nk::conflict_error);
    CHECK(a(0) == 0);
}

TEST_CASE("a savepoint of another database is refused", "[database][savepoint]") {
    const temp_dir dir;
    nk::database lab(dir / "lab"), other(dir / "other");
    auto a = other.create<std::int64_t>("A", {1});
    const auto mark = lab.savepoint();
    const auto own = other.savepoint();
    a(0) = 1;

    CHECK_THROWS_AS(other.abort(mark), nk::conflict_error);
    CHECK(a(0) == 1);
    other.abort(own);
    CHECK(a(0) == 0);
}

TEST_CASE("an abort to a savepoint takes back create and remove", "[database][savepoint]") {
    const temp_dir dir;
    nk::database lab(dir / "lab");
    auto a = lab.create<std::int64_t>("A", {3});
    (void)lab.commit();
    auto b = lab.create<std::int64_t>("B", {2});
    a(1) = 5;
    b(1) = 6;
    const auto mark = lab.savepoint();
    lab.remove("A");
    lab.remove("B");
    (void)lab.create<double>("A", {7});
    (void)lab.create<double>("C", {7});

    lab.abort(mark);

    CHECK(lab.names() == names{"A", "B"});
    a(2) = 7;
    (void)lab.commit();
    CHECK((nk::load<std::int64_t, 1>(dir / "lab/A.npy") == xt::xtensor<std::int64_t, 1>{0, 5, 7}));
    CHECK((nk::load<std::int64_t, 1>(dir / "lab/B.npy") == xt::xtensor<std::int64_t, 1>{0, 6}));
    CHECK_FALSE(std::filesystem::exists(dir / "lab/C.npy"));
}

TEST_CASE("an array that was opened after a savepoint goes back to the commit", "[database][savepoint]") {
    const temp_dir dir;
    nk::database lab(dir / "lab");
    foreign::put(dir / "lab/A.npy", xt::xtensor<double, 1>{1, 2}, {.meta = {{"units", "m"}}});
    const auto mark = lab.savepoint();
    auto a = lab.open<double, 1>("A");
    a(0) = 9;
    lab.metadata("A")["units"] = "km";
    lab.remove("A");

    lab.abort(mark);

    CHECK(lab.names() == names{"A"});
    CHECK((a == xt::xtensor<double, 1>{1, 2}));
    CHECK(lab.metadata("A") == nk::json{{"units", "m"}});
    a(1) = 3;
    (void)lab.commit();
    CHECK((nk::load<double, 1>(dir / "lab/A.npy") == xt::xtensor<double, 1>{1, 3}));
}

TEST_CASE("metadata goes back to a savepoint", "[database][savepoint]") {
    const temp_dir dir;
    nk::database lab(dir / "lab");
    (void)lab.create<std::int64_t>("A", {1});
    auto& metadata = lab.metadata("A");
    metadata["x"] = 1;
    const auto mark = lab.savepoint();
    metadata["x"] = 2;

    lab.abort(mark);

    CHECK(metadata["x"] == 1);
    (void)lab.commit();
    CHECK(nk::description_of(dir / "lab/A.npy").value().metadata == nk::json{{"x", 1}});
}

TEST_CASE("rows that are appended after an abort to a savepoint have a right sum in the log", "[database][savepoint]") {
    const temp_dir dir;
    nk::database lab(dir / "lab");
    auto a = lab.create<std::int64_t>("A", {1});
    (void)lab.commit();
    const auto mark = lab.savepoint();
    a.append(xt::xtensor<std::int64_t, 1>{1, 2});
    lab.abort(mark);
    const xt::xtensor<std::int64_t, 1> rows = {3, 4, 5};
    a.append(rows);
    (void)lab.commit();

    bool is_new = false;
    auto root = nk::directory::create(dir / "lab", is_new);
    const auto hidden = root.create_folder(".ndkeep", is_new);
    const auto chain = nk::detail::read_log(hidden, 1, nk::file::access::read);

    REQUIRE(chain.commits.size() == 1);
    CHECK(chain.commits[0].record.arrays.at(0).tail_sum == nk::crc32c(std::as_bytes(std::span(rows.data(), 3))));
}

}  // namespace database_savepoint_tests
