// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/format/dtype_parser.hpp>.
#pragma once

#include <ndkeep/format/dtype_parser.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/dtype_words.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/text/unicode.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

NDKEEP_INLINE std::size_t read_extent(const literal& value, std::string_view field, const literal& whole,
                                      const std::filesystem::path& file) {
    constexpr std::uint64_t most = std::numeric_limits<std::ptrdiff_t>::max();
    const bool integer = value.is == literal::kind::integer;
    // `magnitude` has no meaning if the integer is too large, so that is asked first.
    if (!integer || value.negative || value.too_large || value.magnitude > most)
        throw format_error(
            {.file = file,
             .field = std::string(field),
             .expected = integer && !value.negative ? "extents of at most 63 bits" : "extents of at least 0",
             .found = whole.str()});
    return static_cast<std::size_t>(value.magnitude);
}

/// A dtype with the shape of a sub-array. Only a field of a struct can have such a shape.
struct shaped_type {
    dtype type = {};
    std::vector<std::size_t> shape = {};
    std::vector<std::size_t> nesting = {};
};

/// Reads a dtype from a parsed `descr` or from text, and remembers where it is for errors.
class dtype_reader {
  public:
    dtype_reader(const std::filesystem::path& file, const limits& limit) : file_(file), limit_(limit) {}

    /// The dtype of a complete descr, which must not be a sub-array. NumPy is inconsistent there: np.load fails on
    /// the reshape, np.memmap adds the dimensions to the shape.
    ///
    /// @param given  returns the text of the dtype; invoked only for an error
    template <class Given>
    [[nodiscard]] static dtype whole(shaped_type&& read, const std::filesystem::path& file, Given&& given) {
        if (!read.shape.empty())
            throw malformed(file, "descr", "a type without a shape of its own", given(),
                            "sub-arrays are read only as fields of structs");
        return std::move(read.type);
    }

    /// Reads text, a list of fields, or a pair of a type and its shape or size.
    [[nodiscard]] shaped_type read(const literal& descr) {
        // The recursion is bounded: `parse_literal` limits the depth of the literal.
        if (descr.is == literal::kind::text)
            return read_text(descr.text);
        if (descr.is == literal::kind::list)
            return {.type = read_fields(descr)};
        if (descr.is != literal::kind::tuple || descr.items.size() != 2)
            fail("text, a list of fields or (type, shape)", descr.str());
        shaped_type out = read(descr.items[0]);
        repeat(out, descr.items[1]);
        return out;
    }

    /// Reads the text of a plain type or a comma string. Objects and variable-width strings are rejected.
    [[nodiscard]] shaped_type read_text(std::string_view text) {
        if (is_comma_string(text))
            return read_comma_string(text);
        const auto plain = read_plain_type(text);
        if (!plain)
            fail("a dtype", ndkeep::quoted(text));
        if (plain->kind == 'O')
            fail("a type without objects", ndkeep::quoted(text),
                 path_.empty() ? "object arrays are pickles: load_pickle reads them"
                               : "structs with objects are not read");
        if (plain->kind == 'T')
            fail("a type with a size", ndkeep::quoted(text),
                 "npy files hold variable-width strings only as pickles, with another dtype");
        // `dtype::plain` knows only NumPy's bound, neither the caller's limit nor the name of the field.
        check_size(plain->size);
        if (is_time_kind(plain->kind))
            return {.type = dtype::time(plain->kind, plain->unit, plain->multiple, plain->order)};
        return {.type = dtype::plain(plain->kind, plain->size, plain->order)};
    }

  private:
    /// Throws an error that names the field, with the fields around it: "a.b".
    [[noreturn]] void fail(std::string expected, std::string found, std::string hint = {}) const {
        if (!path_.empty()) {
            std::string path;
            for (const std::string_view name : path_)
                path.append(path.empty() ? "" : ".").append(name);
            found += " in field " + ndkeep::quoted(path);
        }
        throw malformed(file_, "descr", std::move(expected), std::move(found), std::move(hint));
    }

    void check_size(std::uint64_t size) const {
        const auto most = std::min(limit_.item_size, largest_item);
        if (size > most)
            fail("at most " + counted(most, "byte"), "an element of " + counted(size, "byte"));
    }

    /// Applies the second item of (type, shape). It makes a sub-array of `out`; if `out` has no size yet (S, U or V),
    /// it is the size instead. NumPy writes both in the same way.
    void repeat(shaped_type& out, const literal& shape) {
        const bool number = shape.is == literal::kind::integer;
        const bool list = shape.is == literal::kind::list && !shape.items.empty();  // NumPy takes [] for a type
        if (!number && !list && shape.is != literal::kind::tuple)
            fail("a shape after the type", shape.str());
        const char kind = out.type.kind();
        // In NumPy ('S', 5) is the same as 'S5'.
        if (out.shape.empty() && out.type.size() == 0 && !out.type.is_struct()) {
            const std::uint64_t size = read_extent(shape, "descr", shape, file_);
            check_size(size);
            // The check before this one keeps the product from overflowing.
            check_size(kind == 'U' ? size * 4 : size);
            out.type = dtype::plain(kind, kind == 'U' ? size * 4 : size, out.type.order());
            return;
        }
        // To NumPy (type, 1) is the type itself, while (type, (1,)) is a sub-array.
        if (number && !shape.negative && !shape.too_large && shape.magnitude == 1)
            return;
        std::vector<std::size_t> extents;
        if (number)
            extents.push_back(read_extent(shape, "descr", shape, file_));
        for (const literal& extent : shape.items)
            extents.push_back(read_extent(extent, "descr", shape, file_));
        if (extents.empty())
            return;
        // To NumPy a sub-array of 0 bytes is a type without a size, for which the shape would be the size.
        if (std::find(out.shape.begin(), out.shape.end(), std::size_t{0}) != out.shape.end())
            fail("a sub-array with bytes to repeat", "one of shape " + shape_text(out.shape));
        // The levels are recorded only if there is more than one: a simple sub-array prints from its shape alone.
        if (!out.shape.empty() && out.nesting.empty())
            out.nesting = {out.shape.size()};
        if (!out.shape.empty())
            out.nesting.insert(out.nesting.begin(), extents.size());
        for (const std::size_t inner : out.shape)
            extents.push_back(inner);
        out.shape = std::move(extents);
        if (out.shape.size() > limit_.dimensions)
            fail("at most " + counted(limit_.dimensions, "dimension"), counted(out.shape.size(), "dimension"));
        // Before anything multiplies the extents, which come from the file.
        if (!fits(out.shape, out.type.size(), std::min(limit_.item_size, largest_item)))
            fail("at most " + counted(std::min(limit_.item_size, largest_item), "byte"),
                 "a sub-array of shape " + shape_text(out.shape));
    }

    /// Reads a comma string: a struct, or a sub-array if there is only one item.
    [[nodiscard]] shaped_type read_comma_string(std::string_view text) {
        // A copy for errors, because the loop below consumes `text`.
        const std::string given = ndkeep::quoted(text);
        std::vector<shaped_type> items;
        while (!text.empty()) {
            const auto item = next_comma_item(text);
            if (!item)
                fail("types between commas", given);
            check_fields(items.size() + 1);
            items.push_back(read_text(item->type));
            if (!item->repeats.empty())
                repeat(items.back(), parse_literal(item->repeats, file_, {.field = "descr"}));
        }
        // One item is not a struct: "2i4" is a sub-array.
        if (items.size() == 1)
            return std::move(items.front());
        enter_struct();
        std::vector<dtype::field> fields;
        std::uint64_t end = 0;
        for (shaped_type& item : items)
            // f0, f1, …: NumPy's names for fields without one.
            add_field(fields, end, {.name = "f" + std::to_string(fields.size())}, std::move(item));
        --depth_;
        return {.type = dtype::structure(std::move(fields), end, file_)};
    }

    /// Reads a list of fields: (name, type) or (name, type, shape).
    [[nodiscard]] dtype read_fields(const literal& list) {
        enter_struct();
        std::vector<dtype::field> fields;
        std::uint64_t end = 0;
        for (const literal& entry : list.items) {
            const auto parts = entry.items.size();
            if ((entry.is != literal::kind::tuple && entry.is != literal::kind::list) || parts < 2 || parts > 3)
                fail("(name, type) or (name, type, shape)", entry.str());
            // Before the field is stored, so that a hostile header cannot allocate more than the limit.
            check_fields(fields.size() + 1);
            dtype::field field = read_name(entry.items[0]);
            path_.push_back(field.name);
            shaped_type item = read(entry.items[1]);
            if (parts == 3)
                repeat(item, entry.items[2]);
            path_.pop_back();
            // NumPy takes an unnamed field for padding if it is a sub-array or void. Other unnamed fields are fields
            // with an empty name, and so is every field with a (title, name) pair.
            const bool named = entry.items[0].is != literal::kind::text || !field.name.empty();
            const bool padding = !named && (!item.shape.empty() || (item.type.kind() == 'V' && !item.type.is_struct()));
            if (padding)
                end += dtype::field{.type = std::move(item.type), .shape = std::move(item.shape)}.nbytes();
            else
                add_field(fields, end, std::move(field), std::move(item));
            check_size(end);
        }
        --depth_;
        return dtype::structure(std::move(fields), end, file_);
    }

    /// Reads the name of a field: "name" or ("title", "name"), where the title may be None.
    [[nodiscard]] dtype::field read_name(const literal& name) const {
        if (name.is == literal::kind::text)
            return {.name = name.text};
        const bool pair = name.is == literal::kind::tuple && name.items.size() == 2 &&
                          name.items[1].is == literal::kind::text &&
                          (name.items[0].is == literal::kind::text || name.items[0].is == literal::kind::none);
        if (!pair)
            fail("a name or (title, name)", name.str());
        // The title is a second key for the same field, so it must differ from the name.
        if (name.items[0].is == literal::kind::text && name.items[0].text == name.items[1].text)
            fail("different names and titles", name.str());
        return {.name = name.items[1].text, .title = name.items[0].text};
    }

    /// Appends a field directly after the one before, or after the padding: `descr` has no offsets.
    void add_field(std::vector<dtype::field>& fields, std::uint64_t& end, dtype::field field, shaped_type item) const {
        field.type = std::move(item.type);
        field.shape = std::move(item.shape);
        field.nesting = std::move(item.nesting);
        // An item has less than 2^31 bytes and so has `end`, so the sum cannot wrap before it is checked.
        field.offset = end;
        end += field.nbytes();
        check_size(end);
        fields.push_back(std::move(field));
    }

    /// A struct takes two brackets in `descr`, its list and the tuple of a field: half of the nesting limit applies.
    void enter_struct() {
        const std::size_t deepest = std::max<std::size_t>(limit_.nesting / 2, 1);
        if (++depth_ > deepest)
            fail("at most " + counted(deepest, "struct") + " nested in each other", "more");
    }

    void check_fields(std::size_t count) const {
        if (count > limit_.fields)
            fail("at most " + counted(limit_.fields, "field"), "a struct with more fields");
    }

    const std::filesystem::path& file_;
    const limits& limit_;
    std::vector<std::string> path_;  // names of the enclosing fields, outermost first
    std::size_t depth_ = 0;
};

/// Whether a text is a Python literal, as `descr` prints it, and not the text of a dtype. "('<f8', (2,))" is a literal;
/// "(2,)<f8" is not. Only a literal has a quote or a list as its first token, after opening brackets.
[[nodiscard]] NDKEEP_INLINE bool is_descr_literal(std::string_view text) {
    const auto first = text.find_first_not_of(" (");
    return first != std::string_view::npos && std::string_view("['\"").find(text[first]) != std::string_view::npos;
}

}  // namespace detail

NDKEEP_INLINE dtype dtype::parse(const literal& descr, const std::filesystem::path& file, const limits& limit) {
    return detail::dtype_reader::whole(detail::dtype_reader(file, limit).read(descr), file,
                                       [&] { return descr.str(); });
}

NDKEEP_INLINE dtype dtype::parse(std::string_view text, const std::filesystem::path& file, const limits& limit) {
    // `descr` in a header is always a literal; callers and sidecars also use the text of a dtype.
    if (detail::is_descr_literal(text))
        return parse(parse_literal(text, file, {.nesting = limit.nesting, .field = "descr"}), file, limit);
    return detail::dtype_reader::whole(detail::dtype_reader(file, limit).read_text(text), file,
                                       [&] { return ndkeep::quoted(text); });
}

}  // namespace ndkeep
