// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/in_step/reading.hpp>.
#pragma once

#include <ndkeep/chunks/detail/in_step/reading.hpp>

#include <ndkeep/chunks/detail/ordered/key_numbers.hpp>
#include <ndkeep/element/strided.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/work/alongside.hpp>
#include <ndkeep/work/progress.hpp>

#include <algorithm>
#include <exception>
#include <functional>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// A chunk that is mapped, or read in a thread, before it is asked for.
struct chunk_window::coming_chunk {
    std::size_t index = 0;
    mapping bytes = {};
    std::exception_ptr problem = nullptr;
    std::optional<alongside> work = std::nullopt;  // last: its thread fills the members above
};

NDKEEP_INLINE chunk_window::chunk_window(const step_participant& of, bool verify)
    : version_(of.version), convert_(of.version->state().type, of.type, of.version->called()), alignment_(of.alignment),
      verify_(verify && !of.version->options().verify) {}
NDKEEP_INLINE chunk_window::chunk_window(chunk_window&&) noexcept = default;
NDKEEP_INLINE chunk_window& chunk_window::operator=(chunk_window&&) noexcept = default;
NDKEEP_INLINE chunk_window::~chunk_window() = default;

NDKEEP_INLINE mapping chunk_window::rows(std::uint64_t first, std::uint64_t last, std::uint64_t end) {
    if (first == last)
        return {};
    const std::size_t begin_chunk = version_->chunk_of(first), last_chunk = version_->chunk_of(last - 1);
    mapping out;
    if (begin_chunk != last_chunk || !convert_.is_identity()) {
        out = room_for(last - first);
        version_->read(first, last, convert_, out.data());
        out.protect();
    } else {
        const auto owner = chunk(begin_chunk);
        const auto row_bytes = version_->state().row_bytes();
        const std::uint64_t at = (first - version_->first_row(begin_chunk)) * row_bytes;
        out = mapping::of({owner->data() + at, static_cast<std::size_t>((last - first) * row_bytes)}, owner->path());
        out.keep(owner);
    }
    // The caller has the chunk now, if it refers to it.
    if (last == end || version_->chunk_of(last) != index_)
        chunk_ = nullptr;
    if (last != end && convert_.is_identity())
        begin_ahead(version_->chunk_of(last));
    return out;
}

NDKEEP_INLINE mapping chunk_window::room_for(std::uint64_t rows) const {
    version_->check_room(rows);
    std::size_t elements = static_cast<std::size_t>(rows);
    for (const std::size_t extent : version_->state().row_shape)
        elements *= extent;
    return mapping::zeros(elements * convert_.to_size(), version_->called());
}

NDKEEP_INLINE mapping chunk_window::gathered(const std::vector<row_range>& ranges) const {
    std::uint64_t rows = 0;
    for (const auto& range : ranges)
        rows += range.last - range.first;
    if (rows == 0)
        return {};
    mapping out = room_for(rows);
    const auto row_bytes = static_cast<std::size_t>(version_->state().row_bytes());
    const std::size_t row_elements = row_bytes / convert_.from_size();
    std::byte* to = out.data();
    mapping source;
    std::size_t of = version_->entries().size();
    for (auto range : ranges)
        while (range.first != range.last) {
            const std::size_t i = version_->chunk_of(range.first);
            if (i != of)
                source = version_->map_chunk(of = i, 1);
            const std::uint64_t at = version_->first_row(i),
                                last = std::min(range.last, at + version_->entries()[i].rows);
            const std::size_t elements = static_cast<std::size_t>(last - range.first) * row_elements;
            convert_.run(to, source.data() + static_cast<std::size_t>(range.first - at) * row_bytes, elements);
            to += elements * convert_.to_size();
            range.first = last;
        }
    out.protect();
    return out;
}

NDKEEP_INLINE mapping chunk_window::map(const core::chunk_version& version, std::size_t i, std::size_t alignment,
                                        bool verify) {
    auto bytes = version.map_chunk(i, alignment);
    if (verify)
        version.verify(i, {bytes.data(), bytes.size()});
    return bytes;
}

NDKEEP_INLINE const std::shared_ptr<const mapping>& chunk_window::chunk(std::size_t i) {
    if (chunk_ != nullptr && index_ == i)
        return chunk_;
    chunk_ = nullptr;
    index_ = i;
    const auto ahead = std::exchange(ahead_, nullptr);
    if (ahead == nullptr || ahead->index != i)
        return chunk_ = std::make_shared<const mapping>(map(*version_, i, alignment_, verify_));
    if (ahead->work) {
        const run_options silent;
        progress_meter quiet(silent);
        ahead->work->finish(quiet);
    }
    if (ahead->problem)
        std::rethrow_exception(ahead->problem);
    return chunk_ = std::make_shared<const mapping>(std::move(ahead->bytes));
}

NDKEEP_INLINE void chunk_window::begin_ahead(std::size_t i) {
    if ((chunk_ != nullptr && index_ == i) || (ahead_ != nullptr && ahead_->index == i))
        return;
    ahead_ = std::make_unique<coming_chunk>();
    ahead_->index = i;
    // The thread refers to the version and to the chunk on the heap: a window may move meanwhile.
    const auto fetch = [version = version_, alignment = alignment_, verify = verify_, to = ahead_.get()] {
        to->bytes = map(*version, to->index, alignment, verify);
    };
    if (verify_ || version_->options().verify || version_->is_slow()) {
        ahead_->work.emplace(fetch);
        return;
    }
    try {
        fetch();
        ahead_->bytes.advise(advice::will_need);
    } catch (...) {
        ahead_->problem = std::current_exception();  // thrown when the rows are needed: the ones before are still given
    }
}

NDKEEP_INLINE step_reading::step_reading(std::vector<step_participant> of, const step_limits& limits, bool verify)
    : of_(std::move(of)), plan_(versions_of(of_), limits, start_at(limits, verify)) {
    for (const auto& participant : of_)
        windows_.emplace_back(participant, verify);
}

NDKEEP_INLINE step_start step_reading::start_at(const step_limits& limits, bool verify) {
    if (!limits.mark)
        return {};
    auto mark = *limits.mark;
    const auto versions = versions_of(of_);
    check_count(mark, versions.size());
    // A key that was stored as text may have come back as a number of another form.
    const char form = number_form(key_type(versions.front()->state()));
    const auto convert = [form](std::optional<statistics::number>& key) {
        if (key)
            key = rounded_up(*key, form);
    };
    convert(mark.key);
    for (auto& level : mark.late)
        convert(level.key);
    if (limits.late == late_rows::refuse) {
        if (!mark.late.empty())
            throw mismatch_error({.field = mark_text(mark.key),
                                  .expected = "no late rows under way",
                                  .found = counted(mark.late.size(), "lower mark"),
                                  .hint = "go on with the same .late"});
        for (std::size_t i = 0; i < versions.size(); ++i)
            check_unchanged(*versions[i], mark.key, mark.rows[i],
                            "rows came late, or were erased, after the rows there had been read");
        return {.after = step_cut{mark.key, mark.rows}};
    }
    const auto range = range_in_step(versions, limits);
    auto changes = find_late(versions, mark, range, limits.late, verify);
    // A live pass, or one with an earlier end, may not come to the mark.
    const bool reaches_mark = !range.is_held && !ends_before(range.limit, mark.key);
    const auto end = reaches_mark ? mark.key : range.limit;
    auto begin = changes.least;
    if (limits.late == late_rows::again && !mark.late.empty() && ends_before(mark.late.front().key, end) &&
        !range.is_held && !(begin && ends_before(begin, mark.late.front().key)))
        begin = mark.late.front().key;
    if (begin || !reaches_mark) {
        given_ = mark;
        given_versions_ = std::move(changes.versions);
    }
    if (limits.late == late_rows::again && begin)
        return {.after = cut_at(versions, begin), .again = cut_at(versions, end)};
    if (given_)
        late_.emplace(versions, std::move(changes.rows), end);
    return {.after = cut_at(versions, mark.key)};
}

NDKEEP_INLINE bool step_reading::next() {
    if (!is_in_plan_ && late_ && late_->next())
        return true;
    if (!plan_.next())
        return false;
    is_in_plan_ = true;
    if (given_ && !plan_.place().is_late) {
        given_.reset();
        given_versions_.clear();  // may be pruned now
    }
    return true;
}

NDKEEP_INLINE std::uint64_t step_reading::rows_left() const {
    return plan_.rows_left() + (late_ ? late_->rows_left() : 0);
}

NDKEEP_INLINE std::optional<step_mark> step_reading::mark() const {
    if (!cut())
        return given_;
    step_mark now{.key = cut()->key, .rows = cut()->rows};
    for (const auto& participant : of_)
        now.commits.push_back(participant.version->state().number);
    if (!given_ || !ends_before(now.key, given_->key))
        return now;
    step_mark both = *given_;
    both.late = {now};
    for (const auto& level : given_->late)
        if (ends_before(now.key, level.key))
            both.late.push_back(level);
    return both;
}

NDKEEP_INLINE step_place step_reading::place() const {
    if (!is_in_plan_) {
        auto place = late_->place();
        place.is_last = place.is_last && plan_.is_last();
        return place;
    }
    auto place = plan_.place();
    place.index += late_ ? late_->items() : 0;
    return place;
}

NDKEEP_INLINE std::uint64_t step_reading::count(std::size_t i) const {
    if (is_in_plan_)
        return plan_.part(i).last - plan_.part(i).first;
    std::uint64_t rows = 0;
    for (const auto& range : late_->part(i))
        rows += range.last - range.first;
    return rows;
}

NDKEEP_INLINE mapping step_reading::rows(std::size_t i) {
    if (!is_in_plan_)
        return windows_[i].gathered(late_->part(i));
    const auto& part = plan_.part(i);
    return windows_[i].rows(part.first, part.last, plan_.end_row(i));
}

NDKEEP_INLINE std::vector<std::size_t> step_reading::shape(std::size_t i) const {
    return shape_of_rows(count(i), of_[i].version->state().row_shape);
}

}  // namespace ndkeep::detail
