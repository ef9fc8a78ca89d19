// SPDX-License-Identifier: BSD-3-Clause
// What a loop commits, to a checkpoint file or to a sink: its position, the identity of its source, and its states.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/loop/detail/access.hpp>
#include <ndkeep/loop/state.hpp>
#include <ndkeep/npz/core/archive.hpp>
#include <ndkeep/npz/detail/packed.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/text/json/print.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// How far a pass has come.
struct loop_position {
    std::uint64_t rows = 0;    // rows of the source whose bodies have ended normally
    std::uint64_t chunks = 0;  // bodies that have ended normally
    json source = nullptr;     // identity of the source; null before the first commit
    json output = nullptr;     // name and rows of the npy file that the loop appends to; null if there is none

    friend bool operator==(const loop_position&, const loop_position&) = default;
};

/// States ready to be written: their JSON forms, and references to their arrays.
struct packed_states {
    json::object_t forms = {};
    packed_archive arrays = {};
};

[[nodiscard]] json position_json(const loop_position& at);

/// Adds `state.json` to the archive: position, source, forms and metadata of the checkpoint.
/// @throws mismatch_error  the states or the source have more JSON values than a reader accepts
void add_state_member(packed_states& states, std::string_view loop, std::uint64_t generation, const loop_position& at);

/// States of one commit, ready to be read.
class loop_snapshot {
  public:
    /// Reads the archive that `add_state_member` completed, and checks all of it.
    /// @param file  named in errors, never opened
    /// @throws format_error, checksum_error  it is damaged
    /// @throws mismatch_error                another kind of file, version or loop
    loop_snapshot(std::vector<std::byte>&& bytes, const std::filesystem::path& file, std::string_view loop);

    /// Takes states without arrays from the record of a chunked array.
    /// @param non_finite  the list that version 0.1 kept with them; nullptr if there is none
    loop_snapshot(const json& forms, const json* non_finite, const loop_position& at, std::uint64_t generation,
                  const std::filesystem::path& file);
    loop_snapshot(const loop_snapshot&) = delete;
    loop_snapshot& operator=(const loop_snapshot&) = delete;

    [[nodiscard]] const loop_position& position() const noexcept { return position_; }
    [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
    [[nodiscard]] const json::object_t& forms() const { return *forms_.get_ptr<const json::object_t*>(); }
    [[nodiscard]] state_reader reader() const {
        return loop_access::make<state_reader>(forms_, std::string(states_folder), archive_);
    }

    static constexpr std::string_view states_folder = "states";

    [[nodiscard]] static loop_position position_of(const object_reader& said);
    /// Checks what every committed snapshot has: a source, at least one chunk, and a generation that can be increased.
    /// @throws format_error  one of them is missing
    void check_committed() const;

  private:
    // No limits below the size of the file: a loop must be able to read everything that it has written.
    static constexpr limits whole{.members = std::numeric_limits<std::size_t>::max(),
                                  .json_bytes = std::numeric_limits<std::uint64_t>::max()};

    [[nodiscard]] static std::span<const std::byte> empty_archive();

    /// Checks the checksum of every member before any state is read: states must not be restored in part. Members must
    /// be stored, not compressed, so that they cannot need more memory than the file has bytes.
    /// @throws format_error    a member is compressed
    /// @throws checksum_error  a member has changed
    void check_members() const;

    // The order matters: archive_ refers to bytes_.
    std::vector<std::byte> bytes_;
    archive archive_;
    json forms_;
    loop_position position_;
    std::uint64_t generation_ = 0;
};

/// Where the output of a loop is: nowhere, in a file beside the checkpoint, or in the array that has the position too.
enum class output_kind { none, beside_checkpoint, with_position };

/// Where a loop commits to and resumes from: a checkpoint file or a sink.
class loop_memory {
  public:
    loop_memory() = default;
    loop_memory(const loop_memory&) = delete;
    loop_memory& operator=(const loop_memory&) = delete;
    virtual ~loop_memory() = default;

    /// Reads the newest commit; nullptr before the first.
    [[nodiscard]] virtual std::shared_ptr<const loop_snapshot> newest() = 0;
    /// Commits atomically. False if nothing can be committed yet.
    [[nodiscard]] virtual bool commit(packed_states&& states, const loop_position& at) = 0;
    /// Whether commits survive a power cut.
    [[nodiscard]] virtual bool syncs() const noexcept = 0;
    [[nodiscard]] virtual output_kind output() const noexcept { return output_kind::none; }
    /// Adds rows to the output file.
    /// @throws mismatch_error  there is none
    virtual void append(const array_view& rows);
    /// Discards the output of the bodies since the last commit.
    virtual void discard() noexcept {}
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/loop/detail/state/snapshot.ipp>
#endif
