// SPDX-License-Identifier: BSD-3-Clause
// What a loop commits, wherever it is kept: how far it has come, in what, and its states.
#pragma once

#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/loop/non_finite.hpp>
#include <ndkeep/loop/state.hpp>

namespace ndkeep::detail {

inline constexpr std::string_view loop_version = "loop/1";
inline constexpr std::string_view state_member = "state.json";

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

[[nodiscard]] inline std::string position_text(const loop_position& at) {
    object_text out;
    out.add("rows", std::to_string(at.rows));
    out.add("chunks", std::to_string(at.chunks));
    return out.str();
}

/// Puts all that there is to know into the archive, as its member `state.json`.
inline void add_state_member(packed_states& states, std::string_view loop, std::uint64_t generation,
                             const loop_position& at) {
    object_text out;
    const json forms(std::move(states.forms));
    out.add("ndkeep", json_text(loop_version));
    out.add("loop", json_text(loop));
    out.add("generation", std::to_string(generation));
    out.add("position", position_text(at));
    out.add("source", json_text(at.source));
    out.add("states", json_text(forms));
    out.add("non_finite", json_text(non_finite_in(forms)));
    out.add("created", json_text(now_text()));
    states.arrays.add_text(state_member, out.lines());
}

/// States that were committed, ready to be read.
class loop_snapshot {
  public:
    /// The archive that `add_state_member` has been called on.
    /// @param file  what errors name
    /// @throws format_error, checksum_error  damaged
    /// @throws mismatch_error                another kind of file, version or loop
    loop_snapshot(std::vector<std::byte>&& bytes, const std::filesystem::path& file, std::string_view loop)
        : bytes_(std::move(bytes)), archive_(std::span<const std::byte>(bytes_), whole, file) {
        check_members();
        const auto* const entry = archive_.find_exact(state_member);
        const auto refuse = [&](const char* field, std::string_view expected, std::string_view found,
                                const char* hint = "") {
            throw mismatch_error({.file = file,
                                  .field = field,
                                  .expected = ndkeep::quoted(expected),
                                  .found = ndkeep::quoted(found),
                                  .hint = hint});
        };
        if (entry == nullptr)
            throw mismatch_error({.file = file,
                                  .field = "archive",
                                  .expected = "a checkpoint",
                                  .found = "another kind, without " + std::string(state_member)});
        const auto text = read_member_bytes(archive_, *entry);
        const json document = parsed_json(as_text({text.data(), text.size()}), file);
        const object_reader all(document, "", file);
        const std::string_view version = all.text("ndkeep");
        if (version != loop_version) {
            if (version.substr(0, version.find('/')) == loop_version.substr(0, loop_version.find('/')))
                refuse("version", loop_version, version, "written by another version of ndkeep");
            refuse("ndkeep", loop_version, version);
        }
        if (all.text("loop") != loop)
            refuse("loop", loop, all.text("loop"), ".name says which loop it is");
        generation_ = all.count("generation");
        read_position(all, file);
        (void)all.object("states");
        forms_ = *all.find("states");
        if (const json* const paths = all.find("non_finite"))
            restore_non_finite(forms_, *paths, file);
    }

    /// States without arrays, as a record holds them.
    loop_snapshot(const json& forms, const json& non_finite, const loop_position& at, std::uint64_t generation,
                  const std::filesystem::path& file)
        : archive_(empty_archive(), whole, file), forms_(forms), position_(at), generation_(generation) {
        restore_non_finite(forms_, non_finite, file);
    }
    loop_snapshot(const loop_snapshot&) = delete;
    loop_snapshot& operator=(const loop_snapshot&) = delete;

    [[nodiscard]] const loop_position& position() const noexcept { return position_; }
    [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
    [[nodiscard]] const json::object_t& forms() const { return *forms_.get_ptr<const json::object_t*>(); }
    [[nodiscard]] state_reader reader() const { return {forms_, std::string(states_folder), archive_}; }

    static constexpr std::string_view states_folder = "states";

    [[nodiscard]] static loop_position position_of(const object_reader& said) {
        const auto position = said.object("position");
        loop_position at{position.count("rows"), position.count("chunks"), nullptr};
        if (const json* const source = said.find("source"))
            at.source = *source;
        return at;
    }

  private:
    // What was written here is read whole again: its size is the bound.
    static constexpr limits whole{.members = std::numeric_limits<std::size_t>::max(),
                                  .json_bytes = std::numeric_limits<std::uint64_t>::max()};

    [[nodiscard]] static std::span<const std::byte> empty_archive() {
        static const std::string text = zip_end_text(0, 0, 0, {});
        return bytes_of(text);
    }

    void read_position(const object_reader& all, const std::filesystem::path& file) {
        position_ = position_of(all);
        if (generation_ == 0)
            throw malformed(file, "generation", "at least 1", "0");
    }

    /// Damage anywhere is found now: half a state is none.
    void check_members() const {
        for (const auto& entry : archive_.entries())
            (void)read_member_bytes(archive_, entry);
    }

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
    /// Gives up what the body has put out since the last commit.
    virtual void discard() noexcept {}
};

}  // namespace ndkeep::detail
