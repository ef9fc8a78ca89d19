// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/pickle/detail/globals.hpp>: dtypes of NumPy, from words, descriptions and states.
#pragma once

#include <ndkeep/pickle/detail/globals.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/text/unicode.hpp>

#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Bytes in memory that are counted for a character of the description of a dtype, which takes longer to read than
/// other values and becomes a list of fields.
inline constexpr std::uint64_t type_bytes = 16;

NDKEEP_INLINE pickled_id pickle_globals::add_dtype(std::string text) {
    constexpr std::size_t longest = 100;  // of a word; structs have a state
    if (text.size() > longest)
        refuse("dtype", "one word", ndkeep::quoted(text));
    const bool is_object =
        text == "O" || text == "|O" || text == "O8" || text == "|O8" || text == "O4" || text == "|O4";
    values_.types.push_back({std::move(text), is_object});
    return values_.add(pickled_kind::element_type, values_.types.size() - 1);
}

NDKEEP_INLINE pickled_id pickle_globals::dtype_of_spec(pickled_id callable, std::span<const pickled_id> arguments) {
    if (arguments.empty())
        refuse_arguments(callable);
    const auto spec = arguments[0];
    if (name_of(spec) == pickle_name::record_class)
        return add_dtype("V");
    const auto kind = values_[spec].kind;
    if (is_text(spec)) {
        // A state that follows may say the byte order.
        const auto made = add_dtype(text_of(spec));
        auto& type = values_.types[values_[made].x];
        if (!type.is_object && type.text != "V" && type.text.find_first_of("<>|") == 0)
            set_text(type, type.text);
        return made;
    }
    if (kind != pickled_kind::dictionary)
        refuse_arguments(callable);
    const auto made = add_dtype({});
    const auto text = spec_text(spec, 0);
    auto& type = values_.types[values_[made].x];
    type.item_size = dtype::parse(text, from_.path()).size();
    type.text = text;
    return made;
}

NDKEEP_INLINE void pickle_globals::set_text(pickled_dtype& type, const std::string& text) const {
    type.item_size = dtype::parse(text, from_.path()).size();
    type.text = '\'' + text + '\'';
}

NDKEEP_INLINE std::string pickle_globals::spec_text(pickled_id spec, std::size_t depth) const {
    constexpr std::size_t deepest = 32;
    if (depth == deepest)
        refuse("dtype", "at most 32 levels deep", "deeper");
    const auto value = values_[spec];
    if (value.kind == pickled_kind::text) {
        constexpr std::uint64_t longest = 100;
        if (value.y > longest)
            refuse("dtype", "one word", "text of " + ndkeep::counted(value.y, "byte"));
        return core::python_repr(text_of(spec));
    }
    const auto found = [&](std::string_view name, pickled_kind kind) {
        const auto items = values_.items(spec);
        for (std::size_t i = 0; i + 1 < items.size(); i += 2)
            if (values_[items[i]].kind == pickled_kind::text && values_[items[i]].y == name.size() &&
                text_of(items[i]) == name && values_[items[i + 1]].kind == kind)
                return items[i + 1];
        return pickled_id{0};
    };
    const auto member = [&](std::string_view name, pickled_kind kind) {
        const auto value_of = found(name, kind);
        if (value_of == 0)
            refuse("dtype", "described by " + std::string(name), "without " + std::string(name));
        return value_of;
    };
    if (value.kind != pickled_kind::dictionary)
        refuse("dtype", "text or a dictionary", std::string(pickled_kind_name(value.kind)));
    const auto names = values_.items(member("names", pickled_kind::list));
    const auto formats = values_.items(member("formats", pickled_kind::list));
    const auto offsets = values_.items(member("offsets", pickled_kind::list));
    const auto size = integer_of(member("itemsize", pickled_kind::integer));
    const auto titles = found("titles", pickled_kind::list);
    spend(type_bytes * (values_.items(spec).size() + names.size() + 1));
    if (names.size() != formats.size() || names.size() != offsets.size() ||
        (titles != 0 && names.size() != values_.items(titles).size()))
        refuse("dtype", "as many formats and offsets as names", "of other numbers");
    std::string text = "[";
    std::int64_t at = 0;
    const auto pad = [&](std::int64_t to) {
        if (to < at)
            refuse("field of a dtype", "behind the one before it", "overlapping or in another order",
                   "numpy.lib.recfunctions.repack_fields in Python puts fields in order");
        if (to > static_cast<std::int64_t>(largest_item))
            refuse("element size of a dtype", "at most 2 GiB", std::to_string(to) + " bytes");
        if (to > at)
            text += "('', '|V" + std::to_string(to - at) + "'), ";
        at = to;
    };
    for (std::size_t i = 0; i < names.size(); ++i) {
        pad(integer_of(offsets[i]));
        std::string type, extents;
        if (values_[formats[i]].kind == pickled_kind::tuple && values_.items(formats[i]).size() == 2) {
            type = spec_text(values_.items(formats[i])[0], depth + 1);
            for (const auto extent : shape_of(values_.items(formats[i])[1]))
                extents += std::to_string(extent) + ", ";
            extents = ", (" + extents + ')';
        } else {
            type = spec_text(formats[i], depth + 1);
        }
        auto name = core::python_repr(text_of(names[i]));
        if (titles != 0 && values_.items(titles)[i] != 0)
            name = '(' + core::python_repr(text_of(values_.items(titles)[i])) + ", " + name + ')';
        const auto field = '(' + name + ", " + type + extents + ')';
        spend(type_bytes * field.size());
        at += static_cast<std::int64_t>(dtype::parse('[' + field + ']', from_.path()).size());
        text += field + ", ";
    }
    pad(size);
    return text + ']';
}

NDKEEP_INLINE std::string pickle_globals::struct_text(pickled_id names, pickled_id fields,
                                                      std::int64_t item_size) const {
    if (values_[names].kind != pickled_kind::tuple || values_[fields].kind != pickled_kind::dictionary)
        refuse("fields of a dtype", "names and a dictionary", "of another form");
    std::string text = "[";
    std::int64_t at = 0;
    const auto pad = [&](std::int64_t to) {
        if (to < at)
            refuse("field of a dtype", "behind the one before it", "overlapping or in another order",
                   "numpy.lib.recfunctions.repack_fields in Python puts fields in order");
        if (to > static_cast<std::int64_t>(largest_item))
            refuse("element size of a dtype", "at most 2 GiB", std::to_string(to) + " bytes");
        if (to > at)
            text += "('', '|V" + std::to_string(to - at) + "'), ";
        at = to;
    };
    // By name, because each name would be searched among all.
    const auto members = values_.items(fields);
    const auto listed = values_.items(names);
    spend(type_bytes * (members.size() + listed.size() + 1));
    std::map<std::string, pickled_id, std::less<>> by_name;
    for (std::size_t i = 0; i + 1 < members.size(); i += 2)
        if (is_text(members[i])) {
            auto name = text_of(members[i]);
            spend(name.size());
            by_name.insert_or_assign(std::move(name), members[i + 1]);
        }
    for (const auto name : listed) {
        const auto wanted = text_of(name);
        const auto found = by_name.find(wanted);
        if (found == by_name.end() || values_[found->second].kind != pickled_kind::tuple)
            refuse("field " + ndkeep::quoted(wanted) + " of a dtype", "a dtype and an offset", "missing");
        // (dtype, offset[, title])
        const auto& parts = values_.items(found->second);
        if (parts.size() < 2 || values_[parts[0]].kind != pickled_kind::element_type)
            refuse("field " + ndkeep::quoted(wanted) + " of a dtype", "a dtype and an offset", "missing");
        const auto& type = values_.types[values_[parts[0]].x];
        if (type.is_object)
            refuse("field " + ndkeep::quoted(wanted) + " of a dtype", "bytes", "a reference to an object");
        pad(integer_of(parts[1]));
        auto shown = core::python_repr(wanted);
        if (parts.size() > 2 && is_text(parts[2]))
            shown = '(' + core::python_repr(text_of(parts[2])) + ", " + shown + ')';
        spend(type_bytes * (shown.size() + type.text.size()));
        text += '(' + shown + ", " + type.text + "), ";
        at += static_cast<std::int64_t>(type.item_size);
    }
    pad(item_size);
    text += ']';
    return text;
}

NDKEEP_INLINE void pickle_globals::build_dtype(pickled_id object, std::span<const pickled_id> state) {
    // (version, byte order, sub-array, names, fields, bytes, alignment, flags[, metadata])
    if (state.size() < 8)
        refuse("state of a dtype", "8 parts or more", counted(state.size(), "part"));
    auto& type = values_.types[values_[object].x];
    const auto order = text_of(state[1]);
    if (order != "<" && order != ">" && order != "|" && order != "=")
        refuse("byte order", "'<', '>', '=' or '|'", ndkeep::quoted(order));
    if (state[3] != 0) {
        auto text = struct_text(state[3], state[4], integer_of(state[5]));
        type.item_size = dtype::parse(text, from_.path()).size();
        type.text = std::move(text);
        return;
    }
    if (state[2] != 0) {
        if (values_[state[2]].kind != pickled_kind::tuple || values_.items(state[2]).size() != 2 ||
            values_[values_.items(state[2])[0]].kind != pickled_kind::element_type)
            refuse("sub-array of a dtype", "a dtype and a shape", "of another form");
        const auto& parts = values_.items(state[2]);
        const auto& base = values_.types[values_[parts[0]].x];
        std::string shape;
        std::uint64_t bytes = base.item_size;
        for (const auto extent : shape_of(parts[1])) {
            shape += std::to_string(extent) + ", ";
            if (extent != 0 && bytes > largest_item / extent)
                refuse("sub-array of a dtype", "at most 2 GiB", "larger");
            bytes *= extent;
        }
        spend(type_bytes * (base.text.size() + shape.size()));
        type.item_size = bytes;
        type.text = base.text + ", (" + shape + ')';
        return;
    }
    if (type.is_object)
        return;
    const auto spec = type.text;
    std::string text = spec;
    if (!text.empty() && std::string_view("<>|=").find(text[0]) != std::string_view::npos)
        text.erase(0, 1);
    const bool is_time = text.starts_with("M8") || text.starts_with("m8");
    if (is_time && state.size() > 8 && values_[state[8]].kind == pickled_kind::tuple) {
        const auto metadata = values_.items(state[8]);
        const auto unit = metadata.size() == 2 && values_[metadata[1]].kind == pickled_kind::tuple
                              ? values_.items(metadata[1])
                              : std::span<const pickled_id>();
        if (unit.size() < 2)
            refuse("time unit of a dtype", "a name and a number", "of another form");
        const auto name = text_of(unit[0]);
        const auto count = integer_of(unit[1]);
        text = text.substr(0, 2);
        if (name != "generic")
            text += '[' + (count == 1 ? std::string() : std::to_string(count)) + name + ']';
    }
    text.insert(0, order == "=" ? "<" : order);
    type.item_size = dtype::parse(text, from_.path()).size();
    type.text = '\'' + text + '\'';
}

}  // namespace ndkeep::detail
