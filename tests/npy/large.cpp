// SPDX-License-Identifier: BSD-3-Clause
// Checksums and statistics of large files, computed in parallel pieces.
#include "statistics/many_numbers.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/npy.hpp>

#include <atomic>
#include <fstream>
#include <span>

namespace many::large_tests {

namespace nk = ndkeep;

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
        stop = true;  // set by the first report; the next piece polls it
        return nk::flow::go;
    };

    CHECK_THROWS_AS(nk::save(file, many_numbers(),
                             {.sum = nk::checksum::md5, .run = {.threads = 2, .progress = raise, .stop = &stop}}),
                    nk::io_error);

    CHECK((nk::load<double, 1>(file) == xt::xtensor<double, 1>{1, 2}));
    CHECK(dir.files() == 1);
}

}  // namespace many::large_tests
