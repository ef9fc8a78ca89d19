// SPDX-License-Identifier: BSD-3-Clause
// The arrays in a file of any kind, opened one by one, and the metadata beside them.
#pragma once

#include "subject.hpp"

#include <ndkeep/array/view.hpp>
#include <ndkeep/work/progress.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tool {

/// An array that can be read, in the order it is stored in. Files stay mapped for as long as the view lives.
struct opened_view {
    ndkeep::array_info info;
    ndkeep::array_view view;
};

/// What is said of a file beside its arrays.
struct kept_words {
    ndkeep::json metadata = ndkeep::json(ndkeep::json::value_t::object);
    ndkeep::checksum sums = ndkeep::checksum::none;
    bool has_statistics = false;
    std::string problem = {};  ///< why it is not believed
};

/// An npy, raw, npz or chunked one. Memory is bounded by the largest compressed member, whatever the size of the rest.
class array_file {
  public:
    /// @param path  of the file, or of its sidecar
    /// @throws ndkeep::error  nothing there, or none of these kinds
    array_file(const std::filesystem::path& path, const ndkeep::run_options& run);
    ~array_file();

    [[nodiscard]] const subject& what() const noexcept;
    [[nodiscard]] bool is_archive() const noexcept { return what().kind == subject_kind::npz; }
    /// Of the arrays: members of an archive in their order, else one empty name.
    [[nodiscard]] const std::vector<std::string>& names() const noexcept;
    /// Members of an archive that are no arrays, the metadata left out.
    [[nodiscard]] const std::vector<std::string>& documents() const noexcept;
    /// Bytes of one of them.
    [[nodiscard]] std::vector<std::byte> document(const std::string& name) const;
    /// The name of what a word of the command line names: a member, or the only array.
    /// @throws ndkeep::mismatch_error  it is not to be told, or there is none
    [[nodiscard]] std::string chosen(const std::optional<std::string>& member) const;
    /// Whether it is among the names, or among the documents. Logarithmic.
    [[nodiscard]] bool contains(const std::string& name) const;
    [[nodiscard]] bool has_document(const std::string& name) const;
    [[nodiscard]] ndkeep::array_info info(const std::string& name) const;
    /// @throws ndkeep::error  cut short; checksums of members and chunks that do not agree
    [[nodiscard]] opened_view open(const std::string& name) const;
    [[nodiscard]] kept_words words() const;

  private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

/// Bytes that a path takes on the disk, or those of all files in a folder.
[[nodiscard]] std::uint64_t stored_bytes(const std::filesystem::path& path);

}  // namespace tool
