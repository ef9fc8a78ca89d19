// SPDX-License-Identifier: BSD-3-Clause
// Files opened and made to be mapped, whatever the type of their elements.
#pragma once

#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/npy/core/sidecar_file.hpp>
#include <ndkeep/npy/inspect.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/os/replace.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// An npy file whose elements can be used where they lie.
/// @throws mismatch_error  another dtype or order
[[nodiscard]] opened_array open_for_map(const std::filesystem::path& path, const dtype& wanted, map_mode mode,
                                        bool column_major_wanted, const limits& limit);

/// Takes an extension to `end` back for which there was no mapping.
void cut_extension(file& extended, std::uint64_t end) noexcept;

/// Extends a file that is mapped read_write for a shape beyond its end.
[[nodiscard]] opened_array open_raw_for_map(const std::filesystem::path& path, const dtype& type,
                                            const std::vector<std::size_t>* shape, std::uint64_t offset, map_mode mode,
                                            bool by_columns, bool reserve);

/// A file of zeros behind `header`, to be mapped before it gets its name.
class new_file {
  public:
    new_file(const std::filesystem::path& path, const array_info& info, std::string_view header, bool replace,
             bool reserve);

    [[nodiscard]] const file& content() noexcept { return next_.content(); }

    /// The commit point. Always durable: stores that are flushed need a durable name.
    void put_in_place(const array_info& info);

  private:
    [[nodiscard]] const std::filesystem::path& checked_target(const std::filesystem::path& path) const;

    replacement next_;
    bool may_replace_;
    former_sidecar former_;
};

}  // namespace ndkeep::detail
