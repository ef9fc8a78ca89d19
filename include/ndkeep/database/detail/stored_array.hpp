// SPDX-License-Identifier: BSD-3-Clause
// One array of a database in one process: its file, its private memory, and what the transaction has changed.
//
//   0            data_offset           tail.first             reach = end of the file
//   | header     | committed bytes     | new rows, written    |
//                                      | to the file already  |
// Stores go to private copies of pages. Bytes before `tail.first` belong to some commit that a reader may still hold,
// so the file keeps them until the commit is applied. Bytes from there on belong to nobody yet: new rows are written
// there directly, and cut off again by an abort.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/database/detail/log.hpp>
#include <ndkeep/database/detail/record.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/os/page_tracker.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// A container that shows a stored array. `reshape` is called after each change of the shape.
class array_handle {
  public:
    using reshaped = void (*)(array_handle&);
    explicit array_handle(reshaped how) noexcept : how_(how) {}
    void reshape() { how_(*this); }

  protected:
    array_handle(const array_handle&) = default;
    array_handle& operator=(const array_handle&) = default;
    ~array_handle() = default;

  private:
    reshaped how_;
};

/// What a transaction has changed in one array, ready to be logged.
struct array_changes {
    std::vector<page_run> images;        ///< for the record; the last may end within a page, at the end of the file
    std::vector<page_run> tail_pages;    ///< private copies behind `tail.first`
    std::vector<std::byte> former_tail;  ///< what the file had there before `settle_tail`, if that was to be kept
    page_run tail;
    std::uint32_t tail_sum = 0;
    bool is_reshaped = false;

    [[nodiscard]] bool any() const { return is_reshaped || !images.empty() || tail.first != tail.last; }
};

/// A commit of another writer, as far as it changes one array.
struct other_change {
    const logged_commit* commit = nullptr;
    const array_change* change = nullptr;
    std::span<const std::byte> images = {};
};

class stored_array {
  public:
    /// How rows are appended: to the file, or to memory where other writers may append to the same file.
    enum class tail_place { file, memory };

    /// Maps a file whose header is that of the array. If the file has no header yet, call `create`.
    /// @param reserve  bytes of addresses; halved as long as the system refuses, but not below the size of the file
    stored_array(std::string name, file source, page_tracker tracker, std::uint64_t reserve, tail_place tails);
    stored_array(const stored_array&) = delete;
    stored_array& operator=(const stored_array&) = delete;
    ~stored_array() = default;

    /// Lays the images of a commit over the file that does not have them yet.
    /// @param images  the bytes of `change.images`
    /// @throws format_error  they reach beyond the file
    void lay(const logged_commit& commit, const array_change& change, std::span<const std::byte> images);

    /// Reads the header, after all of `lay`.
    /// @throws format_error  not an npy file, or cut short
    void read_header();

    /// Makes the empty file an array of zeros.
    void create(const array_info& info);

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] file& source() noexcept { return source_; }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return source_.path(); }
    [[nodiscard]] const array_info& info() const noexcept { return info_; }
    [[nodiscard]] const array_info& committed_info() const noexcept { return committed_info_; }
    [[nodiscard]] std::byte* data() const noexcept { return pages_.data() + info_.data_offset; }
    /// The hidden name of a new file, until its commit is applied; else empty.
    std::string made_as = {};
    /// Created by the transaction, and not committed yet.
    bool is_new = false;
    /// Removed by the transaction, or by a commit.
    bool is_removed = false;
    /// The user's metadata, if it was asked for.
    std::optional<json> metadata = {};
    /// The metadata of the last commit, if it was asked for.
    json committed_metadata = {};
    /// The text of the sidecar that the last commit wrote; nullopt: look at the file.
    std::optional<std::string> sidecar = {};

    /// Adds rows behind the present ones, along the slowest axis.
    /// @throws mismatch_error  another dtype or shape, more rows than the reservation holds; nothing has changed
    /// @throws io_error        the disk is full; nothing has changed
    void append(const array_view& rows);

    /// Changes the extent of the slowest axis. New rows are zeros.
    /// @throws mismatch_error  another axis would change, or the reservation is too small; nothing has changed
    void resize(const std::vector<std::size_t>& shape);

    void attach(array_handle& handle) { handles_.push_back(&handle); }
    void detach(array_handle& handle) { std::erase(handles_, &handle); }

    /// Finds what the transaction changed. Writes the header of a new shape into the memory.
    [[nodiscard]] array_changes changes();

    /// Writes changed pages of new rows to the file.
    /// @param keep_former  a savepoint may lead back to what the file has there
    void settle_tail(array_changes& changed, bool keep_former);
    /// Writes what `settle_tail` has replaced, after a commit that failed.
    void unsettle_tail(const array_changes& changed) noexcept;

    /// Allocates disk space for holes that the images fill.
    void reserve_holes(const array_changes& changed);

    /// The memory of the images, to be logged.
    void add_images(const array_changes& changed, std::vector<std::span<const std::byte>>& to) const;

    /// Takes over a commit: its images are held until `applied`.
    void committed(const array_changes& changed, const logged_commit& commit, std::span<const std::byte> images);

    /// The file has all commits up to `number`: drops the private copies that are equal to it.
    void applied(std::uint64_t number);

    /// What both this transaction and commits of other writers change, as text for an error: "rows 3 to 7"; empty if
    /// there is no conflict. Appended rows do not conflict: those of this transaction follow the others.
    /// @throws mismatch_error  the rows of all need more than the reserved addresses
    [[nodiscard]] std::string collision(std::span<const other_change> others);

    /// Puts commits of others below the changes of this transaction, which must not collide with them.
    void rebase(std::span<const other_change> others);

    /// Takes all changes back. No pointer changes.
    void abort();

    /// The state of a transaction at one moment.
    struct saved {
        array_info info;
        std::vector<page_run> runs;
        std::vector<std::byte> bytes;  // of the runs
        std::uint64_t reach = 0;
        bool is_removed = false;
        std::optional<json> metadata = {};
    };
    [[nodiscard]] saved save() const;
    void restore(const saved& state);

    /// Bytes in private copies of pages.
    [[nodiscard]] std::uint64_t dirty_bytes() const;

    /// Moves private copies from memory to a sparse file, from where they are mapped again.
    /// @param shadow  makes that file, which has no name
    /// @throws io_error  the disk is full; nothing has changed
    void spill(const std::function<file()>& shadow);

    /// Remembers the present state of the file, after a write of this process.
    void stamp() { stamp_ = source_.status(); }
    /// Whether the header in the file is that of the last commit.
    [[nodiscard]] bool has_committed_header() const;
    /// Whether the file has changed since `stamp`, or `named` is another file.
    [[nodiscard]] bool is_foreign(const std::optional<struct stat>& named) const;

  private:
    struct held_image {
        std::uint64_t number = 0;  // of the commit
        std::span<const std::byte> bytes;
        std::shared_ptr<const void> owner;
    };

    [[nodiscard]] std::vector<page_run> stored_into(std::uint64_t first, std::uint64_t last) const;

    /// Checks that bytes up to `end` can be mapped.
    void check_reservation(std::uint64_t end) const;
    /// Maps the file, or zeros, up to `end`.
    void map_to(std::uint64_t end);
    /// Makes the file end at `reach_`, before something is written there.
    void cut_spare_bytes();
    /// Stores zeros where there are other bytes.
    void clear(std::uint64_t first, std::uint64_t last);
    /// Maps the file again where `spill` has mapped its copy.
    void map_spilled_blocks_of_file();
    /// Drops private copies whose content the file has.
    void discard(const std::vector<page_run>& runs);
    void set_shape(array_info info);
    void cut_tail(std::uint64_t reach) noexcept;
    /// With tails in memory: maps what the file has now, and drops what was in memory behind it.
    void map_grown_file();
    /// Parts of the committed data that the transaction has changed, with their present bytes.
    struct own_change {
        page_run where;
        std::vector<std::byte> bytes;
    };
    [[nodiscard]] std::vector<page_run> changed_pages() const;
    /// Shows the last commit, and returns what was different.
    [[nodiscard]] std::vector<own_change> take_out();
    void put_back(const std::vector<own_change>& changes);

    std::string name_;
    file source_;
    page_tracker tracker_;
    tail_place tails_;
    address_range pages_;
    std::uint64_t page_;
    std::uint64_t mapped_ = 0;       // bytes of `pages_` that may be touched, whole pages
    std::uint64_t file_mapped_ = 0;  // those of the file; the others are zeros
    std::uint64_t size_ = 0;         // of the file; with tails in memory, of file and tail
    std::uint64_t reach_ = 0;        // highest end of data in any commit not applied, or in the transaction
    std::uint64_t committed_reach_ = 0;
    array_info info_, committed_info_;
    std::uint32_t tail_sum_ = 0;                // of the bytes from committed_reach_ on
    bool tail_sum_counts_ = true;               // false if it must be computed again
    bool has_new_header_ = false;               // in memory, by a commit that has failed
    std::map<std::uint64_t, held_image> held_;  // by first byte of the page
    file shadow_;                               // open if `spilled_` is not empty
    std::vector<page_run> spilled_;             // blocks that are mapped from it, ascending
    std::vector<array_handle*> handles_;
    struct stat stamp_ = {};
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/database/detail/array_changes.ipp>
#include <ndkeep/database/detail/array_rebase.ipp>
#include <ndkeep/database/detail/array_undo.ipp>
#include <ndkeep/database/detail/stored_array.ipp>
#endif
