// SPDX-License-Identifier: BSD-3-Clause
// What a path is, told by what is there and not by its name, and what its sidecar says of it.
#pragma once

#include <ndkeep/npy/core/sidecar_file.hpp>
#include <ndkeep/npy/describe.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace tool {

enum class subject_kind {
    npy,
    npz,
    chunked,
    raw,      ///< bytes without a header, which a sidecar describes
    sidecar,  ///< the JSON beside a file
    folder    ///< of other files; no command but `ls` and `tree` has a use for it
};

struct subject {
    subject_kind kind = subject_kind::npy;
    std::filesystem::path path = {};

    [[nodiscard]] bool is_single_array() const { return kind == subject_kind::npy || kind == subject_kind::raw; }
};

/// "npy", "npz", "chunked array", …
[[nodiscard]] std::string_view kind_name(subject_kind kind);
/// The same in one word: "chunked".
[[nodiscard]] std::string_view format_name(subject_kind kind);

/// Whether the name is taken, be it by a link that leads nowhere.
[[nodiscard]] bool is_there(const std::filesystem::path& path);

/// Looks at the first bytes, and beside the file. Never waits: a pipe is refused.
/// @throws ndkeep::io_error      nothing there, no permission, a pipe or a device
/// @throws ndkeep::format_error  none of what is known here
[[nodiscard]] subject subject_of(const std::filesystem::path& path);

/// The same; a folder of other files is refused.
[[nodiscard]] subject array_subject_of(const std::filesystem::path& path);

/// The same; in place of a sidecar the file that it describes.
[[nodiscard]] subject described_subject_of(const std::filesystem::path& path);

/// The error of a raw file of which nothing is said.
[[nodiscard]] ndkeep::format_error no_sidecar(const std::filesystem::path& path);

/// What is said of the file with this stamp. Until a file that is replaced has its name, it is what was said before.
[[nodiscard]] const ndkeep::description& said_of(const ndkeep::sidecar& both, const ndkeep::file_stamp& stamp);

/// An npy file, or a raw one with what its sidecar says in place of a header. The data may be cut short:
/// `ndkeep::core::check_data` tells.
/// @throws ndkeep::io_error, ndkeep::format_error
[[nodiscard]] ndkeep::core::opened_array open_single(const subject& what);

enum class sidecar_state {
    none,
    current,      ///< written for the file as it is, by its size and time
    unconfirmed,  ///< describes such an array; only the data can tell whether this one
    stale,        ///< describes another array
    damaged       ///< not to be read
};
[[nodiscard]] std::string_view state_name(sidecar_state state);

/// What a sidecar says, judged without a look at the data.
struct sidecar_look {
    std::filesystem::path path = {};
    sidecar_state state = sidecar_state::none;
    std::optional<ndkeep::stored_description> said = {};  ///< of a stale one too
    std::string problem = {};                             ///< of a damaged one
};
[[nodiscard]] sidecar_look look_at_sidecar(const ndkeep::core::opened_array& array);

}  // namespace tool
