// SPDX-License-Identifier: BSD-3-Clause
// The numbers of requests: over a network, each costs a round trip.
#include "s3/bucket.hpp"

#include <ndkeep/chunks.hpp>

#include <cstdint>

namespace s3_requests_tests {

namespace nk = ndkeep;
using rows = xt::xtensor<double, 1>;

/// Counts the requests of all locations of one bucket.
class counter {
  public:
    explicit counter(const nk::s3_location& of) : of_(of), last_(of.requests()) {}
    /// Since the last call.
    [[nodiscard]] std::uint64_t more() {
        const auto before = last_;
        last_ = of_.requests();
        return last_ - before;
    }

  private:
    const nk::s3_location& of_;
    std::uint64_t last_;
};

TEST_CASE("a commit makes at most three requests besides its puts", "[s3]") {
    const auto where = s3test::folder();
    nk::save_chunked(where, rows{1, 2, 3}, {.rows_per_chunk = 100});
    nk::chunk_writer<double, 1> sink(where, {.rows_per_chunk = 10});
    const rows ten = xt::arange(0.0, 10.0), hundred = xt::arange(0.0, 100.0);
    counter count(where);
    for (int i = 0; i < 5; ++i) {
        sink.append(hundred);
        const auto chunks = count.more();
        CHECK(chunks <= 11);
        (void)sink.commit();
        CHECK(count.more() <= 1 + 3);  // the record, and three questions
    }
    // Without sync, too: nothing is asked about each chunk.
    nk::chunk_writer<double, 1> quick(where, {.rows_per_chunk = 10, .commit = {.sync = false}});
    quick.append(hundred);
    (void)count.more();
    (void)quick.commit();
    CHECK(count.more() <= 1 + 3);
}

TEST_CASE("a version is opened with three requests, and each chunk is read with one", "[s3]") {
    const auto where = s3test::folder();
    const rows hundred = xt::arange(0.0, 100.0);
    nk::save_chunked(where, hundred, {.rows_per_chunk = 10});
    counter count(where);
    const nk::chunk_reader<double, 1> readings(where);
    CHECK(count.more() <= 3);
    std::size_t chunks = 0;
    for (const auto chunk : readings)
        chunks += chunk.size() == 10 ? 1 : 0;
    CHECK(chunks == 10);
    CHECK(count.more() == 10);
    CHECK((readings.rows(0, 100) == hundred));
    CHECK(count.more() == 10);
    CHECK(readings.rows(13, 14)(0) == 13);
    CHECK(count.more() == 1);
}

}  // namespace s3_requests_tests
