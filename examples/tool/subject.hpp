// SPDX-License-Identifier: BSD-3-Clause
// Detects what a path or a name in a bucket is from its content, not its name, and reads the state of its sidecar.
#pragma once

#include <ndkeep/chunks/location.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/npy/core/sidecar_file.hpp>
#include <ndkeep/npy/describe.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tool {

/// The tool reads headers of any length: it describes files that are not loaded.
inline constexpr ndkeep::limits any_header = {.header_characters = ndkeep::longest_header};

enum class subject_kind {
    npy,
    npz,
    chunked,
    database,  ///< a folder of npy files that change together
    raw,       ///< bytes without a header, described by a sidecar
    pickle,    ///< values of Python, also in an npy file of objects
    sidecar,   ///< the JSON file next to an array file
    folder     ///< any other folder, or a bucket; only `ls` and `tree` accept it
};

struct subject {
    subject_kind kind = subject_kind::npy;
    std::filesystem::path path = {};
    bool is_named_only = false;  ///< npy, npz or pickle by its name; its first bytes may be of something else
    std::optional<ndkeep::dataset_location> in_bucket = {};  ///< of a chunked array in a bucket

    /// Of a chunked array, for the functions of the library.
    [[nodiscard]] ndkeep::dataset_location location() const { return in_bucket ? *in_bucket : path; }
    [[nodiscard]] bool is_single_array() const { return kind == subject_kind::npy || kind == subject_kind::raw; }
};

/// Display name: "npy", "npz", "chunked array", …
[[nodiscard]] std::string_view kind_name(subject_kind kind);
/// One word for JSON output: "chunked".
[[nodiscard]] std::string_view format_name(subject_kind kind);

/// Whether the name exists, even as a dangling symbolic link.
[[nodiscard]] bool is_there(const std::filesystem::path& path);

/// Whether the path is a folder, or in a bucket.
[[nodiscard]] bool is_folder(const std::filesystem::path& path);

/// The names in a folder, sorted. Of a bucket, they are those of folders: objects in it are left out.
/// @throws ndkeep::io_error  it cannot be listed
[[nodiscard]] std::vector<std::string> names_in_folder(const std::filesystem::path& path);

/// Whether the path is a database.
[[nodiscard]] bool is_database(const std::filesystem::path& path);

/// Whether a file with these first bytes is a zip archive: the signature of a member, or of an empty directory.
[[nodiscard]] bool begins_as_archive(std::string_view begin);

/// Detects the kind of a path from its first bytes and its sidecar, of a pickle also from its name, and of a name in a
/// bucket from the folders below. Never blocks: a pipe is rejected.
/// @throws ndkeep::io_error        absent, no permission, or a pipe or device
/// @throws ndkeep::format_error    no supported format
/// @throws ndkeep::mismatch_error  FILE:MEMBER in place of a path, or a name in a bucket without libcurl
[[nodiscard]] subject subject_of(const std::filesystem::path& path);

/// As above, but rejects a folder that is not a chunked array, also a database.
[[nodiscard]] subject array_subject_of(const std::filesystem::path& path);

/// As above; for a sidecar, returns the file that it describes.
[[nodiscard]] subject described_subject_of(const std::filesystem::path& path);

/// The error for a raw file without a sidecar.
[[nodiscard]] ndkeep::format_error no_sidecar(const std::filesystem::path& path);

/// The description that belongs to the file with this stamp. A writer stores the sidecar before it renames the data
/// file; until the rename, the former description is the valid one.
[[nodiscard]] const ndkeep::description& said_of(const ndkeep::sidecar& both, const ndkeep::file_stamp& stamp);

/// Opens an npy file, or a raw file with its sidecar as the header. Does not check the length of the data;
/// `ndkeep::core::check_data` does.
/// @throws ndkeep::io_error, ndkeep::format_error
[[nodiscard]] ndkeep::core::opened_array open_single(const subject& what);

enum class sidecar_state {
    none,
    current,      ///< size and time of the file match
    unconfirmed,  ///< dtype and shape match, but only a checksum of the data can confirm that it belongs to this file
    stale,        ///< describes another array
    damaged       ///< cannot be read
};
[[nodiscard]] std::string_view state_name(sidecar_state state);

/// A sidecar and its state, judged without reading the array's data.
struct sidecar_look {
    std::filesystem::path path = {};
    sidecar_state state = sidecar_state::none;
    std::optional<ndkeep::stored_description> said = {};  ///< also set if stale
    std::string problem = {};                             ///< why the sidecar is damaged
};
[[nodiscard]] sidecar_look look_at_sidecar(const ndkeep::core::opened_array& array);

}  // namespace tool
