// SPDX-License-Identifier: BSD-3-Clause
// The commit log of a chunked array: numbered records, each of which holds a complete state.
#pragma once

#include <ndkeep/error.hpp>
#include <ndkeep/os/durability.hpp>
#include <ndkeep/os/locks/byte_locks.hpp>
#include <ndkeep/store/place.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/version.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// How long a writer waits for other writers. Correctness does not depend on it.
inline constexpr std::chrono::milliseconds usual_patience{10'000};

/// 128 random bits in hexadecimal, for ids of records and datasets.
[[nodiscard]] std::string random_identity();

/// The version of the file with the drawn id: {"ndkeep": "dataset/1", "dataset": "…"}.
inline constexpr std::string_view dataset_version = "dataset/1";

/// Reads the records of one place, and keeps the tables that it has read.
class commit_log {
  public:
    explicit commit_log(place& where);
    commit_log(commit_log&&) noexcept;
    ~commit_log();

    [[nodiscard]] place& where() const noexcept { return place_; }

    /// The numbers of the present records, ascending. It may miss records that are put or removed during the listing.
    [[nodiscard]] std::vector<std::uint64_t> numbers() const;

    /// Whether the record of this number is present.
    [[nodiscard]] bool exists(std::uint64_t number) const;

    /// The number of the newest commit; nullopt before the first.
    ///
    /// A listing of a growing directory can miss records below its highest one. Nothing is therefore concluded from a
    /// missing name: from the highest number listed, each next record is looked up by name.
    [[nodiscard]] std::optional<std::uint64_t> newest_number() const;

    /// The same, given a number that was the newest. Takes two look-ups and no listing if nothing was committed since.
    [[nodiscard]] std::optional<std::uint64_t> newest_number(std::uint64_t known) const;

    /// The id of the dataset before its first commit. Draws and stores it if no writer has done so yet.
    /// @param durable  the stored id survives a power cut
    /// @throws io_error  its name holds a file that is not of this format
    [[nodiscard]] std::string future_dataset(durability wanted);

    /// Checks that a new dataset may begin in this place.
    /// @throws io_error  the place has files that no writer of this dataset has left, and no commit
    void check_unused();

    /// The state of a commit; nullopt if its record is absent.
    /// @throws checksum_error  the record or one of its tables is damaged
    /// @throws format_error    the record is malformed or of an unknown version, or it is present without its tables
    [[nodiscard]] std::optional<chunk_state> read(std::uint64_t number);

    /// The ids of a record and of its parent, and the numbers that it skips.
    struct identity {
        std::string id, parent;
        std::vector<std::uint64_t> skips;
    };
    /// nullopt if the record is absent; throws as `read`.
    [[nodiscard]] std::optional<identity> identity_of(std::uint64_t number);

    /// Whether the commit of this state counts, given that it is not the newest record. The next readable record must
    /// name it as its parent, and must skip all damaged records between the two. If every later record is damaged, the
    /// state is the newest readable one, and counts.
    [[nodiscard]] bool is_parent_of_next(const chunk_state& state, std::uint64_t newest);

    /// Releases the tables that this state does not use.
    void keep_tables_of(const chunk_state& state);
    /// Keeps a table that was just put, so that it need not be read.
    void know_table(std::shared_ptr<const chunk_table> table);

  private:
    /// The content of the file with the number 0.
    struct drawn_id {
        bool is_present = false;
        std::optional<std::string> id = {};  // nullopt if damaged
        bool is_foreign = false;             // not of this format, nor what a power cut may have left of such a file
    };
    [[nodiscard]] drawn_id drawn_dataset();

    /// nullptr if absent.
    [[nodiscard]] std::shared_ptr<const chunk_table> table_of(const std::string& file, const std::string& sum,
                                                              const chunk_state& state);

    place& place_;
    std::map<std::string, std::shared_ptr<const chunk_table>> tables_;  // by file; tables never change
};

/// One commit of a chunked array, with the lock that keeps `prune` from removing it. If the place has no locks, the
/// commit may be pruned while it is read; readers then get an error.
struct opened_state {
    chunk_state state;
    byte_locks lease;
};

/// The error of a place or a folder of commits without an array.
[[nodiscard]] io_error nothing_committed(const std::filesystem::path& where, std::string hint = {});

/// Opens a commit for reading: `wanted`, or the newest.
///
/// @throws io_error        nothing is committed yet
/// @throws checksum_error  the record is damaged
/// @throws format_error    the record is malformed, or of an unknown version
/// @throws conflict_error  the wanted commit is not present or does not count; or the newest was pruned eight times
///                         while it was opened
[[nodiscard]] opened_state open_state(commit_log& log, std::optional<std::uint64_t> wanted = std::nullopt);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/store/log.ipp>
#endif
