// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/pickle/detail/conversion.hpp>.
#pragma once

#include <ndkeep/pickle/detail/conversion.hpp>

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/reader.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/pickle/detail/labels.hpp>
#include <ndkeep/text/unicode.hpp>
#include <ndkeep/tree/detail/access.hpp>
#include <ndkeep/tree/detail/document.hpp>

#include <algorithm>
#include <bit>
#include <charconv>
#include <complex>
#include <cstring>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// An array whose elements stay in the pickle's file.
class leaf_in_pickle final : public tree_leaf {
  public:
    leaf_in_pickle(std::shared_ptr<const ndkeep::file> from, array_info info, run_options run)
        : file_(std::move(from)), info_(std::move(info)), run_(std::move(run)) {}

    [[nodiscard]] const dtype& type() const override { return info_.type; }
    [[nodiscard]] const std::vector<std::size_t>& shape() const override { return info_.shape; }
    [[nodiscard]] std::filesystem::path file() const override { return file_->path(); }
    [[nodiscard]] std::shared_ptr<const any_array> array() const override {
        auto all = std::make_shared<any_array>(info_.type, info_.shape);
        read_as(conversion(info_.type), order::row_major, all->bytes().data());
        return all;
    }
    void read(const dtype& wanted, order wanted_order, std::byte* out) const override {
        const auto name = info_.type.cpp_name();
        read_as(conversion(info_.type, wanted, file(), (name.empty() ? "" : "as<" + name + "> or ") + "array()"),
                wanted_order, out);
    }
    [[nodiscard]] mapping map(const dtype& wanted, std::size_t alignment) const override {
        const conversion convert(info_.type, wanted, file());
        if (!convert.is_identity() || info_.data_offset % alignment != 0 ||
            (info_.column_major && element_reader::has_order(info_)))
            throw mismatch_error({.file = file(),
                                  .field = "array",
                                  .expected = "elements that are used as they lie in the file",
                                  .found = "others: another byte order, column-major or not aligned",
                                  .hint = "as<T, N>() copies them"});
        return mapping::open(*file_, info_.data_offset, info_.nbytes(), map_mode::read_only);
    }

  private:
    void read_as(const conversion& convert, order wanted, std::byte* out) const {
        const core::byte_source source(*file_);
        element_reader(source, info_, convert, out).run(wanted, run_);
    }

    std::shared_ptr<const ndkeep::file> file_;
    array_info info_;
    run_options run_;
};

NDKEEP_INLINE pickle_conversion::pickle_conversion(pickled_values& values, const core::byte_source& from,
                                                   std::shared_ptr<const file> kept, std::uint64_t size,
                                                   const pickle_options& options)
    : values_(values), from_(from), kept_(std::move(kept)), options_(options),
      names_(values, from, options.opaque, size), most_(values.most_spent), is_open_(values.size()) {}

NDKEEP_INLINE void pickle_conversion::refuse(std::string field, std::string expected, std::string found,
                                             std::string hint) const {
    throw malformed(from_.path(), std::move(field), std::move(expected), std::move(found), std::move(hint));
}

NDKEEP_INLINE void pickle_conversion::count(std::uint64_t bytes) {
    counted_ += std::min(bytes, most_);
    if (counted_ > most_)
        refuse("size of all values", "at most " + counted(most_, "byte"), "larger", "values are shared too often");
}

NDKEEP_INLINE void pickle_conversion::set_text(tree& out, std::string text) {
    require_utf8(text);
    count(sizeof(std::string) + text.size());
    tree_access::set(out, std::move(text));
}

NDKEEP_INLINE void pickle_conversion::require_utf8(std::string_view text) const {
    if (!core::is_utf8(text, core::surrogates::allowed))
        refuse("text", "UTF-8", ndkeep::quoted(text));
}

NDKEEP_INLINE std::string pickle_conversion::utf8_of(pickled_id id) const {
    auto text = names_.text_of(id);
    require_utf8(text);
    return text;
}

NDKEEP_INLINE tree pickle_conversion::of_bytes(pickled_id id) {
    const auto value = values_[id];
    if (value.is_in_file && kept_ != nullptr) {
        array_info info{.type = dtype::parse("|u1"), .shape = {static_cast<std::size_t>(value.y)}};
        info.data_offset = value.x;
        return tree_access::of_leaf(std::make_shared<leaf_in_pickle>(kept_, std::move(info), options_.run));
    }
    const auto text = names_.text_of(id);
    count(text.size());
    any_array made(dtype::parse("|u1"), {text.size()});
    if (!text.empty())
        std::memcpy(made.bytes().data(), text.data(), text.size());
    return tree(std::move(made));
}

NDKEEP_INLINE void pickle_conversion::add(std::vector<tree>& to, pickled_id id, std::size_t depth) {
    if (pickled_values::is_integer(id))
        tree_access::set(to.emplace_back(), pickled_values::integer(id));
    else if (pickled_values::is_real(id))
        tree_access::set(to.emplace_back(), pickled_values::real(id));
    else
        convert(id, depth, to.emplace_back());
}

NDKEEP_INLINE void pickle_conversion::convert(pickled_id id, std::size_t depth, tree& out) {
    const auto value = values_[id];
    switch (value.kind) {
    case pickled_kind::none:
        return;
    case pickled_kind::boolean:
        return tree_access::set(out, value.x != 0);
    case pickled_kind::integer:
        return tree_access::set(out, std::bit_cast<std::int64_t>(value.x));
    case pickled_kind::real:
        return tree_access::set(out, std::bit_cast<double>(value.x));
    case pickled_kind::text:
        if (value.is_in_file)
            return set_text(out, utf8_of(id));
        require_utf8(values_.text(value));
        count(sizeof(std::string) + value.y);
        return tree_access::set(out, values_.text(value));
    case pickled_kind::large: {
        auto text = names_.text_of(id);
        std::uint64_t number = 0;
        const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (problem == std::errc() && end == text.data() + text.size())
            return tree_access::set(out, number);
        return set_text(out, std::move(text));
    }
    case pickled_kind::complex_number: {
        any_array made(dtype_of<std::complex<double>>(), {});
        std::memcpy(made.bytes().data(), &value.x, 8);
        std::memcpy(made.bytes().data() + 8, &value.y, 8);
        out = tree(std::move(made));
        return;
    }
    case pickled_kind::bytes:
        out = of_bytes(id);
        return;
    case pickled_kind::old_text: {
        auto text = names_.text_of(id);
        if (core::is_utf8(text))
            return set_text(out, std::move(text));
        out = of_bytes(id);
        return;
    }
    case pickled_kind::element_type:
        return set_text(out, values_.types[value.x].is_object ? "|O" : type_of(id).str());
    case pickled_kind::global:
        if (!options_.opaque)
            refuse("object", "a value, a NumPy array or a pandas frame", "the name " + names_.full_name(id),
                   "{.opaque = true} shows it");
        return set_text(out, names_.full_name(id));
    default:
        out = container_of(id, depth);
    }
}

NDKEEP_INLINE tree pickle_conversion::container_of(pickled_id id, std::size_t depth) {
    const auto kind = values_[id].kind;
    if (depth == deepest_tree)
        refuse("depth", "at most " + ndkeep::counted(deepest_tree, "level"), "larger");
    if (id < is_open_.size() && is_open_[id])
        throw mismatched(from_.path(), "value", "one that does not contain itself",
                         std::string(pickled_kind_name(kind)) + " that contains itself");
    if (id < is_open_.size())
        is_open_[id] = true;
    auto made = kind == pickled_kind::dictionary ? dictionary_of(id, depth + 1)
                : kind == pickled_kind::array    ? array_of(id, depth)
                : kind == pickled_kind::call     ? pandas_of(id, depth + 1)
                                                 : list_of(id, depth + 1);
    if (id < is_open_.size())
        is_open_[id] = false;
    return made;
}

NDKEEP_INLINE tree pickle_conversion::list_of(pickled_id id, std::size_t depth) {
    const auto items = values_.items(id);
    count(items.size() * sizeof(tree));
    std::vector<tree> made;
    made.reserve(items.size());
    prefer_huge_pages({reinterpret_cast<std::byte*>(made.data()), items.size() * sizeof(tree)});
    for (const auto item : items)
        add(made, item, depth);
    return tree_access::of_list(std::move(made));
}

NDKEEP_INLINE std::string pickle_conversion::key_of(pickled_id id, std::size_t depth) {
    const auto value = values_[id];
    switch (value.kind) {
    case pickled_kind::none:
        return "None";
    case pickled_kind::boolean:
        return value.x != 0 ? "True" : "False";
    case pickled_kind::integer:
        return std::to_string(std::bit_cast<std::int64_t>(value.x));
    case pickled_kind::text:
        return utf8_of(id);
    case pickled_kind::large:
        return names_.text_of(id);
    case pickled_kind::bytes:
    case pickled_kind::old_text: {
        auto text = names_.text_of(id);
        return core::is_utf8(text) ? text : from_latin1(text);
    }
    case pickled_kind::tuple: {
        if (depth == deepest_tree)
            refuse("depth of keys", "at most " + ndkeep::counted(deepest_tree, "level"), "larger");
        std::string text = "(";
        for (const auto item : values_.items(id)) {
            const auto kind = values_[item].kind;
            const auto inner = key_of(item, depth + 1);
            text += (text.size() == 1 ? "" : ", ") + (kind == pickled_kind::text ? core::python_repr(inner) : inner);
            count(inner.size());
        }
        return text + (values_.items(id).size() == 1 ? ",)" : ")");
    }
    case pickled_kind::real:
        return python_text(std::bit_cast<double>(value.x));
    case pickled_kind::array:
        if (const auto& array = values_.arrays[static_cast<std::size_t>(value.x)];
            array.is_built && array.shape.empty() && !values_.types[values_[array.type].x].is_object) {
            const auto whole = array_of(id, depth).array();
            if (auto text = label_text(*whole, 0))
                return *std::move(text);
            refuse("key", "text, a number, a date or a tuple of these", "of dtype " + whole->type().str());
        }
        break;
    default:
        break;
    }
    refuse("key", "text, a number, a date or a tuple of these", std::string(pickled_kind_name(value.kind)));
}

NDKEEP_INLINE tree pickle_conversion::dictionary_of(pickled_id id, std::size_t depth) {
    const auto items = values_.items(id);
    const std::size_t size = items.size() / 2;
    count(size * (sizeof(std::string) + sizeof(tree)));
    std::vector<std::string> keys;
    keys.reserve(size);
    prefer_huge_pages({reinterpret_cast<std::byte*>(keys.data()), size * sizeof(std::string)});
    std::vector<tree> made;
    made.reserve(size);
    prefer_huge_pages({reinterpret_cast<std::byte*>(made.data()), size * sizeof(tree)});
    bool are_texts = true;
    for (std::size_t i = 0; i < size; ++i) {
        const auto key = values_[items[2 * i]];
        if (key.kind == pickled_kind::text && !key.is_in_file) {
            require_utf8(values_.text(key));
            keys.emplace_back(values_.text(key));
        } else {
            keys.push_back(key_of(items[2 * i], depth));
            are_texts = are_texts && key.kind == pickled_kind::text;
        }
        count(keys.back().size());
        add(made, items[2 * i + 1], depth);
    }
    return tree_access::of_dictionary(std::move(keys), std::move(made), [&](const std::string& key) {
        // A key that is set again replaces the value; different keys of one text would lose one.
        if (!are_texts)
            refuse("key " + ndkeep::quoted(key), "keys whose texts differ", "repeated");
    });
}

NDKEEP_INLINE const dtype& pickle_conversion::type_of(pickled_id id) {
    const auto index = values_[id].x;
    const auto& text = values_.types[index].text;
    const auto known = types_.find(index);
    if (known != types_.end())
        return known->second;
    const bool is_quoted = text.size() > 1 && text.front() == '\'' && text.back() == '\'';
    auto made = dtype::parse(is_quoted ? text.substr(1, text.size() - 2) : text, from_.path());
    return types_.emplace(index, std::move(made)).first->second;
}

NDKEEP_INLINE tree pickle_conversion::elements_of(std::span<const pickled_id> items,
                                                  const std::vector<std::uint64_t>& shape, std::size_t axis,
                                                  std::size_t& next, std::size_t depth) {
    if (axis == shape.size())
        return converted(items[next++], depth);
    if (depth == deepest_tree)
        refuse("depth", "at most " + ndkeep::counted(deepest_tree, "level"), "larger");
    tree made = tree::list();
    count(sizeof(tree));
    for (std::uint64_t i = 0; i < shape[axis]; ++i)
        made.push_back(elements_of(items, shape, axis + 1, next, depth + 1));
    return made;
}

NDKEEP_INLINE tree pickle_conversion::array_of(pickled_id id, std::size_t depth) {
    if (const auto known = arrays_.find(id); known != arrays_.end())
        return known->second;
    const auto& array = values_.arrays[values_[id].x];
    if (!array.is_built)
        refuse("array", "an array with its content", "without a content");
    std::uint64_t elements = 1;
    for (const auto extent : array.shape) {
        if (extent != 0 && elements > (std::uint64_t{1} << 62) / extent)
            refuse("array", "at most 4 EiB", "larger");
        elements *= extent;
    }
    if (values_.types[values_[array.type].x].is_object) {
        const auto items = values_.items(array.data);
        if (items.size() != elements)
            refuse("array of objects", ndkeep::counted(elements, "object"),
                   ndkeep::counted(items.size(), "object") + " long");
        std::size_t next = 0;
        return elements_of(items, array.shape, 0, next, depth);
    }
    // Arrays may share their dtype and their bytes.
    array_info info{.type = type_of(array.type), .column_major = array.is_column_major};
    count(values_.types[values_[array.type].x].text.size());
    info.shape.assign(array.shape.begin(), array.shape.end());
    const auto data = values_[array.data];
    const auto size = static_cast<std::uint64_t>(info.type.size());
    if (size != 0 && elements > (std::uint64_t{1} << 62) / size)
        refuse("array", "at most 4 EiB", "larger");
    if (data.y != elements * size)
        refuse("content of an array", ndkeep::counted(elements * size, "byte"), ndkeep::counted(data.y, "byte"));
    tree made;
    if (data.is_in_file && kept_ != nullptr) {
        info.data_offset = data.x;
        made = tree_access::of_leaf(std::make_shared<leaf_in_pickle>(kept_, std::move(info), options_.run));
    } else {
        count(elements * size);
        any_array whole(info.type, info.shape);
        const auto text = names_.text_of(array.data);
        const core::byte_source source(std::as_bytes(std::span(text.data(), text.size())), from_.path());
        element_reader(source, info, conversion(info.type), whole.bytes().data()).run(order::row_major, {.threads = 1});
        made = tree(std::move(whole));
    }
    arrays_.emplace(id, made);
    return made;
}

NDKEEP_INLINE tree pickle_conversion::object_of(pickled_id id, std::size_t depth) {
    const auto call = values_.calls[values_[id].x];
    tree made = tree::dictionary();
    set_text(made["python"], names_.full_name(call.callable));
    made["arguments"] = converted(call.arguments, depth);
    if (call.state != 0)
        made["state"] = converted(call.state, depth);
    if (call.items != 0)
        made["items"] = converted(call.items, depth);
    if (call.pairs != 0)
        made["pairs"] = converted(call.pairs, depth);
    return made;
}

}  // namespace ndkeep::detail
