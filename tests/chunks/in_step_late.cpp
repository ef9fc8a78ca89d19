// SPDX-License-Identifier: BSD-3-Clause
// Arrays in step below whose watermark rows came late: given aside, or again.
#include "chunks/in_step.hpp"
#include "chunks/late_rows.hpp"

#include <filesystem>
#include <limits>

namespace chunks_in_step_late_tests {

namespace nk = ndkeep;
using namespace in_step_rows;
using namespace late_rows_tests;

namespace {

struct swapped_row {
    std::int64_t t;
    double value;
};
NDKEEP_FIELDS(swapped_row, t, value);

/// Merges one row for each key into an array. Their values are `value` and above.
void merge(const std::filesystem::path& path, const keys& of, double value = 100, const nk::merge_options& how = {}) {
    nk::chunk_writer<row, 1> writer(path, {.rows_per_chunk = 2, .commit = dataset::unsynced});
    writer.merge(rows_with(of, value), how);
    writer.commit();
}

void erase(const std::filesystem::path& path, std::int64_t from, std::int64_t to) {
    nk::chunk_writer<row, 1> writer(path, {.rows_per_chunk = 2, .commit = dataset::unsynced});
    (void)writer.erase(from, to);
    writer.commit();
}

/// Passes over all items, and returns the mark behind them.
template <class Steps>
[[nodiscard]] nk::step_mark passed(Steps&& steps) {
    for (const auto& item : steps)
        (void)item;
    return steps.watermark().value();
}

[[nodiscard]] nk::step_mark mark_behind(const std::filesystem::path& path) {
    const reader a(path);
    return passed(nk::in_step(a));
}

/// Whether each item is late.
template <class Steps>
[[nodiscard]] std::vector<bool> lateness(Steps&& steps) {
    std::vector<bool> all;
    for (const auto& item : steps)
        all.push_back(item.is_late());
    return all;
}

/// Three arrays of which the first two get late rows, and all three get new ones. Returns the mark before.
nk::step_mark save_three(const std::filesystem::path& dir) {
    append_chunks(dir / "a", {{1, 2}, {5, 6}, {9, 10}});
    append_chunks(dir / "b", {{3, 4}, {7, 8, 10}});
    append_chunks(dir / "c", {{2, 9}});
    const reader a(dir / "a"), b(dir / "b"), c(dir / "c");
    auto mark = passed(nk::in_step(a, b, c, {.live = true}));
    merge(dir / "a", {5, 6, 9, 12});
    merge(dir / "b", {3, 11});
    merge(dir / "c", {11, 12});
    return mark;
}

/// Passes over random changes of several arrays, some of which are left early. In the end a consumer must have each row
/// exactly once.
template <class Kind>
void check_kind(nk::late_rows late, int rounds) {
    using type = typename Kind::type;
    std::mt19937 random(11);
    for (int round = 0; round < rounds; ++round) {
        const std::size_t count = 1 + random() % 3;
        std::vector<std::shared_ptr<nk::memory_place>> places;
        for (std::size_t i = 0; i < count; ++i) {
            places.push_back(std::make_shared<nk::memory_place>());
            change<Kind>(places.back(), random, false, 30);
        }
        std::vector<std::vector<type>> have(count);
        std::optional<nk::step_mark> mark;
        const int passes = 2 + static_cast<int>(random() % 5);
        for (int pass = 0; pass <= passes; ++pass) {
            std::vector<nk::chunk_reader<type, 1>> readers;
            for (const auto& place : places)
                readers.emplace_back(place);
            nk::in_step_options options{.late = late};
            if (mark)
                options.from = *mark;
            options.live = pass != passes && random() % 2 == 0;
            auto steps = nk::in_step(readers, options);
            std::uint64_t left = pass == passes ? 1'000'000 : random() % 6, index = 0;
            std::optional<typename Kind::key_type> last;
            bool was_late = true;
            for (const auto& item : steps) {
                REQUIRE(item.size() == count);
                CHECK(item.index() == index++);
                CHECK((was_late || !item.is_late()));
                was_late = item.is_late();
                std::size_t rows = 0;
                for (std::size_t i = 0; i < count; ++i) {
                    if (item.is_late() && late == nk::late_rows::again)
                        forget<Kind>(have[i], item);
                    for (const type& each : item[i]) {
                        const auto key = Kind::key(each);
                        CHECK((!last || *last < key));
                        CHECK(std::get<typename Kind::key_type>(item.from()) <= key);
                        CHECK((!item.to() || key < std::get<typename Kind::key_type>(*item.to())));
                        have[i].push_back(each);
                        ++rows;
                    }
                }
                CHECK((rows != 0 || (item.is_late() && late == nk::late_rows::again)));
                for (const auto& each : item)
                    for (const type& at : each)
                        last = std::max(last.value_or(Kind::key(at)), Kind::key(at));
                mark = steps.watermark();
                if (left-- == 0)
                    break;
            }
            if (steps.watermark())
                mark = steps.watermark();
            if (pass == passes)
                break;
            for (const auto& place : places)
                if (random() % 2 == 0)
                    change<Kind>(place, random, late == nk::late_rows::again);
        }
        for (std::size_t i = 0; i < count; ++i) {
            INFO("round " << round << ", array " << i);
            REQUIRE(sorted_bytes(have[i]) == sorted_bytes(nk::load_chunked<type, 1>(places[i])));
        }
    }
}

}  // namespace

TEST_CASE("late rows aside come first, in items of their own, and the pass goes on at the mark", "[chunks]") {
    const temp_dir dir;
    const auto mark = save_three(dir.path());
    const reader a(dir / "a"), b(dir / "b"), c(dir / "c");
    auto steps = nk::in_step(a, b, c, {.from = mark, .live = true, .late = nk::late_rows::aside});

    CHECK(std::get<std::int64_t>(mark.key.value()) == 9);
    listing late, rest;
    for (const auto& item : steps)
        (item.is_late() ? late : rest).push_back(keys_of_item(item));
    CHECK(late == listing{{{5}, {3}, {}}, {{6}, {}, {}}});
    keys of_a, of_b, of_c;
    for (const auto& item : rest) {
        of_a.insert(of_a.end(), item[0].begin(), item[0].end());
        of_b.insert(of_b.end(), item[1].begin(), item[1].end());
        of_c.insert(of_c.end(), item[2].begin(), item[2].end());
    }
    // A row with the key of the mark is not late.
    CHECK(of_a == keys{9, 9, 10});
    CHECK(of_b == keys{10});
    CHECK(of_c == keys{9});
    CHECK(std::get<std::int64_t>(steps.watermark()->key.value()) == 11);
    CHECK(steps.watermark()->late.empty());
    const auto after = steps.watermark();
    CHECK(items_of(nk::in_step(a, b, c, {.from = after, .live = true, .late = nk::late_rows::aside})).empty());
}

TEST_CASE("a pass that begins again gives all rows from the least late key on, and ends an item at the mark",
          "[chunks]") {
    const temp_dir dir;
    const auto mark = save_three(dir.path());
    const reader a(dir / "a"), b(dir / "b"), c(dir / "c");
    auto steps = nk::in_step(a, b, c, {.from = mark, .live = true, .late = nk::late_rows::again});

    std::vector<keys> late(3), rest(3);
    std::optional<std::int64_t> end = 3;
    for (const auto& item : steps) {
        if (item.is_late()) {
            CHECK(std::get<std::int64_t>(item.from()) == end);
            end = std::get<std::int64_t>(item.to().value());
        }
        const auto of = keys_of_item(item);
        for (std::size_t i = 0; i < 3; ++i)
            (item.is_late() ? late : rest)[i].insert((item.is_late() ? late : rest)[i].end(), of[i].begin(),
                                                     of[i].end());
    }

    CHECK(end == 9);
    CHECK(late == std::vector<keys>{{5, 5, 6, 6}, {3, 3, 4, 7, 8}, {}});
    CHECK(rest == std::vector<keys>{{9, 9, 10}, {10}, {9}});
    CHECK(items_of(nk::in_step(a, b, c, {.from = steps.watermark(), .live = true, .late = nk::late_rows::again}))
              .empty());
}

TEST_CASE("late items end where chunks begin, and equal keys stay together", "[chunks]") {
    const temp_dir dir;
    append_chunks(dir / "a", {{1, 9}});
    append_chunks(dir / "b", {{1, 9}});
    const auto mark = [&] {
        const reader a(dir / "a"), b(dir / "b");
        return passed(nk::in_step(a, b));
    }();
    merge(dir / "a", {2, 2, 2, 3, 4, 5});  // chunks of two rows: 1 2, 2 2, 3 4, 5 9
    merge(dir / "b", {4});
    const reader a(dir / "a"), b(dir / "b");
    auto steps = nk::in_step(a, b, {.from = mark, .late = nk::late_rows::aside});

    CHECK(items_of(steps) == listing{{{2, 2, 2}, {}}, {{3, 4}, {4}}, {{5}, {}}});
    CHECK(lateness(steps) == std::vector<bool>{true, true, true});
    std::vector<bool> lasts;
    for (const auto& item : steps)
        lasts.push_back(item.is_last());
    CHECK(lasts == std::vector<bool>{false, false, true});
}

TEST_CASE("a pass that was left between late items goes on with the next one", "[chunks]") {
    for (const auto late : {nk::late_rows::aside, nk::late_rows::again}) {
        const temp_dir dir;
        const auto mark = save_three(dir.path());
        const reader a(dir / "a"), b(dir / "b"), c(dir / "c");
        const auto whole = items_of(nk::in_step(a, b, c, {.from = mark, .late = late}));
        REQUIRE(whole.size() > 3);
        for (std::size_t left = 1; left <= whole.size(); ++left) {
            auto steps = nk::in_step(a, b, c, {.from = mark, .late = late});
            auto at = steps.begin();
            for (std::size_t i = 1; i < left; ++i)
                ++at;

            const auto rest = items_of(nk::in_step(a, b, c, {.from = steps.watermark(), .late = late}));

            CHECK(rest == listing(whole.begin() + static_cast<std::ptrdiff_t>(left), whole.end()));
        }
        auto steps = nk::in_step(a, b, c, {.from = mark, .late = late});
        (void)steps.begin();
        const auto e =
            thrown<nk::mismatch_error>([&] { (void)nk::in_step(a, b, c, {.from = steps.watermark()}).begin(); });
        CHECK(e.field() == "watermark 9");
        CHECK(e.expected() == "no late rows under way");
    }
}

TEST_CASE("erased and replaced rows are an error for late rows aside", "[chunks][error]") {
    const temp_dir dir;
    append_chunks(dir / "a", {{1, 2}, {5, 6}});
    const auto mark = mark_behind(dir / "a");
    const auto error = [&] {
        const reader a(dir / "a");
        return thrown<nk::mismatch_error>(
            [&] { (void)nk::in_step(a, {.from = mark, .late = nk::late_rows::aside}).begin(); });
    };

    merge(dir / "a", {5}, 77, {.unique_by = {"t"}});
    CHECK(error().file() == dir / "a");
    CHECK(error().field() == "rows below the watermark 7");
    CHECK(error().expected() == "those of commit 2");
    CHECK(error().found() == "1 row erased or replaced, from key 5 on");
    erase(dir / "a", 2, 6);
    CHECK(error().found() == "2 rows erased or replaced, from key 2 on");
}

TEST_CASE("a pass begins again where rows were erased, also if no row is left there", "[chunks]") {
    const temp_dir dir;
    append_chunks(dir / "a", {{1, 2}, {5, 6}});
    const auto mark = mark_behind(dir / "a");
    const auto again = [&] {
        const reader a(dir / "a");
        auto steps = nk::in_step(a, {.from = mark, .late = nk::late_rows::again});
        std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
        for (const auto& item : steps)
            ranges.emplace_back(std::get<std::int64_t>(item.from()), std::get<std::int64_t>(item.to().value()));
        CHECK(std::get<std::int64_t>(steps.watermark()->key.value()) == 7);
        CHECK(items_of(nk::in_step(a, {.from = steps.watermark(), .late = nk::late_rows::again})).empty());
        return std::pair(ranges, items_of(steps));
    };

    merge(dir / "a", {5}, 77, {.unique_by = {"t"}});
    CHECK(again() == std::pair(std::vector<std::pair<std::int64_t, std::int64_t>>{{5, 7}}, listing{{{5, 6}}}));
    erase(dir / "a", 5, 7);
    CHECK(again() == std::pair(std::vector<std::pair<std::int64_t, std::int64_t>>{{5, 7}}, listing{{{}}}));
    erase(dir / "a", 0, 7);
    CHECK(again() == std::pair(std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 7}}, listing{{{}}}));
}

TEST_CASE("the warm-up belongs to the first item that is not late, or to the first that is given again", "[chunks]") {
    const temp_dir dir;
    append_chunks(dir / "a", {{1, 2}, {5, 6}});
    const auto mark = mark_behind(dir / "a");
    merge(dir / "a", {5, 8});
    const reader a(dir / "a");

    CHECK(items_of(nk::in_step(a, {.from = mark, .warm_up = {2}, .late = nk::late_rows::aside})) ==
          listing{{{5}}, {{5, 6, 8}}});
    CHECK(items_of(nk::in_step(a, {.from = mark, .warm_up = {1}, .late = nk::late_rows::again})) ==
          listing{{{2, 5, 5}}, {{6}}, {{8}}});
    for (auto [t] : nk::in_step(a, {.from = mark, .warm_up = {2}, .late = nk::late_rows::aside}))
        CHECK(t.warm_up() == (t.size() == 3 ? 2 : 0));
}

TEST_CASE("chunks that did not change are not read to find late rows", "[chunks]") {
    const temp_dir dir;
    append_chunks(dir / "a", {{1, 2, 3}, {5, 6}});
    const auto mark = mark_behind(dir / "a");
    merge(dir / "a", {5, 8});
    std::filesystem::remove(dir / "a/chunks" / nk::inspect_chunked(dir / "a").chunks[0].file);
    const reader a(dir / "a");

    CHECK(items_of(nk::in_step(a, {.from = mark, .late = nk::late_rows::aside})) == listing{{{5}}, {{8}}});
}

TEST_CASE("late rows are converted as other rows are", "[chunks]") {
    const temp_dir dir;
    append_chunks(dir / "a", {{1, 2}, {5, 6}});
    const auto mark = mark_behind(dir / "a");
    merge(dir / "a", {2, 5}, 40);
    const nk::chunk_reader<swapped_row, 1> a(dir / "a");
    std::vector<double> values;

    for (auto [t] : nk::in_step(a, {.from = mark, .late = nk::late_rows::aside}))
        for (const swapped_row& each : t)
            values.push_back(each.value + static_cast<double>(each.t));

    CHECK(values == std::vector<double>{42, 46});
}

TEST_CASE("late rows cannot be found without the commit of the mark", "[chunks][error]") {
    const temp_dir dir;
    append_chunks(dir / "a", {{1, 2}, {5, 6}});
    auto mark = mark_behind(dir / "a");
    const auto pass = [&](const reader& a) {
        return items_of(nk::in_step(a, {.from = mark, .late = nk::late_rows::aside}));
    };
    {
        nk::chunk_writer<row, 1> writer(dir / "a", {.commit = {.sync = false, .keep = 1}});
        for (const std::int64_t key : {7, 8, 9}) {
            writer.append(rows_with({key}));
            writer.commit();
        }
    }
    nk::prune_chunked(dir / "a", {.keep = 1});
    REQUIRE(nk::inspect_chunked(dir / "a").commits == 1);

    // The same number of rows below the mark: nothing came.
    CHECK(pass(reader(dir / "a")) == listing{{{7}}, {{8}}, {{9}}});
    merge(dir / "a", {5});
    const auto e = thrown<nk::mismatch_error>([&] { (void)pass(reader(dir / "a")); });
    CHECK(e.file() == dir / "a");
    CHECK(e.field() == "commit of the watermark 7");
    CHECK(e.expected() == "2, to find the rows that came late");
    CHECK(e.found() == "pruned");
    mark.commits.clear();
    CHECK(thrown<nk::mismatch_error>([&] { (void)pass(reader(dir / "a")); }).found() == "5");
    mark.commits = {1000};
    CHECK(thrown<nk::mismatch_error>([&] { (void)pass(reader(dir / "a")); }).found() == "1000");
    mark.commits = {1, 2};
    CHECK(thrown<nk::mismatch_error>([&] { (void)pass(reader(dir / "a")); }).field() == "watermark");
}

TEST_CASE("each row is given once, aside if it came late, whatever was merged", "[chunks]") {
    check_kind<by_one_field>(nk::late_rows::aside, 12);
    check_kind<by_two_fields>(nk::late_rows::aside, 8);
    check_kind<by_itself<double>>(nk::late_rows::aside, 6);
    check_kind<by_itself<float>>(nk::late_rows::aside, 4);
    check_kind<by_itself<std::int64_t>>(nk::late_rows::aside, 6);
    check_kind<by_itself<std::uint64_t>>(nk::late_rows::aside, 4);
    check_kind<by_itself<std::int8_t>>(nk::late_rows::aside, 4);
}

TEST_CASE("a consumer that removes what is given again has each row once, whatever was merged and erased", "[chunks]") {
    check_kind<by_one_field>(nk::late_rows::again, 12);
    check_kind<by_two_fields>(nk::late_rows::again, 8);
    check_kind<by_itself<double>>(nk::late_rows::again, 6);
    check_kind<by_itself<float>>(nk::late_rows::again, 4);
    check_kind<by_itself<std::int64_t>>(nk::late_rows::again, 6);
    check_kind<by_itself<std::uint64_t>>(nk::late_rows::again, 4);
    check_kind<by_itself<std::int8_t>>(nk::late_rows::again, 4);
}

}  // namespace chunks_in_step_late_tests
