// SPDX-License-Identifier: BSD-3-Clause
// The contract of a place, and chunked arrays and loops on it: the same cases on every kind of place.
#include "store/places.hpp"

#include "support/temp_dir.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/loop.hpp>

#include <algorithm>
#include <numeric>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace store_places_tests {

namespace nk = ndkeep;
using namespace places;

namespace {

using vector = xt::xtensor<double, 1>;
using ints = xt::xtensor<std::int64_t, 1>;

// Chunks of 32 KiB, which is enough for a mapping: smaller ones are always copied.
constexpr std::size_t chunk_rows = 4096;
constexpr nk::commit_rules unsynced{.sync = false};

vector counting(double first, std::size_t count) {
    return xt::arange<double>(first, first + static_cast<double>(count));
}

template <class A, class B>
bool same(const A& a, const B& b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
}

/// Two commits of 10,000 and 3,000 rows that count from 0.
void save_rows(ground& on, const std::string& name = "readings") {
    nk::save_chunked(on.at(name), counting(0, 10'000), {.rows_per_chunk = chunk_rows, .commit = unsynced});
    nk::chunk_writer<double, 1> writer(on.at(name), {.rows_per_chunk = chunk_rows, .commit = unsynced});
    writer.append(counting(10'000, 3'000));
    (void)writer.commit();
}

std::string chunk_name(ground& on, std::size_t i) {
    return "chunks/" + nk::inspect_chunked(on.at("readings")).chunks.at(i).file;
}

std::vector<double> chunk_by_chunk(const nk::chunk_reader<double, 1>& from) {
    std::vector<double> rows;
    for (const auto& chunk : from)
        rows.insert(rows.end(), chunk.begin(), chunk.end());
    return rows;
}

}  // namespace

TEST_CASE("of several puts of one name exactly one stores its bytes", "[store][place][threads]") {
    for (const kind which : all_kinds) {
        CAPTURE(name_of(which));
        ground on(which);
        constexpr std::size_t writers = 8;
        // The folders of a directory are created by its first put, which one thread makes.
        REQUIRE(put(*on.place_at("a"), "chunks/0", bytes_of("first")));
        std::vector<std::shared_ptr<nk::place>> opened;
        for (std::size_t i = 0; i < writers; ++i)
            opened.push_back(on.place_at("a"));
        std::vector<int> stored(writers);
        std::vector<std::thread> threads;

        for (std::size_t i = 0; i < writers; ++i)
            threads.emplace_back([&, i] { stored[i] = put(*opened[i], "chunks/1", bytes(100'000, std::byte(i))); });
        for (auto& thread : threads)
            thread.join();

        CHECK(std::accumulate(stored.begin(), stored.end(), 0) == 1);
        const auto winner = static_cast<std::size_t>(std::find(stored.begin(), stored.end(), 1) - stored.begin());
        CHECK(get(*opened[0], "chunks/1") == bytes(100'000, std::byte(winner)));
        CHECK_FALSE(put(*opened[0], "chunks/0", bytes_of("second")));
        CHECK(get(*opened[0], "chunks/0") == bytes_of("first"));
    }
}

TEST_CASE("a put joins its parts, and a range is any part of them", "[store][place]") {
    for (const kind which : all_kinds) {
        CAPTURE(name_of(which));
        ground on(which);
        const auto where = on.place_at("a");
        const auto one = bytes_of("0123"), two = bytes_of("4567");
        const std::array<std::span<const std::byte>, 3> parts = {std::span<const std::byte>(one), {}, two};
        REQUIRE(where->put("chunks/1", parts, nk::durability::on_disk));

        bytes middle(4), none;
        CHECK(where->get_range("chunks/1", 2, middle));
        CHECK(middle == bytes_of("2345"));
        CHECK(where->get_range("chunks/1", 8, none));
        CHECK(where->size("chunks/1") == 8);
        CHECK(where->get("chunks/1", 8) == bytes_of("01234567"));
    }
}

TEST_CASE("a range beyond the end and a name that is too long are errors", "[store][place][error]") {
    for (const kind which : all_kinds) {
        CAPTURE(name_of(which));
        ground on(which);
        const auto where = on.place_at("a");
        REQUIRE(put(*where, "chunks/1", bytes_of("01234567")));

        bytes out(4);
        for (const std::uint64_t offset : {std::uint64_t{5}, std::uint64_t{9}}) {
            const auto e = thrown<nk::format_error>([&] { (void)where->get_range("chunks/1", offset, out); });
            CHECK(e.file() == where->called("chunks/1"));
            CHECK(e.field() == "length");
        }
        const auto e = thrown<nk::format_error>([&] { (void)where->get("chunks/1", 7); });
        CHECK(e.file() == where->called("chunks/1"));
        CHECK(e.expected() == "at most 7 bytes");
        CHECK(e.found() == "8 bytes");
    }
}

TEST_CASE("an absent name is a result, not an error", "[store][place]") {
    for (const kind which : all_kinds) {
        CAPTURE(name_of(which));
        ground on(which);
        const auto where = on.place_at("a");
        // Before the first put, a directory has no folders; then the folder exists, and then the name was removed.
        for (const int puts : {0, 1, 2}) {
            CAPTURE(puts);
            if (puts == 1)
                REQUIRE(put(*where, "chunks/other", bytes_of("x")));
            if (puts == 2) {
                REQUIRE(put(*where, "chunks/1", bytes_of("x")));
                where->remove("chunks/1");
            }
            bytes out(1);
            CHECK(where->get("chunks/1", 10) == std::nullopt);
            CHECK_FALSE(where->get_range("chunks/1", 0, out));
            CHECK(where->size("chunks/1") == std::nullopt);
            CHECK_FALSE(where->open("chunks/1").has_value());
            CHECK_NOTHROW(where->remove("chunks/1"));
            const auto e = thrown<nk::io_error>([&] { where->sync("chunks/1"); });
            CHECK(e.code() == std::errc::no_such_file_or_directory);
        }
    }
}

TEST_CASE("a listing has the names of its folder that were put and not removed", "[store][place]") {
    for (const kind which : all_kinds) {
        CAPTURE(name_of(which));
        ground on(which);
        const auto where = on.place_at("a");
        CHECK(where->list("chunks").empty());
        for (const char* const name : {"chunks/b", "chunks/a", "commits/c", "chunks/d"})
            REQUIRE(put(*where, name, bytes_of(name)));
        where->remove("chunks/d");
        where->sync("chunks/a");
        where->sync_names("chunks");

        const auto names = where->list("chunks");
        CHECK(std::set<std::string>(names.begin(), names.end()) == std::set<std::string>{"a", "b"});
        CHECK(names.size() == 2);
        CHECK(where->list("commits") == std::vector<std::string>{"c"});
        CHECK(where->strangers().empty());
    }
}

TEST_CASE("rows are the same however they are read, from any place", "[store][place]") {
    for (const kind which : all_kinds) {
        CAPTURE(name_of(which));
        ground on(which);
        save_rows(on);
        const auto expected = counting(0, 13'000);

        const nk::chunk_reader<double, 1> readings(on.at("readings"));
        CHECK(readings.rows() == 13'000);
        CHECK(same(nk::load_chunked<double, 1>(on.at("readings")), expected));
        CHECK(same(nk::map_chunked<double, 1>(on.at("readings"), on.mapping({.verify = true})), expected));
        CHECK(same(chunk_by_chunk(readings), expected));
        CHECK(same(readings[1], counting(chunk_rows, chunk_rows)));
        CHECK(same(readings.rows(4'000, 9'000), counting(4'000, 5'000)));
        CHECK(same(readings.rows(readings.find(9'000, 9'001)), readings[2]));
        CHECK(nk::load_chunked_any(on.at("readings")).shape() == std::vector<std::size_t>{13'000});
        CHECK(same(nk::load_chunked<double, 1>(on.at("readings"), {.at_commit = 1}), counting(0, 10'000)));
        CHECK(nk::findings_chunked(on.at("readings")).empty());
    }
}

TEST_CASE("many chunks that are not full are mapped contiguously from any place", "[store][place]") {
    for (const kind which : all_kinds) {
        CAPTURE(name_of(which));
        ground on(which);
        nk::chunk_writer<double, 1> writer(on.at("readings"), {.rows_per_chunk = 2'500, .commit = unsynced});
        writer.append(counting(0, 25'000));
        (void)writer.commit();
        writer.resize(30'000);  // zeros, which have no chunk
        (void)writer.commit();

        const auto all = nk::map_chunked<double, 1>(on.at("readings"), on.mapping());
        CHECK(same(xt::view(all, xt::range(0, 25'000)), counting(0, 25'000)));
        CHECK(xt::sum(xt::view(all, xt::range(25'000, 30'000)))() == 0);
    }
}

TEST_CASE("a flipped byte is found in any place, by all that checks", "[store][place][error]") {
    for (const kind which : all_kinds) {
        CAPTURE(name_of(which));
        ground on(which);
        save_rows(on);
        const auto where = on.place_at("readings");
        const auto name = chunk_name(on, 1);
        damage(*where, name);

        const auto findings = nk::findings_chunked(on.at("readings"), {.run = {.threads = 2}});
        REQUIRE(findings.size() == 1);
        CHECK(findings[0].file == where->called(name));
        CHECK(findings[0].field == "crc32c of rows 4096 to 8192");
        CHECK_THROWS_AS(nk::verify_chunked(on.at("readings")), nk::checksum_error);
        CHECK_THROWS_AS((nk::load_chunked<double, 1>(on.at("readings"))), nk::checksum_error);
        CHECK_THROWS_AS((nk::map_chunked<double, 1>(on.at("readings"), on.mapping({.verify = true}))),
                        nk::checksum_error);
        const nk::chunk_reader<double, 1> checked(on.at("readings"), {.verify = true});
        CHECK_THROWS_AS(checked[1], nk::checksum_error);
        CHECK(checked[0].size() == chunk_rows);
        CHECK_THROWS_AS(nk::compact_chunked(on.at("readings"), {.rows_per_chunk = 13'000}), nk::checksum_error);
    }
}

TEST_CASE("a chunk that is missing or cut short is reported as such in any place", "[store][place][error]") {
    for (const kind which : all_kinds) {
        CAPTURE(name_of(which));
        ground on(which);
        save_rows(on);
        const auto where = on.place_at("readings");
        const auto name = chunk_name(on, 1);
        const auto whole = get(*where, name).value();
        const nk::chunk_reader<double, 1> readings(on.at("readings"));

        replace(*where, name, {whole.begin(), whole.end() - 8});
        CHECK(thrown<nk::format_error>([&] { (void)readings[1]; }).field() == "length");
        CHECK(thrown<nk::format_error>([&] {
                  (void)nk::map_chunked<double, 1>(on.at("readings"), on.mapping());
              }).field() == "length");
        CHECK(thrown<nk::format_error>([&] { nk::verify_chunked(on.at("readings")); }).field() == "length");

        where->remove(name);
        const std::vector<nk::finding> findings = nk::findings_chunked(on.at("readings"));
        REQUIRE(findings.size() == 1);
        CHECK(findings[0].file == where->called(name));
        CHECK(findings[0].found == "missing");
        CHECK(thrown<nk::format_error>([&] { (void)readings[1]; }).found() == "missing");
        CHECK(thrown<nk::format_error>([&] {
                  (void)nk::map_chunked<double, 1>(on.at("readings"), on.mapping());
              }).found() == "missing");
        CHECK(thrown<nk::format_error>([&] { (void)readings.rows(0, 13'000); }).found() == "missing");
    }
}

TEST_CASE("metadata, compacting and pruning work in any place", "[store][place]") {
    for (const kind which : all_kinds) {
        CAPTURE(name_of(which));
        ground on(which);
        save_rows(on);

        nk::describe_chunked(on.at("readings"), {.meta = {{"units", "kelvin"}}, .commit = unsynced});
        nk::compact_chunked(on.at("readings"), {.rows_per_chunk = 20'000, .commit = unsynced});
        const auto info = nk::inspect_chunked(on.at("readings"));
        CHECK(info.commit == 4);
        CHECK(info.commits == 4);
        CHECK(info.chunks.size() == 1);
        CHECK((info.metadata == nk::json{{"units", "kelvin"}}));

        CHECK(nk::prune_chunked(on.at("readings"), {.keep = 1}) == 3);
        CHECK(nk::prune_chunked(on.at("readings"), {.keep = 1}) == 0);
        CHECK(on.place_at("readings")->list("chunks").size() == 1);
        CHECK(same(nk::load_chunked<double, 1>(on.at("readings")), counting(0, 13'000)));
        CHECK(nk::findings_chunked(on.at("readings")).empty());
        CHECK_THROWS_AS((nk::chunk_reader<double, 1>(on.at("readings"), {.at_commit = 1})), nk::conflict_error);
    }
}

TEST_CASE("pruning keeps a commit that is being read, or its reader says that it is pruned", "[store][place]") {
    for (const kind which : all_kinds) {
        CAPTURE(name_of(which));
        ground on(which);
        save_rows(on);
        const nk::chunk_reader<double, 1> before(on.at("readings"), {.at_commit = 1});
        nk::save_chunked(on.at("readings"), counting(5, 100), {.commit = unsynced});

        const auto removed = nk::prune_chunked(on.at("readings"), {.keep = 1});

        if (which == kind::directory || which == kind::no_files) {
            CHECK(removed == 0);
            CHECK(same(chunk_by_chunk(before), counting(0, 10'000)));
        } else {  // it has no locks
            CHECK(removed == 2);
            CHECK(thrown<nk::conflict_error>([&] { (void)before[0]; }).found() == "pruned");
        }
    }
}

TEST_CASE("a damaged record is skipped by recovery in any place", "[store][place]") {
    for (const kind which : all_kinds) {
        CAPTURE(name_of(which));
        ground on(which);
        save_rows(on);
        damage(*on.place_at("readings"), "commits/00000000000000000002.json");

        CHECK_THROWS_AS((nk::load_chunked<double, 1>(on.at("readings"))), nk::checksum_error);
        CHECK(nk::findings_chunked(on.at("readings")).size() == 1);
        CHECK(nk::damaged_commits(on.at("readings")) == std::vector<std::uint64_t>{2});
        CHECK(nk::recover_chunked(on.at("readings")) == std::vector<std::uint64_t>{2});
        CHECK(nk::damaged_commits(on.at("readings")).empty());
        CHECK(same(nk::load_chunked<double, 1>(on.at("readings")), counting(0, 10'000)));
    }
}

TEST_CASE("of two changes of one row the second is a conflict in any place", "[store][place]") {
    for (const kind which : all_kinds) {
        CAPTURE(name_of(which));
        ground on(which);
        save_rows(on);
        nk::chunk_writer<double, 1> one(on.at("readings"), {.commit = unsynced});
        nk::chunk_writer<double, 1> two(on.at("readings"), {.commit = unsynced});

        one.write(7, counting(100, 1));
        two.write(7, counting(200, 1));
        (void)one.commit();
        CHECK_THROWS_AS(two.commit(), nk::conflict_error);
        two.discard();
        two.append(counting(13'000, 1));
        (void)two.commit();

        const auto rows = nk::load_chunked<double, 1>(on.at("readings"));
        CHECK(rows(7) == 100);
        CHECK(rows.size() == 13'001);
        nk::verify_chunked(on.at("readings"));
    }
}

TEST_CASE("appends of several threads are all there in any place", "[store][place][threads]") {
    for (const kind which : all_kinds) {
        CAPTURE(name_of(which));
        ground on(which);
        constexpr int writers = 3, commits = 15;
        std::vector<nk::dataset_location> locations;
        for (int i = 0; i < writers; ++i)
            locations.push_back(on.at("readings"));
        std::vector<std::string> problems(writers);
        std::vector<std::thread> threads;

        for (int i = 0; i < writers; ++i)
            threads.emplace_back([&, i] {
                try {
                    nk::chunk_writer<double, 1> to(locations[static_cast<std::size_t>(i)],
                                                   {.rows_per_chunk = 8, .commit = {.sync = false, .keep = 5}});
                    for (int j = 0; j < commits; ++j) {
                        to.append(vector{100.0 * i + j});
                        (void)to.commit();
                    }
                } catch (const std::exception& problem) {
                    problems[static_cast<std::size_t>(i)] = problem.what();
                }
            });
        for (auto& thread : threads)
            thread.join();

        CHECK(problems == std::vector<std::string>(writers));
        const auto rows = nk::load_chunked<double, 1>(on.at("readings"));
        CHECK(std::set<double>(rows.begin(), rows.end()).size() == writers * commits);
        CHECK(rows.size() == writers * commits);
        nk::verify_chunked(on.at("readings"));
    }
}

TEST_CASE("rows are appended although others have merged and pruned the chunks before them", "[store][place]") {
    ground on(kind::memory);
    nk::chunk_writer<double, 1> first(on.at("readings"), {.commit = unsynced});
    for (double i = 0; i < 7; ++i) {
        first.append(vector{i});
        (void)first.commit();
    }
    nk::chunk_writer<double, 1> slow(on.at("readings"), {.commit = unsynced});
    nk::compact_chunked(on.at("readings"));
    nk::prune_chunked(on.at("readings"), {.keep = 1});

    // The eighth small chunk: this commit would merge the seven that are gone.
    slow.append(vector{7});
    (void)slow.commit();

    CHECK((nk::load_chunked<double, 1>(on.at("readings")) == vector(xt::arange<double>(8))));
    nk::verify_chunked(on.at("readings"));
}

TEST_CASE("a loop from any place into any place resumes where it was interrupted", "[store][place][loop]") {
    for (const kind from : all_kinds)
        for (const kind into : all_kinds) {
            CAPTURE(name_of(from), name_of(into));
            ground source(from), target(into);
            save_rows(source);
            const auto pass = [&](std::uint64_t until) {
                const nk::chunk_reader<double, 1> readings(source.at("readings"));
                nk::chunk_writer<double, 1> sums(target.at("sums"), {.commit = unsynced});
                nk::stateful_loop loop(target.file("sums.state"), {.sync = false});
                auto& sum = loop.bind<double>("sum");
                auto& seen = loop.bind<std::vector<double>>("seen");
                for (const auto& chunk : loop.over(readings, {.verify = true}).into(sums)) {
                    sum += xt::sum(chunk)();
                    seen.push_back(sum);
                    sums.append(vector{sum});
                    if (loop.index() == until)
                        break;  // this chunk is not committed
                }
                return seen.size();
            };

            CHECK(pass(2) == 3);
            CHECK(nk::load_chunked<double, 1>(target.at("sums")).size() == 2);
            CHECK(pass(9) == nk::inspect_chunked(source.at("readings")).chunks.size());
            const auto sums = nk::load_chunked<double, 1>(target.at("sums"));
            CHECK(sums(sums.size() - 1) == 13'000.0 * 12'999 / 2);
            CHECK(pass(9) == sums.size());  // nothing is left to do
            CHECK(nk::load_chunked<double, 1>(target.at("sums")).size() == sums.size());
            nk::verify_chunked(target.at("sums"));
        }
}

TEST_CASE("a location is made of a path or of a place, and shows its path in errors", "[store][place][error]") {
    const temp_dir dir;
    nk::save_chunked((dir / "a").string(), counting(0, 3));
    nk::save_chunked(std::make_unique<nk::local_place>(dir / "b", nk::local_place::access::write), counting(0, 3));
    const auto memory = std::make_shared<nk::memory_place>("bucket/c");
    const std::shared_ptr<nk::place> base = memory;

    CHECK(nk::load_chunked<double, 1>(dir / "a/").size() == 3);
    CHECK(nk::load_chunked<double, 1>((dir / "b").c_str()).size() == 3);
    CHECK(thrown<nk::io_error>([&] { (void)nk::load_chunked<double, 1>(memory); }).file() == "bucket/c/commits");
    CHECK(thrown<nk::io_error>([&] { nk::compact_chunked(memory); }).file() == "bucket/c");
    nk::save_chunked(base, counting(0, 3));
    CHECK(thrown<nk::mismatch_error>([&] { nk::save_chunked(memory, ints{1}); }).file() == "bucket/c");
    CHECK(thrown<nk::mismatch_error>([&] { (void)nk::load_chunked<double, 2>(memory); }).file() == "bucket/c");
    CHECK(thrown<nk::mismatch_error>([&] { (void)nk::prune_chunked(memory, {.keep = 0}); }).file() == "bucket/c");
    CHECK(nk::dataset_location(dir / "a/").path() == dir / "a");
    CHECK(nk::dataset_location(memory).path() == "bucket/c");
    CHECK(thrown<nk::mismatch_error>([] { nk::dataset_location(std::shared_ptr<nk::memory_place>()); }).found() ==
          "a null pointer");
}

}  // namespace store_places_tests
