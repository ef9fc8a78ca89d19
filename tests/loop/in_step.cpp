// SPDX-License-Identifier: BSD-3-Clause
// Loops over arrays in step: where a pass resumes, and which changes of the arrays it accepts.
#include "chunks/in_step.hpp"
#include "loop/loop.hpp"

#include <algorithm>
#include <limits>

namespace loop_in_step_tests {

namespace nk = ndkeep;
using namespace in_step_rows;
using looptest::quick;

namespace {

/// Two datasets, `a` and `b`, whose items are those of `whole`.
void save_two(const std::filesystem::path& dir) {
    std::filesystem::create_directories(dir);
    append_chunks(dir / "a", {{1, 2}, {2, 5}, {5, 6}, {9, 10}});
    append_chunks(dir / "b", {{3, 4}, {7, 8}});
}
const listing whole = {{{1, 2, 2}, {3, 4}}, {{5, 5, 6}, {}}, {{}, {7, 8}}, {{9, 10}, {}}};

struct body_failed {};

/// Passes over the items of `options`; the sink gets one row per item, the running sum of its keys. Throws in the body
/// of the item that has the index `until`.
listing pass(const std::filesystem::path& dir, std::uint64_t until, const nk::in_step_options& options = {}) {
    const reader a(dir / "a"), b(dir / "b");
    nk::chunk_writer<std::int64_t, 1> sums(dir / "sums", {.commit = dataset::unsynced});
    nk::stateful_loop loop(dir / "sums.state", quick());
    auto& sum = loop.bind<std::int64_t>("sum");
    listing items;
    try {
        for (auto [t, q] : loop.over(nk::in_step(a, b, options)).into(sums)) {
            for (const auto& part : {keys_of(t), keys_of(q)})
                for (const std::int64_t key : part)
                    sum += key;
            sums.append(xt::xtensor<std::int64_t, 1>{sum});
            if (loop.index() == until)
                throw body_failed();
            items.push_back({keys_of(t), keys_of(q)});
        }
    } catch (const body_failed&) {
    }
    return items;
}

[[nodiscard]] keys sums_in(const std::filesystem::path& dir) {
    return looptest::listed(nk::load_chunked<std::int64_t, 1>(dir / "sums"));
}

constexpr std::uint64_t never = ~std::uint64_t{0};

[[nodiscard]] listing part(const listing& of, std::size_t first, std::size_t last) {
    return {of.begin() + static_cast<std::ptrdiff_t>(first), of.begin() + static_cast<std::ptrdiff_t>(last)};
}

}  // namespace

TEST_CASE("a pass over arrays in step shows each item, and counts the rows of all arrays", "[loop]") {
    const temp_dir dir;
    save_two(dir.path());
    const reader a(dir / "a"), b(dir / "b");
    nk::stateful_loop loop(dir / "a.state", quick());
    listing items;
    std::vector<std::uint64_t> first_rows;
    std::vector<bool> lasts;

    for (const auto& item : loop.over(nk::in_step(a, b))) {
        items.push_back(keys_of_item(item));
        first_rows.push_back(loop.first_row());
        lasts.push_back(loop.is_last());
    }

    CHECK(items == whole);
    CHECK(first_rows == std::vector<std::uint64_t>{0, 5, 8, 10});
    CHECK(lasts == std::vector<bool>{false, false, false, true});
    CHECK(loop.rows_done() == 12);
    CHECK(loop.is_complete());
    auto named = nk::in_step(a, b);
    for (const auto& item : loop.over(named))
        FAIL_CHECK(item.index());
    std::vector<reader> readers;
    readers.emplace_back(dir / "a");
    nk::stateful_loop list(dir / "list.state", quick());
    for (const auto& item : list.over(nk::in_step(readers, {.from = 9})))
        CHECK(keys_of_item(item) == std::vector<keys>{{9, 10}});
    CHECK(list.rows_done() == 2);
}

TEST_CASE("a pass over arrays in step that failed resumes at the item of the failure, exactly once", "[loop]") {
    for (const nk::in_step_options& options : {nk::in_step_options{}, nk::in_step_options{.from = 2, .to = 9}}) {
        const temp_dir dir;
        save_two(dir / "once");
        const auto all = pass(dir / "once", never, options);
        REQUIRE(all.size() > 2);
        for (std::uint64_t until = 0; until < all.size(); ++until) {
            const auto path = dir / std::to_string(until);
            save_two(path);

            CHECK(pass(path, until, options) == part(all, 0, until));
            CHECK(pass(path, never, options) == part(all, until, all.size()));
            CHECK(pass(path, never, options).empty());

            CHECK(sums_in(path) == sums_in(dir / "once"));
        }
    }
}

TEST_CASE("a loop in step resumes in later versions, whatever their chunks are", "[loop]") {
    const temp_dir dir;
    save_two(dir.path());
    CHECK(pass(dir.path(), 2) == part(whole, 0, 2));
    nk::compact_chunked(dir / "a");
    append_chunks(dir / "a", {{10, 12}});
    append_chunks(dir / "b", {{11}});

    CHECK(pass(dir.path(), never) == listing{{{9, 10, 10}, {7, 8}}, {{12}, {11}}});

    // After the end of the source, too: there is no next item before the next rows.
    append_chunks(dir / "b", {{13}});
    CHECK(pass(dir.path(), never) == listing{{{}, {13}}});
    CHECK(pass(dir.path(), never).empty());
}

TEST_CASE("a loop in step resumes when the chunks below its position have become others with the same rows", "[loop]") {
    const temp_dir dir;
    save_two(dir.path());
    CHECK(pass(dir.path(), 3) == part(whole, 0, 3));
    const auto merge = [&](std::uint64_t joined) {
        nk::chunk_writer<row, 1> writer(dir / "a", {.rows_per_chunk = 1000, .commit = dataset::unsynced});
        writer.merge(rows_with({9}, 100), {.coalesce_above = joined});
        writer.commit();
    };

    // The rows that are merged are above it. The chunks are joined by another commit, or by the merge itself.
    nk::compact_chunked(dir / "a");
    merge(1000);
    CHECK(pass(dir.path(), 3).empty());
    merge(1);
    CHECK(pass(dir.path(), never) == listing{{{9, 9, 9, 10}, {}}});
}

TEST_CASE("a loop in step does not resume when rows are others in joined chunks", "[loop][error]") {
    const temp_dir dir;
    save_two(dir.path());
    CHECK(pass(dir.path(), 3) == part(whole, 0, 3));
    const auto refused = [&] {
        const auto e = thrown<nk::mismatch_error>([&] { (void)pass(dir.path(), never); });
        CHECK(e.file() == dir / "a");
        CHECK(e.field() == "source of the loop: content of the rows");
        return std::string(e.what());
    };
    nk::chunk_writer<row, 1> writer(dir / "a", {.rows_per_chunk = 1000, .commit = dataset::unsynced});
    writer.merge(rows_with({9}, 100), {.coalesce_above = 1});
    (void)writer.erase(2, 3);
    writer.merge(rows_with({2, 2}, 100));
    writer.commit();

    CHECK(refused().find("pruned") == std::string::npos);
    nk::prune_chunked(dir / "a");
    CHECK(refused().find("is pruned, so that its rows cannot be compared") != std::string::npos);
}

TEST_CASE("rows that came late make a loop in step fail, and not skip them", "[loop][error]") {
    const temp_dir dir;
    save_two(dir.path());
    CHECK(pass(dir.path(), never) == whole);
    append_chunks(dir / "a", {{10}});

    const auto e = thrown<nk::mismatch_error>([&] { (void)pass(dir.path(), never); });

    CHECK(e.file() == dir / "a");
    CHECK(e.field() == "source of the loop: rows below key 11");
    CHECK(e.expected() == "8");
    CHECK(e.found() == "9");
}

TEST_CASE("a loop in step accepts changes above its position, and none below it", "[loop][error]") {
    const temp_dir dir;
    save_two(dir.path());
    CHECK(pass(dir.path(), 2) == part(whole, 0, 2));
    const auto overwrite = [&](std::uint64_t at, const keys& rows) {
        nk::chunk_writer<row, 1> writer(dir / "a", {.commit = dataset::unsynced});
        writer.write(at, rows_with(rows, 100));
        writer.commit();
    };

    overwrite(6, {9, 11});
    CHECK(pass(dir.path(), 3) == part(whole, 2, 3));
    overwrite(1, {2});

    const auto e = thrown<nk::mismatch_error>([&] { (void)pass(dir.path(), never); });
    CHECK(e.file() == dir / "a");
    CHECK(e.field() == "source of the loop: content of the rows");
}

TEST_CASE("rows merged and erased above the position of a loop in step are processed as they are then",
          "[loop][error]") {
    const temp_dir dir;
    save_two(dir.path());
    CHECK(pass(dir.path(), 2) == part(whole, 0, 2));
    const auto change = [&](const char* name, const keys& merged, std::int64_t from, std::int64_t to) {
        nk::chunk_writer<row, 1> writer(dir / name, {.rows_per_chunk = 2, .commit = dataset::unsynced});
        writer.merge(rows_with(merged, 100));
        (void)writer.erase(from, to);
        writer.commit();
    };

    // Also in the chunk before the position, which is written again.
    change("a", {7, 8, 8}, 9, 10);
    change("b", {6}, 8, 9);
    const auto late = thrown<nk::mismatch_error>([&] { (void)pass(dir.path(), never); });
    CHECK(late.file() == dir / "b");
    CHECK(late.field() == "source of the loop: rows below key 7");
    CHECK(late.expected() == "2");
    CHECK(late.found() == "3");
    change("b", {}, 6, 7);

    keys rest;
    for (const auto& item : pass(dir.path(), never))
        for (const auto& each : item)
            rest.insert(rest.end(), each.begin(), each.end());
    std::sort(rest.begin(), rest.end());
    CHECK(rest == keys{7, 7, 8, 8, 10});
}

TEST_CASE("a loop in step does not resume in other arrays", "[loop][error]") {
    const temp_dir dir;
    save_two(dir.path());
    CHECK(pass(dir.path(), 2) == part(whole, 0, 2));
    const reader a(dir / "a");
    nk::chunk_writer<std::int64_t, 1> sums(dir / "sums", {.commit = dataset::unsynced});
    nk::stateful_loop loop(dir / "sums.state", quick());
    auto& sum = loop.bind<std::int64_t>("sum");

    const auto count = thrown<nk::mismatch_error>([&] { (void)loop.over(nk::in_step(a)).into(sums).begin(); });
    CHECK(count.field() == "source of the loop: number of arrays");
    const auto other = thrown<nk::mismatch_error>([&] { (void)loop.over(nk::in_step(a, a)).into(sums).begin(); });
    CHECK(other.field() == "source of the loop: dataset");
    const auto kind = thrown<nk::mismatch_error>([&] { (void)loop.over(a).into(sums).begin(); });
    CHECK(kind.expected() == "'in_step'");
    CHECK(sum == 21 + 7);
    const auto option = thrown<nk::mismatch_error>([&] { (void)loop.over(nk::in_step(a), {.warm_up = 1}); });
    CHECK(option.field() == ".warm_up");
    CHECK_THROWS_AS((void)loop.over(nk::in_step(a), {.first_row = 1}), nk::mismatch_error);
}

TEST_CASE("the warm-up of arrays in step is shown once, or at each resume if asked", "[loop]") {
    const temp_dir dir;
    save_two(dir.path());
    const nk::in_step_options options{.from = 5, .warm_up = {1, 2}};

    CHECK(pass(dir.path(), 1, options) == listing{{{2, 5, 5, 6}, {3, 4, 7, 8}}});
    CHECK(pass(dir.path(), 1, {.from = 5, .warm_up = nk::warm_up_rows::at_each_resume({1, 2})}).empty());
    CHECK(pass(dir.path(), never, options) == listing{{{9, 10}, {}}});

    const temp_dir other;
    save_two(other.path());
    CHECK(pass(other.path(), 1, {.from = 5, .to = 9, .warm_up = {1, 2}}).size() == 1);
    CHECK(pass(other.path(), never, {.from = 5, .warm_up = nk::warm_up_rows::at_each_resume({1, 2})}) ==
          listing{{{6, 9, 10}, {7, 8}}});
}

TEST_CASE("a loop over live arrays goes on at the watermark", "[loop]") {
    const temp_dir dir;
    append_chunks(dir / "a", {{1, 2}, {5}});
    append_chunks(dir / "b", {{3, 4}});

    CHECK(pass(dir.path(), never, {.live = true}) == listing{{{1, 2}, {3}}});
    CHECK(pass(dir.path(), never, {.live = true}).empty());
    append_chunks(dir / "a", {{5, 6}});
    append_chunks(dir / "b", {{4, 7}});
    CHECK(pass(dir.path(), never, {.live = true}) == listing{{{}, {4, 4}}, {{5, 5}, {}}});
}

TEST_CASE("positions in step are exact for all numbers", "[loop]") {
    const temp_dir dir;
    constexpr double inf = std::numeric_limits<double>::infinity();
    const auto pass_over = [&](const xt::xtensor<double, 1>& keys) {
        nk::chunk_writer<double, 1> writer(dir / "a",
                                           {.rows_per_chunk = 1, .order_by = "", .commit = dataset::unsynced});
        writer.append(keys);
        writer.commit();
        const nk::chunk_reader<double, 1> a(dir / "a");
        nk::stateful_loop loop(dir / "a.state", quick());
        std::vector<double> seen;
        for (auto [x] : loop.over(nk::in_step(a))) {
            seen.push_back(x(0));
            if (seen.size() == 2)
                break;
        }
        return seen;
    };

    CHECK(pass_over({-inf, 0.1, 0.3}) == std::vector<double>{-inf, 0.1});
    CHECK(pass_over({0.3000000000000001, inf}) == std::vector<double>{0.1, 0.3});
    CHECK(pass_over({inf}) == std::vector<double>{0.3, 0.3000000000000001});
    CHECK(pass_over({inf}) == std::vector<double>{0.3000000000000001, inf});
}

TEST_CASE("a loop in step checks the checksums if asked", "[loop][error]") {
    const temp_dir dir;
    append_chunks(dir / "a", {{1, 2}});
    const auto file = dir / "a/chunks" / nk::inspect_chunked(dir / "a").chunks[0].file;
    auto bytes = read_text(file);
    bytes[bytes.size() - 16] ^= 1;
    write_text(file, bytes);
    const reader a(dir / "a");
    nk::stateful_loop loop(dir / "a.state", quick());

    CHECK_THROWS_AS(
        [&] {
            for (auto [t] : loop.over(nk::in_step(a), {.verify = true}))
                FAIL_CHECK(t.size());
        }(),
        nk::checksum_error);
}

}  // namespace loop_in_step_tests
