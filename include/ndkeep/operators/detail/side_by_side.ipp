// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/operators/side_by_side.hpp>.
#pragma once

#include <ndkeep/operators/side_by_side.hpp>

#include <ndkeep/element/strided.hpp>
#include <ndkeep/error.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE any_array side_by_side(const std::vector<side_part>& parts) {
    std::vector<dtype::field> fields;
    std::set<std::string> names;
    std::uint64_t size = 0;
    for (const auto& part : parts) {
        const auto& rows = part.rows;
        const std::string what = "part " + ndkeep::quoted(part.prefix);
        if (rows.shape().empty() || rows.shape()[0] != parts[0].rows.shape()[0])
            throw mismatch_error(
                {.field = what,
                 .expected = parts[0].rows.shape().empty() ? "rows" : counted(parts[0].rows.shape()[0], "row"),
                 .found = "shape " + shape_text(rows.shape())});
        const auto add = [&](dtype::field field) {
            if (field.name.empty() || !names.insert(field.name).second)
                throw mismatch_error({.field = what,
                                      .expected = "another name for each field",
                                      .found = field.name.empty() ? "no name" : ndkeep::quoted(field.name) + " again",
                                      .hint = "give a prefix"});
            field.title.clear();
            field.nesting.clear();
            field.shape.insert(field.shape.begin(), rows.shape().begin() + 1, rows.shape().end());
            field.offset = size;
            size += field.nbytes();
            fields.push_back(std::move(field));
        };
        if (rows.type().is_struct())
            for (auto field : rows.type().fields()) {
                field.name.insert(0, part.prefix);
                add(std::move(field));
            }
        else
            add({.name = part.prefix, .type = rows.type()});
    }
    const auto places = fields;
    any_array table(dtype::structure(std::move(fields), size),
                    {parts.empty() ? std::size_t{0} : parts[0].rows.shape()[0]});

    std::size_t place = 0;
    for (const auto& part : parts) {
        // The elements in row-major order, where they are if they can be.
        const bool is_in_place = part.rows.contiguous() != nullptr && !part.rows.column_major();
        const any_array copy = is_in_place ? any_array() : any_array(part.rows);
        const std::byte* const elements = is_in_place ? part.rows.contiguous() : copy.bytes().data();
        const auto item = static_cast<std::size_t>(part.rows.type().size());
        const std::size_t items = detail::product({part.rows.shape().begin() + 1, part.rows.shape().end()});
        const auto of_part = part.rows.type().is_struct() ? part.rows.type().fields() : std::vector<dtype::field>(1);
        for (const auto& from : of_part) {
            const auto& to = places[place++];
            if (table.size() == 0 || items == 0)
                continue;
            const auto bytes = static_cast<std::size_t>(to.nbytes()) / items;
            for (std::size_t i = 0; i < items; ++i)
                detail::copy_run(table.bytes().data() + to.offset + i * bytes, static_cast<std::ptrdiff_t>(size),
                                 elements + i * item + from.offset, static_cast<std::ptrdiff_t>(items * item),
                                 table.size(), bytes);
        }
    }
    return table;
}

}  // namespace ndkeep
