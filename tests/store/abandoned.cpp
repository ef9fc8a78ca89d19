// SPDX-License-Identifier: BSD-3-Clause
// Sweeps in places without locks, by the age of files.
#include "chunks/dataset.hpp"
#include "support/forwarding_place.hpp"

#include <ndkeep/chunks/memory_place.hpp>

#include <array>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace store_abandoned_tests {

namespace nk = ndkeep;
using rows = xt::xtensor<std::int64_t, 1>;

/// A place in memory, whose files are all old, and whose records are as old as the test says.
class aged_place final : public forwarding_place {
  public:
    aged_place() : forwarding_place(std::make_unique<nk::memory_place>()) {}

    std::vector<std::string> abandoned() override {
        auto names = are_old ? list("chunks") : std::vector<std::string>();
        std::erase_if(names, [&](const std::string& name) { return young.count(name) != 0; });
        return names;
    }
    bool was_put_long_ago(const std::string& name) override { return young.count(name) == 0; }

    bool are_old = false;
    std::set<std::string> young;  // but these names, and these records
};

[[nodiscard]] std::set<std::string> files_of(nk::place& where) {
    const auto names = where.list("chunks");
    return {names.begin(), names.end()};
}

TEST_CASE("prune removes the files that killed writers have left, where there are no locks", "[store]") {
    const auto where = std::make_shared<aged_place>();
    nk::save_chunked(where, rows{1, 2, 3}, {.rows_per_chunk = 2});
    const auto named = files_of(*where);
    // As the file of a killed writer: staged under a name of this dataset, and named by no record.
    auto left = *named.begin();
    left.replace(left.rfind('-'), std::string::npos, "-77.npy");
    const std::array<std::byte, 3> bytes = {};
    const std::span<const std::byte> part(bytes);
    REQUIRE(where->put("chunks/" + left, {&part, 1}, nk::durability::when_convenient));
    const std::string foreign = "00-0123456789abcdef-1.npy";
    REQUIRE(where->put("chunks/" + foreign, {&part, 1}, nk::durability::when_convenient));

    (void)nk::prune_chunked(where);
    CHECK(files_of(*where).count(left) == 1);  // it may be of a writer that is about to commit

    auto slow = nk::chunk_writer<std::int64_t, 1>(where, {.rows_per_chunk = 1});
    slow.append(rows{9});
    where->are_old = true;
    (void)nk::prune_chunked(where);
    CHECK(files_of(*where).count(left) == 0);
    CHECK(files_of(*where).count(foreign) == 1);
    for (const auto& name : named)
        CHECK(files_of(*where).count(name) == 1);
    // The file of the slow writer is gone too, and the writer notices.
    CHECK_THROWS_AS(slow.commit(), nk::conflict_error);
    CHECK(dataset::same(nk::load_chunked<std::int64_t, 1>(where), rows{1, 2, 3}));

    const auto before = nk::inspect_chunked(where).commit;
    (void)nk::prune_chunked(where);
    CHECK(nk::inspect_chunked(where).commit == before);  // nothing to sweep, no commit
}

TEST_CASE("a sweep does not disturb writers if older commits name all files", "[store]") {
    const auto where = std::make_shared<aged_place>();
    nk::save_chunked(where, rows{1, 2, 3}, {.rows_per_chunk = 2});
    nk::save_chunked(where, rows{4}, {.rows_per_chunk = 2});
    const auto before = files_of(*where);
    auto open = nk::chunk_writer<std::int64_t, 1>(where, {.rows_per_chunk = 1});
    open.append(rows{5});
    where->young = files_of(*where);
    for (const auto& name : before)
        where->young.erase(name);
    where->are_old = true;
    (void)nk::prune_chunked(where, {.keep = 10});
    CHECK(nk::inspect_chunked(where).commit == 2);
    (void)open.commit();
    CHECK(dataset::same(nk::load_chunked<std::int64_t, 1>(where), rows{4, 5}));
}

TEST_CASE("prune keeps commits that were replaced a short time ago", "[store]") {
    const auto where = std::make_shared<aged_place>();
    for (std::int64_t i = 0; i < 6; ++i)
        nk::save_chunked(where, rows{i}, {.rows_per_chunk = 1});
    const auto record = [](unsigned number) {
        return "commits/0000000000000000000" + std::to_string(number) + ".json";
    };
    // Commit 3 was replaced by 4 just now.
    where->young = {record(4), record(5), record(6)};
    CHECK(nk::prune_chunked(where, {.keep = 1}) == 2);
    CHECK(dataset::same(nk::load_chunked<std::int64_t, 1>(where, {.at_commit = 3}), rows{2}));
    CHECK_THROWS_AS((nk::load_chunked<std::int64_t, 1>(where, {.at_commit = 2})), nk::conflict_error);
    CHECK(files_of(*where).size() == 4);
    where->young = {};
    CHECK(nk::prune_chunked(where, {.keep = 1}) == 3);
    CHECK(files_of(*where).size() == 1);
}

}  // namespace store_abandoned_tests
