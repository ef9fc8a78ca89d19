// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/loop/detail/source/passed.hpp>.
#pragma once

#include <ndkeep/loop/detail/source/passed.hpp>

#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/text/hex.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/text/unicode.hpp>

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE item_label label_of_file(const file& opened, const array_info& info, std::uint64_t rows) {
    rows = std::min(rows, rows_of_item(info, opened.path()));
    constexpr std::uint64_t piece = std::uint64_t{64} << 10;
    item_label label;
    // Rows of a column-major file are not contiguous, and cannot be appended to it either.
    array_info part = info;
    if (!info.column_major)
        part.shape[0] = static_cast<std::size_t>(rows);
    const std::uint64_t begin = part.data_offset, size = part.nbytes();
    std::vector<std::byte> bytes;
    std::uint32_t sum = 0;
    const auto add = [&](std::uint64_t first, std::uint64_t last) {
        bytes.resize(static_cast<std::size_t>(last - first));
        opened.read(begin + first, bytes);
        sum = crc32(bytes, sum);
    };
    label.is_whole = size <= 3 * piece;
    if (label.is_whole) {
        add(0, size);
    } else {
        add(0, piece);
        add((size - piece) / 2, (size - piece) / 2 + piece);
        add(size - piece, size);
    }
    const std::string name = name_text(opened.path().filename().string());
    // NUL separates the parts, because no name contains it.
    std::string text = name + '\0' + part.type.descr() + (info.column_major ? " F" : " C");
    for (const std::size_t extent : part.shape)
        text += ' ' + std::to_string(extent);
    label.content = hash_of(text + ' ' + std::to_string(sum));
    label.stamp = hash_of(std::to_string(opened.stamp().mtime_ns), label.content);
    label.name = hash_of(name_text((opened.path().parent_path().filename() / opened.path().filename()).string()));
    return label;
}

NDKEEP_INLINE item_label label_of_text(std::string_view text) {
    const auto hash = hash_of(text);
    return {.content = hash, .stamp = hash, .name = hash, .is_whole = true};
}

NDKEEP_INLINE void passed_items::pass(std::size_t index, const item_label& label, std::uint64_t first_row,
                                      std::uint64_t rows) {
    labels_.resize(index * digits);
    for (const auto hash : {label.content, label.stamp, label.name})
        labels_ += hexadecimal(hash);
    first_row_ = first_row;
    rows_ = rows;
}

NDKEEP_INLINE json passed_items::said(std::string_view kind) const {
    json out = json::object();
    auto& members = members_of(out);
    members["kind"] = std::string(kind);
    members["items"] = size();
    members["labels"] = labels_;
    members["last_first_row"] = first_row_;
    members["last_rows"] = rows_;
    return out;
}

NDKEEP_INLINE void passed_items::read(const object_reader& said, std::uint64_t rows,
                                      const std::filesystem::path& file) {
    clear();
    const std::uint64_t items = said.count("items");
    first_row_ = said.count("last_first_row");
    rows_ = said.count("last_rows");
    bool fits = items != 0 && first_row_ <= rows && rows_ == rows - first_row_;
    if (said.find("labels") != nullptr) {
        labels_ = said.text("labels");
        fits = fits && labels_.size() % digits == 0 && size() == items;
    } else {
        old_ = {static_cast<std::size_t>(items), said.text("before"), said.text("last")};
    }
    if (!fits)
        throw malformed(file, "position in the source of the loop", "row " + std::to_string(rows),
                        std::to_string(items) + " items, the last one with " + std::to_string(rows_) +
                            " rows from row " + std::to_string(first_row_));
}

NDKEEP_INLINE item_place passed_items::resume(const std::filesystem::path& file, const present_items& present) {
    const std::size_t items = old_ ? old_->items : size();
    if (items > present.size)
        throw another_source(file, "number of items", "at least " + std::to_string(items), std::to_string(present.size),
                             "if processed files are deleted, .allow_deleted resumes");
    if (old_)
        resume_from_old(file, present);
    const std::size_t last = items - 1;
    bool is_last_present = true;
    for (std::size_t i = 0; i < items; ++i) {
        const auto label = present.label(i, i == last ? rows_ : all_rows);
        is_last_present = label.has_value();
        if (!label || is_same(i, *label))
            continue;
        // An append changes the time and leaves the rows that were processed.
        const bool is_content = hash(i, part::content) == hexadecimal(label->content);
        if (!is_content || i != last || present.rows(i) <= rows_)
            throw present.error(i, "item " + std::to_string(i + 1) + " of those processed before",
                                is_content ? "modified since" : "another one, or one that has changed since");
    }
    return is_last_present && present.rows(last) > rows_ ? item_place{last, rows_} : item_place{items, 0};
}

NDKEEP_INLINE void passed_items::resume_from_old(const std::filesystem::path& file, const present_items& present) {
    const std::size_t last = old_->items - 1;
    std::uint64_t before = hash_of("");
    for (std::size_t i = 0; i < last; ++i)
        before = hash_of(present.old_label(i) + '\n', before);
    if (hexadecimal(before) != old_->before)
        throw another_source(file, "list of items", "unchanged in the first " + std::to_string(old_->items), "changed",
                             "names, sizes and order are compared");
    // A file that has grown has another size.
    const std::string label = present.old_label(last);
    const auto name = label.substr(0, label.find_last_of(' ') + 1);
    const bool has_grown = present.can_grow && old_->last.starts_with(name) && present.rows(last) > rows_;
    if (label != old_->last && !has_grown)
        throw present.error(last, ndkeep::quoted(old_->last), ndkeep::quoted(label));
    const std::uint64_t first_row = first_row_, rows = rows_;
    for (std::size_t i = 0; i <= last; ++i)
        if (const auto found = present.label(i, i == last ? rows : all_rows))
            pass(i, *found, first_row, rows);
    old_.reset();
}

NDKEEP_INLINE std::vector<std::filesystem::path> passed_items::matched(const std::vector<std::filesystem::path>& files,
                                                                       const present_items& present) const {
    if (old_)
        return files;  // its one hash for all items cannot tell which are absent
    // Items with equal names and contents are not told apart, and need not be.
    std::unordered_map<std::string_view, std::vector<std::size_t>> by_content, by_name;
    for (std::size_t i = 0; i < size(); ++i) {
        by_content[hash(i, part::content)].push_back(i);
        by_name[hash(i, part::name)].push_back(i);
    }
    const std::size_t last = size() - 1;
    std::size_t next = 0;
    const auto find = [&](const item_label& label) -> std::optional<std::size_t> {
        const auto found = by_content.find(hexadecimal(label.content));
        if (found != by_content.end())
            for (auto at = std::lower_bound(found->second.begin(), found->second.end(), next);
                 at != found->second.end(); ++at)
                if (is_same(*at, label))
                    return *at;
        return std::nullopt;
    };

    const auto refuse = [&](std::size_t file, std::size_t item, const char* found) {
        throw present.error(file, "item " + std::to_string(item + 1) + " of those processed before", found);
    };

    std::vector<std::filesystem::path> out(size());
    // The first processed item with this hash that no file was recognised as.
    const auto unmatched = [&](const auto& items, std::uint64_t wanted) -> std::optional<std::size_t> {
        if (const auto found = items.find(hexadecimal(wanted)); found != items.end())
            for (const std::size_t i : found->second)
                if (out[i].empty())
                    return i;
        return std::nullopt;
    };
    std::vector<std::size_t> absent;                        // indices into `files`, after the last recognised file
    std::vector<std::pair<std::size_t, item_label>> fresh;  // likewise, with the label
    std::optional<std::size_t> first_new;
    for (std::size_t j = 0; j < files.size(); ++j) {
        const auto label = present.label(j, all_rows);
        if (!label) {
            // Before any new file, it may be one that is processed. After one, it is an error when it is its turn.
            if (!first_new)
                absent.push_back(j);
            continue;
        }
        auto item = find(*label);
        // The last processed file may have grown.
        if (!item && next <= last && present.rows(j) > rows_ &&
            hash(last, part::content) == hexadecimal(present.label(j, rows_)->content))
            item = last;
        if (!item) {
            if (const auto earlier = unmatched(by_content, label->content); earlier && *earlier < next)
                refuse(j, *earlier, "listed out of order");
            fresh.emplace_back(j, *label);
            first_new = first_new.value_or(j);
        } else if (first_new) {
            refuse(j, *item, ("listed after the new file " + quoted(files[*first_new].native())).c_str());
        } else {
            out[*item] = files[j];
            next = *item + 1;
            absent.clear();  // they were processed before this one
        }
    }
    // A new file must not be a processed one that was touched or changed.
    for (const auto& [j, label] : fresh) {
        if (const auto item = unmatched(by_content, label.content))
            refuse(j, *item, "modified since");
        if (const auto item = unmatched(by_name, label.name))
            refuse(j, *item, "another one, or one that has changed since");
    }
    // Of the absent files behind the last one that was recognised, as many are deleted as are processed. The others are
    // new, and an error when it is their turn.
    for (std::size_t k = std::min(absent.size(), size() - next); k < absent.size(); ++k)
        out.push_back(files[absent[k]]);
    if (first_new)
        out.insert(out.end(), files.begin() + static_cast<std::ptrdiff_t>(*first_new), files.end());
    return out;
}

NDKEEP_INLINE bool passed_items::is_same(std::size_t item, const item_label& present) const {
    return hash(item, part::stamp) == hexadecimal(present.stamp) ||
           (present.is_whole && hash(item, part::content) == hexadecimal(present.content));
}

NDKEEP_INLINE std::string_view passed_items::hash(std::size_t item, part wanted) const noexcept {
    return std::string_view(labels_).substr(item * digits + static_cast<std::size_t>(wanted) * digits_of_hash,
                                            digits_of_hash);
}

NDKEEP_INLINE std::uint64_t rows_of_item(const array_info& info, const std::filesystem::path& file, std::string field) {
    if (info.shape.empty())
        throw mismatch_error({.file = file,
                              .field = field + (field.empty() ? "" : ": ") + "shape",
                              .expected = "at least 1 dimension",
                              .found = "()"});
    return info.shape[0];
}

}  // namespace ndkeep::detail
