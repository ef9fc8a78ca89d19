// SPDX-License-Identifier: BSD-3-Clause
// Removal from collections: what readers, writers and other removals see, and what a killed one leaves.
#include "chunks/collection.hpp"
#include "support/faults.hpp"
#include "support/threads.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <thread>

#include <sys/wait.h>

namespace chunks_collection_removal_tests {

namespace nk = ndkeep;
namespace fs = std::filesystem;
using namespace collection_keys;

namespace {

const instrument apple{"xnas", "AAPL", 2026}, older{"xnas", "AAPL", 2025}, microsoft{"xnas", "MSFT", 2026};

}  // namespace

TEST_CASE("remove deletes an array and the folders that it leaves empty", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    append(prices, apple, {1});
    append(prices, older, {2});
    append(prices, microsoft, {3});

    CHECK(prices.remove(apple));
    CHECK_FALSE(prices.remove(apple));
    CHECK(text_of(prices.keys()) == "xnas/AAPL/2025 xnas/MSFT/2026");
    CHECK(prices.remove(older));
    CHECK_FALSE(fs::exists(dir / "prices/xnas/AAPL"));
    CHECK(prices.remove(microsoft));

    CHECK(prices.keys().empty());
    CHECK(fs::is_directory(dir / "prices"));
    CHECK(fs::is_empty(dir / "prices"));
}

TEST_CASE("a removed key can be written anew", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    append(prices, apple, {1, 2});
    CHECK(prices.remove(apple));

    append(prices, apple, {3});

    CHECK(dataset::same(prices.reader<std::int64_t, 1>(apple).rows(0, 1), rows{3}));
}

TEST_CASE("readers of a removed array go on reading", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    append(prices, apple, {1, 2, 3, 4, 5});
    std::optional reader(prices.reader<std::int64_t, 1>(apple));

    CHECK(prices.remove(apple));

    CHECK_FALSE(prices.contains(apple));
    CHECK(prices.keys().empty());
    CHECK(dataset::same(reader->rows(0, 5), rows{1, 2, 3, 4, 5}));
    CHECK(dataset::same(reader->map(), rows{1, 2, 3, 4, 5}));
    CHECK(removed_folders(dir / "prices") == 1);
    // Another removal does not disturb them either.
    append(prices, older, {1});
    CHECK(prices.remove(older));
    CHECK(dataset::same((*reader)[2], rows{5}));

    reader.reset();
    append(prices, older, {1});
    CHECK(prices.remove(older));
    CHECK(removed_folders(dir / "prices") == 0);
    CHECK(fs::is_empty(dir / "prices"));
}

TEST_CASE("prune deletes what removals have left for readers", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    append(prices, apple, {1});
    {
        const auto reader = prices.reader<std::int64_t, 1>(apple);
        CHECK(prices.remove(apple));
        (void)prices.prune();
        CHECK(dataset::same(reader.rows(0, 1), rows{1}));
    }

    (void)prices.prune();

    CHECK(fs::is_empty(dir / "prices"));
}

TEST_CASE("an array that a writer has open is not removed", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    append(prices, apple, {1});
    {
        auto writer = prices.writer<std::int64_t, 1>(apple);

        const auto e = thrown<nk::conflict_error>([&] { (void)prices.remove(apple); });

        CHECK(e.file() == prices.path(apple));
        CHECK(e.found() == "open in a writer");
        writer.append(rows{2});
        (void)writer.commit();
    }
    CHECK(prices.reader<std::int64_t, 1>(apple).rows() == 2);
    CHECK(prices.remove(apple));
}

TEST_CASE("remove refuses an array with foreign files, and leaves foreign folders alone", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    append(prices, apple, {1});
    write_text(prices.path(apple) / "notes", "text");
    fs::create_directories(prices.path(older));
    write_text(prices.path(older) / "notes", "text");

    const auto e = thrown<nk::conflict_error>([&] { (void)prices.remove(apple); });
    CHECK(e.file() == prices.path(apple) / "notes");
    CHECK_FALSE(prices.remove(older));
    CHECK(fs::exists(prices.path(older) / "notes"));
    CHECK(prices.contains(apple));

    // Hidden files of a file manager go with the array.
    fs::rename(prices.path(apple) / "notes", prices.path(apple) / ".DS_Store");
    CHECK(prices.remove(apple));
    CHECK_FALSE(fs::exists(prices.path(apple)));
}

TEST_CASE("remove leaves folders that only look like those of a chunked array", "[chunks][collection]") {
    for (const fs::path file : {"chunks/film.mp4", "chunks/2024.npy", "commits/history.txt", "commits", ".git/HEAD",
                                ".notes", "lock/a", "chunks/.git/HEAD", "chunks/.hidden"}) {
        CAPTURE(file);
        const temp_dir dir;
        const nk::collection<instrument> prices(dir / "prices");
        fs::create_directories((prices.path(apple) / file).parent_path());
        write_text(prices.path(apple) / file, "my own");

        CHECK_FALSE(prices.remove(apple));
        (void)prices.prune();

        CHECK(fs::exists(prices.path(apple) / file));
    }
}

TEST_CASE("remove refuses an array with foreign files among its own, and hidden folders", "[chunks][collection]") {
    for (const fs::path file : {"chunks/film.mp4", "commits/history.txt", ".git/HEAD", "chunks/.git/HEAD"}) {
        CAPTURE(file);
        const temp_dir dir;
        const nk::collection<instrument> prices(dir / "prices");
        append(prices, apple, {1});
        fs::create_directories((prices.path(apple) / file).parent_path());
        write_text(prices.path(apple) / file, "my own");

        const auto e = thrown<nk::conflict_error>([&] { (void)prices.remove(apple); });

        CHECK((e.file() == prices.path(apple) / file || e.file() == (prices.path(apple) / file).parent_path()));
        CHECK(fs::exists(prices.path(apple) / file));
        CHECK(prices.contains(apple));
    }
}

TEST_CASE("remove takes away what a writer without a commit has left", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    (void)prices.writer<std::int64_t, 1>(apple);
    CHECK(fs::exists(prices.path(apple)));

    CHECK_FALSE(prices.remove(apple));

    CHECK(fs::is_empty(dir / "prices"));
}

TEST_CASE("a link under the name of a key is removed, not its target", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    append(prices, apple, {1});
    fs::create_directory_symlink(prices.path(apple), prices.path(older));

    CHECK(prices.remove(older));

    CHECK(text_of(prices.keys()) == "xnas/AAPL/2026");
    CHECK(dataset::same(prices.reader<std::int64_t, 1>(apple).rows(0, 1), rows{1}));
}

TEST_CASE("a removal killed at any call leaves the key or removes it, and the next one cleans up",
          "[chunks][collection][fault]") {
    std::size_t at = 0, left = 0;
    for (bool is_killed = true; is_killed; ++at) {
        INFO("call " << at);
        const temp_dir dir;
        const nk::collection<instrument> prices(dir / "prices");
        append(prices, apple, {1, 2, 3});
        append(prices, microsoft, {4});

        is_killed = faults::killed({.what = faults::effect::kill, .at = at}, [&] { (void)prices.remove(apple); });

        const bool is_present = prices.contains(apple);
        if (is_present)
            CHECK(dataset::same(prices.reader<std::int64_t, 1>(apple).rows(0, 3), rows{1, 2, 3}));
        CHECK(text_of(prices.keys()) == (is_present ? "xnas/AAPL/2026 xnas/MSFT/2026" : "xnas/MSFT/2026"));
        left += removed_folders(dir / "prices");
        CHECK(prices.remove(apple) == is_present);
        CHECK(removed_folders(dir / "prices") == 0);
        (void)prices.prune();
        CHECK_FALSE(fs::exists(dir / "prices/xnas/AAPL"));
        CHECK(text_of(prices.keys()) == "xnas/MSFT/2026");
    }
    CHECK(at > 5);
    CHECK(left > 0);  // otherwise nothing was tested
}

TEST_CASE("a writer creates its folders again if a removal takes them away meanwhile", "[chunks][collection][fault]") {
    // The other process runs before each call of the creation in turn.
    std::size_t calls = 1;
    for (std::size_t at = 0; at < calls; ++at) {
        INFO("call " << at);
        const temp_dir dir;
        const nk::collection<instrument> prices(dir / "prices");
        append(prices, older, {1});
        bool is_removed = false;
        {
            const faults::session armed({.what = faults::effect::meanwhile, .at = at, .meanwhile = [&] {
                                             try {
                                                 (void)prices.remove(older);
                                                 (void)prices.remove(apple);
                                                 is_removed = true;
                                             } catch (const nk::conflict_error&) {
                                                 // The writer is open.
                                             }
                                         }});
            append(prices, apple, {2});
            calls = armed.calls().size();
        }
        CHECK(text_of(prices.keys()) ==
              (at == 0 || is_removed || !prices.contains(older) ? "xnas/AAPL/2026" : "xnas/AAPL/2025 xnas/AAPL/2026"));
        CHECK(dataset::same(prices.reader<std::int64_t, 1>(apple).rows(0, 1), rows{2}));
    }
    CHECK(calls > 5);
}

TEST_CASE("keys of one folder are created and removed at once by threads and processes", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    constexpr int turns = 40;
    // Each worker has a key of its own, and all keys share the folders above. A commit is never lost.
    const auto work = [&](int worker) {
        const instrument key{"xnas", "AAPL", worker};
        for (int turn = 0; turn < turns; ++turn) {
            append(prices, key, {turn});
            if (prices.reader<std::int64_t, 1>(key).rows(0, 1) != rows{turn})
                return std::string("other rows");
            if (!prices.contains(key) || prices.keys({.market = "xnas"}).empty())
                return std::string("the key is absent");
            if (!prices.remove(key) || prices.contains(key))
                return std::string("not removed");
        }
        return std::string();
    };
    std::vector<pid_t> children;
    for (int worker = 10; worker < 12; ++worker) {
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            int status = 1;
            try {
                status = work(worker).empty() ? 0 : 1;
            } catch (const std::exception& problem) {
                std::fputs(problem.what(), stderr);
            }
            ::_exit(status);
        }
        children.push_back(child);
    }

    std::vector<std::string> said(2, "threw");
    in_threads(2, [&](int worker) {
        try {
            said[static_cast<std::size_t>(worker)] = work(worker);
        } catch (const std::exception& problem) {
            said[static_cast<std::size_t>(worker)] = problem.what();
        }
    });

    for (const pid_t child : children) {
        int status = -1;
        ::waitpid(child, &status, 0);
        CHECK(status == 0);
    }
    for (const auto& each : said)
        CHECK(each == "");
    CHECK(prices.keys().empty());
    (void)prices.prune();
    CHECK(fs::is_empty(dir / "prices"));
}

TEST_CASE("a reader of a key that is removed again and again has all rows or none", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    std::atomic<bool> is_over = false;
    std::atomic<int> read = 0, absent = 0;
    std::string problem;

    in_threads(2, [&](int worker) {
        try {
            for (int turn = 0; worker == 0 && turn < 100; ++turn) {
                append(prices, apple, {1, 2, 3, 4, 5});
                (void)prices.remove(apple);
            }
            while (worker != 0 && !is_over) {
                try {
                    const auto reader = prices.reader<std::int64_t, 1>(apple);
                    if (!dataset::same(reader.rows(0, reader.rows()), rows{1, 2, 3, 4, 5}))
                        throw std::runtime_error("other rows");
                    ++read;
                } catch (const nk::io_error&) {
                    ++absent;
                } catch (const nk::conflict_error&) {
                    ++absent;  // removed before the reader had its lock
                }
            }
        } catch (const std::exception& thrown) {
            problem = thrown.what();
        }
        is_over = true;
    });

    CHECK(problem == "");
    CHECK(read + absent > 0);
    (void)prices.prune();
    CHECK(fs::is_empty(dir / "prices"));
}

TEST_CASE("of several removals of one key, one returns true", "[chunks][collection]") {
    const temp_dir dir;
    const nk::collection<instrument> prices(dir / "prices");
    for (int turn = 0; turn < 20; ++turn) {
        append(prices, apple, {turn});
        std::atomic<int> removed = 0, failed = 0;

        in_threads(3, [&](int) {
            try {
                removed += prices.remove(apple) ? 1 : 0;
            } catch (const std::exception&) {
                ++failed;
            }
        });

        CHECK(removed == 1);
        CHECK(failed == 0);
        CHECK(fs::is_empty(dir / "prices"));
    }
}

}  // namespace chunks_collection_removal_tests
