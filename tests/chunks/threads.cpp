// SPDX-License-Identifier: BSD-3-Clause
// Chunked arrays used by several threads.
#include "support/threads.hpp"
#include "chunks/dataset.hpp"

#include <atomic>
#include <functional>
#include <thread>

namespace chunks_threads_tests {

namespace nk = ndkeep;
using namespace dataset;

namespace {

using rows = xt::xtensor<std::int64_t, 2>;

rows row(std::int64_t who, std::int64_t what) { return rows{{who, what}}; }

}  // namespace

TEST_CASE("writers of one process wait for each other, in threads of their own", "[chunks][threads]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, row(9, 9), {.commit = unsynced});
    std::atomic<int> conflicts = 0;

    in_threads(3, [&](int who) {
        for (std::int64_t i = 0; i < 40;) {
            try {
                nk::chunk_writer<std::int64_t, 2> writer(path, {.rows_per_chunk = 8, .commit = unsynced});
                for (; i < 40; ++i) {
                    writer.append(row(who, i));
                    (void)writer.commit();
                }
            } catch (const nk::conflict_error&) {
                ++conflicts;  // another writer has swept
            }
        }
    });

    const auto all = nk::load_chunked<std::int64_t, 2>(path);
    REQUIRE(all.shape()[0] == 121);
    std::array<std::int64_t, 3> next = {0, 0, 0};
    for (std::size_t i = 1; i < 121; ++i)
        CHECK(next[static_cast<std::size_t>(all(i, 0))]++ == all(i, 1));
    CHECK(conflicts <= 6);
    nk::verify_chunked(path);
}

TEST_CASE("a merge reads, merges and writes chunks in threads of its own", "[chunks][merge][threads]") {
    using numbers = xt::xtensor<std::int64_t, 1>;
    const temp_dir dir;
    const auto path = dir / "a";
    const nk::run_options four{.threads = 4};
    const numbers even = xt::arange<std::int64_t>(0, 40'000, 2), odd = xt::arange<std::int64_t>(1, 40'000, 2);
    nk::save_chunked(path, even, {.rows_per_chunk = 1300, .order_by = "", .commit = unsynced});
    nk::chunk_writer<std::int64_t, 1> writer(path, {.rows_per_chunk = 700, .commit = unsynced, .run = four});

    writer.merge(odd, {.unique_by = {}});
    writer.merge(even, {.unique_by = {}});
    CHECK(writer.erase(10'000, 30'000) == 20'000);
    writer.commit();

    const numbers left =
        xt::concatenate(xt::xtuple(xt::arange<std::int64_t>(0, 10'000), xt::arange<std::int64_t>(30'000, 40'000)), 0);
    CHECK(same(nk::load_chunked<std::int64_t, 1>(path), left));
    nk::verify_chunked(path);
}

TEST_CASE("chunks are written, read and verified by several threads", "[chunks][threads]") {
    const temp_dir dir;
    const auto path = dir / "a";
    const nk::run_options four{.threads = 4};
    rows all(std::array<std::size_t, 2>{60'000, 2});
    for (std::size_t i = 0; i < all.size(); ++i)
        all.data()[i] = static_cast<std::int64_t>(i);

    nk::save_chunked(path, all, {.rows_per_chunk = 1300, .commit = unsynced, .run = four});

    CHECK(same(nk::load_chunked<std::int64_t, 2>(path, {.run = four}), all));
    CHECK(same(nk::map_chunked<std::int64_t, 2>(path, {.verify = true, .run = four}), all));
    CHECK(nk::findings_chunked(path, {.run = four}).empty());
    nk::compact_chunked(path, {.rows_per_chunk = 9000, .commit = unsynced, .run = four});
    check_rows(path, all);
}

TEST_CASE("one reader of chunks serves several threads", "[chunks][threads]") {
    const temp_dir dir;
    const auto path = dir / "a";
    rows all(std::array<std::size_t, 2>{5000, 2});
    for (std::size_t i = 0; i < all.size(); ++i)
        all.data()[i] = static_cast<std::int64_t>(i);
    nk::save_chunked(path, all, {.rows_per_chunk = 1100, .commit = unsynced});
    const nk::chunk_reader<std::int64_t, 2> reader(path);
    std::atomic<int> right = 0;

    in_threads(4, [&](int number) {
        for (int i = 0; i < 10; ++i) {
            right += same(reader.rows(0, 5000), all);
            right += same(reader.map(), all);
            right += same_chunk_by_chunk(reader, all);
            const auto [first, last] = reader.find(number * 100, number * 100);
            right += first == 0 && last == 1100;
        }
    });

    CHECK(right == 4 * 10 * 4);
}

TEST_CASE("a stop from another thread ends load_chunked and save_chunked", "[chunks][threads]") {
    const temp_dir dir;
    const auto path = dir / "a";
    const rows all = xt::ones<std::int64_t>({200'000, 2});
    nk::save_chunked(path, all, {.rows_per_chunk = 1000, .commit = unsynced});
    std::atomic<bool> stop = false;
    const auto stopped = [&](const std::function<void()>& call) {
        stop = false;
        std::thread other([&] { stop = true; });
        bool canceled = false;
        try {
            // The call may finish before the other thread starts, so it is repeated.
            for (int tries = 0; tries < 1000 && !canceled; ++tries)
                call();
        } catch (const nk::io_error& e) {
            canceled = e.code() == std::errc::operation_canceled;
        }
        other.join();
        return canceled;
    };

    CHECK(stopped([&] { (void)nk::load_chunked<std::int64_t, 2>(path, {.run = {.threads = 4, .stop = &stop}}); }));
    CHECK(stopped([&] {
        nk::save_chunked(path, all, {.rows_per_chunk = 1000, .commit = unsynced, .run = {.threads = 4, .stop = &stop}});
    }));
    CHECK(stopped([&] { (void)nk::findings_chunked(path, {.run = {.threads = 4, .stop = &stop}}); }));
    check_rows(path, all);
}

}  // namespace chunks_threads_tests
