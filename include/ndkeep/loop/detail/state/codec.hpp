// SPDX-License-Identifier: BSD-3-Clause
// Writing and reading of states in each form.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/reader.hpp>
#include <ndkeep/array/tags.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/element/text.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/loop/detail/state/form.hpp>
#include <ndkeep/loop/state.hpp>
#include <ndkeep/npz/core/archive.hpp>
#include <ndkeep/npz/detail/packed.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/text/json/print.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// The name of a type in files of states. Without run-time type information the compiler knows only the name in the
/// source, so programs that are compiled with and without it reject each other's states of such a type.
template <class T>
[[nodiscard]] std::string type_text() {
#if defined(__cpp_rtti) || defined(__GXX_RTTI)
    return typeid(T).name();
#else
    const std::string_view text = __PRETTY_FUNCTION__;  // "… [with T = reading; …]" or "… [T = reading]"
    const std::size_t begin = text.find("T = ") + 4;
    return std::string(text.substr(begin, text.find_first_of(";]", begin) - begin));
#endif
}

/// Writes and reads states of one type.
template <class T>
struct state_codec {
    using form = state_form;
    static constexpr form kind = form_of<T>();

    static void write(state_writer& out, const std::string& name, const T& value) {
        if constexpr (kind == form::own) {
            json& parts = out.add(name, "parts") = json::object();
            state_writer inner(members_of(parts), out.path_ + '/' + name, out.arrays_);
            value.save(inner);
        } else if constexpr (kind == form::array) {
            out.add(name, "array") = out.member(name);
            out.arrays_.add_array(out.member(name), value);
        } else if constexpr (kind == form::scalar) {
            out.add(name, "array") = out.member(name);
            out.arrays_.add_array(out.member(name), array_view(value));
        } else if constexpr (kind == form::json) {
            json& kept = out.add(name, "json") = json(value);
            check_text(out, name, kept);
            if constexpr (is_simple)
                out.note(name, "type", simple_name());
        } else if constexpr (kind == form::bytes) {
            write_bytes(out, name, {}, &value, 1);
        } else if constexpr (kind == form::sequence) {
            write_sequence(out, name, value);
        } else {
            // One part per item, named by its number, also in dictionaries: a key may be any text, a name may not.
            json& items = out.add(name, kind == form::list ? "list" : "dictionary");
            json parts = json::object();
            json::array_t keys;
            state_writer inner(members_of(parts), out.path_ + '/' + name, out.arrays_);
            std::size_t i = 0;
            for (const auto& item : value)
                if constexpr (kind == form::list) {
                    inner.set(std::to_string(i++), item);
                } else {
                    keys.emplace_back(item.first);
                    inner.set(std::to_string(i++), item.second);
                }
            if constexpr (kind == form::list)
                items = i;
            else
                items = std::move(keys);
            out.note(name, "parts", std::move(parts));
        }
    }

    static void read(const state_reader& in, const std::string& name, T& into) {
        if constexpr (kind == form::own) {
            into.load(state_reader(in.form(name, "parts"), in.path_ + '/' + name, in.from_));
        } else if constexpr (kind == form::array) {
            into = in.read(name, "array", [](const auto& source, const auto& info, const auto& run, auto& crc) {
                using array = state_array<T>;
                if constexpr (bridged_state<T>)
                    return read_array<T>(source, info, "bind", run, &crc);
                else
                    return read_elements<typename T::value_type, array::rank, array::order>(source, info, "bind", run,
                                                                                            &crc);
            });
        } else if constexpr (kind == form::scalar) {
            into = elements_of<T, 0>(in, name)();
        } else if constexpr (kind == form::json) {
            read_json(in, name, into);
        } else if constexpr (kind == form::bytes) {
            read_bytes(
                in, name, [&](const std::byte* data, std::size_t) { std::memcpy(&into, data, sizeof(T)); }, 0);
        } else if constexpr (kind == form::sequence) {
            read_sequence(in, name, into);
        } else {
            read_items(in, name, into);
        }
    }

  private:
    /// Whether the name of the type is stored with the value. JSON does not distinguish int from double or float:
    /// without the name, a value of another type could be read silently.
    static constexpr bool is_simple = (std::is_arithmetic_v<T> && element<T>) || std::is_same_v<T, std::string>;
    [[nodiscard]] static std::string simple_name() {
        if constexpr (std::is_same_v<T, std::string>)
            return "text";
        else
            return dtype_of<T>().str();
    }

    /// Rejects a value that cannot be written as text now, so that the error names the state.
    static void check_text(const state_writer& out, const std::string& name, const json& value) {
        try {
            (void)json_text(value);
        } catch (const mismatch_error& problem) {
            error_parts parts = problem.parts();
            parts.field = out.field(name) + ": " + parts.field;
            throw mismatch_error(std::move(parts));
        }
    }

    static void read_json(const state_reader& in, const std::string& name, T& into) {
        const json& kept = in.form(name, "json");
        if constexpr (is_simple) {
            const object_reader said(in.form(name), in.field(name), in.from_.path());
            const json* const type = said.find("type");
            if (type == nullptr || !type->is_string() || said.text("type") != simple_name())
                in.refuse(name, ndkeep::quoted(simple_name()),
                          type == nullptr || !type->is_string() ? "another type" : ndkeep::quoted(said.text("type")));
        }
        try {
            into = kept.get<T>();
        } catch (const json::exception& problem) {
            throw mismatched(in.from_.path(), in.field(name), "a value of the bound type", "of another kind",
                             problem.what());
        }
        // The value is converted back and compared: a conversion from JSON may drop content without an error.
        if (const auto lost = what_is_lost(kept, json(std::as_const(into)), ""); !lost.empty())
            in.refuse(name, "a value of the bound type", lost);
    }

    [[nodiscard]] static bool is_same_real(double a, double b) {
        return is_nan(a) || is_nan(b) ? is_nan(a) && is_nan(b) : a == b;
    }

    /// Whether two numbers are the same. An integer is not the same as a floating-point number, and NaN equals NaN.
    [[nodiscard]] static bool is_same_number(const json& a, const json& b) {
        if (a.is_number_float() || b.is_number_float())
            return a.is_number_float() && b.is_number_float() && is_same_real(a.get<double>(), b.get<double>());
        // The comparison of nlohmann's JSON converts to one type, in which -1 equals the largest unsigned number.
        const auto is_negative = [](const json& number) {
            return !number.is_number_unsigned() && number.get<std::int64_t>() < 0;
        };
        return is_negative(a) == is_negative(b) && a == b;
    }

    /// Describes content of `kept` that is not in `taken`; empty if there is none. Conversions from JSON ignore members
    /// that they do not know, and truncate numbers.
    [[nodiscard]] static std::string what_is_lost(const json& kept, const json& taken, const std::string& path) {
        if (const auto* const members = kept.get_ptr<const json::object_t*>()) {
            const auto* const others = taken.get_ptr<const json::object_t*>();
            for (const auto& [key, member] : *members) {
                if (others == nullptr || others->count(key) == 0)
                    return "an object with " + ndkeep::quoted(path + key);
                if (auto lost = what_is_lost(member, others->at(key), path + key + '.'); !lost.empty())
                    return lost;
            }
        } else if (const auto* const items = kept.get_ptr<const json::array_t*>()) {
            const auto* const others = taken.get_ptr<const json::array_t*>();
            if (others == nullptr || others->size() != items->size())
                return "a list with another number of items" + (path.empty() ? "" : " in " + ndkeep::quoted(path));
            for (std::size_t i = 0; i < items->size(); ++i)
                if (auto lost = what_is_lost((*items)[i], (*others)[i], path); !lost.empty())
                    return lost;
        } else if (kept.is_number() && !is_same_number(kept, taken)) {
            return "the number " + json_text(kept) + (path.empty() ? "" : " in " + ndkeep::quoted(path));
        } else if (!kept.is_number() && kept.type() != taken.type()) {
            return json_kind(kept) + (path.empty() ? "" : " in " + ndkeep::quoted(path));
        }
        return {};
    }

    /// Stores the bytes of items as an array of NumPy's V type, with shape {} or {count}. The name of the C++ type is
    /// stored too: bytes of another type must not be read.
    template <class Item>
    static void write_bytes(state_writer& out, const std::string& name, std::vector<std::size_t> shape,
                            const Item* items, std::size_t count) {
        out.add(name, "bytes") = out.member(name);
        out.note(name, "type", type_text<Item>());
        const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(items), count * sizeof(Item));
        const array_info info{.type = dtype_of<fixed_bytes<sizeof(Item)>>(), .shape = std::move(shape)};
        out.arrays_.add_array(out.member(name), info, {&bytes, 1});
    }

    template <class Item = T, class Use>
    static void read_bytes(const state_reader& in, const std::string& name, Use&& use, std::size_t rank) {
        (void)in.form(name, "bytes");
        const object_reader said(in.form(name), in.field(name), in.from_.path());
        if (said.text("type") != type_text<Item>())
            in.refuse(name, "of type " + ndkeep::quoted(type_text<Item>()),
                      "of type " + ndkeep::quoted(said.text("type")));
        const any_array kept =
            in.read(name, "bytes", [](const auto& source, const auto& info, const auto& run, auto& crc) {
                return read_any(source, info, run, &crc);
            });
        if (kept.type() != dtype_of<fixed_bytes<sizeof(Item)>>() || kept.dimension() != rank)
            in.refuse(name, counted(sizeof(Item), "byte") + ", " + counted(rank, "dimension"),
                      counted(kept.type().size(), "byte") + ", " + counted(kept.dimension(), "dimension"));
        use(kept.bytes().data(), kept.size());
    }

    template <class Item, std::size_t N>
    [[nodiscard]] static auto elements_of(const state_reader& in, const std::string& name) {
        return in.read(name, "array", [](const auto& source, const auto& info, const auto& run, auto& crc) {
            return read_elements<Item, N, order::row_major>(source, info, "bind", run, &crc);
        });
    }

    static void write_sequence(state_writer& out, const std::string& name, const T& value) {
        using item = typename T::value_type;
        if constexpr (state_form::bytes == form_of<item>() && !element<item>) {
            static_assert(
                requires { value.data(); }, "of trivially copyable types only vectors are kept");
            write_bytes(out, name, {value.size()}, value.data(), value.size());
        } else if constexpr (requires { value.data(); }) {
            out.add(name, "array") = out.member(name);
            out.arrays_.add_array(out.member(name), array_view(value));
        } else {
            out.add(name, "array") = out.member(name);
            out.arrays_.add_array(out.member(name), array_view(std::vector<item>(value.begin(), value.end())));
        }
    }

    static void read_sequence(const state_reader& in, const std::string& name, T& into) {
        using item = typename T::value_type;
        if constexpr (state_form::bytes == form_of<item>() && !element<item>) {
            read_bytes<item>(
                in, name,
                [&](const std::byte* data, std::size_t count) {
                    into.resize(count);
                    if (count != 0)
                        std::memcpy(into.data(), data, count * sizeof(item));
                },
                1);
        } else {
            const auto items = elements_of<item, 1>(in, name);
            into.assign(items.begin(), items.end());
        }
    }

    static void read_items(const state_reader& in, const std::string& name, T& into) {
        const json& said = in.form(name, kind == form::list ? "list" : "dictionary");
        const state_reader inner(in.form(name, "parts"), in.path_ + '/' + name, in.from_);
        T all;
        if constexpr (kind == form::list) {
            const auto* const count = said.get_ptr<const json::number_unsigned_t*>();
            if (count == nullptr)
                throw malformed(in.from_.path(), in.field(name), "a count", json_kind(said));
            for (std::uint64_t i = 0; i < *count; ++i)
                all.push_back(inner.template get<typename T::value_type>(std::to_string(i)));
        } else {
            const auto* const keys = said.get_ptr<const json::array_t*>();
            if (keys == nullptr)
                throw malformed(in.from_.path(), in.field(name), "a list of keys", json_kind(said));
            for (std::size_t i = 0; i < keys->size(); ++i) {
                const auto* const key = (*keys)[i].template get_ptr<const json::string_t*>();
                if (key == nullptr)
                    throw malformed(in.from_.path(), in.field(name), "a list of keys", json_kind((*keys)[i]));
                inner.get(std::to_string(i), all[*key]);
            }
        }
        into = std::move(all);  // only now, so that an error leaves `into` as it was
    }
};

}  // namespace detail

template <loop_state T>
void state_writer::set(const std::string& name, const T& value) {
    detail::state_codec<T>::write(*this, name, value);
}

template <loop_state T>
void state_reader::get(const std::string& name, T& into) const {
    detail::state_codec<T>::read(*this, name, into);
}

}  // namespace ndkeep
