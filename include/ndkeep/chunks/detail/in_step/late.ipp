// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/in_step/late.hpp>.
#pragma once

#include <ndkeep/chunks/detail/in_step/late.hpp>

#include <ndkeep/chunks/detail/ordered/codes.hpp>
#include <ndkeep/chunks/detail/ordered/key_numbers.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/os/mapping.hpp>

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

using chunk_names = std::unordered_set<std::string_view>;

/// Walks over some rows of a version in order, except those of shared chunks.
class row_walk {
  public:
    /// @param shared  names of chunks; must outlive the walk
    row_walk(const core::chunk_version& of, std::uint64_t first, std::uint64_t last, const chunk_names& shared,
             bool verify)
        : of_(&of), shared_(&shared), row_bytes_(static_cast<std::size_t>(of.state().row_bytes())), row_(first),
          last_(last), verify_(verify) {
        load();
    }

    [[nodiscard]] bool is_at_end() const noexcept { return row_ >= last_; }
    [[nodiscard]] std::uint64_t row() const noexcept { return row_; }
    [[nodiscard]] std::span<const std::byte> bytes() const {
        return {chunk_.data() + (row_ - chunk_first_) * row_bytes_, row_bytes_};
    }
    /// Less than 0 if this row is before that of another walk over the same array, 0 if the keys are equal.
    [[nodiscard]] int compare(const row_walk& other) const {
        const std::size_t i = index(), j = other.index();
        return codes_.less(i, other.codes_, j) ? -1 : codes_.equal(i, other.codes_, j) ? 0 : 1;
    }
    /// The key of the row, for `has_key`.
    [[nodiscard]] row_codes key() const {
        row_codes one;
        one.append(codes_, index(), index() + 1);
        return one;
    }
    [[nodiscard]] bool has_key(const row_codes& key) const { return !is_at_end() && codes_.equal(index(), key, 0); }

    void next() {
        if (++row_ == block_last_)
            load();
    }

  private:
    /// Codes are made of so many rows at once, so that their memory does not depend on the length of a chunk.
    static constexpr std::uint64_t block = 1 << 14;

    [[nodiscard]] std::size_t index() const noexcept { return static_cast<std::size_t>(row_ - block_first_); }

    void load() {
        const auto& entries = of_->entries();
        while (row_ < last_) {
            const std::size_t i = of_->chunk_of(row_);
            const std::uint64_t end = of_->first_row(i) + entries[i].rows;
            if (!shared_->contains(entries[i].file)) {
                open(i);
                block_first_ = row_;
                block_last_ = std::min({row_ + block, end, last_});
                const auto rows = static_cast<std::size_t>(block_last_ - block_first_);
                codes_of(of_->state(), {bytes().data(), rows * row_bytes_}, rows, codes_);
                return;
            }
            row_ = end;
        }
    }

    void open(std::size_t i) {
        if (chunk_.data() != nullptr && chunk_index_ == i)
            return;
        chunk_ = of_->map_chunk(i, 1);
        if (verify_ && !of_->options().verify)
            of_->verify(i, {chunk_.data(), chunk_.size()});
        chunk_index_ = i;
        chunk_first_ = of_->first_row(i);
    }

    const core::chunk_version* of_;
    const chunk_names* shared_;
    std::size_t row_bytes_;
    std::uint64_t row_, last_;
    bool verify_;
    mapping chunk_;
    std::size_t chunk_index_ = 0;
    std::uint64_t chunk_first_ = 0;
    std::uint64_t block_first_ = 0, block_last_ = 0;
    row_codes codes_;
};

/// What came and went between two versions.
struct found_changes {
    std::vector<row_range> came = {};  // in order
    std::uint64_t gone = 0;
    std::optional<std::uint64_t> first_gone = {};  // a row of the earlier version

    void add(std::uint64_t row) {
        if (!came.empty() && came.back().last == row)
            ++came.back().last;
        else
            came.push_back({row, row + 1});
    }
    void lose(std::uint64_t row) {
        ++gone;
        if (!first_gone)
            first_gone = row;
    }
};

/// A row as text of its bytes, for comparisons.
[[nodiscard]] NDKEEP_INLINE std::pair<std::string, std::uint64_t> take_row(row_walk& from) {
    const auto bytes = from.bytes();
    std::pair<std::string, std::uint64_t> row{{reinterpret_cast<const char*>(bytes.data()), bytes.size()}, from.row()};
    from.next();
    return row;
}

/// Compares the rows with one key, of which the first ones differ. Equal rows may have other places.
NDKEEP_INLINE void compare_key(row_walk& before, row_walk& now, found_changes& found) {
    const auto key = now.key();
    std::vector<std::pair<std::string, std::uint64_t>> old_rows, rows;
    while (before.has_key(key))
        old_rows.push_back(take_row(before));
    while (now.has_key(key))
        rows.push_back(take_row(now));
    std::sort(old_rows.begin(), old_rows.end());
    std::sort(rows.begin(), rows.end());
    std::vector<std::uint64_t> came, gone;
    auto old_row = old_rows.begin();
    for (const auto& row : rows) {
        while (old_row != old_rows.end() && old_row->first < row.first)
            gone.push_back((old_row++)->second);
        if (old_row != old_rows.end() && old_row->first == row.first)
            ++old_row;
        else
            came.push_back(row.second);
    }
    for (; old_row != old_rows.end(); ++old_row)
        gone.push_back(old_row->second);
    std::sort(came.begin(), came.end());
    for (const std::uint64_t row : came)
        found.add(row);
    for (const std::uint64_t row : gone)
        found.lose(row);
}

/// Compares the rows of two versions as sets in which a row can be several times: rows that both have cancel out,
/// wherever they are, and so do shared chunks.
NDKEEP_INLINE void compare_rows(row_walk before, row_walk now, found_changes& found) {
    while (!before.is_at_end() || !now.is_at_end()) {
        const int order = before.is_at_end() ? 1 : now.is_at_end() ? -1 : before.compare(now);
        if (order < 0) {
            found.lose(before.row());
            before.next();
        } else if (order > 0) {
            found.add(now.row());
            now.next();
        } else if (std::memcmp(before.bytes().data(), now.bytes().data(), now.bytes().size()) == 0) {
            before.next();
            now.next();
        } else {
            compare_key(before, now, found);
        }
    }
}

/// The names of the chunks that both versions have. Chunks of zeros have none, and are compared.
[[nodiscard]] NDKEEP_INLINE chunk_names shared_chunks(const core::chunk_version& a, const core::chunk_version& b) {
    chunk_names of_a, both;
    for (const auto& entry : a.entries())
        if (!entry.file.empty())
            of_a.insert(entry.file);
    for (const auto& entry : b.entries())
        if (of_a.contains(entry.file))
            both.insert(entry.file);
    return both;
}

/// Compares the present versions with those of a mark, level by level: of the keys below each mark in `late`, and of
/// those below the mark itself.
class late_search {
  public:
    late_search(const std::vector<const core::chunk_version*>& of, step_mark& mark, const step_range& within,
                late_rows late, bool verify)
        : of_(of), mark_(mark), within_(within), late_(late), verify_(verify) {
        changes_.rows.resize(of.size());
    }

    [[nodiscard]] late_changes run() && {
        const step_mark* below = nullptr;
        for (auto& level : mark_.late) {
            add(level, below);
            below = &level;
        }
        add(mark_, below);
        return std::move(changes_);
    }

  private:
    void add(step_mark& level, const step_mark* below) {
        auto& versions = changes_.versions.emplace_back(of_.size());
        for (std::size_t i = 0; i < of_.size(); ++i) {
            std::uint64_t& commit = level.commits[i];
            const std::uint64_t present = of_[i]->state().number;
            if (commit < present)
                versions[i] = of_[i]->at_commit(commit);
            if (versions[i] != nullptr)
                compare(*versions[i], i, level, below);
            else if (commit != present)
                check_count_alone(i, std::exchange(commit, present));
        }
    }

    void compare(const core::chunk_version& before, std::size_t i, const step_mark& level, const step_mark* below) {
        const auto& now = *of_[i];
        const auto shared = shared_chunks(before, now);
        const auto walk = [&](const core::chunk_version& of) {
            const std::uint64_t begin = within_.begin ? rows_below(of, within_.begin->key) : 0,
                                low = below == nullptr ? 0 : rows_below(of, below->key),
                                high = std::min(rows_below(of, level.key), rows_below(of, within_.limit));
            return row_walk(of, std::max(begin, low), high, shared, verify_);
        };
        found_changes found;
        compare_rows(walk(before), walk(now), found);
        if (found.first_gone && late_ == late_rows::aside)
            refuse_erased(now, found, before);
        if (!found.came.empty())
            reach(now.key_of(found.came.front().first));
        if (found.first_gone)
            reach(before.key_of(*found.first_gone));
        changes_.rows[i].insert(changes_.rows[i].end(), found.came.begin(), found.came.end());
    }

    void reach(const statistics::number& key) {
        if (!changes_.least || less(key, *changes_.least))
            changes_.least = key;
    }

    /// Without the rows of the mark, only a count of all rows can show a change.
    void check_count_alone(std::size_t i, std::uint64_t commit) const {
        const auto& now = *of_[i];
        const std::uint64_t present = now.state().number;
        if (commit > present)
            throw mismatch_error({.file = now.called(),
                                  .field = "commit of the " + mark_text(mark_.key),
                                  .expected = "at most that of the reader, " + std::to_string(present),
                                  .found = std::to_string(commit),
                                  .hint = "open the newest commit"});
        if (!mark_.late.empty() || rows_below(now, mark_.key) != mark_.rows[i])
            throw mismatch_error({.file = now.called(),
                                  .field = "commit of the " + mark_text(mark_.key),
                                  .expected = std::to_string(commit) + ", to find the rows that came late",
                                  .found = "pruned",
                                  .hint = ".keep of the writer's commit_rules retains more commits"});
    }

    [[noreturn]] void refuse_erased(const core::chunk_version& now, const found_changes& found,
                                    const core::chunk_version& before) const {
        throw mismatch_error({.file = now.called(),
                              .field = "rows below the " + mark_text(mark_.key),
                              .expected = "those of commit " + std::to_string(before.state().number),
                              .found = counted(found.gone, "row") + " erased or replaced, from key " +
                                       core::number_text(before.key_of(*found.first_gone)) + " on",
                              .hint = "late_rows::again begins again there"});
    }

    const std::vector<const core::chunk_version*>& of_;
    step_mark& mark_;
    const step_range& within_;
    late_rows late_;
    bool verify_;
    late_changes changes_;
};

NDKEEP_INLINE late_changes find_late(const std::vector<const core::chunk_version*>& of, step_mark& mark,
                                     const step_range& within, late_rows late, bool verify) {
    if (mark.commits.empty())
        for (std::size_t i = 0; i < of.size(); ++i) {
            check_unchanged(*of[i], mark.key, mark.rows[i], "only a mark with commits can find late rows");
            mark.commits.push_back(of[i]->state().number);
        }
    if (within.is_held)
        return {.rows = std::vector<std::vector<row_range>>(of.size())};
    return late_search(of, mark, within, late, verify).run();
}

NDKEEP_INLINE late_plan::late_plan(std::vector<const core::chunk_version*> of, std::vector<std::vector<row_range>> rows,
                                   const std::optional<statistics::number>& end)
    : of_(std::move(of)), rows_(std::move(rows)), at_(of_.size()), end_(end), parts_(of_.size()) {}

NDKEEP_INLINE std::uint64_t late_plan::rows_left() const {
    std::uint64_t left = 0;
    for (std::size_t i = 0; i < of_.size(); ++i)
        for (std::size_t range = at_[i]; range < rows_[i].size(); ++range)
            left += rows_[i][range].last - rows_[i][range].first;
    return left;
}

NDKEEP_INLINE bool late_plan::is_last() const {
    for (std::size_t i = 0; i < of_.size(); ++i)
        if (at_[i] != rows_[i].size())
            return false;
    return true;
}

NDKEEP_INLINE step_place late_plan::place() const { return {low_, cut_->key, items_ - 1, is_last(), true}; }

NDKEEP_INLINE std::optional<statistics::number> late_plan::boundary(std::size_t i,
                                                                    const statistics::number& low) const {
    const auto& rows = rows_[i];
    const auto& version = *of_[i];
    if (at_[i] == rows.size())
        return std::nullopt;
    const std::size_t chunk = version.chunk_of(rows[at_[i]].first);
    for (std::size_t next = chunk + 1; next < version.entries().size(); ++next) {
        // The first late row from this chunk on.
        const std::uint64_t from = version.first_row(next);
        const auto range = std::partition_point(rows.begin() + static_cast<std::ptrdiff_t>(at_[i]), rows.end(),
                                                [from](const row_range& each) { return each.last <= from; });
        if (range == rows.end())
            return std::nullopt;
        const std::uint64_t row = std::max(from, range->first);
        if (auto key = version.key_of(row); less(low, key))
            return key;
        next = version.chunk_of(row);
    }
    return std::nullopt;
}

NDKEEP_INLINE bool late_plan::next() {
    std::optional<statistics::number> low;
    for (std::size_t i = 0; i < of_.size(); ++i) {
        parts_[i].clear();
        if (at_[i] == rows_[i].size())
            continue;
        const auto key = of_[i]->key_of(rows_[i][at_[i]].first);
        if (!low || less(key, *low))
            low = key;
    }
    if (!low)
        return false;
    low_ = *low;
    std::optional<statistics::number> end;
    for (std::size_t i = 0; i < of_.size(); ++i)
        if (const auto key = boundary(i, low_); key && (!end || less(*key, *end)))
            end = key;
    if (!end)
        end = end_;
    cut_ = cut_at(of_, end);
    for (std::size_t i = 0; i < of_.size(); ++i)
        for (std::size_t& at = at_[i]; at < rows_[i].size() && rows_[i][at].first < cut_->rows[i]; ++at) {
            auto& range = rows_[i][at];
            const std::uint64_t last = std::min(range.last, cut_->rows[i]);
            parts_[i].push_back({range.first, last});
            if (last != range.last) {
                range.first = last;
                break;
            }
        }
    // The last item ends the rows below the mark.
    if (is_last())
        cut_ = cut_at(of_, end_);
    ++items_;
    return true;
}

}  // namespace ndkeep::detail
