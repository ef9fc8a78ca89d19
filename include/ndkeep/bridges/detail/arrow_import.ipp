// SPDX-License-Identifier: BSD-3-Clause
// The import of Arrow arrays: what the structs say is checked, and values are converted that NumPy has in another form.
#pragma once

#include <ndkeep/bridges/detail/arrow_formats.hpp>
#include <ndkeep/bridges/detail/arrow_values.hpp>
#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/text/unicode.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

struct refused_format {
    std::string_view start;
    std::string_view name;
};
inline constexpr std::array<refused_format, 15> refused_formats = {{{"n", "nulls only"},
                                                                    {"z", "binary of variable size"},
                                                                    {"Z", "large binary of variable size"},
                                                                    {"vz", "binary views"},
                                                                    {"vu", "string views"},
                                                                    {"d:", "decimal numbers"},
                                                                    {"tt", "times of day"},
                                                                    {"ti", "calendar intervals"},
                                                                    {"+l", "lists of variable size"},
                                                                    {"+L", "large lists of variable size"},
                                                                    {"+v", "list views"},
                                                                    {"+m", "maps"},
                                                                    {"+ud", "a dense union"},
                                                                    {"+us", "a sparse union"},
                                                                    {"+r", "run-end encoded"}}};

/// Reads one array and its children. Offsets count elements from the start of its buffers.
class arrow_importer {
  public:
    arrow_importer(arrow_nulls nulls, std::shared_ptr<const void> owner) : nulls_(nulls), owner_(std::move(owner)) {}

    using flags = std::vector<std::uint8_t>;

    /// @param start, count  the elements that are read, after those of the array's own offset
    /// @param outer         which elements are null because what is around them is; empty if none
    [[nodiscard]] arrow_values read(const ArrowSchema* schema, const ArrowArray* array, std::size_t start,
                                    std::size_t count, const flags& outer, const std::string& outer_path) {
        if (schema == nullptr || array == nullptr || schema->release == nullptr || array->release == nullptr)
            refuse(outer_path, "child", "a struct of its producer", "released, moved or nullptr");
        if (schema->format == nullptr)
            refuse(outer_path, "format", "a string", "nullptr");
        if (++depth_ > limits().nesting / 2)
            refuse(outer_path, "nesting", "at most " + counted(limits().nesting / 2, "level"), "more");
        const std::string_view format = schema->format;
        arrow_values out = {.name = schema->name == nullptr ? "" : schema->name};
        out.path = outer_path.empty() || out.name.empty() ? outer_path + out.name : outer_path + '.' + out.name;
        check_supported(format, *schema, *array, out.path);

        const bool is_string = format == "u" || format == "U";
        const bool is_list = format.starts_with("+w:");
        const bool is_struct = format == "+s";
        check_count(out.path, "n_buffers", array->n_buffers, is_list || is_struct ? 1 : is_string ? 3 : 2);
        if (array->buffers == nullptr)
            refuse(out.path, "buffers", "an array of pointers", "nullptr");
        if (is_list)
            check_count(out.path, "n_children", array->n_children, 1);
        else if (!is_struct)
            check_count(out.path, "n_children", array->n_children, 0);
        check_count(out.path, "n_children in the schema", schema->n_children, array->n_children);
        if (array->n_children != 0 && (array->children == nullptr || schema->children == nullptr))
            refuse(out.path, "children", "an array of pointers", "nullptr");

        const std::size_t first = first_element(*array, start, count, out.path);
        out.shape = {count};
        out.valid = validity(*array, first, start, count, outer, out.path);
        if (is_struct)
            read_struct(out, *schema, *array, first, count);
        else if (is_list)
            out = read_list(std::move(out), *schema, *array, first, count);
        else if (is_string)
            format == "u" ? read_strings<std::int32_t>(out, *array, first, count)
                          : read_strings<std::int64_t>(out, *array, first, count);
        else
            read_values(out, format, *array, first, count);
        --depth_;
        return out;
    }

  private:
    [[noreturn]] static void refuse(const std::string& path, std::string_view member, std::string expected,
                                    std::string found) {
        throw malformed({}, std::string(member) + " of " + field_of(path), std::move(expected), std::move(found));
    }

    [[nodiscard]] static std::string field_of(const std::string& path) {
        return path.empty() ? "array" : "column " + quoted(path);
    }

    static void check_count(const std::string& path, std::string_view member, std::int64_t found,
                            std::int64_t expected) {
        if (found != expected)
            refuse(path, member, std::to_string(expected), std::to_string(found));
    }

    static void check_supported(std::string_view format, const ArrowSchema& schema, const ArrowArray& array,
                                const std::string& path) {
        const auto unsupported = [&](std::string found) {
            throw mismatch_error({.field = field_of(path),
                                  .expected = "a type that NumPy has",
                                  .found = std::move(found),
                                  .hint = "convert it before"});
        };
        if (schema.dictionary != nullptr || array.dictionary != nullptr)
            unsupported("dictionary-encoded");
        for (const auto& [start, name] : refused_formats)
            if (format.starts_with(start) && (start.size() > 1 || format == start))
                unsupported(std::string(name));
        if (!format.starts_with("+w:") && format != "+s" && format != "u" && format != "U")
            (void)type_of(format, path);
    }

    /// The number after the colon of "w:8" and "+w:8".
    [[nodiscard]] static std::size_t number_in(std::string_view format, const std::string& path) {
        const auto digits = format.substr(format.find(':') + 1);
        std::uint64_t number = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
        if (error != std::errc() || end != digits.data() + digits.size() || number > largest_item)
            refuse(path, "format", "a size after the colon", quoted(format));
        return static_cast<std::size_t>(number);
    }

    /// The dtype of a format that is not nested.
    [[nodiscard]] static dtype type_of(std::string_view format, const std::string& path) {
        for (const auto& number : arrow_numbers)
            if (format.size() == 1 && format[0] == number.format)
                return dtype::plain(number.kind, number.bytes);
        if (format.starts_with("w:"))
            return dtype::plain('V', number_in(format, path));
        if (format == "tdD")
            return dtype::time('M', "D");
        if (format == "tdm")
            return dtype::time('M', "ms");
        for (const auto& [letter, unit] : arrow_units) {
            if (format.starts_with("ts") && format.size() >= 4 && format[2] == letter && format[3] == ':')
                return dtype::time('M', std::string(unit));
            if (format.starts_with("tD") && format.size() == 3 && format[2] == letter)
                return dtype::time('m', std::string(unit));
        }
        throw mismatch_error({.field = field_of(path), .expected = "a format that is known", .found = quoted(format)});
    }

    /// The number of the first element in the buffers.
    [[nodiscard]] static std::size_t first_element(const ArrowArray& array, std::size_t start, std::size_t count,
                                                   const std::string& path) {
        // So no sum of two overflows.
        constexpr auto most = std::numeric_limits<std::int64_t>::max() / 4;
        if (array.length < 0 || array.length > most)
            refuse(path, "length", "at least 0", std::to_string(array.length));
        if (array.offset < 0 || array.offset > most)
            refuse(path, "offset", "at least 0", std::to_string(array.offset));
        if (array.null_count < -1 || array.null_count > array.length)
            refuse(path, "null_count", "-1 to " + std::to_string(array.length), std::to_string(array.null_count));
        const auto length = static_cast<std::size_t>(array.length);
        if (count > length || start > length - count)
            refuse(path, "length", "at least " + std::to_string(start + count), std::to_string(length));
        return static_cast<std::size_t>(array.offset) + start;
    }

    [[nodiscard]] static bool bit(const void* bits, std::size_t number) {
        return (static_cast<const std::uint8_t*>(bits)[number / 8] >> number % 8 & 1) != 0;
    }

    /// Which elements are null, by the array's own bits and by what is around it.
    [[nodiscard]] static flags validity(const ArrowArray& array, std::size_t first, std::size_t start,
                                        std::size_t count, const flags& outer, const std::string& path) {
        const void* const bits = array.buffers[0];
        const bool whole = start == 0 && std::cmp_equal(count, array.length);
        std::size_t nulls = 0;
        if (bits != nullptr)
            for (std::size_t i = 0; i < count; ++i)
                nulls += bit(bits, first + i) ? 0 : 1;
        if (whole && array.null_count >= 0 && std::cmp_not_equal(array.null_count, nulls))
            refuse(path, "null_count", std::to_string(nulls), std::to_string(array.null_count));
        if (nulls == 0)
            return outer;
        flags valid = outer;
        valid.resize(count, 1);
        for (std::size_t i = 0; i < count; ++i)
            valid[i] = valid[i] != 0 && bit(bits, first + i) ? 1 : 0;
        return valid;
    }

    void note_nulls(arrow_values& out) const {
        out.null_count = static_cast<std::size_t>(std::count(out.valid.begin(), out.valid.end(), std::uint8_t{0}));
        out.usable = nulls_ == arrow_nulls::ignored;
    }

    /// The buffer of values. It may be nullptr only if it has no byte.
    [[nodiscard]] static const std::byte* values_of(const ArrowArray& array, int number, bool empty,
                                                    const std::string& path) {
        const void* const values = array.buffers[number];
        if (values == nullptr && !empty)
            refuse(path, "buffer " + std::to_string(number), "values", "nullptr");
        return static_cast<const std::byte*>(values);
    }

    static void check_size(std::size_t count, std::size_t item, const std::string& path) {
        constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::ptrdiff_t>::max());
        if (!core::fits({count}, item, most))
            refuse(path, "length", "an array that fits into memory", counted(count, "element"));
    }

    /// Makes `out` refer to new memory.
    static std::byte* own_memory(arrow_values& out, std::size_t bytes) {
        const auto memory = std::make_shared<buffer>(bytes);
        out.data = memory->data();
        out.owner = memory;
        return memory->data();
    }

    void read_values(arrow_values& out, std::string_view format, const ArrowArray& array, std::size_t first,
                     std::size_t count) const {
        out.type = type_of(format, out.path);
        note_nulls(out);
        const auto item = static_cast<std::size_t>(out.type.size());
        check_size(first + count, item, out.path);
        const std::byte* const values = values_of(array, 1, count == 0 || item == 0, out.path);
        if (format == "b") {
            std::byte* const bytes = own_memory(out, count);
            for (std::size_t i = 0; i < count; ++i)
                bytes[i] = std::byte{bit(values, first + i)};
        } else if (format == "tdD") {
            std::byte* const dates = own_memory(out, count * sizeof(std::int64_t));
            for (std::size_t i = 0; i < count; ++i) {
                std::int32_t days;
                std::memcpy(&days, values + (first + i) * sizeof days, sizeof days);
                const std::int64_t wide = days;
                std::memcpy(dates + i * sizeof wide, &wide, sizeof wide);
            }
        } else {
            out.data = values == nullptr ? nullptr : values + first * item;
            out.owner = owner_;
        }
        if (nulls_ == arrow_nulls::missing && out.null_count != 0 && (out.type.is_inexact() || out.type.is_time()))
            mark_missing(out, count, item);
    }

    /// Replaces values that are null by NaN or NaT, in a copy.
    static void mark_missing(arrow_values& out, std::size_t count, std::size_t item) {
        const std::uint64_t missing = out.type.is_time() ? std::uint64_t{1} << 63
                                      : item == 2        ? 0x7e00
                                      : item == 4        ? 0x7fc0'0000
                                                         : 0x7ff8'0000'0000'0000;
        const std::byte* const from = out.data;
        const auto keeper = out.owner;
        std::byte* const to = own_memory(out, count * item);
        std::memcpy(to, from, count * item);
        // The bytes of a number of `item` bytes with this value, in the order of this machine.
        std::array<std::byte, 8> bytes;
        const auto small = static_cast<std::uint16_t>(missing);
        const auto middle = static_cast<std::uint32_t>(missing);
        std::memcpy(bytes.data(),
                    item == 2   ? static_cast<const void*>(&small)
                    : item == 4 ? static_cast<const void*>(&middle)
                                : &missing,
                    item);
        for (std::size_t i = 0; i < count; ++i)
            if (out.valid[i] == 0)
                std::memcpy(to + i * item, bytes.data(), item);
        out.usable = true;
    }

    template <class Offset>
    void read_strings(arrow_values& out, const ArrowArray& array, std::size_t first, std::size_t count) const {
        note_nulls(out);
        check_size(first + count + 1, sizeof(Offset), out.path);
        const std::byte* const offsets = values_of(array, 1, count == 0, out.path);
        const auto offset = [&](std::size_t i) {
            Offset value;
            std::memcpy(&value, offsets + (first + i) * sizeof value, sizeof value);
            return value;
        };
        for (std::size_t i = 0; i < count; ++i)
            if (offset(i) < 0 || offset(i + 1) < offset(i))
                refuse(out.path, "buffer 1", "offsets that ascend",
                       std::to_string(offset(i)) + " before " + std::to_string(offset(i + 1)));
        const auto total = count == 0 ? std::size_t{0} : static_cast<std::size_t>(offset(count) - offset(0));
        const auto* const text = reinterpret_cast<const char*>(values_of(array, 2, total == 0, out.path));
        const auto string = [&](std::size_t i) {
            const bool present = out.valid.empty() || out.valid[i] != 0;
            const auto size = present ? static_cast<std::size_t>(offset(i + 1) - offset(i)) : 0;
            return size == 0 ? std::string_view() : std::string_view(text + offset(i), size);
        };
        std::size_t longest = 1;  // NumPy has no 'U0' in files
        for (std::size_t i = 0; i < count; ++i) {
            if (!is_utf8(string(i)))
                refuse(out.path, "buffer 2", "UTF-8", "string " + std::to_string(i) + " with other bytes");
            longest = std::max(longest, character_count(string(i)));
        }
        // One long string among many short ones would take memory that the array does not have.
        constexpr std::size_t always = std::size_t{64} << 20, most_times = 16;
        if (longest > largest_item / 4 ||
            (count != 0 && longest > std::max(always, most_times * (total + count * sizeof(Offset))) / 4 / count))
            throw mismatch_error({.field = field_of(out.path),
                                  .expected = "strings of similar lengths, as all get the length of the longest",
                                  .found = counted(count, "string") + " with up to " + counted(longest, "character")});
        out.type = dtype::plain('U', 4 * longest);
        std::byte* const to = own_memory(out, count * longest * 4);
        std::fill_n(to, count * longest * 4, std::byte{0});
        for (std::size_t i = 0; i < count; ++i) {
            std::byte* next = to + i * longest * 4;
            for (std::size_t at = 0; at < string(i).size(); next += 4) {
                const auto [character, length] = decode_utf8(string(i), at);
                std::memcpy(next, &character, 4);
                at += length;
            }
        }
    }

    void read_struct(arrow_values& out, const ArrowSchema& schema, const ArrowArray& array, std::size_t first,
                     std::size_t count) {
        note_nulls(out);
        if (std::cmp_greater(array.n_children, limits().fields))
            refuse(out.path, "n_children", "at most " + std::to_string(limits().fields),
                   std::to_string(array.n_children));
        std::vector<dtype::field> fields;
        std::uint64_t size = 0;
        for (std::int64_t i = 0; i < array.n_children; ++i) {
            auto child = read(schema.children[i], array.children[i], first, count, out.valid, out.path);
            if (child.name.empty())  // in an npy header, that would be padding
                child.name.append("f").append(std::to_string(i));
            dtype::field field = {.name = child.name, .type = child.type, .offset = size};
            field.shape.assign(child.shape.begin() + 1, child.shape.end());
            if (!core::fits(field.shape, std::max<std::uint64_t>(field.type.size(), 1), largest_item))
                refuse(out.path, "child " + ndkeep::quoted(field.name), "at most 2 GiB for one struct",
                       shape_text(field.shape));
            size += field.nbytes();
            fields.push_back(std::move(field));
            out.children.push_back(std::move(child));
        }
        out.type = dtype::structure(std::move(fields), size);
    }

    [[nodiscard]] arrow_values read_list(arrow_values list, const ArrowSchema& schema, const ArrowArray& array,
                                         std::size_t first, std::size_t count) {
        const std::size_t width = number_in(schema.format, list.path);
        check_size(first + count, width, list.path);
        // Before memory is allocated for as many flags.
        const ArrowArray* const child = array.children[0];
        if (child != nullptr && std::cmp_less(child->length, (first + count) * width))
            refuse(list.path, "length of the child", "at least " + std::to_string((first + count) * width),
                   std::to_string(child->length));
        flags valid;
        for (const std::uint8_t flag : list.valid)
            valid.insert(valid.end(), width, flag);
        auto out = read(schema.children[0], child, first * width, count * width, valid, list.path);
        out.name = std::move(list.name);
        out.path = std::move(list.path);
        split_rows(out, count, width);
        return out;
    }

    /// Splits the first axis of an array, and of the children of a struct array, into lists.
    static void split_rows(arrow_values& values, std::size_t count, std::size_t width) {
        values.shape.front() = count;
        values.shape.insert(values.shape.begin() + 1, width);
        for (auto& child : values.children)
            split_rows(child, count, width);
    }

    arrow_nulls nulls_;
    std::shared_ptr<const void> owner_;
    std::size_t depth_ = 0;
};

NDKEEP_INLINE arrow_values import_arrow(const ArrowSchema& schema, const ArrowArray& array, arrow_nulls nulls,
                                        const std::shared_ptr<const void>& owner) {
    if (array.length < 0)
        throw malformed({}, "length of array", "at least 0", std::to_string(array.length));
    return arrow_importer(nulls, owner).read(&schema, &array, 0, static_cast<std::size_t>(array.length), {}, {});
}

}  // namespace ndkeep::inline NDKEEP_ABI::detail
