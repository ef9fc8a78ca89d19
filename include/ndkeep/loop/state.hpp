// SPDX-License-Identifier: BSD-3-Clause
// States of a loop, part by part, on their way into a checkpoint and out of it.
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

/// What people are told of a part: the folder of all states is left out.
[[nodiscard]] std::string state_field(const std::string& path, const std::string& name);
}  // namespace detail

/// Takes the parts of a state, each under a name of its own: what `save` of a type is given.
class state_writer {
  public:
    /// Arrays are referred to until the state has been written.
    /// @throws mismatch_error  a name twice, or one that cannot be a member's
    template <loop_state T>
    void set(const std::string& name, const T& value);

    /// Rows in pieces of memory, one behind the other, as one array.
    void set_rows(const std::string& name, const array_info& info, std::span<const std::span<const std::byte>> pieces);

  private:
    template <class T>
    friend struct detail::state_codec;
    template <class T>
    friend class detail::typed_slot;
    friend struct detail::loop_access;

    /// @param forms   gets how the parts are kept, an object
    /// @param path    of their members in the archive
    state_writer(json::object_t& forms, std::string path, detail::packed_archive& arrays)
        : forms_(forms), path_(std::move(path)), arrays_(arrays) {}

    /// The form of a part, whose only member is `kind`.
    [[nodiscard]] json& add(const std::string& name, const char* kind);
    /// Says something else of a part.
    void note(const std::string& name, const char* what, json value);
    [[nodiscard]] std::string member(const std::string& name) const;
    [[nodiscard]] std::string field(const std::string& name) const { return detail::state_field(path_, name); }
    void check_name(const std::string& name) const;

    json::object_t& forms_;
    std::string path_;
    detail::packed_archive& arrays_;
};

/// Gives the parts of a state back: what `load` of a type is given.
class state_reader {
  public:
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
    friend struct detail::loop_access;

    /// @param path  of the members
    state_reader(const json& forms, std::string path, const core::archive& from);

    [[nodiscard]] const json* find(const std::string& name) const;

    /// The form of a part.
    [[nodiscard]] const json& form(const std::string& name) const;
    /// What its form says under `kind`, which must be the one that T has.
    [[nodiscard]] const json& form(const std::string& name, const char* kind) const;

    [[noreturn]] void refuse(const std::string& name, std::string expected, std::string found) const;

    [[nodiscard]] std::string field(const std::string& name) const { return detail::state_field(path_, name); }

    /// @throws mismatch_error  something else is said of a part
    void expect(const std::string& name, const char* what, const json& wanted) const;

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
    const core::archive& from_;
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/loop/detail/state.ipp>
#endif
