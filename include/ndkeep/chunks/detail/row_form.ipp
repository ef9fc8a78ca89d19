// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/row_form.hpp>.
#pragma once

#include <ndkeep/chunks/detail/row_form.hpp>

#include <ndkeep/chunks/detail/keys.hpp>
#include <ndkeep/chunks/detail/order.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/header.hpp>

#include <string>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

[[noreturn]] NDKEEP_INLINE void refuse_rows(const std::filesystem::path& called, const char* field,
                                            std::string expected, std::string found) {
    throw mismatched(called, field, std::move(expected), std::move(found));
}

NDKEEP_INLINE chunk_state state_for_rows(const dtype& type, const std::vector<std::size_t>& row_shape,
                                         const chunk_writer_options& options, const std::filesystem::path& called) {
    chunk_state made;
    made.type = type;
    made.row_shape = row_shape;
    made.sum = options.sum;
    made.order_by = options.order_by.first();
    made.then_by = options.order_by.second();
    (void)checked_nbytes(type, row_shape, called);  // the product of the extents could overflow
    if (type.size() == 0)
        refuse_rows(called, "size of an element", "at least 1 byte", "0 bytes");
    // Each kind of checksum is one bit. `bits & (bits - 1)` is 0 if at most one bit is set.
    constexpr unsigned kinds = 7;
    if (const auto bits = static_cast<unsigned>(made.sum); bits > kinds || (bits & (bits - 1)) != 0)
        refuse_rows(called, "sum", "one checksum", "several checksums");
    if (!made.order_by) {
        if (options.rows_per_chunk.is_period())
            refuse_rows(called, "order_by", "an order, whose keys chunk_period divides", "none");
        return made;
    }
    const auto is_single = [&](const std::string& name) {
        const auto* const field = type.find(name);
        return field != nullptr && field->shape.empty();
    };
    if (!row_shape.empty() || (made.order_by->empty() ? type.is_struct() : !is_single(*made.order_by)) ||
        (!made.then_by.empty() && (made.then_by == *made.order_by || !is_single(made.then_by))))
        refuse_rows(called, "order_by",
                    "a field of a 1-d array of structs, two of them, or \"\" for a 1-d array of numbers",
                    order_text(made));
    for (const dtype& keys : {key_type(made), second_key_type(made)})
        if (keys.size() != 0 && !with_number(keys, [](auto) {}))
            refuse_rows(called, "order_by", "numbers or dates in this machine's byte order", keys.descr());
    if (options.rows_per_chunk.is_period())
        (void)options.rows_per_chunk.period(key_type(made), called);
    return made;
}

NDKEEP_INLINE void check_rows(const chunk_state& there, const dtype& type, const std::vector<std::size_t>& row_shape,
                              const std::filesystem::path& called) {
    const conversion fits(type, there.type, called);
    if (row_shape != there.row_shape)
        refuse_rows(called, "shape of a row", shape_text(there.row_shape), shape_text(row_shape));
}

}  // namespace ndkeep::detail
