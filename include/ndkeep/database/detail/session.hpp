// SPDX-License-Identifier: BSD-3-Clause
// An open database and its transaction: what `database`, its arrays and its savepoints share.
#pragma once

#include <ndkeep/database/detail/apply.hpp>
#include <ndkeep/database/detail/control.hpp>
#include <ndkeep/database/detail/log.hpp>
#include <ndkeep/database/detail/stored_array.hpp>
#include <ndkeep/database/options.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/os/directory.hpp>
#include <ndkeep/os/page_tracker.hpp>
#include <ndkeep/os/process.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/version.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The description in the text of a sidecar that fits an array; nullopt if it describes another one, or is no sidecar.
[[nodiscard]] std::optional<description> description_in(const std::string& text, const array_info& info,
                                                        const std::filesystem::path& sidecar);
/// Its metadata; {} without a description.
[[nodiscard]] json metadata_in(const std::string& text, const array_info& info, const std::filesystem::path& sidecar);

/// The state of a transaction, to return to.
struct saved_transaction {
    std::uint64_t number = 0;  // unique in the process
    std::map<std::string, std::shared_ptr<stored_array>, std::less<>> arrays;
    std::map<std::string, stored_array::saved, std::less<>> states;
    std::vector<std::shared_ptr<stored_array>> dropped;
    std::set<std::string, std::less<>> removed;
    std::map<std::string, std::string, std::less<>> documents;
};

class database_session {
  public:
    /// Opens a directory as a database, and recovers it.
    /// @throws io_error        it cannot be opened or written
    /// @throws conflict_error  another writer has it; a file was replaced after a commit that is not applied
    /// @throws format_error    commits are lost
    /// @param lost  receives sentences about lost commits, which are then no error
    database_session(const std::filesystem::path& path, const database_options& options,
                     std::vector<std::string>* lost = nullptr);
    database_session(const database_session&) = delete;
    database_session& operator=(const database_session&) = delete;
    ~database_session() { leave(); }

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return root_.path(); }
    [[nodiscard]] std::uint64_t last_commit() const noexcept { return committed_; }

    [[nodiscard]] std::set<std::string, std::less<>> names() const;
    /// @throws io_error  no such array
    [[nodiscard]] std::shared_ptr<stored_array> open(const std::string& name);
    /// @throws io_error  an array has the name
    [[nodiscard]] std::shared_ptr<stored_array> create(const std::string& name, const array_info& info);
    void remove(const std::string& name);
    [[nodiscard]] json& metadata(const std::string& name);

    [[nodiscard]] std::optional<std::string> document(const std::string& name) const;
    /// Moves changes out of memory if they exceed `.spill`.
    void spill();
    /// The same, but without `.spill` it does not even look how much has changed.
    void spill_if_wanted() {
        if (options_.spill != 0)
            spill();
    }
    /// Whether the transaction has changed anything. It looks at every page.
    [[nodiscard]] bool has_changes() const;
    /// Whether commits survive a power cut.
    [[nodiscard]] bool is_durable() const noexcept { return options_.durability != database_durability::none; }
    void set_document(const std::string& name, std::string text) { documents_[name] = std::move(text); }

    std::uint64_t commit();
    void abort();
    [[nodiscard]] std::shared_ptr<const saved_transaction> save();
    void abort(const saved_transaction& state);
    void close();
    /// Closes in a destructor.
    void leave() noexcept;

    /// Checks that this session can be used.
    void check() const;

  private:
    struct pending;

    void recover(std::vector<std::string>* lost);
    void take_lease();
    void release_lease() noexcept;
    /// Registers an optimistic transaction as a reader of the commit that it shows.
    void hold_base();
    [[nodiscard]] file* opened(const std::string& name);
    [[nodiscard]] commit_applier applier();
    void apply_up_to(std::uint64_t limit);
    void apply_what_may_be();
    void retire();
    /// Syncs all files that the log would restore.
    void sync_files();
    /// Maps the file of one more array.
    [[nodiscard]] std::shared_ptr<stored_array> mapped_array(const std::string& name, file source,
                                                             const std::string& made_as) const;
    void drop_new_file(stored_array& array) noexcept;
    void check_foreign(stored_array& array);
    /// The metadata of an array at the last commit.
    [[nodiscard]] json stored_metadata(const stored_array& array) const;
    [[nodiscard]] std::optional<std::string> sidecar_for(stored_array& array, const array_changes& changed);
    /// Runs a sync. If it fails, what is on the disk is unknown, so this session ends.
    template <class Sync>
    void synced(Sync&& sync);
    void end(std::string why) noexcept;
    void prepare(pending& next);
    void write(pending& next);
    void publish(pending& next);
    /// Takes the lease, reads what others have committed, and puts it below this transaction.
    void catch_up();
    /// Throws if commits of others change what this transaction changes.
    void check_collisions(const std::vector<logged_commit>& others);
    void rebase(std::vector<logged_commit> others);
    /// Reads the log again under the lease. False if it has a damaged commit, or one that was not published.
    [[nodiscard]] bool has_whole_log();
    /// Moves an optimistic transaction without changes to the last commit.
    void advance();
    [[nodiscard]] static std::vector<other_change> changes_of(const std::vector<logged_commit>& commits,
                                                              std::string_view name);

    directory root_;
    directory hidden_;
    database_options options_;
    std::shared_ptr<control_file> control_;
    page_tracker tracker_{page_tracker::method::compare};
    std::shared_ptr<reader_hold> base_;  // of an optimistic transaction
    std::uint64_t committed_ = 0;        // the commit that the arrays show
    std::vector<logged_commit> unapplied_;
    std::shared_ptr<log_segment> segment_;
    std::uint64_t log_end_ = 0;
    std::map<std::string, std::shared_ptr<stored_array>, std::less<>> arrays_;
    std::vector<std::shared_ptr<stored_array>> dropped_;  // open arrays that the transaction has removed
    std::set<std::string, std::less<>> removed_;          // names of committed arrays that it has removed
    std::map<std::string, std::string, std::less<>> documents_;
    std::set<std::string, std::less<>> unsynced_;  // files that were written since the log was retired
    std::vector<std::uint64_t> savepoints_;        // that the transaction can go back to, ascending
    bool has_lease_ = false;
    bool is_closed_ = false;
    std::string why_closed_;
    owning_process owner_;
};

template <class Sync>
void database_session::synced(Sync&& sync) {
    try {
        sync();
    } catch (const io_error&) {
        end("a sync failed; the last commit may be there or not");
        throw;
    }
}

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/database/detail/abort.ipp>
#include <ndkeep/database/detail/commit.ipp>
#include <ndkeep/database/detail/optimistic.ipp>
#include <ndkeep/database/detail/session.ipp>
#endif
