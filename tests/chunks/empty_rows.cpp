// SPDX-License-Identifier: BSD-3-Clause
// Chunked arrays whose rows have no bytes, and saves that are refused.
#include "support/temp_dir.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/loop.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

namespace chunks_empty_rows_tests {

namespace nk = ndkeep;

TEST_CASE("rows without elements are counted, read, mapped and passed over", "[chunks]") {
    const temp_dir dir;
    const xt::xtensor<double, 2> none(std::array<std::size_t, 2>{10, 0});
    nk::save_chunked(dir / "d", none, {.rows_per_chunk = 4});
    nk::chunk_writer<double, 2> writer(dir / "d");
    writer.append(none);
    writer.write(3, none);
    writer.commit();

    CHECK(nk::load_chunked<double, 2>(dir / "d").shape() == std::array<std::size_t, 2>{20, 0});
    CHECK(nk::load_chunked_any(dir / "d").shape() == std::vector<std::size_t>{20, 0});
    CHECK((nk::map_chunked<double, 2>(dir / "d").shape()[0] == 20));
    const nk::chunk_reader<double, 2> reader(dir / "d");
    CHECK(reader.rows(3, 9).shape()[0] == 6);
    nk::stateful_loop loop(dir / "a.state", {.sync = false});
    std::size_t rows = 0;
    for (const auto& chunk : loop.over(reader))
        rows += chunk.shape()[0];
    CHECK(rows == 20);

    writer.resize(12);
    writer.commit();
    nk::compact_chunked(dir / "d");
    nk::prune_chunked(dir / "d");
    nk::verify_chunked(dir / "d");
    CHECK(nk::load_chunked<double, 2>(dir / "d").shape()[0] == 12);
    CHECK(std::filesystem::is_empty(dir / "d/chunks"));
}

TEST_CASE("rows without elements are one entry, and fewer than 2^63", "[chunks][error]") {
    const temp_dir dir;
    const std::size_t many = std::size_t{1} << 62;
    nk::chunk_writer<std::uint8_t, 2> writer(dir / "d");
    for (int i = 0; i < 3; ++i) {
        writer.append(xt::xtensor<std::uint8_t, 2>(std::array<std::size_t, 2>{10, 0}));
        writer.commit();
    }
    CHECK(nk::chunk_reader<std::uint8_t, 2>(dir / "d").size() == 1);
    writer.resize(many);
    writer.commit();

    CHECK_THROWS_AS(writer.resize(2 * many), nk::error);
    CHECK_THROWS_AS(writer.append(nk::any_array(nk::dtype_of<std::uint8_t>(), {many, 0})), nk::mismatch_error);
    CHECK(nk::load_chunked_any(dir / "d").shape() == std::vector<std::size_t>{many, 0});
}

TEST_CASE("a save that is refused leaves nothing", "[chunks][error]") {
    const temp_dir dir;
    const xt::xtensor<double, 1> numbers = {1, 3, 2}, nan = {1, std::numeric_limits<double>::quiet_NaN()};
    const xt::xtensor<double, 2> rows = {{1, 2}, {3, 4}};
    for (const auto& act : std::vector<std::function<void(const nk::dataset_location&)>>{
             [&](const auto& where) { nk::save_chunked(where, xt::xtensor<double, 0>()); },
             [&](const auto& where) { nk::save_chunked(where, nk::any_array(nk::dtype::parse("|S0"), {5})); },
             [&](const auto& where) { nk::save_chunked(where, numbers, {.meta = 1}); },
             [&](const auto& where) { nk::save_chunked(where, numbers, {.order_by = "time"}); },
             [&](const auto& where) { nk::save_chunked(where, numbers, {.order_by = ""}); },
             [&](const auto& where) { nk::save_chunked(where, nan, {.order_by = ""}); },
             [&](const auto& where) { nk::save_chunked(where, rows, {.order_by = ""}); },
             [&](const auto& where) {
                 nk::save_chunked(where, rows, {.sum = nk::checksum::crc32 | nk::checksum::md5});
             },
             [&](const auto& where) { nk::save_chunked(where, rows, {.commit = {.keep = 0}}); },
         }) {
        CHECK_THROWS_AS(act(dir / "d"), nk::mismatch_error);
        CHECK_FALSE(std::filesystem::exists(dir / "d"));
        const auto memory = std::make_shared<nk::memory_place>();
        CHECK_THROWS_AS(act(memory), nk::mismatch_error);
        CHECK(memory->list("commits").empty());
    }
}

}  // namespace chunks_empty_rows_tests
