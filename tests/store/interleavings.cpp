// SPDX-License-Identifier: BSD-3-Clause
// All orders of the operations of several writers, a prune and a sweep, each with its real code.
//
// The search visits each state once. A state consists of the records, the chunk files, and for each actor the answers
// it has received.
#include "store/actors.hpp"
#include "support/catch.hpp"

#include <ndkeep/store/log.hpp>
#include <ndkeep/store/record/record.hpp>

#include <sys/syscall.h>

extern "C" int getentropy(void* bytes, std::size_t length) {
    using interleavings::drawn_from;
    if (drawn_from == nullptr)
        return ::syscall(SYS_getrandom, bytes, length, 0) == static_cast<long>(length) ? 0 : -1;
    ++drawn_from->count;
    for (std::size_t i = 0; i < length; ++i)
        static_cast<unsigned char*>(bytes)[i] = static_cast<unsigned char>(drawn_from->engine());
    return 0;
}

namespace interleavings {

namespace {

/// A set of state hashes.
class seen_states {
  public:
    /// Inserts a hash. Returns false if it is already present.
    bool insert(std::uint64_t hash) {
        hash |= hash == 0 ? 1 : 0;
        if (2 * ++count_ > slots_.size())
            grow();
        return add(hash);
    }

  private:
    bool add(std::uint64_t hash) {
        for (std::size_t at = hash & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
            if (slots_[at] == hash)
                return false;
            if (slots_[at] == 0) {
                slots_[at] = hash;
                return true;
            }
        }
    }
    void grow() {
        const auto before =
            std::exchange(slots_, std::vector<std::uint64_t>(4 * std::max<std::size_t>(1024, slots_.size())));
        count_ = 1;
        for (const auto hash : before)
            if (hash != 0) {
                (void)add(hash);
                ++count_;
            }
    }

    std::vector<std::uint64_t> slots_;
    std::size_t count_ = 0;
};

// The search --------------------------------------------------------------------------------------------------------

struct actor {
    act what;
    without rule = without::nothing;
    bool locks = false;
};

/// The progress of an actor: the answers it has received, and its next operation.
struct node {
    std::uint32_t before = 0;
    std::uint64_t answer = 0;
    operation next = {};
    told so_far = {};
    bool has_listed = false;
    std::vector<std::pair<std::uint64_t, std::uint32_t>> after = {};  // successor nodes, by the next answer
};

struct found {
    std::size_t states = 0, ends = 0, bad = 0;
    std::string first_bad;
};

std::ostream& operator<<(std::ostream& out, const found& is) {
    return out << is.states << " states, " << is.ends << " ends, " << is.bad << " bad: " << is.first_bad;
}

class search {
  public:
    explicit search(std::vector<actor> actors) : actors_(std::move(actors)), nodes_(actors_.size()) {}

    /// Sets up existing commits, and a file that a killed writer has left.
    void begin_with(int commits) {
        const auto [bits, last] = play(writer(commits), 99);
        (void)bits;
        (void)last;
        if (commits == 0)
            return;
        const auto& newest = all_.at(begin_.records[begin_.newest()]).bytes;
        const std::filesystem::path called = "record";
        const detail::table_loader no_tables;
        const auto dataset = detail::record_reader(newest, called, no_tables).read(1).dataset;
        begin_.chunks |= std::uint64_t{1} << all_.chunk("000000000000-" + detail::writer_word(7, dataset) + "-0.npy");
    }

    found run() {
        for (std::size_t i = 0; i < actors_.size(); ++i)
            begin_.actors[i] = node_after(i, 0, 0);
        // Each state has its depth and last actor, so that the path to a bad state can be printed.
        struct waiting {
            state at;
            std::size_t depth, actor;
        };
        std::vector<waiting> open{{begin_, 0, 0}};
        (void)seen_.insert(begin_.hash());
        while (!open.empty()) {
            const auto [now, depth, actor] = open.back();
            open.pop_back();
            way_.resize(depth);
            if (depth != 0)
                way_[depth - 1] = actor;
            ++result_.states;
            check(now);
            const auto alone = unnoticed(now);
            for (std::size_t i = alone.value_or(0); i < (alone ? *alone + 1 : actors_.size()); ++i)
                if (const auto next = after(now, i); next && seen_.insert(next->hash()))
                    open.push_back({*next, depth + 1, i});
        }
        return result_;
    }

  private:
    /// An actor whose next operation no other actor can observe, so that its order does not matter. This holds for
    /// chunk files while no actor will list them: each has a single user until a record names it.
    [[nodiscard]] std::optional<std::size_t> unnoticed(const state& now) const {
        for (std::size_t i = 0; i < actors_.size(); ++i)
            if (const auto& at = nodes_[i][now.actors[i]]; actors_[i].locks && !at.has_listed)
                return std::nullopt;
        for (std::size_t i = 0; i < actors_.size(); ++i) {
            const auto what = nodes_[i][now.actors[i]].next.what;
            if (what == operation::kind::put_chunk || what == operation::kind::remove_chunk)
                return i;
        }
        return std::nullopt;
    }

    /// The state after the next operation of an actor; nullopt if it has finished.
    [[nodiscard]] std::optional<state> after(const state& now, std::size_t i) {
        const auto& at = nodes_[i][now.actors[i]];
        if (at.next.what == operation::kind::none)
            return std::nullopt;
        state next = now;
        const auto answer = at.next.done(next);
        next.actors[i] = node_after(i, now.actors[i], answer);
        return next;
    }

    [[nodiscard]] std::uint32_t node_after(std::size_t i, std::uint32_t before, std::uint64_t answer) {
        auto& nodes = nodes_[i];
        if (nodes.empty()) {
            std::vector<std::uint64_t> since;
            std::string kept;
            nodes.push_back(reached(i, {}, 0, 0, kept, since));
            return 0;
        }
        for (const auto& [known, at] : nodes[before].after)
            if (known == answer)
                return at;
        std::vector<std::uint64_t> script{answer};
        for (std::uint32_t at = before; at != 0; at = nodes[at].before)
            script.push_back(nodes[at].answer);
        std::reverse(script.begin(), script.end());
        std::vector<std::uint64_t> since;
        std::string kept;
        auto made = reached(i, script, before, answer, kept, since);
        const auto [at, is_new] = same_.emplace(std::make_tuple(i, std::move(kept), std::move(since)),
                                                static_cast<std::uint32_t>(nodes.size()));
        if (is_new)
            nodes.push_back(std::move(made));
        nodes[before].after.emplace_back(answer, at->second);
        return at->second;
    }

    [[nodiscard]] node reached(std::size_t i, const std::vector<std::uint64_t>& script, std::uint32_t before,
                               std::uint64_t answer, std::string& kept, std::vector<std::uint64_t>& since) {
        node made{.before = before, .answer = answer};
        scripted_place where(all_, script, actors_[i].rule, actors_[i].locks);
        run_act(actors_[i].what, where, made.so_far, i);
        made.next = where.next();
        made.has_listed = where.has_listed();
        kept = where.kept();
        since.assign(script.begin() + static_cast<std::ptrdiff_t>(where.kept_from()), script.end());
        return made;
    }

    void run_act(const act& what, scripted_place& where, told& so_far, std::size_t seed) {
        drawing random{std::mt19937_64(seed)};
        drawn_from = &random;
        try {
            what(where, all_, so_far);
        } catch (const scripted_place::stopped&) {
            // Its next operation is now known.
        }
        drawn_from = nullptr;
    }

    /// Runs one actor alone, to prepare the first state.
    std::pair<std::uint64_t, std::uint64_t> play(const act& what, std::size_t seed) {
        std::vector<std::uint64_t> script;
        for (;;) {
            told so_far;
            scripted_place where(all_, script, without::nothing, false);
            run_act(what, where, so_far, seed);
            if (where.next().what == operation::kind::none) {
                before_ = so_far.acknowledged;
                return {so_far.acknowledged, so_far.refused};
            }
            script.push_back(where.next().done(begin_));
        }
    }

    void check(const state& now) {
        told all{before_, 0};
        bool ends = true;
        for (std::size_t i = 0; i < actors_.size(); ++i) {
            const auto& at = nodes_[i][now.actors[i]];
            all.acknowledged |= at.so_far.acknowledged;
            all.refused |= at.so_far.refused;
            ends = ends && at.next.what == operation::kind::none;
        }
        result_.ends += ends ? 1 : 0;
        const auto& newest = all_.at(now.records[now.newest()]);
        std::string wrong;
        if ((all.acknowledged & ~newest.chunks) != 0)
            wrong = "an acknowledged row is not in the newest state";
        else if ((all.refused & newest.chunks) != 0)
            wrong = "a refused row is in the newest state";
        else if (newest.repeats)
            wrong = "a row is there twice";
        else if ((newest.chunks & ~now.chunks) != 0)
            wrong = "the newest state names a file that is gone";
        if (wrong.empty())
            return;
        ++result_.bad;
        if (result_.first_bad.empty())
            result_.first_bad = wrong + told_way();
    }

    /// The operations on the path to the current state.
    [[nodiscard]] std::string told_way() {
        constexpr std::array words = {"end",        "get",       "size",          "list commits", "list chunks",
                                      "put record", "put chunk", "remove record", "remove chunk"};
        std::string text;
        state now = begin_;
        for (const std::size_t i : way_) {
            const auto& next = nodes_[i][now.actors[i]].next;
            text += "\n  " + std::to_string(i) + ": " + words[static_cast<std::size_t>(next.what)] + ' ' +
                    std::to_string(next.where);
            now = *after(now, i);
        }
        return text;
    }

    std::vector<actor> actors_;
    contents all_;
    std::vector<std::vector<node>> nodes_;
    std::map<std::tuple<std::size_t, std::string, std::vector<std::uint64_t>>, std::uint32_t> same_;
    seen_states seen_;
    state begin_;
    std::vector<std::size_t> way_;  // the actors on the path to the current state
    std::uint64_t before_ = 0;
    found result_;
};

found searched(std::vector<actor> actors, int commits_before) {
    search all(std::move(actors));
    all.begin_with(commits_before);
    return all.run();
}

}  // namespace

namespace {

/// A sweeper is a writer that believes it is alone.
actor sweeper() { return {writer(1), without::nothing, true}; }

void check_good(const found& result, std::size_t ends) {
    WARN(result);
    CHECK(result.bad == 0);
    CHECK(result.ends >= ends);
}

void check_bad(const found& result) {
    WARN(result);
    CHECK(result.bad > 0);
}

}  // namespace

TEST_CASE("two writers and a prune lose no row in any order", "[store][slow]") {
    check_good(searched({{writer(2)}, {writer(2)}, {pruner(1)}}, 1), 40);
}

TEST_CASE("two writers and two prunes lose no row in any order", "[store][slow]") {
    check_good(searched({{writer(2)}, {writer(2)}, {pruner(2)}}, 1), 40);
}

TEST_CASE("the copy of prune is as good as the original", "[store][slow]") {
    check_good(searched({{writer(2)}, {writer(2)}, {copied_pruner(2, true)}}, 1), 40);
}

TEST_CASE("without a look at the parent, rows are lost", "[store]") {
    check_bad(searched({{writer(2), without::parent_check}, {writer(2), without::parent_check}, {pruner(1)}}, 1));
}

TEST_CASE("pruned from the newest down, rows are lost", "[store][long]") {
    check_bad(searched({{writer(2)}, {writer(2)}, {pruner(1), without::ascending_prune}}, 1));
}

TEST_CASE("pruned without a look at the path, files are lost", "[store][long]") {
    check_bad(searched({{writer(2)}, {writer(2)}, {copied_pruner(2, false)}}, 1));
}

TEST_CASE("two writers and a sweep lose no row in any order", "[store][long]") {
    check_good(searched({{writer(2)}, {writer(2)}, sweeper()}, 1), 20);
}

TEST_CASE("a writer, a prune and a sweep lose no row in any order", "[store][slow]") {
    check_good(searched({{writer(2)}, {pruner(1)}, sweeper()}, 1), 8);
}

// With two commits each, there would be too many states for a test.
TEST_CASE("two writers, a prune and a sweep lose no row in any order", "[store][long]") {
    check_good(searched({{writer(1)}, {writer(1)}, {pruner(1)}, sweeper()}, 1), 50);
}

TEST_CASE("swept without an epoch, files are lost", "[store]") {
    check_bad(searched({{writer(2), without::epoch}, sweeper()}, 1));
}

TEST_CASE("the first commits of two writers and a prune lose no row in any order", "[store][slow]") {
    check_good(searched({{writer(2)}, {writer(2)}, {pruner(1)}}, 0), 40);
}

}  // namespace interleavings
