// SPDX-License-Identifier: BSD-3-Clause
// Random merges, erasures and appends, compared with a sorted vector; and writers whose changes meet or do not.
#include "chunks/marked_rows.hpp"

#include <ndkeep/chunks/core/version.hpp>
#include <ndkeep/chunks/memory_place.hpp>

#include <algorithm>
#include <random>
#include <tuple>
#include <vector>

namespace chunks_merge_model_tests {

namespace nk = ndkeep;
using namespace dataset;
using namespace marked_rows;

namespace merge_model {

struct three {
    std::int64_t t, v, w;
};
NDKEEP_FIELDS(three, t, v, w);

struct five {
    std::int64_t t, v, w, x, y;
};
NDKEEP_FIELDS(five, t, v, w, x, y);

}  // namespace merge_model

namespace {

/// How the rows of a dataset are compared.
struct rules {
    bool by_both = false;  // two fields order the rows
    bool unique = false, unique_by_v = false;

    [[nodiscard]] bool less(const mark& a, const mark& b) const {
        return by_both ? std::tie(a.t, a.v) < std::tie(b.t, b.v) : a.t < b.t;
    }
    [[nodiscard]] bool repeated(const mark& a, const mark& b) const {
        return unique && !less(a, b) && !less(b, a) && (!unique_by_v || a.v == b.v);
    }
    [[nodiscard]] nk::merge_options options(std::uint64_t coalesce_above) const {
        nk::merge_options out{.coalesce_above = coalesce_above};
        if (unique)
            out.unique_by = unique_by_v ? nk::unique_fields{"v"} : nk::unique_fields{"t"};
        return out;
    }
};

/// Merges into a plain vector. Only rows with the keys of given rows are compared.
void merge_into(marks& all, const marks& given, const rules& by) {
    const auto less = [&](const mark& a, const mark& b) { return by.less(a, b); };
    const marks before = all;
    all.clear();
    std::merge(before.begin(), before.end(), given.begin(), given.end(), std::back_inserter(all), less);
    if (!by.unique)
        return;
    marks kept;
    for (std::size_t i = 0; i < all.size(); ++i) {
        bool later = false;
        if (std::binary_search(given.begin(), given.end(), all[i], less))
            for (std::size_t j = i + 1; j < all.size() && !less(all[i], all[j]) && !later; ++j)
                later = by.repeated(all[i], all[j]);
        if (!later)
            kept.push_back(all[i]);
    }
    all = kept;
}

marks random_marks(std::mt19937& random, const rules& by, std::size_t count, std::int64_t low, std::int64_t high) {
    std::uniform_int_distribution<std::int64_t> key(low, high), value(0, 3);
    marks out;
    for (std::size_t i = 0; i < count; ++i)
        out.push_back({key(random), value(random)});
    std::stable_sort(out.begin(), out.end(), [&](const mark& a, const mark& b) { return by.less(a, b); });
    return out;
}

/// Merges rows that alternate with present ones, in runs of every length, and compares with a sorted vector.
template <class Row>
void check_long_merges(unsigned seed) {
    std::mt19937 random(seed);
    const bool unique = seed % 2 == 1;
    const auto rows = [&](std::int64_t step) {
        std::vector<Row> out;
        std::int64_t key = 0;
        while (out.size() < 700) {
            // Some keys repeat, some rows alternate, and some are in long runs.
            const auto count = random() % 8 == 0 ? random() % 90 : 1 + random() % 2;
            const std::int64_t by = random() % 9 == 0 ? 0 : random() % 3 == 0 ? 1 : step;
            for (std::size_t i = 0; i < count; ++i) {
                key += by;
                Row row{};
                row.t = key;
                row.v = static_cast<std::int64_t>(random() % 2);
                out.push_back(row);
            }
        }
        return out;
    };
    const auto less = [](const Row& a, const Row& b) { return a.t < b.t; };
    const auto same = [](const Row& a, const Row& b) { return a.t == b.t && a.v == b.v; };
    const auto old = rows(2), given = rows(1 + static_cast<std::int64_t>(random() % 5));
    std::vector<Row> all, kept;
    std::merge(old.begin(), old.end(), given.begin(), given.end(), std::back_inserter(all), less);
    for (std::size_t i = 0; i < all.size(); ++i) {
        bool later = false;
        if (unique && std::binary_search(given.begin(), given.end(), all[i], less))
            for (std::size_t j = i + 1; j < all.size() && all[j].t == all[i].t && !later; ++j)
                later = same(all[i], all[j]);
        if (!later)
            kept.push_back(all[i]);
    }
    const auto array = [](const std::vector<Row>& of) {
        xt::xtensor<Row, 1> out(std::array<std::size_t, 1>{of.size()});
        std::copy(of.begin(), of.end(), out.begin());
        return out;
    };
    const nk::dataset_location place = std::make_shared<nk::memory_place>();
    nk::chunk_writer<Row, 1> sink(place, {.rows_per_chunk = 1 + random() % 900, .order_by = "t"});
    sink.append(array(old));
    sink.commit();
    sink.merge(array(given), unique ? nk::merge_options{.unique_by = {"t", "v"}} : nk::merge_options{});
    sink.commit();

    const auto merged = nk::load_chunked<Row, 1>(place);
    REQUIRE(std::equal(merged.begin(), merged.end(), kept.begin(), kept.end(), same));
    nk::verify_chunked(place);
}

}  // namespace

TEST_CASE("rows of any size that alternate with present ones are merged as a sorted vector merges them",
          "[chunks][merge]") {
    for (unsigned seed = 0; seed < 24; ++seed) {
        CAPTURE(seed);
        check_long_merges<mark>(seed);
        check_long_merges<merge_model::three>(seed);
        check_long_merges<merge_model::five>(seed);
    }
}

TEST_CASE("random merges, erasures and appends leave what a sorted vector holds", "[chunks][merge]") {
    for (unsigned seed = 0; seed < 120; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        const auto any = [&](std::size_t most) { return std::uniform_int_distribution<std::size_t>(0, most)(random); };
        const rules by{.by_both = seed % 3 == 2, .unique = seed % 2 == 1, .unique_by_v = seed % 4 == 3};
        const nk::dataset_location place = std::make_shared<nk::memory_place>();
        const nk::chunk_writer_options options{
            .rows_per_chunk = seed % 5 == 4 ? nk::chunk_period(7) : nk::chunk_size(1 + any(6)),
            .order_by = by.by_both ? nk::order_fields("t", "v") : nk::order_fields("t")};
        nk::chunk_writer<mark, 1> sink(place, options);
        marks model;
        std::uint64_t commits = 0;
        for (int step = 0; step < 25; ++step) {
            const auto what = any(9);
            const auto low = static_cast<std::int64_t>(any(60)), high = low + static_cast<std::int64_t>(any(40));
            if (what < 5) {
                const auto given = random_marks(random, by, any(12), low, high);
                sink.merge(rows_of(given), by.options(any(4)));
                merge_into(model, given, by);
            } else if (what < 7) {
                const auto erased = std::erase_if(model, [&](const mark& m) { return low <= m.t && m.t < high; });
                CHECK(sink.erase(low, high) == erased);
            } else if (what < 8) {
                const auto least = model.empty() ? 0 : model.back().t + 1;
                auto given = random_marks(random, by, any(5), least, least + 5);
                if (by.unique)
                    given.resize(std::min<std::size_t>(given.size(), 1));
                sink.append(rows_of(given));
                model.insert(model.end(), given.begin(), given.end());
            } else {
                commits = sink.commit();
            }
            REQUIRE(sink.rows() == model.size());
        }
        commits = sink.commit();
        if (commits == 0)
            continue;
        REQUIRE(all_rows(place) == model);
        for (const auto& wrong : nk::findings_chunked(place))
            FAIL_CHECK(wrong.message);
        // The same rows through a map.
        const auto mapped = nk::map_chunked<mark, 1>(place);
        CHECK(marks(mapped.begin(), mapped.end()) == model);
        // Merging of chunks changes no row.
        nk::compact_chunked(place, {.rows_per_chunk = options.rows_per_chunk});
        CHECK(all_rows(place) == model);
    }
}

TEST_CASE("two writers both commit if the keys that they change do not meet", "[chunks][merge]") {
    std::size_t committed = 0, refused = 0;
    for (unsigned seed = 0; seed < 200; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        const auto any = [&](std::size_t most) { return std::uniform_int_distribution<std::size_t>(0, most)(random); };
        const rules by{.by_both = seed % 3 == 2, .unique = seed % 2 == 1};
        const nk::dataset_location place = std::make_shared<nk::memory_place>();
        const nk::chunk_writer_options options{
            .rows_per_chunk = 1 + any(6), .order_by = by.by_both ? nk::order_fields("t", "v") : nk::order_fields("t")};
        marks model = random_marks(random, by, 5 + any(30), 0, 50);
        {
            nk::chunk_writer<mark, 1> first(place, options);
            first.append(rows_of(model));
            first.commit();
        }
        nk::chunk_writer<mark, 1> one(place, options), two(place, options);
        // Each changes a range of keys; the second one in two steps.
        struct change {
            std::int64_t low, high;
            marks given;
            bool erases;
        };
        const auto change_of = [&] {
            const auto low = static_cast<std::int64_t>(any(50)), high = low + static_cast<std::int64_t>(any(8));
            return change{low, high, random_marks(random, by, 1 + any(4), low, high), any(3) == 0};
        };
        const auto apply = [&](nk::chunk_writer<mark, 1>& to, const change& made) {
            if (made.erases)
                return to.erase(made.low, made.high + 1) != 0;
            to.merge(rows_of(made.given), by.options(8));
            return true;
        };
        const auto apply_to = [&](marks& rows, const change& made) {
            if (made.erases)
                std::erase_if(rows, [&](const mark& m) { return made.low <= m.t && m.t <= made.high; });
            else
                merge_into(rows, made.given, by);
        };
        const auto keys_of = [](const change& made) {
            return made.erases ? std::pair(made.low, made.high) : std::pair(made.given.front().t, made.given.back().t);
        };
        const change a = change_of(), b = change_of(), c = change_of();
        const bool did_a = apply(one, a);
        const bool did_b = apply(two, b), did_c = apply(two, c);
        one.commit();
        apply_to(model, a);
        const auto meets = [&](const change& x) {
            const auto [low, high] = keys_of(x);
            const auto [from, to] = keys_of(a);
            return low <= to && from <= high;
        };
        const bool may_conflict = did_a && ((did_b && meets(b)) || (did_c && meets(c)));
        try {
            two.commit();
            ++committed;
            // An erasure that has found nothing is none.
            if (did_b)
                apply_to(model, b);
            if (did_c)
                apply_to(model, c);
            CHECK(all_rows(place) == model);
        } catch (const nk::conflict_error&) {
            ++refused;
            CHECK(may_conflict);
            CHECK(all_rows(place) == model);
            two.discard();
            apply(two, b);
            apply(two, c);
            two.commit();
            apply_to(model, b);
            apply_to(model, c);
            CHECK(all_rows(place) == model);
        }
        for (const auto& wrong : nk::findings_chunked(place))
            FAIL_CHECK(wrong.message);
    }
    CHECK(committed > 50);
    CHECK(refused > 20);
}

TEST_CASE("two writers both make the first commit of a dataset", "[chunks][merge]") {
    for (const bool appends_first : {false, true}) {
        CAPTURE(appends_first);
        const nk::dataset_location place = std::make_shared<nk::memory_place>();
        const nk::chunk_writer_options options{.rows_per_chunk = 2, .sum = nk::checksum::crc32, .order_by = "t"};
        nk::chunk_writer<mark, 1> one(place, options), two(place, options);
        one.merge(rows_of({{-5, 1}, {7, 1}, {90, 1}}));
        if (appends_first)
            two.append(rows_of({{-3, 2}}));
        two.merge(rows_of({{50, 2}, {60, 2}}));
        two.merge(rows_of({{10, 2}, {55, 2}}));
        one.commit();
        if (appends_first) {
            CHECK_THROWS_AS(two.commit(), nk::conflict_error);  // -3 is not behind 90
            continue;
        }
        two.commit();
        CHECK(all_rows(place) == marks{{-5, 1}, {7, 1}, {10, 2}, {50, 2}, {55, 2}, {60, 2}, {90, 1}});
    }
}

TEST_CASE("rows whose second key is out of order beside another writer's are a conflict", "[chunks][merge]") {
    const nk::dataset_location place = std::make_shared<nk::memory_place>();
    const nk::chunk_writer_options options{.rows_per_chunk = 20, .order_by = {"t", "v"}};
    {
        nk::chunk_writer<mark, 1> first(place, options);
        first.append(rows_of({{0, 0}, {5, 5}, {10, 0}}));
        first.commit();
    }
    nk::chunk_writer<mark, 1> one(place, options), two(place, options);
    one.merge(rows_of({{7, 0}}));
    one.append(rows_of({{20, 9}}));
    two.merge(rows_of({{5, 0}}));
    two.append(rows_of({{20, 1}}));
    one.commit();
    CHECK_THROWS_AS(two.commit(), nk::conflict_error);
    nk::verify_chunked(place);
}

TEST_CASE("a writer's own rows with equal first keys are no conflict", "[chunks][merge]") {
    const nk::dataset_location place = std::make_shared<nk::memory_place>();
    const nk::chunk_writer_options options{.rows_per_chunk = 2, .order_by = {"t", "v"}};
    nk::chunk_writer<mark, 1> one(place, options);
    one.append(rows_of({{1, 0}}));
    one.commit();
    one.append(rows_of({{1, 1}, {1, 2}}));
    one.append(rows_of({{1, 3}}));
    nk::describe_chunked(place, {.meta = {{"by", "another"}}});
    one.commit();
    CHECK(all_rows(place) == marks{{1, 0}, {1, 1}, {1, 2}, {1, 3}});
}

TEST_CASE("chunks that are staged again for other rows are found by later changes", "[chunks][merge]") {
    // From 16 KiB on, the header of a chunk depends on its place in the array.
    using numbers = xt::xtensor<std::int64_t, 1>;
    const nk::dataset_location place = std::make_shared<nk::memory_place>();
    const nk::chunk_writer_options options{.rows_per_chunk = 4096, .order_by = ""};
    const numbers all = xt::arange<std::int64_t>(0, 163'840, 10);
    nk::save_chunked(place, all, {.rows_per_chunk = 4096, .order_by = ""});
    nk::chunk_writer<std::int64_t, 1> one(place, options), two(place, options);
    two.append(numbers(xt::arange<std::int64_t>(200'000, 204'096)));
    two.append(numbers(xt::arange<std::int64_t>(204'096, 208'192)));
    two.merge(numbers{200'005, 204'100});
    two.merge(numbers{150'005, 150'006});
    two.erase(204'000, 204'010);
    one.merge(numbers{5, 15, 25});
    one.commit();
    two.commit();

    std::vector<std::int64_t> expected(all.begin(), all.end());
    for (std::int64_t key = 200'000; key < 208'192; ++key)
        if (key < 204'000 || key >= 204'010)
            expected.push_back(key);
    for (const std::int64_t key : {5, 15, 25, 150'005, 150'006, 200'005, 204'100})
        expected.push_back(key);
    std::sort(expected.begin(), expected.end());
    const auto rows = nk::load_chunked<std::int64_t, 1>(place);
    CHECK(std::equal(rows.begin(), rows.end(), expected.begin(), expected.end()));
    nk::verify_chunked(place);
}

TEST_CASE("a merge of rows behind all others moves no row", "[chunks][merge]") {
    const nk::dataset_location place = std::make_shared<nk::memory_place>();
    nk::chunk_writer<mark, 1> sink(place, {.rows_per_chunk = 100, .order_by = "t"});
    std::uint64_t commit = 0;
    for (std::int64_t t = 0; t < 40; ++t) {
        sink.merge(rows_of({{t, 0}, {t, 1}}), {.unique_by = {"v"}});
        commit = sink.commit();
    }
    const auto state = [&] { return nk::core::chunk_version(place, {}).state(); };
    CHECK(state().rewritten == 0);
    CHECK(state().entries().size() < 20);  // small chunks are joined
    sink.merge(rows_of({{38, 7}}));
    CHECK(sink.commit() == commit + 1);
    CHECK(state().rewritten == commit + 1);
}

TEST_CASE("merged rows leave chunks alone that are longer than the writer's own", "[chunks][merge]") {
    const nk::dataset_location place = std::make_shared<nk::memory_place>();
    marks rows;
    for (std::int64_t t = 0; t < 100; ++t)
        rows.push_back({2 * t, 0});
    nk::save_chunked(place, rows_of(rows), {.rows_per_chunk = 10, .order_by = "t"});
    const auto before = nk::inspect_chunked(place).chunks;
    nk::chunk_writer<mark, 1> sink(place, {.rows_per_chunk = 4});
    sink.merge(rows_of({{101, 1}}));
    sink.commit();
    std::size_t kept = 0;
    for (const auto& chunk : nk::inspect_chunked(place).chunks)
        kept +=
            std::count_if(before.begin(), before.end(), [&](const auto& old) { return old.file == chunk.file; }) != 0;
    CHECK(kept == 9);
}

}  // namespace chunks_merge_model_tests
