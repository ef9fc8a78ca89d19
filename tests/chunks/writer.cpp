// SPDX-License-Identifier: BSD-3-Clause
// A chunk writer: appends, overwritten rows, resizes, and commits that take effect completely or not at all.
#include "chunks/rows.hpp"

#include <ctime>
#include <functional>
#include <iostream>
#include <limits>

namespace rows_of_pairs::writer_tests {

namespace nk = ndkeep;
using namespace dataset;

TEST_CASE("rows appear to readers opened after the commit, all or none", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::chunk_writer<double, 2> writer(path, {.rows_per_chunk = 4, .commit = unsynced});
    CHECK_THROWS_AS((nk::chunk_reader<double, 2>(path)), nk::io_error);
    writer.append(counted(10));
    CHECK(writer.rows() == 10);
    CHECK_THROWS_AS((nk::chunk_reader<double, 2>(path)), nk::io_error);

    CHECK(writer.commit() == 1);
    const nk::chunk_reader<double, 2> first(path);
    writer.append(counted(3, 20));
    CHECK(nk::chunk_reader<double, 2>(path).rows() == 10);
    CHECK(writer.commit() == 2);

    CHECK(first.rows() == 10);
    CHECK(same_chunk_by_chunk(first, counted(10)));
    check_rows(path, joined(counted(10), counted(3, 20)));
    CHECK(writer.commit() == 2);  // nothing to do
}

TEST_CASE("blocks of any length and kind become chunks of the length asked for", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    const auto all = counted(100);
    nk::chunk_writer<double, 2> writer(path, {.rows_per_chunk = 7, .commit = unsynced});

    for (std::size_t at = 0, step = 0; at < 100; at += step) {
        step = std::min<std::size_t>(100 - at, (at * 5 + 3) % 17);
        const auto block = xt::view(all, xt::range(at, at + step));
        if (step % 2 == 0)
            writer.append(rows_of_two(block));
        else
            writer.append(block + 0.0);
        CHECK(writer.rows() == at + step);
        step = std::max<std::size_t>(step, 0);
        if (step == 0)
            step = 1, writer.append(xt::view(all, xt::range(at, at + 1)));
    }
    writer.commit();

    check_rows(path, all);
    CHECK(nk::chunk_reader<double, 2>(path).size() == 15);
}

TEST_CASE("write replaces rows, within a chunk and over several", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    auto expected = counted(30);
    nk::save_chunked(path, expected, {.rows_per_chunk = 8, .commit = unsynced});
    const auto before = nk::inspect_chunked(path).chunks;
    nk::chunk_writer<double, 2> writer(path, {.rows_per_chunk = 8, .commit = unsynced});

    writer.write(9, counted(3, 1000));
    xt::view(expected, xt::range(9, 12)) = counted(3, 1000);
    CHECK(writer.commit() == 2);
    check_rows(path, expected);
    const auto after = nk::inspect_chunked(path).chunks;
    REQUIRE(after.size() == before.size());
    for (const std::size_t same_file : {0U, 2U, 3U})
        CHECK((after[same_file] == before[same_file]));

    writer.write(5, counted(25, 2000) * 1.0);
    xt::view(expected, xt::range(5, 30)) = counted(25, 2000);
    writer.write(0, counted(1, -7));
    xt::view(expected, xt::range(0, 1)) = counted(1, -7);
    writer.commit();
    check_rows(path, expected);

    CHECK_THROWS_AS(writer.write(29, counted(2)), nk::mismatch_error);
    CHECK_THROWS_AS(writer.write(31, counted(0)), nk::mismatch_error);
    CHECK_THROWS_AS(writer.write(~std::uint64_t{0}, counted(2)), nk::mismatch_error);
    CHECK(same(nk::load_chunked<double, 2>(path, {.at_commit = 1}), counted(30)));
}

TEST_CASE("writing no rows changes nothing", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, counted(30), {.rows_per_chunk = 8, .commit = unsynced});
    nk::chunk_writer<double, 2> writer(path, {.rows_per_chunk = 8, .commit = unsynced});
    writer.resize(40);
    writer.commit();
    const auto files = chunk_files(path);

    for (const std::uint64_t row : {0U, 3U, 8U, 30U, 33U, 40U})
        writer.write(row, counted(0));
    writer.append(counted(0));

    CHECK(writer.commit() == 2);
    CHECK(chunk_files(path) == files);
    CHECK(nk::chunk_reader<double, 2>(path).size() == 5);
}

TEST_CASE("resize up gives zeros that have no files, and growing again after a cut gives zeros again", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, counted(10), {.rows_per_chunk = 4, .commit = unsynced});
    nk::chunk_writer<double, 2> writer(path, {.rows_per_chunk = 4, .commit = unsynced});

    writer.resize(1000);
    writer.commit();
    const rows_of_two zeros = xt::zeros<double>({990, 2});
    check_rows(path, joined(counted(10), zeros));
    CHECK(chunk_files(path).size() == 3);

    writer.resize(6);
    writer.resize(9);
    CHECK(writer.rows() == 9);
    writer.commit();
    check_rows(path, joined(counted(6), rows_of_two(xt::zeros<double>({3, 2}))));

    writer.resize(0);
    writer.commit();
    check_rows(path, counted(0));
    writer.resize(5);
    writer.commit();
    check_rows(path, rows_of_two(xt::zeros<double>({5, 2})));
    CHECK_THROWS_AS(writer.resize(~std::uint64_t{0} / 2), nk::error);
    CHECK(writer.rows() == 5);
}

TEST_CASE("writes into zeros give files only to the rows written", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, counted(3), {.rows_per_chunk = 4, .commit = unsynced});
    nk::chunk_writer<double, 2> writer(path, {.rows_per_chunk = 4, .commit = unsynced});
    rows_of_two expected = xt::zeros<double>({100, 2});
    xt::view(expected, xt::range(0, 3)) = counted(3);

    writer.resize(100);
    writer.write(50, counted(6, 500));
    xt::view(expected, xt::range(50, 56)) = counted(6, 500);
    writer.commit();
    check_rows(path, expected);
    writer.write(2, counted(3, 700));
    xt::view(expected, xt::range(2, 5)) = counted(3, 700);
    writer.write(99, counted(1, 800));
    xt::view(expected, xt::range(99, 100)) = counted(1, 800);
    writer.commit();
    check_rows(path, expected);
    writer.resize(70);
    writer.write(52, counted(10, 900));
    expected = xt::view(expected, xt::range(0, 70));
    xt::view(expected, xt::range(52, 62)) = counted(10, 900);
    writer.append(counted(2, 1));
    writer.commit();

    check_rows(path, joined(expected, counted(2, 1)));
    std::uint64_t in_files = 0;
    for (const auto& chunk : nk::inspect_chunked(path).chunks)
        in_files += chunk.file.empty() ? 0 : chunk.rows;
    CHECK(in_files == 5 + 12 + 2);
}

TEST_CASE("appends, writes and resizes are one commit, or none", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, counted(10), {.rows_per_chunk = 4, .commit = unsynced});
    const auto files = chunk_files(path);
    nk::chunk_writer<double, 2> writer(path, {.rows_per_chunk = 4, .commit = unsynced});
    const auto change = [](nk::chunk_writer<double, 2>& by) {
        by.append(counted(3, 50));
        by.write(8, counted(4, 100));  // rows of the previous commit and rows just appended
        by.resize(15);
        by.append(counted(6, 200));
        by.write(14, counted(2, 300));
        by.resize(20);
        by.set_metadata({{"a", 1}});
    };

    change(writer);
    writer.discard();
    CHECK(writer.rows() == 10);
    CHECK(chunk_files(path) == files);
    CHECK(writer.commit() == 1);
    {
        nk::chunk_writer<double, 2> never(path, {.rows_per_chunk = 4, .commit = unsynced});
        change(never);
    }
    CHECK(chunk_files(path) == files);
    check_rows(path, counted(10));

    change(writer);
    CHECK(writer.commit() == 2);
    rows_of_two expected = xt::zeros<double>({20, 2});
    xt::view(expected, xt::range(0, 8)) = counted(8);
    xt::view(expected, xt::range(8, 12)) = counted(4, 100);
    xt::view(expected, xt::range(12, 13)) = xt::view(counted(3, 50), xt::range(2, 3));
    xt::view(expected, xt::range(15, 20)) = xt::view(counted(6, 200), xt::range(0, 5));
    xt::view(expected, xt::range(14, 16)) = counted(2, 300);
    check_rows(path, expected);
    CHECK((nk::chunk_reader<double, 2>(path).metadata() == nk::json{{"a", 1}}));
    CHECK(orphans(path).empty());
}

TEST_CASE("a writer of a new dataset that is destroyed or discards leaves nothing committed", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    {
        nk::chunk_writer<double> writer(path, {.rows_per_chunk = 2, .commit = unsynced});
        writer.append(counted(9));
    }
    CHECK(chunk_files(path).empty());
    CHECK(records(path).empty());
    CHECK_THROWS_AS((nk::chunk_reader<double, 2>(path)), nk::io_error);

    nk::chunk_writer<double> writer(path, {.rows_per_chunk = 2, .commit = unsynced});
    writer.append(counted(9));
    writer.discard();
    CHECK(writer.rows() == 0);
    const xt::xtensor<double, 1> other{1, 2, 3};
    writer.append(other);  // the row form of two numbers was discarded too
    writer.commit();
    check_rows(path, other);
}

TEST_CASE("a new dataset without a row is no dataset, or one that can be read", "[chunks]") {
    const temp_dir dir;
    const std::vector<std::function<void(nk::chunk_writer<double>&)>> acts = {
        [](auto& writer) { writer.append(counted(0)); },
        [](auto& writer) {
            writer.set_metadata({{"a", 1}});
        },
        [](auto& writer) { writer.resize(5); },
        [](auto& writer) { writer.resize(0); },
        [](auto& writer) { writer.write(0, counted(0)); },
    };
    for (std::size_t i = 0; i < acts.size(); ++i) {
        INFO("case " << i);
        const auto path = dir / std::to_string(i);
        {
            nk::chunk_writer<double> writer(path, {.commit = unsynced});
            try {
                acts[i](writer);
                (void)writer.commit();
            } catch (const nk::mismatch_error&) {
                // A mismatch is a correct result too.
            }
        }
        if (!records(path).empty())
            CHECK(nk::findings_chunked(path).empty());
        CHECK_NOTHROW(nk::save_chunked(path, counted(3), {.commit = unsynced}));
        CHECK(same(nk::load_chunked<double, 2>(path), counted(3)));
    }
}

TEST_CASE("files that are written again before the commit are not left behind", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::chunk_writer<double, 2> writer(path, {.rows_per_chunk = 4, .commit = unsynced});

    writer.append(counted(12));
    for (std::size_t i = 0; i < 10; ++i)
        writer.write(i, counted(2, 100));
    writer.resize(11);
    writer.commit();

    CHECK(nk::findings_chunked(path).empty());
    CHECK(orphans(path).empty());
}

TEST_CASE("chunks that are merged in the commit that appends them are not left behind", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::chunk_writer<double, 2> writer(path, {.commit = {.sync = false, .keep = nk::everything}});

    for (int i = 0; i < 100; ++i) {
        writer.append(counted(1, i));
        writer.commit();
    }

    CHECK(nk::chunk_reader<double, 2>(path).size() <= 15);
    CHECK(records(path).size() == 100);
    CHECK(orphans(path).size() == 0);
}

TEST_CASE("10,000 commits of a row cost the same each, and few files stay", "[chunks][long]") {
    const temp_dir dir;
    const auto path = dir / "a";
    constexpr std::size_t commits = 10'000;
    nk::chunk_writer<double, 2> writer(path, {.commit = unsynced});
    const rows_of_two all = counted(commits);
    std::vector<double> seconds;

    for (std::size_t i = 0; i < commits; i += 1000) {
        const auto begin = std::clock();
        for (std::size_t j = i; j < i + 1000; ++j) {
            writer.append(xt::view(all, xt::range(j, j + 1)));
            (void)writer.commit();
        }
        // Processor time, which does not depend on the load of the machine.
        seconds.push_back(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
    }

    std::cout << "1000 commits of a row: first " << seconds.front() << " s, last " << seconds.back() << " s\n";
    CHECK(seconds.back() < 3 * seconds.front());
    CHECK(nk::chunk_reader<double, 2>(path).size() <= 40);
    CHECK(records(path).size() <= 200);
    CHECK(chunk_files(path).size() < 500);
    CHECK(same(nk::load_chunked<double, 2>(path), all));
    CHECK(same(nk::map_chunked<double, 2>(path), all));
    nk::verify_chunked(path);
}

TEST_CASE("all commits are kept where everything is asked for, and a few where a few are", "[chunks]") {
    const temp_dir dir;
    nk::chunk_writer<double, 2> all(dir / "all",
                                    {.rows_per_chunk = 3, .commit = {.sync = false, .keep = nk::everything}});
    nk::chunk_writer<double, 2> few(dir / "few", {.rows_per_chunk = 3, .commit = {.sync = false, .keep = 5}});

    std::size_t most = 0;
    for (std::size_t i = 1; i <= 150; ++i) {
        for (auto* const writer : {&all, &few}) {
            writer->append(counted(1, static_cast<double>(2 * (i - 1))));
            CHECK(writer->commit() == i);
        }
        most = std::max(most, records(dir / "few").size());
    }
    CHECK(most <= 11);

    CHECK(records(dir / "all").size() == 150);
    for (const std::uint64_t at : {1U, 2U, 63U, 64U, 65U, 130U, 149U, 150U})
        CHECK(same(nk::load_chunked<double, 2>(dir / "all", {.at_commit = at}), counted(at)));
    for (std::uint64_t at = 146; at <= 150; ++at)
        CHECK(same(nk::load_chunked<double, 2>(dir / "few", {.at_commit = at}), counted(at)));
}

TEST_CASE("long lists of chunks go into tables that are written rarely", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    const auto all = counted(1000);
    nk::save_chunked(path, all, {.rows_per_chunk = 1, .commit = unsynced});
    CHECK(nk::chunk_reader<double, 2>(path).size() == 1000);
    check_rows(path, all);

    nk::chunk_writer<double, 2> writer(path, {.rows_per_chunk = 1, .commit = unsynced});
    auto expected = all;
    for (std::size_t i = 0; i < 200; ++i) {
        const std::size_t row = i * 7919 % 1000;
        writer.write(row, counted(1, 0.5));
        xt::view(expected, xt::range(row, row + 1)) = counted(1, 0.5);
        if (i % 10 != 0)
            continue;
        writer.commit();
        CHECK(std::filesystem::file_size(path / "commits" / *records(path).rbegin()) < 40'000);
    }
    writer.commit();
    check_rows(path, expected);
}

TEST_CASE("rows of a chunk as long as can be are put into one", "[chunks]") {
    const temp_dir dir;
    constexpr auto all = std::numeric_limits<std::uint64_t>::max();
    const auto path = dir / "a";
    nk::chunk_writer<double, 2> writer(path, {.rows_per_chunk = all, .commit = unsynced});
    writer.append(counted(2));
    writer.commit();
    writer.resize(4);
    for (std::size_t i = 0; i < 20; ++i) {
        writer.append(counted(1, 9));
        writer.commit();
    }
    writer.resize(26);
    writer.write(24, counted(2, 9));
    writer.commit();

    nk::compact_chunked(path, {.rows_per_chunk = all, .commit = unsynced});

    CHECK(nk::chunk_reader<double, 2>(path).size() <= 4);
    CHECK(nk::findings_chunked(path).empty());
}

TEST_CASE("an append that is stopped at its last call adds nothing", "[chunks][error]") {
    const temp_dir dir;
    int calls = 0;
    const auto stop = [&](const nk::progress&) { return ++calls == 2 ? nk::flow::stop : nk::flow::go; };
    nk::chunk_writer<double, 2> writer(dir / "a", {.commit = unsynced, .run = {.progress = stop}});

    CHECK_THROWS_AS(writer.append(counted(3)), nk::io_error);

    CHECK(writer.rows() == 0);
    writer.append(counted(2));
    writer.commit();
    check_rows(dir / "a", counted(2));
}

TEST_CASE("chunks of no rows and commits of which none is kept are refused", "[chunks][error]") {
    const temp_dir dir;
    CHECK_THROWS_AS(nk::chunk_size(0), nk::mismatch_error);
    CHECK_THROWS_AS(nk::chunk_size(-1), nk::mismatch_error);
    CHECK_THROWS_AS((nk::chunk_writer<double>(dir / "a", {.commit = {.keep = 0}})), nk::mismatch_error);
}

}  // namespace rows_of_pairs::writer_tests
