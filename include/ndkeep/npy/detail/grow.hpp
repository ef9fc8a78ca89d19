// SPDX-License-Identifier: BSD-3-Clause
// Growing an npy file: its locks, the longer header, and the order of writes. The steps are those of an append.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/order.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/npy/inspect.hpp>
#include <ndkeep/os/durability.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/locks/writer_lock.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The header of the longer array, and whether it can be written over the present one. (step 4)
class grown_header {
  public:
    grown_header(const opened_array& array, std::size_t rows);

    array_info info;
    bool in_place = false;
    std::size_t first = 0;  // where the changed bytes begin
    std::vector<std::byte> changed;
};

/// The elements of rows in the dtype and order of a file, as an array of one axis.
/// @throws mismatch_error  the dtype differs in more than byte order and struct layout
[[nodiscard]] any_array converted_rows(const array_view& rows, const dtype& type, order wanted,
                                       const std::filesystem::path& file);

/// Rejects rows that cannot be appended to an array of this shape.
/// @throws mismatch_error  a scalar; or the shapes differ in more than the slowest axis
void check_rows(const array_info& info, const array_view& rows, const std::filesystem::path& file);

/// Rejects a file with a second array after the data: the rows would overwrite it. Calling `np.save` twice on one open
/// file makes such files. Other bytes after the data are remains of a killed append, and may be overwritten.
void check_no_second_array(const opened_array& array);
/// The same for a file of `size` bytes whose data ends at byte `end`.
void check_no_second_array(const file& source, std::uint64_t end, std::uint64_t size);

/// Writes the header of `info` and the data of `from` to an empty file. Returns the offset of the end.
std::uint64_t copy_array(const opened_array& from, const array_info& info, file& to, progress_meter& meter);

/// Writes the longer array to a new file and renames it: for headers that cannot change in place.
/// @param run  `.replace_read_only` applies to the sidecar
void rewrite_grown(const opened_array& array, writer_lock&& lock, const array_info& info,
                   std::span<const std::byte> bytes, std::optional<sidecar> both, durability wanted,
                   const run_options& run = {});

/// Writes the rows and then the header (steps 6 and 7). If either fails, the file is as before, unless the former
/// header cannot be restored.
void grow_in_place(opened_array& array, const grown_header& grown, std::span<const std::byte> bytes, durability wanted);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npy/detail/grow.ipp>
#endif
