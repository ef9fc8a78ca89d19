// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/loop/detail/source/sources.hpp>.
#pragma once

#include <ndkeep/loop/detail/source/sources.hpp>

#include <ndkeep/text/hex.hpp>
#include <ndkeep/text/json/parser.hpp>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE void list_identity::pass(std::size_t index, std::string&& label, std::uint64_t first_row,
                                       std::uint64_t rows) {
    // A new item: the one before is complete, and its label goes into the hash.
    if (index == items_) {
        if (items_ != 0)
            hash_ = hash_of(label_ + '\n', hash_);
        ++items_;
    }
    label_ = std::move(label);
    first_row_ = first_row;
    rows_ = rows;
}

NDKEEP_INLINE json list_identity::said(std::string_view kind) const {
    json out = json::object();
    auto& members = members_of(out);
    members["kind"] = std::string(kind);
    members["items"] = items_;
    members["before"] = hexadecimal(hash_);
    members["last"] = label_;
    members["last_first_row"] = first_row_;
    members["last_rows"] = rows_;
    return out;
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
