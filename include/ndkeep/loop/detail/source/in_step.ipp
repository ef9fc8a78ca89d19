// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/loop/detail/source/in_step.hpp>.
#pragma once

#include <ndkeep/loop/detail/source/in_step.hpp>

#include <ndkeep/chunks/detail/ordered/key_numbers.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/text/hex.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE void hashed_chunks::add_up_to(std::uint64_t row) {
    const auto& entries = of_->entries();
    while (chunks_ < entries.size() && of_->first_row(chunks_) + entries[chunks_].rows <= row) {
        const auto& entry = entries[chunks_++];
        last_rows_ = entry.rows;
        hash_ = hash_of(entry.file + ' ' + std::to_string(entry.rows) + ' ' + entry.sum + '\n', hash_);
    }
}

/// Whether two versions have the same first rows. Rows of chunks that both have are not read.
[[nodiscard]] NDKEEP_INLINE bool have_same_rows(const core::chunk_version& a, const core::chunk_version& b,
                                                std::uint64_t rows) {
    if (rows > std::min(a.state().rows, b.state().rows) || a.state().type.descr() != b.state().type.descr())
        return false;
    // Blocks bound the memory.
    const std::uint64_t row_bytes = a.state().row_bytes();
    const std::uint64_t most = std::max<std::uint64_t>(1, (std::uint64_t{1} << 20) / row_bytes);
    std::vector<std::byte> left, right;
    for (std::uint64_t row = 0; row < rows;) {
        const std::size_t i = a.chunk_of(row), j = b.chunk_of(row);
        const auto &entry = a.entries()[i], &other = b.entries()[j];
        std::uint64_t end = std::min({rows, a.first_row(i) + entry.rows, b.first_row(j) + other.rows});
        if (entry.file != other.file || a.first_row(i) != b.first_row(j)) {
            end = std::min(end, row + most);
            left.resize(static_cast<std::size_t>((end - row) * row_bytes));
            right.resize(left.size());
            a.read_chunk(i, row, end, left.data());
            b.read_chunk(j, row, end, right.data());
            if (left != right)
                return false;
        }
        row = end;
    }
    return true;
}

/// The text of a position in the keys; empty above all keys.
[[nodiscard]] NDKEEP_INLINE std::string text_of_key(const std::optional<statistics::number>& key) {
    return key ? core::number_text(*key) : std::string();
}

/// @throws format_error  not the text of a key
[[nodiscard]] NDKEEP_INLINE std::optional<statistics::number> key_in(const object_reader& said,
                                                                     const std::filesystem::path& file) {
    const std::string& text = said.text("key");
    if (text.empty())
        return std::nullopt;
    const json value = core::parsed_json(text, file);
    if (const auto* const count = value.get_ptr<const json::number_unsigned_t*>())
        return *count;
    if (const auto* const whole = value.get_ptr<const json::number_integer_t*>())
        return *whole;
    if (const auto number = json_number(value))
        return *number;
    said.refuse("key", "a number", text);
}

NDKEEP_INLINE step_feed_base::step_feed_base(std::vector<step_participant> of, const in_step_options& options,
                                             const over_options& over)
    : of_(std::move(of)), options_(options), verify_(over.verify) {
    if (over.warm_up != 0 || over.first_row != 0)
        throw mismatch_error({.field = over.warm_up != 0 ? ".warm_up" : ".first_row",
                              .found = "not available for this source",
                              .hint = "in_step has .warm_up and .from"});
}

/// What a commit stores about one array: a version, and its rows below a key.
[[nodiscard]] NDKEEP_INLINE json dataset_in(const core::chunk_version& version, std::uint64_t rows,
                                            const hashed_chunks& passed) {
    const auto& state = version.state();
    json source = json::object();
    auto& parts = members_of(source);
    parts["dataset"] = state.dataset;
    parts["commit"] = state.number;
    parts["id"] = state.id;
    parts["rows"] = rows;
    parts["chunk_rows"] = passed.rows();
    parts["chunks"] = hexadecimal(passed.hash());
    return source;
}

/// What a commit stores about a mark.
[[nodiscard]] NDKEEP_INLINE json mark_with(const std::optional<statistics::number>& key, json::array_t datasets) {
    json said = json::object();
    members_of(said)["key"] = text_of_key(key);
    members_of(said)["datasets"] = std::move(datasets);
    return said;
}

NDKEEP_INLINE void step_feed_base::begin(const step_limits& limits) {
    reading_ = std::make_unique<step_reading>(of_, limits, verify_);
    has_warm_up_ = !limits.warm_up.empty();
    passed_.clear();
    for (const auto& participant : of_)
        passed_.emplace_back(*participant.version);
    given_.clear();
    const auto& versions = reading_->given_versions();
    for (std::size_t j = 0; j < versions.size(); ++j) {
        const auto& mark = *reading_->given();
        const auto& level = j < mark.late.size() ? mark.late[j] : mark;
        json::array_t datasets;
        for (std::size_t i = 0; i < of_.size(); ++i) {
            const auto& version = versions[j][i] != nullptr ? *versions[j][i] : *of_[i].version;
            hashed_chunks passed(version);
            passed.add_up_to(level.rows[i]);
            datasets.push_back(dataset_in(version, level.rows[i], passed));
        }
        given_.push_back(mark_with(level.key, std::move(datasets)));
    }
}

NDKEEP_INLINE void step_feed_base::start(std::uint64_t) {
    done_ = 0;
    begin(limits_of(options_));
}

NDKEEP_INLINE void step_feed_base::resume(const object_reader& said, std::uint64_t rows) {
    auto limits = limits_of(options_);
    auto mark = mark_in(said);
    if (const auto* const late = said.find("late"); late != nullptr)
        for (const auto& level : said.list("late"))
            mark.late.push_back(mark_in({level, "late", of_.front().version->called()}));
    limits.mark = std::move(mark);
    // A first item that was not shown yet still has its warm-up.
    if (!options_.warm_up.is_at_each_resume() && said.find("warm_up") == nullptr)
        limits.warm_up.clear();
    done_ = rows;
    begin(limits);
}

NDKEEP_INLINE step_mark step_feed_base::mark_in(const object_reader& said) const {
    const auto file = of_.front().version->called();
    const auto& sources = said.list("datasets");
    if (sources.size() != of_.size())
        throw another_source(file, "number of arrays", std::to_string(sources.size()), std::to_string(of_.size()));
    step_mark mark{.key = key_in(said, file)};
    for (std::size_t i = 0; i < of_.size(); ++i) {
        const object_reader source(sources[i], "datasets", file);
        check(i, source, mark.key);
        mark.rows.push_back(source.count("rows"));
        mark.commits.push_back(source.count("commit"));
    }
    return mark;
}

NDKEEP_INLINE void step_feed_base::check(std::size_t i, const object_reader& said,
                                         const std::optional<statistics::number>& key) const {
    const auto& version = *of_[i].version;
    const auto& state = version.state();
    const std::uint64_t commit = said.count("commit");
    const auto refuse = [&](const std::string& field, std::string expected, std::string found, std::string hint = {}) {
        throw another_source(version.called(), field, std::move(expected), std::move(found), std::move(hint));
    };
    if (said.text("dataset") != state.dataset)
        refuse("dataset", ndkeep::quoted(said.text("dataset")), ndkeep::quoted(state.dataset));
    if (commit > state.number)
        refuse("commit", "at least " + std::to_string(commit), std::to_string(state.number));
    // After a power cut another commit may have this number. If the commit is pruned, the checks below must do.
    const auto id = version.identity_of(commit);
    if (id && *id != said.text("id"))
        refuse("id of a commit", ndkeep::quoted(said.text("id")), ndkeep::quoted(*id));
    // The rows of both commits are compared when the pass begins.
    if (id && options_.late != late_rows::refuse)
        return;
    const std::uint64_t rows = said.count("rows"), found = key ? version.first_row_from(*key) : state.rows;
    if (found != rows)
        refuse(key ? "rows below key " + text_of_key(key) : "rows", std::to_string(rows), std::to_string(found),
               options_.late == late_rows::refuse
                   ? "rows came late, or were erased, after the rows there had been processed"
                   : "commit " + std::to_string(commit) + " is pruned, so that late rows cannot be found");
    // Rows at and above the position may be merged and erased. Chunks below it are the same files then, or have the
    // same rows as before: such a commit joins small chunks. Of the chunk in which the position lies, which it writes
    // again, only the rows below the key are counted.
    if (state.rewritten <= commit)
        return;
    hashed_chunks here(version);
    here.add_up_to(said.count("chunk_rows"));
    if (here.rows() == said.count("chunk_rows") && hexadecimal(here.hash()) == said.text("chunks"))
        return;
    if (const auto then = version.at_commit(commit); !then || !have_same_rows(*then, version, rows))
        refuse("content of the rows", "unchanged since commit " + std::to_string(commit),
               "rewritten in commit " + std::to_string(state.rewritten),
               then ? "" : "commit " + std::to_string(commit) + " is pruned, so that its rows cannot be compared");
}

NDKEEP_INLINE bool step_feed_base::next(std::uint64_t, chunk_at_hand& chunk) {
    if (!reading_->next())
        return false;
    const auto& cut = *reading_->cut();
    for (std::size_t i = 0; i < of_.size(); ++i) {
        const std::uint64_t rows = reading_->count(i) - reading_->warm_up(i);
        chunk.rows += rows;
        chunk.bytes += rows * of_[i].version->state().row_bytes();
        passed_[i].add_up_to(cut.rows[i]);
    }
    chunk.is_last = reading_->place().is_last;
    return true;
}

NDKEEP_INLINE json step_feed_base::identity() const {
    const auto& cut = *reading_->cut();
    json::array_t datasets;
    for (std::size_t i = 0; i < of_.size(); ++i)
        datasets.push_back(dataset_in(*of_[i].version, cut.rows[i], passed_[i]));
    json said = mark_with(cut.key, std::move(datasets));
    // As `step_reading::mark`: below the mark where the pass began, only the rows up to the cut have been given again.
    if (const auto& mark = reading_->given(); mark && ends_before(cut.key, mark->key)) {
        json::array_t late;
        late.push_back(std::move(said));
        for (std::size_t j = 0; j < mark->late.size(); ++j)
            if (ends_before(cut.key, mark->late[j].key))
                late.push_back(given_[j]);
        said = given_.back();
        members_of(said)["late"] = std::move(late);
    }
    auto& members = members_of(said);
    members["kind"] = std::string(kind);
    if (has_warm_up_ && reading_->is_before_warm_up())
        members["warm_up"] = "due";
    return said;
}

NDKEEP_INLINE std::function<void()> step_feed_base::durable() const {
    return [versions = versions_of(of_)] {
        for (const auto* const version : versions)
            version->make_durable();
    };
}

}  // namespace ndkeep::detail
