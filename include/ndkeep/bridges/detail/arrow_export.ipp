// SPDX-License-Identifier: BSD-3-Clause
// The export of arrays to Arrow: for each field a column, in place where Arrow has the same bytes.
#pragma once

#include <ndkeep/bridges/arrow.hpp>
#include <ndkeep/bridges/detail/arrow_formats.hpp>

#include <ndkeep/array/any.hpp>
#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/element/strided.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/text/unicode.hpp>

#include <cstring>
#include <limits>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// What a schema refers to.
struct schema_parts {
    std::string format;
    std::string name;
    std::vector<arrow_owner<ArrowSchema>> children;
    std::vector<ArrowSchema*> pointers;
};

/// What an array refers to.
struct array_parts {
    std::vector<std::shared_ptr<const void>> owners;
    std::vector<const void*> buffers;
    std::vector<arrow_owner<ArrowArray>> children;
    std::vector<ArrowArray*> pointers;
};

/// Makes a struct that owns its parts. Releasing it releases the children that were not moved away: the owners in its
/// parts do, whose release is NULL then.
template <class Struct, class Parts>
[[nodiscard]] Parts& own_parts(arrow_owner<Struct>& owner, Parts parts) {
    auto kept = std::make_unique<Parts>(std::move(parts));
    for (auto& child : kept->children)
        kept->pointers.push_back(child.get());
    Struct& made = *owner.get();
    made.n_children = static_cast<std::int64_t>(kept->pointers.size());
    made.children = kept->pointers.empty() ? nullptr : kept->pointers.data();
    made.private_data = kept.get();
    made.release = [](Struct* self) {
        delete static_cast<Parts*>(self->private_data);
        self->release = nullptr;
    };
    return *kept.release();
}

[[nodiscard]] inline arrow_pair pair_of(schema_parts schema, std::int64_t flags, array_parts array, std::size_t length,
                                        std::size_t null_count = 0) {
    arrow_pair out;
    const auto& names = own_parts(out.schema, std::move(schema));
    out.schema.get()->format = names.format.c_str();
    out.schema.get()->name = names.name.c_str();
    out.schema.get()->flags = flags;
    auto& buffers = own_parts(out.array, std::move(array)).buffers;
    out.array.get()->length = static_cast<std::int64_t>(length);
    out.array.get()->null_count = static_cast<std::int64_t>(null_count);
    out.array.get()->n_buffers = static_cast<std::int64_t>(buffers.size());
    out.array.get()->buffers = buffers.data();
    return out;
}

/// Elements at equal distances.
struct column_source {
    const std::byte* first;
    std::size_t step;  // in bytes
    std::size_t count;
    std::shared_ptr<const void> owner;
};

class arrow_exporter {
  public:
    /// @param inner  the axes of a row, of which each becomes a list
    /// @param path   the fields around it and its own, for errors
    [[nodiscard]] arrow_pair column(const dtype& type, const shape_type& inner, column_source rows,
                                    const std::string& name, const std::string& path) {
        if (name.find('\0') != std::string::npos)
            throw mismatch_error({.field = "field", .expected = "a name without NUL", .found = quoted(name)});
        const std::size_t width = product(inner);
        const std::size_t item = static_cast<std::size_t>(type.size());
        // A struct of Arrow is one struct of NumPy. Only the elements of lists must lie side by side.
        if (!type.is_struct() || !inner.empty())
            rows = packed(rows, width * item);
        const column_source elements = {rows.first, inner.empty() ? rows.step : item, rows.count * width, rows.owner};
        // The name belongs to the outermost list; Arrow calls its child "item".
        const std::string element_name = inner.empty() ? name : "item";
        auto out =
            type.is_struct() ? structs(type, elements, element_name, path) : plain(type, elements, element_name, path);
        for (std::size_t axis = inner.size(); axis-- > 0;) {
            std::size_t length = rows.count;
            for (std::size_t outer = 0; outer < axis; ++outer)
                length *= inner[outer];
            schema_parts schema = {"+w:" + std::to_string(inner[axis]), axis == 0 ? name : "item", {}, {}};
            schema.children.push_back(std::move(out.schema));
            array_parts array = {{}, {nullptr}, {}, {}};
            array.children.push_back(std::move(out.array));
            out = pair_of(std::move(schema), 0, std::move(array), length);
        }
        return out;
    }

  private:
    [[nodiscard]] static std::pair<std::byte*, std::shared_ptr<const void>> memory(std::size_t bytes) {
        const auto made = std::make_shared<buffer>(bytes);
        return {made->data(), made};
    }

    /// The same elements side by side; a copy unless they are.
    [[nodiscard]] static column_source packed(const column_source& source, std::size_t item) {
        if (source.step == item || source.count <= 1)
            return {source.first, item, source.count, source.owner};
        auto [to, owner] = memory(source.count * item);
        if (item != 0)
            copy_run(to, static_cast<std::ptrdiff_t>(item), source.first, static_cast<std::ptrdiff_t>(source.step),
                     source.count, item);
        return {to, item, source.count, std::move(owner)};
    }

    [[nodiscard]] arrow_pair structs(const dtype& type, const column_source& source, const std::string& name,
                                     const std::string& path) {
        schema_parts schema = {"+s", name, {}, {}};
        array_parts array = {{}, {nullptr}, {}, {}};
        for (const auto& field : type.fields()) {
            const std::byte* const first = source.first == nullptr ? nullptr : source.first + field.offset;
            auto child = column(field.type, field.shape, {first, source.step, source.count, source.owner}, field.name,
                                path.empty() ? field.name : path + '.' + field.name);
            schema.children.push_back(std::move(child.schema));
            array.children.push_back(std::move(child.array));
        }
        return pair_of(std::move(schema), 0, std::move(array), source.count);
    }

    [[noreturn]] static void refuse(const std::string& path, std::string expected, std::string found,
                                    std::string hint = {}) {
        throw mismatch_error({.field = path.empty() ? "dtype" : "dtype of field " + quoted(path),
                              .expected = std::move(expected),
                              .found = std::move(found),
                              .hint = std::move(hint)});
    }

    /// The format of a dtype that is not nested.
    [[nodiscard]] static std::string format_of(const dtype& type, const std::string& path) {
        for (const auto& number : arrow_numbers)
            if (number.kind == type.kind() && number.bytes == type.size())
                return {number.format};
        switch (type.kind()) {
        case 'S':
        case 'V':
            return "w:" + std::to_string(type.size());
        case 'U':
            return "u";
        case 'M':
            if (type.unit() == "D" && type.multiple() == 1)
                return "tdD";
            [[fallthrough]];
        case 'm':
            for (const auto& [letter, unit] : arrow_units)
                if (unit == type.unit() && type.multiple() == 1)
                    return type.kind() == 'M' ? std::string("ts") + letter + ':' : std::string("tD") + letter;
            refuse(path, "a unit of Arrow: s, ms, us, ns, or D of dates", quoted(type.str()),
                   "load with another unit, as std::chrono has it");
        default:
            refuse(path, "a dtype that Arrow has", quoted(type.str()));
        }
    }

    [[nodiscard]] arrow_pair plain(const dtype& type, column_source source, const std::string& name,
                                   const std::string& path) {
        schema_parts schema = {format_of(type, path), name, {}, {}};
        if (!type.is_native()) {
            const conversion to_native(type, type.native());
            auto [to, owner] = memory(source.count * source.step);
            to_native.run(to, source.first, source.count);
            source = {to, source.step, source.count, std::move(owner)};
        }
        array_parts array = {{}, {nullptr}, {}, {}};
        std::size_t nulls = 0;
        if (type.kind() == 'U') {
            strings(type, source, schema, array, path);
        } else if (type.kind() == 'b') {
            auto bits = bits_of(source.count, [&](std::size_t i) { return source.first[i] != std::byte{0}; });
            array.buffers.push_back(bits->data());
            array.owners.push_back(std::move(bits));
        } else {
            if (type.is_time())
                nulls = mark_nulls(source, array);
            if (schema.format == "tdD")
                source = days(source, path);
            array.buffers.push_back(source.first);
            array.owners.push_back(source.owner);
        }
        return pair_of(std::move(schema), type.is_time() ? ARROW_FLAG_NULLABLE : 0, std::move(array), source.count,
                       nulls);
    }

    template <class Is>
    [[nodiscard]] static std::shared_ptr<const buffer> bits_of(std::size_t count, const Is& is) {
        auto bits = std::make_shared<buffer>((count + 7) / 8);
        for (std::size_t i = 0; i < count; ++i) {
            if (i % 8 == 0)
                bits->data()[i / 8] = std::byte{0};
            if (is(i))
                bits->data()[i / 8] |= std::byte{1} << i % 8;
        }
        return bits;
    }

    [[nodiscard]] static std::int64_t time_at(const column_source& source, std::size_t i) {
        std::int64_t count;
        std::memcpy(&count, source.first + i * sizeof count, sizeof count);
        return count;
    }

    static constexpr std::int64_t not_a_time = std::numeric_limits<std::int64_t>::min();

    /// Adds the bits of elements that are not NaT, if one is NaT.
    /// @return how many are
    [[nodiscard]] static std::size_t mark_nulls(const column_source& source, array_parts& array) {
        std::size_t nulls = 0;
        for (std::size_t i = 0; i < source.count; ++i)
            nulls += time_at(source, i) == not_a_time ? 1 : 0;
        if (nulls != 0) {
            auto bits = bits_of(source.count, [&](std::size_t i) { return time_at(source, i) != not_a_time; });
            array.buffers.front() = bits->data();
            array.owners.push_back(std::move(bits));
        }
        return nulls;
    }

    /// Days of 32 bits.
    [[nodiscard]] static column_source days(const column_source& source, const std::string& path) {
        auto [to, owner] = memory(source.count * sizeof(std::int32_t));
        for (std::size_t i = 0; i < source.count; ++i) {
            const std::int64_t day = time_at(source, i) == not_a_time ? 0 : time_at(source, i);
            const auto narrow = static_cast<std::int32_t>(day);
            if (narrow != day)
                refuse(path, "days that 32 bits hold, as Arrow has them", "day " + std::to_string(day) + " since 1970",
                       "dates in seconds");
            std::memcpy(to + i * sizeof narrow, &narrow, sizeof narrow);
        }
        return {to, sizeof(std::int32_t), source.count, std::move(owner)};
    }

    /// Text as UTF-8, without the NULs at its end.
    static void strings(const dtype& type, const column_source& source, schema_parts& schema, array_parts& array,
                        const std::string& path) {
        std::vector<std::uint64_t> ends = {0};
        std::string text;
        const auto longest = static_cast<std::size_t>(type.size()) / 4;
        std::u32string characters(longest, U'\0');
        for (std::size_t i = 0; i < source.count; ++i) {
            if (longest != 0)
                std::memcpy(characters.data(), source.first + i * longest * 4, longest * 4);
            const auto length = characters.find_last_not_of(U'\0') + 1;  // npos + 1 is 0
            for (std::size_t at = 0; at < length; ++at) {
                if (characters[at] > 0x10ffff || is_surrogate(characters[at]))
                    refuse(path, "text of Unicode characters", "code " + std::to_string(std::uint32_t{characters[at]}));
                append_utf8(text, characters[at]);
            }
            ends.push_back(text.size());
        }
        const bool is_large = text.size() > std::size_t{std::numeric_limits<std::int32_t>::max()};
        if (is_large)
            schema.format = "U";
        const std::size_t width = is_large ? sizeof(std::int64_t) : sizeof(std::int32_t);
        auto [offsets, owner] = memory(ends.size() * width);
        for (std::size_t i = 0; i < ends.size(); ++i) {
            const auto narrow = static_cast<std::int32_t>(ends[i]);
            std::memcpy(offsets + i * width, is_large ? static_cast<const void*>(&ends[i]) : &narrow, width);
        }
        const auto kept = std::make_shared<const std::string>(std::move(text));
        array.buffers.insert(array.buffers.end(), {offsets, kept->data()});
        array.owners.insert(array.owners.end(), {owner, kept});
    }
};

NDKEEP_INLINE arrow_pair export_arrow(array_view elements, const std::string& name) {
    if (elements.shape().empty())
        throw mismatch_error({.field = "shape", .expected = "1 dimension or more", .found = "()"});
    const auto item = static_cast<std::size_t>(elements.type().size());
    // Padding needs no copy: the columns leave it out.
    if (elements.size() != 0 && (elements.elements() == nullptr ||
                                 !is_contiguous(elements.shape(), elements.strides(), item, order::row_major)))
        elements = any_array(elements);
    const auto& shape = elements.shape();
    const shape_type inner(shape.begin() + 1, shape.end());
    const column_source rows = {elements.elements(), product(inner) * item, shape.front(),
                                std::make_shared<const array_view>(elements)};
    return arrow_exporter().column(elements.type(), inner, rows, name, {});
}

}  // namespace ndkeep::inline NDKEEP_ABI::detail
