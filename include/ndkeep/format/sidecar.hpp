// SPDX-License-Identifier: BSD-3-Clause
// The sidecar of an npy file: checksums, statistics and metadata as JSON, in a second file next to it.
//
// Keys of a sidecar. Only "ndkeep" and "array" are required:
//   ndkeep       "sidecar/1"; always the first key
//   array        dtype, shape, order ("C" or "F"), and nbytes of the data
//   checksums    an object with one text for each kind of checksum
//   statistics   count, nan, min, max, mean, std; for structs count and fields
//   created      time of the description, UTC in ISO 8601
//   file         size and mtime_ns of the npy file that the description was written for
//   metadata     an object of the user
//   previous     the same keys, except "ndkeep" and "previous", for the former state of the npy file
#pragma once

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/text/json/print.hpp>
#include <ndkeep/version.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// The part of a sidecar that describes one state of the npy file.
struct description {
    std::string type = {};                ///< the dtype as text, which `dtype::parse` accepts
    std::vector<std::size_t> shape = {};  ///< {} is a scalar
    bool column_major = false;            ///< `fortran_order` of the header
    std::uint64_t nbytes = 0;             ///< of the data

    checksums sums = {};                                ///< by name: "crc32c"
    std::optional<ndkeep::statistics> statistics = {};  ///< nullopt if they were not requested
    json metadata = json(json::value_t::object);        ///< the user's object
    std::string created = {};                           ///< UTC, ISO 8601
    std::optional<file_stamp> stamp = {};               ///< size and time of the file it was written for

    /// Whether dtype, shape, order and size agree with a header, so that the description can belong to that file.
    [[nodiscard]] bool fits(const array_info& info) const;

    /// The dtype of the elements of a file with dtype `stored`: the described one if it only says more than the header
    /// can, which has no name for bfloat16; otherwise `stored`.
    [[nodiscard]] dtype known_type(const dtype& stored) const;
};

/// A sidecar: the description of the file as it should be now, and of its former state.
///
/// The sidecar is written before the data is changed. After a crash in between, the former description is the one that
/// belongs to the file.
struct sidecar {
    description current;
    std::optional<description> previous;
};

/// The path of a file's sidecar: `NAME.npy.json` for `NAME.npy`.
[[nodiscard]] std::filesystem::path sidecar_path(const std::filesystem::path& file);

/// A new description with the contents of a header and the current time, but without checksums, statistics and
/// metadata.
[[nodiscard]] description described(const array_info& info);

/// Parses the text of a sidecar.
///
/// @param file  the path of the sidecar; named in errors, never opened
/// @throws format_error  not JSON, too many values, another version, or a value of the wrong kind
[[nodiscard]] sidecar parse_sidecar(std::string_view text, const std::filesystem::path& file);

/// The text of a sidecar, one key per line. Every JSON parser can read it: numbers that are not finite are strings,
/// which <ndkeep/text/json/nonfinite.hpp> tells apart from others.
///
/// @throws mismatch_error  metadata that JSON cannot hold: text that is not UTF-8
[[nodiscard]] std::string sidecar_text(const sidecar& both);

/// Checks metadata and returns the object to store; null becomes {}.
///
/// @param file  named in errors
/// @throws mismatch_error  neither an object nor null, more values than can be read back, or a value that JSON
///                         cannot hold
[[nodiscard]] json kept_metadata(const json& meta, const std::filesystem::path& file);

namespace core {

/// A number as JSON text, without loss.
[[nodiscard]] std::string number_text(const statistics::number& number);

/// Statistics as the JSON object of a sidecar, on one line.
[[nodiscard]] std::string statistics_text(const statistics& values);

}  // namespace core

namespace detail {

/// Bytes of the largest sidecar that is read, so that a huge file under its name does not fill the memory.
inline constexpr std::uint64_t longest_sidecar = std::uint64_t{64} << 20;

/// The largest number of JSON values in a sidecar or a record. The metadata of the two descriptions, and the list of
/// its numbers that are not finite, take at most half of it; the rest is for the statistics of struct fields. So
/// everything that is written can be read back.
inline constexpr std::size_t most_document_values = 1'048'576;
static_assert(most_document_values >= 8 * most_metadata_values);

/// Whether a text begins like a sidecar of any version: with an object whose first key is "ndkeep", and whose value
/// begins with "sidecar/". Other JSON belongs to another program and must not be replaced.
[[nodiscard]] constexpr bool begins_sidecar(std::string_view text) noexcept {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";  // RFC 8259, 8.1
    if (text.starts_with(byte_order_mark))
        text.remove_prefix(byte_order_mark.size());
    for (const std::string_view token : {"{", "\"ndkeep\"", ":", "\"sidecar/"}) {
        text.remove_prefix(std::min(text.find_first_not_of(" \t\n\r"), text.size()));
        if (!text.starts_with(token))
            return false;
        text.remove_prefix(token.size());
    }
    return true;
}

/// Adds a number as the JSON text that is exactly it.
void add_exact(object_text& object, std::string_view key, const statistics::number& number);

/// The current time as UTC in ISO 8601, to the second.
[[nodiscard]] std::string now_text();
/// The same of another time.
[[nodiscard]] std::string time_text(std::time_t when);

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/format/sidecar.ipp>
#endif
