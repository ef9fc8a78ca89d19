// SPDX-License-Identifier: BSD-3-Clause
// The chunks of several processes that share the work on one version.
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/chunks.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace partition_tests {

namespace nk = ndkeep;

/// An array whose chunks have these numbers of rows; row i has the value i.
void save_chunks(const nk::dataset_location& where, const std::vector<std::size_t>& rows) {
    nk::chunk_writer<std::int64_t, 1> sink(where, {.rows_per_chunk = 1000, .commit = {.sync = false}});
    std::int64_t next = 0;
    sink.append(xt::xtensor<std::int64_t, 1>(std::array<std::size_t, 1>{0}));
    for (const auto count : rows) {
        xt::xtensor<std::int64_t, 1> chunk(std::array<std::size_t, 1>{count});
        for (auto& each : chunk)
            each = next++;
        sink.append(chunk);
        (void)sink.commit();
    }
    (void)sink.commit();
}

TEST_CASE("every chunk belongs to one process, in the order of the ranks", "[chunks]") {
    const temp_dir dir;
    const std::vector<std::vector<std::size_t>> all = {
        {}, {1}, {5}, {3, 3, 3}, {100, 1, 1, 1}, {1, 1, 1, 100}, {7, 1, 30, 2, 2, 2, 9, 64, 1, 1}, {1, 999, 1, 999, 1}};
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto where = dir / std::to_string(i);
        save_chunks(where, all[i]);
        const nk::chunk_reader<std::int64_t, 1> readings(where);
        std::uint64_t longest = 0;
        for (std::size_t chunk = 0; chunk < readings.size(); ++chunk)
            longest = std::max(longest, readings.first_row(chunk + 1) - readings.first_row(chunk));
        for (const std::uint64_t size : {1U, 2U, 3U, 4U, 7U, 100U}) {
            std::int64_t next = 0;
            std::size_t chunks = 0;
            for (std::uint64_t rank = 0; rank < size; ++rank) {
                const auto part = nk::partition(readings, rank, size);
                CHECK(part.rows().first == static_cast<std::uint64_t>(next));
                CHECK(part.rows().last - part.rows().first <= readings.rows() / size + 1 + longest);
                CHECK(part.empty() == (part.size() == 0));
                std::size_t at = 0;
                for (const auto chunk : part) {
                    CHECK(part.first_row(at) == static_cast<std::uint64_t>(next));
                    CHECK(part[at].size() == chunk.size());
                    for (std::size_t row = 0; row < chunk.size(); ++row)
                        CHECK(chunk(row) == next++);
                    ++at;
                }
                CHECK(at == part.size());
                CHECK(part.first_row(at) == part.rows().last);
                chunks += part.size();
            }
            CHECK(next == static_cast<std::int64_t>(readings.rows()));
            CHECK(chunks == readings.size());
        }
    }
}

TEST_CASE("a rank must be below the number of processes", "[chunks]") {
    const temp_dir dir;
    save_chunks(dir / "a", {3, 3});
    const nk::chunk_reader<std::int64_t, 1> readings(dir / "a");
    CHECK_THROWS_AS(nk::partition(readings, 2, 2), nk::mismatch_error);
    CHECK_THROWS_AS(nk::partition(readings, 0, 0), nk::mismatch_error);
    const int from_mpi = -1;
    CHECK_THROWS_AS(nk::partition(readings, static_cast<std::uint64_t>(from_mpi), 2), nk::mismatch_error);
}

}  // namespace partition_tests
