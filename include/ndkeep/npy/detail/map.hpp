// SPDX-License-Identifier: BSD-3-Clause
// Opening and creating files to be mapped, independent of the element type.
#pragma once

#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/order.hpp>
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

namespace ndkeep::inline NDKEEP_ABI {
struct create_options;  // these two are in npy/map.hpp, which includes this header
struct map_options;
}

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Opens an npy file whose elements can be used in place.
/// @throws mismatch_error  another dtype, byte order, struct layout or order
/// @throws io_error, format_error, conflict_error
[[nodiscard]] opened_array open_for_map(const std::filesystem::path& path, const dtype& wanted, map_mode mode,
                                        order wanted_order, const map_options& options);

/// Undoes an extension to `end` after the mapping failed.
void cut_extension(file& extended, std::uint64_t end) noexcept;

/// Opens a headerless file. For `read_write` with a shape beyond its end, the file is extended.
[[nodiscard]] opened_array open_raw_for_map(const std::filesystem::path& path, const dtype& type,
                                            const std::vector<std::size_t>* shape, std::uint64_t offset, map_mode mode,
                                            order file_order, bool reserve);

/// A new file, `header` and then zeros, that is mapped before it gets its final name.
class new_file {
  public:
    /// @throws io_error  `std::errc::file_exists` without `.replace`; disk full with `.reserve`; an unreadable sidecar;
    ///                   a write-protected file
    new_file(const std::filesystem::path& path, const array_info& info, std::string_view header,
             const create_options& options);

    [[nodiscard]] const file& content() noexcept { return next_.content(); }

    /// Gives the file its final name: the commit point. Always durable, because flushed stores are lost without a
    /// durable name.
    void put_in_place(const array_info& info);

  private:
    [[nodiscard]] const std::filesystem::path& checked_target(const std::filesystem::path& path) const;

    replacement next_;
    bool may_replace_;
    former_sidecar former_;
};

}  // namespace ndkeep::detail
