// SPDX-License-Identifier: BSD-3-Clause
// A NumPy dtype as a value: kind, size, byte order, fields, and the text NumPy writes for it.
// <ndkeep/format/dtype_parser.hpp> reads that text.
#pragma once

#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype_words.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/text/python/literal.hpp>
#include <ndkeep/text/unicode.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ndkeep {

/// What one element of an array is: a plain type, a date with its unit, or a struct of named fields.
///
/// Two are equal if NumPy prints them alike: titles, padding and byte orders count.
class dtype {
  public:
    struct field;

    /// `|V0`: no bytes.
    dtype();

    /// @param kind  b i u f c S U V
    /// @param size  bytes; of U four per character
    /// @param order  has no meaning for one byte, S and V, and is dropped there
    /// @throws format_error  NumPy has no such type
    [[nodiscard]] static dtype plain(char kind, std::uint64_t size, byte_order order = native_order);

    /// A date or a span of time, 64 bits.
    ///
    /// @param kind  M (datetime64) or m (timedelta64)
    /// @param unit  Y M W D h m s ms us ns ps fs as, or empty for generic
    [[nodiscard]] static dtype time(char kind, std::string unit, std::int64_t multiple = 1,
                                    byte_order order = native_order);

    /// Fields in ascending order without overlap; what they leave of `size` bytes is padding.
    ///
    /// @throws format_error  fields that overlap, leave the struct or share a name or title
    [[nodiscard]] static dtype structure(std::vector<field> fields, std::uint64_t size,
                                         const std::filesystem::path& file = {});

    /// Anything `numpy.dtype(str)` takes ("<f8", "float64", "M8[25s]", "i4,S2"), and what `descr` prints.
    ///
    /// @param file  named in errors, never opened
    /// @throws format_error  not a dtype, an object, or beyond a limit
    [[nodiscard]] static dtype parse(std::string_view text, const std::filesystem::path& file = {},
                                     const limits& limit = {});

    /// The value behind 'descr' in a header.
    [[nodiscard]] static dtype parse(const literal& descr, const std::filesystem::path& file = {},
                                     const limits& limit = {});

    [[nodiscard]] char kind() const noexcept { return kind_; }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }  ///< bytes of one element
    [[nodiscard]] byte_order order() const noexcept { return order_; }
    [[nodiscard]] bool is_struct() const noexcept { return is_struct_; }
    [[nodiscard]] const std::vector<field>& fields() const noexcept { return fields_; }
    [[nodiscard]] const std::string& unit() const noexcept { return unit_; }    ///< of dates; empty is generic
    [[nodiscard]] std::int64_t multiple() const noexcept { return multiple_; }  ///< 25 of `M8[25s]`

    /// The field of this name, or null.
    [[nodiscard]] const field* find(std::string_view name) const;

    /// No byte of any field needs swapping.
    [[nodiscard]] bool is_native() const;

    /// The same type, sizes and offsets, in the machine's byte order.
    [[nodiscard]] dtype native() const;

    /// NumPy's `dtype.str`: "<f8", "<M8[ns]", and "|V16" for structs.
    [[nodiscard]] std::string str() const;

    /// What NumPy writes behind 'descr', as UTF-8: "'<f8'", "[('x', '<i4'), ('', '|V4'), ('m', '<f8', (2, 3))]".
    [[nodiscard]] std::string descr() const;

    friend bool operator==(const dtype& a, const dtype& b);

  private:
    char kind_ = 'V';
    byte_order order_ = byte_order::none;
    bool is_struct_ = false;
    std::uint64_t size_ = 0;
    std::int64_t multiple_ = 1;
    std::string unit_;
    std::vector<field> fields_;
};

struct dtype::field {
    std::string name = {};   ///< UTF-8; one field may be without
    std::string title = {};  ///< a second name; empty for none
    dtype type = {};
    std::uint64_t offset = 0;             ///< bytes from the start of the struct
    std::vector<std::size_t> shape = {};  ///< of a sub-array; {} is one value

    /// How many dimensions each tuple of `descr` holds, outermost first, where sub-arrays are nested; else empty.
    std::vector<std::size_t> nesting = {};

    /// Values in the sub-array, 1 without.
    [[nodiscard]] std::uint64_t count() const {
        std::uint64_t values = 1;
        for (const std::size_t extent : shape)
            values *= extent;
        return values;
    }
    [[nodiscard]] std::uint64_t nbytes() const { return count() * type.size(); }

    friend bool operator==(const field&, const field&) = default;
};

inline dtype::dtype() = default;

namespace detail {

/// The error of a dtype: always about "descr".
[[nodiscard]] inline format_error descr_error(const std::filesystem::path& file, std::string expected,
                                              std::string found, std::string hint = {}) {
    return format_error({.file = file,
                         .field = "descr",
                         .expected = std::move(expected),
                         .found = std::move(found),
                         .hint = std::move(hint)});
}

[[nodiscard]] inline std::string kind_text(char kind) { return "kind " + ndkeep::quoted(std::string_view(&kind, 1)); }

/// Extents multiplied, zeros left out, so that a limit holds whichever of them is zero.
///
/// @return false if the product times `unit` exceeds `most`
[[nodiscard]] inline bool fits(const std::vector<std::size_t>& shape, std::uint64_t unit, std::uint64_t most) {
    std::uint64_t product = std::max<std::uint64_t>(unit, 1);
    for (const std::size_t extent : shape) {
        if (extent > most / product)
            return false;
        product *= std::max<std::uint64_t>(extent, 1);
    }
    return product <= most;
}

inline void print_descr(std::string& out, const dtype& type);

inline void print_field(std::string& out, const dtype::field& field) {
    const auto name = python_repr(field.name);
    out += '(' + (field.title.empty() ? name : '(' + python_repr(field.title) + ", " + name + ')') + ", ";
    const std::size_t outer = field.nesting.empty() ? field.shape.size() : field.nesting.front();
    out.append(field.nesting.size() > 1 ? field.nesting.size() - 1 : 0, '(');
    print_descr(out, field.type);
    std::size_t end = field.shape.size();
    for (std::size_t i = field.nesting.size(); i-- > 1; end -= field.nesting[i])
        out += ", " + shape_text(std::span(field.shape.data() + end - field.nesting[i], field.nesting[i])) + ')';
    if (outer > 0)
        out += ", " + shape_text(std::span(field.shape.data(), outer));
    out += ')';
}

inline void print_descr(std::string& out, const dtype& type) {
    if (!type.is_struct()) {
        out += '\'' + type.str() + '\'';
        return;
    }
    std::uint64_t end = 0;
    out += '[';
    const auto pad_to = [&](std::uint64_t offset) {
        if (offset > end)
            out += (out.back() == '[' ? "('', '|V" : ", ('', '|V") + std::to_string(offset - end) + "')";
    };
    for (const dtype::field& field : type.fields()) {
        pad_to(field.offset);
        if (out.back() != '[')
            out += ", ";
        print_field(out, field);
        end = field.offset + field.nbytes();
    }
    pad_to(type.size());
    out += ']';
}

}  // namespace detail

inline dtype dtype::plain(char kind, std::uint64_t size, byte_order order) {
    if (kind == 'M' || kind == 'm' || !detail::has_size(kind, size) || size > largest_item)
        throw detail::descr_error({}, "a type of NumPy", detail::kind_text(kind) + " of " + counted(size, "byte"));
    dtype out;
    out.kind_ = kind;
    out.size_ = size;
    const bool ordered = size != 1 && kind != 'S' && kind != 'V';
    out.order_ = !ordered ? byte_order::none : order == byte_order::none ? native_order : order;
    return out;
}

inline dtype dtype::time(char kind, std::string unit, std::int64_t multiple, byte_order order) {
    const bool known = unit.empty() ? multiple == 1 : detail::find_unit(unit) != nullptr;
    if ((kind != 'M' && kind != 'm') || !known || multiple < 0 || multiple > detail::most_units)
        throw detail::descr_error({}, "a date of NumPy",
                                  detail::kind_text(kind) + " in units of " + std::to_string(multiple) + ' ' +
                                      detail::printed(unit));
    dtype out;
    out.kind_ = kind;
    out.size_ = 8;
    out.order_ = order == byte_order::none ? native_order : order;
    out.unit_ = std::move(unit);
    out.multiple_ = multiple;
    return out;
}

inline dtype dtype::structure(std::vector<field> fields, std::uint64_t size, const std::filesystem::path& file) {
    if (size > largest_item)
        throw detail::descr_error(file, "at most " + counted(largest_item, "byte"), counted(size, "byte"));
    std::uint64_t end = 0;
    std::vector<std::string_view> names;
    for (const field& each : fields) {
        const auto named = [&each] { return "field " + detail::printed(each.name); };
        if (!detail::is_utf8(each.name, detail::surrogates::allowed) ||
            !detail::is_utf8(each.title, detail::surrogates::allowed))
            throw detail::descr_error(file, "names in UTF-8", named());
        if (!detail::fits(each.shape, each.type.size(), largest_item))
            throw detail::descr_error(file, "at most " + counted(largest_item, "byte"),
                                      named() + " of shape " + shape_text(each.shape));
        if (each.offset < end || each.offset > size || each.nbytes() > size - each.offset)
            throw detail::descr_error(file, "ascending fields within " + counted(size, "byte"),
                                      named() + " at offset " + std::to_string(each.offset));
        end = each.offset + each.nbytes();
        names.push_back(each.name);
        if (!each.title.empty())
            names.push_back(each.title);
    }
    std::sort(names.begin(), names.end());
    if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end())
        throw detail::descr_error(file, "different names and titles", "field " + detail::printed(*twice) + " twice");
    dtype out;
    out.is_struct_ = true;
    out.size_ = size;
    out.fields_ = std::move(fields);
    return out;
}

inline const dtype::field* dtype::find(std::string_view name) const {
    const auto found = std::find_if(fields_.begin(), fields_.end(), [&](const field& f) { return f.name == name; });
    return found == fields_.end() ? nullptr : &*found;
}

inline bool dtype::is_native() const {
    return (order_ == byte_order::none || order_ == native_order) &&
           std::all_of(fields_.begin(), fields_.end(), [](const field& f) { return f.type.is_native(); });
}

inline dtype dtype::native() const {
    dtype out = *this;
    if (out.order_ != byte_order::none)
        out.order_ = native_order;
    for (field& each : out.fields_)
        each.type = each.type.native();
    return out;
}

inline std::string dtype::str() const {
    std::string out;
    out += static_cast<char>(order_);
    out += kind_;
    out += std::to_string(kind_ == 'U' ? size_ / 4 : size_);
    if (!unit_.empty())
        out += '[' + (multiple_ == 1 ? "" : std::to_string(multiple_)) + unit_ + ']';
    return out;
}

inline std::string dtype::descr() const {
    std::string out;
    detail::print_descr(out, *this);
    return out;
}

inline bool operator==(const dtype& a, const dtype& b) {
    return a.kind_ == b.kind_ && a.order_ == b.order_ && a.is_struct_ == b.is_struct_ && a.size_ == b.size_ &&
           a.multiple_ == b.multiple_ && a.unit_ == b.unit_ && a.fields_ == b.fields_;
}

}  // namespace ndkeep
