// SPDX-License-Identifier: BSD-3-Clause
// A place that rejects one call of a writer: the failed call has no effect and can be repeated.
#include "chunks/rows.hpp"
#include "support/forwarding_place.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <set>

namespace rows_of_pairs::refusals_tests {

namespace nk = ndkeep;
using namespace dataset;

namespace {

/// A directory that records puts, syncs and removals, and rejects calls on request.
class watched_place : public forwarding_place {
  public:
    struct watch {
        std::vector<std::string> calls;
        std::function<void(const std::string& call)> before = [](const std::string&) {};
    };
    watched_place(const std::filesystem::path& path, watch& by) : forwarding_place(path), by_(by) {}

    bool put(const std::string& name, parts bytes, nk::durability wanted) override {
        note("put " + name);
        return forwarding_place::put(name, bytes, wanted);
    }
    void remove(const std::string& name) override {
        note("remove " + name);
        forwarding_place::remove(name);
    }
    void sync(const std::string& name) override {
        note("sync " + name);
        forwarding_place::sync(name);
    }
    void sync_names(const std::string& folder) override {
        note("sync_names " + folder);
        forwarding_place::sync_names(folder);
    }

  private:
    void note(const std::string& call) {
        by_.calls.push_back(call);
        by_.before(call);
    }
    watch& by_;
};

std::function<void(const std::string&)> refusing(const std::string& prefix) {
    return [prefix](const std::string& call) {
        if (call.starts_with(prefix))
            throw nk::io_error("watched", call, std::make_error_code(std::errc::no_space_on_device));
    };
}

}  // namespace

TEST_CASE("files that have moved are durable before the record that names them", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, counted(2));
    watched_place::watch watch;
    nk::chunk_writer<double, 2> slow(std::make_unique<watched_place>(path, watch), {.rows_per_chunk = 2000});
    slow.append(counted(2000));
    nk::chunk_writer<double, 2> quick(path);
    quick.append(counted(3));
    quick.commit();

    watch.calls.clear();
    slow.commit();

    bool names_are_durable = false;
    std::set<std::string> to_sync;
    for (const auto& call : watch.calls) {
        if (call.starts_with("put chunks/")) {
            names_are_durable = false;
            to_sync.insert(call.substr(4));
        } else if (call.starts_with("sync chunks/")) {
            to_sync.erase(call.substr(5));
        } else if (call == "sync_names chunks") {
            names_are_durable = true;
        } else if (call.starts_with("put commits/")) {
            CHECK(names_are_durable);
            CHECK(to_sync.empty());
        }
    }
    check_rows(path, joined(joined(counted(2), counted(3)), counted(2000)));
}

TEST_CASE("an append that fails is as if it had not been made, and earlier ones are still to be committed",
          "[chunks][error]") {
    const temp_dir dir;
    const auto path = dir / "a";
    watched_place::watch watch;
    nk::chunk_writer<double, 2> writer(std::make_unique<watched_place>(path, watch),
                                       {.rows_per_chunk = 4, .commit = unsynced});
    writer.append(counted(6));

    watch.before = refusing("put chunks/");
    SECTION("of rows in memory") { CHECK_THROWS_AS(writer.append(counted(11, 100)), nk::io_error); }
    SECTION("of rows that are made one by one") { CHECK_THROWS_AS(writer.append(counted(11, 100) + 1), nk::io_error); }
    CHECK(writer.rows() == 6);
    watch.before = [](const std::string&) {};
    writer.commit();

    check_rows(path, counted(6));
}

TEST_CASE("a write or resize that fails is as if it had not been made", "[chunks][error]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, counted(12), {.rows_per_chunk = 4, .commit = unsynced});
    watched_place::watch watch;
    nk::chunk_writer<double, 2> writer(std::make_unique<watched_place>(path, watch),
                                       {.rows_per_chunk = 4, .commit = unsynced});
    std::size_t puts = 0;
    watch.before = [&](const std::string& call) {
        if (call.starts_with("put chunks/") && ++puts == 2)
            throw nk::io_error("watched", call, std::make_error_code(std::errc::no_space_on_device));
    };

    CHECK_THROWS_AS(writer.write(2, counted(8, 100)), nk::io_error);
    puts = 1;
    CHECK_THROWS_AS(writer.resize(7), nk::io_error);
    CHECK(writer.rows() == 12);
    writer.append(counted(4, 50));
    writer.commit();

    check_rows(path, joined(counted(12), counted(4, 50)));
}

TEST_CASE("a commit that fails may be made again", "[chunks][error]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, counted(2));
    watched_place::watch watch;
    nk::chunk_writer<double, 2> writer(std::make_unique<watched_place>(path, watch), {.rows_per_chunk = 4});
    for (const char* const call : {"put chunks/", "put commits/"}) {
        INFO(call);
        const auto before = nk::load_chunked<double, 2>(path);
        const auto rows = before.shape()[0];
        writer.append(counted(3, 10));
        watch.before = refusing(call);
        CHECK_THROWS_AS(writer.commit(), nk::io_error);
        CHECK(same(nk::load_chunked<double, 2>(path), before));
        watch.before = [](const std::string&) {};
        CHECK_NOTHROW(writer.commit());
        check_rows(path, joined(before, counted(3, 10)));
        CHECK(nk::chunk_reader<double, 2>(path).rows() == rows + 3);
    }
    CHECK(orphans(path).empty());
}

TEST_CASE("a file whose sync has failed is never believed to be on the disk", "[chunks][error]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, counted(2));
    watched_place::watch watch;
    nk::chunk_writer<double, 2> writer(std::make_unique<watched_place>(path, watch), {.rows_per_chunk = 4});
    writer.append(counted(4, 10));
    watch.before = refusing("sync chunks/");
    CHECK_THROWS_AS(writer.commit(), nk::io_error);
    watch.before = [](const std::string&) {};
    watch.calls.clear();

    // After a failed sync, the system drops the unwritten pages: a second sync of the same file succeeds without
    // writing them.
    bool refused = false;
    try {
        writer.commit();
    } catch (const nk::error&) {
        refused = true;
    }

    const auto is_put = [](const std::string& call) { return call.starts_with("put chunks/"); };
    CHECK((refused || std::any_of(watch.calls.begin(), watch.calls.end(), is_put)));
}

TEST_CASE("a directory that cannot be synced behind the record closes the writer", "[chunks][error]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, counted(2));
    watched_place::watch watch;
    nk::chunk_writer<double, 2> writer(std::make_unique<watched_place>(path, watch));
    writer.append(counted(3, 10));
    watch.before = refusing("sync_names commits");

    const auto e = thrown<nk::io_error>([&] { writer.commit(); });
    watch.before = [](const std::string&) {};

    CHECK(e.found().find("may not survive a power cut") != std::string::npos);
    CHECK_THROWS_AS(writer.append(counted(1)), nk::conflict_error);
    CHECK_THROWS_AS(writer.commit(), nk::conflict_error);
    check_rows(path, joined(counted(2), counted(3, 10)));
}

}  // namespace rows_of_pairs::refusals_tests
