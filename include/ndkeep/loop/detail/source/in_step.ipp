// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/loop/detail/source/in_step.hpp>.
#pragma once

#include <ndkeep/loop/detail/source/in_step.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/text/hex.hpp>

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

NDKEEP_INLINE void step_feed_base::begin(const step_limits& limits) {
    reading_ = std::make_unique<step_reading>(of_, limits, verify_);
    passed_.clear();
    for (const auto& participant : of_)
        passed_.emplace_back(*participant.version);
}

NDKEEP_INLINE void step_feed_base::start(std::uint64_t) {
    const auto limits = limits_of(options_);
    if (limits.after)
        check_unchanged(versions_of(of_), *limits.after);
    begin(limits);
}

NDKEEP_INLINE void step_feed_base::resume(const object_reader& said, std::uint64_t) {
    const auto file = of_.front().version->called();
    const auto& sources = said.list("datasets");
    if (sources.size() != of_.size())
        throw another_source(file, "number of arrays", std::to_string(sources.size()), std::to_string(of_.size()));
    step_cut cut{key_in(said, file), {}};
    for (std::size_t i = 0; i < of_.size(); ++i) {
        const object_reader source(sources[i], "datasets", file);
        check(i, source, cut.key);
        cut.rows.push_back(source.count("rows"));
    }
    auto limits = limits_of(options_);
    limits.after = std::move(cut);
    if (!options_.warm_up_again)
        limits.warm_up.clear();
    begin(limits);
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
    if (const auto id = version.identity_of(commit); id && *id != said.text("id"))
        refuse("id of a commit", ndkeep::quoted(said.text("id")), ndkeep::quoted(*id));
    const std::uint64_t rows = said.count("rows"), found = key ? version.first_row_from(*key) : state.rows;
    if (found != rows)
        refuse(key ? "rows below key " + text_of_key(key) : "rows", std::to_string(rows), std::to_string(found),
               "rows came late, or were erased, after the rows there had been processed");
    // Rows at and above the position may be merged and erased. Chunks below it must be the same files then. Of the
    // chunk in which the position lies, which such a commit writes again, only the rows below the key are counted.
    if (state.rewritten <= commit)
        return;
    hashed_chunks here(version);
    here.add_up_to(said.count("chunk_rows"));
    if (here.rows() != said.count("chunk_rows") || hexadecimal(here.hash()) != said.text("chunks"))
        refuse("content of the rows", "unchanged since commit " + std::to_string(commit),
               "rewritten in commit " + std::to_string(state.rewritten));
}

NDKEEP_INLINE bool step_feed_base::next(std::uint64_t, chunk_at_hand& chunk) {
    if (!reading_->next())
        return false;
    const auto& plan = reading_->plan();
    for (std::size_t i = 0; i < of_.size(); ++i) {
        const auto& part = plan.part(i);
        const std::uint64_t rows = part.last - part.first - part.warm_up;
        chunk.rows += rows;
        chunk.bytes += rows * of_[i].version->state().row_bytes();
        passed_[i].add_up_to(part.last);
    }
    chunk.is_last = plan.is_last();
    return true;
}

NDKEEP_INLINE json step_feed_base::identity() const {
    json said = json::object();
    auto& members = members_of(said);
    members["kind"] = std::string(kind);
    const auto& cut = *reading_->plan().cut();
    members["key"] = text_of_key(cut.key);
    json::array_t sources;
    for (std::size_t i = 0; i < of_.size(); ++i) {
        const auto& state = of_[i].version->state();
        json source = json::object();
        auto& parts = members_of(source);
        parts["dataset"] = state.dataset;
        parts["commit"] = state.number;
        parts["id"] = state.id;
        parts["rows"] = cut.rows[i];
        parts["chunk_rows"] = passed_[i].rows();
        parts["chunks"] = hexadecimal(passed_[i].hash());
        sources.push_back(std::move(source));
    }
    members["datasets"] = std::move(sources);
    return said;
}

NDKEEP_INLINE std::function<void()> step_feed_base::durable() const {
    return [versions = versions_of(of_)] {
        for (const auto* const version : versions)
            version->make_durable();
    };
}

}  // namespace ndkeep::detail
