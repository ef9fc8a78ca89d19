// SPDX-License-Identifier: BSD-3-Clause
// Chunked arrays used by concurrent processes that read and write.
#include "chunks/dataset.hpp"
#include "support/faults.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <optional>

namespace chunks_concurrency_tests {

namespace nk = ndkeep;
using namespace dataset;

namespace {

using rows = xt::xtensor<std::int64_t, 2>;

/// Runs `act` with 0, 1, … in as many processes at once. Each returns an empty text or an error message.
void in_processes(int count, const std::function<std::string(int)>& act) {
    struct process {
        pid_t id;
        int says;
    };
    std::vector<process> all;
    for (int number = 0; number < count; ++number) {
        int ends[2] = {};
        REQUIRE(::pipe(ends) == 0);
        const pid_t child = ::fork();
        if (child == 0) {
            std::string said;
            try {
                said = act(number);
            } catch (const std::exception& error) {
                said = std::string("threw ") + error.what();
            }
            [[maybe_unused]] const auto written = ::write(ends[1], said.data(), said.size());
            ::_exit(0);
        }
        ::close(ends[1]);
        all.push_back({child, ends[0]});
    }
    for (const auto& [id, says] : all) {
        std::string said;
        char text[512];
        for (ssize_t length = 0; (length = ::read(says, text, sizeof text)) > 0;)
            said.append(text, static_cast<std::size_t>(length));
        ::close(says);
        int status = 0;
        ::waitpid(id, &status, 0);
        CHECK(status == 0);
        CHECK(said == "");
    }
}

/// Repeats a change until its commit succeeds. After a conflict the writer is opened again.
template <class Change>
void until_committed(const std::filesystem::path& path, const nk::chunk_writer_options& options, Change&& change) {
    for (int tries = 0;; ++tries) {
        try {
            nk::chunk_writer<std::int64_t, 2> writer(path, options);
            change(writer);
            (void)writer.commit();
            return;
        } catch (const nk::conflict_error&) {
            if (tries == 2000)
                throw;
        }
    }
}

rows row(std::int64_t who, std::int64_t what) { return rows{{who, what}}; }

/// The name of a file that a killed writer of this dataset could have left.
std::string left_by_killed(const std::filesystem::path& path) {
    const auto record = nk::json::parse(read_text(path / "commits" / *records(path).rbegin()));
    return "000000000000-" + nk::detail::writer_word(7, record.at("dataset").get<std::string>()) + "-0.npy";
}

/// The number of occurrences of each pair.
std::map<std::pair<std::int64_t, std::int64_t>, int> counted(const std::filesystem::path& path, std::size_t from) {
    std::map<std::pair<std::int64_t, std::int64_t>, int> times;
    const auto all = nk::load_chunked<std::int64_t, 2>(path);
    for (std::size_t i = from; i < all.shape()[0]; ++i)
        ++times[{all(i, 0), all(i, 1)}];
    return times;
}

}  // namespace

TEST_CASE("what four processes append at once is there once", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    constexpr std::int64_t each = 60;

    in_processes(4, [&](int number) -> std::string {
        // Keeps one writer for all commits; it is reopened only after a conflict caused by another writer's sweep.
        std::optional<nk::chunk_writer<std::int64_t, 2>> writer;
        for (std::int64_t i = 0; i < each;) {
            try {
                if (!writer)
                    writer.emplace(
                        path, nk::chunk_writer_options{.rows_per_chunk = 16, .commit = {.sync = false, .keep = 10}});
                writer->append(row(number, i));
                (void)writer->commit();
                ++i;
            } catch (const nk::conflict_error&) {
                writer.reset();
            }
        }
        return {};
    });

    const auto times = counted(path, 0);
    CHECK(times.size() == 4 * each);
    for (const auto& [pair, count] : times)
        if (count != 1)
            FAIL_CHECK(pair.first << ", " << pair.second << ": " << count << " times");
    nk::verify_chunked(path);
    CHECK(nk::inspect_chunked(path).commit == 4 * each);
    // The rows of each writer are in the order in which it appended them.
    std::array<std::int64_t, 4> last = {-1, -1, -1, -1};
    const auto all = nk::load_chunked<std::int64_t, 2>(path);
    for (std::size_t i = 0; i < all.shape()[0]; ++i)
        CHECK(std::exchange(last[static_cast<std::size_t>(all(i, 0))], all(i, 1)) == all(i, 1) - 1);
}

TEST_CASE("writers that are opened for each row append one after the other, without a conflict", "[chunks][slow]") {
    const temp_dir dir;
    const auto path = dir / "a";
    constexpr std::int64_t each = 150;

    in_processes(3, [&](int number) -> std::string {
        for (std::int64_t i = 0; i < each; ++i) {
            nk::chunk_writer<std::int64_t, 2> writer(path,
                                                     {.rows_per_chunk = 16, .commit = {.sync = false, .keep = 10}});
            writer.append(row(number, i));
            (void)writer.commit();
            // Occasionally leaves a file to sweep, for a writer that finds itself alone.
            if (number == 0 && i % 5 == 0)
                write_text(path / "chunks" / left_by_killed(path), "left by somebody");
        }
        return {};
    });

    CHECK(counted(path, 0).size() == 3 * each);
    CHECK(nk::inspect_chunked(path).commit == 3 * each);
}

TEST_CASE("no increment of four processes is lost, beside appends and merges", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    constexpr std::int64_t each = 25;
    nk::save_chunked(path, row(0, 0), {.commit = unsynced});

    in_processes(4, [&](int number) -> std::string {
        for (std::int64_t i = 0; i < each; ++i)
            until_committed(path, {.rows_per_chunk = 16, .commit = {.sync = false, .keep = 8}}, [&](auto& writer) {
                // The writer opens before the row is read, so a later change of the row by another writer makes this
                // commit fail.
                const auto now = nk::chunk_reader<std::int64_t, 2>(path).rows(0, 1);
                writer.write(0, row(now(0, 0) + 1, 0));
                writer.append(row(number, i));
            });
        return {};
    });

    const auto all = nk::load_chunked<std::int64_t, 2>(path);
    CHECK(all(0, 0) == 4 * each);
    const auto times = counted(path, 1);
    CHECK(times.size() == 4 * each);
    for (const auto& [pair, count] : times)
        CHECK(count == 1);
    nk::verify_chunked(path);
}

TEST_CASE("processes that save, compact, prune and append leave a dataset that is whole", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, row(9, 9), {.commit = unsynced});
    constexpr std::int64_t each = 40;

    in_processes(4, [&](int number) -> std::string {
        for (std::int64_t i = 0; i < each; ++i) {
            if (number < 2) {
                until_committed(path, {.rows_per_chunk = 5, .commit = unsynced},
                                [&](auto& writer) { writer.append(row(number, i)); });
            } else if (number == 2) {
                (void)nk::prune_chunked(path, {.keep = 2});
            } else {
                try {
                    nk::compact_chunked(path, {.rows_per_chunk = 5, .commit = unsynced});
                } catch (const nk::conflict_error&) {
                    // Another writer was faster; this compaction is not needed.
                }
            }
        }
        return {};
    });

    const auto times = counted(path, 1);
    CHECK(times.size() == 2 * each);
    for (const auto& [pair, count] : times)
        CHECK(count == 1);
    nk::verify_chunked(path);
}

TEST_CASE("every read beside a writer is one version", "[chunks][slow]") {
    const temp_dir dir;
    const auto path = dir / "a";
    constexpr std::int64_t last = 150;
    const auto all_of = [](std::int64_t number) {
        return rows(xt::ones<std::int64_t>({std::size_t{40} + static_cast<std::size_t>(number % 7), std::size_t{2}}) *
                    number);
    };
    nk::save_chunked(path, all_of(1), {.rows_per_chunk = 9, .commit = {.sync = false, .keep = 2}});

    in_processes(4, [&](int number) -> std::string {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        if (number == 0) {
            for (std::int64_t i = 2; i <= last; ++i) {
                if (i % 3 == 0)
                    nk::save_chunked(path, all_of(i), {.rows_per_chunk = 9, .commit = {.sync = false, .keep = 2}});
                else
                    until_committed(path, {.rows_per_chunk = 9, .commit = {.sync = false, .keep = 2}},
                                    [&](auto& writer) {
                                        const auto now = all_of(i);
                                        writer.resize(now.shape()[0]);
                                        writer.write(0, now);
                                    });
            }
            return {};
        }
        for (std::int64_t seen = 0, turn = 0; seen < last; ++turn) {
            const nk::chunk_reader<std::int64_t, 2> reader(path);
            rows got = all_of(0);
            if (turn % 3 == 0)
                got = reader.rows(0, reader.rows());
            else if (turn % 3 == 1)
                got = reader.map();
            else {
                got = rows(std::array<std::size_t, 2>{reader.rows(), 2});
                for (std::size_t i = 0; i < reader.size(); ++i)
                    xt::view(got, xt::range(reader.first_row(i), reader.first_row(i + 1))) = reader[i];
            }
            const auto value = got(0, 0);
            if (!same(got, all_of(value)))
                return "two versions in one, of which one is " + std::to_string(value);
            if (static_cast<std::uint64_t>(value) != reader.commit())
                return "commit " + std::to_string(reader.commit()) + " has " + std::to_string(value);
            if (value < seen)
                return "older than before";
            seen = value;
            if (std::chrono::steady_clock::now() > end)
                return "still at " + std::to_string(seen);
        }
        return {};
    });
    nk::verify_chunked(path);
}

TEST_CASE("load_chunked beside a writer that prunes at once always gives a version", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, row(1, 1), {.commit = {.sync = false, .keep = 1}});
    bool with_lock = true;
    SECTION("with the lock file") {}
    SECTION("without one") { with_lock = false; }

    in_processes(3, [&](int number) -> std::string {
        if (number == 0) {
            for (std::int64_t i = 2; i <= 250; ++i) {
                if (!with_lock)
                    std::filesystem::remove(path / "lock");
                nk::save_chunked(path, row(i, i), {.commit = {.sync = false, .keep = 1}});
                (void)nk::prune_chunked(path);
            }
            return {};
        }
        for (std::int64_t seen = 0; seen < 250;) {
            try {
                seen = nk::load_chunked<std::int64_t, 2>(path)(0, 0);
            } catch (const nk::conflict_error& pruned) {
                if (with_lock)
                    return pruned.what();
            }
        }
        return {};
    });
}

TEST_CASE("a writer that slept through many commits and prunes appends its rows once", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, row(0, 0), {.commit = unsynced});
    nk::chunk_writer<std::int64_t, 2> sleeper(path, {.commit = unsynced});
    sleeper.append(row(7, 7));

    in_processes(1, [&](int) -> std::string {
        nk::chunk_writer<std::int64_t, 2> writer(path, {.commit = {.sync = false, .keep = 10}});
        for (std::int64_t i = 0; i < 100; ++i) {
            writer.append(row(1, i));
            (void)writer.commit();
        }
        return {};
    });
    CHECK(sleeper.commit() == 102);

    const auto times = counted(path, 0);
    CHECK(times.size() == 102);
    CHECK(times.at({7, 7}) == 1);
    nk::verify_chunked(path);
}

TEST_CASE("a writer whose staged files were swept is told, and commits nothing", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, row(0, 0), {.commit = unsynced});
    {
        nk::chunk_writer<std::int64_t, 2> slow(path, {.commit = unsynced});
        slow.append(row(7, 7));
        // Removes the lock file, so that other processes cannot see that the writer is open.
        std::filesystem::remove(path / "lock");
        write_text(path / "chunks" / left_by_killed(path), "left by somebody");
        nk::save_chunked(path, row(1, 1), {.commit = unsynced});

        const auto e = thrown<nk::conflict_error>([&] { slow.commit(); });
        CHECK(e.found() == "another writer swept the staged files in commit 2; discard this transaction and try again");
    }
    CHECK(orphans(path).empty());
    check_rows(path, row(1, 1));
}

}  // namespace chunks_concurrency_tests
