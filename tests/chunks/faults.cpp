// SPDX-License-Identifier: BSD-3-Clause
// Commits in which one system call fails, at every position: commit's result agrees with what a new reader finds.
#include "chunks/dataset.hpp"
#include "support/faulty_calls.hpp"
#include "support/forwarding_place.hpp"

#include <cstdint>

namespace chunks_faults_tests {

namespace nk = ndkeep;
using namespace dataset;

namespace {

using vector = xt::xtensor<std::int64_t, 1>;

vector counted(std::int64_t first, std::size_t count) {
    vector made = vector::from_shape({count});
    for (std::size_t i = 0; i < count; ++i)
        made(i) = first + static_cast<std::int64_t>(i);
    return made;
}

/// Returns 1 if the new rows are committed, 0 if not, and 9 if the dataset is neither old nor new.
std::int64_t committed(const std::filesystem::path& path, bool is_new) {
    try {
        const auto all = nk::load_chunked<std::int64_t, 1>(path);
        nk::verify_chunked(path);
        if (all == counted(0, is_new ? 10 : 16))
            return 1;
        return !is_new && all == counted(0, 6) ? 0 : 9;
    } catch (const nk::io_error& problem) {
        return is_new && problem.code() == std::errc::no_such_file_or_directory ? 0 : 9;
    }
}

/// Makes one call of a commit fail, and returns the number of calls.
std::size_t check_commit(const faults::plan& plan, bool is_new, bool syncs) {
    const temp_dir dir;
    const auto path = dir / "a";
    if (!is_new)
        nk::save_chunked(path, counted(0, 6), {.rows_per_chunk = 3, .commit = unsynced});
    std::optional<nk::chunk_writer<std::int64_t, 1>> writer(
        std::in_place, path, nk::chunk_writer_options{.rows_per_chunk = 4, .commit = {.sync = syncs, .keep = 1}});
    writer->append(counted(is_new ? 0 : 6, 10));
    std::string problem;
    std::size_t calls = 0;
    {
        const faults::session armed(plan);
        try {
            (void)writer->commit();
        } catch (const nk::error& error) {
            problem = error.what();
        }
        calls = armed.calls().size();
    }
    CAPTURE(problem);
    const auto seen = committed(path, is_new);
    const bool is_uncertain = problem.find("outcome unknown") != std::string::npos ||
                              problem.find("may not survive a power cut") != std::string::npos;
    if (problem.empty())
        CHECK(seen == 1);
    else if (is_uncertain)
        CHECK((seen == 0 || seen == 1));
    else
        CHECK(seen == 0);
    // Uncommitted rows can be committed again: by this writer or, after a failed sync, by a new one.
    if (seen == 0 && !is_uncertain) {
        try {
            (void)writer->commit();
        } catch (const nk::conflict_error&) {
            writer.reset();
            writer.emplace(path, nk::chunk_writer_options{.rows_per_chunk = 4, .commit = unsynced});
            writer->append(counted(is_new ? 0 : 6, 10));
            (void)writer->commit();
        }
        CHECK(committed(path, is_new) == 1);
    }
    return calls;
}

/// A directory on a disk that can be full for records.
struct full_place final : forwarding_place {
    using forwarding_place::forwarding_place;
    bool put(const std::string& name, parts bytes, nk::durability wanted) override {
        if (is_full && name.starts_with("commits/"))
            throw nk::io_error(called(name), "cannot write", std::make_error_code(std::errc::no_space_on_device));
        return forwarding_place::put(name, bytes, wanted);
    }
    bool is_full = false;
};

}  // namespace

TEST_CASE("what commit answers is what a fresh reader sees, whichever call fails", "[chunks][fault]") {
    for (const bool is_new : {true, false})
        for (const bool syncs : {true, false})
            for (const auto kind : {faults::kind::changes, faults::kind::reads, faults::kind::locks})
                for (const int code : {EIO, ENOSPC, EACCES}) {
                    std::size_t calls = 1, at = 0;
                    for (; at < calls; ++at) {
                        CAPTURE(is_new, syncs, static_cast<unsigned>(kind), code, at);
                        // `calls` is corrected by each run, because a commit that fails makes fewer calls.
                        calls = std::max(
                            calls,
                            1 + check_commit({.what = faults::effect::fail, .at = at, .code = code, .counted = kind},
                                             is_new, syncs));
                    }
                    CHECK((kind == faults::kind::locks || at > 8));
                }
}

TEST_CASE("a writer for whose record the disk has no space gives back that of its rows", "[chunks][fault]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, counted(0, 6), {.rows_per_chunk = 3, .commit = unsynced});
    const auto files = [&] {
        const std::filesystem::directory_iterator all(path / "chunks");
        return std::distance(begin(all), end(all));
    };
    const auto place = std::make_shared<full_place>(path);
    nk::chunk_writer<std::int64_t, 1> writer(place, {.rows_per_chunk = 4, .commit = unsynced});
    writer.append(counted(6, 10));
    place->is_full = true;

    CHECK_THROWS_AS(writer.commit(), nk::io_error);

    CHECK(files() > 2);
    writer.discard();
    CHECK(files() == 2);
    place->is_full = false;
    writer.append(counted(6, 10));
    (void)writer.commit();
    CHECK(committed(path, false) == 1);
}

TEST_CASE("a place that may not be opened for locks is written all the same", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, counted(0, 6), {.rows_per_chunk = 3, .commit = unsynced});
    std::filesystem::remove(path / "lock");
    std::filesystem::create_directory(path / "lock");
    {
        nk::chunk_writer<std::int64_t, 1> writer(path, {.rows_per_chunk = 3, .commit = unsynced});
        writer.append(counted(6, 10));
        CHECK(writer.commit() == 2);
    }
    CHECK((nk::load_chunked<std::int64_t, 1>(path) == counted(0, 16)));

    // Prune cannot ask whether readers are open, so it fails.
    const auto e = thrown<nk::io_error>([&] { (void)nk::prune_chunked(path); });
    CHECK(e.file() == path / "lock");
    CHECK(records(path).size() == 2);
}

}  // namespace chunks_faults_tests
