// SPDX-License-Identifier: BSD-3-Clause
// What the programs of this folder share: the ranks of MPI, and arrays in a folder or a bucket.
#pragma once

#include <ndkeep/chunks.hpp>
#if defined(NDKEEP_EXAMPLES_HAVE_S3)
#include <ndkeep/s3.hpp>
#endif

#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>

#include <mpi.h>

/// The processes that share the work. One object exists in each of them, as long as MPI is used.
class all_ranks {
  public:
    all_ranks(int& argc, char**& argv) {
        MPI_Init(&argc, &argv);
        MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
        MPI_Comm_size(MPI_COMM_WORLD, &size_);
    }
    all_ranks(const all_ranks&) = delete;
    all_ranks& operator=(const all_ranks&) = delete;
    ~all_ranks() { MPI_Finalize(); }

    [[nodiscard]] int rank() const noexcept { return rank_; }
    [[nodiscard]] int size() const noexcept { return size_; }
    [[nodiscard]] bool is_first() const noexcept { return rank_ == 0; }
    [[nodiscard]] bool is_last() const noexcept { return rank_ + 1 == size_; }

  private:
    int rank_ = 0, size_ = 1;
};

/// An array in a folder, or in a bucket if `place` is "s3://BUCKET/PREFIX".
[[nodiscard]] inline ndkeep::dataset_location location_in(const std::string& place, const std::string& name) {
#if defined(NDKEEP_EXAMPLES_HAVE_S3)
    if (place.starts_with("s3://"))
        return ndkeep::s3(place) / name;
#else
    if (place.starts_with("s3://"))
        throw ndkeep::error({.file = place, .found = "in a bucket, but this program was built without S3"});
#endif
    return std::filesystem::path(place) / name;
}

/// Runs a program on all ranks. An error in one of them ends the others, which would wait for it.
/// @param program  called with the ranks, and with the place of the first argument, "." without one
template <class Program>
int run_on_ranks(int argc, char** argv, Program&& program) {
    const all_ranks ranks(argc, argv);
    try {
        program(ranks, std::string(argc > 1 ? argv[1] : "."));
        return 0;
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "rank %d: %s\n", ranks.rank(), problem.what());
        return MPI_Abort(MPI_COMM_WORLD, 1);
    }
}
