// SPDX-License-Identifier: BSD-3-Clause
// A forked child has connections of its own.
#include "s3/bucket.hpp"

#include <ndkeep/chunks.hpp>

#include <exception>

#include <sys/wait.h>
#include <unistd.h>

namespace s3_forks_tests {

namespace nk = ndkeep;

TEST_CASE("a reader is used by a process and by its forked children at the same time", "[s3]") {
    const auto where = s3test::folder();
    const xt::xtensor<double, 1> numbers = xt::arange(0.0, 4000.0);
    nk::save_chunked(where, numbers, {.rows_per_chunk = 100});
    const nk::chunk_reader<double, 1> readings(where);
    CHECK((readings.rows(0, 4000) == numbers));  // the connections are open now
    const auto read_often = [&] {
        for (int i = 0; i < 5; ++i)
            if (readings.rows(0, 4000) != numbers)
                return false;
        return true;
    };
    pid_t children[3];
    for (auto& child : children) {
        child = ::fork();
        if (child == 0) {
            try {
                ::_exit(read_often() ? 0 : 1);
            } catch (const std::exception&) {
                ::_exit(2);
            }
        }
        REQUIRE(child > 0);
    }
    CHECK(read_often());
    for (const auto child : children) {
        int status = -1;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(status == 0);
    }
}

}  // namespace s3_forks_tests
