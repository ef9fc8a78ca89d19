// SPDX-License-Identifier: BSD-3-Clause
// A file of any supported kind: opens its arrays one by one and reads its metadata.
#pragma once

#include "subject.hpp"

#include <ndkeep/array/view.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/order.hpp>
#include <ndkeep/tree/tree.hpp>
#include <ndkeep/work/progress.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tool {

/// A readable array in its stored element order. The file stays mapped as long as the view exists.
struct opened_view {
    ndkeep::array_info info;
    ndkeep::array_view view;
};

/// The order as NumPy writes it: row-major for an array that has both.
[[nodiscard]] inline ndkeep::order written_order(const ndkeep::array_info& info) {
    return ndkeep::written_column_major(info) ? ndkeep::order::column_major : ndkeep::order::row_major;
}

/// Metadata of a file, and which checksums and statistics are stored for it.
struct kept_words {
    ndkeep::json metadata = ndkeep::json(ndkeep::json::value_t::object);
    ndkeep::checksum sums = ndkeep::checksum::none;
    bool has_statistics = false;
    std::string problem = {};  ///< why the metadata is not trusted; empty if it is
};

/// A file of any kind that holds arrays: npy, raw, npz, pickle or chunked. Memory use is bounded by the largest
/// compressed member or pickled array, not by the size of the file.
class array_file {
  public:
    /// @param path  of the file, or of its sidecar
    /// @throws ndkeep::error  the file is absent or of no supported kind
    array_file(const std::filesystem::path& path, const ndkeep::run_options& run);
    ~array_file();

    [[nodiscard]] const subject& what() const noexcept;
    [[nodiscard]] bool is_archive() const noexcept { return what().kind == subject_kind::npz; }
    [[nodiscard]] bool is_pickle() const noexcept { return what().kind == subject_kind::pickle; }
    /// Whether arrays have names: members of an archive, or paths in a pickle.
    [[nodiscard]] bool has_names() const noexcept { return is_archive() || is_pickle(); }
    /// All values of a pickle.
    [[nodiscard]] const ndkeep::tree& values() const noexcept;
    /// Names of the arrays: members in the order of the archive, paths in a pickle; for other kinds, one empty name.
    [[nodiscard]] const std::vector<std::string>& names() const noexcept;
    /// Archive members that are not arrays, except the metadata member. Of a pickle, one: the values as text, with null
    /// for arrays.
    [[nodiscard]] const std::vector<std::string>& documents() const noexcept;
    /// The bytes of one document, or of a member that is an array.
    [[nodiscard]] std::vector<std::byte> document(const std::string& name) const;
    /// The name of an array in its archive: "x.npy".
    [[nodiscard]] std::string stored_name(const std::string& name) const;
    /// The array that the user means: the named member or path, or the only array of the file.
    /// @throws ndkeep::mismatch_error  no such member, or no member is named and the file does not hold exactly one
    ///     array
    [[nodiscard]] std::string chosen(const std::optional<std::string>& member) const;
    /// Whether an array has this name; `has_document` asks the same of documents. Both take logarithmic time.
    [[nodiscard]] bool contains(const std::string& name) const;
    [[nodiscard]] bool has_document(const std::string& name) const;
    /// Whether this array or document of an archive is compressed.
    [[nodiscard]] bool is_compressed(const std::string& name) const;
    [[nodiscard]] ndkeep::array_info info(const std::string& name) const;
    /// @throws ndkeep::error  the data is truncated, or the checksum of a member or chunk does not match
    [[nodiscard]] opened_view open(const std::string& name) const;
    [[nodiscard]] kept_words words() const;

  private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

/// Bytes of a file, or of all files of a folder or of a chunked array in a bucket.
[[nodiscard]] std::uint64_t stored_bytes(const std::filesystem::path& path);

}  // namespace tool
