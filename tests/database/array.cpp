// SPDX-License-Identifier: BSD-3-Clause
// Arrays of a database: element types, orders, rows, containers, and the addresses of elements.
#include "database/foreign.hpp"
#include "support/catch.hpp"
#include "support/python.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/database.hpp>
#include <ndkeep/npy.hpp>

#include <chrono>
#include <complex>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

namespace database_array_tests {

namespace nk = ndkeep;
namespace fs = std::filesystem;

struct trade {
    std::int64_t time;
    double price;
    std::int32_t size;  // followed by padding
};
NDKEEP_FIELDS(trade, time, price, size);

namespace {

using integers = xt::xtensor<std::int64_t, 1>;

std::size_t count_even(const std::int64_t* values, std::size_t size) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < size; ++i)
        count += values[i] % 2 == 0;
    return count;
}

template <class T>
void check_kind(const T& first, const T& second) {
    const temp_dir dir;
    {
        nk::database lab(dir / "lab");
        auto a = lab.create<T>("A", {3});
        a(1) = first;
        (void)lab.commit();
        a(2) = second;
        a.append(std::vector<T>{first, second});
        (void)lab.commit();
        a(0) = first;
        lab.abort();
        CHECK((a(0) == T{}));
    }
    nk::database lab(dir / "lab");
    auto again = lab.open<T, 1>("A");
    const auto loaded = nk::load<T, 1>(dir / "lab/A.npy");

    CHECK(again.size() == 5);
    for (const auto& each : {loaded(1), loaded(3), again(1), again(3)})
        CHECK((each == first));
    for (const auto& each : {loaded(2), loaded(4), again(2), again(4)})
        CHECK((each == second));
}

}  // namespace

TEST_CASE("stores through a container are in the file after the commit", "[database][array]") {
    const temp_dir dir;
    {
        nk::database lab(dir / "lab");
        auto a = lab.create<std::int64_t>("A", {10});
        (void)lab.commit();
        CHECK((a == xt::zeros<std::int64_t>({10})));
        for (std::size_t i = 0; i < 10; ++i)
            a(i) = static_cast<std::int64_t>(i);
        a(7) = 22;
        (void)lab.commit();
    }
    nk::database lab(dir / "lab");
    const auto a = lab.open<std::int64_t, 1>("A");

    CHECK((a == integers{0, 1, 2, 3, 4, 5, 6, 22, 8, 9}));
    CHECK(count_even(a.data(), a.size()) == 6);
    CHECK(xt::mean(a)() == 6.0);
    check_in_python(dir, "assert np.load('lab/A.npy').tolist() == [0, 1, 2, 3, 4, 5, 6, 22, 8, 9]\n");
}

TEST_CASE("an abort restores every byte in every container, and moves nothing", "[database][array]") {
    const temp_dir dir;
    nk::database lab(dir / "lab");
    auto a = lab.create<std::int64_t>("A", {1000});
    (void)lab.commit();
    const auto file = read_text(a.file());
    auto other = lab.open<std::int64_t>("A");
    const auto* const data = a.data();
    a(999) = 5;
    CHECK(other(999) == 5);

    lab.abort();
    lab.abort();

    CHECK(a(999) == 0);
    CHECK(other(999) == 0);
    CHECK((a.data() == data && other.data() == data));
    CHECK((read_text(a.file()) == file));
}

TEST_CASE("pointers stay valid while rows are appended", "[database][array]") {
    const temp_dir dir;
    nk::database lab(dir / "lab", {.durability = nk::database_durability::none});
    auto a = lab.create<std::int64_t>("A", {10});
    a(7) = 22;
    (void)lab.commit();
    const auto* const old = a.data();
    const std::size_t rows = std::size_t{1} << 18;
    for (int i = 0; i < 4; ++i) {
        a.append(xt::xtensor<std::int64_t, 1>(xt::ones<std::int64_t>({rows}) * i));
        (void)lab.commit();
    }

    CHECK(a.size() == 4 * rows + 10);
    CHECK((a.data() == old && old[7] == 22));
    CHECK(old[10 + 3 * rows] == 3);
    CHECK((nk::load<std::int64_t, 1>(a.file()) == a));
}

TEST_CASE("a refused append changes nothing", "[database][array][error]") {
    const temp_dir dir;
    nk::database lab(dir / "lab", {.reserve = 1 << 16});
    auto a = lab.create<double>("A", {2, 3});
    (void)lab.commit();
    const auto file = read_text(a.file());

    CHECK_THROWS_AS(a.append(xt::xtensor<double, 2>(xt::ones<double>({1, 4}))), nk::mismatch_error);
    CHECK_THROWS_AS(a.append(xt::xtensor<double, 1>(xt::ones<double>({3}))), nk::mismatch_error);
    CHECK_THROWS_AS(a.append(xt::xtensor<float, 2>(xt::ones<float>({1, 3}))), nk::mismatch_error);
    CHECK(thrown<nk::mismatch_error>([&] {
              a.append(xt::xtensor<double, 2>(xt::ones<double>({9000, 3})));
          }).hint() == "open the database with a larger .reserve");
    CHECK_THROWS_AS(a.resize({2, 4}), nk::mismatch_error);
    CHECK_THROWS_AS(a.resize({90000, 3}), nk::mismatch_error);

    CHECK(lab.commit() == 1);
    CHECK((a == xt::zeros<double>({2, 3})));
    CHECK((read_text(a.file()) == file));
}

TEST_CASE("bytes that the system reads into an array are committed", "[database][array]") {
    const temp_dir dir;
    nk::database lab(dir / "lab");
    auto a = lab.create<std::uint8_t>("A", {100'000});
    (void)lab.commit();
    write_text(dir / "t", "from a file");
    const auto source = nk::file::open(dir / "t");

    CHECK(::read(source.descriptor(), a.data() + 50'000, 11) == 11);
    (void)lab.commit();

    CHECK(read_text(a.file()).substr(4096 + 50'000, 11) == "from a file");
}

TEST_CASE("rows that were removed are zeros when they come back", "[database][array]") {
    const temp_dir dir;
    std::optional<nk::database> lab(std::in_place, dir / "lab");
    auto a = lab->create<std::int64_t>("A", {10});
    a = xt::arange<std::int64_t>(1, 11);
    const bool commits = GENERATE(false, true), reopens = GENERATE(false, true);
    if (commits || reopens)
        (void)lab->commit();
    a.resize({3});
    if (commits || reopens)
        (void)lab->commit();
    if (reopens) {
        lab.reset();
        lab.emplace(dir / "lab");
        a = lab->open<std::int64_t, 1>("A");
    }

    a.resize({6});

    CHECK((a == integers{1, 2, 3, 0, 0, 0}));
    (void)lab->commit();
    CHECK((nk::load<std::int64_t, 1>(a.file()) == integers{1, 2, 3, 0, 0, 0}));
}

TEST_CASE("arrays of every kind of element are committed and read again", "[database][array]") {
    using namespace std::chrono;
    check_kind<bool>(true, false);
    check_kind<std::int8_t>(-1, 2);
    check_kind<std::uint16_t>(1, 65535);
    check_kind<std::uint64_t>(1, ~std::uint64_t{0});
    check_kind<float>(0.5F, -2);
    check_kind<double>(0.1, 1e300);
    check_kind<long double>(0.5L, 2);
    check_kind<std::complex<double>>({1, 2}, {3, -4});
    check_kind<nk::float16>(nk::float16(0.5F), nk::float16(-2.0F));
    check_kind<nk::fixed_string<5>>("abc", "");
    check_kind<nk::fixed_u32string<3>>(U"\u00e4", U"xyz");
    check_kind<nanoseconds>(nanoseconds(5), nk::not_a_time<nanoseconds>);
    check_kind<sys_days>(sys_days(days(5)), sys_days(days(20000)));
}

TEST_CASE("structs are committed, and NumPy sees their fields", "[database][array]") {
    const temp_dir dir;
    nk::database lab(dir / "lab");
    auto a = lab.create<trade>("A", {2});
    a(1) = {7, 0.5, 3};
    a.append(std::vector<trade>{{8, 1.5, 4}});
    (void)lab.commit();

    check_in_python(dir, "a = np.load('lab/A.npy')\n"
                         "assert a['time'].tolist() == [0, 7, 8] and a['price'].tolist() == [0, 0.5, 1.5]\n");
}

TEST_CASE("column-major arrays grow along their last axis", "[database][array]") {
    const temp_dir dir;
    nk::database lab(dir / "lab");
    auto a = lab.create<std::int32_t>("A", {2, 3}, nk::column_major);
    a = xt::xtensor<std::int32_t, 2>{{1, 2, 3}, {4, 5, 6}};
    a.append(xt::xtensor<std::int32_t, 2>{{7, 8}, {9, 10}});
    const auto* const data = a.data();
    CHECK_THROWS_AS(a.append(xt::xtensor<std::int32_t, 2>{{7, 8, 9, 10, 11}}), nk::mismatch_error);
    (void)lab.commit();

    CHECK((a == xt::xtensor<std::int32_t, 2>{{1, 2, 3, 7, 8}, {4, 5, 6, 9, 10}}));
    CHECK((data[0] == 1 && data[1] == 4 && data[9] == 10));
    CHECK((nk::load<std::int32_t, 2>(a.file()) == a));
    a.resize({2, 1});
    (void)lab.commit();
    CHECK((nk::load<std::int32_t, 2>(a.file()) == xt::xtensor<std::int32_t, 2>{{1}, {4}}));
}

TEST_CASE("scalars and empty arrays are arrays of a database", "[database][array]") {
    const temp_dir dir;
    nk::database lab(dir / "lab");
    auto scalar = lab.create<double>("scalar", std::vector<std::size_t>{});
    auto empty = lab.create<double>("empty", {0, 3});
    auto no_columns = lab.create<double>("no_columns", {3, 0});
    (void)lab.commit();
    scalar() = 5;
    empty.append(xt::xtensor<double, 2>{{1, 2, 3}});
    no_columns.append(xt::xtensor<double, 2>(xt::zeros<double>({2, 0})));
    (void)lab.commit();

    CHECK(nk::load<double, 0>(dir / "lab/scalar.npy")() == 5);
    CHECK((nk::load<double, 2>(dir / "lab/empty.npy") == xt::xtensor<double, 2>{{1, 2, 3}}));
    CHECK(nk::inspect(dir / "lab/no_columns.npy").shape == std::vector<std::size_t>{5, 0});
    CHECK_THROWS_AS(scalar.append(xt::xtensor<double, 1>{1}), nk::mismatch_error);
}

TEST_CASE("files that NumPy wrote are changed in place", "[database][array]") {
    const temp_dir dir;
    fs::create_directory(dir / "lab");
    nk::save(dir / "lab/A.npy", integers{1, 2, 3});
    const auto saved = read_text(dir / "lab/A.npy");
    const bool has_spare_bytes = GENERATE(false, true);
    if (has_spare_bytes)
        write_text(dir / "lab/A.npy", saved + std::string(5000, 's'));
    nk::database lab(dir / "lab");
    auto a = lab.open<std::int64_t, 1>("A");
    a(1) = 9;
    (void)lab.commit();
    CHECK((nk::load<std::int64_t, 1>(a.file()) == integers{1, 9, 3}));

    a.append(integers{4, 5});
    (void)lab.commit();

    CHECK((nk::load<std::int64_t, 1>(a.file()) == integers{1, 9, 3, 4, 5}));
    CHECK(nk::inspect(a.file()).data_offset == 128);
    CHECK(fs::file_size(a.file()) == 128 + 40);
}

TEST_CASE("an array in front of another one is changed, and does not grow over it", "[database][array]") {
    const temp_dir dir;
    fs::create_directory(dir / "lab");
    nk::save(dir / "lab/A.npy", integers{1, 2, 3});
    nk::save(dir / "B.npy", integers{7});
    write_text(dir / "lab/A.npy", read_text(dir / "lab/A.npy") + read_text(dir / "B.npy"));
    {
        nk::database lab(dir / "lab");
        auto a = lab.open<std::int64_t, 1>("A");
        CHECK(thrown<nk::mismatch_error>([&] { a.append(integers{4}); }).found() == "followed by a second array");
        CHECK_THROWS_AS(a.resize({4}), nk::mismatch_error);
        a(0) = 9;
        lab.abort();
        a(1) = 8;
        (void)lab.commit();
    }

    CHECK((nk::load<std::int64_t, 1>(dir / "lab/A.npy") == integers{1, 8, 3}));
    CHECK((nk::load<std::int64_t, 1>(dir / "lab/A.npy", {.array = 1}) == integers{7}));
}

TEST_CASE("another dtype, byte order, rank or order is refused by name", "[database][array][error]") {
    const temp_dir dir;
    nk::database lab(dir / "lab");
    (void)lab.create<double>("A", {2, 3});
    write_text(dir / "lab/B.npy", std::string("\x93NUMPY\x01\x00\x36\x00", 10) +
                                      "{'descr': '>f8', 'fortran_order': False, 'shape': (1,)}\n        ");
    const auto field = [&](auto&& act) { return thrown<nk::mismatch_error>(act).field(); };

    CHECK(field([&] { (void)lab.open<float>("A"); }) == "dtype");
    CHECK(field([&] { (void)lab.open<double, 1>("A"); }) == "shape");
    CHECK(field([&] { (void)lab.open<double>("A", nk::column_major); }) == "order");
    CHECK_THROWS_AS((void)lab.open<double>("B"), nk::error);
}

TEST_CASE("containers of one array share its elements and its shape", "[database][array]") {
    const temp_dir dir;
    nk::database lab(dir / "lab");
    auto a = lab.create<std::int64_t>("A", {2});
    auto b = lab.open<std::int64_t>("A");
    auto moved = std::move(b);

    moved.append(integers{7});

    CHECK(a.size() == 3);
    CHECK(a(2) == 7);
    CHECK(b.size() == 0);
    CHECK_THROWS_AS(b.append(integers{1}), nk::mismatch_error);
    CHECK_THROWS_AS(b.resize({1}), nk::mismatch_error);
}

TEST_CASE("a container that outlives the database keeps committed elements, and keeps nobody out",
          "[database][array]") {
    const temp_dir dir;
    std::optional<nk::database> lab(std::in_place, dir / "lab");
    auto a = lab->create<std::int64_t>("A", {2});
    a(0) = 1;
    (void)lab->commit();
    a(1) = 2;
    lab.reset();

    CHECK((a == integers{1, 0}));
    CHECK_THROWS_AS(a.append(integers{1}), nk::conflict_error);
    nk::database next(dir / "lab");
    next.open<std::int64_t>("A")(1) = 3;
    (void)next.commit();
    CHECK((nk::load<std::int64_t, 1>(dir / "lab/A.npy") == integers{1, 3}));
}

TEST_CASE("expressions are assigned if their shape is that of the array", "[database][array]") {
    const temp_dir dir;
    nk::database lab(dir / "lab");
    auto a = lab.create<double>("A", {2, 2});
    a = {{1, 2}, {3, 4}};
    a += 1;
    a = 2 * a;

    CHECK((a == xt::xtensor<double, 2>{{4, 6}, {8, 10}}));
    CHECK(thrown<nk::mismatch_error>([&] { a = xt::ones<double>({3, 2}); }).field() == "assigned shape");
}

TEST_CASE("every other page of a large array is committed", "[database][array]") {
    const temp_dir dir;
    nk::database lab(dir / "lab", {.durability = nk::database_durability::none});
    const std::size_t pages = std::size_t{1} << 14;
    auto a = lab.create<std::int64_t>("A", {pages * 512});
    (void)lab.commit();
    for (std::size_t i = 0; i < pages; i += 2)
        a(i * 512 + i % 512) = static_cast<std::int64_t>(i + 1);
    (void)lab.commit();

    const auto seen = nk::map<std::int64_t, 1>(a.file());
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < pages; ++i)
        wrong += seen(i * 512 + i % 512) != (i % 2 == 0 ? static_cast<std::int64_t>(i + 1) : 0);
    CHECK(wrong == 0);
}

}  // namespace database_array_tests
