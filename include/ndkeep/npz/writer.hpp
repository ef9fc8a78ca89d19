// SPDX-License-Identifier: BSD-3-Clause
// Writing an npz archive, whole or not at all.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/zip/records.hpp>
#include <ndkeep/npz/core/archive.hpp>
#include <ndkeep/npz/detail/member_writer.hpp>
#include <ndkeep/os/replace.hpp>
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

struct npz_options {
    compression compress = false;   ///< stored members map, and load at the speed of the disk
    json meta = nullptr;            ///< an object, kept in the archive as the member `metadata.json`
    checksum sum = checksum::none;  ///< of each array's data, beside the CRC-32 that every member of a zip archive has
    bool sync = false;              ///< survive a power cut once the call has returned
    run_options run = {};
};

struct npz_writer_options {
    bool append = false;  ///< to the members of the archive that is there, if one is
    compression compress = false;
    checksum sum = checksum::none;
    bool sync = false;
    run_options run = {};
};

/// How one member differs from the archive.
struct npz_member_options {
    std::optional<compression> compress = std::nullopt;  ///< nullopt: as the archive
};

/// A named array for `save_npz`. Arrays are referred to, temporary ones kept.
struct npz_item {
    npz_item(std::string_view member, array_view elements, const npz_member_options& as = {})
        : name(member), array(std::move(elements)), options(as) {}

    std::string name;
    array_view array;
    npz_member_options options;
};

/// Writes named arrays into one archive, in their order; `np.load`, Python's zipfile and unzip read it.
///
/// Members are called NAME.npy, with the bytes `np.save` would write. Those that are stored lie on 64-byte boundaries,
/// so that they can be mapped. Equal input makes equal bytes. The file is replaced whole, as by `save`.
/// @throws io_error        disk full, no permission: nothing has changed then
/// @throws mismatch_error  a name twice, or one that zip cannot hold; `.meta` is neither an object nor null
void save_npz(const std::filesystem::path& file, std::initializer_list<npz_item> items,
              const npz_options& options = {});
void save_npz(const std::filesystem::path& file, const std::vector<npz_item>& items, const npz_options& options = {});

/// Writes an archive member by member. Nothing appears under its name before `commit()`, and without it nothing ever.
///
/// Other writers of the same name wait from its construction to its end. With `.append` the archive that is there is
/// carried over: its bytes are copied by the system, members that are added again are replaced in their place, and a
/// kill at any instant leaves the old archive or the new one.
class npz_writer {
  public:
    /// @throws io_error      the directory cannot be written
    /// @throws format_error  `.append`, and what is there is no archive, or holds members that cannot be carried over:
    ///                       encrypted ones, and such as lie
    explicit npz_writer(const std::filesystem::path& file, const npz_writer_options& options = {});
    npz_writer(const npz_writer&) = delete;
    npz_writer& operator=(const npz_writer&) = delete;

    /// @throws mismatch_error  the name was added already, or is one that zip cannot hold
    /// @throws io_error        disk full; the writer can then only be destroyed
    void add(std::string_view name, const array_view& array, const npz_member_options& options = {});
    /// A member that is no array, under exactly this name.
    void add_bytes(std::string_view name, std::span<const std::byte> bytes, const npz_member_options& options = {});
    void add_text(std::string_view name, std::string_view text, const npz_member_options& options = {});

    /// What is kept beside the arrays; null and an empty object are none.
    /// @throws mismatch_error  neither an object nor null, or with the key "ndkeep", which is taken
    void set_metadata(const json& meta);

    /// Puts the archive under its name; the writer is then done.
    /// @throws io_error  disk full, no permission: nothing has changed then
    void commit();

  private:
    friend void save_npz(const std::filesystem::path&, const std::vector<npz_item>&, const npz_options&);

    /// A member in its place in the directory.
    struct record {
        const detail::zip_entry* old = nullptr;  // carried over, unless there is a new one
        detail::new_member* added = nullptr;
    };

    npz_writer(const std::filesystem::path& file, const npz_writer_options& options, const progress& totals);

    void open_old();
    void check_usable() const;
    [[nodiscard]] detail::new_member& begin(std::string name, compression method);
    void write(detail::new_member& member, compression method, std::string_view header, const array_view& elements,
               const detail::member_writer::watcher& seen);
    void write_metadata();
    void write_kept();
    void write_directory();

    npz_writer_options options_;
    progress_meter meter_;
    replacement next_;
    detail::archive old_;
    detail::member_writer out_;
    std::vector<record> records_;
    std::map<std::string, std::size_t, std::less<>> places_;  // among the records, by name
    std::deque<detail::new_member> added_;                    // which stay where they are
    json metadata_ = nullptr;
    bool metadata_given_ = false;
    std::map<std::string, checksums> sums_;
    std::string comment_;
    bool failed_ = false;
    bool done_ = false;
};

// Definitions ------------------------------------------------------------------------------------------------------

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npz/detail/writer.ipp>
#endif
