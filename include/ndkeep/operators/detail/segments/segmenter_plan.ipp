// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/operators/detail/segments/segmenter.hpp>: what options make of it, and the check of states.
#pragma once

#include <ndkeep/operators/detail/segments/segmenter.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/format/sidecar.hpp>

#include <algorithm>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE segmenter::segmenter(segment_plan plan) : plan_(std::move(plan)), positions_(1) {
    const bool is_rows = plan_.every.kind == rule_kind::rows;
    if (is_rows && plan_.every.rows == 0)
        throw mismatched({}, "rows of a segment", "at least 1", "0");
    if (is_keyed())
        codes_ = key_codes(plan_.on);
    else if (is_grid() || plan_.snapshots)
        throw mismatched({}, "keys", "a member of the rows", "none", "set .on");
    if (is_grid())
        bins_ = bins(plan_.every.grid, codes_, plan_.closed, plan_.origin);
    if (plan_.snapshots) {
        const bool is_list = plan_.snapshots->kind() == rule_kind::edges;
        points_ = bins(*plan_.snapshots, codes_, plan_.closed, is_list ? std::nullopt : plan_.origin);
        points_.begin_at_least();
    }
    make_columns();
    make_output();
    make_text();
    padding_ = padding(plan_.row);
    if (plan_.every.kind == rule_kind::predicate)
        before_.resize(static_cast<std::size_t>(plan_.row.size()));
    reset();
    snapshots_ = any_array(type_, {0});
}

NDKEEP_INLINE void segmenter::make_columns() {
    for (const reducer& each : plan_.reducers) {
        own_at_.push_back(own_.size());
        column_of_.push_back(columns_.size());
        if (each.kind == reduction::own)
            own_.resize(own_.size() + each.own->initial.size());
        if (each.kind == reduction::own || each.kind == reduction::rows)
            continue;
        const auto same = std::find_if(columns_.begin(), columns_.end(),
                                       [&](const segment_column& other) { return other.offset == each.offset; });
        column_of_.back() = static_cast<std::size_t>(same - columns_.begin());
        if (same == columns_.end())
            columns_.push_back({.type = each.type, .offset = each.offset, .field = each.field, .nan = plan_.nan});
        columns_[column_of_.back()].add(each);
    }
    for (segment_column& each : columns_)
        each.prepare();
    states_.resize(columns_.size());
    memories_.resize(columns_.size());
}

/// The alignment of elements in a C++ struct.
[[nodiscard]] NDKEEP_INLINE std::uint64_t alignment_of(const dtype& type) {
    if (type.is_struct() || type.kind() == 'S' || type.kind() == 'V')
        return 1;
    return type.kind() == 'U' ? 4 : type.is_complex() ? type.size() / 2 : type.size();
}

NDKEEP_INLINE void segmenter::make_output() {
    std::vector<dtype::field> fields;
    std::uint64_t end = 0, widest = 1;
    const auto add = [&](const std::string& name, const dtype& type) {
        if (name.empty())
            throw mismatched({}, "name of an aggregate", "a text", "none");
        for (const auto& other : fields)
            if (other.name == name)
                throw mismatched({}, "names of the output", "different names", ndkeep::quoted(name) + " twice",
                                 "give the aggregate a name of its own");
        const std::uint64_t alignment = alignment_of(type);
        widest = std::max(widest, alignment);
        end = (end + alignment - 1) / alignment * alignment;
        fields.push_back({.name = name, .type = type, .offset = end});
        end += type.size();
    };
    if (is_keyed())
        add(plan_.on.name, codes_.label());
    else
        add("row", dtype_of<std::int64_t>());
    for (const reducer& each : plan_.reducers) {
        const dtype type = result_of(each);
        add(each.output, type);
        nulls_.push_back(null_of(type));
    }
    type_ = dtype::structure(std::move(fields), (end + widest - 1) / widest * widest);
}

NDKEEP_INLINE void segmenter::make_text() {
    if (is_keyed())
        text_ = plan_.on.name + ' ' + plan_.on.type.str() + ": ";
    if (is_grid())
        text_ += bins_.text();
    else
        text_ += plan_.every.kind == rule_kind::rows ? "rows " + std::to_string(plan_.every.rows) : "function";
    if (plan_.snapshots)
        text_ += "; snapshots " + points_.text();
    if (!plan_.empty_bins)
        text_ += "; no empty bins";
    text_ += plan_.nan == nan_rule::skip ? "; skip NaN" : "; propagate NaN";
    for (const reducer& each : plan_.reducers) {
        text_ += "; " + each.output + " = " + word_of(each.kind);
        if (!each.field.empty())
            text_ += ' ' + each.field + ' ' + each.type.str();
        if (each.kind == reduction::quantile || each.kind == reduction::variance)
            text_ += ' ' + number_text(each.parameter);
        if (each.own != nullptr)
            text_ += ' ' + std::to_string(each.own->initial.size()) + " bytes to " + each.own->type.descr();
    }
}

NDKEEP_INLINE void segmenter::restore() {
    bool fits = positions_.size() == 1 && states_.size() == columns_.size() &&
                before_.size() == (plan_.every.kind == rule_kind::predicate ? plan_.row.size() : 0);
    std::size_t own = 0;
    for (const reducer& each : plan_.reducers)
        own += each.own == nullptr ? 0 : each.own->initial.size();
    fits = fits && own_.size() == own;
    for (std::size_t i = 0; fits && i < columns_.size(); ++i)
        fits = memories_[i].bytes.empty() || memories_[i].bytes.size() == 2 * columns_[i].type.size();
    if (!fits)
        refuse_state("segments");
    bin_ = is_grid() && position().is_open != 0 ? bins_.of(position().opened) : std::nullopt;
    point_ = position().has_point != 0 ? points_.of(position().point) : std::nullopt;
    snapshots_ = any_array(type_, {0});
}

}  // namespace ndkeep::detail
