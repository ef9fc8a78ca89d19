// SPDX-License-Identifier: BSD-3-Clause
// Loops that commit output, position and states together to a chunked array.
#include "chunks/dataset.hpp"
#include "loop/loop.hpp"
#include "store/record.hpp"

namespace loop_sink_tests {

namespace nk = ndkeep;
using namespace looptest;

namespace {

/// Writes one output row per chunk, the sum so far. Stops within the body of chunk `until`.
void running_sums(const temp_dir& dir, std::uint64_t until, nk::cadence every = 1) {
    const nk::chunk_reader<std::int64_t, 1> reader(dir / "rows");
    nk::chunk_writer<std::int64_t, 1> sums(dir / "sums", {.commit = dataset::unsynced});
    nk::stateful_loop loop(dir / "sums.state", quick(every));
    auto& sum = loop.bind<std::int64_t>("sum");
    auto& window = loop.bind<std::vector<std::int64_t>>("window");
    for (const auto& chunk : loop.over(reader).into(sums)) {
        sum += sum_of(chunk);
        window.push_back(sum);
        sums.append(ints({sum}));
        if (loop.index() == until)
            break;
    }
}

std::vector<std::int64_t> sums_in(const temp_dir& dir) {
    return listed(nk::load_chunked<std::int64_t, 1>(dir / "sums"));
}

std::filesystem::path newest_record(const temp_dir& dir) {
    std::string newest;
    for (const auto& name : dataset::records(dir / "sums"))
        newest = std::max(newest, name);
    return dir / "sums/commits" / newest;
}

nk::json loops_in(const temp_dir& dir) { return nk::json::parse(read_text(newest_record(dir))).at("loops"); }

}  // namespace

TEST_CASE("rows, position and states are in one commit of the sink", "[loop]") {
    const temp_dir dir;
    save_chunks(dir / "rows", chunks_of({1, 1, 1, 1}));

    running_sums(dir, 2);
    CHECK(sums_in(dir) == std::vector<std::int64_t>{1, 3});
    CHECK(loops_in(dir).at("sums.state").at("step") == 2);
    CHECK(loops_in(dir).at("sums.state").at("position").at("rows") == 2);
    running_sums(dir, 9);
    CHECK(sums_in(dir) == std::vector<std::int64_t>{1, 3, 6, 10});
    running_sums(dir, 9);
    CHECK(sums_in(dir) == std::vector<std::int64_t>{1, 3, 6, 10});

    // There is no separate state file that could differ.
    CHECK_FALSE(std::filesystem::exists(dir / "sums.state"));
    CHECK(dataset::orphans(dir / "sums").size() == 4);  // files of states, which are not chunks
    nk::verify_chunked(dir / "sums");
}

TEST_CASE("a cadence of several chunks commits their rows together", "[loop]") {
    const temp_dir dir;
    save_chunks(dir / "rows", chunks_of({1, 1, 1, 1, 1}));

    running_sums(dir, 3, 2);
    CHECK(sums_in(dir) == std::vector<std::int64_t>{1, 3});
    running_sums(dir, 9, nk::at_end);
    CHECK(sums_in(dir) == std::vector<std::int64_t>{1, 3, 6, 10, 15});
    CHECK(nk::inspect_chunked(dir / "sums").commit == 2);
}

TEST_CASE("what the body put out is taken back where it is left before its end", "[loop]") {
    const temp_dir dir;
    save_chunks(dir / "rows", chunks_of({1, 1, 1}));
    const nk::chunk_reader<std::int64_t, 1> reader(dir / "rows");
    nk::chunk_writer<std::int64_t, 1> sums(dir / "sums", {.commit = dataset::unsynced});
    nk::stateful_loop loop(dir / "a.state", quick());
    auto& sum = loop.bind<std::int64_t>("sum");
    const auto pass = [&](std::uint64_t broken_off) {
        for (const auto& chunk : loop.over(reader).into(sums)) {
            sum += sum_of(chunk);
            sums.append(ints({sum}));
            if (loop.index() == broken_off)
                break;
        }
    };

    pass(1);
    CHECK(sums.rows() == 1);
    CHECK(sum == 3);
    pass(9);
    CHECK(sum == 6);
    CHECK(sums_in(dir) == std::vector<std::int64_t>{1, 3, 6});
}

TEST_CASE("a step without output commits its position too", "[loop]") {
    const temp_dir dir;
    save_chunks(dir / "rows", chunks_of({1, 1, 1}));
    const nk::chunk_reader<std::int64_t, 1> reader(dir / "rows");
    const auto run = [&](auto& sink, const char* name) {
        nk::stateful_loop loop(dir / name, quick());
        auto& sum = loop.bind<std::int64_t>("sum");
        std::uint64_t bodies = 0;
        for (const auto& chunk : loop.over(reader).into(sink)) {
            sum += sum_of(chunk);
            if (loop.index() == 1 && ++bodies == 1 && chunk(0) == 2 && sink.rows() == 0)
                break;
        }
        return loop.rows_done();
    };

    // If rows are single numbers, the row form is known before the first row.
    nk::chunk_writer<std::int64_t, 1> flat(dir / "sums", {.commit = dataset::unsynced});
    CHECK(run(flat, "a.state") == 1);
    CHECK(loops_in(dir).at("a.state").at("position").at("rows") == 1);
    CHECK(nk::inspect_chunked(dir / "sums").shape == std::vector<std::size_t>{0});

    // Other arrays learn the row form from the first block, which may be empty.
    nk::chunk_writer<std::int64_t, 2> deep(dir / "deep", {.commit = dataset::unsynced});
    CHECK(run(deep, "b.state") == 1);
    CHECK_FALSE(std::filesystem::exists(dir / "deep/commits/00000000000000000001.json"));
    deep.append(xt::xtensor<std::int64_t, 2>(xt::zeros<std::int64_t>({0, 3})));
    deep.commit();
    CHECK(run(deep, "b.state") == 1);
    CHECK(nk::inspect_chunked(dir / "deep").commit == 2);
}

TEST_CASE("small states stand in the record, arrays in a file of their own", "[loop]") {
    const temp_dir dir;
    save_chunks(dir / "rows", chunks_of({1, 1}));
    const nk::chunk_reader<std::int64_t, 1> reader(dir / "rows");
    nk::chunk_writer<std::int64_t, 1> sums(dir / "sums", {.commit = dataset::unsynced});
    const std::string long_text(5000, 'x');
    nk::chunk_writer<std::int64_t, 1> before(dir / "sums", {.commit = dataset::unsynced});
    before.append(counting(1, 1));
    {
        nk::stateful_loop small(dir / "small", quick());
        auto& mean = small.bind<double>("mean");
        for ([[maybe_unused]] const auto& chunk : small.over(reader).into(sums))
            mean = std::numeric_limits<double>::quiet_NaN();
        nk::stateful_loop large(dir / "large", quick());
        auto& text = large.bind<std::string>("text");
        for ([[maybe_unused]] const auto& chunk : large.over(reader).into(sums))
            text = long_text;
    }
    CHECK(loops_in(dir).at("small").at("states").contains("states"));
    CHECK(loops_in(dir).at("large").at("states").contains("file"));

    // The states survive other writers' commits, merges and prunes, although those writers do not know the loops.
    before.commit();
    for (int i = 0; i < 5; ++i) {
        nk::chunk_writer<std::int64_t, 1> other(dir / "sums", {.commit = dataset::unsynced});
        other.append(counting(1, 1));
        other.commit();
    }
    nk::compact_chunked(dir / "sums", {.commit = dataset::unsynced});
    nk::prune_chunked(dir / "sums", {.keep = 1});
    sums.discard();

    nk::stateful_loop small(dir / "small", quick()), large(dir / "large", quick());
    auto& mean = small.bind<double>("mean");
    for ([[maybe_unused]] const auto& chunk : small.over(reader).into(sums))
        FAIL("everything was passed over");
    CHECK(std::isnan(mean));
    auto& text = large.bind<std::string>("text");
    for ([[maybe_unused]] const auto& chunk : large.over(reader).into(sums))
        FAIL("everything was passed over");
    CHECK(text == long_text);

    // Damaged states are reported.
    const auto file = dir / "sums/chunks" / loops_in(dir).at("large").at("states").at("file").get<std::string>();
    auto bytes = read_text(file);
    bytes[bytes.size() / 2] ^= 1;
    std::filesystem::remove(file);
    write_text(file, bytes);
    CHECK(thrown<nk::checksum_error>([&] { (void)large.over(reader).into(sums).begin(); }).file() == file);
    std::filesystem::remove(file);
    CHECK_THROWS_AS(large.over(reader).into(sums).begin(), nk::format_error);
}

TEST_CASE("a record that names a file of states elsewhere is refused", "[loop][error]") {
    const temp_dir dir;
    save_chunks(dir / "rows", chunks_of({1, 1}));
    running_sums(dir, 9);
    const auto record = newest_record(dir);
    const auto text = read_text(record);
    const auto name = loops_in(dir).at("sums.state").at("states").at("file").get<std::string>();

    for (const auto& other : {"../chunks/" + name, std::string("/etc/passwd"), std::string()}) {
        std::filesystem::remove(record);
        write_text(record,
                   store_rows::sealed(store_rows::replaced(text, "\"file\": \"" + name, "\"file\": \"" + other)));
        CHECK(thrown<nk::format_error>([&] { running_sums(dir, 9); }).field() == "file of the states");
    }
}

TEST_CASE("of two runs of one loop into one sink, the second is refused", "[loop][error]") {
    const temp_dir dir;
    save_chunks(dir / "rows", chunks_of({1, 1, 1}));
    const nk::chunk_reader<std::int64_t, 1> reader(dir / "rows");
    // Two machines may not see each other's locks. Two state files simulate this.
    nk::stateful_loop one(dir / "one.state", {.sync = false, .name = "sums"});
    nk::stateful_loop two(dir / "two.state", {.sync = false, .name = "sums"});
    nk::stateful_loop other(dir / "three.state", {.sync = false, .name = "other"});
    nk::chunk_writer<std::int64_t, 1> sink_one(dir / "sums", {.commit = dataset::unsynced}),
        sink_two(dir / "sums", {.commit = dataset::unsynced}), sink_three(dir / "sums", {.commit = dataset::unsynced});

    for (const auto& first : one.over(reader).into(sink_one)) {
        sink_one.append(first);
        if (one.index() != 1)
            continue;
        // Loops with other names run at the same time.
        for (const auto& chunk : other.over(reader).into(sink_three))
            sink_three.append(ints(10 * chunk));
        const auto refused = thrown<nk::conflict_error>([&] {
            for (const auto& chunk : two.over(reader).into(sink_two)) {
                sink_two.append(ints(100 * chunk));
                sink_one.append(ints({7}));
                nk::chunk_writer<std::int64_t, 1> late(dir / "sums", {.commit = dataset::unsynced});
                nk::stateful_loop faster(dir / "faster.state", {.sync = false, .name = "sums"});
                for (const auto& again : faster.over(reader).into(late))
                    late.append(again);
            }
        });
        CHECK(refused.found().starts_with("another writer moved 'sums' on in "));
        break;
    }
    CHECK(sums_in(dir) == std::vector<std::int64_t>{1, 10, 20, 30, 2, 3});
}

TEST_CASE("rows that nobody's body has put out, and commits in between, are refused", "[loop][error]") {
    const temp_dir dir;
    save_chunks(dir / "rows", chunks_of({1, 1}));
    const nk::chunk_reader<std::int64_t, 1> reader(dir / "rows");
    nk::chunk_writer<std::int64_t, 1> sums(dir / "sums", {.commit = dataset::unsynced});
    nk::stateful_loop loop(dir / "a.state", quick());

    sums.append(counting(1, 1));
    CHECK_THROWS_AS(loop.over(reader).into(sums).begin(), nk::mismatch_error);
    sums.commit();
    for (const auto& chunk : loop.over(reader).into(sums)) {
        CHECK_THROWS_AS(loop.over(reader).into(sums).begin(), nk::conflict_error);
        nk::stateful_loop another(dir / "c.state", quick());
        CHECK_THROWS_AS(another.over(reader).into(sums).begin(), nk::conflict_error);
        sums.append(chunk);
        CHECK_THROWS_AS(sums.commit(), nk::conflict_error);
    }
    sums.append(counting(1, 1));
    sums.commit();
    CHECK(sums_in(dir) == std::vector<std::int64_t>{1, 1, 2, 1});

    // A pass that commits to its own file cannot become a pass with a sink.
    nk::stateful_loop with_file(dir / "b.state", quick());
    for ([[maybe_unused]] const auto& chunk : with_file.over(reader)) {
    }
    CHECK(thrown<nk::mismatch_error>([&] { (void)with_file.over(reader).into(sums).begin(); }).field() == "checkpoint");
}

TEST_CASE("saving another array over the sink starts the loop anew", "[loop]") {
    const temp_dir dir;
    save_chunks(dir / "rows", chunks_of({1, 1}));
    running_sums(dir, 9);
    nk::save_chunked(dir / "sums", counting(100, 1), {.commit = dataset::unsynced});
    running_sums(dir, 9);
    CHECK(sums_in(dir) == std::vector<std::int64_t>{100, 1, 3});
}

TEST_CASE("rows before the first that are shown again put nothing out", "[loop]") {
    const temp_dir dir;
    save_chunks(dir / "rows", chunks_of({1, 1, 1, 1}));
    const nk::chunk_reader<std::int64_t, 1> reader(dir / "rows");
    for (const std::uint64_t broken_off : {2U, 9U}) {
        nk::chunk_writer<std::int64_t, 1> sums(dir / "sums", {.commit = dataset::unsynced});
        nk::stateful_loop loop(dir / "a.state", quick());
        auto& sum = loop.bind<std::int64_t>("sum");
        for (const auto& chunk : loop.over(reader, {.warm_up = 2}).into(sums)) {
            sum += sum_of(chunk);
            sums.append(ints({sum}));
            if (loop.index() == broken_off)
                break;
        }
    }
    CHECK(sums_in(dir) == std::vector<std::int64_t>{1, 3, 6, 10});
}

}  // namespace loop_sink_tests
