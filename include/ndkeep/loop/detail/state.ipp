// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/loop/state.hpp>.
#pragma once

#include <ndkeep/loop/state.hpp>

#include <ndkeep/array/reader.hpp>
#include <ndkeep/bytes/source.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/text/json/print.hpp>
#include <ndkeep/text/unicode.hpp>
#include <ndkeep/work/progress.hpp>

#include <algorithm>
#include <cstdint>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

NDKEEP_INLINE std::string state_field(const std::string& path, const std::string& name) {
    const auto slash = path.find('/');
    return "state " + ndkeep::quoted((slash == std::string::npos ? "" : path.substr(slash + 1) + '/') + name);
}

}  // namespace detail

NDKEEP_INLINE void state_writer::set_rows(const std::string& name, const array_info& info,
                                          std::span<const std::span<const std::byte>> pieces) {
    add(name, "array") = member(name);
    arrays_.add_array(member(name), info, pieces);
}

NDKEEP_INLINE json& state_writer::add(const std::string& name, const char* kind) {
    check_name(name);
    if (forms_.count(name) != 0)
        throw mismatch_error({.field = field(name), .expected = "a name of its own", .found = "set twice"});
    return detail::members_of(forms_.emplace(name, json(json::value_t::object)).first->second)[kind];
}

NDKEEP_INLINE void state_writer::note(const std::string& name, const char* what, json value) {
    detail::members_of(forms_.at(name))[what] = std::move(value);
}

NDKEEP_INLINE std::string state_writer::member(const std::string& name) const {
    return path_ + '/' + name + std::string(detail::npy_suffix);
}

NDKEEP_INLINE void state_writer::check_name(const std::string& name) const {
    // The name becomes part of the name of a member in the archive. Without slashes and ".." it cannot lead out of its
    // folder when the archive is unpacked.
    constexpr std::size_t longest = 255;
    const bool fits = !name.empty() && name.size() <= longest && name != "." && name != ".." && detail::is_utf8(name) &&
                      std::none_of(name.begin(), name.end(), [](char c) {
                          return c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
                      });
    if (!fits)
        throw mismatch_error({.field = "name of a state",
                              .expected = "text of at most 255 bytes, without slashes and control characters",
                              .found = ndkeep::quoted(name)});
}

NDKEEP_INLINE state_reader::state_reader(const json& forms, std::string path, const core::archive& from)
    : forms_(forms), path_(std::move(path)), from_(from) {
    if (!forms_.is_object())
        throw detail::malformed(from_.path(), path_, "an object", detail::json_kind(forms_));
}

NDKEEP_INLINE const json* state_reader::find(const std::string& name) const {
    const auto& members = *forms_.get_ptr<const json::object_t*>();
    const auto at = members.find(name);
    return at == members.end() ? nullptr : &at->second;
}

NDKEEP_INLINE const json& state_reader::form(const std::string& name) const {
    if (const json* const there = find(name); there != nullptr && there->is_object())
        return *there;
    refuse(name, "", "missing");
}

NDKEEP_INLINE const json& state_reader::form(const std::string& name, const char* kind) const {
    const json& whole = form(name);
    const auto* const members = whole.get_ptr<const json::object_t*>();
    const auto at = members->find(kind);
    if (at == members->end())
        refuse(name, std::string("stored as ") + kind,
               members->empty() ? "empty" : "stored as " + members->begin()->first);
    return at->second;
}

NDKEEP_INLINE void state_reader::refuse(const std::string& name, std::string expected, std::string found) const {
    throw detail::mismatched(from_.path(), field(name), std::move(expected), std::move(found));
}

NDKEEP_INLINE void state_reader::expect(const std::string& name, const char* what, const json& wanted) const {
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

NDKEEP_INLINE any_array state_reader::get_any(const std::string& name) const {
    return read(name, "array",
                [](const detail::byte_source& source, const array_info& info, const run_options& run,
                   std::uint32_t& crc) { return detail::read_any(source, info, run, &crc); });
}

}  // namespace ndkeep
