// SPDX-License-Identifier: BSD-3-Clause
// Metadata of a database's arrays, and what becomes of their sidecars.
#include "database/foreign.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/database.hpp>
#include <ndkeep/npy.hpp>

#include <cstdint>
#include <limits>
#include <string>

namespace database_metadata_tests {

namespace nk = ndkeep;
namespace fs = std::filesystem;

namespace {

/// A database with an array A of three numbers, whose sidecar has everything.
class described_lab {
  public:
    described_lab() {
        fs::create_directory(path());
        nk::save(file(), xt::xtensor<double, 1>{1, 2, 3},
                 {.meta = {{"units", "kelvin"}}, .sum = nk::checksum::crc32, .statistics = true});
    }
    [[nodiscard]] fs::path path() const { return dir_ / "lab"; }
    [[nodiscard]] fs::path file() const { return path() / "A.npy"; }
    [[nodiscard]] fs::path sidecar() const { return path() / "A.npy.json"; }
    [[nodiscard]] nk::stored_description description() const { return nk::description_of(file()).value(); }

  private:
    temp_dir dir_;
};

}  // namespace

TEST_CASE("metadata is in the sidecar after the commit, not before", "[database][metadata]") {
    const temp_dir dir;
    nk::database lab(dir / "lab");
    (void)lab.create<double>("B", {3});
    (void)lab.commit();

    lab.metadata("B")["units"] = "kelvin";
    CHECK_FALSE(fs::exists(dir / "lab/B.npy.json"));
    (void)lab.commit();

    CHECK(nk::description_of(dir / "lab/B.npy").value().metadata == nk::json{{"units", "kelvin"}});
    CHECK_NOTHROW(nk::verify(dir / "lab/B.npy"));
}

TEST_CASE("an abort takes changed metadata back, and the reference stays valid", "[database][metadata]") {
    const described_lab made;
    nk::database lab(made.path());
    auto& metadata = lab.metadata("A");
    metadata["units"] = "celsius";

    lab.abort();

    CHECK(metadata == nk::json{{"units", "kelvin"}});
    CHECK(&lab.metadata("A") == &metadata);
}

TEST_CASE("changed data drops sums and statistics, and keeps metadata", "[database][metadata]") {
    const described_lab made;
    nk::database lab(made.path());
    auto a = lab.open<double, 1>("A");
    const auto change = GENERATE(0, 1, 2);
    if (change == 0)
        a(0) = 7;
    else if (change == 1)
        a.append(xt::xtensor<double, 1>{4});
    else
        a.resize({2});
    (void)lab.commit();

    CHECK(made.description().metadata == nk::json{{"units", "kelvin"}});
    CHECK(made.description().sums.empty());
    CHECK_FALSE(made.description().statistics);
    CHECK(made.description().shape == std::vector<std::size_t>{a.size()});
    // After `resize`, the removed row is still behind the data.
    if (change != 2)
        CHECK_NOTHROW(nk::verify(made.file()));
}

TEST_CASE("changed metadata alone keeps sums and statistics", "[database][metadata]") {
    const described_lab made;
    nk::database lab(made.path());
    lab.metadata("A")["site"] = 4;
    (void)lab.commit();

    CHECK(made.description().metadata == nk::json{{"units", "kelvin"}, {"site", 4}});
    CHECK(made.description().sums.size() == 1);
    CHECK(made.description().statistics->count == 3);
    CHECK_NOTHROW(nk::verify(made.file()));
}

TEST_CASE("a commit without changes leaves the sidecar as it is", "[database][metadata]") {
    const described_lab made;
    const auto before = read_text(made.sidecar());
    nk::database lab(made.path());
    (void)lab.open<double, 1>("A");
    (void)lab.metadata("A");
    (void)lab.commit();
    lab.close();

    CHECK((read_text(made.sidecar()) == before));
}

TEST_CASE("what another program describes between two commits is dropped or kept like the rest",
          "[database][metadata]") {
    const described_lab made;
    const temp_dir dir;
    nk::database lab(made.path());
    auto a = lab.open<double, 1>("A");
    a(0) = 7;
    (void)lab.metadata("A");
    (void)lab.commit();
    foreign::put(dir / "A.npy", a, {.meta = {{"units", "rankine"}}, .statistics = true});
    fs::rename(dir / "A.npy.json", made.sidecar());
    a(0) = 8;
    (void)lab.commit();

    CHECK(made.description().metadata == nk::json{{"units", "rankine"}});
    CHECK_FALSE(made.description().statistics);
    CHECK_NOTHROW(nk::verify(made.file()));
}

TEST_CASE("a file of another program under the sidecar's name is kept", "[database][metadata]") {
    const temp_dir dir;
    nk::database lab(dir / "lab");
    foreign::put(dir / "lab/A.npy", xt::xtensor<double, 1>{1, 2, 3});
    write_text(dir / "lab/A.npy.json", "{\"mine\": 1}");
    auto a = lab.open<double, 1>("A");
    a(0) = 7;
    (void)lab.commit();
    CHECK(read_text(dir / "lab/A.npy.json") == "{\"mine\": 1}");
    CHECK(lab.metadata("A").empty());

    lab.metadata("A")["x"] = 1;
    a(1) = 8;
    CHECK(thrown<nk::conflict_error>([&] { (void)lab.commit(); }).file() == dir / "lab/A.npy.json");
    CHECK((nk::load<double, 1>(dir / "lab/A.npy") == xt::xtensor<double, 1>{7, 2, 3}));
    lab.metadata("A").clear();
    (void)lab.commit();
    lab.remove("A");
    (void)lab.commit();

    CHECK(read_text(dir / "lab/A.npy.json") == "{\"mine\": 1}");
    CHECK_FALSE(fs::exists(dir / "lab/A.npy"));
}

TEST_CASE("a removed array takes its sidecar with it, and a new one of the name has no metadata",
          "[database][metadata]") {
    const described_lab made;
    nk::database lab(made.path());
    SECTION("remove") {
        lab.remove("A");
        CHECK(fs::exists(made.sidecar()));
        (void)lab.commit();
        CHECK_FALSE(fs::exists(made.sidecar()));
    }
    SECTION("remove and create") {
        lab.remove("A");
        (void)lab.create<double>("A", {3});
        CHECK(lab.metadata("A").empty());
        (void)lab.commit();
        CHECK_FALSE(fs::exists(made.sidecar()));
    }
}

TEST_CASE("metadata that no sidecar can hold is refused, and nothing else is committed", "[database][metadata]") {
    const described_lab made;
    nk::database lab(made.path());
    auto a = lab.open<double, 1>("A");
    auto b = lab.create<double>("B", {2});
    a.resize({2});
    lab.metadata("A") = 5;
    CHECK_THROWS_AS(lab.commit(), nk::mismatch_error);
    CHECK_FALSE(fs::exists(made.path() / "B.npy"));

    // The commit had prepared the header of two rows.
    a.resize({3});
    lab.metadata("A") = {{"site", 1}};
    (void)lab.commit();

    CHECK((nk::load<double, 1>(made.file()) == xt::xtensor<double, 1>{1, 2, 0}));
    CHECK(made.description().metadata == nk::json{{"site", 1}});
    CHECK(fs::exists(made.path() / "B.npy"));
}

TEST_CASE("metadata is found if the program goes to another directory", "[database][metadata]") {
    const described_lab made;
    const in_directory former(made.path().parent_path());
    nk::database lab("lab");
    const in_directory elsewhere("/");

    CHECK(lab.metadata("A") == nk::json{{"units", "kelvin"}});
    lab.open<double, 1>("A")(0) = 9;
    (void)lab.commit();

    CHECK(made.description().metadata == nk::json{{"units", "kelvin"}});
    CHECK(made.description().sums.empty());
}

TEST_CASE("the metadata of an array that does not exist is an error", "[database][metadata]") {
    const temp_dir dir;
    nk::database lab(dir / "lab");

    CHECK(thrown<nk::io_error>([&] { (void)lab.metadata("A"); }).file() == dir / "lab/A.npy");
}

}  // namespace database_metadata_tests
