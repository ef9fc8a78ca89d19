// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/store/log.hpp>.
#pragma once

#include <ndkeep/store/log.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/store/layout.hpp>
#include <ndkeep/store/record/record.hpp>
#include <ndkeep/store/record/table.hpp>
#include <ndkeep/text/hex.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/text/json/print.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <system_error>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE std::string random_identity() { return hexadecimal(random_bits()) + hexadecimal(random_bits()); }

[[nodiscard]] NDKEEP_INLINE std::string dataset_text(std::string_view id) {
    object_text out;
    out.add("ndkeep", json_text(dataset_version));
    out.add("dataset", json_text(id));
    return out.str();
}

NDKEEP_INLINE commit_log::commit_log(place& where) : place_(where) {}
NDKEEP_INLINE commit_log::commit_log(commit_log&&) noexcept = default;
NDKEEP_INLINE commit_log::~commit_log() = default;

NDKEEP_INLINE std::vector<std::uint64_t> commit_log::numbers() const {
    std::vector<std::uint64_t> all;
    for (const auto& name : place_.list(commits_folder))
        if (const auto number = record_number(name))
            all.push_back(*number);
    std::sort(all.begin(), all.end());
    return all;
}

NDKEEP_INLINE bool commit_log::exists(std::uint64_t number) const {
    return place_.size(record_path(number)).has_value();
}

NDKEEP_INLINE std::optional<std::uint64_t> commit_log::newest_number() const {
    // A listing that takes one call of the system is one snapshot. A longer one can have all of its first part pruned
    // before it ends, and show only a displaced record. So it is repeated until two agree on the highest number.
    auto listed = numbers();
    constexpr std::size_t one_listing = 500;  // one getdents64 call of 32 KiB holds some 600 such names
    while (listed.size() > one_listing) {
        auto again = numbers();
        if (again.empty() || again.back() == listed.back())
            break;
        listed = std::move(again);
    }
    if (listed.empty())
        return std::nullopt;
    std::uint64_t newest = listed.back();
    // What was put during the listing may be missing from it.
    while (exists(newest + 1))
        ++newest;
    return newest;
}

NDKEEP_INLINE std::optional<std::uint64_t> commit_log::newest_number(std::uint64_t known) const {
    // The order of the two look-ups matters. Pruning removes ascending numbers: if `known` is still present after the
    // first look-up, `known + 1` was not pruned before, so its absence means that it was never put.
    if (!exists(known + 1) && exists(known))
        return known;
    return newest_number();
}

NDKEEP_INLINE std::string commit_log::future_dataset(durability wanted) {
    for (;;) {
        // Read again after every put: of several writers that begin at once, only one draws the id for all.
        const auto drawn = drawn_dataset();
        if (drawn.id)
            return *drawn.id;
        // Throws if the file is foreign: it must not be removed.
        if (drawn.is_present)
            check_unused();
        // Damaged by a power cut, so the id was never durable, and no synced file has it in its name. It is read once
        // more, because another writer may have repaired it meanwhile.
        if (drawn.is_present && !drawn_dataset().id)
            place_.remove(drawn_id_path());
        const auto text = dataset_text(random_identity());
        const auto bytes = bytes_of(text);
        (void)place_.put(drawn_id_path(), {&bytes, 1}, wanted);
        // Before any file is staged: files whose id is lost would look foreign, and block a new dataset here.
        if (wanted == durability::on_disk)
            place_.sync_names(commits_folder);
    }
}

NDKEEP_INLINE void commit_log::check_unused() {
    auto others = place_.strangers();
    for (const auto& name : place_.list(commits_folder)) {
        // A temporary name of a record belongs to a put that is running or was killed.
        const auto meant = named_by_temporary(name);
        const std::string_view record = meant.empty() ? std::string_view(name) : meant;
        if (record != record_name(0) && (meant.empty() || !record_number(record)))
            others.push_back(commit_path(name));
    }
    // Listed before the id is read. Each writer stores the id before it stages a file, so no listed file of a writer
    // that begins at this moment is taken for a foreign one.
    const auto files = place_.list(chunks_folder);
    const auto dataset = drawn_dataset();
    if (dataset.is_foreign)
        others.push_back(drawn_id_path());
    for (const auto& name : files)
        if (!dataset.id || !is_staged_name(name, *dataset.id))
            others.push_back(chunk_path(name));
    // If another writer has made the first commit since, it has removed the file with the id, and its files only look
    // foreign.
    if (others.empty() || newest_number())
        return;
    std::sort(others.begin(), others.end());
    throw io_error(place_.path(), "cannot begin a chunked array here",
                   std::make_error_code(std::errc::directory_not_empty),
                   "there is " + ndkeep::quoted(others.front()) +
                       (others.size() == 1 ? "" : " and " + std::to_string(others.size() - 1) + " more") +
                       "; choose a directory of its own");
}

NDKEEP_INLINE std::optional<chunk_state> commit_log::read(std::uint64_t number) {
    const std::string name = record_path(number);
    const auto called = place_.called(name);
    const auto bytes = place_.get(name, longest_record);
    if (!bytes)
        return std::nullopt;
    struct table_gone {};
    const table_loader load = [&](const std::string& file, const std::string& sum, const chunk_state& state) {
        auto table = table_of(file, sum, state);
        if (table == nullptr)
            throw table_gone();
        return table;
    };
    try {
        return record_reader({bytes->data(), bytes->size()}, called, load).read(number);
    } catch (const table_gone&) {
        // Pruning removes records before files. If the record is gone by now, the table was pruned with it; if not, the
        // file was lost in another way.
        if (!exists(number))
            return std::nullopt;
        throw format_error({.file = called, .field = "table", .found = "missing"});
    }
}

NDKEEP_INLINE std::optional<commit_log::identity> commit_log::identity_of(std::uint64_t number) {
    auto state = read(number);
    if (!state)
        return std::nullopt;
    return identity{std::move(state->id), std::move(state->parent), std::move(state->skips)};
}

NDKEEP_INLINE bool commit_log::is_parent_of_next(const chunk_state& state, std::uint64_t newest) {
    std::vector<std::uint64_t> damaged;
    for (std::uint64_t next = state.number + 1; next <= newest; ++next) {
        try {
            const auto child = identity_of(next);
            // The child must skip the damaged records between. If not, one of them may have counted, and its parent,
            // which cannot be read, may be another record than `state`.
            return child && child->parent == state.id &&
                   std::all_of(damaged.begin(), damaged.end(), [&](std::uint64_t number) {
                       return std::find(child->skips.begin(), child->skips.end(), number) != child->skips.end();
                   });
        } catch (const checksum_error&) {
            damaged.push_back(next);
        }
    }
    return true;
}

NDKEEP_INLINE void commit_log::keep_tables_of(const chunk_state& state) {
    // Every fold makes a new table, so a long-lived writer would otherwise hold all tables that it has ever seen.
    std::map<std::string, std::shared_ptr<const chunk_table>> used;
    for (const auto& item : state.items)
        if (item.table != nullptr)
            used[item.table->file] = item.table;
    tables_ = std::move(used);
}

NDKEEP_INLINE void commit_log::know_table(std::shared_ptr<const chunk_table> table) {
    tables_[table->file] = std::move(table);
}

NDKEEP_INLINE commit_log::drawn_id commit_log::drawn_dataset() {
    constexpr std::uint64_t longest = 4096;
    // Its size is checked first, so that a foreign file of any size is reported as such and not as too long.
    if (const auto size = place_.size(drawn_id_path()); size && *size > longest)
        return {.is_present = true, .is_foreign = true};
    const auto bytes = place_.get(drawn_id_path(), longest);
    if (!bytes)
        return {};
    const auto called = place_.called(drawn_id_path());
    const auto text = as_text({bytes->data(), bytes->size()});
    // A power cut may leave the right length without the bytes, which then read as zeros, or only the first bytes.
    const bool is_zeros = text.find_first_not_of('\0') == std::string_view::npos;
    const auto whole_begin = dataset_text("");
    const auto begin = std::string_view(whole_begin).substr(0, whole_begin.size() - 2);  // before the id
    const bool begins = text.starts_with(begin) || begin.starts_with(text);
    drawn_id drawn{.is_present = true, .is_foreign = !is_zeros && !begins};
    try {
        const json_document document(parsed_json(text, called));
        const object_reader object(document.whole, "", called);
        if (!drawn.is_foreign)
            drawn.id = object.text("dataset");
    } catch (const format_error&) {
        // Cut short by a power cut, or foreign, which was found out above.
    }
    return drawn;
}

NDKEEP_INLINE std::shared_ptr<const chunk_table> commit_log::table_of(const std::string& file, const std::string& sum,
                                                                      const chunk_state& state) {
    const auto known = tables_.find(file);
    // A record with another sum for the same file is damage, which reading the file then reports.
    if (known != tables_.end() && known->second->sum == sum)
        return known->second;
    const std::string name = chunk_path(file);
    const auto bytes = place_.get(name, longest_table);
    // The caller finds out whether the commit was pruned or the table is lost.
    if (!bytes)
        return nullptr;
    auto table = std::make_shared<const chunk_table>(
        parse_table({bytes->data(), bytes->size()}, file, sum, state, place_.called(name)));
    tables_[file] = table;
    return table;
}

NDKEEP_INLINE io_error nothing_committed(const std::filesystem::path& where, std::string hint) {
    return {where, "nothing is committed", std::make_error_code(std::errc::no_such_file_or_directory), std::move(hint)};
}

NDKEEP_INLINE opened_state open_state(commit_log& log, std::optional<std::uint64_t> wanted) {
    place& where = log.where();
    constexpr int most_tries = 8;
    for (int tries = 0; tries < most_tries; ++tries) {
        // The newest commit may be pruned before it is locked, so the search begins again.
        const auto newest = log.newest_number();
        if (!newest)
            throw nothing_committed(where.called(commits_folder));
        const std::uint64_t number = wanted.value_or(*newest);
        opened_state opened{{}, where.locks()};
        // Before the record is read: a commit that was read and not locked could be pruned before its files are opened.
        // Without a lock the reader goes on, since a read-only place may have none.
        (void)opened.lease.lock_shared(number);
        auto state = number == 0 || number > *newest ? std::nullopt : log.read(number);
        // A displaced record was never part of the dataset, or its writer is about to remove it. `wanted` may name one.
        // The newest record always counts.
        const bool counts = state && (number == *newest || log.is_parent_of_next(*state, *newest));
        if (counts) {
            opened.state = std::move(*state);
            return opened;
        }
        if (wanted && number != *newest)
            throw conflict_error({.file = where.called(record_path(number)),
                                  .field = "commit " + std::to_string(number),
                                  .found = number > *newest ? "missing" : "pruned",
                                  .hint = "the newest is commit " + std::to_string(*newest)});
    }
    throw conflict_error(
        {.file = where.path(), .found = "other writers commit and prune faster than the newest commit can be opened"});
}

}  // namespace ndkeep::detail
