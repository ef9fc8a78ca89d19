// SPDX-License-Identifier: BSD-3-Clause
// Every operation of a place fails in turn, in each verb of a writer.
#include "store/rows.hpp"
#include "support/catch.hpp"

#include <cerrno>
#include <functional>

namespace store_rows::faults_tests {

using namespace ndkeep;

namespace {

struct scenario {
    std::string name;
    std::function<void(writer&)> stage;
    bool first = false;  // the dataset does not exist yet
};

/// Opens, stages and commits with one fault. Failed steps are repeated as their documentation says.
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
    /// A repeated sync is never trusted after a failed one: the writer is closed, and a new writer does the work again.
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
                    } catch (const conflict_error&) {  // after a failed sync
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

}  // namespace store_rows::faults_tests
