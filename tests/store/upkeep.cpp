// SPDX-License-Identifier: BSD-3-Clause
// Maintenance: old commits pruned, leftovers swept, damaged records skipped; all with open readers.
#include "store/rows.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/store/upkeep.hpp>
#include <ndkeep/text/unicode.hpp>

namespace store_rows::upkeep_tests {

using namespace ndkeep;

namespace {

std::vector<std::uint64_t> recovered(const std::shared_ptr<memory::content>& all) {
    memory::place where(all);
    detail::commit_log log(where);
    return detail::recover(log);
}

}  // namespace

// Pruned ---------------------------------------------------------------------------------------------------------

TEST_CASE("an operation that fails while old commits are pruned leaves the newest", "[store][fault]") {
    const auto prune = [](const std::shared_ptr<memory::content>& all,
                          const std::shared_ptr<memory::process>& process) {
        memory::place where(all, process);
        detail::commit_log log(where);
        return detail::prune(log, 1);
    };
    for (std::size_t at = 0;; ++at) {
        bool failed = false;
        for (const auto& fault : faults_at(at)) {
            CAPTURE(at, fault.code, fault.done);
            const auto all = eleven_rows();
            const auto made = rows_in(all);
            const auto process = std::make_shared<memory::process>();
            process->fails = fault;
            try {
                const auto removed = prune(all, process);
                CHECK(removed == 2);
            } catch (const io_error& problem) {
                failed = true;
                CHECK(problem.file().string().starts_with("memory/"));
            }
            CHECK(rows_in(all) == made);
            CHECK_NOTHROW(prune(all, std::make_shared<memory::process>()));
            CHECK(rows_in(all) == made);
            CHECK(all->names_in("commits").size() == 1);
            {
                writer sweeps(memory::opened(all), fours());
                sweeps.resize(3);
                (void)sweeps.commit();
            }
            CHECK(all->names_in("chunks") == named_files(all));
        }
        if (!failed)
            break;
    }
}

TEST_CASE("pruning writes nothing, so a full disk does not keep it", "[store][fault]") {
    const auto all = eleven_rows();
    const auto process = std::make_shared<memory::process>();
    process->fails_if = [](const memory::call& made) {
        return made.what == "put" ? std::optional(memory::fault{.code = ENOSPC}) : std::nullopt;
    };
    memory::place where(all, process);
    detail::commit_log log(where);

    CHECK(detail::prune(log, 1) == 2);
}

TEST_CASE("to keep no commit is refused, and nothing is removed", "[store][error]") {
    const auto all = eleven_rows();
    const auto before = all->files();
    memory::place where(all);
    detail::commit_log log(where);

    const auto e = thrown<mismatch_error>([&] { (void)detail::prune(log, 0); });

    CHECK(e.file() == "memory");
    CHECK(e.field() == "keep");
    CHECK(all->files() == before);
}

TEST_CASE("what a reader has opened is not pruned before it is gone", "[store]") {
    const auto all = eleven_rows();
    memory::place where(all);
    detail::commit_log log(where);
    {
        const reader from(memory::opened(all), {.at_commit = 2});
        CHECK(detail::prune(log, 1) == 1);
        CHECK(from.rows(0, from.rows())(9) == 9);
    }
    CHECK(detail::prune(log, 1) == 1);
    CHECK(all->names_in("commits").size() == 1);
}

TEST_CASE("a reader without a lock says that its version was pruned", "[store][error]") {
    const auto all = memory::empty();
    {
        writer to(memory::opened(all), fours());
        to.append(rows_from(0, 8));
        (void)to.commit();
        to.write(0, rows_from(100, 8));
        (void)to.commit();
    }
    const auto none = std::make_shared<memory::process>();
    none->locks = memory::lock_kind::none;
    const reader from(memory::opened(all, none), {.at_commit = 1});
    memory::place where(all);
    detail::commit_log log(where);
    CHECK(detail::prune(log, 1) == 1);

    const auto problem = thrown<conflict_error>([&] { (void)from.rows(0, 8); });

    CHECK(problem.field() == "commit 1");
    CHECK(problem.found() == "pruned");
}

TEST_CASE("who may only read the lock file commits and prunes, but not what is being read", "[store]") {
    const auto all = eleven_rows();
    const auto refused = std::make_shared<memory::process>();
    refused->locks = memory::lock_kind::refused;
    memory::place where(all, refused);
    detail::commit_log log(where);
    {
        const reader from(memory::opened(all), {.at_commit = 2});
        CHECK(detail::prune(log, 1) == 1);
        CHECK(from.rows(0, from.rows()).size() == 10);
    }
    leave_file(all);
    writer to(memory::opened(all, refused), fours());
    to.append(rows_from(100, 1));

    CHECK(to.commit() == 4);

    CHECK(detail::prune(log, 1) == 2);
    CHECK(all->names_in("chunks").size() == named_files(all).size() + 1);  // never alone, so it does not sweep
}

// Swept ----------------------------------------------------------------------------------------------------------

TEST_CASE("a sweep leaves the files of a commit that a reader opened while it was pruned", "[store]") {
    const auto all = eleven_rows();
    {
        writer to(memory::opened(all), fours());
        to.write(0, rows_from(50, 4));
        (void)to.commit();
    }
    leave_file(all);
    const auto sweeping = std::make_shared<memory::process>(), pruning = std::make_shared<memory::process>();
    std::optional<reader> from;
    pruning->before = [&](const memory::call& made) {
        if (made.what == "remove" && !from)
            from.emplace(memory::opened(all), chunk_reader_options{.at_commit = 3});
    };
    writer sweeper(memory::opened(all, sweeping), fours());
    sweeper.append(rows_from(100, 4));
    bool has_put = false, has_pruned = false;
    sweeping->before = [&](const memory::call& made) {
        has_put = has_put || (made.what == "put" && made.name == record_of(5));
        if (!has_put || has_pruned || made != memory::call{"list", "commits"})
            return;
        has_pruned = true;
        memory::place where(all, pruning);
        detail::commit_log log(where);
        CHECK(detail::prune(log, 1) == 4);
    };

    CHECK(sweeper.commit() == 5);

    REQUIRE(has_pruned);
    REQUIRE(from);
    CHECK(from->rows(0, from->rows()).size() == 11);
    from.reset();
    {
        writer next(memory::opened(all), fours());
        next.append(rows_from(200, 1));
        (void)next.commit();
        CHECK(all->names_in("chunks") != named_files(all));  // nothing was new to this writer, so it has not swept
    }
}

TEST_CASE("records that were written and never named are swept, and others stay", "[store]") {
    const auto all = eleven_rows();
    leave_file(all);
    const std::string old = "commits/." + detail::record_name(4) + ".0123456789abcdef.ndk";
    const std::string coming = "commits/." + detail::record_name(9) + ".0123456789abcdef.ndk";
    const std::string other = "commits/.notes.0123456789abcdef.ndk";
    for (const auto& name : {old, coming, other})
        all->set(name, "half of a record");

    append_and_commit(all, 100);

    CHECK_FALSE(all->has(old));
    CHECK(all->has(coming));
    CHECK(all->has(other));
}

TEST_CASE("a sweep after an unheard commit leaves the files of writers that came since", "[store][fault]") {
    // Locks that are always granted do not protect; only the epoch does.
    const auto all = eleven_rows();
    leave_file(all);
    const auto process = std::make_shared<memory::process>();
    process->locks = memory::lock_kind::own;
    writer sweeper(memory::opened(all, process), fours());
    sweeper.append(rows_from(100, 4));
    process->fails_if = [](const memory::call& made) { return fails_at_record(made, {.late = true}); };
    CHECK_THROWS_AS(sweeper.commit(), io_error);
    process->fails_if = nullptr;
    all->finish_late();
    writer other(memory::opened(all, process), fours());
    other.append(rows_from(200, 4));

    CHECK_NOTHROW(sweeper.commit());

    CHECK_NOTHROW(other.commit());
    for (const auto& name : named_files(all))
        CHECK(all->has("chunks/" + name));
    CHECK(times(rows_in(all), 200) == 1);
}

TEST_CASE("a sweep leaves the files of a commit that came while older ones were pruned", "[store]") {
    // A case that the search of interleavings.cpp found.
    const auto all = eleven_rows();
    const auto expected = rows_in(all);
    leave_file(all);
    const auto process = std::make_shared<memory::process>();
    process->locks = memory::lock_kind::own;
    writer sweeper(memory::opened(all, process), fours());
    sweeper.append(rows_from(100, 4));
    bool has_put = false, has_listed = false, done = false;
    process->before = [&](const memory::call& made) {
        has_put = has_put || (made.what == "put" && made.name == record_of(4));
        if (done || !has_listed) {
            has_listed = has_put && made == memory::call{"list", "commits"};
            return;
        }
        // Between listing the records and reading the first of them.
        done = true;
        const auto none = std::make_shared<memory::process>();
        none->locks = memory::lock_kind::none;
        writer other(memory::opened(all, none), fours());
        other.append(rows_from(200, 1));
        (void)other.commit();
        memory::place where(all, none);
        detail::commit_log log(where);
        CHECK(detail::prune(log, 1) == 4);
    };

    (void)sweeper.commit();

    CHECK(done);
    for (const auto& name : named_files(all))
        CHECK(all->has("chunks/" + name));
    std::size_t rows = 0;
    CHECK_NOTHROW(rows = rows_in(all).size());
    CHECK(rows == expected.size() + 5);
}

// Skipped records ------------------------------------------------------------------------------------------------

TEST_CASE("an operation that fails while a damaged record is passed over can be repeated", "[store][fault]") {
    const auto recover = [](const std::shared_ptr<memory::content>& all,
                            const std::shared_ptr<memory::process>& process) {
        memory::place where(all, process);
        detail::commit_log log(where);
        return detail::recover(log);
    };
    for (std::size_t at = 0;; ++at) {
        bool failed = false;
        for (const auto& fault : faults_at(at)) {
            CAPTURE(at, fault.code, fault.done);
            const auto all = eleven_rows();
            const auto former = rows_in(all, 2);
            all->set(record_of(3), "torn");
            const auto process = std::make_shared<memory::process>();
            process->fails = fault;
            try {
                const auto found = recover(all, process);
                CHECK(found == std::vector<std::uint64_t>{3});
            } catch (const io_error& problem) {
                failed = true;
                CHECK(problem.file().string().starts_with("memory/"));
            }
            CHECK_NOTHROW(recover(all, std::make_shared<memory::process>()));
            CHECK(rows_in(all) == former);
            CHECK(newest(all) == 4);
        }
        if (!failed)
            break;
    }
}

TEST_CASE("a flipped bit anywhere in the newest record is damage, and nothing steps back silently", "[store][error]") {
    const auto whole = eleven_rows();
    const auto text = whole->text(record_of(3));
    for (std::size_t at = 0; at < text.size(); ++at) {
        CAPTURE(at, text.substr(at, 20));
        const auto all = memory::copy_of(*whole);
        auto flipped = text;
        flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 8));
        all->set(record_of(3), flipped);

        const auto problem = thrown<checksum_error>([&] { (void)rows_in(all); });

        CHECK(problem.file() == "memory/" + record_of(3));
        CHECK_THROWS_AS(writer(memory::opened(all)), checksum_error);
        CHECK(rows_in(all, 1).size() == 6);
        CHECK(recovered(all) == std::vector<std::uint64_t>{3});
        CHECK(rows_in(all) == numbers{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
        CHECK(rows_in(all, 2).size() == 10);
        CHECK(recovered(all).empty());
    }
}

TEST_CASE("the commit before a damaged newest one can be opened by its number", "[store]") {
    const auto all = eleven_rows();
    all->set(record_of(3), "torn");

    CHECK(rows_in(all, 2).size() == 10);
}

TEST_CASE("commits go on above a record that was passed over", "[store]") {
    const auto all = eleven_rows();
    all->set(record_of(3), "torn");
    CHECK(recovered(all) == std::vector<std::uint64_t>{3});

    append_and_commit(all, 50);
    append_and_commit(all, 51);

    CHECK(newest(all) == 6);
    CHECK(rows_in(all) == numbers{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 50, 51});
    CHECK(rows_in(all, 2).size() == 10);
    CHECK(rows_in(all, 4).size() == 10);
    CHECK(rows_in(all, 5).size() == 11);
    CHECK_THROWS_AS(rows_in(all, 3), error);
}

TEST_CASE("two damaged records, one behind the other, are passed over", "[store]") {
    const auto all = eleven_rows();
    append_and_commit(all, 50);
    all->set(record_of(3), "torn");
    all->set(record_of(4), "torn too");

    auto found = recovered(all);
    std::sort(found.begin(), found.end());

    CHECK(found == std::vector<std::uint64_t>{3, 4});
    CHECK(rows_in(all).size() == 10);
    CHECK(rows_in(all, 2).size() == 10);
    CHECK(rows_in(all, 1).size() == 6);
}

TEST_CASE("old commits are pruned also where a record was passed over", "[store]") {
    for (const std::uint64_t keep : {1U, 2U, 3U, 4U}) {
        CAPTURE(keep);
        const auto all = eleven_rows();
        all->set(record_of(3), "torn");
        (void)recovered(all);
        append_and_commit(all, 50);
        memory::place where(all);
        detail::commit_log log(where);

        CHECK_NOTHROW(detail::prune(log, keep));

        CHECK(all->names_in("commits").size() <= keep);
        CHECK(rows_in(all).size() == 11);
    }
}

TEST_CASE("a commit that counts does not throw because of a record that was passed over", "[store]") {
    const auto all = memory::empty();
    {
        writer to(memory::opened(all), {.rows_per_chunk = 4, .commit = {.keep = everything}});
        for (int i = 0; i < 10; ++i) {
            to.append(rows_from(i, 1));
            (void)to.commit();
        }
    }
    all->set(record_of(10), "torn");
    REQUIRE(recovered(all) == std::vector<std::uint64_t>{10});

    // Commit 12 prunes the commits below 10.
    writer to(memory::opened(all), {.rows_per_chunk = 4, .commit = {.keep = 3}});
    to.append(rows_from(50, 1));
    CHECK_NOTHROW(to.commit());

    CHECK(newest(all) == 12);
    CHECK(times(rows_in(all), 50) == 1);
}

}  // namespace store_rows::upkeep_tests
