// SPDX-License-Identifier: BSD-3-Clause
// Arrays in step give each row once, map what lies in one chunk, and open only the chunks that they need.
#include "chunks/in_step.hpp"
#include "support/forwarding_place.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <span>

namespace chunks_in_step_reading_tests {

namespace nk = ndkeep;
using namespace in_step_rows;

namespace {

[[nodiscard]] keys random_keys(std::mt19937& random) {
    keys all(random() % 30);
    for (auto& key : all)
        key = static_cast<std::int64_t>(random() % 16) - 8;
    std::sort(all.begin(), all.end());
    return all;
}

/// A place without files that counts the chunks that were read.
struct counting_place final : forwarding_place {
    using forwarding_place::forwarding_place;
    std::optional<nk::file> open(const std::string&) override { return std::nullopt; }
    bool get_range(const std::string& name, std::uint64_t offset, std::span<std::byte> out) override {
        const std::scoped_lock lock(mutex);
        names.insert(name);
        return forwarding_place::get_range(name, offset, out);
    }
    [[nodiscard]] std::size_t count() {
        const std::scoped_lock lock(mutex);
        return names.size();
    }

    std::mutex mutex;
    std::set<std::string> names;
};

struct swapped_row {
    std::int64_t t;
    double value;
};
NDKEEP_FIELDS(swapped_row, t, value);

}  // namespace

TEST_CASE("items in step have each row of a range once, and equal keys together", "[chunks]") {
    std::mt19937 random(3);
    for (int round = 0; round < 150; ++round) {
        const temp_dir dir;
        const std::size_t count = 1 + random() % 3;
        std::vector<keys> all;
        std::vector<reader> readers;
        nk::in_step_options options;
        std::vector<std::uint64_t> warm_up;
        for (std::size_t i = 0; i < count; ++i) {
            all.push_back(random_keys(random));
            const auto path = dir / std::to_string(i);
            nk::save_chunked(path, rows_with(all.back()),
                             {.rows_per_chunk = 1 + random() % 6, .order_by = "t", .commit = dataset::unsynced});
            readers.emplace_back(path);
            warm_up.push_back(random() % 5);
        }
        options.warm_up = warm_up;
        const auto from = static_cast<std::int64_t>(random() % 20) - 10, to = from + static_cast<int>(random() % 16);
        if (round % 3 != 0)
            options.from = from;
        if (round % 4 != 0)
            options.to = to;

        std::vector<std::vector<row>> given(count);
        std::optional<std::int64_t> last;
        for (const auto& item : nk::in_step(readers, options)) {
            std::optional<std::int64_t> least, greatest;
            REQUIRE(item.size() == count);
            for (std::size_t i = 0; i < count; ++i) {
                const auto below =
                    options.from ? std::lower_bound(all[i].begin(), all[i].end(), from) - all[i].begin() : 0;
                CHECK(item[i].warm_up() ==
                      (item.is_first() && options.from ? std::min(warm_up[i], static_cast<std::uint64_t>(below)) : 0));
                given[i].insert(given[i].end(), item[i].begin(), item[i].end());
                for (std::size_t j = item[i].warm_up(); j < item[i].size(); ++j) {
                    least = std::min(least.value_or(item[i](j).t), item[i](j).t);
                    greatest = std::max(greatest.value_or(item[i](j).t), item[i](j).t);
                }
            }
            REQUIRE(least);  // no item is empty
            CHECK((!last || *last < *least));
            CHECK(std::get<std::int64_t>(item.from()) == *least);
            last = greatest;
        }

        for (std::size_t i = 0; i < count; ++i) {
            const auto rows = rows_with(all[i]);
            auto first = options.from ? std::lower_bound(all[i].begin(), all[i].end(), from) : all[i].begin();
            const auto end =
                options.to ? std::max(first, std::lower_bound(all[i].begin(), all[i].end(), to)) : all[i].end();
            if (last && options.from)
                first -= std::min<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(warm_up[i]), first - all[i].begin());
            const bool same = std::equal(rows.begin() + (first - all[i].begin()), rows.begin() + (end - all[i].begin()),
                                         given[i].begin(), given[i].end(),
                                         [](const row& a, const row& b) { return a.t == b.t && a.value == b.value; });
            CHECK((same || (!last && given[i].empty())));
        }
    }
}

TEST_CASE("rows that lie in one chunk are mapped, not copied", "[chunks]") {
    const temp_dir dir;
    keys many(5000);
    for (std::size_t i = 0; i < many.size(); ++i)
        many[i] = static_cast<std::int64_t>(i);
    nk::save_chunked(dir / "a", rows_with(many), {.order_by = "t", .commit = dataset::unsynced});
    append_chunks(dir / "b", {{0}, {1000}, {4000}});
    const reader a(dir / "a"), b(dir / "b");

    std::vector<nk::mapped<const row, 1>> parts;
    for (auto [t, q] : nk::in_step(a, b))
        parts.push_back(std::move(t));

    // The parts of the chunk are contiguous in memory, and stay valid after their items.
    REQUIRE(parts.size() == 3);
    CHECK(parts[1].data() == parts[0].data() + 1000);
    CHECK(parts[2].data() == parts[0].data() + 4000);
    CHECK(parts[2](999).t == 4999);
    CHECK(parts[0].file() == dir / "a/chunks" / nk::inspect_chunked(dir / "a").chunks[0].file);
}

TEST_CASE("only the chunks with rows of the range are opened", "[chunks]") {
    const temp_dir dir;
    append_chunks(dir / "a", {{1, 2}, {3, 4}, {5, 6}, {7, 8}, {9}});
    const reader a(dir / "a");
    const auto chunks = nk::inspect_chunked(dir / "a").chunks;
    for (const std::size_t i : {std::size_t{0}, std::size_t{3}, std::size_t{4}})
        std::filesystem::remove(dir / "a/chunks" / chunks[i].file);

    CHECK(items_of(nk::in_step(a, {.from = 3, .to = 7})) == listing{{{3, 4}}, {{5, 6}}});
    CHECK(items_of(nk::in_step(a, {.from = 4, .to = 6, .warm_up = {1}})) == listing{{{3, 4}}, {{5}}});
    CHECK_THROWS_AS(items_of(nk::in_step(a, {.from = 3, .to = 8})), nk::format_error);
}

TEST_CASE("a chunk that cannot be read ahead is an error when its rows are due", "[chunks][error]") {
    const temp_dir dir;
    append_chunks(dir / "a", {{1, 2}, {3, 4}});
    const reader a(dir / "a");
    std::filesystem::remove(dir / "a/chunks" / nk::inspect_chunked(dir / "a").chunks[1].file);
    std::size_t items = 0;

    CHECK_THROWS_AS(
        [&] {
            for (auto [t] : nk::in_step(a))
                items += t.size() / 2;
        }(),
        nk::format_error);

    CHECK(items == 1);
}

TEST_CASE("one chunk is read ahead of the current one, and no more", "[chunks]") {
    const temp_dir dir;
    append_chunks(dir / "a", {{1, 2}, {3, 4}, {5, 6}, {7, 8}, {9, 10}, {11, 12}});
    const auto where = std::make_shared<counting_place>(dir / "a");
    const reader a(where);
    const auto before = where->count();
    std::size_t items = 0;

    for (auto [t] : nk::in_step(a)) {
        ++items;
        CHECK(t.size() == 2);
        CHECK(where->count() - before >= items);
        CHECK(where->count() - before <= items + 1);
    }

    CHECK(items == 6);
}

TEST_CASE("reading in step checks the checksums that the reader checks", "[chunks][error]") {
    const temp_dir dir;
    append_chunks(dir / "a", {{1, 2}, {3, 4}});
    const auto file = dir / "a/chunks" / nk::inspect_chunked(dir / "a").chunks[1].file;
    auto bytes = read_text(file);
    bytes[bytes.size() - 16] ^= 1;  // in a value, which orders nothing
    write_text(file, bytes);
    const reader trusting(dir / "a"), careful(dir / "a", {.verify = true});

    CHECK(items_of(nk::in_step(trusting)).size() == 2);
    CHECK_THROWS_AS(items_of(nk::in_step(careful)), nk::checksum_error);
}

TEST_CASE("rows of another layout are converted", "[chunks]") {
    const temp_dir dir;
    append_chunks(dir / "a", {{1, 2}, {5, 6}});
    append_chunks(dir / "b", {{2, 3}});
    // Other order of the fields.
    const nk::chunk_reader<swapped_row, 1> a(dir / "a");
    const reader b(dir / "b");
    keys times;
    std::vector<double> values;

    for (auto [t, q] : nk::in_step(a, b, {.from = 2, .warm_up = {1, 0}}))
        for (const auto& each : t) {
            times.push_back(each.t);
            values.push_back(each.value);
        }

    CHECK(times == keys{1, 2, 5, 6});
    CHECK(values == std::vector<double>{0, 1, 2, 3});
}

TEST_CASE("a range in step can be passed again", "[chunks]") {
    const temp_dir dir;
    append_chunks(dir / "a", {{1, 2}, {3, 4}});
    const reader a(dir / "a");
    auto steps = nk::in_step(a);
    for (auto [t] : steps)
        if (t.size() != 0)
            break;

    CHECK(items_of(steps) == listing{{{1, 2}}, {{3, 4}}});
    CHECK(items_of(steps) == listing{{{1, 2}}, {{3, 4}}});
}

}  // namespace chunks_in_step_reading_tests
