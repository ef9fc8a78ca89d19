// SPDX-License-Identifier: BSD-3-Clause
// The mean of a chunked array, by several processes on any machines: mpirun -n 3 distributed_mean [FOLDER or
// s3://BUCKET/PREFIX].
#include "ranks.hpp"

#include <numeric>
#include <vector>

namespace nk = ndkeep;

namespace {

/// What one rank has added up.
struct partial_sum {
    std::int64_t rank, first_row, rows;
    double sum;
};
NDKEEP_FIELDS(partial_sum, rank, first_row, rows, sum);

void save_readings(const nk::dataset_location& where) {
    auto readings = xt::xtensor<double, 1>::from_shape({300'000});
    for (std::size_t i = 0; i < readings.size(); ++i)
        readings(i) = 20 + 1 / (1 + static_cast<double>(i % 7919));
    nk::save_chunked(where, readings, {.rows_per_chunk = 20'000});
}

void run(const all_ranks& ranks, const std::string& place) {
    const auto readings_at = location_in(place, "readings"), sums_at = location_in(place, "partial_sums");
    // All ranks read the commit that the first one names: another writer could add one meanwhile.
    std::uint64_t commit = 0;
    if (ranks.is_first()) {
        save_readings(readings_at);
        nk::save_chunked(sums_at, xt::xtensor<partial_sum, 1>::from_shape({0}));
        commit = nk::chunk_reader<double, 1>(readings_at).commit();
    }
    MPI_Bcast(&commit, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);

    const nk::chunk_reader<double, 1> readings(readings_at, {.at_commit = commit, .verify = true});
    const auto mine =
        nk::partition(readings, static_cast<std::uint64_t>(ranks.rank()), static_cast<std::uint64_t>(ranks.size()));
    std::size_t chunk_number = 0;
    while (readings.first_row(chunk_number) < mine.rows().first)
        ++chunk_number;
    std::vector<double> sums(readings.size());  // of each chunk; 0 for those of other ranks
    for (const auto chunk : mine)
        sums[chunk_number++] = std::accumulate(chunk.begin(), chunk.end(), 0.0);

    // All ranks append at the same time, and each row is there once: the library repeats commits that collide.
    const auto [first, last] = mine.rows();
    nk::chunk_writer<partial_sum, 1> results(sums_at);
    results.append(xt::xtensor<partial_sum, 1>{{ranks.rank(), static_cast<std::int64_t>(first),
                                                static_cast<std::int64_t>(last - first),
                                                std::accumulate(sums.begin(), sums.end(), 0.0)}});
    (void)results.commit();

    // Each sum is one number and zeros, which MPI adds without rounding. Then they are added in the order of the
    // chunks, so that the result does not depend on the number of ranks.
    std::vector<double> all(sums.size());
    MPI_Reduce(sums.data(), all.data(), static_cast<int>(sums.size()), MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
    MPI_Barrier(MPI_COMM_WORLD);  // all have committed
    if (!ranks.is_first())
        return;
    const double mean = std::accumulate(all.begin(), all.end(), 0.0) / static_cast<double>(readings.rows());
    std::printf("%d ranks read %llu rows in %zu chunks\n", ranks.size(),
                static_cast<unsigned long long>(readings.rows()), readings.size());
    std::printf("mean %.17g\n", mean);
    std::int64_t rows = 0;
    const auto parts = nk::load_chunked<partial_sum, 1>(sums_at);
    for (const auto& part : parts)
        rows += part.rows;
    std::printf("%zu partial sums are committed, of %lld rows\n", parts.size(), static_cast<long long>(rows));
}

}  // namespace

int main(int argc, char** argv) { return run_on_ranks(argc, argv, run); }
