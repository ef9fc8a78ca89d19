// SPDX-License-Identifier: BSD-3-Clause
// What a loop commits, wherever it is kept: how far it has come, in what, and its states.
#pragma once

#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/loop/detail/state/non_finite.hpp>
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

[[nodiscard]] inline json position_json(const loop_position& at) {
    json out = json::object();
    (*out.get_ptr<json::object_t*>())["rows"] = at.rows;
    (*out.get_ptr<json::object_t*>())["chunks"] = at.chunks;
    return out;
}

/// JSON values of the states of a loop, and of its source. Three times as many can be read, because those that are not
/// finite are listed too: so a loop always comes back to what it has saved.
inline constexpr std::size_t most_state_values = std::size_t{1} << 19;

/// Puts all that there is to know into the archive, as its member `state.json`.
/// @throws mismatch_error  more JSON than can be read again
inline void add_state_member(packed_states& states, std::string_view loop, std::uint64_t generation,
                             const loop_position& at) {
    object_text out;
    const json forms(std::move(states.forms));
    check_json_values(forms, most_state_values, {}, "states of the loop");
    check_json_values(at.source, most_state_values, {}, "source of the loop");
    out.add("ndkeep", json_text(loop_version));
    out.add("loop", json_text(loop));
    out.add("generation", std::to_string(generation));
    out.add("position", json_text(position_json(at)));
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
        // The member is stored, as check_members has seen, so the bytes of the file bound the number of values. A limit
        // below that would keep a loop from what it has committed.
        const json document =
            parsed_json(as_text({text.data(), text.size()}), file, {.values = 3 * most_state_values + 64});
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
        position_ = position_of(all);
        if (generation_ == 0)
            throw malformed(file, "generation", "at least 1", "0");
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
    /// @throws format_error  what has been committed was committed in some source, and not for the last time
    void check_committed() const {
        if (!position_.source.is_object() || position_.chunks == 0)
            throw malformed(archive_.path(), "source", "an object", position_.source.type_name());
        if (generation_ == std::numeric_limits<std::uint64_t>::max())
            throw malformed(archive_.path(), "generation", "one before another", std::to_string(generation_));
    }

  private:
    // What was written here is read whole again: its size is the bound.
    static constexpr limits whole{.members = std::numeric_limits<std::size_t>::max(),
                                  .json_bytes = std::numeric_limits<std::uint64_t>::max()};

    [[nodiscard]] static std::span<const std::byte> empty_archive() {
        static const std::string text = zip_end_text(0, 0, 0, {});
        return bytes_of(text);
    }

    /// Damage anywhere is found now: half a state is none. Members lie in the file as they are, so that they ask for no
    /// more memory than it has.
    void check_members() const {
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
