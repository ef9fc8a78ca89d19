// SPDX-License-Identifier: BSD-3-Clause
// Every kind of source: passes resume where they stopped, and changed sources are rejected.
#include "loop/visits.hpp"

#include <algorithm>
#include <chrono>

namespace loop_visits::source_tests {

namespace {

/// Checks one kind of source with two loops, as in two runs of a program: the first pass is interrupted, the second
/// resumes.
template <class Over>
void check_resumes(const temp_dir& dir, Over&& over) {
    const auto state = dir / "sum.state";
    {
        nk::stateful_loop loop(state, quick());
        auto& sum = loop.bind<std::int64_t>("sum");
        add_until(loop, sum, over(loop), 3);  // interrupted within chunk 2
        CHECK(sum == 1 + 2 + 3 + 4 + 5);
        CHECK(loop.index() == 1);
    }
    {
        nk::stateful_loop loop(state, quick());
        auto& sum = loop.bind<std::int64_t>("sum", 100);
        CHECK(sum == 6);
        CHECK(loop.rows_done() == 3);
        const auto seen = visits(loop, over(loop));
        CHECK(seen == lines{"1 3 2", "2 5 1 last"});
        CHECK(loop.is_complete());
        CHECK(loop.rows_done() == 6);
    }
    nk::stateful_loop loop(state, quick());
    CHECK_THROWS_AS(over(loop).begin(), nk::mismatch_error);  // "sum" is not bound
    (void)loop.bind<std::int64_t>("sum");
    CHECK(visits(loop, over(loop)).empty());
}

}  // namespace

// Resumed passes ------------------------------------------------------------------------------------------------------

TEST_CASE("a pass goes on where it was: chunked arrays", "[loop]") {
    const temp_dir dir;
    save_chunks(dir / "rows", chunks_of({3, 2, 1}));
    const nk::chunk_reader<std::int64_t, 1> reader(dir / "rows");
    check_resumes(dir, [&](nk::stateful_loop& loop) { return loop.over(reader); });
}

TEST_CASE("a pass goes on where it was: npy files", "[loop]") {
    const temp_dir dir;
    const auto chunks = chunks_of({3, 2, 1});
    std::vector<std::filesystem::path> files;
    for (std::size_t i = 0; i < chunks.size(); ++i)
        nk::save(files.emplace_back(dir / ("day_" + std::to_string(i) + ".npy")), chunks[i]);
    check_resumes(dir, [&](nk::stateful_loop& loop) { return loop.over<std::int64_t, 1>(files); });
}

TEST_CASE("a loop goes on whose file, name and source files have names that are not UTF-8", "[loop]") {
    const temp_dir dir;
    const auto chunks = chunks_of({3, 2, 1});
    std::vector<std::filesystem::path> files;
    for (std::size_t i = 0; i < chunks.size(); ++i)
        nk::save(files.emplace_back(dir / ("day\xff_" + std::to_string(i) + ".npy")), chunks[i]);
    const std::string name = GENERATE("", "mean\xff");
    const auto state = dir / "m\xff.state";
    {
        nk::stateful_loop loop(state, {.sync = false, .name = name});
        auto& sum = loop.bind<std::int64_t>("sum");
        add_until(loop, sum, loop.over<std::int64_t, 1>(files), 3);
    }

    nk::stateful_loop loop(state, {.sync = false, .name = name});
    auto& sum = loop.bind<std::int64_t>("sum");
    CHECK(visits(loop, loop.over<std::int64_t, 1>(files)) == lines{"1 3 2", "2 5 1 last"});
    CHECK(sum == 6);
}

TEST_CASE("a loop goes on over a mapped array, and into one, whose names are not UTF-8", "[loop]") {
    const temp_dir dir;
    nk::save(dir / "a\xff.npy", counting(1, 6));
    const auto run = [&](std::uint64_t broken_off) {
        const auto array = nk::map<std::int64_t, 1>(dir / "a\xff.npy");
        nk::chunk_writer<std::int64_t, 1> out(dir / "out\xff", {.commit = unsynced});
        nk::stateful_loop loop(dir / "m\xff.state", quick());
        for (const auto& chunk : loop.over(array, {.rows = 2}).into(out)) {
            if (loop.first_row() == broken_off)
                break;
            out.append(chunk);
        }
        return loop.rows_done();
    };

    CHECK(run(2) == 2);
    CHECK(run(100) == 6);

    CHECK(listed(nk::load_chunked<std::int64_t, 1>(dir / "out\xff")) == listed(counting(1, 6)));
}

TEST_CASE("a pass goes on where it was: archives, stored and compressed", "[loop]") {
    const bool compressed = GENERATE(false, true);
    const temp_dir dir;
    const auto chunks = chunks_of({3, 2, 1});
    nk::save_npz(dir / "a.npz", {{"x", chunks[0]}, {"y", chunks[1]}, {"z", chunks[2]}},
                 {.compress = compressed, .meta = {{"run", 7}}});
    const nk::npz_reader archive(dir / "a.npz");
    check_resumes(dir, [&](nk::stateful_loop& loop) { return loop.over<std::int64_t, 1>(archive); });
}

TEST_CASE("a pass goes on where it was: functions of a row", "[loop]") {
    const temp_dir dir;
    const auto chunk_at = [](std::uint64_t row) -> std::optional<ints> {
        const auto left = row < 3 ? 3 - row : row < 5 ? 5 - row : row < 6 ? 1 : 0;
        return left == 0 ? std::nullopt
                         : std::optional(counting(static_cast<std::int64_t>(row) + 1, static_cast<std::size_t>(left)));
    };
    {
        nk::stateful_loop loop(dir / "a.state", quick());
        auto& sum = loop.bind<std::int64_t>("sum");
        add_until(loop, sum, loop.over(chunk_at), 3);
    }
    nk::stateful_loop loop(dir / "a.state", quick());
    auto& sum = loop.bind<std::int64_t>("sum");
    CHECK(visits(loop, loop.over(chunk_at, {.warm_up = 2})) == lines{"1 1 2 warm-up", "1 3 2", "2 5 1"});
    CHECK(sum == 6);
}

TEST_CASE("a pass goes on where it was: arrays in blocks, mapped or not", "[loop]") {
    const temp_dir dir;
    const ints all = counting(1, 6);
    nk::save(dir / "all.npy", all);
    const auto mapped = nk::map<std::int64_t, 1>(dir / "all.npy");
    const auto check = [&](const auto& array, const std::string& name) {
        {
            nk::stateful_loop loop(dir / name, quick());
            auto& sum = loop.bind<std::int64_t>("sum");
            add_until(loop, sum, loop.over(array, {.rows = 2}), 2);
        }
        nk::stateful_loop loop(dir / name, quick());
        auto& sum = loop.bind<std::int64_t>("sum");
        for (auto block : loop.over(array, {.rows = 3})) {
            static_assert(std::is_same_v<decltype(block), nk::mapped<const std::int64_t, 1>>);
            CHECK(block.data() == array.data() + loop.first_row());
            sum += sum_of(block);
        }
        CHECK(sum == 21);
        CHECK(loop.index() == 3);  // blocks of 2, 3 and 1 rows
    };
    check(all, "a.state");
    check(mapped, "b.state");
}

TEST_CASE("a mapped array keeps its values when blocks behind are dropped from memory", "[loop]") {
    const temp_dir dir;
    // Odd numbers of rows, so that chunks meet within a page. Such pages exist only in memory, not in a file.
    const ints all = counting(1, 50'001);
    nk::save_chunked(dir / "rows", all, {.rows_per_chunk = 3'001, .commit = unsynced});
    const auto mapped = nk::map_chunked<std::int64_t, 1>(dir / "rows");

    nk::stateful_loop loop(dir / "a.state", quick(nk::at_end));
    for (const auto& block : loop.over(mapped, {.rows = 777}))
        REQUIRE(block(0) == static_cast<std::int64_t>(loop.first_row()) + 1);

    CHECK(std::equal(all.begin(), all.end(), mapped.begin()));
}

TEST_CASE("a source that does not know its end says finish", "[loop]") {
    const temp_dir dir;
    nk::stateful_loop loop(dir / "a.state", quick());
    auto& batches = loop.buffer<std::int64_t, 1>("batches");
    int given = 0;
    const auto feed = [&]() -> std::optional<ints> {
        if (++given == 3)
            loop.finish();
        return counting(given, 1);
    };

    std::vector<std::vector<std::int64_t>> got;
    for (const auto& chunk : loop.over(feed))
        if (const auto batch = batches.push(chunk))
            got.push_back(listed(*batch));

    CHECK(given == 3);  // the feed was not asked ahead
    CHECK(got == std::vector<std::vector<std::int64_t>>{{1, 2, 3}});
    CHECK(loop.is_complete());
}

TEST_CASE("a feed is not asked for the next chunk before this one counts", "[loop]") {
    const temp_dir dir;
    nk::stateful_loop loop(dir / "a.state", quick());
    int given = 0;
    const auto feed = [&]() -> std::optional<ints> {
        if (given > 0)
            CHECK(nk::npz_reader(dir / "a.state").text("state.json").find("\"rows\": " + std::to_string(given)) !=
                  std::string::npos);
        return given++ == 4 ? std::nullopt : std::optional(counting(1, 1));
    };
    for ([[maybe_unused]] const auto& chunk : loop.over(feed)) {
    }
    CHECK(given == 5);
}

TEST_CASE("a feed that ends without a word keeps its buffers for the next run", "[loop]") {
    const temp_dir dir;
    std::vector<std::vector<std::int64_t>> got;
    for (int run = 0; run < 2; ++run) {
        nk::stateful_loop loop(dir / "a.state", quick());
        auto& batches = loop.buffer<std::int64_t, 1>("batches", {.limit_bytes = 24});
        int given = 0;
        for (const auto& chunk : loop.over([&]() -> std::optional<ints> {
                 return given++ == 2 ? std::nullopt : std::optional(counting(run * 2 + given, 1));
             }))
            if (const auto batch = batches.push(chunk))
                got.push_back(listed(*batch));
        CHECK(batches.rows() == (run == 0 ? 2 : 1));
    }
    CHECK(got == std::vector<std::vector<std::int64_t>>{{1, 2, 3}});
}

TEST_CASE("a finished pass goes on with the chunks that have come since", "[loop]") {
    const temp_dir dir;
    save_chunks(dir / "rows", chunks_of({2, 2}));
    nk::stateful_loop loop(dir / "a.state", quick());
    auto& sum = loop.bind<std::int64_t>("sum");
    const auto pass = [&] {
        const nk::chunk_reader<std::int64_t, 1> reader(dir / "rows");
        std::size_t chunks = 0;
        for (const auto& chunk : loop.over(reader)) {
            sum += sum_of(chunk);
            ++chunks;
        }
        return chunks;
    };

    CHECK(pass() == 2);
    CHECK(pass() == 0);
    {
        nk::chunk_writer<std::int64_t, 1> writer(dir / "rows", {.commit = unsynced});
        writer.append(counting(5, 3));
        writer.commit();
    }
    CHECK(pass() == 1);
    CHECK(sum == 28);
    CHECK(loop.index() == 3);

    // Merging does not change rows: a pass that stopped within the merged chunk resumes within it.
    {
        nk::chunk_writer<std::int64_t, 1> writer(dir / "rows", {.commit = unsynced});
        writer.append(counting(8, 2));
        writer.commit();
    }
    nk::compact_chunked(dir / "rows", {.commit = unsynced});
    CHECK(nk::inspect_chunked(dir / "rows").chunks.size() == 1);
    CHECK(pass() == 1);
    CHECK(sum == 45);
}

// Rejected or converted sources ---------------------------------------------------------------------------------------

TEST_CASE("a source whose rows have changed is not gone on with", "[loop][error]") {
    const temp_dir dir;
    save_chunks(dir / "rows", chunks_of({2, 2, 2}));
    const auto run = [&](const std::filesystem::path& path, const nk::chunk_reader_options& options = {}) {
        const nk::chunk_reader<std::int64_t, 1> reader(path, options);
        nk::stateful_loop loop(dir / "a.state", quick());
        std::int64_t sum = 0;
        add_until(loop, sum, loop.over(reader), 2);
    };
    run(dir / "rows");
    const auto refused = [&](const auto& act) { return thrown<nk::mismatch_error>(act).field(); };

    SECTION("another dataset") {
        save_chunks(dir / "other", chunks_of({2, 2, 2}));
        CHECK(refused([&] { run(dir / "other"); }) == "source of the loop: dataset");
    }
    SECTION("rows that were written over") {
        nk::chunk_writer<std::int64_t, 1> writer(dir / "rows", {.commit = unsynced});
        writer.write(5, counting(0, 1));
        writer.commit();
        CHECK(refused([&] { run(dir / "rows"); }) == "source of the loop: rows");
    }
    SECTION("an older version") {
        CHECK(refused([&] { run(dir / "rows", {.at_commit = 2}); }) == "source of the loop: commit");
    }
    SECTION("a commit that was lost, and made again") {
        const auto newest = dir / "rows/commits/00000000000000000003.json";
        std::filesystem::remove(newest);
        nk::chunk_writer<std::int64_t, 1> writer(dir / "rows", {.commit = unsynced});
        writer.append(counting(9, 2));
        writer.commit();
        CHECK(refused([&] { run(dir / "rows"); }) == "source of the loop: id of a commit");
    }
    SECTION("a source of another kind") {
        nk::stateful_loop loop(dir / "a.state", quick());
        const ints all = counting(1, 6);
        CHECK(refused([&] { (void)loop.over(all).begin(); }) == "source of the loop: kind");
    }
    SECTION("the same, as far as was pruned") {
        for (int i = 0; i < 3; ++i) {
            nk::chunk_writer<std::int64_t, 1> writer(dir / "rows", {.commit = unsynced});
            writer.append(counting(1, 1));
            writer.commit();
        }
        nk::prune_chunked(dir / "rows", {.keep = 1});
        run(dir / "rows");
        CHECK(nk::stateful_loop(dir / "a.state", quick()).rows_done() == 2);
    }
}

TEST_CASE("files and members that cannot be mapped are converted", "[loop]") {
    const temp_dir dir;
    const xt::xtensor<double, 2, xt::layout_type::column_major> columns = {{1, 2, 3}, {4, 5, 6}};
    const xt::xtensor<double, 2> rows = columns;
    nk::save(dir / "columns.npy", columns);
    nk::any_array big(nk::dtype::parse(">f8"), {2, 3});
    nk::conversion(nk::dtype_of<double>(), big.type())
        .run(big.bytes().data(), reinterpret_cast<const std::byte*>(rows.data()), 6);
    nk::save(dir / "big.npy", big);
    nk::save_npz(dir / "a.npz", {{"columns", columns}, {"big", big}, {"rows", rows, {.compress = true}}});
    const nk::npz_reader archive(dir / "a.npz");
    nk::stateful_loop loop(dir / "a.state", quick()), other(dir / "b.state", quick());

    int visited = 0;
    for (const auto& chunk : loop.over<double, 2>({dir / "columns.npy", dir / "big.npy"}))
        visited += std::equal(rows.begin(), rows.end(), chunk.begin());
    for (const auto& chunk : other.over<double, 2>(archive, {.verify = true}))
        visited += std::equal(rows.begin(), rows.end(), chunk.begin());
    CHECK(visited == 5);

    nk::stateful_loop third(dir / "c.state", quick());
    CHECK(visits(third, third.over<double, 2>(archive, {.first_row = 3})) == lines{"0 3 1", "1 4 2 last"});
    nk::stateful_loop fourth(dir / "d.state", quick());
    CHECK_THROWS_AS((fourth.over<float, 2>(archive).begin()), nk::mismatch_error);
}

TEST_CASE("a chunk that cannot be had is an error when it is its turn", "[loop][error]") {
    const temp_dir dir;
    const auto chunks = chunks_of({2, 2, 2});
    save_chunks(dir / "rows", chunks);
    const nk::chunk_reader<std::int64_t, 1> reader(dir / "rows");
    const auto third = dir / "rows/chunks" / reader.version().entries()[2].file;

    SECTION("missing") {
        std::filesystem::remove(third);
        nk::stateful_loop loop(dir / "a.state", quick());
        std::size_t bodies = 0;
        CHECK_THROWS_AS(
            [&] {
                for ([[maybe_unused]] const auto& chunk : loop.over(reader))
                    ++bodies;
            }(),
            nk::format_error);
        CHECK(bodies == 2);
        CHECK(loop.rows_done() == 4);
    }
    SECTION("damaged, where checksums are asked for") {
        auto text = read_text(third);
        text.back() = static_cast<char>(text.back() ^ 1);
        write_text(third, text);
        nk::stateful_loop loop(dir / "a.state", quick());
        std::size_t bodies = 0;
        for ([[maybe_unused]] const auto& chunk : loop.over(reader))
            ++bodies;
        CHECK(bodies == 3);
        nk::stateful_loop careful(dir / "b.state", quick());
        CHECK_THROWS_AS(
            [&] {
                for ([[maybe_unused]] const auto& chunk : careful.over(reader, {.verify = true}))
                    ++bodies;
            }(),
            nk::checksum_error);
        CHECK(bodies == 5);
    }
}

TEST_CASE("chunks in another byte order are converted", "[loop]") {
    const temp_dir dir;
    const ints all = counting(1, 10);
    nk::any_array big(nk::dtype::parse(">i8"), {10});
    nk::conversion(nk::dtype_of<std::int64_t>(), big.type())
        .run(big.bytes().data(), reinterpret_cast<const std::byte*>(all.data()), 10);
    nk::save_chunked(dir / "rows", big, {.rows_per_chunk = 4, .commit = unsynced});
    const nk::chunk_reader<std::int64_t, 1> reader(dir / "rows");
    nk::stateful_loop loop(dir / "a.state", quick());
    std::vector<std::int64_t> got;
    for (const auto& chunk : loop.over(reader))
        got.insert(got.end(), chunk.begin(), chunk.end());
    CHECK(got == listed(all));
}

TEST_CASE("what no pass can go over is no source", "[loop]") {
    const auto view = xt::view(counting(1, 6), xt::range(1, 3));
    static_assert(!nk::loop_source<decltype(view)&>);
    static_assert(!nk::loop_source<std::vector<std::string>&>);
    static_assert(!nk::loop_source<std::string&>);
    static_assert(!nk::loop_source<int&>);
    static_assert(nk::loop_source<std::vector<std::vector<double>>&>);
    static_assert(nk::loop_source<const xt::xarray<double>&>);
    static_assert(nk::loop_source<nk::mapped<const double, 2>&>);
    CHECK_THROWS_AS(nk::stateful_loop(""), nk::io_error);
    CHECK_THROWS_AS(nk::stateful_loop("/tmp/"), nk::io_error);
    (void)nk::cadence(std::chrono::hours::max());
    (void)nk::cadence(std::chrono::duration<double>(1e300));
    CHECK_THROWS_AS(nk::cadence(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN())),
                    nk::mismatch_error);
}

}  // namespace loop_visits::source_tests
