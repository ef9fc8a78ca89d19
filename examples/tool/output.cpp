// SPDX-License-Identifier: BSD-3-Clause
#include "output.hpp"

#include <ndkeep/text/unicode.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace tool {

namespace {

[[nodiscard]] std::string formatted(const char* form, int digits, double number) {
    std::array<char, 64> text = {};
    const int length = std::snprintf(text.data(), text.size(), form, digits, number);
    return {text.data(), std::min(static_cast<std::size_t>(std::max(length, 0)), text.size() - 1)};
}

void collect_orders(const ndkeep::dtype& type, std::string& orders) {
    for (const auto& field : type.fields())
        collect_orders(field.type, orders);
    if (!type.is_struct() && type.order() != ndkeep::byte_order::none)
        orders += static_cast<char>(type.order());
}

}  // namespace

std::string shortened(std::string_view text, std::size_t most) {
    const std::string whole = shown(text);
    std::size_t at = 0;
    for (std::size_t count = 0; at < whole.size(); ++count) {
        if (count == most)
            return whole.substr(0, at) + "...";
        at += std::max<std::size_t>(ndkeep::core::decode_utf8(whole, at).length, 1);
    }
    return whole;
}

std::string human_bytes(std::uint64_t count) {
    constexpr std::array<const char*, 6> units = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (count < 1024)
        return std::to_string(count) + " B";
    double number = static_cast<double>(count) / 1024;
    std::size_t unit = 0;
    constexpr double rounded_up = 1023.95;
    for (; number >= rounded_up && unit + 1 < units.size(); ++unit)
        number /= 1024;
    return formatted("%.*f ", 1, number) + units[unit];
}

std::string full_bytes(std::uint64_t count) {
    const auto exact = ndkeep::counted(count, "byte");
    return count < 1024 ? exact : exact + " (" + human_bytes(count) + ')';
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
    if (whole == 0)
        return "-";
    return formatted("%.*f %%", 1, 100 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string brief(double number, int digits) {
    return std::isnan(number) ? "nan" : formatted("%.*g", digits, number);  // printf shows the sign of a NaN
}

std::string dtype_name(const ndkeep::dtype& type) {
    const auto bits = std::to_string(8 * type.size());
    const auto time = [&](std::string name) {
        if (type.unit().empty())
            return name;
        return name + '[' + (type.multiple() == 1 ? "" : std::to_string(type.multiple())) + type.unit() + ']';
    };
    const auto of_length = [&](std::string name) { return type.size() == 0 ? name : name + bits; };
    switch (type.kind()) {
    case 'b':
        return "bool";
    case 'i':
        return "int" + bits;
    case 'u':
        return "uint" + bits;
    case 'f':
        return "float" + bits;
    case 'c':
        return "complex" + bits;
    case 'S':
        return of_length("bytes");
    case 'U':
        return of_length("str");
    case 'M':
        return time("datetime64");
    case 'm':
        return time("timedelta64");
    default:
        return type.is_number() ? type.str() : of_length("void");
    }
}

std::string byte_order_name(const ndkeep::dtype& type) {
    std::string orders;
    collect_orders(type, orders);
    if (orders.empty())
        return "none";
    if (orders.find_first_not_of(orders.front()) != std::string::npos)
        return "mixed";
    return orders.front() == '<' ? "little-endian" : "big-endian";
}

std::string dtype_text(const ndkeep::dtype& type) { return ndkeep::core::dtype_text(type); }

std::string dtype_label(const ndkeep::dtype& type) {
    return type.is_struct() ? "struct of " + ndkeep::counted(type.fields().size(), "field") : type.str();
}

// Keys and texts come from files and need not be valid UTF-8, but JSON must be.
void json_list::add_text(std::string_view text) {
    const bool fine = ndkeep::core::is_utf8(text);
    add_json(ndkeep::core::json_text(fine ? named_as_given(text) : shown(text)));
}

void json_object::add_text(std::string_view key, std::string_view text) {
    const bool fine = ndkeep::core::is_utf8(text);
    object_.add(key, ndkeep::core::json_text(fine ? named_as_given(text) : shown(text)));
}

std::string json_shape(const std::vector<std::size_t>& shape) {
    json_list list;
    for (const std::size_t extent : shape)
        list.add(extent);
    return list.str();
}

std::string table::text(const terminal& screen, std::string_view indent) const {
    std::vector<std::size_t> widths;
    for (const column& each : columns_)
        widths.push_back(width_of(each.head));
    for (const auto& row : rows_)
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], width_of(row[i]));
    const auto print = [&](const auto& cell_of) {
        std::string line(indent);
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            const std::string cell = cell_of(i);
            const std::string blanks(widths[i] - width_of(cell), ' ');
            line += (i == 0 ? "" : "  ") + (columns_[i].aligned == side::right ? blanks + cell : cell + blanks);
        }
        line.resize(line.find_last_not_of(' ') + 1);
        return line;
    };
    std::string out = styled(screen, "1", print([&](std::size_t i) { return columns_[i].head; })) + '\n';
    for (const auto& row : rows_)
        out += print([&](std::size_t i) { return i < row.size() ? row[i] : std::string(); }) + '\n';
    return out;
}

void sheet::line(std::string_view label, std::string_view text) {
    constexpr std::size_t column = 14;
    std::string begin = "  " + std::string(label);
    begin.resize(std::max(begin.size() + 1, column), ' ');
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        text_ += begin + std::string(text.substr(0, end)) + '\n';
        text.remove_prefix(std::min(end + 1, text.size()));
        begin.assign(column, ' ');
    }
}

}  // namespace tool
