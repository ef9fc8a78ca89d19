// SPDX-License-Identifier: BSD-3-Clause
// The commits of a chunked array as a reader sees them: numbered records, of which each is the whole state.
#pragma once

#include <ndkeep/os/byte_locks.hpp>
#include <ndkeep/store/place.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/version.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

// Numbers in the lock file: n says "commit n is being read".
inline constexpr std::uint64_t lock_writing = std::uint64_t{1} << 62;

/// How long a writer waits for others. Correctness does not depend on it.
inline constexpr std::chrono::milliseconds usual_patience{10'000};

/// 128 random bits in hexadecimal.
[[nodiscard]] std::string random_identity();

[[nodiscard]] std::string record_name(std::uint64_t number);

/// The number in a record's name; nullopt for any other file. Numbers begin with 1.
[[nodiscard]] std::optional<std::uint64_t> record_number(std::string_view name);

/// What stands in the place of a record before the first commit: the id that the dataset is going to have, so that the
/// files of a writer killed before it are known for what they are.
///
///     {"ndkeep": "dataset/1", "dataset": "…"}
inline constexpr std::string_view dataset_version = "dataset/1";
[[nodiscard]] std::string dataset_name();

/// Reads the records of one place.
class commit_log {
  public:
    explicit commit_log(place& where);
    commit_log(commit_log&&) noexcept;
    ~commit_log();

    [[nodiscard]] place& where() const noexcept { return place_; }

    /// The numbers of the records that are there, ascending. A listing may miss what is created or removed meanwhile.
    [[nodiscard]] std::vector<std::uint64_t> numbers() const;

    [[nodiscard]] bool exists(std::uint64_t number) const;

    /// The newest commit there is; nothing before the first.
    ///
    /// Listings of a directory that grows have holes, but what they name has been there: from the highest of them on,
    /// records are asked for by name.
    [[nodiscard]] std::optional<std::uint64_t> newest_number() const;

    /// The newest commit, given one that was the newest. Cheap where nothing has happened since.
    [[nodiscard]] std::optional<std::uint64_t> newest_number(std::uint64_t known) const;

    /// Before the first commit: the id that the dataset is going to have, drawn if nobody has done so yet.
    [[nodiscard]] std::string future_dataset(bool durable);

    /// @throws io_error  before the first commit, there is something that no writer of this dataset has left
    void check_unused();

    /// The state of a commit; nothing where its record, or a table of it, is gone.
    /// @throws checksum_error, format_error  damaged
    [[nodiscard]] std::optional<chunk_state> read(std::uint64_t number);

    /// Of a record, only its own id and its parent's; nothing where it is gone.
    struct identity {
        std::string id, parent;
        std::vector<std::uint64_t> skips;
    };
    [[nodiscard]] std::optional<identity> identity_of(std::uint64_t number);

    /// Whether this state is among the commits that the newest record was made on: the next record that can be read
    /// says so, and that those between are to be passed over. Where none can, the state itself is the newest.
    [[nodiscard]] bool is_parent_of_next(const chunk_state& state, std::uint64_t newest);

    /// Forgets tables that this state does not use.
    void keep_tables_of(const chunk_state& state);
    void know_table(std::shared_ptr<const chunk_table> table);

  private:
    struct drawn_id {
        bool is_present = false;
        std::optional<std::string> id = {};  // nullopt if damaged
        bool is_foreign = false;             // not even what a power cut may have left of it
    };
    [[nodiscard]] drawn_id drawn_dataset();

    /// nullptr where it is gone.
    [[nodiscard]] std::shared_ptr<const chunk_table> table_of(const std::string& file, const std::string& sum,
                                                              const chunk_state& state);

    place& place_;
    std::map<std::string, std::shared_ptr<const chunk_table>> tables_;  // which never change
};

/// One version of a chunked array, which nobody prunes while this is held.
struct opened_state {
    chunk_state state;
    byte_locks lease;
};

/// Opens a commit for reading, the newest unless one is asked for.
///
/// @throws io_error        there is none yet
/// @throws checksum_error  the newest record is damaged
/// @throws conflict_error  the commit asked for is none, or was pruned
[[nodiscard]] opened_state open_state(commit_log& log, std::optional<std::uint64_t> wanted = std::nullopt);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/store/log.ipp>
#endif
