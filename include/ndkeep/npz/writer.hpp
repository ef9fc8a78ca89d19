// SPDX-License-Identifier: BSD-3-Clause
// Writing an npz archive atomically: all members at once, or one by one.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/zip/records.hpp>
#include <ndkeep/npz/core/archive.hpp>
#include <ndkeep/npz/detail/member_writer.hpp>
#include <ndkeep/npz/detail/output.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstddef>
#include <deque>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Options of `save_npz` and `save_tree`.
struct npz_options {
    compression compress = false;   ///< false: members can be mapped, and load at the speed of the disk
    json meta = nullptr;            ///< a JSON object, stored as the member `metadata.json`
    checksum sum = checksum::none;  ///< of each array's data, in addition to the CRC-32 that every member has
    bool sync = false;              ///< survive a power cut once the call has returned
    run_options run = {};
};

/// Options of an `npz_writer`.
struct npz_writer_options {
    bool append = false;            ///< keep the members of an existing archive
    bool in_place = false;          ///< with `.append`: write behind them instead of copying them; see `npz_writer`
    compression compress = false;   ///< of members that are added without options of their own
    checksum sum = checksum::none;  ///< of each array's data, in addition to the CRC-32 that every member has
    bool sync = false;              ///< survive a power cut once `commit` has returned
    run_options run = {};
};

/// Options of one member that differ from those of the archive.
struct npz_member_options {
    std::optional<compression> compress = std::nullopt;  ///< nullopt: as the archive
};

/// A named array for `save_npz`. It refers to an lvalue array, which must outlive it, and keeps a temporary one.
struct npz_item {
    /// `{"name", array}`, or `{"name", array, {.compress = true}}`.
    npz_item(std::string_view member, array_view elements, const npz_member_options& as = {})
        : name(member), array(std::move(elements)), options(as) {}

    std::string name;            ///< without ".npy"
    array_view array;            ///< its elements
    npz_member_options options;  ///< where they differ from those of the archive
};

/// Writes named arrays into one archive, in their order. `np.load`, Python's zipfile and unzip can read it.
///
/// Members are named NAME.npy and hold the bytes that `np.save` would write. Stored members are aligned to 64 bytes, so
/// that they can be mapped. Equal input makes equal bytes. The file is replaced atomically, as by `save`.
/// @throws io_error        disk full, no permission: nothing has changed
/// @throws mismatch_error  a repeated name, or one that zip cannot hold; `.meta` is neither an object nor null
void save_npz(const std::filesystem::path& file, std::initializer_list<npz_item> items,
              const npz_options& options = {});
void save_npz(const std::filesystem::path& file, const std::vector<npz_item>& items, const npz_options& options = {});

/// Writes an archive member by member. The file changes only with `commit()`; without it, nothing changes.
///
/// A writer holds the lock of the name until `commit()` or its destruction, and other writers of that name wait. With
/// `.append` the members of the existing archive are kept: the system copies their bytes, and a member that is added
/// again replaces the old one at its place in the directory. A kill leaves the old archive or the new one.
///
/// With `.append` and `.in_place`, new members are written behind the old archive in the same file: the time depends on
/// what is added, not on the size of the archive. In exchange, the archive cannot be opened from the first `add` to the
/// end of `commit`, because its directory is not at the end of the file; arrays that are mapped stay valid. A kill in
/// between leaves the old archive with other bytes behind it, which `restore_npz` cuts off. The space of members that
/// are replaced, and of old directories, is not freed; a writer without `.in_place` frees it.
class npz_writer {
  public:
    /// Begins an archive, which gets its name when `commit` is called.
    /// @throws io_error      the directory cannot be written
    /// @throws format_error  with `.append`: the existing file is not an archive, or has a member that cannot be kept,
    ///                       because it is encrypted or its local header is false
    explicit npz_writer(const std::filesystem::path& file, const npz_writer_options& options = {});
    npz_writer(const npz_writer&) = delete;
    npz_writer& operator=(const npz_writer&) = delete;

    /// Adds an array as the member `name`.npy.
    /// @throws mismatch_error  the name was added already, or is one that zip cannot hold
    /// @throws io_error        disk full; the writer can then only be destroyed
    void add(std::string_view name, const array_view& array, const npz_member_options& options = {});
    /// Adds a member that is not an array, under exactly this name.
    /// @throws mismatch_error, io_error  as `add`
    void add_bytes(std::string_view name, std::span<const std::byte> bytes, const npz_member_options& options = {});
    /// Adds a member with this text, under exactly this name.
    /// @throws mismatch_error, io_error  as `add`
    void add_text(std::string_view name, std::string_view text, const npz_member_options& options = {});

    /// Sets the metadata of the archive. Null and an empty object remove it.
    /// @throws mismatch_error  neither an object nor null, or with the reserved key "ndkeep"
    void set_metadata(const json& meta);

    /// Completes the archive and gives it its name. The writer cannot be used afterwards.
    /// @throws io_error  disk full, no permission: nothing has changed, once the writer is destroyed
    void commit();

  private:
    friend void save_npz(const std::filesystem::path&, const std::vector<npz_item>&, const npz_options&);

    /// A member at its place in the directory.
    struct record {
        const detail::zip_entry* old = nullptr;  // kept, unless `added` replaces it
        detail::new_member* added = nullptr;
    };

    npz_writer(const std::filesystem::path& file, const npz_writer_options& options, const progress& totals);

    /// Records the members to keep.
    /// @throws format_error  as `check_copyable`
    void keep_old();
    /// @throws format_error  the member is encrypted, or its local header is false
    void check_copyable(const detail::zip_entry& entry) const;
    /// @throws mismatch_error  already committed, or a part could not be written
    /// @throws conflict_error  this is a copy in a forked child
    void check_usable() const;
    /// Records a new member, which replaces an old one of the same name.
    /// @throws mismatch_error  the name was added already, or is one that zip cannot hold
    [[nodiscard]] detail::new_member& begin(std::string name, compression method);
    void write(detail::new_member& member, compression method, std::string_view header, const array_view& elements,
               const detail::member_writer::watcher& seen);
    /// Writes the metadata member, if it is new or the old one would be false.
    void write_metadata();
    /// Copies the old members that are not replaced, unless the archive grows in place.
    void write_kept();
    void write_directory();

    npz_writer_options options_;
    progress_meter meter_;
    detail::archive_output output_;
    detail::member_writer out_;
    std::vector<record> records_;
    std::map<std::string, std::size_t, std::less<>> places_;  // indexes into `records_`, by name
    std::deque<detail::new_member> added_;                    // a deque does not move them: records refer to them
    json metadata_ = nullptr;
    bool metadata_given_ = false;
    std::map<std::string, checksums> sums_;
    std::string comment_;
    bool failed_ = false;
    bool done_ = false;
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npz/detail/writer.ipp>
#endif
