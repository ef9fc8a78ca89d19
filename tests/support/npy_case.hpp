// SPDX-License-Identifier: BSD-3-Clause
// Checks of one npy file against NumPy's description of it, shared by both collections of such files.
#pragma once

#include "support/sha256.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/npy.hpp>

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace npy_case {

using json = nlohmann::json;

/// Replaces halves of surrogate pairs, which NumPy's text and Python's JSON may hold but a JSON parser rejects.
[[nodiscard]] inline std::string without_lone_surrogates(std::string text) {
    const auto is_half = [&](std::size_t at, std::string_view second_digits) {
        return text.compare(at, 3, "\\ud") == 0 && second_digits.find(text[at + 3]) != std::string_view::npos;
    };
    for (std::size_t at = 0; (at = text.find('\\', at)) < text.size() - 6; at += 2) {
        if (is_half(at, "89ab") && is_half(at + 6, "cdef"))
            at += 10;
        else if (is_half(at, "89abcdef"))
            text.replace(at, 6, "\\ufffd");
    }
    return text;
}

/// Size in bytes of a value of this dtype without padding.
[[nodiscard]] inline std::size_t packed_size(const ndkeep::dtype& type) {
    if (!type.is_struct())
        return static_cast<std::size_t>(type.size());
    std::size_t size = 0;
    for (const auto& field : type.fields())
        size += static_cast<std::size_t>(field.count()) * packed_size(field.type);
    return size;
}

inline void pack(std::string& out, const ndkeep::dtype& type, const char* value) {
    const auto size = static_cast<std::size_t>(type.size());
    if (type.is_struct()) {
        for (const auto& field : type.fields())
            for (std::size_t i = 0; i < field.count(); ++i)
                pack(out, field.type, value + field.offset + i * static_cast<std::size_t>(field.type.size()));
        return;
    }
    const char kind = type.kind();
    const std::size_t unit = kind == 'c' ? size / 2 : kind == 'U' ? 4 : kind == 'S' || kind == 'V' ? 1 : size;
    const bool big = static_cast<char>(type.order()) == '>';
    for (std::size_t at = 0; at < size; at += unit)
        for (std::size_t i = 0; i < unit; ++i)
            out += value[at + (big ? unit - 1 - i : i)];
}

/// Contiguous elements without padding, with little-endian numbers: the input of the collections' digests.
[[nodiscard]] inline std::string packed(const ndkeep::dtype& type, std::span<const std::byte> elements) {
    std::string out;
    const auto size = static_cast<std::size_t>(type.size());
    for (std::size_t at = 0; size != 0 && at < elements.size(); at += size)
        pack(out, type, reinterpret_cast<const char*>(elements.data() + at));
    return out;
}

/// Converts elements from column-major to row-major order.
[[nodiscard]] inline std::string rows_of_columns(const std::vector<std::size_t>& shape, std::size_t item,
                                                 std::string_view columns) {
    std::vector<std::size_t> index(shape.size());
    std::string rows;
    while (rows.size() < columns.size()) {
        std::size_t number = 0;
        for (std::size_t axis = shape.size(); axis-- > 0;)
            number = number * shape[axis] + index[axis];
        rows += columns.substr(number * item, item);
        for (std::size_t axis = shape.size(); axis-- > 0 && ++index[axis] == shape[axis];)
            index[axis] = 0;
    }
    return rows;
}

/// Text for JSON: halves of surrogate pairs, which Python and NumPy can hold, become U+FFFD.
[[nodiscard]] inline std::string json_text(std::string text) {
    for (std::size_t at = 0; (at = text.find('\xed', at)) != std::string::npos; at += 3)
        if (at + 2 < text.size() && static_cast<unsigned char>(text[at + 1]) >= 0xa0)
            text.replace(at, 3, "\xef\xbf\xbd");
    return text;
}

/// A Python literal as JSON, as in the collections: tuples are lists.
[[nodiscard]] inline json json_of(const ndkeep::literal& value) {
    using kind = ndkeep::literal::kind;
    if (value.is == kind::text)
        return json_text(value.text);
    if (value.is == kind::integer)
        return value.magnitude;
    auto list = json::array();
    for (const auto& item : value.items)
        list.push_back(json_of(item));
    return list;
}

[[nodiscard]] inline json json_of(const ndkeep::dtype& type) {
    return json_of(ndkeep::parse_literal(type.descr(), {}, {.nesting = 1000, .field = "descr"}));
}

[[nodiscard]] inline std::vector<std::size_t> shape_in(const json& facts) {
    return facts.at("shape").get<std::vector<std::size_t>>();
}

[[nodiscard]] inline std::string digits_of(std::string_view bytes) {
    std::string out;
    for (const char byte : bytes)
        for (const int shift : {4, 0})
            out += "0123456789abcdef"[static_cast<unsigned char>(byte) >> shift & 15];
    return out;
}

/// Checks the header, and the elements that load_any returns.
inline void check_content(const std::filesystem::path& file, const json& facts, const ndkeep::limits& limit = {}) {
    const auto info = ndkeep::inspect(file, limit);
    CHECK(json_of(info.type) == facts.at("descr"));
    CHECK(info.shape == shape_in(facts));
    CHECK(info.column_major == facts.at("fortran_order").get<bool>());
    CHECK(info.data_offset == facts.at("data_offset").get<std::uint64_t>());
    CHECK(info.version == facts.at("version").at(0).get<int>());

    const auto any = ndkeep::load_any(file, {.limit = limit});
    CHECK((any.type() == info.type));
    CHECK(any.shape() == info.shape);
    const auto bytes = packed(any.type(), any.bytes());
    CHECK(bytes.size() == any.size() * packed_size(any.type()));
    CHECK(sha256(bytes) == facts.at("sha256"));
}

/// Checks that writing what was read gives the same file again.
inline void check_saved_again(const std::filesystem::path& file, const std::filesystem::path& copy) {
    const auto whole = read_text(file);
    const auto info = ndkeep::inspect(file);
    const auto data = whole.substr(static_cast<std::size_t>(info.data_offset));
    const auto* const elements = reinterpret_cast<const std::byte*>(data.data());
    CHECK((ndkeep::header_bytes(info, {.version = info.version}) + data == whole));
    if (ndkeep::header_bytes(info) != whole.substr(0, whole.size() - data.size()))
        return;  // the header's version was requested explicitly

    const auto any = ndkeep::load_any(file);
    ndkeep::save(copy, info.column_major
                           ? ndkeep::array_view(info.type, info.shape, elements, ndkeep::order::column_major)
                           : any);
    CHECK((read_text(copy) == whole));
}

/// Checks that every verb that reads the data rejects this npy file.
template <class T>
void check_refused(const std::filesystem::path& file, const json& facts) {
    const auto error = facts.at("error").get<std::string>();
    CHECK_THROWS_AS(ndkeep::load_any(file), ndkeep::format_error);
    CHECK_THROWS_AS(ndkeep::load<T>(file), ndkeep::format_error);
    CHECK_THROWS_AS(ndkeep::map<T>(file), ndkeep::format_error);
    if (error != "truncated")
        CHECK_THROWS_AS(ndkeep::inspect(file), ndkeep::format_error);
    if (error == "object")
        CHECK(std::string(thrown<ndkeep::format_error>([&] { (void)ndkeep::load_any(file); }).what()).find("object") !=
              std::string::npos);
    if (facts.contains("ok_with")) {
        // The collections use no other limit.
        REQUIRE(facts.at("ok_with").size() == 1);
        const auto characters = facts.at("ok_with").at("max_header_size").get<std::uint64_t>();
        check_content(file, facts.at("if_allowed"), {.header_characters = characters});
    }
}

}  // namespace npy_case
