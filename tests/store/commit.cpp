// SPDX-License-Identifier: BSD-3-Clause
// Guarantees of a commit whose outcome is uncertain: it is unknown whether its record was put.
#include "store/rows.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/store/upkeep.hpp>
#include <ndkeep/text/unicode.hpp>

namespace store_rows::commit_tests {

using namespace ndkeep;

namespace {

/// A writer whose put of a record was reported as failed. If `late`, the store completes the put afterwards.
struct unheard {
    explicit unheard(bool late) {
        to.append(rows_from(100, 4));
        process->fails_if = [late](const memory::call& made) { return fails_at_record(made, {.late = late}); };
        CHECK_THROWS_AS(to.commit(), io_error);
        process->fails_if = nullptr;
        all->finish_late();
    }

    std::shared_ptr<memory::content> all = eleven_rows();
    std::shared_ptr<memory::process> process = std::make_shared<memory::process>();
    writer to{memory::opened(all, process), fours()};
};

/// A commit of a writer that believes that others are open, so that it does not sweep.
void append_without_locks(const std::shared_ptr<memory::content>& all, double row) {
    const auto process = std::make_shared<memory::process>();
    process->locks = memory::lock_kind::none;
    writer other(memory::opened(all, process), fours());
    other.append(rows_from(row, 1));
    (void)other.commit();
}

}  // namespace

TEST_CASE("a record that was put though the place reported a failure is a commit", "[store][fault]") {
    const auto all = eleven_rows();
    const auto process = std::make_shared<memory::process>();
    writer to(memory::opened(all, process), fours());
    to.append(rows_from(100, 4));
    process->fails_if = [](const memory::call& made) { return fails_at_record(made, {.done = true}); };

    CHECK(to.commit() == 4);

    process->fails_if = nullptr;
    CHECK(times(rows_in(all), 100) == 1);
    to.append(rows_from(200, 4));
    CHECK(to.commit() == 5);
    CHECK(times(rows_in(all), 200) == 1);
}

TEST_CASE("once a record may have been put, no failure to look means that nothing is committed", "[store][fault]") {
    // The put of the record ends in each way, and every operation from some later one until the end of the commit
    // fails.
    enum class ending { reported, unreported, failed };  // outcomes of the put
    for (const auto put : {ending::reported, ending::unreported, ending::failed})
        for (std::size_t from = 0; from < 8; ++from) {
            const bool done = put != ending::failed;
            CAPTURE(static_cast<int>(put), from);
            const auto all = eleven_rows();
            const auto process = std::make_shared<memory::process>();
            std::optional<writer> to(std::in_place, memory::opened(all, process), fours());
            to->append(rows_from(100, 4));
            std::size_t since = 0;
            process->fails_if = [&](const memory::call& made) -> std::optional<memory::fault> {
                const bool is_record = made.what == "put" && made.name.starts_with("commits/");
                if (since == 0 && !is_record)
                    return std::nullopt;
                if (since++ == 0)
                    return put == ending::reported ? std::nullopt : std::optional(memory::fault{.done = done});
                return since > from + 1 ? std::optional(memory::fault{}) : std::nullopt;
            };
            std::string problem = "none";
            try {
                (void)to->commit();
            } catch (const io_error& error) {
                problem = error.what();
            }
            process->fails_if = nullptr;
            CAPTURE(problem);
            const bool is_committed = times(rows_in(all), 100) == 1;
            const bool is_certain = problem.find("outcome unknown") == std::string::npos &&
                                    problem.find("may not survive a power cut") == std::string::npos;
            CHECK(is_committed == done);
            CHECK((!is_certain || is_committed == (problem == "none")));
            // After an uncertain outcome, the writer rejects further commits.
            if (!is_certain)
                CHECK_THROWS_AS(to->commit(), conflict_error);
            else if (!is_committed)
                CHECK(to->commit() == 4);
            to.reset();
            CHECK(times(rows_in(all), 100) == (done || is_certain ? 1 : 0));
            for (const auto& name : named_files(all))
                CHECK(all->has("chunks/" + name));
        }
}

TEST_CASE("a record that a store puts after it has reported a failure is not put again", "[store][fault]") {
    unheard of(true);
    CHECK(times(rows_in(of.all), 100) == 1);

    CHECK(of.to.commit() == 4);

    CHECK(newest(of.all) == 4);
    CHECK(times(rows_in(of.all), 100) == 1);
}

TEST_CASE("others may commit on top of a record of which its writer does not know", "[store][fault]") {
    unheard of(true);
    append_and_commit(of.all, 200);

    CHECK_NOTHROW(of.to.commit());

    CHECK(times(rows_in(of.all), 100) == 1);
    CHECK(times(rows_in(of.all), 200) == 1);
}

TEST_CASE("rows are not there twice if their unheard record was built upon and pruned", "[store][fault]") {
    unheard of(true);
    append_and_commit(of.all, 200);
    append_and_commit(of.all, 201);
    {
        const auto none = std::make_shared<memory::process>();
        none->locks = memory::lock_kind::none;
        memory::place where(of.all, none);
        detail::commit_log log(where);
        CHECK(detail::prune(log, 1) > 0);
    }
    REQUIRE(times(rows_in(of.all), 100) == 1);

    // Both answers are correct, but the rows must not be committed twice.
    try {
        (void)of.to.commit();
    } catch (const io_error& problem) {
        CHECK(std::string(problem.what()).find("outcome unknown") != std::string::npos);
    }

    CHECK(times(rows_in(of.all), 100) == 1);
}

TEST_CASE("others may take the number of a record that was not put", "[store][fault]") {
    unheard of(false);
    append_and_commit(of.all, 200);

    CHECK(of.to.commit() == 5);

    CHECK(times(rows_in(of.all), 100) == 1);
    CHECK(times(rows_in(of.all), 200) == 1);
}

TEST_CASE("rows that wait for a chunk to fill do not keep a failed commit from being repeated", "[store][fault]") {
    for (const bool late : {false, true}) {
        CAPTURE(late);
        unheard of(late);
        bool took = true;
        try {
            of.to.append(rows_from(150, 1));
        } catch (const conflict_error&) {
            took = false;
        }

        CHECK_NOTHROW(of.to.commit());
        CHECK_NOTHROW(of.to.commit());

        CHECK(times(rows_in(of.all), 100) == 1);
        CHECK(times(rows_in(of.all), 150) == (took ? 1 : 0));
    }
}

TEST_CASE("a writer whose commit has failed and that discards is of use again", "[store][fault]") {
    unheard of(false);

    of.to.discard();

    CHECK_NOTHROW(of.to.append(rows_from(300, 8)));
    CHECK_NOTHROW(of.to.commit());
    CHECK(times(rows_in(of.all), 100) == 0);
    CHECK(times(rows_in(of.all), 300) == 1);
}

TEST_CASE("a commit whose name may be lost says so, and its writer is closed", "[store][fault]") {
    const auto all = eleven_rows();
    const auto process = std::make_shared<memory::process>();
    writer to(memory::opened(all, process), fours());
    to.append(rows_from(100, 4));
    process->fails_if = [](const memory::call& made) {
        return made == memory::call{"sync_names", "commits"} ? std::optional(memory::fault{}) : std::nullopt;
    };

    const auto problem = thrown<io_error>([&] { (void)to.commit(); });
    process->fails_if = nullptr;

    CHECK(std::string(problem.what()).find("visible, but may not survive a power cut") != std::string::npos);
    CHECK(problem.file() == "memory/" + record_of(4));
    CHECK_THROWS_AS(to.commit(), conflict_error);
    CHECK_THROWS_AS(to.append(rows_from(200, 4)), conflict_error);
    to.discard();
    CHECK(rows_in(all).size() == 15);
    CHECK(times(rows_in(all), 100) == 1);
}

TEST_CASE("a writer that slept while its number was used and pruned commits once, at the top",
          "[store][threads][slow]") {
    for (const bool after_put : {false, true}) {
        CAPTURE(after_put);
        const auto all = eleven_rows();
        const auto process = std::make_shared<memory::process>();
        process->locks = memory::lock_kind::none;
        writer sleeper(memory::opened(all, process), fours());
        sleeper.append(rows_from(-1, 1));
        bool slept = false;
        const auto sleep = [&] {
            slept = true;
            const auto quick = std::make_shared<memory::process>();
            quick->locks = memory::lock_kind::none;
            writer other(memory::opened(all, quick), {.rows_per_chunk = 4});
            for (int i = 0; i < 300; ++i) {
                other.append(rows_from(1000 + i, 1));
                (void)other.commit();
            }
            memory::place where(all, quick);
            detail::commit_log log(where);
            (void)detail::prune(log, 100);
        };
        bool was_put = false;
        process->before = [&](const memory::call& made) {
            const bool is_put = made.what == "put" && made.name.starts_with("commits/");
            if (!slept && (after_put ? was_put : is_put))
                sleep();
            was_put = is_put;
        };

        std::string outcome;
        try {
            const auto number = sleeper.commit();
            CHECK(number == 304);
        } catch (const io_error& problem) {
            outcome = problem.what();
        }

        CHECK(slept);
        // Its record was put first, others were built on it, and it was pruned. So the writer cannot find out its
        // outcome.
        CHECK((outcome.find("outcome unknown") != std::string::npos) == after_put);
        const auto rows = rows_in(all);
        CHECK(rows.size() == 11 + 300 + 1);
        CHECK(times(rows, -1) == 1);
        for (const auto& name : named_files(all))
            CHECK(all->has("chunks/" + name));
    }
}

TEST_CASE("a number that is taken by a record that nobody can look at leaves the outcome unknown", "[store][fault]") {
    // The record may be ours: over NFS, a put whose reply was lost finds its own name taken.
    const auto all = eleven_rows();
    const auto process = std::make_shared<memory::process>();
    process->locks = memory::lock_kind::none;
    std::optional<writer> to(std::in_place, memory::opened(all, process), fours());
    to->append(rows_from(100, 4));
    bool is_taken = false;
    process->before = [&](const memory::call& made) {
        if (made == memory::call{"put", record_of(4)}) {
            append_without_locks(all, 200);
            append_without_locks(all, 201);
            is_taken = true;
        } else if (is_taken && made == memory::call{"get", record_of(4)}) {
            memory::place where(all);
            detail::commit_log log(where);
            (void)detail::prune(log, 1);
        }
    };

    const auto problem = thrown<io_error>([&] { (void)to->commit(); });
    process->before = nullptr;

    CHECK(std::string(problem.what()).find("outcome unknown") != std::string::npos);
    CHECK_THROWS_AS(to->append(rows_from(300, 1)), conflict_error);
    CHECK_THROWS_AS(to->commit(), conflict_error);
    const auto files = all->names_in("chunks").size();
    to.reset();
    CHECK(all->names_in("chunks").size() == files);
}

// Rebased ----------------------------------------------------------------------------------------------------------

namespace {

/// A transaction on eleven rows that appends one row, and another writer's commit of one row since.
struct overtaken {
    overtaken() {
        to.edit({.what = detail::chunk_edit::kind::append, .first_row = 11, .added = {staged(11)}});
        append_and_commit(all, 200);
    }
    [[nodiscard]] chunk_entry staged(std::uint64_t row) {
        chunk_entry entry{.rows = 1, .nbytes = 8, .offset = 128, .sum = "00000000"};
        entry.file = to.stage({}, row);
        return entry;
    }

    std::shared_ptr<memory::content> all = eleven_rows();
    memory::place where{all};
    detail::transaction to{where, {}};
};

}  // namespace

TEST_CASE("rows that another commit has moved are staged again before they are committed", "[store]") {
    overtaken is;

    auto result = is.to.commit();
    REQUIRE(result.is_rebased());
    REQUIRE(result.moved.size() == 1);
    const auto moved = result.moved.front();
    CHECK(moved.from_row == 11);
    CHECK(moved.to_row == 12);
    CHECK(newest(is.all) == 4);
    const auto again = is.staged(12);
    result = is.to.resume(std::move(result), {again});

    CHECK_FALSE(result.is_rebased());
    CHECK(result.number == 5);
    CHECK(is.to.base().entries().back() == again);
    CHECK(is.to.base().rows == 13);
    CHECK_FALSE(is.all->has("chunks/" + moved.entry.file));
    CHECK(is.all->has("chunks/" + again.file));
}

TEST_CASE("a rebased commit that is not continued can be committed later, or discarded", "[store]") {
    for (const bool discards : {false, true}) {
        CAPTURE(discards);
        overtaken is;
        (void)is.to.commit();

        if (discards)
            is.to.discard();
        auto result = is.to.commit();

        CHECK(result.is_rebased() != discards);
        if (result.is_rebased())
            result = is.to.resume(std::move(result), {result.moved.front().entry});
        CHECK(result.number == (discards ? 4 : 5));
        CHECK(newest(is.all) == result.number);
    }
}

TEST_CASE("others that commit while moved rows are staged again move them once more", "[store]") {
    overtaken is;

    auto result = is.to.commit();
    std::vector<std::uint64_t> rows;
    while (result.is_rebased()) {
        rows.push_back(result.moved.front().to_row);
        if (rows.size() < 3)
            append_without_locks(is.all, 300);
        result = is.to.resume(std::move(result), {is.staged(rows.back())});
    }

    CHECK(rows == std::vector<std::uint64_t>{12, 13, 14});
    CHECK(is.to.base().rows == 15);
    for (const auto& name : named_files(is.all))
        CHECK(is.all->has("chunks/" + name));
}

TEST_CASE("a commit gives up after sixteen tries, and can be called again", "[store]") {
    const auto all = eleven_rows();
    const auto process = std::make_shared<memory::process>();
    process->locks = memory::lock_kind::none;
    writer to(memory::opened(all, process), fours());
    to.append(rows_from(100, 4));
    process->before = [&](const memory::call& made) {
        if (made.what == "put" && made.name.starts_with("commits/"))
            append_without_locks(all, 200);
    };

    const auto e = thrown<conflict_error>([&] { (void)to.commit(); });
    process->before = nullptr;

    CHECK(std::string(e.what()) == "memory: other writers committed first in each of 16 tries; commit again");
    CHECK(to.commit() == 20);
    CHECK(times(rows_in(all), 100) == 1);
    CHECK(times(rows_in(all), 200) == 16);
}

TEST_CASE("metadata that is set after a failed commit is refused, not forgotten", "[store][error]") {
    unheard of(true);

    CHECK_THROWS_AS(of.to.set_metadata({{"a", 1}}), conflict_error);

    CHECK(of.to.commit() == 4);
    of.to.set_metadata({{"a", 1}});
    CHECK(of.to.commit() == 5);
    CHECK((reader(memory::opened(of.all)).metadata() == json{{"a", 1}}));
}

TEST_CASE("first writers agree on the id of the dataset, whoever comes between", "[store]") {
    // The second writer looks for the id before the first has put it, and continues afterwards.
    const auto all = memory::empty();
    const auto process = std::make_shared<memory::process>();
    std::optional<writer> first;
    bool looked = false;
    process->before = [&](const memory::call& made) {
        if (looked && !first) {
            first.emplace(memory::opened(all), fours());
            first->append(rows_from(0, 8));
        }
        looked = looked || made == memory::call{"get", record_of(0)};
        looked = looked && made.what != "list";
    };
    writer second(memory::opened(all, process), fours());
    process->before = nullptr;
    if (!first)
        first.emplace(memory::opened(all), fours());
    second.append(rows_from(100, 4));

    CHECK_NOTHROW(writer(memory::opened(all), fours()));
    CHECK(first->commit() == 1);
    CHECK(second.commit() == 2);
    CHECK(times(rows_in(all), 100) == 1);
}

}  // namespace store_rows::commit_tests
