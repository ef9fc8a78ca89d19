// SPDX-License-Identifier: BSD-3-Clause
// All orders in which the operations of several writers, a prune and a sweep can be done, with the real code of each.
//
// What an actor does next depends on nothing but what its operations have told it so far. So an actor is run from its
// beginning with a script of answers, up to the operation behind them, and stops there; once for every script there is.
// The search itself moves between states (records, chunk files, and how far each actor has come with which answers) and
// comes by each state once.
#include "support/catch.hpp"
#include "support/memory_place.hpp"

#include <ndkeep/store/commit.hpp>

#include <array>
#include <bit>
#include <map>
#include <random>

#include <sys/syscall.h>

using namespace ndkeep;

namespace {

/// While an actor runs, random numbers are its own, and the same every time.
struct drawing {
    std::mt19937_64 engine;
    std::uint64_t count = 0;
};
thread_local drawing* drawn_from = nullptr;

}  // namespace

extern "C" int getentropy(void* bytes, std::size_t length) {
    if (drawn_from == nullptr)
        return ::syscall(SYS_getrandom, bytes, length, 0) == static_cast<long>(length) ? 0 : -1;
    ++drawn_from->count;
    for (std::size_t i = 0; i < length; ++i)
        static_cast<unsigned char*>(bytes)[i] = static_cast<unsigned char>(drawn_from->engine());
    return 0;
}

namespace {

// What is there -----------------------------------------------------------------------------------------------------

constexpr std::size_t most_records = 12, most_actors = 4;

/// Records by their number, as indices of `contents`; chunk files as bits.
struct state {
    std::array<std::uint16_t, most_records> records = {};
    std::array<std::uint32_t, most_actors> actors = {};  // the node of each
    std::uint64_t chunks = 0;

    [[nodiscard]] std::size_t newest() const {
        std::size_t number = most_records - 1;
        while (number > 0 && records[number] == 0)
            --number;
        return number;
    }
    [[nodiscard]] std::uint64_t hash() const {
        std::uint64_t sum = 0;
        const auto add = [&](std::uint64_t word) {
            sum = (std::rotl(sum, 23) ^ word) * 0x9e3779b97f4a7c15U;
            sum ^= sum >> 29;
        };
        for (const auto record : records)
            add(record + 1U);
        for (const auto actor : actors)
            add(actor + 1U);
        add(chunks);
        return sum;
    }
};

/// A record, with the chunk files that it names.
struct record {
    std::vector<std::byte> bytes;
    std::uint64_t chunks = 0;
    bool repeats = false;  // a chunk is named twice
};

/// What stands in the place of record 0, before the first commit.
bool is_identity(std::string_view text) { return text.find(detail::dataset_version) != std::string_view::npos; }

class contents {
  public:
    contents() : records_(1) {}

    [[nodiscard]] const record& at(std::size_t index) const { return records_.at(index); }

    /// Records that differ only in when they were made are one.
    [[nodiscard]] std::uint16_t index_of(std::string text) {
        const auto same = text.substr(0, text.find(", \"created\""));
        const auto [at, is_new] = index_.emplace(same, static_cast<std::uint16_t>(records_.size()));
        if (is_new) {
            const auto bytes = detail::bytes_of(text);
            record made{{bytes.begin(), bytes.end()}, 0, false};
            if (is_identity(text)) {
                records_.push_back(std::move(made));
                return at->second;
            }
            const detail::table_loader no_tables;
            const std::filesystem::path called = "record";
            const auto read = detail::record_reader(bytes, called, no_tables).read(1);
            for (const auto& entry : read.entries()) {
                const auto bit = std::uint64_t{1} << chunk(entry.file);
                made.repeats = made.repeats || (made.chunks & bit) != 0;
                made.chunks |= bit;
            }
            records_.push_back(std::move(made));
        }
        return at->second;
    }

    [[nodiscard]] std::size_t chunk(const std::string& name) {
        const auto [at, is_new] = chunks_.emplace(name, chunk_names_.size());
        if (is_new) {
            chunk_names_.push_back(name);
            if (chunk_names_.size() > 64)
                throw std::logic_error("too many chunks");
        }
        return at->second;
    }
    [[nodiscard]] const std::string& chunk_name(std::size_t bit) const { return chunk_names_[bit]; }

  private:
    std::vector<record> records_;
    std::map<std::string, std::uint16_t> index_;
    std::map<std::string, std::size_t> chunks_;
    std::vector<std::string> chunk_names_;
};

// What actors do ----------------------------------------------------------------------------------------------------

struct operation {
    enum class kind { none, get, size, list_commits, list_chunks, put_record, put_chunk, remove_record, remove_chunk };
    kind what = kind::none;
    std::size_t where = 0;  // the number of a record, the bit of a chunk
    std::uint16_t content = 0;

    [[nodiscard]] std::uint64_t done(state& now) const {
        const auto bit = std::uint64_t{1} << (where % 64);
        switch (what) {
        case kind::get:
            return now.records[where];
        case kind::size:
            return now.records[where] != 0 ? 1 : 0;
        case kind::list_commits: {
            std::uint64_t there = 0;
            for (std::size_t i = 0; i < most_records; ++i)
                there |= std::uint64_t{now.records[i] != 0} << i;
            return there;
        }
        case kind::list_chunks:
            return now.chunks;
        case kind::put_record:
            if (now.records[where] != 0)
                return 0;
            now.records[where] = content;
            return 1;
        case kind::put_chunk:
            now.chunks |= bit;
            return 1;
        case kind::remove_record:
            now.records[where] = 0;
            return 0;
        case kind::remove_chunk:
            now.chunks &= ~bit;
            return 0;
        default:
            return 0;
        }
    }
};

/// A rule of the protocol that an actor leaves out.
enum class without { nothing, parent_check, ascending_prune, path_check, epoch };

/// Answers operations from a script, and stops its user at the first operation behind it.
class scripted_place final : public place {
  public:
    struct stopped {};

    scripted_place(contents& all, const std::vector<std::uint64_t>& script, without rule, bool locks)
        : all_(all), script_(script), without_(rule), locks_(locks) {}

    /// Says that what the actor does from here on depends on this text alone, not on how it came here.
    void forget_before(std::string text) {
        if (next_.what != operation::kind::none)
            return;
        kept_ = std::move(text);
        kept_from_ = at_;
    }
    [[nodiscard]] const std::string& kept() const { return kept_; }
    [[nodiscard]] std::size_t kept_from() const { return kept_from_; }
    /// Whether the actor has looked at the chunk files; none does so twice.
    [[nodiscard]] bool has_listed() const { return has_listed_; }

    /// `none` where the actor came to its end.
    [[nodiscard]] const operation& next() const { return next_; }

    [[nodiscard]] std::optional<std::vector<std::byte>> get(const std::string& name, std::uint64_t) override {
        const auto number = number_of(name);
        // Who does not look for the parent again believes that it is as it was.
        if (without_ == without::parent_check && number + 1 == own_ && seen_.count(number) != 0)
            return all_.at(seen_[number]).bytes;
        const auto index = static_cast<std::size_t>(answer({operation::kind::get, number}));
        if (index == 0)
            return std::nullopt;
        seen_[number] = index;
        return without_ == without::epoch ? without_epoch(all_.at(index).bytes) : all_.at(index).bytes;
    }
    [[nodiscard]] bool get_range(const std::string&, std::uint64_t, std::span<std::byte>) override {
        throw std::logic_error("no rows are read here");
    }
    [[nodiscard]] std::optional<std::uint64_t> size(const std::string& name) override {
        return answer({operation::kind::size, number_of(name)}) != 0 ? std::optional<std::uint64_t>(1) : std::nullopt;
    }
    [[nodiscard]] bool put(const std::string& name, parts parts_of, bool) override {
        if (name.starts_with("chunks/"))
            return answer({operation::kind::put_chunk, all_.chunk(name.substr(7))}) != 0;
        std::string text;
        for (const auto part : parts_of)
            text.append(reinterpret_cast<const char*>(part.data()), part.size());
        const auto number = number_of(name);
        const auto content = all_.index_of(text);
        const bool was_put = answer({operation::kind::put_record, number, content}) != 0;
        if (was_put) {
            own_ = number;
            seen_[number] = content;
        }
        return was_put;
    }
    [[nodiscard]] std::vector<std::string> list(const std::string& folder) override {
        std::vector<std::string> names;
        const bool commits = folder == "commits";
        const auto there = answer({commits ? operation::kind::list_commits : operation::kind::list_chunks});
        for (std::size_t i = 0; i < 64; ++i)
            if ((there >> i & 1) != 0)
                names.push_back(commits ? detail::record_name(i) : all_.chunk_name(i));
        return names;
    }
    void remove(const std::string& name) override {
        if (name.starts_with("chunks/"))
            (void)answer({operation::kind::remove_chunk, all_.chunk(name.substr(7))});
        else if (without_ == without::ascending_prune)
            held_back_.push_back(number_of(name));
        else
            (void)answer({operation::kind::remove_record, number_of(name)});
    }
    void sync(const std::string&) override {}
    void sync_names(const std::string&) override {
        for (; !held_back_.empty(); held_back_.pop_back())
            (void)answer({operation::kind::remove_record, held_back_.back()});
    }
    /// Who asks gets them: everybody is alone, as far as locks say, and only the epoch protects.
    [[nodiscard]] byte_locks locks() override { return locks_ ? byte_locks(memory::new_lock_file()) : byte_locks(); }
    [[nodiscard]] std::filesystem::path called(const std::string& name) const override { return name; }

  private:
    [[nodiscard]] std::uint64_t answer(const operation& wanted) {
        if (next_.what != operation::kind::none)
            throw stopped();  // what is done on the way out
        if (at_ < script_.size()) {
            has_listed_ = has_listed_ || wanted.what == operation::kind::list_chunks;
            return script_[at_++];
        }
        next_ = wanted;
        throw stopped();
    }

    [[nodiscard]] static std::size_t number_of(const std::string& name) {
        if (name == detail::dataset_name())
            return 0;
        const auto number = detail::record_number(name.substr(name.find('/') + 1));
        if (!number || *number >= most_records)
            throw std::logic_error("another name: " + name);
        return static_cast<std::size_t>(*number);
    }

    [[nodiscard]] static std::vector<std::byte> without_epoch(const std::vector<std::byte>& bytes) {
        const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        if (is_identity(text))
            return bytes;
        const std::filesystem::path called = "record";
        const detail::table_loader no_tables;
        auto read = detail::record_reader(bytes, called, no_tables).read(1);
        read.epoch = 0;
        const auto again = detail::record_text(read);
        const auto changed = detail::bytes_of(again);
        return {changed.begin(), changed.end()};
    }

    contents& all_;
    const std::vector<std::uint64_t>& script_;
    without without_;
    bool locks_;
    std::size_t at_ = 0;
    operation next_;
    std::map<std::size_t, std::size_t> seen_;
    std::size_t own_ = 0;
    std::vector<std::size_t> held_back_;
    std::string kept_;
    std::size_t kept_from_ = 0;
    bool has_listed_ = false;
};

/// What an actor has been told of its commits, as chunk files.
struct told {
    std::uint64_t acknowledged = 0, refused = 0;
};

using act = std::function<void(scripted_place&, contents&, told&)>;

/// So many commits of one row.
act writer(int commits) {
    return [commits](scripted_place& where, contents& all, told& so_far) {
        detail::staging to(where, {.sync = true, .keep = std::uint64_t{1} << 60, .patience = {}});
        if (to.base().number == 0) {
            detail::chunk_state wanted;
            wanted.type = dtype::plain('u', 8, byte_order::little);
            to.begin(wanted);
        }
        const auto forget_before = [&](int i) {
            const auto& base = to.base();
            const std::size_t known = base.number == 0 ? 0 : all.index_of(detail::record_text(base));
            std::string text;
            for (const std::uint64_t each : {std::uint64_t(i), base.number, std::uint64_t(known), so_far.acknowledged,
                                             so_far.refused, drawn_from->count})
                text += std::to_string(each) + ' ';
            where.forget_before(std::move(text));
        };
        for (int i = 0; i < commits; ++i) {
            forget_before(i);
            chunk_entry entry{.rows = 1, .nbytes = 8, .offset = 128, .sum = "00000000"};
            entry.file = to.stage({}, 0);
            const auto bit = std::uint64_t{1} << all.chunk(entry.file);
            try {
                to.edit({.what = detail::chunk_edit::kind::append, .first_row = to.work().rows, .added = {entry}});
                (void)to.commit({});
                so_far.acknowledged |= bit;
            } catch (const conflict_error&) {
                so_far.refused |= bit;
                to.discard();
            } catch (const io_error&) {
                return;  // the outcome is not known
            }
        }
        forget_before(commits);
    };
}

/// detail::prune without locks and damage, whole or without its path check.
void pruned(detail::commit_log& log, std::uint64_t keep, bool checks_path) {
    place& where = log.where();
    const auto newest = log.newest_number();
    const auto numbers = log.numbers();
    if (!newest || numbers.empty() || *newest < keep)
        return;
    const std::uint64_t floor = *newest - keep + 1;
    std::set<std::string> kept, given_up;
    std::string wanted;
    for (std::uint64_t number = *newest; number >= numbers.front() && number > 0; --number) {
        const auto there = log.read(number);
        if (!there && checks_path)
            break;
        if (!there)
            continue;
        if (checks_path && !wanted.empty() && there->id != wanted)
            break;
        wanted = there->parent;
        detail::add_names(*there, number >= floor ? kept : given_up);
    }
    for (const std::uint64_t number : numbers)
        if (number >= floor)
            if (const auto there = log.read(number))
                detail::add_names(*there, kept);
    for (const std::uint64_t number : numbers)
        if (number < floor)
            where.remove("commits/" + detail::record_name(number));
    where.sync_names("commits");
    for (const auto& name : given_up)
        if (kept.count(name) == 0)
            where.remove("chunks/" + name);
}

act pruner(int times) {
    return [times](scripted_place& where, contents&, told&) {
        for (int i = 0; i < times; ++i) {
            where.forget_before(std::to_string(i));
            detail::commit_log log(where);
            (void)detail::prune(log, 1);
        }
        where.forget_before("end");
    };
}

act copied_pruner(int times, bool checks_path) {
    return [times, checks_path](scripted_place& where, contents&, told&) {
        for (int i = 0; i < times; ++i) {
            where.forget_before(std::to_string(i));
            detail::commit_log log(where);
            pruned(log, 1, checks_path);
        }
        where.forget_before("end");
    };
}

/// Hashes of states, each once.
class seen_states {
  public:
    /// False where it is there already.
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

/// How far an actor has come: the answers it has got, and the operation behind them.
struct node {
    std::uint32_t before = 0;
    std::uint64_t answer = 0;
    operation next = {};
    told so_far = {};
    bool has_listed = false;
    std::vector<std::pair<std::uint64_t, std::uint32_t>> after = {};  // nodes by the next answer
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

    /// Commits that are there before, and a file that a killed writer has left.
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
        // Each with how deep it lies and who acted last, so that the way to a bad state can be told.
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
    /// An actor whose next operation nobody can notice, so that it makes no difference when it is done: chunk files,
    /// where nobody is still to list them. Each has one user, until it is named by a record.
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

    /// The state after the next operation of an actor; nothing where it is at its end.
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
            // Its next operation is known now.
        }
        drawn_from = nullptr;
    }

    /// Lets somebody act alone at the beginning.
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

    /// The operations on the way to the present state.
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
    std::vector<std::size_t> way_;  // who acted, down to the present state
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

/// A sweeper is a writer that believes to be alone.
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

TEST_CASE("two writers and a prune lose no row in any order", "[store]") {
    check_good(searched({{writer(2)}, {writer(2)}, {pruner(1)}}, 1), 40);
}

TEST_CASE("two writers and two prunes lose no row in any order", "[store]") {
    check_good(searched({{writer(2)}, {writer(2)}, {pruner(2)}}, 1), 40);
}

TEST_CASE("the copy of prune is as good as the original", "[store]") {
    check_good(searched({{writer(2)}, {writer(2)}, {copied_pruner(2, true)}}, 1), 40);
}

TEST_CASE("without a look at the parent, rows are lost", "[store]") {
    check_bad(searched({{writer(2), without::parent_check}, {writer(2), without::parent_check}, {pruner(1)}}, 1));
}

TEST_CASE("pruned from the newest down, rows are lost", "[store]") {
    check_bad(searched({{writer(2)}, {writer(2)}, {pruner(1), without::ascending_prune}}, 1));
}

TEST_CASE("pruned without a look at the path, files are lost", "[store]") {
    check_bad(searched({{writer(2)}, {writer(2)}, {copied_pruner(2, false)}}, 1));
}

TEST_CASE("two writers and a sweep lose no row in any order", "[store]") {
    check_good(searched({{writer(2)}, {writer(2)}, sweeper()}, 1), 20);
}

TEST_CASE("a writer, a prune and a sweep lose no row in any order", "[store]") {
    check_good(searched({{writer(2)}, {pruner(1)}, sweeper()}, 1), 8);
}

// With two commits each there are too many states for a test.
TEST_CASE("two writers, a prune and a sweep lose no row in any order", "[store]") {
    check_good(searched({{writer(1)}, {writer(1)}, {pruner(1)}, sweeper()}, 1), 50);
}

TEST_CASE("swept without an epoch, files are lost", "[store]") {
    check_bad(searched({{writer(2), without::epoch}, sweeper()}, 1));
}

TEST_CASE("the first commits of two writers and a prune lose no row in any order", "[store]") {
    check_good(searched({{writer(2)}, {writer(2)}, {pruner(1)}}, 0), 40);
}
