// SPDX-License-Identifier: BSD-3-Clause
// The JSON beside a file: what it describes, and which of its descriptions is about the file that is there.
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
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// What a sidecar says of one state of a file.
struct description {
    std::string type = {};  ///< dtype.str(), or dtype.descr() of a struct
    std::vector<std::size_t> shape = {};
    bool column_major = false;
    std::uint64_t nbytes = 0;  ///< of the data

    checksums sums = {};
    std::optional<ndkeep::statistics> statistics = {};
    json metadata = json(json::value_t::object);
    std::string created = {};              ///< UTC, ISO 8601
    std::optional<file_stamp> stamp = {};  ///< of the file it was written for

    /// Whether it can be about a file with this header.
    [[nodiscard]] bool fits(const array_info& info) const;
};

/// A sidecar: the description of the file it is beside, and of the one before, which a crash may have left in place.
struct sidecar {
    description current;
    std::optional<description> previous;
};

/// `NAME.npy.json` beside `NAME.npy`.
[[nodiscard]] std::filesystem::path sidecar_path(const std::filesystem::path& file);

/// A description of an array as its header has it, made now: no sums, statistics or metadata yet.
[[nodiscard]] description described(const array_info& info);

/// @throws format_error  not JSON, another version, or a value of the wrong kind
[[nodiscard]] sidecar parse_sidecar(std::string_view text, const std::filesystem::path& file);

/// The text of a sidecar, one key a line, readable by any JSON parser: numbers that are not finite are strings.
/// @throws mismatch_error  metadata that JSON cannot hold: text that is not UTF-8
[[nodiscard]] std::string sidecar_text(const sidecar& both);

/// `meta` as it is kept: an object, null taken for {}, and what is not finite as "NaN", "Infinity", "-Infinity".
/// @throws mismatch_error  neither an object nor null, with more values than can be read back, or what JSON cannot hold
[[nodiscard]] json kept_metadata(const json& meta, const std::filesystem::path& file);

namespace core {

/// A number as JSON text, exact.
[[nodiscard]] std::string number_text(const statistics::number& number);

/// Statistics as the JSON object that a sidecar holds, on one line.
[[nodiscard]] std::string statistics_text(const statistics& values);

}  // namespace core

namespace detail {

inline constexpr std::uint64_t longest_sidecar = std::uint64_t{64} << 20;

/// JSON values of a sidecar or a record. A sidecar holds the metadata of two descriptions, which is a quarter of them;
/// the rest is for statistics of the fields of structs. So what was written can be read back.
inline constexpr std::size_t most_document_values = 1'048'576;
static_assert(most_document_values >= 8 * most_metadata_values);

/// Whether a text begins as a sidecar of any version does: with an object whose first key is "ndkeep" and has a value
/// that begins with "sidecar/". Any other JSON belongs to another program.
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

[[nodiscard]] std::string now_text();

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/format/sidecar.ipp>
#endif
