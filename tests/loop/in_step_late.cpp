// SPDX-License-Identifier: BSD-3-Clause
// Loops over arrays in step to which rows come late: given aside or again, exactly once into a sink.
#include "chunks/in_step.hpp"
#include "chunks/late_rows.hpp"
#include "loop/loop.hpp"

namespace loop_in_step_late_tests {

namespace nk = ndkeep;
using namespace in_step_rows;
using namespace late_rows_tests;
using looptest::quick;

namespace {

struct body_failed {};

/// Copies the rows of both arrays into `copy`, and the keys of each item into the result. Fails in the body of the item
/// that comes after `most` others.
listing copy_rows(const std::filesystem::path& dir, nk::in_step_options options, std::size_t most = 1000) {
    const reader a(dir / "a"), b(dir / "b");
    nk::chunk_writer<row, 1> copy(dir / "copy", {.rows_per_chunk = 5, .order_by = "t", .commit = dataset::unsynced});
    nk::stateful_loop loop(dir / "copy.state", quick());
    listing items;
    try {
        for (const auto& item : loop.over(nk::in_step(a, b, options)).into(copy)) {
            if (item.is_late() && options.late == nk::late_rows::again)
                (void)copy.erase(std::get<std::int64_t>(item.from()), std::get<std::int64_t>(item.to().value()));
            copy.merge(item.template get<0>());
            copy.merge(item.template get<1>());
            if (items.size() == most)
                throw body_failed();
            items.push_back(keys_of_item(item));
        }
    } catch (const body_failed&) {
    }
    return items;
}

void merge(const std::filesystem::path& path, const keys& of) {
    nk::chunk_writer<row, 1> writer(path, {.rows_per_chunk = 2, .commit = dataset::unsynced});
    writer.merge(rows_with(of, 100));
    writer.commit();
}

void save_two(const std::filesystem::path& dir) {
    std::filesystem::create_directories(dir);
    append_chunks(dir / "a", {{1, 2}, {2, 5}, {5, 6}, {9, 10}});
    append_chunks(dir / "b", {{3, 4}, {7, 8}});
}

/// Whether `copy` has the rows of both arrays.
void check_copy(const std::filesystem::path& dir) {
    auto rows = sorted_bytes(nk::load_chunked<row, 1>(dir / "a"));
    const auto others = sorted_bytes(nk::load_chunked<row, 1>(dir / "b"));
    rows.insert(rows.end(), others.begin(), others.end());
    std::sort(rows.begin(), rows.end());
    CHECK(sorted_bytes(nk::load_chunked<row, 1>(dir / "copy")) == rows);
}

}  // namespace

TEST_CASE("a loop in step gives late rows aside, and resumes between them", "[loop]") {
    for (std::size_t most = 0; most < 4; ++most) {
        const temp_dir dir;
        save_two(dir.path());
        CHECK(copy_rows(dir.path(), {}).size() == 4);
        merge(dir / "a", {2, 5, 11});
        merge(dir / "b", {7});
        const nk::in_step_options aside{.late = nk::late_rows::aside};

        auto items = copy_rows(dir.path(), aside, most);
        REQUIRE(items.size() == most);
        // More of them, below and above the position.
        merge(dir / "a", {1, 9});
        const auto rest = copy_rows(dir.path(), aside);
        items.insert(items.end(), rest.begin(), rest.end());

        std::size_t late = 0;
        for (const auto& item : items)
            late += item[0].size() + item[1].size();
        CHECK(late == 6);
        CHECK(copy_rows(dir.path(), aside).empty());
        check_copy(dir.path());
    }
}

TEST_CASE("a loop in step begins again at the least late key, and resumes within what is given again", "[loop]") {
    for (std::size_t most = 0; most < 4; ++most) {
        const temp_dir dir;
        save_two(dir.path());
        CHECK(copy_rows(dir.path(), {}).size() == 4);
        merge(dir / "a", {2, 5, 11});
        const nk::in_step_options again{.late = nk::late_rows::again};

        (void)copy_rows(dir.path(), again, most);
        merge(dir / "b", {1, 9});
        CHECK(!copy_rows(dir.path(), again).empty());

        CHECK(copy_rows(dir.path(), again).empty());
        check_copy(dir.path());
    }
}

TEST_CASE("a loop in step that is left between late rows does not refuse them afterwards", "[loop][error]") {
    const temp_dir dir;
    save_two(dir.path());
    (void)copy_rows(dir.path(), {});
    merge(dir / "a", {2, 5, 11});
    REQUIRE(copy_rows(dir.path(), {.late = nk::late_rows::aside}, 1).size() == 1);

    CHECK_THROWS_AS(copy_rows(dir.path(), {}), nk::mismatch_error);
    // The other policy accepts the position.
    (void)copy_rows(dir.path(), {.late = nk::late_rows::again});
    check_copy(dir.path());
}

TEST_CASE("the warm-up of a loop in step waits for the first item behind late rows", "[loop]") {
    const temp_dir dir;
    save_two(dir.path());
    const auto mark = [&] {
        const reader a(dir / "a"), b(dir / "b");
        auto steps = nk::in_step(a, b);
        (void)items_of(steps);
        return steps.watermark().value();
    }();
    merge(dir / "a", {2, 6, 11});
    const auto pass = [&](bool fails) {
        const reader a(dir / "a"), b(dir / "b");
        nk::stateful_loop loop(dir / "state", quick());
        listing items;
        for (const auto& item :
             loop.over(nk::in_step(a, b, {.from = mark, .warm_up = {1, 2}, .late = nk::late_rows::aside}))) {
            if (fails && items.size() == 1)
                break;
            items.push_back(keys_of_item(item));
        }
        return items;
    };

    CHECK(pass(true) == listing{{{2}, {}}});
    CHECK(pass(false) == listing{{{6}, {}}, {{10, 11}, {7, 8}}});
    CHECK(pass(false).empty());
}

TEST_CASE("a loop in step cannot find late rows if the commit of its position is pruned", "[loop][error]") {
    const temp_dir dir;
    save_two(dir.path());
    (void)copy_rows(dir.path(), {});
    const auto push = [&](const char* name, const keys& rows) {
        nk::chunk_writer<row, 1> writer(dir / name, {.rows_per_chunk = 2, .commit = dataset::unsynced});
        writer.merge(rows_with(rows, 100));
        writer.commit();
        nk::prune_chunked(dir / name, {.keep = 1});
    };
    push("a", {11, 12});

    // Nothing came below it.
    CHECK(copy_rows(dir.path(), {.late = nk::late_rows::aside}) == listing{{{11, 12}, {}}});
    push("a", {3});
    const auto e = thrown<nk::mismatch_error>([&] { copy_rows(dir.path(), {.late = nk::late_rows::aside}); });
    CHECK(e.file() == dir / "a");
    CHECK(e.field() == "source of the loop: rows below key 13");
}

TEST_CASE("a loop in step copies each row once, whatever comes late and wherever it fails", "[loop]") {
    std::mt19937 random(23);
    for (int round = 0; round < 14; ++round) {
        const auto late = round % 2 == 0 ? nk::late_rows::aside : nk::late_rows::again;
        const temp_dir dir;
        std::vector<std::shared_ptr<nk::memory_place>> places{std::make_shared<nk::memory_place>(),
                                                              std::make_shared<nk::memory_place>()};
        for (const auto& place : places)
            change<by_one_field>(place, random, false, 30);
        const auto output = std::make_shared<nk::memory_place>();
        const int passes = 3 + static_cast<int>(random() % 4);
        for (int pass = 0; pass <= passes; ++pass) {
            const reader a(places[0]), b(places[1]);
            nk::chunk_writer<row, 1> copy(output, {.rows_per_chunk = 5, .order_by = "t", .commit = dataset::unsynced});
            nk::stateful_loop loop(dir / "state", quick(1 + random() % 3));
            const bool live = pass != passes && random() % 2 == 0;
            std::size_t left = pass == passes ? 1'000'000 : random() % 5;
            for (const auto& item : loop.over(nk::in_step(a, b, {.live = live, .late = late})).into(copy)) {
                if (item.is_late() && late == nk::late_rows::again)
                    (void)copy.erase(std::get<std::int64_t>(item.from()), std::get<std::int64_t>(item.to().value()));
                copy.merge(item.template get<0>());
                copy.merge(item.template get<1>());
                if (left-- == 0)
                    break;
            }
            if (pass != passes)
                for (const auto& place : places)
                    if (random() % 2 == 0)
                        change<by_one_field>(place, random, late == nk::late_rows::again);
        }

        auto rows = sorted_bytes(nk::load_chunked<row, 1>(places[0]));
        const auto others = sorted_bytes(nk::load_chunked<row, 1>(places[1]));
        rows.insert(rows.end(), others.begin(), others.end());
        std::sort(rows.begin(), rows.end());
        INFO("round " << round);
        REQUIRE(sorted_bytes(nk::load_chunked<row, 1>(output)) == rows);
    }
}

}  // namespace loop_in_step_late_tests
