// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/format/dtype.hpp>.
#pragma once

#include <ndkeep/format/dtype.hpp>

#include <ndkeep/format/dtype_parser.hpp>
#include <ndkeep/format/time_unit.hpp>
#include <ndkeep/text/unicode.hpp>

#include <algorithm>
#include <span>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

// The product is not checked: `structure` and the parser have checked the bytes of each field.
NDKEEP_INLINE std::uint64_t dtype::field::count() const {
    std::uint64_t values = 1;
    for (const std::size_t extent : shape)
        values *= extent;
    return values;
}

namespace detail {

NDKEEP_INLINE std::string kind_text(char kind) { return "kind " + ndkeep::quoted(std::string_view(&kind, 1)); }

/// How to print bfloat16, for which NumPy's `descr` has no name: as the bytes that NumPy writes, or by its name.
enum class bfloat16_as { bytes, name };

NDKEEP_INLINE void print_descr(std::string& out, const dtype& type, bfloat16_as as);

NDKEEP_INLINE void print_field(std::string& out, const dtype::field& field, bfloat16_as as) {
    const auto name = python_repr(field.name);
    out += '(' + (field.title.empty() ? name : '(' + python_repr(field.title) + ", " + name + ')') + ", ";
    // Nested sub-arrays print as (name, (type, inner), outer). `shape` holds the dimensions of all levels, outermost
    // first, while the text begins with the innermost level: the loop takes them from the end.
    const std::size_t outer = field.nesting.empty() ? field.shape.size() : field.nesting.front();
    out.append(field.nesting.size() > 1 ? field.nesting.size() - 1 : 0, '(');
    print_descr(out, field.type, as);
    std::size_t end = field.shape.size();
    for (std::size_t i = field.nesting.size(); i-- > 1; end -= field.nesting[i])
        out += ", " + shape_text(std::span(field.shape.data() + end - field.nesting[i], field.nesting[i])) + ')';
    if (outer > 0)
        out += ", " + shape_text(std::span(field.shape.data(), outer));
    out += ')';
}

NDKEEP_INLINE void print_descr(std::string& out, const dtype& type, bfloat16_as as) {
    if (type.kind() == 'E' && as == bfloat16_as::bytes) {
        out += native_order == byte_order::little ? "'<V2'" : "'>V2'";
        return;
    }
    if (!type.is_struct()) {
        out += '\'' + type.str() + '\'';
        return;
    }
    std::uint64_t end = 0;
    out += '[';
    // `descr` has no offsets: readers add up the sizes. Each gap must therefore be printed, as an unnamed void field,
    // which is how NumPy prints padding.
    const auto pad_to = [&](std::uint64_t offset) {
        if (offset > end)
            out += (out.back() == '[' ? "('', '|V" : ", ('', '|V") + std::to_string(offset - end) + "')";
    };
    for (const dtype::field& field : type.fields()) {
        pad_to(field.offset);
        if (out.back() != '[')
            out += ", ";
        print_field(out, field, as);
        end = field.offset + field.nbytes();
    }
    // Padding after the last field keeps the size of the struct.
    pad_to(type.size());
    out += ']';
}

}  // namespace detail

namespace core {

NDKEEP_INLINE std::string dtype_text(const dtype& type) {
    if (!type.is_struct())
        return type.str();
    std::string out;
    detail::print_descr(out, type, detail::bfloat16_as::name);
    return out;
}

NDKEEP_INLINE bool fits(const std::vector<std::size_t>& shape, std::uint64_t unit, std::uint64_t most) {
    // The limit is divided, because the product of extents from a file can exceed 64 bits.
    std::uint64_t product = std::max<std::uint64_t>(unit, 1);
    for (const std::size_t extent : shape) {
        if (extent > most / product)
            return false;
        product *= std::max<std::uint64_t>(extent, 1);
    }
    return product <= most;
}

}  // namespace core

NDKEEP_INLINE dtype dtype::plain(char kind, std::uint64_t size, byte_order order) {
    // M and m need a unit, which only `time` takes.
    if (detail::is_time_kind(kind) || !detail::has_size(kind, size) || size > largest_item)
        throw detail::malformed({}, "descr", "a NumPy dtype", detail::kind_text(kind) + " of " + counted(size, "byte"));
    dtype out;
    out.kind_ = kind;
    out.size_ = size;
    const bool ordered = size != 1 && kind != 'S' && kind != 'V' && kind != 'E';
    // NumPy prints "|" for the other types, whatever order was asked for.
    out.order_ = !ordered ? byte_order::none : order == byte_order::none ? native_order : order;
    return out;
}

NDKEEP_INLINE dtype dtype::time(char kind, std::string unit, std::int64_t multiple, byte_order order) {
    // A multiple of 0 is accepted because NumPy accepts it and writes it.
    const bool known = unit.empty() ? multiple == 1 : detail::find_unit(unit) != nullptr;
    if (!detail::is_time_kind(kind) || !known || multiple < 0 || multiple > detail::most_units)
        throw detail::malformed({}, "descr", "a NumPy date dtype",
                                detail::kind_text(kind) + " in units of " + std::to_string(multiple) + ' ' +
                                    ndkeep::quoted(unit));
    dtype out;
    out.kind_ = kind;
    out.size_ = 8;
    out.order_ = order == byte_order::none ? native_order : order;
    out.unit_ = std::move(unit);
    out.multiple_ = multiple;
    return out;
}

NDKEEP_INLINE dtype dtype::structure(std::vector<field> fields, std::uint64_t size, const std::filesystem::path& file) {
    if (size > largest_item)
        throw detail::malformed(file, "descr", "at most " + counted(largest_item, "byte"), counted(size, "byte"));
    std::uint64_t end = 0;
    // The views refer to `fields`, which moves only after their last use.
    std::vector<std::string_view> names;
    for (const field& each : fields) {
        const auto named = [&each] { return "field " + ndkeep::quoted(each.name); };
        // A Python string, and so a name in a header, can hold lone surrogates.
        if (!detail::is_utf8(each.name, detail::surrogates::allowed) ||
            !detail::is_utf8(each.title, detail::surrogates::allowed))
            throw detail::malformed(file, "descr", "names in UTF-8", named());
        // Before `nbytes` below, which multiplies without a check.
        if (!detail::fits(each.shape, each.type.size(), largest_item))
            throw detail::malformed(file, "descr", "at most " + counted(largest_item, "byte"),
                                    named() + " of shape " + shape_text(each.shape));
        // NumPy cannot write structs whose fields overlap or are out of order either.
        if (each.offset < end || each.offset > size || each.nbytes() > size - each.offset)
            throw detail::malformed(file, "descr", "ascending fields within " + counted(size, "byte"),
                                    named() + " at offset " + std::to_string(each.offset));
        end = each.offset + each.nbytes();
        // NumPy finds a field by its name or by its title, so a title must not repeat any of them.
        names.push_back(each.name);
        if (!each.title.empty())
            names.push_back(each.title);
    }
    // Sorted instead of compared in pairs: a header may have tens of thousands of fields.
    std::sort(names.begin(), names.end());
    if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end())
        throw detail::malformed(file, "descr", "different names and titles",
                                "field " + ndkeep::quoted(*twice) + " twice");
    dtype out;
    out.is_struct_ = true;
    out.size_ = size;
    out.fields_ = std::move(fields);
    return out;
}

NDKEEP_INLINE const dtype::field* dtype::find(std::string_view name) const {
    const auto found = std::find_if(fields_.begin(), fields_.end(), [&](const field& f) { return f.name == name; });
    return found == fields_.end() ? nullptr : &*found;
}

NDKEEP_INLINE bool dtype::is_native() const {
    return (order_ == byte_order::none || order_ == native_order) &&
           std::all_of(fields_.begin(), fields_.end(), [](const field& f) { return f.type.is_native(); });
}

NDKEEP_INLINE dtype dtype::native() const {
    dtype out = *this;
    if (out.order_ != byte_order::none)
        out.order_ = native_order;
    // Sizes and offsets do not depend on the byte order.
    for (field& each : out.fields_)
        each.type = each.type.native();
    return out;
}

NDKEEP_INLINE dtype dtype::stored() const {
    if (kind_ == 'E')
        return plain('V', size_);
    dtype out = *this;
    for (field& each : out.fields_)
        each.type = each.type.stored();
    return out;
}

NDKEEP_INLINE std::string dtype::str() const {
    if (kind_ == 'E')
        return "bfloat16";
    std::string out;
    out += static_cast<char>(order_);
    out += kind_;
    // NumPy counts characters of 4 bytes for U, and bytes for every other kind.
    out += std::to_string(kind_ == 'U' ? size_ / 4 : size_);
    if (!unit_.empty())
        out += '[' + (multiple_ == 1 ? "" : std::to_string(multiple_)) + unit_ + ']';
    return out;
}

NDKEEP_INLINE std::string dtype::descr() const {
    std::string out;
    detail::print_descr(out, *this, detail::bfloat16_as::bytes);
    return out;
}

NDKEEP_INLINE std::string dtype::cpp_name() const {
    switch (kind_) {
    case 'S':
        return "ndkeep::fixed_string<" + std::to_string(size_) + '>';
    case 'U':
        return "ndkeep::fixed_u32string<" + std::to_string(size_ / 4) + '>';
    case 'V':
        return is_struct_ ? "" : "ndkeep::fixed_bytes<" + std::to_string(size_) + '>';
    default:
        return std::string(detail::number_name(kind_, size_));
    }
}

NDKEEP_INLINE bool operator==(const dtype& a, const dtype& b) {
    return a.kind_ == b.kind_ && a.order_ == b.order_ && a.is_struct_ == b.is_struct_ && a.size_ == b.size_ &&
           a.multiple_ == b.multiple_ && a.unit_ == b.unit_ && a.fields_ == b.fields_;
}

}  // namespace ndkeep
