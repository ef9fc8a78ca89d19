// SPDX-License-Identifier: BSD-3-Clause
// Every operation of a place failing in turn, records that are damaged or lie, and what a commit promises then.
#include "support/faults.hpp"
#include "support/memory_place.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/chunks.hpp>

namespace store_operations_tests {

using namespace ndkeep;

namespace {

using vector = xt::xtensor<double, 1>;
using writer = chunk_writer<double, 1>;
using reader = chunk_reader<double, 1>;

vector rows_from(double first, std::size_t count) {
    vector made = vector::from_shape({count});
    for (std::size_t i = 0; i < count; ++i)
        made(i) = first + static_cast<double>(i);
    return made;
}

using numbers = std::vector<double>;

numbers rows_in(const std::shared_ptr<memory::content>& all, std::optional<std::uint64_t> commit = std::nullopt) {
    const reader from(memory::opened(all), {.at_commit = commit});
    const auto rows = from.rows(0, from.rows());
    return {rows.begin(), rows.end()};
}

chunk_writer_options fours() { return {.rows_per_chunk = 4}; }

/// Three commits of 6, 4 and 1 rows: 0, 1, 2, …
std::shared_ptr<memory::content> eleven_rows() {
    auto all = memory::empty();
    writer to(memory::opened(all), fours());
    double next = 0;
    for (const std::size_t count : {6U, 4U, 1U}) {
        to.append(rows_from(next, count));
        (void)to.commit();
        next += static_cast<double>(count);
    }
    return all;
}

std::uint64_t newest(const std::shared_ptr<memory::content>& all) { return reader(memory::opened(all)).commit(); }

std::string record_of(std::uint64_t number) { return "commits/" + detail::record_name(number); }

/// A file that a killed writer of the dataset has left.
void leave_file(const std::shared_ptr<memory::content>& all) {
    memory::place where(all);
    detail::commit_log log(where);
    const auto dataset = detail::open_state(log).state.dataset;
    all->set("chunks/000000000000-" + detail::writer_word(7, dataset) + "-0.npy", "left by somebody");
}

/// Whether there is a record: the id of a dataset to be is none.
bool has_commits(const std::shared_ptr<memory::content>& all) {
    memory::place where(all);
    return !detail::commit_log(where).numbers().empty();
}

/// The files that one record or another names.
std::set<std::string> named_files(const std::shared_ptr<memory::content>& all) {
    memory::place where(all);
    detail::commit_log log(where);
    std::set<std::string> names;
    for (const auto number : log.numbers())
        detail::add_names(*log.read(number), names);
    return names;
}

}  // namespace

// Operations that fail ----------------------------------------------------------------------------------------------

namespace {

struct scenario {
    std::string name;
    std::function<void(writer&)> stage;
    bool first = false;  // there is nothing before
};

/// A play of open, stage and commit, with a fault; the steps are repeated as their documentation says.
class play {
  public:
    play(const scenario& scene, std::shared_ptr<memory::content> all, const std::optional<memory::fault>& fault)
        : scene_(scene), all_(std::move(all)), old_(scene.first ? numbers() : rows_in(all_)),
          commit_(scene.first ? 0 : newest(all_)) {
        process_->fails = fault;
    }

    void run(const numbers& made) {
        std::optional<writer> to;
        repeated(made, [&] { to.emplace(memory::opened(all_, process_), fours()); });
        repeated(made, [&] { scene_.stage(*to); });
        bool may_repeat = true;
        std::uint64_t number = 0;
        const auto problem = failed(made, [&] { number = to->commit(); });
        if (problem) {
            const std::string what = problem->what();
            may_repeat = what.find("may not survive a power cut") == std::string::npos &&
                         what.find("outcome unknown") == std::string::npos;
            CAPTURE(what);
            if (may_repeat)
                number = committed_again(to);
            else
                CHECK_THROWS_AS(to->append(rows_from(0, 8)), conflict_error);
        }
        CHECK((!may_repeat || number == commit_ + 1));
        to.reset();
        CHECK(rows_in(all_) == made);
        if (!scene_.first)
            CHECK(rows_in(all_, commit_) == old_);
        for (const auto& name : named_files(all_))
            CHECK(all_->has("chunks/" + name));
    }

    [[nodiscard]] std::vector<memory::call> calls() const { return process_->calls; }

  private:
    /// A sync that has failed is never believed when it is made again: the writer is closed, and its work is another's.
    std::uint64_t committed_again(std::optional<writer>& to) {
        try {
            return to->commit();
        } catch (const conflict_error&) {
            to.emplace(memory::opened(all_, process_), fours());
            scene_.stage(*to);
            return to->commit();
        }
    }

    template <class Step>
    std::optional<io_error> failed(const numbers& made, Step&& step) {
        try {
            step();
            return std::nullopt;
        } catch (const io_error& problem) {
            CHECK(problem.file().string().starts_with("memory/"));
            if (scene_.first && !has_commits(all_))
                return problem;
            const auto there = rows_in(all_);
            CHECK((there == old_ || there == made));
            return problem;
        }
    }
    template <class Step>
    void repeated(const numbers& made, Step&& step) {
        if (failed(made, step))
            step();
    }

    scenario scene_;
    std::shared_ptr<memory::content> all_;
    std::shared_ptr<memory::process> process_ = std::make_shared<memory::process>();
    numbers old_;
    std::uint64_t commit_;
};

/// Every fault there is at operation `at`.
std::vector<memory::fault> faults_at(std::size_t at) {
    return {{at, EIO, false}, {at, ENOSPC, false}, {at, EIO, true}};
}

void check_faults(const scenario& scene) {
    const auto before = [&] { return scene.first ? memory::empty() : eleven_rows(); };
    const auto all = before();
    play undisturbed(scene, all, std::nullopt);
    {
        writer to(memory::opened(all), fours());
        scene.stage(to);
        (void)to.commit();
    }
    const auto made = rows_in(all);
    play counted(scene, before(), std::nullopt);
    counted.run(made);
    const auto calls = counted.calls();
    REQUIRE(calls.size() > 5);
    for (std::size_t at = 0; at < calls.size(); ++at)
        for (const auto& fault : faults_at(at)) {
            CAPTURE(scene.name, at, calls[at], fault.code, fault.done);
            CHECK_NOTHROW(play(scene, before(), fault).run(made));
        }
}

}  // namespace

TEST_CASE("an operation that fails while rows are appended leaves the old rows or all", "[store][fault]") {
    check_faults({.name = "append", .stage = [](writer& to) { to.append(rows_from(100, 9)); }});
}

TEST_CASE("an operation that fails while rows are replaced leaves the old rows or all", "[store][fault]") {
    check_faults({.name = "write", .stage = [](writer& to) { to.write(2, rows_from(100, 3)); }});
}

TEST_CASE("an operation that fails while rows are cut off leaves the old rows or all", "[store][fault]") {
    check_faults({.name = "shrink", .stage = [](writer& to) { to.resize(5); }});
}

TEST_CASE("an operation that fails while rows of zeros are added leaves the old rows or all", "[store][fault]") {
    check_faults({.name = "grow", .stage = [](writer& to) { to.resize(30); }});
}

TEST_CASE("an operation that fails in the first commit leaves nothing or all", "[store][fault]") {
    check_faults({.name = "first", .stage = [](writer& to) { to.append(rows_from(0, 9)); }, .first = true});
}

TEST_CASE("an operation that fails in a commit that merges and folds leaves the old rows or all", "[store][fault]") {
    const auto many = memory::empty();
    {
        writer to(memory::opened(many), {.rows_per_chunk = 1});
        to.append(rows_from(0, 130));
        (void)to.commit();
    }
    const auto old = rows_in(many);
    numbers made = old;
    made.push_back(500);
    for (std::size_t at = 0;; ++at) {
        std::size_t count = 0;
        for (const auto& fault : faults_at(at)) {
            CAPTURE(at, fault.code, fault.done);
            const auto all = memory::copy_of(*many);
            const auto process = std::make_shared<memory::process>();
            writer to(memory::opened(all, process), {.rows_per_chunk = 1});
            to.append(rows_from(500, 1));
            process->calls.clear();
            process->fails = fault;
            try {
                (void)to.commit();
            } catch (const io_error& problem) {
                const std::string what = problem.what();
                if (what.find("may not survive") == std::string::npos &&
                    what.find("outcome unknown") == std::string::npos) {
                    try {
                        (void)to.commit();
                    } catch (const conflict_error&) {  // after a sync that has failed
                        writer again(memory::opened(all, process), {.rows_per_chunk = 1});
                        again.append(rows_from(500, 1));
                        (void)again.commit();
                    }
                }
            }
            count = process->calls.size();
            CHECK(rows_in(all) == made);
            CHECK(rows_in(all, 1) == old);
        }
        if (at >= count)
            break;
    }
}

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

TEST_CASE("append adds all of its rows or none where a chunk cannot be put", "[store][fault]") {
    const auto all = memory::empty();
    const auto process = std::make_shared<memory::process>();
    writer to(memory::opened(all, process), fours());
    to.append(rows_from(0, 3));
    for (const std::size_t put : {0U, 1U, 2U}) {
        CAPTURE(put);
        std::size_t seen = 0;
        process->fails_if = [&](const memory::call& made) {
            return made.what == "put" && seen++ == put ? std::optional(memory::fault{.code = ENOSPC}) : std::nullopt;
        };

        CHECK_THROWS_AS(to.append(rows_from(100, 10)), io_error);
        process->fails_if = nullptr;

        CHECK(to.rows() == 3);
    }
    (void)to.commit();
    CHECK(rows_in(all) == numbers{0, 1, 2});
}

TEST_CASE("a writer that is destroyed without a commit removes what it has put", "[store]") {
    const auto all = eleven_rows();
    const auto before = all->names_in("chunks");
    {
        writer to(memory::opened(all), fours());
        to.append(rows_from(100, 50));
        CHECK(all->names_in("chunks").size() > before.size());
    }
    CHECK(all->names_in("chunks") == before);
}

// Outcomes that nobody knows ----------------------------------------------------------------------------------------

namespace {

std::optional<memory::fault> fails_at_record(const memory::call& made, const memory::fault& fault) {
    return made.what == "put" && made.name.starts_with("commits/") ? std::optional(fault) : std::nullopt;
}

/// A writer whose put of a record was reported as failed; or the store went on with it, and did it later.
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

std::ptrdiff_t times(const numbers& rows, double wanted) { return std::count(rows.begin(), rows.end(), wanted); }

void append_and_commit(const std::shared_ptr<memory::content>& all, double row, std::uint64_t keep = 100) {
    writer other(memory::opened(all), {.rows_per_chunk = 4, .commit = {.keep = keep}});
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
    // Every operation after the put fails, from one or another on, until the end of the commit.
    enum class ending { reported, unreported, failed };  // of the put
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
            // Of an uncertain outcome a writer makes nothing more of.
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

    // Either answer is right, but not the rows once more.
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

TEST_CASE("a writer that slept while its number was used and pruned commits once, at the top", "[store][threads]") {
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
        // Put before the others, its record was built upon and is gone: nobody can tell it what has become of it.
        CHECK((outcome.find("outcome unknown") != std::string::npos) == after_put);
        const auto rows = rows_in(all);
        CHECK(rows.size() == 11 + 300 + 1);
        CHECK(times(rows, -1) == 1);
        for (const auto& name : named_files(all))
            CHECK(all->has("chunks/" + name));
    }
}

// Readers and locks -------------------------------------------------------------------------------------------------

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
    CHECK(all->names_in("chunks").size() == named_files(all).size() + 1);  // it is never alone, and so does not sweep
}

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
        CHECK(all->names_in("chunks") != named_files(all));  // nothing was new to it, so that it has not swept
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

TEST_CASE("metadata that is set after a failed commit is refused, not forgotten", "[store][error]") {
    unheard of(true);

    CHECK_THROWS_AS(of.to.set_metadata({{"a", 1}}), conflict_error);

    CHECK(of.to.commit() == 4);
    of.to.set_metadata({{"a", 1}});
    CHECK(of.to.commit() == 5);
    CHECK((reader(memory::opened(of.all)).metadata() == json{{"a", 1}}));
}

TEST_CASE("first writers agree on the id of the dataset, whoever comes between", "[store]") {
    // The second looks for it before the first has put it, and goes on afterwards.
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

TEST_CASE("a sweep after an unheard commit leaves the files of writers that came since", "[store][fault]") {
    // Locks that are always granted are as good as none: the epoch alone has to protect.
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
    // As found by the search of interleavings.cpp.
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
        // Between the list of the records and a look at the first of them.
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

// Records that are damaged ------------------------------------------------------------------------------------------

namespace {

std::vector<std::uint64_t> recovered(const std::shared_ptr<memory::content>& all) {
    memory::place where(all);
    detail::commit_log log(where);
    return detail::recover(log);
}

}  // namespace

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

    // Commit 12 prunes by itself what is below 10.
    writer to(memory::opened(all), {.rows_per_chunk = 4, .commit = {.keep = 3}});
    to.append(rows_from(50, 1));
    CHECK_NOTHROW(to.commit());

    CHECK(newest(all) == 12);
    CHECK(times(rows_in(all), 50) == 1);
}

TEST_CASE("rows of a damaged chunk are not made good by writing them again", "[store][error]") {
    const auto all = memory::empty();
    {
        writer to(memory::opened(all), {.rows_per_chunk = 4});
        to.append(rows_from(0, 3));
        (void)to.commit();
        to.append(rows_from(3, 3));
        (void)to.commit();
    }
    const auto name = "chunks/" + *all->names_in("chunks").begin();
    auto text = all->text(name);
    text.back() = static_cast<char>(text.back() ^ 1);
    all->set(name, text);
    REQUIRE_THROWS_AS(rows_in(all), checksum_error);

    try {
        detail::chunk_session session(memory::opened(all), {.rows_per_chunk = 100});
        const run_options run;
        progress_meter quiet(run, {.phase = "compact"});
        session.compact(quiet);
        (void)session.commit();
    } catch (const checksum_error&) {
        // As it should be.
    }
    CHECK_THROWS_AS(rows_in(all), checksum_error);

    try {
        writer to(memory::opened(all), {.rows_per_chunk = 4});
        to.write(0, rows_from(70, 1));
        to.write(3, rows_from(70, 1));
        (void)to.commit();
    } catch (const checksum_error&) {
        // As it should be.
    }
    CHECK_THROWS_AS(rows_in(all), checksum_error);
}

// Records that lie --------------------------------------------------------------------------------------------------

namespace {

/// The text with the sum that belongs to it.
std::string sealed(std::string text) {
    text.erase(text.rfind(",\"crc32c\""));
    const auto sum = detail::hex_text(crc32c(detail::bytes_of(text)));
    return text + ",\"crc32c\":\"" + sum + "\"}";
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const auto at = text.find(from);
    if (at == std::string::npos)
        throw std::runtime_error("no " + std::string(from) + " in " + text);
    return text.replace(at, from.size(), to);
}

/// One chunk of 6 rows in commit 1.
std::shared_ptr<memory::content> one_chunk() {
    auto all = memory::empty();
    writer to(memory::opened(all), {.rows_per_chunk = 100});
    to.append(rows_from(0, 6));
    (void)to.commit();
    return all;
}

/// The same with this instead of the list of chunks, and so many rows.
std::string with_chunks(const std::string& record, const std::string& chunks, const std::string& rows) {
    const auto begin = record.find("\"chunks\": [") + 10;
    auto text = record.substr(0, begin) + chunks + record.substr(record.find(", \"loops\""));
    return sealed(replaced(text, "\"rows\": 6", "\"rows\": " + rows));
}

void check_refused(const std::shared_ptr<memory::content>& all, const std::string& text) {
    CAPTURE(text.substr(0, 2000));
    all->set(record_of(1), text);
    CHECK_THROWS_AS(rows_in(all), format_error);
    CHECK_THROWS_AS(writer(memory::opened(all)), format_error);
    memory::place where(all);
    detail::commit_log log(where);
    CHECK_THROWS_AS(detail::recover(log), error);
}

std::string repeated(const std::string& text, std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i)
        all += text;
    return all;
}

}  // namespace

TEST_CASE("names in records lead nowhere but to chunks", "[store][error]") {
    const auto all = one_chunk();
    const auto record = all->text(record_of(1));
    const auto file = *all->names_in("chunks").begin();
    REQUIRE(sealed(record) == record);
    for (const std::string name : {"../x.npy",
                                   "/etc/passwd",
                                   "/etc/x.npy",
                                   "../../x.npy",
                                   "a/b.npy",
                                   "a\\u0000.npy",
                                   "a\\u0000b.npy",
                                   "..npy",
                                   ".npy",
                                   "",
                                   "..",
                                   ".",
                                   "-1.npy",
                                   "1-.npy",
                                   "1--2.npy",
                                   "A.npy",
                                   "0.npy/",
                                   "0.json",
                                   "lock",
                                   "0.npy\\n",
                                   "0000000000000000000000000000000000000000000000000.npy",
                                   "\\ud83d\\ude00.npy",
                                   "0.npy.npz.exe"}) {
        check_refused(all, sealed(replaced(record, file, name)));
        check_refused(all,
                      with_chunks(record, R"([{"table": ")" + name + R"(", "crc32c": "0", "from": 0, "to": 1}])", "6"));
    }
}

TEST_CASE("records of numbers that cannot be are refused", "[store][error]") {
    const auto all = one_chunk();
    const auto record = all->text(record_of(1));
    const auto file = *all->names_in("chunks").begin();
    const auto zeros = [](const std::string& rows) { return "[{\"rows\": " + rows + "}]"; };
    for (const std::string rows : {"-1", "0", "1.5", "1e3", "\"6\"", "null", "18446744073709551616",
                                   "18446744073709551615", "2305843009213693952", "1152921504606846976", "[6]", "true"})
        check_refused(all, with_chunks(record, zeros(rows), rows));
    // Sums that overflow.
    const std::string most = "1152921504606846975";
    check_refused(all, with_chunks(record, "[{\"rows\": " + most + "}, {\"rows\": 1}]", "1152921504606846976"));
    check_refused(all, with_chunks(record, "[" + repeated("{\"rows\": " + most + "}, ", 16) + "{\"rows\": 22}]", "6"));
    // Rows that do not add up.
    check_refused(all, with_chunks(record, "[]", "6"));
    check_refused(all, with_chunks(record, zeros("5"), "6"));
    check_refused(all, with_chunks(record, "[" + repeated("{\"rows\": 1}, ", 5000) + "{\"rows\": 1}]", "5001"));
    // Bytes of a chunk.
    for (const std::string nbytes : {"47", "49", "0", "-48", "48.0", "18446744073709551615", "\"48\""})
        check_refused(all, sealed(replaced(record, "\"nbytes\": 48", "\"nbytes\": " + nbytes)));
    for (const std::string offset : {"-1", "16777217", "18446744073709551615", "1e2", "null"})
        check_refused(all, sealed(replaced(record, "\"offset\": 128", "\"offset\": " + offset)));
    for (const std::string number : {"\"small\"", "[]", "{}"})
        check_refused(all, sealed(replaced(record, "\"min\": 0", "\"min\": " + number)));
    for (const std::string epoch : {"-1", "0.5", "\"0\"", "99999999999999999999"}) {
        check_refused(all, sealed(replaced(record, "\"epoch\": 0", "\"epoch\": " + epoch)));
        check_refused(all, sealed(replaced(record, "\"rewritten\": 0", "\"rewritten\": " + epoch)));
        check_refused(all, sealed(replaced(record, "\"skips\": []", "\"skips\": [" + epoch + "]")));
        check_refused(all, sealed(replaced(record, "\"row_shape\": []", "\"row_shape\": [" + epoch + "]")));
    }
    check_refused(all,
                  sealed(replaced(record, "\"row_shape\": []", "\"row_shape\": [4294967296, 4294967296, 4294967296]")));
    check_refused(all, sealed(replaced(record, "\"row_shape\": []", "\"row_shape\": [18446744073709551615, 2]")));
}

TEST_CASE("rows of no bytes are refused, before anything is divided by them", "[store][error]") {
    const auto all = one_chunk();
    auto record = all->text(record_of(1));
    check_refused(all, sealed(replaced(record, "\"<f8\"", "\"<U0\"")));
    for (const std::string shape : {"[0]", "[0, 18446744073709551615]", "[4, 0]"}) {
        const auto text = replaced(record, "\"row_shape\": []", "\"row_shape\": " + shape);
        check_refused(all, sealed(replaced(text, "\"nbytes\": 48", "\"nbytes\": 0")));
        check_refused(all, with_chunks(text, R"([{"rows": 6}])", "6"));
        check_refused(all, with_chunks(text, "[]", "0"));
    }
}

TEST_CASE("records of another make are refused", "[store][error]") {
    const auto all = one_chunk();
    const auto record = all->text(record_of(1));
    for (const std::string version : {"chunks/2", "chunks/1.1", "chunks", "sidecar/1", ""})
        check_refused(all, sealed(replaced(record, "chunks/1", version)));
    for (const std::string needs : {R"(["bz2"])", R"({"a": 1})", "\"text\""})
        check_refused(all, sealed(replaced(record, "\"skips\"", "\"needs\": " + needs + ", \"skips\"")));
    for (const std::string id : {"", "1", "../../../../../../../../../../..", "0123456789ABCDEF0123456789ABCDEF"})
        check_refused(all, sealed(replaced(record, record.substr(record.find("\"id\": ") + 7, 32), id)));
    for (const std::string dtype : {"", "|O", "<f9", "<f8x", "object", "[", "[('a', '<f8')", "|V0", "|S0", ">>f8"})
        check_refused(all, sealed(replaced(record, "<f8", dtype)));
    for (const std::string sum : {"sha1", "", "crc32c, md5", "CRC32C"})
        check_refused(all, sealed(replaced(record, "\"sum\": \"crc32c\"", "\"sum\": \"" + sum + "\"")));
    for (const std::string key : {"id", "parent", "skips", "dataset", "epoch", "rewritten", "dtype", "row_shape", "sum",
                                  "chunks", "loops", "metadata", "created"})
        check_refused(all, sealed(replaced(record, '"' + key + "\": ", "\"x" + key + "\": ")));
    for (const std::string other : {"null", "[]", "1", "\"x\""}) {
        check_refused(all, sealed(replaced(record, "\"loops\": {}", "\"loops\": " + other)));
        check_refused(all, sealed(replaced(record, "\"metadata\": {}", "\"metadata\": " + other)));
    }
    check_refused(all, sealed(replaced(record, "{\"ndkeep\"", "[\"ndkeep\"")));
    check_refused(all, sealed("[],\"crc32c\":\"00000000\"}"));
    check_refused(all, sealed(",\"crc32c\":\"00000000\"}"));
}

TEST_CASE("deep, long and strange text of a record is refused", "[store][error]") {
    const auto all = one_chunk();
    const auto record = all->text(record_of(1));
    check_refused(all,
                  sealed(replaced(record, "\"metadata\": {}",
                                  "\"metadata\": " + repeated("{\"a\": ", 100'000) + "1" + repeated("}", 100'000))));
    check_refused(all, sealed(replaced(record, "\"skips\": []",
                                       "\"skips\": " + repeated("[", 100'000) + repeated("]", 100'000))));
    check_refused(all, sealed(replaced(record, "\"metadata\": {}", "\"metadata\": {\"a\": \"\xff\xfe\"}")));
    check_refused(all, sealed(replaced(record, "\"metadata\": {}", std::string("\"metadata\": {\0}", 15))));
    all->set(record_of(1), record + std::string(std::size_t{16} << 20, ' '));
    CHECK_THROWS_AS(rows_in(all), format_error);
    for (std::size_t length = 0; length < record.size(); length += 7) {
        all->set(record_of(1), record.substr(0, length));
        CHECK_THROWS_AS(rows_in(all), checksum_error);
    }
}

namespace {

/// 300 chunks of one row, most of them in a table.
struct tabled {
    tabled() {
        writer to(memory::opened(all), {.rows_per_chunk = 1});
        to.append(rows_from(0, 300));
        (void)to.commit();
        record = all->text(record_of(1));
        const auto at = record.find("\"table\": \"") + 10;
        file = record.substr(at, record.find('"', at) - at);
        table = all->text("chunks/" + file);
        sum = sum_of(table);
    }
    static std::string sum_of(const std::string& text) { return detail::hex_text(crc32c(detail::bytes_of(text))); }
    /// Puts another table of that name, with its true sum in the record.
    void put(const std::string& text) {
        all->set("chunks/" + file, text);
        all->set(record_of(1), sealed(replaced(record, sum, sum_of(text))));
    }

    std::shared_ptr<memory::content> all = memory::empty();
    std::string record, file, table, sum;
};

}  // namespace

TEST_CASE("a table that is not what its sum says is damage", "[store][error]") {
    tabled is;
    REQUIRE(rows_in(is.all).size() == 300);
    for (std::size_t at = 0; at < is.table.size(); at += 97) {
        auto text = is.table;
        text[at] = static_cast<char>(text[at] ^ 4);
        is.all->set("chunks/" + is.file, text);
        const auto problem = thrown<checksum_error>([&] { (void)rows_in(is.all); });
        CHECK(problem.file() == "memory/chunks/" + is.file);
    }
    is.all->files.erase("chunks/" + is.file);
    CHECK_THROWS_AS(rows_in(is.all), format_error);
}

TEST_CASE("a table that lies under its true sum is refused", "[store][error]") {
    tabled is;
    const auto header = is.table.find('\n') + 1;
    const std::size_t length = 48 + 3 * 8 + 8 + 2 * 8;
    REQUIRE((is.table.size() - header) % length == 0);
    const auto with = [&](std::size_t offset, const std::string& bytes) {
        auto text = is.table;
        text.replace(header + offset, bytes.size(), bytes);
        return text;
    };
    const std::string ones(8, '\xff'), none(8, '\0');
    for (const auto& text :
         {with(0, "../../../x.npy"), with(0, std::string("/tmp/x.npy\0", 11)), with(48, none), with(48, ones),
          with(56, ones), with(56, none), with(64, ones), with(length + 48, ones),
          is.table.substr(0, is.table.size() - 1), is.table + 'x', is.table.substr(0, header), is.table.substr(0, 20),
          std::string(), std::string(200, '\0'), replaced(is.table, "('rows', '<u8')", "('rows', '<i8')"),
          replaced(is.table, "(300,)", "(301,)"), replaced(is.table, "(300,)", "(30, 10)")}) {
        is.put(text);
        CHECK_THROWS_AS(rows_in(is.all), format_error);
    }
}

TEST_CASE("ranges beyond a table are refused", "[store][error]") {
    tabled is;
    const auto item = [&](const std::string& from, const std::string& to) {
        return R"({"table": ")" + is.file + R"(", "crc32c": ")" + is.sum + R"(", "from": )" + from + ", \"to\": " + to +
               '}';
    };
    const auto record = [&](const std::string& items, const std::string& rows) {
        const auto begin = is.record.find("\"chunks\": [") + 10;
        return sealed(
            replaced(is.record.substr(0, begin) + '[' + items + ']' + is.record.substr(is.record.find(", \"loops\"")),
                     "\"rows\": 300", "\"rows\": " + rows));
    };
    check_refused(is.all, record(item("0", "301"), "301"));
    check_refused(is.all, record(item("5", "5"), "0"));
    check_refused(is.all, record(item("6", "5"), "18446744073709551615"));
    check_refused(is.all, record(item("-1", "5"), "6"));
    check_refused(is.all, record(item("0", "18446744073709551615"), "300"));
    check_refused(is.all, record(item("18446744073709551615", "0"), "1"));
    check_refused(is.all, record(item("0", "1.0"), "1"));
}

TEST_CASE("a small record that asks for more chunks than there are files is refused", "[store][error]") {
    // Each of 4096 items may be the whole of one table: a table of 10 MB would become 70 GB of entries in memory.
    tabled is;
    std::string items;
    for (int i = 0; i < 4000; ++i)
        items += R"({"table": ")" + is.file + R"(", "crc32c": ")" + is.sum + R"(", "from": 0, "to": 300}, )";
    items.resize(items.size() - 2);
    const auto begin = is.record.find("\"chunks\": [") + 10;
    check_refused(is.all, sealed(replaced(is.record.substr(0, begin) + '[' + items + ']' +
                                              is.record.substr(is.record.find(", \"loops\"")),
                                          "\"rows\": 300", "\"rows\": 1200000")));
}

TEST_CASE("a chunk that is missing or cut short is an error that names it", "[store][error]") {
    const auto all = one_chunk();
    const auto name = "chunks/" + *all->names_in("chunks").begin();
    const auto text = all->text(name);
    all->set(name, text.substr(0, text.size() - 1));
    CHECK_THROWS_AS(rows_in(all), format_error);
    all->files.erase(name);
    const auto problem = thrown<format_error>([&] { (void)rows_in(all); });
    CHECK(problem.file() == "memory/" + name);
}

TEST_CASE("no record that lies makes anything remove or keep what is not a chunk", "[store][error]") {
    // The states of loops are files too, and their names come from records as those of chunks do.
    const auto all = one_chunk();
    for (const std::string name : {"../commits/x", "../../victim", "/tmp/victim", "lock", ""}) {
        CAPTURE(name);
        const auto here = memory::copy_of(*all);
        here->set(record_of(1), sealed(replaced(here->text(record_of(1)), "\"loops\": {}",
                                                R"("loops": {"L": {"states": {"file": ")" + name + "\"}}}")));
        const auto process = std::make_shared<memory::process>();
        try {
            detail::chunk_session session(memory::opened(here, process), {.rows_per_chunk = 4});
            session.start_anew(dtype_of<double>(), {}, std::nullopt);
            (void)session.commit();
            memory::place where(here, process);
            detail::commit_log log(where);
            process->locks = memory::lock_kind::none;
            (void)detail::prune(log, 1);
        } catch (const format_error&) {
            // As good.
        }
        for (const auto& made : process->calls)
            if (made.what == "remove" && made.name.starts_with("chunks/"))
                CHECK(detail::is_chunk_name(made.name.substr(7)));
    }
}

// Long lists of chunks ----------------------------------------------------------------------------------------------

namespace {

/// A file of no bytes that stands for so many rows.
chunk_entry staged_entry(detail::staging& to, std::uint64_t rows, double low) {
    chunk_entry entry{.rows = rows, .nbytes = 8 * rows, .offset = 128, .sum = "0badcafe"};
    entry.file = to.stage({}, to.work().rows);
    entry.min = low;
    entry.max = low + 1;
    return entry;
}

void begin(detail::staging& to) {
    detail::chunk_state wanted;
    wanted.type = dtype_of<double>();
    to.begin(wanted);
}

const detail::chunk_mover unmoved;

detail::chunk_state newest_state(const std::shared_ptr<memory::content>& all) {
    memory::place where(all);
    detail::commit_log log(where);
    return detail::open_state(log).state;
}

}  // namespace

TEST_CASE("records stay short over a thousand commits, and say the same", "[store]") {
    const auto all = memory::empty();
    memory::place where(all);
    detail::staging to(where, {.sync = true, .keep = everything, .patience = std::chrono::milliseconds(1000)});
    begin(to);
    std::vector<chunk_entry> expected;
    std::size_t longest = 0, written = 0;
    for (std::size_t i = 0; i < 1000; ++i) {
        const auto entry = staged_entry(to, 1 + i % 3, static_cast<double>(i));
        expected.push_back(entry);
        to.edit({.what = detail::chunk_edit::kind::append, .first_row = to.work().rows, .added = {entry}});
        const auto number = to.commit(unmoved);
        longest = std::max(longest, all->text(record_of(number)).size());
        written += all->text(record_of(number)).size();
    }
    for (const auto& name : all->names_in("chunks"))
        written += all->text("chunks/" + name).size();

    CHECK(longest < 64 * 1024);
    CHECK(written / 1000 < 32 * 1024);
    CHECK(newest_state(all).entries() == expected);
    CHECK(newest_state(all).items.size() <= 128);
    // Each of them, not only the newest.
    for (const std::uint64_t number : {1U, 128U, 129U, 500U, 999U}) {
        detail::commit_log log(where);
        const auto state = *log.read(number);
        CHECK(state.entries() == std::vector(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(number)));
    }
}

TEST_CASE("chunks replaced at random among two thousand are read back as they were written", "[store]") {
    const auto all = memory::empty();
    memory::place where(all);
    detail::staging to(where, {.sync = false, .keep = everything, .patience = std::chrono::milliseconds(1000)});
    begin(to);
    std::mt19937 random(7);
    std::vector<chunk_entry> expected;
    for (std::size_t i = 0; i < 2000; ++i)
        expected.push_back(staged_entry(to, 1 + random() % 5, static_cast<double>(i)));
    to.edit({.what = detail::chunk_edit::kind::append, .first_row = 0, .added = expected});
    (void)to.commit(unmoved);

    for (int turn = 0; turn < 400; ++turn) {
        const int edits = 1 + static_cast<int>(random() % 3);
        for (int i = 0; i < edits; ++i) {
            const std::size_t at = random() % expected.size();
            const std::size_t some = std::min<std::size_t>(1 + random() % 4, expected.size() - at);
            const auto first = expected.begin() + static_cast<std::ptrdiff_t>(at);
            const auto last = first + static_cast<std::ptrdiff_t>(some);
            const std::vector removed(first, last);
            const std::uint64_t row = detail::rows_of({expected.begin(), first});
            const bool zeros = random() % 8 == 0;
            const std::uint64_t rows = detail::rows_of(removed);
            const auto made =
                zeros ? chunk_entry{.rows = rows, .nbytes = 8 * rows} : staged_entry(to, rows, -1.0 * turn);
            to.edit({.what = detail::chunk_edit::kind::replace, .first_row = row, .removed = removed, .added = {made}});
            expected.erase(first, last);
            expected.insert(expected.begin() + static_cast<std::ptrdiff_t>(at), made);
        }
        const auto number = to.commit(unmoved);
        CHECK(all->text(record_of(number)).size() < 64 * 1024);
        if (turn % 20 == 0)
            REQUIRE((newest_state(all).entries() == expected));
    }
    CHECK((newest_state(all).entries() == expected));
    CHECK(newest_state(all).rows == detail::rows_of(expected));
}

}  // namespace store_operations_tests
