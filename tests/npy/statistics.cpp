// SPDX-License-Identifier: BSD-3-Clause
// Statistics and sums of large arrays, which are looked at in pieces side by side.
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/npy.hpp>

#include <cmath>
#include <fstream>
#include <random>

namespace npy_statistics_tests {

namespace nk = ndkeep;

namespace {

using doubles = xt::xtensor<double, 1>;

/// More than one piece, and no whole number of them.
doubles many_numbers() {
    doubles all = xt::empty<double>({1'500'001});
    std::mt19937_64 engine(1);
    for (double& value : all)
        value = 1e6 + static_cast<double>(engine() % 1'000'003) / 17;
    all(77) = std::numeric_limits<double>::quiet_NaN();
    all(1'400'000) = -1;
    return all;
}

bool near(double a, double b) { return std::abs(a - b) <= 1e-12 * std::abs(b); }

void check_same(const nk::statistics& a, const nk::statistics& b) {
    CHECK(a.count == b.count);
    CHECK(a.nan == b.nan);
    CHECK(a.min == b.min);
    CHECK(a.max == b.max);
    CHECK(a.mean == b.mean);
    CHECK(a.std == b.std);
}

}  // namespace

TEST_CASE("statistics_of finds the same whoever looks: one thread, several, in memory and mapped",
          "[npy][statistics][parallel]") {
    const temp_dir dir;
    const auto all = many_numbers();
    long double sum = 0;
    for (const double value : all)
        sum += std::isnan(value) ? 0 : value;

    const auto alone = nk::statistics_of(all, {.threads = 1});

    CHECK(alone.count == all.size());
    CHECK(alone.nan == 1);
    CHECK(std::get<double>(*alone.min) == -1);
    CHECK(near(*alone.mean, static_cast<double>(sum / static_cast<long double>(all.size() - 1))));
    check_same(nk::statistics_of(all, {.threads = 3}), alone);
    nk::save(dir / "t.npy", all, {.statistics = true});
    check_same(nk::statistics_of(nk::map<double, 1>(dir / "t.npy")), alone);
    CHECK(nk::findings(dir / "t.npy").empty());
}

TEST_CASE("statistics_of takes whatever can be saved", "[npy][statistics]") {
    const xt::xtensor<int, 2> table = xt::reshape_view(xt::arange<int>(12), {3, 4});

    CHECK(nk::statistics_of(table).mean == 5.5);
    CHECK(nk::statistics_of(xt::view(table, xt::all(), 1)).mean == 5);
    CHECK(nk::statistics_of(table * 2.0).mean == 11);
    CHECK(nk::statistics_of(std::vector<bool>{true, false, true, true}).mean == 0.75);
    CHECK(nk::statistics_of(xt::xtensor<double, 1>()).count == 0);
    CHECK(!nk::statistics_of(xt::xtensor<double, 1>()).mean);
    CHECK(nk::statistics_of(xt::xarray<double>(4.0)).mean == 4);
}

TEST_CASE("statistics_of tells how far it is, and can be stopped", "[npy][statistics]") {
    const auto all = many_numbers();
    std::vector<nk::progress> told;
    const auto tell = [&](const nk::progress& now) {
        told.push_back(now);
        return nk::flow::go;
    };
    const std::atomic<bool> stop = true;

    (void)nk::statistics_of(all, {.progress = tell});

    REQUIRE(told.size() >= 2);
    CHECK(told.front().phase == "statistics");
    CHECK(told.back().bytes == all.size() * sizeof(double));
    CHECK(told.back().items == told.back().items_total);
    CHECK_THROWS_AS(nk::statistics_of(all, {.stop = &stop}), nk::io_error);
    CHECK_THROWS_AS(nk::statistics_of(all + 1, {.stop = &stop}), nk::io_error);
}

TEST_CASE("sums of a large file are the same in one look and in pieces", "[npy][statistics][parallel]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    const auto all = many_numbers();
    const std::span bytes(reinterpret_cast<const std::byte*>(all.data()), all.size() * sizeof(double));
    for (const auto kinds : {nk::checksum::crc32, nk::checksum::crc32c, nk::checksum::md5,
                             nk::checksum::crc32 | nk::checksum::crc32c, nk::checksum::crc32 | nk::checksum::md5}) {
        CAPTURE(static_cast<unsigned>(kinds));
        const auto expected = nk::checksums_of(bytes, kinds);
        for (const unsigned threads : {1U, 2U}) {
            CAPTURE(threads);
            const auto said = [&] { return nk::detail::read_sidecar(file).value().current; };
            nk::save(file, all, {.sum = kinds, .statistics = true, .run = {.threads = threads}});
            CHECK(said().sums == expected);
            const auto saved = said().statistics.value();
            nk::describe(file, {.sum = kinds, .statistics = true, .run = {.threads = threads}});
            CHECK(said().sums == expected);
            CHECK(near(*said().statistics->mean, *saved.mean));
            CHECK(said().statistics->min == saved.min);
            CHECK(nk::findings(file, {.run = {.threads = threads}}).empty());
        }
    }
}

TEST_CASE("a flipped bit is found in every piece of a large file", "[npy][statistics][parallel]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    const auto all = many_numbers();
    nk::save(file, all, {.sum = nk::checksum::crc32c});
    for (const std::size_t at : {std::size_t{0}, all.size() / 2, all.size() - 1}) {
        CAPTURE(at);
        std::fstream raw(file, std::ios::in | std::ios::out | std::ios::binary);
        const auto turn = [&, place = static_cast<std::streamoff>(128 + at * sizeof(double))] {
            raw.seekg(place);
            const int was = raw.get();
            raw.seekp(place);
            raw.put(static_cast<char>(was ^ 4));
            raw.flush();
        };
        turn();
        CHECK(nk::findings(file).size() == 1);
        turn();
        CHECK(nk::findings(file).empty());
    }
}

TEST_CASE("a save that is stopped while its sums are made leaves the old file", "[npy][statistics][parallel]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    nk::save(file, xt::xtensor<double, 1>{1, 2});
    std::atomic<bool> stop = false;
    const auto raise = [&](const nk::progress&) {
        stop = true;  // by the first report; what comes next looks at it
        return nk::flow::go;
    };

    CHECK_THROWS_AS(nk::save(file, many_numbers(),
                             {.sum = nk::checksum::md5, .run = {.threads = 2, .progress = raise, .stop = &stop}}),
                    nk::io_error);

    CHECK((nk::load<double, 1>(file) == xt::xtensor<double, 1>{1, 2}));
    CHECK(dir.files() == 1);
}

}  // namespace npy_statistics_tests
