// SPDX-License-Identifier: BSD-3-Clause
// What bodies see, and what is remembered of them, over every kind of source.
#include "loop/loop.hpp"

#include <sstream>

namespace loop_cases_tests {

namespace nk = ndkeep;
using namespace looptest;

namespace {

/// "index first_row rows last" of each visit.
template <class Pass>
std::vector<std::string> visits(nk::stateful_loop& loop, Pass&& pass) {
    std::vector<std::string> seen;
    for (const auto& chunk : pass) {
        std::ostringstream line;
        line << loop.index() << ' ' << loop.first_row() << ' ' << chunk.shape()[0] << (loop.is_last() ? " last" : "")
             << (loop.is_warm_up() ? " warm-up" : "");
        seen.push_back(line.str());
    }
    return seen;
}

using lines = std::vector<std::string>;

/// Adds up chunks until one begins at `broken_off`, which leaves by `break`.
template <class Pass>
void add_until(nk::stateful_loop& loop, std::int64_t& sum, Pass&& pass, std::uint64_t broken_off) {
    for (const auto& chunk : pass) {
        sum += sum_of(chunk);
        if (loop.first_row() == broken_off)
            break;
    }
}

/// A pass that is broken off and one that goes on, each in a loop of its own as in two runs of a program, by way of
/// every kind of source.
template <class Over>
void check_resumes(const temp_dir& dir, Over&& over) {
    const auto state = dir / "sum.state";
    {
        nk::stateful_loop loop(state, quick());
        auto& sum = loop.bind<std::int64_t>("sum");
        add_until(loop, sum, over(loop), 3);  // within chunk 2
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

TEST_CASE("bodies are told which chunk they have", "[loop]") {
    const temp_dir dir;
    auto source = chunks_of({1, 1, 1});

    nk::stateful_loop loop(dir / "a.state", quick());
    CHECK(visits(loop, loop.over(source)) == lines{"0 0 1", "1 1 1", "2 2 1 last"});
    CHECK(std::filesystem::exists(dir / "a.state"));
}

TEST_CASE("an empty source is not visited, and leaves no checkpoint", "[loop]") {
    const temp_dir dir;
    std::vector<ints> none;

    nk::stateful_loop loop(dir / "a.state", quick());
    CHECK(visits(loop, loop.over(none)).empty());
    CHECK(visits(loop, loop.over<std::int64_t, 1>(std::vector<std::filesystem::path>())).empty());
    CHECK_FALSE(std::filesystem::exists(dir / "a.state"));
}

TEST_CASE("what was committed wins over what is offered first", "[loop]") {
    const temp_dir dir;
    for (const std::int64_t offered : {0, 100}) {
        nk::stateful_loop loop(dir / "a.state", quick());
        auto& sum = loop.bind<std::int64_t>("sum", offered);
        std::vector<ints> source = {counting(offered == 0 ? 1 : 4, 1), counting(offered == 0 ? 2 : 5, 1)};
        for (const auto& chunk : loop.over(source))
            sum += sum_of(chunk);
        CHECK(sum == (offered == 0 ? 3 : 12));
    }
}

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
    // Odd rows, so that chunks meet within pages, which are nowhere but in memory.
    const ints all = counting(1, 50'001);
    nk::save_chunked(dir / "rows", all, {.rows_per_chunk = 3'001, .commit = unsynced});
    const auto mapped = nk::map_chunked<std::int64_t, 1>(dir / "rows");

    nk::stateful_loop loop(dir / "a.state", quick(nk::at_end));
    for (const auto& block : loop.over(mapped, {.rows = 777}))
        REQUIRE(block(0) == static_cast<std::int64_t>(loop.first_row()) + 1);

    CHECK(std::equal(all.begin(), all.end(), mapped.begin()));
}

TEST_CASE("a body that throws, breaks or returns leaves the last commit", "[loop]") {
    const temp_dir dir;
    save_chunks(dir / "rows", chunks_of({1, 1, 1}));
    const nk::chunk_reader<std::int64_t, 1> reader(dir / "rows");
    const int how = GENERATE(0, 1, 2);
    const bool in_the_last = GENERATE(false, true);
    const std::uint64_t where = in_the_last ? 2 : 1;

    nk::stateful_loop loop(dir / "a.state", quick());
    auto& sum = loop.bind<std::int64_t>("sum");
    const auto body = [&] {
        for (const auto& chunk : loop.over(reader)) {
            sum += sum_of(chunk);
            if (loop.index() != where)
                continue;
            if (how == 0)
                throw std::runtime_error("enough");
            if (how == 1)
                break;
            return;
        }
    };
    try {
        body();
    } catch (const std::runtime_error&) {
        CHECK(how == 0);
    }
    CHECK(sum == (in_the_last ? 6 : 3));  // what the body did stays for now
    CHECK_FALSE(loop.is_complete());

    SECTION("for the next pass of the same loop") {
        for (const auto& chunk : loop.over(reader)) {
            if (loop.index() == where)
                CHECK(sum == (in_the_last ? 3 : 1));
            sum += sum_of(chunk);
        }
        CHECK(sum == 6);
        CHECK(loop.index() == 3);
    }
}

TEST_CASE("what bodies do counts at the cadence that was asked for", "[loop]") {
    const temp_dir dir;
    auto source = chunks_of({1, 1, 1, 1, 1});
    const auto rows_kept = [&](nk::cadence every, std::uint64_t broken_off) {
        std::filesystem::remove(dir / "a.state");
        {
            nk::stateful_loop loop(dir / "a.state", quick(every));
            std::int64_t sum = 0;
            add_until(loop, sum, loop.over(source), broken_off);
        }
        return nk::stateful_loop(dir / "a.state", quick()).rows_done();
    };

    CHECK(rows_kept(1, 3) == 3);
    CHECK(rows_kept(2, 3) == 2);
    CHECK(rows_kept(std::chrono::hours(1), 3) == 0);
    CHECK(rows_kept(std::chrono::seconds(0), 3) == 3);
    CHECK(rows_kept(nk::at_end, 3) == 0);
    CHECK(rows_kept(nk::at_end, 99) == 5);
    CHECK(rows_kept(2, 99) == 5);
    CHECK_THROWS_AS(nk::cadence(0), nk::mismatch_error);
    CHECK_THROWS_AS(nk::cadence(std::chrono::seconds(-1)), nk::mismatch_error);
}

TEST_CASE("stop ends a pass after the chunk at hand, with a commit", "[loop]") {
    const temp_dir dir;
    auto source = chunks_of({1, 1, 1});
    std::atomic<bool> interrupted = false;
    const int how = GENERATE(0, 1, 2);
    {
        nk::stateful_loop loop(dir / "a.state", quick(nk::at_end));
        auto& sum = loop.bind<std::int64_t>("sum");
        const auto told = [&](const nk::progress& now) {
            CHECK(now.phase == "loop");
            return how == 2 && now.items == 2 ? nk::flow::stop : nk::flow::go;
        };
        for (const auto& chunk : loop.over(source, {.run = {.progress = told, .stop = &interrupted}})) {
            sum += sum_of(chunk);
            if (how == 2)
                std::this_thread::sleep_for(nk::progress_meter::interval);  // or it is not asked
            if (loop.index() == 1 && how == 0)
                loop.stop();
            if (loop.index() == 1 && how == 1)
                interrupted = true;
        }
        CHECK(sum == 3);
        CHECK(loop.rows_done() == 2);
        CHECK_FALSE(loop.is_complete());
    }
    nk::stateful_loop loop(dir / "a.state", quick());
    CHECK(loop.bind<std::int64_t>("sum") == 3);
    CHECK(loop.rows_done() == 2);
}

TEST_CASE("a pass that is stopped before it begins shows nothing, and is no error", "[loop]") {
    const temp_dir dir;
    auto source = chunks_of({1});
    const std::atomic<bool> stop = true;
    nk::stateful_loop loop(dir / "a.state", quick());
    CHECK(visits(loop, loop.over(source, {.run = {.stop = &stop}})).empty());
    const auto refuse = [](const nk::progress&) { return nk::flow::stop; };
    CHECK(visits(loop, loop.over(source, {.run = {.progress = refuse}})).empty());
    CHECK_FALSE(loop.is_complete());
    CHECK(visits(loop, loop.over(source)) == lines{"0 0 1 last"});
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

    CHECK(given == 3);  // nobody looked ahead
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

    // Merging changes no row: a pass that ended within what is now one chunk goes on within it.
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

TEST_CASE("a file of a list that was appended to goes on where it ended", "[loop]") {
    const temp_dir dir;
    nk::save(dir / "log.npy", counting(1, 2));
    nk::stateful_loop loop(dir / "a.state", quick());
    auto& sum = loop.bind<std::int64_t>("sum");
    const auto pass = [&] {
        for (const auto& chunk : loop.over<std::int64_t, 1>({dir / "log.npy"}))
            sum += sum_of(chunk);
        return sum;
    };

    CHECK(pass() == 3);
    nk::append(dir / "log.npy", counting(3, 2));
    CHECK(pass() == 10);
    CHECK(pass() == 10);
}

TEST_CASE("rows before the first are shown again for windows to fill, and count for nothing", "[loop]") {
    const temp_dir dir;
    save_chunks(dir / "rows", chunks_of({2, 2, 2}));
    const nk::chunk_reader<std::int64_t, 1> reader(dir / "rows");
    {
        nk::stateful_loop loop(dir / "a.state", quick());
        auto& sum = loop.bind<std::int64_t>("sum");
        add_until(loop, sum, loop.over(reader), 4);
    }
    nk::stateful_loop loop(dir / "a.state", quick());
    auto& sum = loop.bind<std::int64_t>("sum");
    auto& rows = loop.buffer<std::int64_t, 1>("rows");
    std::vector<std::int64_t> window;
    lines seen;
    for (const auto& chunk : loop.over(reader, {.warm_up = 3})) {
        seen.push_back(std::to_string(loop.first_row()) + (loop.is_warm_up() ? " warm-up" : ""));
        window.insert(window.end(), chunk.begin(), chunk.end());
        sum += sum_of(chunk);  // also where it is shown again
        if (const auto all = rows.push(chunk))
            CHECK(listed(*all) == std::vector<std::int64_t>{5, 6});
    }

    CHECK(seen == lines{"1 warm-up", "2 warm-up", "4"});
    CHECK(window == std::vector<std::int64_t>{2, 3, 4, 5, 6});
    CHECK(sum == 21);
}

TEST_CASE("what is asked for while rows are shown again counts for nothing", "[loop]") {
    const temp_dir dir;
    // Days of two chunks: the second says that it is the last.
    std::uint64_t days = 1;
    const auto day = [&](nk::stateful_loop& loop) {
        return [&](std::uint64_t row) -> std::optional<ints> {
            if (row >= days * 4)
                return std::nullopt;
            if (row % 4 >= 2)
                loop.finish();
            return counting(static_cast<std::int64_t>(row) + 1, 2);
        };
    };
    nk::stateful_loop loop(dir / "a.state", quick());
    CHECK(visits(loop, loop.over(day(loop))) == lines{"0 0 2", "1 2 2 last"});
    days = 2;
    CHECK(visits(loop, loop.over(day(loop), {.warm_up = 2})) == lines{"2 2 2 warm-up", "2 4 2", "3 6 2 last"});

    auto& sum = loop.bind<std::int64_t>("sum");
    days = 3;
    std::atomic<bool> interrupted = false;
    const bool from_outside = GENERATE(false, true);
    for (const auto& chunk : loop.over(day(loop), {.warm_up = 2, .run = {.stop = &interrupted}})) {
        sum += sum_of(chunk);
        interrupted = from_outside;
        if (loop.is_warm_up())
            loop.stop();
    }
    CHECK(sum == (from_outside ? 0 : 9 + 10 + 11 + 12));
    CHECK(loop.rows_done() == (from_outside ? 8 : 12));
    CHECK(loop.is_complete() == !from_outside);
}

TEST_CASE("a pass begins at the first row that is asked for, as far as nothing was committed", "[loop]") {
    const temp_dir dir;
    const auto chunks = chunks_of({2, 2, 2});
    save_chunks(dir / "rows", chunks);
    const nk::chunk_reader<std::int64_t, 1> reader(dir / "rows");
    nk::stateful_loop loop(dir / "a.state", quick());

    CHECK(visits(loop, loop.over(reader, {.warm_up = 2, .first_row = 3})) ==
          lines{"0 1 1 warm-up", "0 2 1 warm-up", "0 3 1", "1 4 2 last"});
    CHECK(visits(loop, loop.over(reader, {.first_row = 0})).empty());

    nk::stateful_loop other(dir / "b.state", quick());
    CHECK(visits(other, other.over(reader, {.first_row = 6})).empty());
    CHECK_THROWS_AS(other.over(reader, {.first_row = 7}).begin(), nk::mismatch_error);
    const ints all = counting(1, 6);
    CHECK(visits(other, other.over(all, {.rows = 2, .warm_up = 9, .first_row = 1})) ==
          lines{"0 0 1 warm-up", "0 1 2", "1 3 2", "2 5 1 last"});
    auto range = chunks;
    CHECK_THROWS_AS(loop.over(range, {.warm_up = 1}), nk::mismatch_error);
    CHECK_THROWS_AS(loop.over(range, {.first_row = 1}), nk::mismatch_error);
    CHECK_THROWS_AS(loop.over(range, {.verify = true}), nk::mismatch_error);
}

TEST_CASE("buffers give back what they hold once there is enough of it, and on the last chunk", "[loop]") {
    const temp_dir dir;
    auto source = chunks_of({2, 2, 2, 2});
    const auto flushes = [&](std::uint64_t limit) {
        std::filesystem::remove(dir / "a.state");
        nk::stateful_loop loop(dir / "a.state", quick());
        auto& buffer = loop.buffer<std::int64_t, 1>("rows", {.limit_bytes = limit});
        std::vector<std::size_t> sizes;
        for (const auto& chunk : loop.over(source)) {
            const auto all = buffer.push(chunk);
            sizes.push_back(all ? all->size() : 0);
        }
        return sizes;
    };

    CHECK(flushes(32) == std::vector<std::size_t>{0, 4, 0, 4});
    CHECK(flushes(1) == std::vector<std::size_t>{2, 2, 2, 2});
    // What would exceed the limit waits for its turn; on the last chunk nothing does.
    CHECK(flushes(40) == std::vector<std::size_t>{0, 0, 4, 4});
    CHECK(flushes(1'000'000'000) == std::vector<std::size_t>{0, 0, 0, 8});
}

TEST_CASE("a keyed buffer counts all keys together", "[loop]") {
    const temp_dir dir;
    auto source = chunks_of({1, 1, 1});
    nk::stateful_loop loop(dir / "a.state", quick());
    auto& buffer = loop.keyed_buffer<std::int64_t, 1>("by site", {.limit_bytes = 40});
    std::vector<std::map<std::string, std::vector<std::int64_t>>> got;
    for ([[maybe_unused]] const auto& chunk : loop.over(source)) {
        auto all = loop.index() == 0   ? buffer.push({{"x", counting(1, 2)}, {"y/..", counting(10, 1)}})
                   : loop.index() == 1 ? buffer.push({{"x", counting(3, 2)}})
                                       : buffer.push(std::vector<nk::keyed_rows>());
        got.emplace_back();
        if (all)
            for (const auto& [key, rows] : *all)
                got.back()[key] = listed(rows);
    }
    CHECK(got[0].empty());
    CHECK(got[1] == std::map<std::string, std::vector<std::int64_t>>{{"x", {1, 2, 3, 4}}, {"y/..", {10}}});
    CHECK(got[2].empty());
}

TEST_CASE("buffers cascade, hold copies, and survive an interruption", "[loop]") {
    const temp_dir dir;
    save_chunks(dir / "rows", chunks_of({1, 1, 1, 1}));
    std::vector<std::uint64_t> reached;
    std::vector<std::vector<std::int64_t>> got;
    const auto run = [&](std::uint64_t broken_off) {
        const nk::chunk_reader<std::int64_t, 1> reader(dir / "rows");
        nk::stateful_loop loop(dir / "a.state", quick());
        auto& first = loop.buffer<std::int64_t, 1>("first", {.limit_bytes = 16});
        auto& second = loop.buffer<std::int64_t, 1>("second", {.limit_bytes = 32});
        for (const auto& chunk : loop.over(reader)) {
            ints copy = chunk;
            const auto two = first.push(copy);
            copy.fill(-1);
            if (loop.index() == broken_off)
                break;
            if (!two)
                continue;
            reached.push_back(loop.index());
            if (const auto four = second.push(*two))
                got.push_back(listed(*four));
        }
    };
    run(2);
    run(9);

    CHECK(reached == std::vector<std::uint64_t>{1, 3});
    CHECK(got == std::vector<std::vector<std::int64_t>>{{1, 2, 3, 4}});
}

TEST_CASE("buffers refuse rows of another kind", "[loop][error]") {
    const temp_dir dir;
    nk::stateful_loop loop(dir / "a.state", quick());
    auto& buffer = loop.buffer<std::int64_t>("rows");
    (void)buffer.push(xt::xtensor<std::int64_t, 2>(xt::ones<std::int64_t>({2, 3})));
    const auto shape = thrown<nk::mismatch_error>([&] {
        (void)buffer.push(xt::xtensor<std::int64_t, 2>(xt::ones<std::int64_t>({2, 4})));
    });
    CHECK(shape.field() == "buffer 'rows': shape of a row");
    CHECK(shape.expected() == "(3,)");
    CHECK(shape.found() == "(4,)");
    CHECK_THROWS_AS(buffer.push(xt::xtensor<double, 2>({{1.0, 2.0, 3.0}})), nk::mismatch_error);
    CHECK(buffer.rows() == 2);
    CHECK(buffer.flush()->size() == 6);
    CHECK_FALSE(buffer.flush().has_value());
}

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

TEST_CASE("lists are compared by names, sizes and order, as far as they were passed over", "[loop][error]") {
    const temp_dir dir;
    std::vector<std::filesystem::path> files;
    for (const char* const name : {"a.npy", "b.npy", "c.npy", "d.npy"})
        nk::save(files.emplace_back(dir / name), counting(1, 2));
    const auto run = [&](const std::vector<std::filesystem::path>& list) {
        nk::stateful_loop loop(dir / "a.state", quick());
        std::int64_t sum = 0;
        add_until(loop, sum, loop.over<std::int64_t, 1>(list), 6);
        return loop.rows_done();
    };
    CHECK(run(files) == 6);
    const auto refused = [&](const std::vector<std::filesystem::path>& list) {
        return thrown<nk::mismatch_error>([&] { (void)run(list); }).field();
    };

    CHECK(refused({files[1], files[0], files[2], files[3]}) == "source of the loop: items");
    CHECK(refused({files[0], files[1], files[3], files[2]}) == "source of the loop: file");
    CHECK(refused({files[0], files[1]}) == "source of the loop: items");
    nk::save(files[1], counting(1, 3));
    CHECK(refused(files) == "source of the loop: items");
    nk::save(files[1], counting(1, 2));

    // Elsewhere they are the same, and what was not reached yet may be anything.
    std::filesystem::create_directory(dir / "moved");
    for (auto& file : files) {
        std::filesystem::rename(file, dir / "moved" / file.filename());
        file = dir / "moved" / file.filename();
    }
    nk::save(files[3], counting(1, 9));
    CHECK(run(files) == 6);  // broken off at row 6
    nk::stateful_loop loop(dir / "a.state", quick());
    CHECK(visits(loop, loop.over<std::int64_t, 1>(files)) == lines{"3 6 9 last"});
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

TEST_CASE("one loop at a time has a file, and one pass at a time a loop", "[loop][error]") {
    const temp_dir dir;
    auto source = chunks_of({1, 1});
    nk::stateful_loop loop(dir / "a.state", quick());
    const auto taken = thrown<nk::conflict_error>([&] { nk::stateful_loop(dir / "a.state"); });
    CHECK(taken.file() == dir / "a.state");
    CHECK(taken.found() == "in use");
    for ([[maybe_unused]] const auto& chunk : loop.over(source))
        CHECK_THROWS_AS(loop.over(source).begin(), nk::conflict_error);
    CHECK(loop.rows_done() == 2);
    CHECK_THROWS_AS(nk::stateful_loop(dir / "nowhere/a.state"), nk::io_error);
}

TEST_CASE("progress counts the rows that are left", "[loop]") {
    const temp_dir dir;
    save_chunks(dir / "rows", chunks_of({2, 2, 2}));
    const nk::chunk_reader<std::int64_t, 1> reader(dir / "rows");
    nk::stateful_loop loop(dir / "a.state", quick());
    std::int64_t sum = 0;
    add_until(loop, sum, loop.over(reader), 2);

    std::vector<std::pair<std::uint64_t, std::uint64_t>> told;
    const auto listen = [&](const nk::progress& now) {
        told.emplace_back(now.items, now.items_total);
        return nk::flow::go;
    };
    for ([[maybe_unused]] const auto& chunk : loop.over(reader, {.run = {.progress = listen}})) {
    }
    CHECK(told.front() == std::pair<std::uint64_t, std::uint64_t>(0, 4));
    CHECK(told.back() == std::pair<std::uint64_t, std::uint64_t>(4, 4));
}

TEST_CASE("a range that a pass was left of is gone on with, another one and the next are taken whole", "[loop]") {
    const temp_dir dir;
    nk::stateful_loop loop(dir / "a.state", quick());
    auto& sum = loop.bind<std::int64_t>("sum");
    auto source = chunks_of({1, 1, 1});
    add_until(loop, sum, loop.over(source), 1);
    CHECK(sum == 3);
    CHECK(visits(loop, loop.over(source)) == lines{"1 1 1", "2 2 1 last"});
    CHECK(sum == 1);
    CHECK(visits(loop, loop.over(source)) == lines{"3 3 1", "4 4 1", "5 5 1 last"});
    // Another batch in the same place is new, whether or not the pass over the one before came to its end.
    add_until(loop, sum, loop.over(source), 7);
    CHECK(loop.rows_done() == 7);
    source = {counting(100, 1), counting(101, 1)};
    CHECK(visits(loop, loop.over(source)) == lines{"7 7 1", "8 8 1 last"});
    std::vector<ints> empty;
    auto pass = loop.over(empty);
    for (int turn = 0; turn < 2; ++turn)
        for ([[maybe_unused]] const auto& chunk : pass)
            FAIL("there is none");
}

TEST_CASE("what a pass went through before it was left by its source's error is not gone through again", "[loop]") {
    const temp_dir dir;
    nk::stateful_loop loop(dir / "a.state", quick());
    int given = 0;
    auto pass = loop.over([&]() -> std::optional<ints> {
        if (++given == 2)
            throw std::runtime_error("cut off");
        return counting(1, 1);
    });
    auto it = pass.begin();
    CHECK_THROWS_AS(++it, std::runtime_error);
    CHECK((it == pass.end()));
    CHECK(loop.rows_done() == 1);
    CHECK(visits(loop, loop.over([&]() -> std::optional<ints> {
              return ++given > 3 ? std::nullopt : std::optional(counting(1, 1));
          })) == lines{"1 1 1"});
}

TEST_CASE("a source that ends before the pass begins is refused, and what was shown of it counts for nothing",
          "[loop][error]") {
    const temp_dir dir;
    nk::stateful_loop loop(dir / "a.state", quick());
    auto& sum = loop.bind<std::int64_t>("sum");
    std::uint64_t rows = 4;
    const auto source = [&](std::uint64_t row) {
        return row < rows ? std::optional(counting(static_cast<std::int64_t>(row) + 1, 1)) : std::nullopt;
    };
    const auto pass = [&] {
        for (const auto& chunk : loop.over(source, {.warm_up = 3}))
            sum += sum_of(chunk);
    };
    pass();
    rows = 2;
    CHECK(thrown<nk::mismatch_error>(pass).field() == "source of the loop: rows");
    auto refused = loop.over(source, {.warm_up = 3});
    CHECK_THROWS_AS(++refused.begin(), nk::mismatch_error);
    rows = 5;
    pass();
    CHECK(sum == 15);
}

TEST_CASE("chunks without rows are shown once each, wherever a pass goes on", "[loop]") {
    const temp_dir dir;
    std::vector<std::filesystem::path> files;
    for (const std::size_t rows : {0U, 2U, 0U, 2U, 0U})
        nk::save(files.emplace_back(dir / (std::to_string(files.size()) + ".npy")), counting(1, rows));
    for (std::size_t stop = 1; stop <= files.size(); ++stop) {
        nk::stateful_loop loop(dir / ("a" + std::to_string(stop)), quick());
        std::size_t bodies = 0;
        for ([[maybe_unused]] const auto& chunk : loop.over<std::int64_t, 1>(files))
            if (++bodies == stop)
                loop.stop();
        for ([[maybe_unused]] const auto& chunk : loop.over<std::int64_t, 1>(files, {.warm_up = 3}))
            bodies += !loop.is_warm_up();
        CHECK(bodies == files.size());
    }
}

TEST_CASE("a file that changes after it was read is known for what it was read as", "[loop][error]") {
    const temp_dir dir;
    std::vector<std::filesystem::path> files;
    for (int i = 0; i < 3; ++i)
        nk::save(files.emplace_back(dir / (std::to_string(i) + ".npy")), counting(1, 2));
    nk::stateful_loop loop(dir / "a.state", quick(2));
    for ([[maybe_unused]] const auto& chunk : loop.over<std::int64_t, 1>(files)) {
        if (loop.index() == 0)
            nk::save(files[0], counting(1, 3));
        else
            loop.stop();
    }
    CHECK_THROWS_AS((loop.over<std::int64_t, 1>(files).begin()), nk::mismatch_error);
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

}  // namespace loop_cases_tests
