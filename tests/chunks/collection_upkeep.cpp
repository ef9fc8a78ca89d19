// SPDX-License-Identifier: BSD-3-Clause
// Upkeep of all arrays of a collection: one damaged array hides no other.
#include "chunks/collection.hpp"
#include "support/faults.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>

namespace chunks_collection_upkeep_tests {

namespace nk = ndkeep;
namespace fs = std::filesystem;
using namespace collection_keys;

namespace {

/// Five arrays with three commits each; the chunks of the second and the records of the fourth are damaged.
void make_damaged(const nk::collection<instrument>& prices) {
    for (int year = 1; year <= 5; ++year)
        for (int commit = 0; commit < 3; ++commit)
            append(prices, {"xnas", "AAPL", year}, {year});
    const auto chunks = prices.path({"xnas", "AAPL", 2}) / "chunks";
    for (const auto& entry : fs::directory_iterator(chunks))
        write_text(entry.path(), "damaged");
    for (const auto& entry : fs::directory_iterator(prices.path({"xnas", "AAPL", 4}) / "commits"))
        write_text(entry.path(), "damaged");
}

[[nodiscard]] bool is_in(const fs::path& file, const fs::path& folder) {
    return file.string().starts_with(folder.string() + '/');
}

}  // namespace

TEST_CASE("inspect describes every array, and says which cannot be read", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    make_damaged(prices);

    for (const unsigned threads : {1U, 4U}) {
        const auto all = prices.inspect({.threads = threads});

        REQUIRE(all.size() == 5);
        for (std::size_t i = 0; i < all.size(); ++i) {
            CHECK(all[i].key == instrument{"xnas", "AAPL", static_cast<int>(i + 1)});
            CHECK(all[i].problem.empty() == (i != 3));
            CHECK(all[i].info.shape == (i == 3 ? std::vector<std::size_t>{} : std::vector<std::size_t>{3}));
        }
        CHECK(all[3].problem.find("prices/xnas/AAPL/4") != std::string::npos);
    }
}

TEST_CASE("findings lists the problems of every array, verify throws the first", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    append(prices, {"xnas", "AAPL", 1}, {1});
    CHECK(prices.findings().empty());
    prices.verify();
    make_damaged(prices);

    const auto found = prices.findings({.threads = 3});

    REQUIRE(found.size() >= 2);
    CHECK(is_in(found.front().file, prices.path({"xnas", "AAPL", 2})));
    CHECK(is_in(found.back().file, prices.path({"xnas", "AAPL", 4})));
    const auto e = thrown<nk::error>([&] { prices.verify(); });
    CHECK(e.what() == found.front().message);
}

TEST_CASE("compact and prune treat the arrays behind one that fails", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    make_damaged(prices);

    const auto compacting = thrown<nk::error>(
        [&] { prices.compact({.rows_per_chunk = 10, .commit = dataset::unsynced, .run = {.threads = 2}}); });
    CHECK(is_in(compacting.file(), prices.path({"xnas", "AAPL", 2})));
    CHECK(nk::inspect_chunked(prices.path({"xnas", "AAPL", 5})).chunks.size() == 1);

    const auto pruning = thrown<nk::error>([&] { (void)prices.prune(); });
    CHECK(is_in(pruning.file(), prices.path({"xnas", "AAPL", 4})));
    for (const int year : {1, 2, 3, 5})
        CHECK(nk::inspect_chunked(prices.path({"xnas", "AAPL", year})).commits == 1);
    CHECK(dataset::same(prices.reader<std::int64_t, 1>({"xnas", "AAPL", 5}).rows(0, 3), rows{5, 5, 5}));
}

TEST_CASE("an array that is removed and created again meanwhile is not taken for a damaged one",
          "[chunks][collection][fault]") {
    const instrument key{"xnas", "AAPL", 2026};
    const std::function<void(const nk::collection<instrument>&)> uses[] = {
        [](const auto& prices) { CHECK(prices.findings({.threads = 1}).empty()); },
        [](const auto& prices) {
            for (const auto& each : prices.inspect({.threads = 1}))
                CHECK(each.problem == "");
        },
        [](const auto& prices) { CHECK_NOTHROW(prices.compact({.commit = dataset::unsynced, .run = {.threads = 1}})); },
        [](const auto& prices) { CHECK_NOTHROW((void)prices.prune({}, {.threads = 1})); }};
    // The other process runs before each call that reads in turn.
    for (const auto& use : uses) {
        std::size_t calls = 1;
        for (std::size_t at = 0; at < calls; ++at) {
            INFO("call " << at);
            const temp_dir dir;
            const nk::collection<instrument> prices(dir / "prices");
            append(prices, key, {1, 2, 3});
            const faults::session armed(
                {.what = faults::effect::meanwhile, .at = at, .counted = faults::kind::reads, .meanwhile = [&] {
                     try {
                         if (prices.remove(key))
                             append(prices, key, {4, 5, 6, 7});
                     } catch (const nk::conflict_error&) {
                         // A writer is open, which compacts.
                     }
                 }});
            use(prices);
            calls = std::max(calls, armed.calls().size());
        }
        CHECK(calls > 1);
    }
}

TEST_CASE("prune counts the commits of all arrays", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    for (int commit = 0; commit < 4; ++commit)
        for (const char* const symbol : {"AAPL", "MSFT"})
            append(prices, {"xnas", symbol, 2026}, {commit});

    CHECK(prices.prune({.keep = 3}) == 2);
    CHECK(prices.prune() == 4);
    CHECK(prices.prune() == 0);
    CHECK_THROWS_AS(prices.prune({.keep = 0}), nk::mismatch_error);
}

TEST_CASE("the progress of upkeep counts keys, once for the collection", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    for (int year = 1; year <= 6; ++year)
        append(prices, {"xnas", "AAPL", year}, {year});
    std::vector<nk::progress> told;
    const nk::run_options run{.threads = 3, .progress = [&](const nk::progress& now) {
                                  told.push_back(now);
                                  return nk::flow::go;
                              }};

    prices.verify(run);

    REQUIRE(told.size() >= 2);
    CHECK(told.back().items == 6);
    for (const auto& now : told) {
        CHECK(now.phase == "verify");
        CHECK(now.items_total == 6);
        CHECK(now.file == dir / "prices");
    }
}

TEST_CASE("a stopped call ends upkeep of all arrays", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    append(prices, {"xnas", "AAPL", 1}, {1});
    const std::atomic<bool> stop = true;

    for (const auto& act : std::vector<std::function<void()>>{
             [&] { (void)prices.inspect({.stop = &stop}); }, [&] { prices.verify({.stop = &stop}); },
             [&] { prices.compact({.run = {.stop = &stop}}); }, [&] { (void)prices.prune({}, {.stop = &stop}); }})
        CHECK(thrown<nk::io_error>(act).code() == std::errc::operation_canceled);
}

}  // namespace chunks_collection_upkeep_tests
