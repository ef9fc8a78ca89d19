// SPDX-License-Identifier: BSD-3-Clause
// Sorts a chunked array into another one, by several processes on any machines: mpirun -n 3 distributed_sort [FOLDER or
// s3://BUCKET/PREFIX].
//
// 1. Each rank sorts the rows of its chunks, and sends a sample to the others.
// 2. From these samples, all ranks compute the same bounds: rank r gets the values from bound r - 1 up to bound r.
// 3. The ranks exchange their values.
// 4. Each rank sorts what it got and appends it. The commits are made in the order of the ranks.
#include "ranks.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

namespace nk = ndkeep;

namespace {

using values = std::vector<std::int64_t>;

/// A hash of a number (splitmix64).
[[nodiscard]] std::uint64_t scrambled(std::uint64_t number) {
    number += 0x9e3779b97f4a7c15;
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
    number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
    return number ^ (number >> 31);
}

void save_numbers(const nk::dataset_location& where) {
    auto numbers = xt::xtensor<std::int64_t, 1>::from_shape({200'000});
    for (std::size_t i = 0; i < numbers.size(); ++i)
        numbers(i) = static_cast<std::int64_t>(scrambled(i) % 100'000'000);
    nk::save_chunked(where, numbers, {.rows_per_chunk = 12'000});
}

/// The bounds between the ranks. Rank r gets bounds[r - 1] <= value < bounds[r]; the first and last have one bound.
[[nodiscard]] values bounds_between(const all_ranks& ranks, const values& sorted) {
    const auto size = static_cast<std::size_t>(ranks.size());
    constexpr std::size_t each = 64;
    values samples(each, std::numeric_limits<std::int64_t>::max()), all(each * size), bounds;
    for (std::size_t i = 0; i < each && !sorted.empty(); ++i)
        samples[i] = sorted[i * sorted.size() / each];
    MPI_Allgather(samples.data(), each, MPI_INT64_T, all.data(), each, MPI_INT64_T, MPI_COMM_WORLD);
    std::sort(all.begin(), all.end());
    for (std::size_t r = 1; r < size; ++r)
        bounds.push_back(all[r * each]);
    return bounds;
}

[[nodiscard]] std::vector<int> begins_of(const std::vector<int>& counts) {
    std::vector<int> begins(counts.size());
    std::exclusive_scan(counts.begin(), counts.end(), begins.begin(), 0);
    return begins;
}

/// Sends each value to the rank between whose bounds it is. Returns what this rank gets.
[[nodiscard]] values exchanged(const all_ranks& ranks, const values& sorted, const values& bounds) {
    std::vector<int> sent, received(static_cast<std::size_t>(ranks.size()));
    auto from = sorted.begin();
    for (const auto bound : bounds) {
        const auto to = std::lower_bound(from, sorted.end(), bound);
        sent.push_back(static_cast<int>(to - from));
        from = to;
    }
    sent.push_back(static_cast<int>(sorted.end() - from));
    MPI_Alltoall(sent.data(), 1, MPI_INT, received.data(), 1, MPI_INT, MPI_COMM_WORLD);
    values out(static_cast<std::size_t>(std::accumulate(received.begin(), received.end(), 0)));
    MPI_Alltoallv(sorted.data(), sent.data(), begins_of(sent).data(), MPI_INT64_T, out.data(), received.data(),
                  begins_of(received).data(), MPI_INT64_T, MPI_COMM_WORLD);
    return out;
}

/// A sum of hashes. It does not depend on the order of the values; different values almost surely change it.
[[nodiscard]] std::uint64_t mark_of(const nk::chunk_partition<std::int64_t, 1>& part) {
    std::uint64_t mark = 0;
    for (const auto chunk : part)
        for (const auto value : chunk)
            mark += scrambled(static_cast<std::uint64_t>(value));
    return mark;
}

/// Whether the rows of this rank ascend, also from its neighbour's last one to its first.
[[nodiscard]] bool is_sorted(const nk::chunk_reader<std::int64_t, 1>& in,
                             const nk::chunk_partition<std::int64_t, 1>& part) {
    const auto [first, last] = part.rows();
    auto before = std::numeric_limits<std::int64_t>::min();
    if (first != 0 && first != last)
        before = in.rows(first - 1, first)(0);
    for (const auto chunk : part)
        for (const auto value : chunk)
            if (value < std::exchange(before, value))
                return false;
    return true;
}

void run(const all_ranks& ranks, const std::string& place) {
    const auto numbers_at = location_in(place, "numbers"), sorted_at = location_in(place, "sorted");
    const auto part_of = [&](const nk::chunk_reader<std::int64_t, 1>& of) {
        return nk::partition(of, static_cast<std::uint64_t>(ranks.rank()), static_cast<std::uint64_t>(ranks.size()));
    };
    // All ranks read the commit that the first one names: another writer could add one meanwhile.
    std::uint64_t commit = 0;
    if (ranks.is_first()) {
        save_numbers(numbers_at);
        nk::save_chunked(sorted_at, xt::xtensor<std::int64_t, 1>::from_shape({0}), {.order_by = ""});
        commit = nk::chunk_reader<std::int64_t, 1>(numbers_at).commit();
    }
    MPI_Bcast(&commit, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);

    const nk::chunk_reader<std::int64_t, 1> numbers(numbers_at, {.at_commit = commit, .verify = true});
    values mine;
    for (const auto chunk : part_of(numbers))
        mine.insert(mine.end(), chunk.begin(), chunk.end());
    std::sort(mine.begin(), mine.end());
    mine = exchanged(ranks, mine, bounds_between(ranks, mine));
    std::sort(mine.begin(), mine.end());

    // All ranks write their chunks at the same time. Only the commits, which are short, wait for each other: the rows
    // are in order then. The library finds that others have committed since the writer was opened, and adds its rows
    // behind theirs.
    nk::chunk_writer<std::int64_t, 1> sink(sorted_at, {.rows_per_chunk = 12'000, .order_by = ""});
    sink.append(mine);
    if (!ranks.is_first())
        MPI_Recv(nullptr, 0, MPI_BYTE, ranks.rank() - 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    commit = sink.commit();
    if (!ranks.is_last())
        MPI_Send(nullptr, 0, MPI_BYTE, ranks.rank() + 1, 0, MPI_COMM_WORLD);
    MPI_Bcast(&commit, 1, MPI_UINT64_T, ranks.size() - 1, MPI_COMM_WORLD);

    const nk::chunk_reader<std::int64_t, 1> sorted(sorted_at, {.at_commit = commit, .verify = true});
    const std::uint64_t marks[2] = {mark_of(part_of(numbers)), mark_of(part_of(sorted))};
    const int is_fine = is_sorted(sorted, part_of(sorted)) ? 1 : 0;
    std::uint64_t all_marks[2] = {};
    int are_fine = 0;
    MPI_Reduce(marks, all_marks, 2, MPI_UINT64_T, MPI_SUM, 0, MPI_COMM_WORLD);
    MPI_Reduce(&is_fine, &are_fine, 1, MPI_INT, MPI_MIN, 0, MPI_COMM_WORLD);
    if (!ranks.is_first())
        return;
    if (are_fine == 0 || all_marks[0] != all_marks[1] || sorted.rows() != numbers.rows())
        throw nk::error({.file = sorted_at.path(), .found = "not the numbers in order"});
    std::printf("%d ranks sorted %llu rows\n", ranks.size(), static_cast<unsigned long long>(sorted.rows()));
    std::printf("the same numbers, in order, from %lld to %lld\n", static_cast<long long>(sorted.rows(0, 1)(0)),
                static_cast<long long>(sorted.rows(sorted.rows() - 1, sorted.rows())(0)));
}

}  // namespace

int main(int argc, char** argv) { return run_on_ranks(argc, argv, run); }
