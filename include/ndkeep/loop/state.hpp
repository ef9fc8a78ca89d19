// SPDX-License-Identifier: BSD-3-Clause
// Writer and reader of the states of a loop, for types with `save` and `load`.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/loop/detail/state/form.hpp>
#include <ndkeep/npz/core/archive.hpp>
#include <ndkeep/npz/core/member.hpp>
#include <ndkeep/npz/detail/packed.hpp>
#include <ndkeep/text/json/parser.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {
template <class T>
struct state_codec;
template <class T>
class typed_slot;
struct loop_access;

/// The name of a part in errors: its path without the folder of all states.
[[nodiscard]] std::string state_field(const std::string& path, const std::string& name);
}  // namespace detail

/// Writes the parts of a state, each under a different name: the argument of `save`.
class state_writer {
  public:
    /// Stores a part. An array is referred to, not copied, until the commit is written: pass a member of the object,
    /// not a local variable of `save`.
    /// @throws mismatch_error  the name is used twice, or is not valid: it must be UTF-8 of at most 255 bytes, without
    ///                         slashes and control characters
    template <loop_state T>
    void set(const std::string& name, const T& value);

    /// Stores rows from several pieces of memory, in this order, as one array.
    void set_rows(const std::string& name, const array_info& info, std::span<const std::span<const std::byte>> pieces);

  private:
    template <class T>
    friend struct detail::state_codec;
    template <class T>
    friend class detail::typed_slot;
    friend struct detail::loop_access;

    /// @param forms   receives the JSON form of each part
    /// @param path    folder of their members in the archive
    state_writer(json::object_t& forms, std::string path, detail::packed_archive& arrays)
        : forms_(forms), path_(std::move(path)), arrays_(arrays) {}

    /// Adds the form of a part, and returns its first member, `kind`.
    [[nodiscard]] json& add(const std::string& name, const char* kind);
    /// Adds another member to the form of a part.
    void note(const std::string& name, const char* what, json value);
    [[nodiscard]] std::string member(const std::string& name) const;
    [[nodiscard]] std::string field(const std::string& name) const { return detail::state_field(path_, name); }
    void check_name(const std::string& name) const;

    json::object_t& forms_;
    std::string path_;
    detail::packed_archive& arrays_;
};

/// Reads the parts of a state: the argument of `load`.
class state_reader {
  public:
    /// Whether the state has this part.
    [[nodiscard]] bool contains(const std::string& name) const { return find(name) != nullptr; }

    /// Reads a part.
    /// @throws mismatch_error  the part is absent, or has another type
    template <loop_state T>
    void get(const std::string& name, T& into) const;
    template <loop_state T>
    [[nodiscard]] T get(const std::string& name) const {
        T value{};
        get(name, value);
        return value;
    }

    /// Reads a part that is an array of any dtype and shape.
    /// @throws mismatch_error  the part is absent, or is not an array
    [[nodiscard]] any_array get_any(const std::string& name) const;

  private:
    template <class T>
    friend struct detail::state_codec;
    template <class T>
    friend class detail::typed_slot;
    friend struct detail::loop_access;

    /// @param path  folder of the members in the archive
    state_reader(const json& forms, std::string path, const core::archive& from);

    [[nodiscard]] const json* find(const std::string& name) const;

    /// The JSON form of a part.
    /// @throws mismatch_error  the part is absent
    [[nodiscard]] const json& form(const std::string& name) const;
    /// The member `kind` of the form.
    /// @throws mismatch_error  the part is absent, or stored in another form
    [[nodiscard]] const json& form(const std::string& name, const char* kind) const;

    [[noreturn]] void refuse(const std::string& name, std::string expected, std::string found) const;

    [[nodiscard]] std::string field(const std::string& name) const { return detail::state_field(path_, name); }

    /// Checks a member of the form, if it is present.
    /// @throws mismatch_error  it is not `wanted`
    void expect(const std::string& name, const char* what, const json& wanted) const;

    /// Reads an array with `elements`. Errors name the state instead of the member of the archive.
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
    const core::archive& from_;
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/loop/detail/state.ipp>
#endif
