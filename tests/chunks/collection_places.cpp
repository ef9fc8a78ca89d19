// SPDX-License-Identifier: BSD-3-Clause
// Collections in a tree of places: in memory, or in a bucket with NDKEEP_TEST_S3.
#include "chunks/collection.hpp"

#include <ndkeep/chunks/memory_place.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#if defined(NDKEEP_TEST_S3)
#include "s3/bucket.hpp"
#define NDKEEP_TEST_TAG "[s3][collection]"
#else
#define NDKEEP_TEST_TAG "[chunks][collection]"
#endif

namespace chunks_collection_places_tests {

namespace nk = ndkeep;
using namespace collection_keys;

#if defined(NDKEEP_TEST_S3)

[[nodiscard]] nk::s3_location new_tree() { return s3test::folder(); }

#else

class memory_tree final : public nk::place_tree {
  public:
    std::shared_ptr<nk::place> place_at(const std::string& name) override {
        const std::lock_guard<std::mutex> alone(mutex_);
        auto& kept = places_[name];
        if (kept == nullptr)
            kept = std::make_shared<nk::memory_place>("memory/" + name);
        return kept;
    }
    std::vector<std::string> folders(const std::string& name) override {
        const std::lock_guard<std::mutex> alone(mutex_);
        std::set<std::string> found;
        const std::string above = name.empty() ? "" : name + '/';
        for (const auto& [each, where] : places_)
            if (each.starts_with(above) && !where->list("commits").empty())
                found.insert(each.substr(above.size(), each.find('/', above.size()) - above.size()));
        return {found.begin(), found.end()};
    }
    std::filesystem::path path() const override { return "memory"; }

  private:
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<nk::memory_place>> places_;
};

/// What a location in a bucket is to a collection.
struct memory_root {
    std::shared_ptr<memory_tree> kept = std::make_shared<memory_tree>();
    [[nodiscard]] std::shared_ptr<nk::place_tree> tree() const { return kept; }
};

[[nodiscard]] memory_root new_tree() { return {}; }

#endif

const instrument apple{"xnas", "AAPL", 2026}, microsoft{"xnas", "MSFT", 2026}, other{"xlon", "VOD", 2025};

TEST_CASE("a collection in a tree of places reads back what was written under each key", NDKEEP_TEST_TAG) {
    const auto root = new_tree();
    const nk::collection<instrument> prices(root);
    CHECK(prices.keys().empty());
    CHECK_FALSE(prices.contains(apple));
    append(prices, apple, {1, 2, 3});
    append(prices, microsoft, {4});
    append(prices, other, {6});
    append(prices, apple, {5});
    CHECK(text_of(prices.keys()) == "xlon/VOD/2025 xnas/AAPL/2026 xnas/MSFT/2026");
    CHECK(text_of(prices.keys({.market = "xnas"})) == "xnas/AAPL/2026 xnas/MSFT/2026");
    CHECK(text_of(prices.keys(apple)) == "xnas/AAPL/2026");
    CHECK(prices.contains(apple));
    CHECK_FALSE(prices.contains({"xnas", "AAPL", 2025}));
    const auto reader = prices.reader<std::int64_t, 1>(apple);
    CHECK(dataset::same(reader.rows(0, 4), rows{1, 2, 3, 5}));
    CHECK(dataset::same(nk::load_chunked<std::int64_t, 1>(prices.location(microsoft)), rows{4}));
    CHECK_THROWS_AS(prices.contains({"x/y", "AAPL", 2026}), nk::mismatch_error);

    const auto all = prices.inspect();
    REQUIRE(all.size() == 3);
    CHECK(all[1].key == apple);
    CHECK(all[1].info.shape == std::vector<std::size_t>{4});
    prices.verify();
    prices.compact({.rows_per_chunk = 100});
    CHECK(prices.prune() > 0);
    CHECK(dataset::same(prices.reader<std::int64_t, 1>(apple).rows(0, 4), rows{1, 2, 3, 5}));
}

TEST_CASE("a key of a tree of places that was removed is absent, and can be written again", NDKEEP_TEST_TAG) {
    const auto root = new_tree();
    const nk::collection<instrument> prices(root);
    append(prices, apple, {1, 2, 3});
    append(prices, microsoft, {4});
    CHECK(prices.remove(apple));
    CHECK_FALSE(prices.remove(apple));
    CHECK_FALSE(prices.remove(other));
    CHECK_FALSE(prices.contains(apple));
    CHECK(text_of(prices.keys()) == "xnas/MSFT/2026");
    CHECK(prices.inspect().size() == 1);
    CHECK_THROWS_AS((prices.reader<std::int64_t, 1>(apple)), nk::io_error);
    CHECK_THROWS_AS(nk::describe_chunked(prices.location(apple), {.meta = {{"a", 1}}}), nk::io_error);
    CHECK_THROWS_AS(nk::compact_chunked(prices.location(apple)), nk::io_error);
    (void)prices.prune();
    CHECK_FALSE(prices.contains(apple));
    const auto where = prices.location(apple).open(nk::local_place::access::read);
    CHECK(where->list("chunks").empty());
    CHECK(where->list("commits").size() == 1);

    // Another dtype: nothing is left of the former array.
    {
        auto writer = prices.writer<double, 2>(apple);
        writer.append(xt::xtensor<double, 2>{{0.5, 1.5}});
        (void)writer.commit();
    }
    CHECK(prices.contains(apple));
    CHECK(dataset::same(prices.reader<double, 2>(apple).rows(0, 1), xt::xtensor<double, 2>{{0.5, 1.5}}));
    CHECK(prices.remove(apple));
    nk::save_chunked(prices.location(apple), rows{7});
    CHECK(dataset::same(prices.reader<std::int64_t, 1>(apple).rows(0, 1), rows{7}));
}

TEST_CASE("a writer of a tree of places finds that its array was removed", NDKEEP_TEST_TAG) {
    const auto root = new_tree();
    const nk::collection<instrument> prices(root);
    append(prices, apple, {1, 2, 3});
    auto early = prices.writer<std::int64_t, 1>(apple);
    early.append(rows{4});
    const auto reader = prices.reader<std::int64_t, 1>(apple);
    CHECK(prices.remove(apple));
    try {
        (void)early.commit();
        FAIL("committed into an array that was removed");
    } catch (const nk::conflict_error& problem) {
        CHECK(std::string(problem.what()).find("removed the array") != std::string::npos);
    }
    CHECK_FALSE(prices.contains(apple));

    // Nor into an array with the same form that was made again in its place.
    append(prices, apple, {1, 2, 3});
    auto late = prices.writer<std::int64_t, 1>(apple);
    late.append(rows{4});
    CHECK(prices.remove(apple));
    append(prices, apple, {7});
    CHECK_THROWS_AS(late.commit(), nk::conflict_error);
    CHECK(dataset::same(prices.reader<std::int64_t, 1>(apple).rows(0, 1), rows{7}));
    CHECK(prices.remove(apple));

    // Of two writers that begin the array again, both rows stay.
    auto one = prices.writer<std::int64_t, 1>(apple), two = prices.writer<std::int64_t, 1>(apple);
    one.append(rows{5});
    two.append(rows{6});
    (void)one.commit();
    (void)two.commit();
    CHECK(dataset::same(prices.reader<std::int64_t, 1>(apple).rows(0, 2), rows{5, 6}));
}

}  // namespace chunks_collection_places_tests
