// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/loop/detail/state/snapshot.hpp>.
#pragma once

#include <ndkeep/loop/detail/state/snapshot.hpp>

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/format/zip/directory.hpp>
#include <ndkeep/format/zip/records.hpp>
#include <ndkeep/npz/core/member.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/text/json/nonfinite.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/text/json/print.hpp>
#include <ndkeep/text/json/scanner.hpp>

#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

inline constexpr std::string_view loop_version = "loop/1";

inline constexpr std::string_view state_member = "state.json";

NDKEEP_INLINE json position_json(const loop_position& at) {
    json out = json::object();
    members_of(out)["rows"] = at.rows;
    members_of(out)["chunks"] = at.chunks;
    return out;
}

/// The largest number of JSON values in the states of a loop, and in the identity of its source. The reader accepts
/// four times as many: states, source, and the list of their numbers that are not finite. So a loop can read whatever
/// it has written.
inline constexpr std::size_t most_state_values = std::size_t{1} << 19;

NDKEEP_INLINE void add_state_member(packed_states& states, std::string_view loop, std::uint64_t generation,
                                    const loop_position& at) {
    object_text out;
    const json forms(std::move(states.forms));
    check_json_values(forms, most_state_values, {}, "states of the loop");
    check_json_values(at.source, most_state_values, {}, "source of the loop");
    out.add("ndkeep", json_text(loop_version));
    out.add("loop", json_text(loop));
    out.add("generation", std::to_string(generation));
    out.add("position", json_text(position_json(at)));
    out.add_value("source", at.source);
    if (!at.output.is_null())
        out.add_value("output", at.output);
    out.add_value("states", forms);
    out.add("created", json_text(now_text()));
    out.add_nonfinite();
    states.arrays.add_text(state_member, out.lines());
}

/// Version 0.1 listed the numbers of the states alone, under another name.
NDKEEP_INLINE void restore_nonfinite_0_1(json& forms, const json* pointers, const std::filesystem::path& file) {
    if (pointers != nullptr)
        restore_nonfinite(forms, *pointers, file, "non_finite");
}

NDKEEP_INLINE loop_snapshot::loop_snapshot(std::vector<std::byte>&& bytes, const std::filesystem::path& file,
                                           std::string_view loop)
    : bytes_(std::move(bytes)), archive_(std::span<const std::byte>(bytes_), whole, file) {
    check_members();
    const auto* const entry = archive_.find_exact(state_member);
    const auto refuse = [&](const char* field, std::string_view expected, std::string_view found,
                            const char* hint = "") {
        throw mismatched(file, field, ndkeep::quoted(expected), ndkeep::quoted(found), hint);
    };
    if (entry == nullptr)
        throw mismatch_error({.file = file,
                              .field = "file",
                              .expected = "a checkpoint",
                              .found = "an archive without " + std::string(state_member)});
    const auto text = read_member_bytes(archive_, *entry);
    // check_members has verified that the member is not compressed, so the size of the file bounds the text. The limit
    // of values is above what add_state_member writes, with room for the members of the document itself.
    json_document document(
        parsed_json(as_text({text.data(), text.size()}), file, {.values = 4 * most_state_values + 64}));
    const object_reader all(document.whole, "", file);
    const std::string_view version = all.text("ndkeep");
    if (version != loop_version) {
        // The name before the slash tells the kind of file; with the same name, only the version differs.
        if (version.substr(0, version.find('/')) == loop_version.substr(0, loop_version.find('/')))
            refuse("version", loop_version, version, "another version of ndkeep wrote it");
        refuse("ndkeep", loop_version, version);
    }
    if (all.text("loop") != loop)
        refuse("name of the loop", loop, all.text("loop"), ".name sets it");
    restore_nonfinite(document.whole, file);
    generation_ = all.count("generation");
    position_ = position_of(all);
    if (const json* const output = all.find("output"))
        position_.output = *output;
    if (generation_ == 0)
        throw malformed(file, "generation", "at least 1", "0");
    (void)all.object("states");
    forms_ = *all.find("states");
    restore_nonfinite_0_1(forms_, all.find("non_finite"), file);
}

NDKEEP_INLINE loop_snapshot::loop_snapshot(const json& forms, const json* non_finite, const loop_position& at,
                                           std::uint64_t generation, const std::filesystem::path& file)
    : archive_(empty_archive(), whole, file), forms_(forms), position_(at), generation_(generation) {
    restore_nonfinite_0_1(forms_, non_finite, file);
}

NDKEEP_INLINE loop_position loop_snapshot::position_of(const object_reader& said) {
    const auto position = said.object("position");
    loop_position at{position.count("rows"), position.count("chunks"), nullptr};
    if (const json* const source = said.find("source"))
        at.source = *source;
    return at;
}

NDKEEP_INLINE void loop_snapshot::check_committed() const {
    if (!position_.source.is_object() || position_.chunks == 0)
        throw malformed(archive_.path(), "source", "an object", json_kind(position_.source));
    // The next commit adds 1, which would wrap to 0: no checkpoint.
    if (generation_ == std::numeric_limits<std::uint64_t>::max())
        throw malformed(archive_.path(), "generation", "less than 2^64 - 1", std::to_string(generation_));
}

NDKEEP_INLINE std::span<const std::byte> loop_snapshot::empty_archive() {
    static const std::string text = zip_end_text(0, 0, 0, {});
    return bytes_of(text);
}

NDKEEP_INLINE void loop_snapshot::check_members() const {
    for (const auto& entry : archive_.entries()) {
        check_zip_method(entry, archive_.path());
        if (entry.method != zip_stored)
            throw malformed(archive_.path(), member_field(entry.name), "stored", zip_method_name(entry.method));
        const auto begin = static_cast<std::size_t>(zip_data_offset(archive_.bytes(), entry));
        const auto found = crc32(std::span(bytes_).subspan(begin, static_cast<std::size_t>(entry.size)));
        if (found != entry.crc32)
            throw checksum_error({.file = archive_.path(),
                                  .field = member_field(entry.name) + ": crc32",
                                  .expected = hex_text(entry.crc32),
                                  .found = hex_text(found),
                                  .hint = "the data is not what was written"});
    }
}

NDKEEP_INLINE void loop_memory::append(const array_view&) {
    throw mismatch_error({.field = "output of the loop",
                          .expected = "a pass with `.into(file)`",
                          .found = "a pass without a file",
                          .hint = "append to the writer of an `.into(writer)` itself"});
}

}  // namespace ndkeep::detail
