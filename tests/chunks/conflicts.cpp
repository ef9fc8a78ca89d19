// SPDX-License-Identifier: BSD-3-Clause
// Two writers of one dataset: appends are serialised, other changes may conflict, and a rejected commit has no effect.
#include "chunks/rows.hpp"

#include <functional>

namespace rows_of_pairs::conflicts_tests {

namespace nk = ndkeep;
using namespace dataset;

TEST_CASE("two writers that append stand one behind the other", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    // Chunks of 24 kB, which are large enough for their headers to be padded for mapping; 24 bytes per row.
    using rows = xt::xtensor<double, 2>;
    const auto block = [](std::size_t count, double value) {
        return rows(xt::ones<double>({count, std::size_t{3}}) * value);
    };
    nk::save_chunked(path, block(1000, 1), {.rows_per_chunk = 1000, .commit = unsynced});
    nk::chunk_writer<double, 2> one(path, {.rows_per_chunk = 1000, .commit = unsynced});
    nk::chunk_writer<double, 2> two(path, {.rows_per_chunk = 1000, .commit = unsynced});

    one.append(block(1500, 2));
    two.append(block(2300, 3));
    CHECK(two.rows() == 3300);
    CHECK(one.commit() == 2);
    CHECK(two.commit() == 3);
    CHECK(two.rows() == 4800);
    one.append(block(1, 4));
    CHECK(one.commit() == 4);

    const rows all = xt::concatenate(xt::xtuple(block(1000, 1), block(1500, 2), block(2300, 3), block(1, 4)), 0);
    check_rows(path, all);
    CHECK(orphans(path).empty());
}

TEST_CASE("other changes of the same rows are a conflict, and nothing of them counts", "[chunks]") {
    const temp_dir dir;
    const auto open = [&] { return nk::chunk_writer<double, 2>(dir / "a", {.rows_per_chunk = 4, .commit = unsynced}); };
    using change = std::function<void(nk::chunk_writer<double, 2>&)>;
    const change write_0 = [](auto& w) { w.write(0, counted(1, 50)); };
    const change write_2 = [](auto& w) { w.write(2, counted(1, 60)); };
    const change write_9 = [](auto& w) { w.write(9, counted(1, 70)); };
    const change cut = [](auto& w) { w.resize(9); };
    const change grow = [](auto& w) { w.resize(13); };
    const change append = [](auto& w) { w.append(counted(1, 80)); };
    struct pair {
        change first, second;
        bool agree;
    };
    for (const auto& [first, second, agree] :
         {pair{write_0, write_2, false}, pair{write_0, write_9, true}, pair{write_9, cut, false},
          pair{cut, write_9, false}, pair{cut, cut, false}, pair{grow, grow, false}, pair{grow, append, true},
          pair{append, grow, false}, pair{append, cut, false}, pair{cut, append, true}, pair{append, write_9, true},
          pair{write_0, append, true}, pair{write_0, write_0, false}}) {
        std::filesystem::remove_all(dir / "a");
        nk::save_chunked(dir / "a", counted(11), {.rows_per_chunk = 4, .commit = unsynced});
        auto one = open(), two = open();
        first(one);
        second(two);
        CHECK(one.commit() == 2);
        const auto after_one = nk::load_chunked<double, 2>(dir / "a");
        if (agree) {
            CHECK(two.commit() == 3);
        } else {
            const auto e = thrown<nk::conflict_error>([&] { two.commit(); });
            CHECK(e.file() == dir / "a");
            CHECK(e.found().starts_with("another writer "));
            CHECK(e.found().ends_with(" in commit 2; discard this transaction and try again"));
            CHECK(same(nk::load_chunked<double, 2>(dir / "a"), after_one));
            two.discard();
            CHECK(orphans(dir / "a").empty());
        }
        nk::verify_chunked(dir / "a");
    }
}

TEST_CASE("a conflict is told in a sentence that names the commits of the other writer", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    const auto conflict = [&](int commits) {
        std::filesystem::remove_all(path);
        nk::save_chunked(path, counted(3), {.commit = unsynced});
        nk::chunk_writer<double, 2> one(path, {.commit = unsynced}), two(path, {.commit = unsynced});
        two.write(1, counted(1, 20));
        for (int i = 0; i < commits; ++i) {
            one.write(0, counted(1, i));
            one.commit();
        }
        return std::string(thrown<nk::conflict_error>([&] { two.commit(); }).what());
    };

    CHECK(conflict(1) == path.string() +
                             ": another writer changed the same rows in commit 2; discard this transaction " +
                             "and try again");
    CHECK(conflict(3) == path.string() + ": another writer changed the same rows in one of the commits 2 to 4; " +
                             "discard this transaction and try again");
}

TEST_CASE("after a conflict and discard a writer goes on from what is there", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, counted(3), {.commit = unsynced});
    nk::chunk_writer<double, 2> one(path, {.commit = unsynced}), two(path, {.commit = unsynced});
    one.write(0, counted(1, 10));
    one.commit();
    two.write(1, counted(1, 20));
    CHECK_THROWS_AS(two.commit(), nk::conflict_error);

    two.discard();
    two.write(1, counted(1, 20));
    CHECK(two.commit() == 3);

    rows_of_two expected = counted(3);
    xt::view(expected, xt::range(0, 1)) = counted(1, 10);
    xt::view(expected, xt::range(1, 2)) = counted(1, 20);
    check_rows(path, expected);
}

TEST_CASE("two writers of a new dataset agree, or the second is refused", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    SECTION("rows of one kind stand one behind the other") {
        nk::chunk_writer<double, 2> one(path, {.commit = unsynced}), two(path, {.commit = unsynced});
        one.append(counted(2));
        two.append(counted(3, 10));
        CHECK(one.commit() == 1);
        CHECK(two.commit() == 2);
        check_rows(path, joined(counted(2), counted(3, 10)));
    }
    SECTION("rows of two kinds are a conflict") {
        nk::chunk_writer<double> one(path, {.commit = unsynced});
        nk::chunk_writer<float> two(path, {.commit = unsynced});
        one.append(counted(2));
        two.append(xt::xtensor<float, 1>{1, 2});
        CHECK(one.commit() == 1);
        CHECK_THROWS_AS(two.commit(), nk::conflict_error);
        check_rows(path, counted(2));
    }
    SECTION("checksums of two kinds are no excuse for a record that lies") {
        nk::chunk_writer<double, 2> one(path, {.commit = unsynced});
        nk::chunk_writer<double, 2> two(path, {.sum = nk::checksum::md5, .commit = unsynced});
        one.append(counted(2));
        two.append(counted(3, 10));
        CHECK(one.commit() == 1);
        try {
            two.commit();
        } catch (const nk::conflict_error&) {
            // A conflict is a correct result too.
        }
        for (const auto& wrong : nk::findings_chunked(path))
            FAIL_CHECK(wrong.message);
    }
}

TEST_CASE("an append on top of a dataset that was saved anew with another checksum", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, counted(2), {.commit = unsynced});
    nk::chunk_writer<double, 2> writer(path, {.commit = unsynced});
    writer.append(counted(3));
    nk::save_chunked(path, counted(4), {.sum = nk::checksum::md5, .commit = unsynced});

    try {
        writer.commit();
    } catch (const nk::conflict_error&) {
        // A conflict is a correct result too.
    }

    for (const auto& wrong : nk::findings_chunked(path))
        FAIL_CHECK(wrong.message);
}

TEST_CASE("save_chunked over a dataset wins against appends that are not committed, and those follow it", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, counted(5), {.commit = unsynced});
    nk::chunk_writer<double, 2> writer(path, {.commit = unsynced});
    writer.append(counted(2, 70));

    nk::save_chunked(path, counted(3, 40), {.commit = unsynced});
    writer.commit();

    check_rows(path, joined(counted(3, 40), counted(2, 70)));
}

}  // namespace rows_of_pairs::conflicts_tests
