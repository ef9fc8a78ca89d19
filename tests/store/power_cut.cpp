// SPDX-License-Identifier: BSD-3-Clause
// The power is cut after any operation of a writer, and any part of the unsynced data is lost.
#include "support/memory_place.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/store/upkeep.hpp>

using namespace ndkeep;

namespace {

using table = std::vector<std::array<double, 3>>;

/// Committed rows by commit number. The history records a commit once `commit` has returned.
struct recording {
    explicit recording(std::set<std::string> left_out) { process->left_out = std::move(left_out); }

    [[nodiscard]] std::unique_ptr<place> open() const { return memory::opened(all, process); }

    /// Commits, and records the present rows.
    template <class Writer>
    void commit(Writer& to, const table& rows, std::size_t kept = 1000) {
        // The number is known in advance because no other writer commits.
        const std::uint64_t number = committed.empty() ? 1 : committed.rbegin()->first + 1;
        committed[number] = rows;
        if (const auto found = to.commit(); found != number)
            throw std::runtime_error("commit " + std::to_string(found) + " is not " + std::to_string(number));
        all->note("committed", number);
        keep = kept;
    }

    std::shared_ptr<memory::content> all = memory::empty();
    std::shared_ptr<memory::process> process = std::make_shared<memory::process>();
    std::map<std::uint64_t, table> committed;
    std::size_t keep = 1000;
};

table numbered(double first, std::size_t rows) {
    table made;
    for (std::size_t i = 0; i < rows; ++i)
        made.push_back({first + static_cast<double>(i), first, -1});
    return made;
}

array_view view_of(const table& rows) {
    return {dtype_of<double>(), {rows.size(), 3}, reinterpret_cast<const std::byte*>(rows.data())};
}

void operator+=(table& to, const table& more) { to.insert(to.end(), more.begin(), more.end()); }

using writer = chunk_writer<double, 2>;

chunk_writer_options small_chunks(std::uint64_t keep) { return {.rows_per_chunk = 16, .commit = {.keep = keep}}; }

/// Creates a dataset, then appends, overwrites, grows, shrinks, merges, folds and compacts it.
recording one_writer(const std::set<std::string>& left_out, std::uint64_t keep) {
    recording made(left_out);
    table rows;
    const auto append = [&](writer& to, std::size_t count) {
        const auto more = numbered(static_cast<double>(rows.size()), count);
        to.append(view_of(more));
        rows += more;
    };
    {
        writer to(made.open(), small_chunks(keep));
        append(to, 40);
        made.commit(to, rows);
        for (int i = 0; i < 12; ++i) {
            append(to, 1);
            made.commit(to, rows);
        }
        const auto other = numbered(-500, 20);
        to.write(10, view_of(other));
        std::copy(other.begin(), other.end(), rows.begin() + 10);
        made.commit(to, rows);
        to.resize(90);
        rows.resize(90);
        append(to, 3);
        made.commit(to, rows);
        to.resize(37);
        rows.resize(37);
        made.commit(to, rows);
    }
    {
        detail::chunk_session session(made.open(), {.rows_per_chunk = 64, .commit = {.keep = keep}});
        const run_options run;
        progress_meter quiet(run, {.phase = "compact"});
        session.compact(quiet);
        made.commit(session, rows);
    }
    {
        writer to(made.open(), {.rows_per_chunk = 1, .commit = {.keep = keep}});
        append(to, 150);  // more chunks than a record lists
        made.commit(to, rows);
        append(to, 2);
        made.commit(to, rows);
    }
    return made;
}

/// Checks that remains of a writer without a commit do not block the next writer.
std::string refused_to_begin(const std::shared_ptr<memory::content>& left) {
    try {
        writer next(memory::opened(left), small_chunks(everything));
        const auto rows = numbered(0, 1);
        next.append(view_of(rows));
        (void)next.commit();
        return {};
    } catch (const error& problem) {
        return problem.what();
    }
}

/// Returns what is wrong on the disk after a power cut; empty if all acknowledged rows are present.
std::string wrong_after_cut(const recording& made, std::size_t count, std::mt19937& random, bool all_kept) {
    std::uint64_t acknowledged = 0;
    for (std::size_t i = 0; i < count; ++i)
        if (made.all->history[i].what == memory::event::kind::note)
            acknowledged = made.all->history[i].number;
    const auto left = memory::after_power_cut(made.all->history, count, random);
    memory::place where(left);
    if (acknowledged == 0 && detail::commit_log(where).numbers().empty())
        return refused_to_begin(left);
    const auto check = [&](std::optional<std::uint64_t> wanted) -> std::string {
        const chunk_reader<double, 2> from(memory::opened(left), {.at_commit = wanted});
        if (from.commit() < acknowledged && !wanted)
            return "the newest is " + std::to_string(from.commit());
        const auto rows = from.rows(0, from.rows());
        const auto& expected = made.committed.at(from.commit());
        if (from.rows() != expected.size() || !std::equal(rows.begin(), rows.end(), expected.data()->data()))
            return "other rows in " + std::to_string(from.commit());
        return {};
    };
    try {
        auto wrong = check(std::nullopt);
        for (std::uint64_t number = 1; wrong.empty() && all_kept && number <= acknowledged; ++number)
            wrong = check(number);
        return wrong.empty() ? wrong : wrong + ", acknowledged " + std::to_string(acknowledged);
    } catch (const error& problem) {
        return std::string(problem.what()) + ", acknowledged " + std::to_string(acknowledged);
    }
}

/// Cuts the power at random points, and returns each distinct problem.
std::set<std::string> wrong_after_cuts(const recording& made, int cuts, bool all_kept, unsigned seed = 1) {
    std::mt19937 random(seed);
    std::set<std::string> wrong;
    for (int i = 0; i < cuts; ++i) {
        const auto count = std::uniform_int_distribution<std::size_t>(0, made.all->history.size())(random);
        if (auto problem = wrong_after_cut(made, count, random, all_kept); !problem.empty())
            wrong.insert(std::move(problem));
    }
    return wrong;
}

}  // namespace

TEST_CASE("what was committed survives a power cut at any operation", "[store][fault][slow]") {
    const auto made = one_writer({}, everything);
    REQUIRE(made.committed.size() == 19);

    CHECK(wrong_after_cuts(made, 2000, true) == std::set<std::string>{});
}

TEST_CASE("what was committed survives a power cut while old commits are pruned", "[store][fault]") {
    const auto made = one_writer({}, 2);
    REQUIRE(made.all->names_in("commits").size() < 6);

    CHECK(wrong_after_cuts(made, 2000, false) == std::set<std::string>{});
}

TEST_CASE("a power cut while a damaged record is passed over leaves what can be read", "[store][fault]") {
    auto made = one_writer({}, everything);
    const auto damaged = "commits/" + detail::record_name(19);
    memory::place(made.all).remove(damaged);
    std::vector<std::byte> torn(100);
    const std::array<std::span<const std::byte>, 1> parts = {torn};
    REQUIRE(memory::place(made.all).put(damaged, parts, durability::on_disk));
    memory::place(made.all).sync_names("commits");
    const auto before = made.all->history.size();
    {
        memory::place where(made.all);
        detail::commit_log log(where);
        REQUIRE(detail::recover(log) == std::vector<std::uint64_t>{19});
    }
    std::mt19937 random(3);
    for (std::size_t count = before; count <= made.all->history.size(); ++count)
        for (int i = 0; i < 20; ++i) {
            const auto left = memory::after_power_cut(made.all->history, count, random);
            memory::place where(left);
            detail::commit_log log(where);
            CHECK_NOTHROW(detail::recover(log));
            const chunk_reader<double, 2> from(memory::opened(left));
            CHECK(from.commit() == 20);
            CHECK(from.rows() == made.committed.at(18).size());
        }
}

TEST_CASE("each kind of sync is there for a reason", "[store][fault]") {
    for (const std::string kind : {"sync", "sync_names chunks", "sync_names commits", "durable"}) {
        CAPTURE(kind);
        const auto made = one_writer({kind}, everything);
        CHECK_FALSE(wrong_after_cuts(made, 500, true).empty());
    }
}

TEST_CASE("a writer that does not sync loses no more than to a power cut", "[store]") {
    recording made({});
    writer to(made.open(), {.rows_per_chunk = 16, .commit = {.sync = false}});
    const auto rows = numbered(0, 50);
    to.append(view_of(rows));
    made.commit(to, rows);

    for (const auto& call : made.process->calls)
        CHECK_FALSE(call.what.starts_with("sync"));
    CHECK(chunk_reader<double, 2>(memory::opened(made.all)).rows() == 50);
}

TEST_CASE("a chunk that was put again at another place survives a power cut too", "[store][fault]") {
    recording made({});
    const auto first = numbered(0, 1000), second = numbered(5000, 1001), third = numbered(9000, 1);
    // 24 bytes per row and more than 16 KiB, so that the length of the header depends on the position of the chunk.
    detail::chunk_session slow(made.open(), {.rows_per_chunk = 1000});
    const run_options run;
    progress_meter quiet(run, {.phase = "append"});
    slow.expect(dtype_of<double>(), {3});
    slow.append(view_of(first), quiet);  // a complete chunk: staged now, for row 0
    {
        writer quick(made.open(), {.rows_per_chunk = 2000});
        quick.append(view_of(second));
        made.commit(quick, second);
    }
    auto both = second;
    both += first;
    made.commit(slow, both);
    const auto puts = std::count_if(made.process->calls.begin(), made.process->calls.end(),
                                    [](const memory::call& call) { return call.what == "put"; });
    REQUIRE(puts == 6);  // the dataset's id, one chunk of each writer, the moved chunk again, and two records

    CHECK(wrong_after_cuts(made, 1000, true) == std::set<std::string>{});
}

TEST_CASE("a sync that has failed is neither forgotten nor repeated and then believed", "[store][fault]") {
    // After a failed fsync, the system treats the pages as written: the next fsync succeeds, and the bytes are lost.
    for (const std::string what : {"sync", "sync_names"}) {
        CAPTURE(what);
        recording made({});
        const auto rows = numbered(0, 20);
        const auto more = numbered(20, 20);
        writer to(made.open(), small_chunks(everything));
        to.append(view_of(rows));
        made.commit(to, rows);
        to.append(view_of(more));
        bool fails = true;
        made.process->fails_if = [&](const memory::call& call) {
            return call.what == what && call.name.starts_with("chunks") && std::exchange(fails, false)
                       ? std::optional(memory::fault{})
                       : std::nullopt;
        };
        CHECK_THROWS_AS(to.commit(), io_error);
        auto all = rows;
        all += more;
        try {
            made.commit(to, all);
        } catch (const error&) {
            // Rejected: the caller writes the rows again into other files.
        }
        CHECK(wrong_after_cuts(made, 1000, true) == std::set<std::string>{});
    }
}
