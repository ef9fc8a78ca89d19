// SPDX-License-Identifier: BSD-3-Clause
// What a loop commits, wherever it is kept: how far it has come, in what, and its states.
#pragma once

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
    std::uint64_t rows = 0;    // of the source, whose bodies have come to their end
    std::uint64_t chunks = 0;  // bodies
    json source = nullptr;     // what it was; null before the first

    friend bool operator==(const loop_position&, const loop_position&) = default;
};

/// States on their way out: JSON forms, and arrays that are referred to.
struct packed_states {
    json::object_t forms = {};
    packed_archive arrays = {};
};

[[nodiscard]] json position_json(const loop_position& at);

/// Puts all that there is to know into the archive, as its member `state.json`.
/// @throws mismatch_error  more JSON than can be read again
void add_state_member(packed_states& states, std::string_view loop, std::uint64_t generation, const loop_position& at);

/// States that were committed, ready to be read.
class loop_snapshot {
  public:
    /// The archive that `add_state_member` has been called on.
    /// @param file  what errors name
    /// @throws format_error, checksum_error  damaged
    /// @throws mismatch_error                another kind of file, version or loop
    loop_snapshot(std::vector<std::byte>&& bytes, const std::filesystem::path& file, std::string_view loop);

    /// States without arrays, as a record holds them.
    loop_snapshot(const json& forms, const json& non_finite, const loop_position& at, std::uint64_t generation,
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
    /// @throws format_error  what has been committed was committed in some source, and not for the last time
    void check_committed() const;

  private:
    // What was written here is read whole again: its size is the bound.
    static constexpr limits whole{.members = std::numeric_limits<std::size_t>::max(),
                                  .json_bytes = std::numeric_limits<std::uint64_t>::max()};

    [[nodiscard]] static std::span<const std::byte> empty_archive();

    /// Damage anywhere is found now: half a state is none. Members lie in the file as they are, so that they ask for no
    /// more memory than it has.
    void check_members() const;

    std::vector<std::byte> bytes_;
    archive archive_;
    json forms_;
    loop_position position_;
    std::uint64_t generation_ = 0;
};

/// Where a loop commits to, and begins from.
class loop_memory {
  public:
    loop_memory() = default;
    loop_memory(const loop_memory&) = delete;
    loop_memory& operator=(const loop_memory&) = delete;
    virtual ~loop_memory() = default;

    /// The newest commit; nullptr before the first.
    [[nodiscard]] virtual std::shared_ptr<const loop_snapshot> newest() = 0;
    /// Makes all of this the newest commit, or nothing of it. False where nothing can be committed yet.
    [[nodiscard]] virtual bool commit(packed_states&& states, const loop_position& at) = 0;
    /// Whether commits survive a power cut.
    [[nodiscard]] virtual bool syncs() const noexcept = 0;
    /// Gives up what the body has put out since the last commit.
    virtual void discard() noexcept {}
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/loop/detail/state/snapshot.ipp>
#endif
