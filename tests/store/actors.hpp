// SPDX-License-Identifier: BSD-3-Clause
// Scripted actors (writers, a prune, a sweep) that use a place one operation at a time.
//
// The next operation of an actor depends only on the answers to its former operations. So an actor is run from its
// beginning with a script of answers, up to the first operation without an answer, and stopped there. This is done once
// for every possible script.
#pragma once

#include "support/memory_place.hpp"

#include <ndkeep/store/commit.hpp>
#include <ndkeep/store/log.hpp>
#include <ndkeep/store/record/record.hpp>
#include <ndkeep/store/upkeep.hpp>

#include <array>
#include <bit>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace interleavings {

using namespace ndkeep;

/// While an actor runs, it draws its own random numbers, which are the same in every run.
struct drawing {
    std::mt19937_64 engine;
    std::uint64_t count = 0;
};
inline thread_local drawing* drawn_from = nullptr;

// State of the place ------------------------------------------------------------------------------------------------

inline constexpr std::size_t most_records = 12, most_actors = 4;

/// Records by number, as indices into `contents`; chunk files as bits.
struct state {
    std::array<std::uint16_t, most_records> records = {};
    std::array<std::uint32_t, most_actors> actors = {};  // index of each actor's node
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

/// A record and the chunk files that it names.
struct record {
    std::vector<std::byte> bytes;
    std::uint64_t chunks = 0;
    bool repeats = false;  // whether it names a chunk twice
};

/// Whether the text is that of record 0, which holds the dataset's id before the first commit.
inline bool is_identity(std::string_view text) { return text.find(detail::dataset_version) != std::string_view::npos; }

class contents {
  public:
    contents() : records_(1) {}

    [[nodiscard]] const record& at(std::size_t index) const { return records_.at(index); }

    /// Treats records that differ only in their creation time as one.
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

// Actors ------------------------------------------------------------------------------------------------------------

struct operation {
    enum class kind { none, get, size, list_commits, list_chunks, put_record, put_chunk, remove_record, remove_chunk };
    kind what = kind::none;
    std::size_t where = 0;  // number of a record, or bit of a chunk
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

/// The protocol rule that an actor violates.
enum class without { nothing, parent_check, ascending_prune, path_check, epoch };

/// Answers operations from a script, and stops the actor at the first operation after the script.
class scripted_place final : public place {
  public:
    struct stopped {};

    scripted_place(contents& all, const std::vector<std::uint64_t>& script, without rule, bool locks)
        : all_(all), script_(script), without_(rule), locks_(locks) {}

    /// Declares that from here on the actor's behaviour depends on this text only, not on the former answers.
    void forget_before(std::string text) {
        if (next_.what != operation::kind::none)
            return;
        kept_ = std::move(text);
        kept_from_ = at_;
    }
    [[nodiscard]] const std::string& kept() const { return kept_; }
    [[nodiscard]] std::size_t kept_from() const { return kept_from_; }
    /// Whether the actor has listed the chunk files. No actor does so twice.
    [[nodiscard]] bool has_listed() const { return has_listed_; }

    /// The next operation; `none` if the actor has finished.
    [[nodiscard]] const operation& next() const { return next_; }

    [[nodiscard]] std::optional<std::vector<std::byte>> get(const std::string& name, std::uint64_t) override {
        const auto number = number_of(name);
        // Violates the parent check: assumes that the parent is unchanged instead of reading it again.
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
    [[nodiscard]] bool put(const std::string& name, parts parts_of, ndkeep::durability) override {
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
    /// Every lock is granted at once, as if each actor were alone. So only the epoch protects.
    [[nodiscard]] byte_locks locks() override { return locks_ ? byte_locks(memory::new_lock_file()) : byte_locks(); }
    [[nodiscard]] std::filesystem::path called(const std::string& name) const override { return name; }

  private:
    [[nodiscard]] std::uint64_t answer(const operation& wanted) {
        if (next_.what != operation::kind::none)
            throw stopped();  // operations during stack unwinding
        if (at_ < script_.size()) {
            has_listed_ = has_listed_ || wanted.what == operation::kind::list_chunks;
            return script_[at_++];
        }
        next_ = wanted;
        throw stopped();
    }

    [[nodiscard]] static std::size_t number_of(const std::string& name) {
        if (name == detail::drawn_id_path())
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

/// The outcomes of an actor's commits, as bits of chunk files.
struct told {
    std::uint64_t acknowledged = 0, refused = 0;
};

using act = std::function<void(scripted_place&, contents&, told&)>;

/// A writer that makes this many commits of one row each.
inline act writer(int commits) {
    return [commits](scripted_place& where, contents& all, told& so_far) {
        detail::transaction to(where, {.sync = true, .keep = std::uint64_t{1} << 60, .patience = {}});
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
                auto result = to.commit();
                while (result.is_rebased())
                    result = to.resume(std::move(result), {result.moved.front().entry});
                so_far.acknowledged |= bit;
            } catch (const conflict_error&) {
                so_far.refused |= bit;
                to.discard();
            } catch (const io_error&) {
                return;  // the outcome is unknown
            }
        }
        forget_before(commits);
    };
}

/// detail::prune without locks and damage handling, optionally without its path check.
inline void pruned(detail::commit_log& log, std::uint64_t keep, bool checks_path) {
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

inline act pruner(int times) {
    return [times](scripted_place& where, contents&, told&) {
        for (int i = 0; i < times; ++i) {
            where.forget_before(std::to_string(i));
            detail::commit_log log(where);
            (void)detail::prune(log, 1);
        }
        where.forget_before("end");
    };
}

inline act copied_pruner(int times, bool checks_path) {
    return [times, checks_path](scripted_place& where, contents&, told&) {
        for (int i = 0; i < times; ++i) {
            where.forget_before(std::to_string(i));
            detail::commit_log log(where);
            pruned(log, 1, checks_path);
        }
        where.forget_before("end");
    };
}

}  // namespace interleavings
