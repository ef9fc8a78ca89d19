// SPDX-License-Identifier: BSD-3-Clause
// Collections: legal keys, their order, prefixes, and names that are no keys.
#include "chunks/collection.hpp"

#include <algorithm>
#include <limits>
#include <map>

namespace chunks_collection_tests {

namespace nk = ndkeep;
namespace fs = std::filesystem;
using namespace collection_keys;

namespace {

struct sample {
    std::int8_t shift = 0;
    std::uint64_t run = 0;
    friend bool operator==(const sample&, const sample&) = default;
};
NDKEEP_KEY(sample, shift, run);

struct sixteen {
    int a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0, j = 0, k = 0, l = 0, m = 0, n = 0, o = 0;
    std::string p = {};
};
NDKEEP_KEY(sixteen, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);

void make(const fs::path& folder) {
    fs::create_directories(folder.parent_path());
    nk::save_chunked(folder, rows{1, 2}, {.commit = dataset::unsynced});
}

}  // namespace

TEST_CASE("a collection reads back what was written under each key", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    CHECK(prices.keys().empty());
    CHECK_FALSE(prices.contains({"xnas", "AAPL", 2026}));

    append(prices, {"xnas", "AAPL", 2026}, {1, 2, 3});
    append(prices, {"xnas", "MSFT", 2026}, {4});
    append(prices, {"xnas", "AAPL", 2026}, {5});

    CHECK(text_of(prices.keys()) == "xnas/AAPL/2026 xnas/MSFT/2026");
    CHECK(prices.contains({"xnas", "AAPL", 2026}));
    CHECK_FALSE(prices.contains({"xnas", "AAPL", 2025}));
    CHECK(prices.path({"xnas", "AAPL", 2026}) == dir / "prices/xnas/AAPL/2026");
    const auto reader = prices.reader<std::int64_t, 1>({"xnas", "AAPL", 2026});
    CHECK(dataset::same(reader.rows(0, 4), rows{1, 2, 3, 5}));
    CHECK(dataset::same(nk::load_chunked<std::int64_t, 1>(prices.path({"xnas", "MSFT", 2026})), rows{4}));
}

TEST_CASE("a key appears with its first commit", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    auto writer = prices.writer<std::int64_t, 1>({"xnas", "AAPL", 2026});
    writer.append(rows{1});
    CHECK(prices.keys().empty());
    CHECK_FALSE(prices.contains({"xnas", "AAPL", 2026}));
    CHECK_THROWS_AS((prices.reader<std::int64_t, 1>({"xnas", "AAPL", 2026})), nk::io_error);

    (void)writer.commit();

    CHECK(text_of(prices.keys()) == "xnas/AAPL/2026");
}

TEST_CASE("keys are sorted by fields: numbers by value, strings by bytes", "[chunks][collection]") {
    const temp_dir dir;
    for (const char* const name : {"b/x/10", "b/x/9", "b/x/-10", "b/x/-9", "b/x/0", "a/z/1", "B/z/1", "a/é/1"})
        make(dir / "prices" / name);
    const nk::collection<instrument> prices(dir / "prices");

    const auto keys = prices.keys();

    CHECK(text_of(keys) == "B/z/1 a/z/1 a/é/1 b/x/-10 b/x/-9 b/x/0 b/x/9 b/x/10");
    CHECK(std::is_sorted(keys.begin(), keys.end(), nk::key_less<instrument>()));
    std::map<instrument, int, nk::key_less<instrument>> by_key;
    for (const auto& key : {instrument{"b", "a", 1}, instrument{"a", "b", 10}, instrument{"a", "b", 9}})
        by_key[key] = key.year;
    CHECK(by_key.begin()->second == 9);
    CHECK(by_key.rbegin()->first.market == "b");
}

TEST_CASE("a prefix is all fields up to the last that is given", "[chunks][collection]") {
    const temp_dir dir;
    for (const char* const name : {"xnas/AAPL/2025", "xnas/AAPL/2026", "xnas/MSFT/2026", "xnys/AAPL/2026"})
        make(dir / "prices" / name);
    const nk::collection<instrument> prices(dir / "prices");

    CHECK(prices.keys({}).size() == 4);
    CHECK(text_of(prices.keys({.market = "xnys"})) == "xnys/AAPL/2026");
    CHECK(text_of(prices.keys({.market = "xnas", .symbol = "AAPL"})) == "xnas/AAPL/2025 xnas/AAPL/2026");
    CHECK(text_of(prices.keys({"xnas", "AAPL", 2026})) == "xnas/AAPL/2026");
    CHECK(prices.keys({.market = "xlon"}).empty());
    // A gap is an error, because the folders above a symbol are unknown.
    CHECK(thrown<nk::mismatch_error>([&] { (void)prices.keys({.symbol = "AAPL"}); }).field() ==
          "field 'market' of instrument");
}

TEST_CASE("the number of fields makes 0 a part of a prefix", "[chunks][collection]") {
    const temp_dir dir;
    for (const char* const name : {"0/1", "0/2", "1/1", "-1/0"})
        make(dir / "samples" / name);
    const nk::collection<sample> samples(dir / "samples");

    CHECK(samples.keys({.shift = 0}).size() == 4);
    CHECK(samples.keys({.shift = 0}, 1) == std::vector<sample>{{0, 1}, {0, 2}});
    // In front of a given field, 0 is given.
    CHECK(samples.keys({.shift = 0, .run = 2}) == std::vector<sample>{{0, 2}});
    CHECK(samples.keys({.shift = -1, .run = 0}, 2) == std::vector<sample>{{-1, 0}});
    const auto e = thrown<nk::mismatch_error>([&] { (void)samples.keys({}, 3); });
    CHECK(e.expected() == "at most 2");
    CHECK(e.found() == "3");
}

TEST_CASE("numbers are canonical and in the range of their field", "[chunks][collection]") {
    const temp_dir dir;
    for (const char* const name : {"127/18446744073709551615", "-128/0", "128/1", "-129/1", "007/1", "+7/1", "-0/1",
                                   "1e1/1", " 7/1", "7/18446744073709551616", "7/-1", "7/0x1", "7/1 "})
        make(dir / "samples" / name);
    const nk::collection<sample> samples(dir / "samples");

    CHECK(samples.keys() == std::vector<sample>{{-128, 0}, {127, std::numeric_limits<std::uint64_t>::max()}});
    CHECK(samples.path({-128, 5}) == dir / "samples/-128/5");
}

TEST_CASE("strings that cannot be names of folders are rejected", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    const struct {
        std::string symbol, expected, found;
    } cases[] = {
        {"", "a text that is not empty", "empty"},
        {".", "no slash, backslash or dot", "'.'"},
        {"..", "no slash, backslash or dot", "'..'"},
        {"BRK.B", "no slash, backslash or dot", "'BRK.B'"},
        {"a/b", "no slash, backslash or dot", "'a/b'"},
        {"a\\b", "no slash, backslash or dot", "'a\\b'"},
        {"a\n", "no control character", "'a\\x0a'"},
        {std::string("a\0b", 3), "no control character", "'a\\x00b'"},
        {"a\x7f", "no control character", "'a\\x7f'"},
        {"a\xc2\x85", "no control character", "'a\\xc2\\x85'"},
        {"\xff", "UTF-8", "'\\xff'"},
        {"\xed\xa0\x80", "UTF-8", "'\\xed\\xa0\\x80'"},
        {"AAPL ", "no blank at the end", "'AAPL '"},
        {"commits", "a name that chunked arrays do not use", "'commits'"},
        {"chunks", "a name that chunked arrays do not use", "'chunks'"},
        {std::string(256, 'a'), "at most 255 bytes", "256 bytes long"},
    };
    for (const auto& each : cases) {
        INFO(each.symbol);
        const instrument key{"xnas", each.symbol, 2026};

        const auto e = thrown<nk::mismatch_error>([&] { (void)prices.writer<std::int64_t, 1>(key); });

        CHECK(e.file() == dir / "prices");
        CHECK(e.field() == "field 'symbol' of instrument");
        CHECK(e.expected() == each.expected);
        CHECK(e.found() == each.found);
        CHECK_THROWS_AS(prices.contains(key), nk::mismatch_error);
        CHECK_THROWS_AS(prices.remove(key), nk::mismatch_error);
        CHECK_THROWS_AS(prices.path(key), nk::mismatch_error);
        CHECK_THROWS_AS((prices.reader<std::int64_t, 1>(key)), nk::mismatch_error);
    }
    CHECK_FALSE(fs::exists(dir / "prices"));
}

TEST_CASE("all other UTF-8 is a name", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    const std::vector<std::string> symbols = {"日経225", "a b", "-5", "lock", std::string(255, 'a'), "a:b*?\"<>|"};
    for (const auto& symbol : symbols)
        append(prices, {"xtks", symbol, 1}, {1});

    const auto keys = prices.keys();

    CHECK(keys.size() == symbols.size());
    for (const auto& symbol : symbols)
        CHECK(std::count(keys.begin(), keys.end(), instrument{"xtks", symbol, 1}) == 1);
}

TEST_CASE("files and folders that are no keys are ignored", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    append(prices, {"xnas", "AAPL", 2026}, {1});
    write_text(dir / "prices/notes", "text");
    write_text(dir / "prices/xnas/MSFT", "text");
    write_text(dir / "prices/xnas/AAPL/2025", "text");
    fs::create_directories(dir / "prices/xnas/AAPL/2024");
    fs::create_directories(dir / "prices/xnas/AAPL/2023/commits");
    fs::create_directories(dir / "prices/empty");
    make(dir / "prices/xnas/AAPL/02022");
    make(dir / "prices/xnas/AAPL/.2021");
    make(dir / "prices/direct");
    make(dir / "prices/xnas/AAPL/2020x/deeper");
    fs::create_symlink("nowhere", dir / "prices/dangling");
    fs::create_symlink("circle", dir / "prices/circle");

    CHECK(text_of(prices.keys()) == "xnas/AAPL/2026");
    CHECK(prices.inspect().size() == 1);
}

TEST_CASE("links to folders are followed, and cycles of them end", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    append(prices, {"xnas", "AAPL", 2026}, {1});
    fs::create_directory_symlink(dir / "prices/xnas", dir / "prices/other");
    fs::create_directory_symlink(dir / "prices", dir / "prices/xnas/up");

    CHECK(text_of(prices.keys()) == "other/AAPL/2026 xnas/AAPL/2026");
    CHECK(prices.reader<std::int64_t, 1>({"other", "AAPL", 2026}).rows() == 1);
}

TEST_CASE("a key has up to sixteen fields", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<sixteen> many(dir / "many");
    const sixteen key{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, "end"};
    (void)many.writer<int, 1>(key, {.commit = dataset::unsynced});

    CHECK(many.path(key) == dir / "many/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/end");
    CHECK(fs::is_directory(many.path(key)));
    CHECK_FALSE(nk::key_less<sixteen>()(key, key));
}

TEST_CASE("a writer refuses a folder with foreign files and adds none", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    fs::create_directories(dir / "prices/xnas/AAPL/2026");
    write_text(dir / "prices/xnas/AAPL/2026/notes", "text");

    CHECK_THROWS_AS((prices.writer<std::int64_t, 1>({"xnas", "AAPL", 2026})), nk::io_error);

    CHECK(dataset::names_in(dir / "prices/xnas/AAPL/2026") == std::set<std::string>{"notes"});
}

TEST_CASE("a link to nowhere in the place of a key is an error that names it", "[chunks][collection][error]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    fs::create_directories(dir / "prices/xnas");
    fs::create_symlink("nowhere", dir / "prices/xnas/AAPL");

    const auto e = thrown<nk::io_error>([&] { (void)prices.writer<std::int64_t, 1>({"xnas", "AAPL", 2026}); });

    CHECK(e.file() == dir / "prices/xnas/AAPL");
    CHECK(e.code() == std::errc::no_such_file_or_directory);
    CHECK(prices.keys().empty());
}

TEST_CASE("a writer refuses a folder in which the lock is a folder", "[chunks][collection][error]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    append(prices, {"xnas", "lock", 2026}, {1});

    CHECK_THROWS_AS((nk::chunk_writer<std::int64_t, 1>(dir / "prices/xnas")), nk::io_error);

    CHECK(dataset::names_in(dir / "prices/xnas") == std::set<std::string>{"lock"});
}

}  // namespace chunks_collection_tests
