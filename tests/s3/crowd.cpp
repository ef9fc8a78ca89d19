// SPDX-License-Identifier: BSD-3-Clause
// Several processes write one array in a bucket, and others read it meanwhile.
#include "s3/bucket.hpp"
#include "s3/services.hpp"

#include <ndkeep/chunks.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace s3_crowd_tests {

namespace nk = ndkeep;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr std::size_t commit_rows = 3;
constexpr std::uint64_t span = 1'000'000;  // of the numbers of one writer

/// The number of rows of each writer, which are complete commits in its order.
[[nodiscard]] std::map<std::uint64_t, std::uint64_t> counted(const xt::xtensor<double, 1>& rows) {
    std::map<std::uint64_t, std::uint64_t> counts;
    for (const double row : rows) {
        const auto number = static_cast<std::uint64_t>(row);
        if (number % span != counts[number / span]++)
            throw std::runtime_error("row " + std::to_string(number) + " is missing or there twice");
    }
    for (const auto& [who, count] : counts)
        if (count % commit_rows != 0)
            throw std::runtime_error("a part of a commit is visible");
    return counts;
}

TEST_CASE("each acknowledged row of four writers is there once, and readers see whole commits in their order",
          "[s3][fault]") {
    const auto name = s3test::new_name();
    nk::save_chunked(s3test::bucket() / name, xt::xtensor<double, 1>(xt::arange<double>(3)));
    const auto end = clock::now() + 5s;
    constexpr std::uint64_t writers = 4;
    std::vector<std::unique_ptr<s3test::pipe_of_numbers>> acknowledged;
    std::vector<std::unique_ptr<s3test::child>> all;
    for (std::uint64_t who = 1; who <= writers; ++who) {
        auto& pipe = *acknowledged.emplace_back(std::make_unique<s3test::pipe_of_numbers>());
        all.push_back(std::make_unique<s3test::child>([&] {
            nk::chunk_writer<double, 1> sink(s3test::bucket() / name, {.rows_per_chunk = 40});
            for (std::uint64_t row = 0; clock::now() < end; row += commit_rows) {
                const auto first = static_cast<double>(who * span + row);
                sink.append(xt::xtensor<double, 1>(xt::arange(first, first + commit_rows)));
                (void)sink.commit();
                pipe.write(row + commit_rows);
            }
        }));
        pipe.close_writing();
    }
    for (int reader = 0; reader < 2; ++reader)
        all.push_back(std::make_unique<s3test::child>([&] {
            std::uint64_t commit = 0, passes = 0;
            std::map<std::uint64_t, std::uint64_t> before;
            for (; clock::now() < end; ++passes) {
                const nk::chunk_reader<double, 1> readings(s3test::bucket() / name);
                const auto now = counted(readings.rows(0, readings.rows()));
                for (const auto& [who, count] : before)
                    if (!now.contains(who) || now.at(who) < count)
                        throw std::runtime_error("rows are gone");
                const auto number = nk::inspect_chunked(s3test::bucket() / name).commit;
                if (number < commit)
                    throw std::runtime_error("an older commit is the newest");
                commit = number;
                before = now;
            }
            if (passes < 3)
                throw std::runtime_error("hardly a pass");
        }));
    for (auto& each : all)
        CHECK(each->wait());

    const auto rows = counted(nk::load_chunked<double, 1>(s3test::bucket() / name));
    std::uint64_t commits = 0;
    for (std::uint64_t who = 1; who <= writers; ++who) {
        std::uint64_t last = 0;
        while (const auto number = acknowledged[who - 1]->read())
            last = *number;
        CAPTURE(who, last);
        CHECK(last > 0);
        CHECK(rows.at(who) == last);
        commits += last / commit_rows;
    }
    CHECK(nk::inspect_chunked(s3test::bucket() / name).commit == commits + 1);
    nk::verify_chunked(s3test::bucket() / name);
}

}  // namespace s3_crowd_tests
