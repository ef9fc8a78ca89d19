// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/pickle/detail/conversion.hpp>: pandas objects, whose arrays are found in what pandas would be given
// to make them.
#pragma once

#include <ndkeep/pickle/detail/conversion.hpp>

#include <ndkeep/array/any.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/pickle/detail/labels.hpp>
#include <ndkeep/tree/detail/access.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE pickle_name pickle_conversion::class_of(pickled_id id) const {
    const auto value = values_[id];
    return value.kind == pickled_kind::call ? names_.name_of(values_.calls[value.x].callable) : pickle_name::unknown;
}

NDKEEP_INLINE pickled_id pickle_conversion::member_of(pickled_id dictionary, std::string_view name) {
    if (values_[dictionary].kind != pickled_kind::dictionary)
        return 0;
    const auto items = values_.items(dictionary);
    count(items.size());
    for (std::size_t i = 0; i + 1 < items.size(); i += 2)
        if (values_[items[i]].kind == pickled_kind::text && values_[items[i]].y == name.size() &&
            names_.text_of(items[i]) == name)
            return items[i + 1];
    return 0;
}

NDKEEP_INLINE std::span<const pickled_id> pickle_conversion::arguments_of(pickled_id call, std::size_t least) const {
    const auto items = values_.items(values_.calls[values_[call].x].arguments);
    if (items.size() < least)
        refuse("argument list of " + names_.full_name(values_.calls[values_[call].x].callable),
               counted(least, "argument"), std::to_string(items.size()));
    return items;
}

NDKEEP_INLINE tree pickle_conversion::pandas_of(pickled_id id, std::size_t depth) {
    const auto call = values_.calls[values_[id].x];
    switch (class_of(id)) {
    case pickle_name::index:
        return index_of(id, depth);
    case pickle_name::frame: {
        const auto manager = member_of(call.state, "_mgr");
        if (class_of(manager) != pickle_name::block_manager)
            refuse("DataFrame", "blocks as pandas 1.1 to 2 writes them", "of another version of pandas");
        return frame_of(manager, depth);
    }
    case pickle_name::series: {
        const auto manager = member_of(call.state, "_mgr");
        if (class_of(manager) != pickle_name::series_manager)
            refuse("Series", "a block as pandas 1 and 2 write it", "of another version of pandas");
        const auto [index, values] = parts_of_series(manager);
        tree made = tree::dictionary();
        made["index"] = converted(index, depth);
        add_name(made, "index_name", index, depth);
        made["values"] = values_of(values, depth);
        auto name = member_of(call.state, "_name");
        if (name == 0)
            name = member_of(call.state, "name");
        made["name"] = converted(name, depth);
        return made;
    }
    case pickle_name::offset:
        if (!options_.opaque)
            refuse("object", "a value, a NumPy array or a pandas frame", names_.shown_name(call.callable),
                   "{.opaque = true} shows it");
        [[fallthrough]];
    default:
        return object_of(id, depth);
    }
}

NDKEEP_INLINE std::pair<pickled_id, pickled_id> pickle_conversion::parts_of_series(pickled_id manager) {
    const auto& call = values_.calls[values_[manager].x];
    const auto only = [&](pickled_id list) {
        const auto items = values_.items(sequence(list));
        if (items.size() != 1)
            refuse("Series", "one axis and one block", "of " + std::to_string(items.size()));
        return items[0];
    };
    // pandas 2 gives the parts as arguments, pandas 1 as a state with the version of its form.
    if (!values_.items(call.arguments).empty()) {
        const auto arguments = arguments_of(manager, 2);
        const auto made = only(arguments[0]);
        if (class_of(made) != pickle_name::block)
            refuse("content of a Series", "a block", std::string(pickled_kind_name(values_[made].kind)));
        return {only(arguments[1]), arguments_of(made, 3)[0]};
    }
    if (values_[call.state].kind != pickled_kind::tuple || values_.items(call.state).empty())
        refuse("Series", "a block as pandas 1 and 2 write it", "of another version of pandas");
    const auto parts = member_of(values_.items(call.state).back(), "0.14.1");
    return {only(member_of(parts, "axes")), member_of(only(member_of(parts, "blocks")), "values")};
}

NDKEEP_INLINE pickled_id pickle_conversion::sequence(pickled_id id) const {
    const auto kind = values_[id].kind;
    if (kind != pickled_kind::list && kind != pickled_kind::tuple)
        refuse("part of a pandas object", "a list", std::string(pickled_kind_name(kind)));
    return id;
}

NDKEEP_INLINE pickled_id pickle_conversion::plain_values(pickled_id id) const {
    // Dates are in an object around their array. Other such objects have values that mean something else, as codes of
    // categories do.
    if (class_of(id) == pickle_name::array_around) {
        const auto& call = values_.calls[values_[id].x];
        const auto arguments = values_.items(call.arguments);
        const auto name = arguments.empty() ? std::string() : names_.full_name(arguments[0]);
        pickled_id found = 0;
        bool is_plain =
            values_[call.state].kind == pickled_kind::tuple && (name == "pandas.core.arrays.datetimes.DatetimeArray" ||
                                                                name == "pandas.core.arrays.timedeltas.TimedeltaArray");
        if (is_plain)
            for (const auto part : values_.items(call.state)) {
                const auto kind = values_[part].kind;
                if (kind == pickled_kind::array)
                    found = part;
                else  // a time zone is in a dtype of pandas, which is a call
                    is_plain = is_plain && kind != pickled_kind::call;
            }
        if (is_plain && found != 0)
            return found;
    }
    return values_[id].kind == pickled_kind::array ? id : 0;
}

NDKEEP_INLINE tree pickle_conversion::values_of(pickled_id id, std::size_t depth) {
    if (const auto plain = plain_values(id); plain != 0)
        return converted(plain, depth);
    if (!options_.opaque || values_[id].kind != pickled_kind::call)
        refuse("pandas column", "plain values", "an extension array", "convert it with to_numpy() in Python");
    return object_of(id, depth);
}

NDKEEP_INLINE void pickle_conversion::add_name(tree& to, std::string_view member, pickled_id index, std::size_t depth) {
    if (class_of(index) != pickle_name::index)
        return;
    if (const auto name = member_of(arguments_of(index, 2)[1], "name"); name != 0)
        to[member] = converted(name, depth);
}

NDKEEP_INLINE std::vector<std::string> pickle_conversion::labels_of(pickled_id index, std::size_t depth) {
    std::vector<std::string> labels;
    const auto add = [&](std::string label) {
        count(sizeof(std::string) + label.size());
        labels.push_back(std::move(label));
    };
    const auto data = class_of(index) == pickle_name::index ? member_of(arguments_of(index, 2)[1], "data") : 0;
    if (const auto plain = data == 0 ? 0 : plain_values(data);
        plain != 0 && values_[plain].kind == pickled_kind::array) {
        const auto& array = values_.arrays[static_cast<std::size_t>(values_[plain].x)];
        if (array.is_built && array.shape.size() == 1 && values_.types[values_[array.type].x].is_object) {
            for (const auto item : values_.items(array.data))
                add(key_of(item, depth));
            return labels;
        }
    }
    const auto names = converted(index, depth);
    if (!names.is_array() || names.shape().size() != 1)
        refuse("columns of a DataFrame", "an Index of plain values", "of another form");
    const auto all = names.array();
    for (std::size_t i = 0; i < all->size(); ++i) {
        auto label = label_text(*all, i);
        if (!label)
            refuse("label of a column", "text, a number or a date", "of dtype " + all->type().str());
        add(*std::move(label));
    }
    return labels;
}

NDKEEP_INLINE tree pickle_conversion::index_of(pickled_id id, std::size_t depth) {
    const auto members = arguments_of(id, 2)[1];
    if (const auto data = member_of(members, "data"); data != 0)
        return values_of(data, depth);
    const auto number = [&](std::string_view name) {
        const auto value = values_[member_of(members, name)];
        if (value.kind != pickled_kind::integer)
            refuse("pandas Index", "plain values", "of another kind", "reset_index() in Python makes columns of it");
        return std::bit_cast<std::int64_t>(value.x);
    };
    const auto start = number("start"), stop = number("stop"), step = number("step");
    constexpr std::int64_t far = std::int64_t{1} << 60;  // no sum of two overflows
    if (step == 0 || start < -far || start > far || stop < -far || stop > far || step < -far || step > far)
        refuse("RangeIndex", "start, stop and step", "of another form");
    const auto distance = step > 0 ? stop - start : start - stop;
    const auto size = step > 0 ? step : -step;
    const auto rows = distance <= 0 ? 0 : static_cast<std::uint64_t>((distance - 1) / size + 1);
    count(rows * 8);  // it takes no bytes in the file
    any_array made(dtype_of<std::int64_t>(), {static_cast<std::size_t>(rows)});
    auto value = start;
    for (std::uint64_t i = 0; i < rows; ++i, value += step)
        std::memcpy(made.bytes().data() + 8 * i, &value, 8);
    return tree(std::move(made));
}

NDKEEP_INLINE std::vector<std::size_t> pickle_conversion::places_of(pickled_id id) {
    std::vector<std::size_t> places;
    const auto add = [&](std::int64_t at) {
        count(sizeof(std::size_t));
        places.push_back(static_cast<std::size_t>(at));
    };
    if (values_[id].kind == pickled_kind::dictionary) {
        const auto number = [&](std::string_view name) -> std::int64_t {
            const auto value = values_[member_of(id, name)];
            return value.kind == pickled_kind::integer ? std::bit_cast<std::int64_t>(value.x) : 1;
        };
        constexpr std::int64_t most = std::int64_t{1} << 40;
        const auto start = number("start"), stop = number("stop"), step = number("step");
        if (start < 0 || stop > most || step < 1 || step > most)
            refuse("places of columns", "a slice of the columns", "another slice");
        for (auto at = start; at < stop; at += step)
            add(at);
        return places;
    }
    if (values_[id].kind != pickled_kind::array)
        refuse("places of columns", "integers or a slice", std::string(pickled_kind_name(values_[id].kind)));
    const auto given = array_of(id, 0);
    if (!given.is_array() || given.type().size() != 8 || given.type().kind() != 'i')
        refuse("places of columns", "integers or a slice", "of another form");
    const auto all = given.as<std::int64_t>();
    for (const auto at : all)
        add(at);
    return places;
}

NDKEEP_INLINE tree pickle_conversion::frame_of(pickled_id manager, std::size_t depth) {
    const auto arguments = arguments_of(manager, 2);
    const auto blocks = values_.items(sequence(arguments[0]));
    const auto axes = values_.items(sequence(arguments[1]));
    if (axes.size() != 2)
        refuse("DataFrame", "two axes", "of " + counted(axes.size(), "axis"));
    const auto names = labels_of(axes[0], depth);
    count(names.size() * sizeof(std::optional<tree>));
    std::vector<std::optional<tree>> columns(names.size());
    for (const auto block : blocks) {
        if (class_of(block) != pickle_name::block)
            refuse("block of a DataFrame", "a block", std::string(pickled_kind_name(values_[block].kind)));
        const auto parts = arguments_of(block, 3);
        const auto all = values_of(parts[0], depth);
        // Read once for all columns.
        const auto whole = all.is_array() ? all.array() : shared_array(std::make_shared<const any_array>());
        const auto places = places_of(parts[1]);
        for (std::size_t row = 0; row < places.size(); ++row) {
            if (places[row] >= columns.size() || columns[places[row]])
                refuse("column " + std::to_string(places[row]), "each column once", "out of range or repeated");
            columns[places[row]] =
                all.is_array() ? row_of(all, *whole, row, places.size()) : item_of(all, row, places.size());
        }
    }
    tree made = tree::dictionary();
    made["index"] = converted(axes[1], depth);
    add_name(made, "index_name", axes[1], depth);
    auto& out = made["columns"];
    out = tree::dictionary();
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (!columns[i])
            refuse("column " + std::to_string(i), "in a block", "missing");
        const auto& name = names[i];
        if (out.contains(name))
            refuse("column " + ndkeep::quoted(name), "columns with different names", "repeated");
        out[name] = *std::move(columns[i]);
    }
    return made;
}

NDKEEP_INLINE tree pickle_conversion::item_of(const tree& block, std::size_t row, std::size_t rows) const {
    if (block.is_dictionary() && rows == 1)
        return block;  // an opaque object
    if (!block.is_list() || block.size() != rows)
        refuse("block of a DataFrame", ndkeep::counted(rows, "column"), "of another form");
    return block.at(row);
}

NDKEEP_INLINE tree pickle_conversion::row_of(const tree& block, const any_array& whole, std::size_t row,
                                             std::size_t rows) {
    // Blocks of extension arrays have one column and one axis.
    const auto& shape = whole.shape();
    if (shape.size() == 1 && rows == 1)
        return block;
    if (shape.size() != 2 || shape[0] != rows)
        refuse("shape of a block", ndkeep::counted(rows, "row"), shape_text(shape));
    count(whole.bytes().size() / rows);
    any_array made(whole.type(), {shape[1]});
    const std::size_t bytes = made.bytes().size();
    if (bytes != 0)
        std::memcpy(made.bytes().data(), whole.bytes().data() + row * bytes, bytes);
    return tree(std::move(made));
}

}  // namespace ndkeep::detail
