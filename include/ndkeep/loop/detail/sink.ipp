// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/loop/detail/sink.hpp>.
#pragma once

#include <ndkeep/loop/detail/sink.hpp>

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/npz/detail/packed.hpp>
#include <ndkeep/store/layout.hpp>
#include <ndkeep/store/place.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/text/json/parser.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE sink_memory::sink_memory(chunk_session& sink, std::string loop, std::optional<dtype> row_type)
    : sink_(sink), loop_(std::move(loop)), row_type_(std::move(row_type)) {
    if (sink_.has_changes())
        throw mismatch_error({.file = sink_.where().path(),
                              .field = "output",
                              .expected = "one without them",
                              .found = "a writer with uncommitted changes"});
    // Nothing after this may throw: the destructor, which gives the sink back, runs only for a complete object.
    sink_.lend();
    sink_.discard();  // continues from the newest commit, which another process may have made
}

NDKEEP_INLINE std::shared_ptr<const loop_snapshot> sink_memory::newest() {
    const auto file = sink_.where().called(commits_folder);
    const auto& notes = sink_.state().notes;
    const auto note = notes.find(loop_);
    step_ = note == notes.end() ? 0 : note->second.step;
    if (note == notes.end())
        return nullptr;
    if (step_ == 0)
        throw malformed(file, "loops." + loop_ + ".step", "at least 1", "0");
    const object_reader said(note->second.content, "loops." + loop_, file);
    auto stored = stored_in(said, file);
    stored->check_committed();
    // A file of states contains step and position too. If they differ from the record, it is not the file that was
    // committed with it.
    auto at = loop_snapshot::position_of(said);
    if (at.source.is_null())
        at.source = stored->position().source;
    if (stored->generation() != step_ || stored->position() != at)
        throw malformed(file, "position of loop " + ndkeep::quoted(loop_),
                        "row " + std::to_string(stored->position().rows) + " of step " +
                            std::to_string(stored->generation()),
                        "row " + std::to_string(at.rows) + " of step " + std::to_string(step_));
    return stored;
}

NDKEEP_INLINE bool sink_memory::commit(packed_states&& states, const loop_position& at) {
    if (sink_.is_new() && row_type_)
        sink_.expect(*row_type_, {});
    if (sink_.is_new())
        return false;  // a record needs the dtype and shape of a row, and no row was written yet
    in_document(sink_.where().called(commits_folder), [&] {
        dataset_note moved{.step = step_ + 1};
        auto& members = members_of(moved.content);
        members["position"] = position_json(at);
        members["states"] = kept(std::move(states), at, moved.files);
        // A file of states contains the source as well. Every later commit of the dataset copies this note.
        if (moved.files.empty())
            members["source"] = at.source;
        (void)sink_.commit({.name = loop_, .from_step = step_, .to = std::move(moved)});
    });
    ++step_;
    return true;
}

NDKEEP_INLINE std::shared_ptr<const loop_snapshot> sink_memory::stored_in(const object_reader& said,
                                                                          const std::filesystem::path& record) {
    const auto states = said.object("states");
    if (states.find("file") == nullptr) {
        (void)states.object("states");
        return std::make_shared<const loop_snapshot>(*states.find("states"), states.find("non_finite"),
                                                     loop_snapshot::position_of(said), step_, record);
    }
    // The record may be a stranger's. Such a name cannot lead out of the folder, in a place of any kind.
    if (!is_chunk_name(states.text("file")))
        throw malformed(record, "file of the states", "a name of hexadecimal words",
                        ndkeep::quoted(states.text("file")));
    // Size and checksum are in the record, so that a file that was replaced or truncated is detected.
    const std::string name = chunk_path(states.text("file"));
    const auto called = sink_.where().called(name);
    auto bytes = sink_.where().get(name, states.count("nbytes"));
    if (!bytes)
        throw malformed(called, "file with the states of the loop", "", "missing");
    if (const auto found = hex_text(crc32c(*bytes));
        bytes->size() != states.count("nbytes") || found != states.text("crc32c"))
        throw checksum_error({.file = called, .field = "crc32c", .expected = states.text("crc32c"), .found = found});
    return std::make_shared<const loop_snapshot>(std::move(*bytes), called, loop_);
}

NDKEEP_INLINE json sink_memory::kept(packed_states&& states, const loop_position& at, std::vector<std::string>& files) {
    constexpr std::size_t most = 4096;  // bytes of JSON
    json out = json::object();
    auto& members = members_of(out);
    if (states.arrays.size() == 0 && json_text(at.source).size() <= most) {
        members["states"] = states.forms;
        if (json_text(out).size() <= most)
            return out;
        members.clear();
    }
    add_state_member(states, loop_, step_ + 1, at);
    const auto pieces = states.arrays.finish();
    std::uint32_t sum = 0;
    for (const auto& piece : pieces)
        sum = crc32c(piece, sum);
    files.push_back(sink_.stage_note_file(pieces));
    members["file"] = files.back();
    members["nbytes"] = states.arrays.size();
    members["crc32c"] = hex_text(sum);
    return out;
}

}  // namespace ndkeep::detail
