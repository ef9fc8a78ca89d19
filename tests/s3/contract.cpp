// SPDX-License-Identifier: BSD-3-Clause
// The lines with which object stores are described compile, and do what they say.
#include "s3/bucket.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/loop.hpp>

#include <cstdint>
#include <string>

namespace s3_contract_tests {

namespace nk = ndkeep;

struct instrument {
    std::string market = {}, symbol = {};
};
NDKEEP_KEY(instrument, market, symbol);

TEST_CASE("arrays, loops, writers and collections take a location in a bucket", "[s3]") {
    const temp_dir dir;
    const auto bucket = s3test::folder();
    const xt::xtensor<double, 2> a = xt::ones<double>({10, 3});
    nk::stateful_loop loop(dir / "state.npz", {.sync = false});

    nk::save_chunked(bucket / "readings", a, {.rows_per_chunk = 1'000'000});
    nk::chunk_reader<double, 2> readings(bucket / "readings", {.cache = {.path = dir / "nd", .bytes = 20ull << 30}});
    std::size_t chunks = 0;
    for (auto chunk : loop.over(readings))
        chunks += chunk.shape(0) == 10 ? 1 : 0;
    CHECK(chunks == 1);
    nk::chunk_writer<double, 2> sink(bucket / "readings");
    sink.append(a);
    CHECK(sink.commit() == 2);
    CHECK(nk::map_chunked<double, 2>(bucket / "readings", {.cache = {.path = dir / "nd"}}).shape(0) == 20);
    nk::collection<instrument> prices(bucket / "prices");
    CHECK(prices.keys().empty());
    CHECK_FALSE(prices.path({"xnas", "AAPL"}).empty());
}

}  // namespace s3_contract_tests
