// SPDX-License-Identifier: BSD-3-Clause
// Chunks of a distant place: several are fetched ahead, in order, and within a limit of memory.
#include "support/catch.hpp"
#include "support/distant_place.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/loop.hpp>

#include <memory>
#include <string>

namespace loop_ahead_tests {

namespace nk = ndkeep;
using rows = xt::xtensor<double, 1>;
using namespace std::chrono_literals;

/// Row i has the value i.
[[nodiscard]] std::shared_ptr<distant_place> chunks_of(std::size_t count, std::size_t rows_of_each) {
    auto where = std::make_shared<distant_place>();
    const rows all = xt::arange(0.0, static_cast<double>(count * rows_of_each));
    nk::save_chunked(where, all, {.rows_per_chunk = rows_of_each});
    return where;
}

TEST_CASE("a loop fetches several chunks of a distant place at once, each with one request", "[loop][threads]") {
    const auto where = chunks_of(20, 10);
    where->delay = 5ms;
    const nk::chunk_reader<double, 1> readings(where, {.run = {.threads = 4}});
    const temp_dir dir;
    nk::stateful_loop loop(dir / "state.npz", {.every = nk::at_end, .sync = false});
    where->ranges = where->sizes = where->most_at_once = 0;
    double next = 0;
    for (const auto chunk : loop.over(readings))
        for (const double value : chunk)
            CHECK(value == next++);
    CHECK(next == 200);
    CHECK(where->ranges == 20);
    CHECK(where->sizes == 0);
    CHECK(where->most_at_once >= 2);
    CHECK(where->most_at_once <= 5);
}

TEST_CASE("chunks that were fetched ahead are not fetched again by a warm-up or in the middle of a chunk", "[loop]") {
    const auto where = chunks_of(8, 10);
    const nk::chunk_reader<double, 1> readings(where);
    const temp_dir dir;
    nk::stateful_loop loop(dir / "state.npz", {.every = nk::at_end, .sync = false});
    double next = 18;
    for (const auto chunk : loop.over(readings, {.warm_up = 7, .first_row = 25}))
        for (const double value : chunk)
            CHECK(value == next++);
    CHECK(next == 80);
    CHECK(where->ranges <= 8 + 2);
}

TEST_CASE("an error of a chunk that was fetched ahead comes when the chunk is due", "[loop]") {
    const auto where = chunks_of(8, 10);
    const nk::chunk_reader<double, 1> readings(where);
    where->broken = "chunks/" + readings.version().entries()[5].file;
    const temp_dir dir;
    nk::stateful_loop loop(dir / "state.npz", {.sync = false});
    std::size_t chunks = 0;
    const auto pass = [&] {
        for (const auto chunk : loop.over(readings))
            chunks += chunk.size() == 10 ? 1 : 0;
    };
    CHECK_THROWS_AS(pass(), nk::io_error);
    CHECK(chunks == 5);
    where->broken.clear();
    pass();
    CHECK(chunks == 8);
}

TEST_CASE("the bytes that are fetched ahead are limited", "[loop]") {
    // Six chunks of 32 MiB.
    const auto where = std::make_shared<distant_place>();
    nk::chunk_writer<double, 1> sink(where, {.rows_per_chunk = std::size_t{6} << 20, .commit = {.sync = false}});
    const rows some = xt::zeros<double>({std::size_t{4} << 20});
    for (int i = 0; i < 6; ++i) {
        sink.append(some);
        (void)sink.commit();
    }
    const nk::chunk_reader<double, 1> readings(where, {.run = {.threads = 16}});
    REQUIRE(readings.size() == 6);
    CHECK(readings.version().ahead(0) == 4);  // 4 x 32 MiB
    CHECK(readings.version().ahead(5) == 1);
}

TEST_CASE("load of a distant place reads each chunk with one request, and map needs a cache", "[loop]") {
    const auto where = chunks_of(10, 300'000);  // more than the blocks in which files are read
    const nk::chunk_reader<double, 1> readings(where);
    where->ranges = where->sizes = 0;
    CHECK(readings.rows(0, 3'000'000)(2'999'999) == 2'999'999);
    CHECK(where->ranges == 10);
    CHECK(where->sizes == 0);
    try {
        (void)readings.map();
        FAIL("mapped without files");
    } catch (const nk::mismatch_error& problem) {
        CHECK(problem.field() == "cache");
    }
    const temp_dir dir;
    const nk::chunk_reader_options cached{.cache = {.path = dir / "cache"}};
    const auto mapped = nk::map_chunked<double, 1>(where, cached);
    CHECK(mapped(2'999'999) == 2'999'999);
    where->ranges = 0;
    CHECK(nk::map_chunked<double, 1>(where, cached)(1) == 1);
    CHECK(where->ranges == 0);
}

}  // namespace loop_ahead_tests
