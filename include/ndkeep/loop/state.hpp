// SPDX-License-Identifier: BSD-3-Clause
// States of a loop, part by part, on their way into a checkpoint and out of it.
#pragma once

#include <ndkeep/loop/detail/state/form.hpp>
#include <ndkeep/npz/detail/member.hpp>
#include <ndkeep/npz/detail/packed.hpp>

namespace ndkeep {

namespace detail {
template <class T>
struct state_codec;
template <class T>
class typed_slot;

/// What people are told of a part: the folder of all states is left out.
[[nodiscard]] inline std::string state_field(const std::string& path, const std::string& name) {
    const auto slash = path.find('/');
    return "state " + ndkeep::quoted((slash == std::string::npos ? "" : path.substr(slash + 1) + '/') + name);
}
}  // namespace detail

/// Takes the parts of a state, each under a name of its own: what `save` of a type is given.
class state_writer {
  public:
    /// @param forms   gets how the parts are kept, an object
    /// @param path    of their members in the archive
    state_writer(json::object_t& forms, std::string path, detail::packed_archive& arrays)
        : forms_(forms), path_(std::move(path)), arrays_(arrays) {}

    /// Arrays are referred to until the state has been written.
    /// @throws mismatch_error  a name twice, or one that cannot be a member's
    template <loop_state T>
    void set(const std::string& name, const T& value);

    /// Rows in pieces of memory, one behind the other, as one array.
    void set_rows(const std::string& name, const array_info& info, std::span<const std::span<const std::byte>> pieces) {
        add(name, "array") = member(name);
        arrays_.add_array(member(name), info, pieces);
    }

  private:
    template <class T>
    friend struct detail::state_codec;
    template <class T>
    friend class detail::typed_slot;

    /// The form of a part, whose only member is `kind`.
    [[nodiscard]] json& add(const std::string& name, const char* kind) {
        check_name(name);
        if (forms_.count(name) != 0)
            throw mismatch_error({.field = field(name), .expected = "each name once", .found = "given twice"});
        return (*forms_.emplace(name, json(json::value_t::object)).first->second.get_ptr<json::object_t*>())[kind];
    }
    /// Says something else of a part.
    void note(const std::string& name, const char* what, json value) {
        (*forms_.at(name).get_ptr<json::object_t*>())[what] = std::move(value);
    }
    [[nodiscard]] std::string member(const std::string& name) const {
        return path_ + '/' + name + std::string(detail::npy_suffix);
    }
    [[nodiscard]] std::string field(const std::string& name) const { return detail::state_field(path_, name); }
    void check_name(const std::string& name) const {
        constexpr std::size_t longest = 255;
        const bool fits = !name.empty() && name.size() <= longest && name != "." && name != ".." &&
                          detail::is_utf8(name) && std::none_of(name.begin(), name.end(), [](char c) {
                              return c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
                          });
        if (!fits)
            throw mismatch_error({.field = "name of a state",
                                  .expected = "text of at most 255 bytes, without slashes and control characters",
                                  .found = ndkeep::quoted(name)});
    }

    json::object_t& forms_;
    std::string path_;
    detail::packed_archive& arrays_;
};

/// Gives the parts of a state back: what `load` of a type is given.
class state_reader {
  public:
    /// @param path  of the members
    state_reader(const json& forms, std::string path, const detail::archive& from)
        : forms_(forms), path_(std::move(path)), from_(from) {
        if (!forms_.is_object())
            throw detail::malformed(from_.path(), path_, "an object", forms_.type_name());
    }

    [[nodiscard]] bool contains(const std::string& name) const { return find(name) != nullptr; }

    /// @throws mismatch_error  no such part, or of another type
    template <loop_state T>
    void get(const std::string& name, T& into) const;
    template <loop_state T>
    [[nodiscard]] T get(const std::string& name) const {
        T value{};
        get(name, value);
        return value;
    }

    /// An array of any dtype and shape.
    [[nodiscard]] any_array get_any(const std::string& name) const;

  private:
    template <class T>
    friend struct detail::state_codec;
    template <class T>
    friend class detail::typed_slot;

    [[nodiscard]] const json* find(const std::string& name) const {
        const auto& members = *forms_.get_ptr<const json::object_t*>();
        const auto at = members.find(name);
        return at == members.end() ? nullptr : &at->second;
    }

    /// The form of a part.
    [[nodiscard]] const json& form(const std::string& name) const {
        if (const json* const there = find(name); there != nullptr && there->is_object())
            return *there;
        refuse(name, "stored", "missing");
    }
    /// What its form says under `kind`, which must be the one that T has.
    [[nodiscard]] const json& form(const std::string& name, const char* kind) const {
        const json& whole = form(name);
        const auto* const members = whole.get_ptr<const json::object_t*>();
        const auto at = members->find(kind);
        if (at == members->end())
            refuse(name, std::string("kept as ") + kind,
                   members->empty() ? "empty" : "kept as " + members->begin()->first);
        return at->second;
    }

    [[noreturn]] void refuse(const std::string& name, std::string expected, std::string found) const {
        throw mismatch_error(
            {.file = from_.path(), .field = field(name), .expected = std::move(expected), .found = std::move(found)});
    }

    [[nodiscard]] std::string field(const std::string& name) const { return detail::state_field(path_, name); }

    /// @throws mismatch_error  something else is said of a part
    void expect(const std::string& name, const char* what, const json& wanted) const {
        const json& whole = form(name);
        const auto* const members = whole.get_ptr<const json::object_t*>();
        const auto at = members->find(what);
        if (at == members->end() || at->second == wanted)
            return;
        throw mismatch_error({.file = from_.path(),
                              .field = field(name) + ": " + what,
                              .expected = detail::json_text(wanted),
                              .found = detail::json_text(at->second)});
    }

    /// An array, as `elements` reads it; errors name the state.
    template <class Elements>
    [[nodiscard]] auto read(const std::string& name, const char* kind, Elements&& elements) const {
        const auto* const member = form(name, kind).get_ptr<const json::string_t*>();
        const auto* const entry = member == nullptr ? nullptr : from_.find_exact(*member);
        if (entry == nullptr)
            throw detail::malformed(from_.path(), field(name), "a member of the archive", "missing");
        try {
            return detail::read_member(from_, *entry, {.run = {.threads = 1}}, elements);
        } catch (const mismatch_error& problem) {
            error_parts parts = problem.parts();
            if (const auto colon = parts.field.rfind(": "); colon != std::string::npos)
                parts.field = field(name) + parts.field.substr(colon);
            parts.hint.clear();
            throw mismatch_error(std::move(parts));
        }
    }

    const json& forms_;
    std::string path_;
    const detail::archive& from_;
};

inline any_array state_reader::get_any(const std::string& name) const {
    return read(name, "array",
                [](const detail::byte_source& source, const array_info& info, const run_options& run,
                   std::uint32_t& crc) { return detail::read_any(source, info, run, &crc); });
}

}  // namespace ndkeep
