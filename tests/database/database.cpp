// SPDX-License-Identifier: BSD-3-Clause
// A database of one writer: names, create and remove, closing, forks, and files that other programs change.
#include "database/foreign.hpp"
#include "support/catch.hpp"
#include "support/faults.hpp"
#include "support/python.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/database.hpp>
#include <ndkeep/npy.hpp>
#include <ndkeep/os/mapping.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace database_tests {

struct reading {
    double время;
};
NDKEEP_FIELDS(reading, время);

namespace nk = ndkeep;
namespace fs = std::filesystem;

namespace {

using integers = xt::xtensor<std::int64_t, 1>;
using names = std::vector<std::string>;

/// A database with the committed array A = 1, 2, 3.
class small_lab {
  public:
    small_lab() {
        fs::create_directory(path());
        nk::save(file("A"), integers{1, 2, 3});
    }
    [[nodiscard]] fs::path path() const { return dir_ / "lab"; }
    [[nodiscard]] fs::path file(const std::string& name) const { return path() / (name + ".npy"); }
    [[nodiscard]] const temp_dir& dir() const { return dir_; }

  private:
    temp_dir dir_;
};

void make_older(const fs::path& file) { fs::last_write_time(file, fs::last_write_time(file) - std::chrono::hours(1)); }

}  // namespace

TEST_CASE("a created array has a file from the commit on", "[database]") {
    const temp_dir dir;
    nk::database lab(dir / "lab");
    (void)lab.create<double>("A", {3});
    CHECK(lab.names() == names{"A"});
    CHECK_FALSE(fs::exists(dir / "lab/A.npy"));

    CHECK(lab.commit() == 1);

    CHECK(fs::exists(dir / "lab/A.npy"));
    CHECK(lab.commit() == 1);
    CHECK(lab.last_commit() == 1);
}

TEST_CASE("a created array is gone after an abort, and its container keeps its elements", "[database]") {
    const temp_dir dir;
    nk::database lab(dir / "lab");
    auto a = lab.create<double>("A", {3});
    a(0) = 5;

    lab.abort();

    CHECK(lab.names().empty());
    CHECK(a(0) == 5);
    CHECK_THROWS_AS(a.append(xt::xtensor<double, 1>{1}), nk::mismatch_error);
    CHECK(lab.create<double>("A", {2})(0) == 0);
}

TEST_CASE("a name can be removed and created again in one transaction", "[database]") {
    const small_lab made;
    nk::database lab(made.path());
    const bool commits = GENERATE(false, true);
    auto old = lab.open<std::int64_t, 1>("A");
    lab.remove("A");
    CHECK_FALSE(lab.contains("A"));
    CHECK_THROWS_AS((void)(lab.open<std::int64_t>("A")), nk::io_error);
    auto next = lab.create<double>("A", {2, 2});
    next(1, 1) = 0.5;
    CHECK(lab.contains("A"));

    if (commits)
        (void)lab.commit();
    else
        lab.abort();

    CHECK((old == integers{1, 2, 3}));
    if (commits)
        CHECK((nk::load<double, 2>(made.file("A")) == xt::xtensor<double, 2>{{0, 0}, {0, 0.5}}));
    else
        CHECK((nk::load<std::int64_t, 1>(made.file("A")) == integers{1, 2, 3}));
}

TEST_CASE("names of arrays are names of visible files", "[database][error]") {
    const temp_dir dir;
    nk::database lab(dir / "lab");
    for (const std::string wrong : {"", ".", "..", ".a", "a/b", "/a", "../a"}) {
        CAPTURE(wrong);
        CHECK(thrown<nk::mismatch_error>([&] { (void)lab.create<double>(wrong, {1}); }).field() == "name of an array");
        CHECK_THROWS_AS((void)(lab.open<double>(wrong)), nk::mismatch_error);
    }
    CHECK_THROWS_AS((void)lab.create<double>(std::string("a\0b", 3), {1}), nk::mismatch_error);
    CHECK_THROWS_AS((void)lab.create<double>(std::string(241, 'n'), {1}), nk::mismatch_error);

    names all = {std::string(240, 'n'), "a b", "a.npy", "-", "\u00e4\u4e2d", "new\nline"};
    for (const auto& each : all) {
        (void)lab.create<double>(each, {1});
        lab.metadata(each)["x"] = 1;
    }
    (void)lab.commit();

    std::sort(all.begin(), all.end());
    CHECK(lab.names() == all);
    for (const auto& each : all)
        CHECK(nk::description_of(dir / "lab" / (each + ".npy")).value().metadata == nk::json{{"x", 1}});
}

TEST_CASE("a database is move-only, and its destructor drops what is not committed", "[database]") {
    static_assert(!std::is_copy_constructible_v<nk::database> && !std::is_copy_assignable_v<nk::database>);
    const small_lab made;
    auto first = nk::database(made.path());
    first.open<std::int64_t>("A")(0) = 9;
    nk::database second = std::move(first);
    CHECK(second.open<std::int64_t>("A")(0) == 9);
    second = nk::database(made.dir() / "other");

    CHECK((nk::load<std::int64_t, 1>(made.file("A")) == integers{1, 2, 3}));
    CHECK_NOTHROW(nk::database(made.path()));
}

TEST_CASE("a closed database refuses everything but a second close", "[database][error]") {
    const small_lab made;
    nk::database lab(made.path());
    const auto mark = lab.savepoint();
    lab.close();
    lab.close();

    for (const auto& act : std::vector<std::function<void()>>{
             [&] { (void)lab.commit(); }, [&] { lab.abort(); }, [&] { lab.abort(mark); }, [&] { (void)lab.names(); },
             [&] { (void)lab.open<std::int64_t>("A"); }, [&] { (void)lab.create<double>("B", {1}); },
             [&] { lab.remove("A"); }, [&] { (void)lab.metadata("A"); }, [&] { (void)lab.savepoint(); }})
        CHECK(thrown<nk::conflict_error>(act).found() == "closed");
}

TEST_CASE("a forked child is refused, and leaves the database of its parent alone", "[database][fork]") {
    const small_lab made;
    std::optional<nk::database> lab(std::in_place, made.path());
    auto a = lab->open<std::int64_t, 1>("A");
    a(0) = 9;

    const auto end = faults::in_child([&]() -> std::string {
        for (const auto& act : std::vector<std::function<void()>>{
                 [&] { (void)lab->commit(); }, [&] { lab->abort(); }, [&] { (void)lab->open<double>("B"); },
                 [&] { a.append(integers{1}); }, [&] { a.resize({1}); }, [&] { lab->close(); }})
            if (!caught<nk::conflict_error>(act))
                return "used by the child";
        a(0) = 7;
        lab.reset();
        return "";
    });

    CHECK(end.said == "");
    CHECK(a(0) == 9);
    CHECK_THROWS_AS(nk::database(made.path()), nk::conflict_error);
    (void)lab->commit();
    CHECK((nk::load<std::int64_t, 1>(made.file("A")) == integers{9, 2, 3}));
}

TEST_CASE("links are no arrays, and a second name of one file is refused", "[database][error]") {
    const small_lab made;
    fs::create_hard_link(made.file("A"), made.file("B"));
    fs::create_symlink(made.file("A"), made.file("C"));
    fs::create_directory(made.file("D"));
    nk::database lab(made.path());
    auto a = lab.open<std::int64_t, 1>("A");

    CHECK(thrown<nk::conflict_error>([&] { (void)lab.open<std::int64_t>("B"); }).found() == "a hard link of 'A'");
    CHECK_THROWS_AS((void)(lab.open<std::int64_t>("C")), nk::io_error);
    CHECK_THROWS_AS((void)(lab.open<std::int64_t>("D")), nk::io_error);
    a(0) = 9;
    (void)lab.commit();
    CHECK((nk::load<std::int64_t, 1>(made.file("B")) == integers{9, 2, 3}));
}

TEST_CASE("a file that another program changed, replaced or removed is a conflict by name", "[database][error]") {
    const small_lab made;
    nk::database lab(made.path());
    auto a = lab.open<std::int64_t, 1>("A");
    a(0) = 9;
    const auto change = GENERATE(0, 1, 2);
    if (change == 0)
        make_older(made.file("A"));
    else if (change == 1)
        foreign::put(made.file("A"), integers{4, 5, 6});
    else
        fs::remove(made.file("A"));

    const auto e = thrown<nk::conflict_error>([&] { (void)lab.commit(); });

    CHECK(e.file() == made.file("A"));
    CHECK(e.found() == std::vector<std::string>{"changed by another program", "replaced by another program",
                                                "removed by another program"}[static_cast<std::size_t>(change)]);
    CHECK(a(0) == 9);
}

TEST_CASE(".adopt accepts a file that another program has changed in place", "[database]") {
    const small_lab made;
    nk::database lab(made.path(), {.adopt = true});
    auto a = lab.open<std::int64_t, 1>("A");
    a(0) = 9;
    make_older(made.file("A"));

    (void)lab.commit();

    CHECK((nk::load<std::int64_t, 1>(made.file("A")) == integers{9, 2, 3}));
}

TEST_CASE(".adopt refuses a file with another header", "[database][error]") {
    const small_lab made;
    nk::database lab(made.path(), {.adopt = true});
    auto a = lab.open<std::int64_t, 1>("A");
    a(0) = 9;
    auto bytes = read_text(made.file("A"));
    bytes.replace(bytes.find("<i8"), 3, "<f8");
    std::fstream(made.file("A"), std::ios::in | std::ios::out | std::ios::binary) << bytes;

    CHECK(thrown<nk::conflict_error>([&] { (void)lab.commit(); }).found() == "changed by another program");
}

TEST_CASE("create and remove do not touch a file that another program put there", "[database][error]") {
    const small_lab made;
    nk::database lab(made.path());
    const auto change = GENERATE(0, 1);
    const std::string name = change == 0 ? "A" : "B";
    if (change == 0)
        lab.remove("A");
    else
        (void)lab.create<double>("B", {2});
    foreign::put(made.file(name), integers{4, 5, 6});

    CHECK(thrown<nk::conflict_error>([&] { (void)lab.commit(); }).file() == made.file(name));

    CHECK((nk::load<std::int64_t, 1>(made.file(name)) == integers{4, 5, 6}));
}

TEST_CASE("names of fields that need version 3 of the format are written", "[database]") {
    const temp_dir dir;
    nk::database lab(dir / "lab");
    auto a = lab.create<reading>("a", {2});
    a(1).время = 7;
    (void)lab.commit();

    CHECK(nk::inspect(dir / "lab" / "a.npy").version == 3);
    CHECK(nk::load<reading, 1>(dir / "lab" / "a.npy")(1).время == 7);
}

TEST_CASE("a path that is no directory is refused", "[database][error]") {
    const temp_dir dir;
    write_text(dir / "file", "text");

    CHECK_THROWS_AS(nk::database(dir / "file"), nk::io_error);
    CHECK_THROWS_AS(nk::database(dir / "absent/lab"), nk::io_error);
    CHECK_THROWS_AS(nk::database(""), nk::io_error);
}

TEST_CASE("every durability commits", "[database]") {
    const small_lab made;
    for (const auto durability :
         {nk::database_durability::log, nk::database_durability::full, nk::database_durability::none}) {
        nk::database lab(made.path(), {.durability = durability});
        lab.open<std::int64_t>("A")(0) += 1;
        (void)lab.create<double>("B", {3});
        (void)lab.commit();
        lab.remove("B");
        (void)lab.commit();
    }

    CHECK((nk::load<std::int64_t, 1>(made.file("A")) == integers{4, 2, 3}));
    CHECK_FALSE(fs::exists(made.file("B")));
}

TEST_CASE("hundreds of open arrays leave addresses to the program", "[database]") {
    const temp_dir dir;
    nk::database lab(dir / "lab", {.durability = nk::database_durability::none});
    std::vector<nk::database_array<double, 1>> all;
    for (int i = 0; i < 700; ++i)
        all.push_back(lab.create<double>("A" + std::to_string(i), {10}));

    all.back().append(xt::xtensor<double, 1>(xt::ones<double>({std::size_t{1} << 18})));

    CHECK_NOTHROW(nk::mapping::zeros(std::uint64_t{1} << 30, dir.path()));
}

TEST_CASE("NumPy loads every file after each commit", "[database][numpy]") {
    const small_lab made;
    nk::database lab(made.path());
    auto a = lab.open<std::int64_t, 1>("A");
    auto b = lab.create<float>("B", {2, 3}, nk::column_major);
    b(1, 2) = 5;
    (void)lab.commit();
    check_in_python(made.dir(), "assert np.load('lab/A.npy').tolist() == [1, 2, 3]\n"
                                "assert np.load('lab/B.npy').tolist() == [[0, 0, 0], [0, 0, 5]]\n");
    a.append(integers{4});
    b.resize({2, 2});
    (void)lab.commit();
    check_in_python(made.dir(), "assert np.load('lab/A.npy').tolist() == [1, 2, 3, 4]\n"
                                "b = np.load('lab/B.npy', mmap_mode='r')\n"
                                "assert b.tolist() == [[0, 0], [0, 0]] and b.flags.f_contiguous\n");
    a.resize({2});
    b.resize({2, 3});
    lab.remove("B");
    (void)lab.commit();
    check_in_python(made.dir(), "assert np.load('lab/A.npy').tolist() == [1, 2]\n"
                                "assert not os.path.exists('lab/B.npy')\n");
}

}  // namespace database_tests
