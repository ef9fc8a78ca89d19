// SPDX-License-Identifier: BSD-3-Clause
// Writers and gateways are killed at each request of a commit: what was acknowledged is there, and nothing by half.
#include "s3/bucket.hpp"
#include "s3/services.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/loop.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

namespace s3_kill_tests {

namespace nk = ndkeep;
using namespace std::chrono_literals;
using s3test::counting;
using s3test::same;

using vector = xt::xtensor<double, 1>;
using writer = nk::chunk_writer<double, 1>;

[[nodiscard]] nk::s3_options through(const std::string& url) {
    auto options = s3test::without_keeping();
    options.endpoint = url;
    options.transfer.patience = 40s;
    return options;
}

[[nodiscard]] vector load(const std::string& name) {
    return nk::load_chunked<double, 1>(s3test::bucket(s3test::without_keeping()) / name);
}

/// Whether these are rows 0 to 100, 150 or 160: those of a whole commit.
[[nodiscard]] bool is_whole(const vector& rows) {
    return (rows.size() == 100 || rows.size() == 150 || rows.size() == 160) && rows == counting(0, rows.size());
}

TEST_CASE("a writer that is killed at any request leaves whole commits, and none that was acknowledged is lost",
          "[s3][fault]") {
    for (const std::string what : {"hold", "hold after", "hold before"}) {
        s3test::proxy between(s3test::port_of_store());
        std::size_t at = 0;
        for (bool is_done = false; !is_done; ++at) {
            CAPTURE(what, at);
            const auto name = s3test::new_name();
            nk::save_chunked(s3test::bucket() / name, counting(0, 100), {.rows_per_chunk = 60});
            s3test::pipe_of_numbers acknowledged;
            between.harm(at, what);
            s3test::child victim([&] {
                writer sink(s3test::bucket(through(between.url())) / name);
                sink.append(counting(100, 150));
                (void)sink.commit();
                acknowledged.write(150);
                sink.append(counting(150, 160));
                (void)sink.commit();
                acknowledged.write(160);
            });
            acknowledged.close_writing();

            s3test::wait_until([&] { return between.seen() > at || victim.has_ended(); });
            is_done = between.seen() <= at;
            victim.kill();
            std::size_t sure = 100;
            while (const auto rows = acknowledged.read())
                sure = static_cast<std::size_t>(*rows);
            const auto found = load(name);
            between.rest();  // with "hold before", the request arrives now, while the next writer commits
            writer next(s3test::bucket(s3test::without_keeping()) / name);
            next.append(vector{-1});
            (void)next.commit();

            const auto all = load(name);
            CHECK(is_whole(found));
            CHECK(found.size() >= sure);
            CHECK(all(all.size() - 1) == -1);
            const vector before = xt::view(all, xt::range(0, all.size() - 1));
            CHECK(is_whole(before));
            CHECK(before.size() >= found.size());
            CHECK(nk::findings_chunked(s3test::bucket() / name).empty());
            if (is_done)
                CHECK(found.size() == 160);
        }
        CHECK(at > 8);  // each commit puts a chunk and a record
    }
}

TEST_CASE("a commit outlives its gateway, which is killed at any request and started again", "[s3][fault]") {
    if (!s3test::gateway::is_known()) {
        WARN("NDKEEP_S3_GATEWAY is not set: nothing checked");
        return;
    }
    s3test::gateway gate;
    s3test::proxy between(gate.port());
    std::size_t at = 0;
    for (bool is_done = false; !is_done; ++at) {
        // The request is lost, or its answer is.
        const std::string what = at % 2 == 0 ? "hold before" : "hold after";
        CAPTURE(what, at);
        const auto name = s3test::new_name();
        nk::save_chunked(s3test::bucket() / name, counting(0, 100), {.rows_per_chunk = 60});
        between.harm(at, what);
        s3test::child writing([&] {
            writer sink(s3test::bucket(through(between.url())) / name);
            sink.append(counting(100, 150));
            (void)sink.commit();
        });

        s3test::wait_until([&] { return between.seen() > at || writing.has_ended(); });
        is_done = between.seen() <= at;
        if (!is_done) {
            gate.kill();
            between.rest();
            gate.start();
        }

        CHECK(writing.wait());
        CHECK(same(load(name), counting(0, 150)));
        CHECK(nk::inspect_chunked(s3test::bucket() / name).commits == 2);
    }
    CHECK(at > 4);
}

TEST_CASE("a stream of commits goes on while its gateway is killed again and again", "[s3][fault]") {
    if (!s3test::gateway::is_known()) {
        WARN("NDKEEP_S3_GATEWAY is not set: nothing checked");
        return;
    }
    s3test::gateway gate;
    const auto name = s3test::new_name();
    nk::save_chunked(s3test::bucket() / name, counting(0, 1));
    s3test::pipe_of_numbers acknowledged;
    s3test::child writing([&] {
        writer sink(s3test::bucket(through(gate.url())) / name);
        for (std::size_t row = 1; row <= 60; ++row) {
            sink.append(counting(row, row + 1));
            (void)sink.commit();
            acknowledged.write(row);
        }
    });
    acknowledged.close_writing();

    for (const std::size_t at : {8u, 21u, 34u}) {
        for (std::size_t row = 0; row < at;)
            row = static_cast<std::size_t>(acknowledged.read().value());
        gate.kill();
        gate.start();
    }

    CHECK(writing.wait());
    CHECK(same(load(name), counting(0, 61)));
    nk::verify_chunked(s3test::bucket() / name);
}

TEST_CASE("a loop in a bucket that is killed and resumed puts each row out once", "[s3][fault][loop]") {
    constexpr std::size_t rows = 60, chunk_rows = 5;
    const auto from = s3test::new_name(), into = s3test::new_name();
    nk::save_chunked(s3test::bucket() / from, counting(0, rows), {.rows_per_chunk = chunk_rows});
    s3test::proxy between(s3test::port_of_store());

    std::size_t kills = 0;
    for (bool is_done = false; !is_done;) {
        const temp_dir dir;  // each pass runs on another machine, which has nothing but the bucket
        between.harm(14 + 3 * kills, kills % 2 == 0 ? "hold" : "hold after");
        s3test::child passing([&] {
            const auto bucket = s3test::bucket(through(between.url()));
            const nk::chunk_reader<double, 1> readings(bucket / from);
            writer sums(bucket / into);
            nk::stateful_loop loop(dir / "sums.state");
            auto& sum = loop.bind<double>("sum");
            for (const auto& chunk : loop.over(readings, {.verify = true}).into(sums)) {
                vector out = chunk;
                for (double& row : out)
                    row = sum += row;
                sums.append(out);
            }
        });
        s3test::wait_until([&] { return between.seen() > 14 + 3 * kills || passing.has_ended(); });
        is_done = passing.has_ended();
        if (is_done)
            REQUIRE(passing.wait());
        else
            ++kills;
        REQUIRE(kills < 50);
        passing.kill();
        between.rest();
    }

    CHECK(kills > 2);
    CHECK(same(load(into), vector(xt::cumsum(counting(0, rows)))));
    nk::verify_chunked(s3test::bucket() / into);
}

}  // namespace s3_kill_tests
