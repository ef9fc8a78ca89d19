// SPDX-License-Identifier: BSD-3-Clause
#include "elements.hpp"

#include "output.hpp"
#include "time_text.hpp"
#include "value_text.hpp"
#include "values.hpp"

#include <ndkeep/element/convert.hpp>
#include <ndkeep/element/strided.hpp>
#include <ndkeep/text/unicode.hpp>

#include <algorithm>

namespace tool {

namespace {

namespace nk = ndkeep;

void add_leaves(std::vector<leaf>& out, leaf part) {
    if (!part.type.is_struct()) {
        if (part.type.size() == 0) {  // one stands for any number of empty values
            part.shape.clear();
            part.strides.clear();
        }
        return out.push_back(std::move(part));
    }
    for (const auto& field : part.type.fields()) {
        leaf inner = part;
        inner.path += (part.path.empty() ? "" : ".") + field.name;
        inner.type = field.type;
        inner.offset += static_cast<std::size_t>(field.offset);
        const auto strides =
            nk::core::strides_of(field.shape, static_cast<std::size_t>(field.type.size()), nk::order::row_major);
        inner.shape.insert(inner.shape.end(), field.shape.begin(), field.shape.end());
        inner.strides.insert(inner.strides.end(), strides.begin(), strides.end());
        add_leaves(out, std::move(inner));
    }
}

[[nodiscard]] std::string utf8(std::string text) { return nk::core::is_utf8(text) ? text : shown(text); }

}  // namespace

std::size_t leaf::count() const { return nk::core::product(shape); }

std::size_t leaf::offset_of(std::size_t number) const {
    std::size_t at = offset;
    for (std::size_t axis = shape.size(); axis-- > 0; number /= shape[axis])
        at += number % shape[axis] * static_cast<std::size_t>(strides[axis]);
    return at;
}

bool is_without_elements(const std::vector<std::size_t>& shape) {
    return std::find(shape.begin(), shape.end(), std::size_t{0}) != shape.end();
}

std::vector<leaf> leaves_of(const nk::dtype& type) {
    std::vector<leaf> out;
    add_leaves(out, {.type = type});
    return out;
}

column column_of(const leaf& part, const std::byte* elements, std::size_t item, std::size_t count) {
    const auto size = static_cast<std::size_t>(part.type.size());
    column out{.type = part.type.native(), .shape = part.shape, .count = count * part.count()};
    out.bytes = nk::core::buffer(out.count * size);
    if (out.bytes.size() == 0)
        return out;
    auto shape = part.shape;
    auto strides = part.strides;
    shape.insert(shape.begin(), count);
    strides.insert(strides.begin(), static_cast<std::ptrdiff_t>(item));
    nk::core::copy_strided(out.bytes.data(), nk::core::strides_of(shape, size, nk::order::row_major),
                           elements + part.offset, strides, shape, size);
    if (!part.type.is_native()) {
        const std::size_t width = nk::core::swap_width(part.type);
        nk::core::swap_bytes(out.bytes.data(), out.bytes.data(), out.count * (size / width), width);
    }
    return out;
}

std::string json_at(const nk::dtype& type, const std::byte* value) {
    const auto number = [](long double part) { return nk::core::json_text(static_cast<double>(part)); };
    if (type.kind() == 'b')
        return *value != std::byte{0} ? "true" : "false";
    if (type.is_integer())
        return value_text(type, value);
    if (type.is_floating_point())
        return number(real_at(type, value));
    if (type.is_complex())
        return '[' + number(real_at(type, value)) + ", " + number(imaginary_at(type, value)) + ']';
    if (!type.is_time())
        return nk::core::json_text(utf8(value_text(type, value)));
    if (integer_at(type, value) == not_a_time)
        return "null";
    return type.kind() == 'm' ? value_text(type, value) : '"' + value_text(type, value) + '"';
}

std::string json_of_element(const nk::dtype& type, const std::byte* element) {
    if (!type.is_struct())
        return json_at(type, element);
    json_object out;
    for (const auto& field : type.fields()) {
        const auto item = static_cast<std::size_t>(field.type.size());
        const std::byte* at = element + field.offset;
        const auto list_of = [&](const auto& self, std::size_t axis) -> std::string {
            if (axis == field.shape.size()) {
                const std::byte* const here = at;
                at += item;
                return json_of_element(field.type, here);
            }
            if (item == 0 || is_without_elements(field.shape))
                return "[]";
            json_list items;
            for (std::size_t i = 0; i < field.shape[axis]; ++i)
                items.add_json(self(self, axis + 1));
            return items.str();
        };
        out.add_json(utf8(field.name), list_of(list_of, 0));
    }
    return out.str();
}

}  // namespace tool
