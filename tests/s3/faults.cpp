// SPDX-License-Identifier: BSD-3-Clause
// Each request of a commit is cut, answered wrongly, repeated or delayed: nothing is lost, and nothing is there twice.
#include "s3/bucket.hpp"
#include "s3/services.hpp"

#include <ndkeep/chunks.hpp>

#include <set>
#include <string>
#include <vector>

namespace s3_fault_tests {

namespace nk = ndkeep;
using namespace std::chrono_literals;

xt::xtensor<double, 1> rows(std::size_t from, std::size_t to) {
    return xt::arange(static_cast<double>(from), static_cast<double>(to));
}

/// Commits rows through a proxy, which harms each request in each way, and returns what went wrong.
std::set<std::string> harmed(s3test::proxy between, const std::vector<std::string>& ways) {
    std::set<std::string> wrong;
    nk::s3_options options;
    options.endpoint = between.url();
    options.keep_for = 0s;
    options.transfer.patience = 10s;
    for (const auto& what : ways)
        for (std::size_t at = 0;; ++at) {
            const auto where = s3test::folder(options);
            between.rest();
            nk::save_chunked(where, rows(0, 100), {.rows_per_chunk = 60});
            bool is_acknowledged = false;
            {
                nk::chunk_writer<double, 1> sink(where);
                sink.append(rows(100, 150));
                between.harm(at, what);
                try {
                    (void)sink.commit();
                    is_acknowledged = true;
                } catch (const nk::error&) {
                    // Only a wrong 412 is believed.
                }
            }
            const bool was_harmed = between.seen() > at;
            between.rest();
            const auto found = nk::load_chunked<double, 1>(where);
            const bool is_whole = found == rows(0, 150);
            if (!is_whole && (is_acknowledged || found != rows(0, 100)))
                wrong.insert(what + " at " + std::to_string(at));
            if (!is_acknowledged && what != "412")
                wrong.insert(what + " at " + std::to_string(at) + " was given up");
            if (!was_harmed) {
                CHECK(at > 3);  // a chunk and a record at least, and looks before them
                break;
            }
        }
    return wrong;
}

// Two tests, which run at the same time.
TEST_CASE("a request of a commit that is lost or has no answer loses nothing and repeats nothing", "[s3][fault]") {
    CHECK(harmed(s3test::proxy(), {"cut", "deaf", "half", "twice", "late", "overtaken"}) == std::set<std::string>());
}

TEST_CASE("a request of a commit that has a wrong answer loses nothing and repeats nothing", "[s3][fault]") {
    CHECK(harmed(s3test::proxy(s3test::port_of_store()), {"500", "503", "409", "412", "500 after"}) ==
          std::set<std::string>());
}

}  // namespace s3_fault_tests
