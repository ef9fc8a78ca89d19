// SPDX-License-Identifier: BSD-3-Clause
// Transactions that change more than the memory should hold.
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/database.hpp>
#include <ndkeep/npy.hpp>

#include <cstddef>
#include <cstdint>

using namespace ndkeep;

namespace spill_tests {

constexpr std::size_t rows = std::size_t{1} << 20;  // 8 MiB

TEST_CASE("changes that were spilled are committed with all others", "[database]") {
    temp_dir dir;
    {
        database lab(dir / "lab", {.spill = 1 << 20});
        auto a = lab.create<std::int64_t>("a", {rows});
        lab.commit();
        for (std::size_t i = 0; i < rows; ++i) {
            a(i) = static_cast<std::int64_t>(i);
            if (i % 100'000 == 0)
                lab.spill();
        }
        lab.spill();
        a(3) = -3;  // after its page was spilled
        lab.commit();
        CHECK(a(3) == -3);
        CHECK(a(rows - 1) == rows - 1);
        a(4) = -4;
        lab.commit();
    }

    const auto all = load<std::int64_t, 1>(dir / "lab" / "a.npy");
    for (std::size_t i = 0; i < rows; ++i)
        REQUIRE(all(i) == (i == 3 || i == 4 ? -static_cast<std::int64_t>(i) : static_cast<std::int64_t>(i)));
}

TEST_CASE("an abort takes spilled changes back", "[database]") {
    temp_dir dir;
    database lab(dir / "lab", {.spill = 1 << 20});
    auto a = lab.create<std::int64_t>("a", {rows});
    a.fill(1);
    lab.commit();
    const auto* const before = a.data();
    a.fill(2);
    lab.spill();
    const auto mark = lab.savepoint();
    a.fill(3);
    lab.spill();

    lab.abort(mark);
    CHECK(xt::all(xt::equal(a, 2)));
    lab.abort();

    CHECK(a.data() == before);
    CHECK(xt::all(xt::equal(a, 1)));
    CHECK(lab.commit() == 1);
}

TEST_CASE("rows are appended to an array with spilled changes", "[database]") {
    temp_dir dir;
    {
        database lab(dir / "lab", {.spill = 1 << 20});
        auto a = lab.create<std::int64_t>("a", {rows});
        lab.commit();
        a.fill(5);
        const xt::xtensor<std::int64_t, 1> more = xt::ones<std::int64_t>({rows});
        a.append(more);
        xt::view(a, xt::range(rows, 2 * rows)) = 6;
        a.append(more);
        lab.commit();
    }

    const auto all = load<std::int64_t, 1>(dir / "lab" / "a.npy");
    CHECK(all.size() == 3 * rows);
    CHECK(xt::all(xt::equal(xt::view(all, xt::range(0, rows)), 5)));
    CHECK(xt::all(xt::equal(xt::view(all, xt::range(rows, 2 * rows)), 6)));
    CHECK(xt::all(xt::equal(xt::view(all, xt::range(2 * rows, 3 * rows)), 1)));
}

TEST_CASE("spilled changes that a reader holds back are committed again only if they differ", "[database]") {
    temp_dir dir;
    database lab(dir / "lab", {.spill = 1 << 20});
    auto a = lab.create<std::int64_t>("a", {rows});
    lab.commit();
    auto held = database_snapshot(dir / "lab").map<std::int64_t, 1>("a");
    a.fill(1);
    lab.spill();
    lab.commit();
    const auto log = inspect_database(dir / "lab").log_bytes;

    a(0) = 2;
    lab.commit();

    CHECK(inspect_database(dir / "lab").log_bytes < log + (1 << 20));
    CHECK(held(0) == 0);
    held = {};
    lab.commit();
    CHECK(load<std::int64_t, 1>(dir / "lab" / "a.npy")(0) == 2);
    CHECK(load<std::int64_t, 1>(dir / "lab" / "a.npy")(rows - 1) == 1);
}

}  // namespace spill_tests
